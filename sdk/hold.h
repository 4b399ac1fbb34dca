// hold.h - holds of this connection on refs. A ref is held at most once in the line that
// mob_release() cuts, and as often as mob_keep() said beside it; waits and callbacks pin it. When
// the last of these goes, the future goes and the broker hears DROP, many in a row as one. Wants
// the session's lock.

#ifndef MOBULA_HOLD_H
#define MOBULA_HOLD_H

#include "future.h"

typedef struct holds {
    future_t *newest, *oldest; // the line, by serial
    uint64_t serial;           // of the newest hold ever taken
    mob_ref_t dropped;         // a run of dropped refs that the broker has not heard of yet
    uint64_t dropped_count;
} holds_t;

void hold_take(mob_t *self, future_t *future);  // into the line; nothing if it is there
void hold_give(mob_t *self, future_t *future);  // one hold less, as mob_drop()
void hold_unpin(mob_t *self, future_t *future); // a wait or a callback is done with it
static inline void hold_pin(future_t *future)
{
    future->pins++;
}
void hold_write_drops(mob_t *self); // the run of dropped refs into the open batch
void hold_restate(mob_t *self);     // after a reconnect: say again what is not held

#endif
