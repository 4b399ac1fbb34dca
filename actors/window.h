// window.h - calls in hand: what the broker has sent and the body has not begun, in the order it
// came, those that run, and those whose answer was put off. Owns their bytes. Never talks to the
// broker; wants the session's lock.

#ifndef MOBULA_ACTORS_WINDOW_H
#define MOBULA_ACTORS_WINDOW_H

#include <stdatomic.h>

#include "gather.h"
#include "lane.h"
#include "message.h"
#include "offer.h"

enum {
    WINDOW_CALLS_MAX = 8192,  // that wait or run at once; more are answered EFULL
    WINDOW_OPEN_MAX = 262144, // whose answer was put off; more of them are answered EFULL as well
    WINDOW_KEEP_BYTES = 8192, // memory that an idle place keeps
    WINDOW_BUCKETS = 1024,    // to find one by its ref
    WINDOW_SLOW_US = 5000,    // a body that ran so long must not hoard the tasks behind it
};

enum hand_what {
    HAND_CALL,   // RUN: a task, or a method
    HAND_MAKING, // MAKE: a constructor
    HAND_END,    // STOP: end the actor, or all when it is none
};

enum hand_promise {
    PROMISE_NONE,
    PROMISE_OPEN, // somebody has the promise, and will answer
    PROMISE_KEPT, // answered, and its body has not returned yet
};

typedef struct hand { // one of them
    struct hand *next;
    struct hand *before; // while it runs or is open
    struct hand *chain;  // of the same bucket
    enum hand_what what;
    enum hand_promise promise;
    bool running;
    bool listed;            // in a bucket
    uint8_t lane;           // of its actor; 0: the main one
    const offer_def_t *cls; // of a method or a making
    const offer_body_t *body;
    mob_ref_t ref;    // the call; of a making and an end: the actor
    uint32_t attempt; // of a making: the incarnation
    uint32_t incarnation;
    uint32_t returns;    // values that are asked for; 0: a stream
    uint64_t credit;     // of a stream: items that it may give in all
    bool lost;           // of a stream: the broker that had its items is gone
    mob_ref_t actor;     // none: a task
    int64_t deadline_at; // INT64_MAX: none
    // Set under the lock, read by the body without it: nothing hangs on its order.
    atomic_bool cancelled;
    load_t args;      // in pack, or in a blob that is held
    pack_t pack;      // arguments, then the options
    uint32_t opts_at; // where its options begin in pack
    blob_t *saved;    // of a making
    gather_t *gather; // its arguments are on their way: it cannot begin; NULL: they are here
} hand_t;

typedef struct hands {
    hand_t *first, *last;
    uint32_t count;
} hands_t;

typedef struct window_lane {
    uint32_t width; // bodies at once; 0: as many as come
    uint32_t running;
} window_lane_t;

typedef struct window {
    hand_t *first, *last;               // waiting
    window_lane_t lanes[1 + LANES_MAX]; // in one that is wider than 1 calls keep no order
    hands_t running;                    // more than one in threads only
    uint32_t calling;                   // threads that run callbacks
    hands_t open; // put off: their bodies have returned, their answers come later
    hand_t *free;
    hand_t *buckets[WINDOW_BUCKETS]; // all but ends, by ref
    uint32_t waiting;                // length of the list
    uint32_t total;                  // places made, free ones too
    uint64_t begun;                  // so many bodies have begun
    uint64_t noticed;                // begun as it was when window_slow() last found a new body
    int64_t noticed_at;
} window_t;

void window_fini(window_t *self);

// A blank place, to be filled; then it is put at the end of the line, or returned unused. NULL: no
// memory, or too many.
hand_t *window_place(window_t *self);
void window_push(window_t *self, hand_t *hand);
void window_return(window_t *self, hand_t *hand);
// Copy the arguments in, with the values of deps put in their places. False: broken, or no memory.
bool hand_set_args(hand_t *self, load_t args, loads_t deps);
// All was gathered. False: broken, too large, or no memory.
bool hand_gathered(hand_t *self);
bool hand_set_opts(hand_t *self, opts_field_t opts,
                   load_t saved); // after its arguments; saved: of a making
// Of a call for HAVE, of a making for its constructor and HOLD; as they came.
static inline opts_field_t hand_opts(const hand_t *self)
{
    return (opts_field_t){.wire = self->pack.data ? self->pack.data + self->opts_at : NULL,
                          .size = (uint32_t)(self->pack.size - self->opts_at)};
}
// Of a call: how many values are asked for, and in which of these lanes it runs.
void hand_wish(hand_t *self, opts_field_t opts, const lanes_t *lanes);
static inline bool hand_streams(const hand_t *self)
{
    return self->returns == 0;
}

// The next one runs from now on: the first whose arguments are here, whose lane has room and that may pass those
// which wait for theirs; an end when nothing else runs. NULL: none.
hand_t *window_begin(window_t *self);
bool window_has_next(const window_t *self); // whether it would give one
void window_done(window_t *self,
                 hand_t *hand); // its body has returned: it is over, or open while a promise is
void window_close(window_t *self, hand_t *hand);  // an open one is over
void window_remove(window_t *self, hand_t *hand); // a waiting one

hand_t *window_find(const window_t *self, mob_ref_t ref);    // NULL: not in hand
hand_t *window_gathers(const window_t *self, mob_ref_t ref); // and its arguments are on their way
bool window_holds(const window_t *self, mob_ref_t ref, uint32_t attempt); // this very run

// Take out tasks that wait, from the front; fills refs and gives how many.
uint32_t window_give(window_t *self, mob_ref_t *refs, uint32_t max);

// The rule of 5 ms, kept without a clock read a call: whoever turns the session says what time it
// is. A body that was found running is slow when it still runs 5 ms later. Gives when to look again
// (INT64_MAX: at the next turn); *slow: what waits should be given back.
int64_t window_slow(window_t *self, int64_t now, bool *slow);

#endif
