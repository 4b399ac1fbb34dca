// answer.h - what a worker says about its calls: RESULT and FAIL, each remembered in seen.h as it
// leaves. Wants the session's lock.

#ifndef MOBULA_ACTORS_ANSWER_H
#define MOBULA_ACTORS_ANSWER_H

#include "worker.h"

void answer_value(worker_t *worker, const hand_t *hand, load_t value);

typedef struct answer_failure {
    mob_err_t err;
    int64_t code; // of ETASK
    mob_executed_t executed;
    const char *text, *trace; // NULL: the error's own text; none
    mob_ref_t cause;
} answer_failure_t;

void answer_failure(worker_t *worker, const hand_t *hand, const answer_failure_t *failure);
void answer_again(worker_t *worker,
                  const seen_record_t *record); // and remember it as said once more
void answer_repeat_all(worker_t *worker);       // after HELLO: what is not acknowledged

#endif
