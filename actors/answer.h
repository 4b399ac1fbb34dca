// answer.h - what a worker says about its calls: RESULT, FAIL and ITEM, each remembered in seen.h as
// it leaves. Wants the session's lock.

#ifndef MOBULA_ACTORS_ANSWER_H
#define MOBULA_ACTORS_ANSWER_H

#include "worker.h"

// A value that is too large for one message is taken.
void answer_value(worker_t *worker, const hand_t *hand, pack_t *value);
void answer_values(worker_t *worker, const hand_t *hand, sink_t *sink); // of several results

typedef struct answer_failure {
    mob_err_t err;
    int64_t code; // of ETASK
    mob_executed_t executed;
    const char *text, *trace; // NULL: the error's own text; none
    mob_ref_t cause;
} answer_failure_t;

void answer_failure(worker_t *worker, const hand_t *hand, const answer_failure_t *failure);
bool answer_again(worker_t *worker, mob_ref_t ref, uint32_t attempt); // false: not answered before
void answer_repeat_all(worker_t *worker); // after HELLO: what is not acknowledged

#endif
