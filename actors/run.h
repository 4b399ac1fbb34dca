// run.h - one thing in hand: a call, a constructor or an end, from the checks before it to its
// answer. Wants the session's lock, which it releases while the body runs.

#ifndef MOBULA_ACTORS_RUN_H
#define MOBULA_ACTORS_RUN_H

#include "worker.h"

void run_hand(context_t *context, hand_t *hand);
void run_ends(worker_t *worker); // fini of every actor that lives here

#endif
