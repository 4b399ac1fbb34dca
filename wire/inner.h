// inner.h - the refs inside a payload, told beside it: the broker never looks into values, and still
// must know what they name. 16 bytes a ref, owner and seq, big-endian, in any order.

#ifndef MOBULA_WIRE_INNER_H
#define MOBULA_WIRE_INNER_H

#include "message.h"

enum { INNER_SIZE = 16, INNER_LOADS_MAX = 4 };

static inline uint32_t inner_count(load_t refs)
{
    return refs.size / INNER_SIZE;
}

mob_ref_t inner_at(load_t refs, uint32_t index);
uint8_t *inner_put_at(uint8_t *at, mob_ref_t ref); // INNER_SIZE bytes
void inner_put(pack_t *out, mob_ref_t ref);

// Append the refs found in encoded values. False: the bytes are not values, or no memory.
bool inner_find(load_t values, pack_t *out);

// The field of a message. First what a worker keeps beyond the call (of RESULT and FAIL), then what is inside
// the payload, in as many loads as it takes; mostly nothing.
loads_t inner_of(load_t loads[INNER_LOADS_MAX], load_t refs, load_t kept); // to write; loads must last
load_t inner_kept(loads_t inner);
uint32_t inner_total(loads_t inner); // refs inside the payload

typedef struct inner_walk {
    loads_t left;
    load_t load;
    uint32_t at;
} inner_walk_t;

inner_walk_t inner_walk(loads_t inner); // over those inside the payload
bool inner_next(inner_walk_t *self, mob_ref_t *ref);

#endif
