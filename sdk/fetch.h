// fetch.h - payloads that were named by their size, on their way here: asked for a window at a time, put
// together into one block each, asked for again from where they are after silence or a reconnect. Wants the lock.

#ifndef MOBULA_FETCH_H
#define MOBULA_FETCH_H

#include "blob.h"
#include "message.h"
#include "mobula/mobula.h"

typedef struct fetch {
    struct fetch *next;
    mob_ref_t ref;
    uint32_t part; // enum wire_part
    uint32_t have; // bytes that have come
    uint32_t asked;
    blob_t *blob; // of its size; filled up to have
} fetch_t;

typedef struct fetches {
    fetch_t *first, *last; // in the order in which they were wanted
    uint64_t flying;       // bytes that were asked for and have not come
    int64_t again_at, again_us;
} fetches_t;

// The blob that is filled from now on, not the caller's; NULL: no memory.
blob_t *fetch_start(mob_t *self, mob_ref_t ref, uint32_t part, uint32_t size);
void fetch_cancel(mob_t *self, mob_ref_t ref); // all parts of it
void fetch_data(mob_t *self, const msg_data_t *data);

int64_t fetches_turn(mob_t *self); // asks for more; gives when to come again
void fetches_again(mob_t *self);   // a new connection: what was asked for does not come any more
void fetches_fini(mob_t *self);

#endif
