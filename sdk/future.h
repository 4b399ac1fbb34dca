// future.h - what this connection knows of refs: a table from ref to future. A future is pending,
// then settled, and never changes again; its value is a view into the message that brought it.
// Wants the session's lock. Never talks to a socket.

#ifndef MOBULA_FUTURE_H
#define MOBULA_FUTURE_H

#include "failure.h"
#include "mobula/mobula.h"
#include "value.h"

enum {
    FUTURE_INLINE = 24,    // values up to this are copied: they keep no message alive
    FUTURE_LOCAL_BIT = 63, // seqs with this bit were refused here: the broker never heard of them
};

typedef enum future_kind { FUTURE_TASK, FUTURE_CALL, FUTURE_SPAWN, FUTURE_OTHER } future_kind_t;

typedef struct future {
    mob_ref_t ref;
    struct future *older; // in the line of holds (hold.h), by serial; also the free list
    struct future *newer;
    uint64_t serial : 48; // of the hold; larger is newer
    uint64_t line : 16;   // number of the voice that holds it, or HOLD_SHARED
    const uint8_t *data;  // the value, or the failure as it came
    blob_t *blob;       // held: what data lies in; NULL: in small. Of a pending one: what we stored
    arena_t arena;      // of strings read and of the failure
    failure_t *failure; // in arena; of a failed one, once somebody asked
    union {
        struct then *thens;    // callbacks that wait
        struct stream *stream; // of one that is_stream: its callbacks wait for its next item
    };
    union {
        uint32_t behind; // of a pending one: so many refs of the same request come behind it
        uint32_t size;
    };
    uint16_t kept; // holds by mob_keep()
    uint16_t pins; // waits and callbacks in progress
    union {
        uint32_t born_ms; // of a pending one: when it was made, roughly
        uint32_t came;    // of one that can be read: number in the order in which they came
    };
    uint8_t err; // mob_err_t, once settled
    uint8_t kind : 3;
    uint8_t settled : 1;
    uint8_t held : 1;      // in the line of holds
    uint8_t foreign : 1;   // of another session
    uint8_t cancelled : 1; // CANCEL was sent: say it again after a reconnect
    uint8_t is_stream : 1;
    uint8_t silent : 1;    // pending, and nobody has asked for its value yet
    uint8_t inner : 1;     // there are refs in its value that are not held yet
    uint8_t borrowed : 1;  // the broker was told that we reference it
    uint8_t kept_told : 1; // and that bodies keep it
    union {
        uint8_t cancel_flags; // while it is pending
        uint8_t attempts;     // of a settled one: runs begun; 0: unknown
    };
    union {
        uint32_t mark; // of a pending one: of the wait that looked at it last
        uint8_t small[FUTURE_INLINE];
    };
} future_t;

typedef struct future_slot {
    uint64_t hash; // of ref, to pass others by without a look at them
    future_t *future;
} future_slot_t;

typedef struct futures {
    uint64_t owner;       // whose refs are ours
    future_slot_t *slots; // open addressing; in a run those with the earlier home stand first
    size_t mask, count;
    future_t *free;
    struct future_block *blocks; // slabs
    size_t pending;              // of ours and of others
    uint32_t mark;               // of the wait for many that goes on
    size_t marked;               // so many of those that it marked have come
    size_t marked_failures;      // with a failure
    uint32_t came;               // number of the last that came
} futures_t;

bool futures_init(futures_t *self, uint64_t owner);
void futures_fini(futures_t *self);

static inline bool future_is_local(mob_ref_t ref)
{
    return ref.seq >> FUTURE_LOCAL_BIT;
}

// Ours are numbered in a row: they fill the slots in a row, too.
static inline uint64_t futures_hash(const futures_t *self, mob_ref_t ref)
{
    return ref.owner == self->owner ? ref.seq : (ref.seq + ref.owner) * 0x9e3779b97f4a7c15u;
}

static inline future_t *futures_find(const futures_t *self, mob_ref_t ref) // NULL: not known
{
    uint64_t hash = futures_hash(self, ref);
    for (size_t i = (size_t)hash & self->mask; self->slots[i].future; i = (i + 1) & self->mask)
        if (self->slots[i].hash == hash && mob_same(self->slots[i].future->ref, ref))
            return self->slots[i].future;
    return NULL;
}

future_t *futures_add(futures_t *self, mob_ref_t ref);     // pending, not held; NULL: no memory
void futures_remove(futures_t *self, future_t **future_p); // ends its views

// It has settled with a value that was too large to come along; blob: it is being fetched into that.
static inline bool future_is_away(const future_t *self)
{
    return self->settled && !self->err && !self->data && self->size > 0;
}

void future_arrive(futures_t *self, future_t *future); // what was fetched is whole
void future_reopen(futures_t *self, future_t *future); // it is lost: what is heard next is its outcome

// One that is only held: its value is not asked for, and it does not count as pending.
static inline void future_silence(futures_t *self, future_t *future)
{
    future->silent = true;
    self->pending--;
}

static inline void future_wanted(futures_t *self, future_t *future)
{
    future->silent = false;
    self->pending++;
}

// Settle with a value or a failure as it came. frame: what load lies in, if load says nothing of a
// blob.
void future_settle(futures_t *self, future_t *future, mob_err_t err, load_t load, blob_t *frame);
// Settle here. reason is copied.
void future_fail(futures_t *self, future_t *future, const failure_t *failure);

const failure_t *future_failure(future_t *self); // of a failed one; never NULL
static inline load_t future_load(const future_t *self)
{
    return load_bytes(self->data, self->size);
}

// Walk over all, in no order; *at begins with 0. NULL: no more. Nothing may be added or removed
// meanwhile.
future_t *futures_next(const futures_t *self, size_t *at);

#endif
