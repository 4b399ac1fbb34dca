// hold.h - holds of this connection on refs. A ref is held at most once in the line that
// mob_release() cuts, one for each voice, and as often as mob_keep() said beside it; waits and callbacks pin it. When
// the last of these goes, the future goes and the broker hears DROP, many in a row as one. Wants
// the session's lock.

#ifndef MOBULA_HOLD_H
#define MOBULA_HOLD_H

#include "future.h"

enum { HOLD_SHARED = UINT16_MAX }; // the line of what several voices hold

typedef struct drop_run { // dropped refs in a row that the broker has not heard of yet
    mob_ref_t first;
    uint64_t count;
    uint64_t after; // an answer with refs inside must have arrived before: holds_t.taken
} drop_run_t;

typedef struct holds {
    future_t *newest,
        *oldest;      // what several voices hold: until all bodies that began before have ended
    uint64_t serial;  // of the newest hold ever taken
    drop_run_t *runs; // in the order dropped
    size_t run_count, run_room;
    uint64_t answered,
        taken;   // of a worker's answers with refs inside: the last one; acknowledged ones
    pack_t kept; // what bodies have kept and no answer has told yet, as inner.h has it
} holds_t;

void holds_fini(holds_t *self);
void hold_take(mob_t *self, future_t *future); // into the line; nothing if it is there
void hold_touch(mob_t *self,
                future_t *future); // this voice needs it: another one's hold does not suffice
void hold_give(mob_t *self, future_t *future);  // one hold less, as mob_drop()
void hold_unpin(mob_t *self, future_t *future); // a wait or a callback is done with it
static inline void hold_pin(future_t *future)
{
    future->pins++;
}
void hold_write_drops(mob_t *self);           // what may be said of the runs, into the open batch
void hold_undrop(mob_t *self, mob_ref_t ref); // it is referenced again, before DROP was said
void hold_restate(mob_t *self);               // to a new broker: what is not held any more

#endif
