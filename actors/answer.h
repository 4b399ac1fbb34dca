// answer.h - what a worker says about its calls: RESULT, FAIL and ITEM, each remembered in seen.h as
// it leaves. Wants the session's lock.

#ifndef MOBULA_ACTORS_ANSWER_H
#define MOBULA_ACTORS_ANSWER_H

#include "worker.h"

// A value that is too large for one message is taken. inner: there are refs inside.
void answer_value(worker_t *worker, const hand_t *hand, pack_t *value, bool inner);
void answer_values(worker_t *worker, const hand_t *hand, sink_t *sink); // of several results
// Of a stream, which goes on. The value is taken; *last: what must be accepted before anything follows it,
// or 0.
mob_err_t answer_item(worker_t *worker, const hand_t *hand, uint64_t index, mob_writer_t *value,
                      uint64_t *last);

typedef struct answer_failure {
    mob_err_t err;
    int64_t code; // of ETASK
    mob_executed_t executed;
    const char *text, *trace; // NULL: the error's own text; none
    mob_ref_t cause;
} answer_failure_t;

void answer_failure(worker_t *worker, const hand_t *hand, const answer_failure_t *failure);
// A stream, with the broker that had its items.
void answer_lost(worker_t *worker, const hand_t *hand, mob_executed_t executed);
void answer_later(worker_t *worker, const hand_t *hand); // its body was begun, and that is all for now
bool answer_again(worker_t *worker, const hand_t *like); // false: not answered before
void answer_repeat_all(worker_t *worker, bool fresh);    // after HELLO: what is not acknowledged

#endif
