// inner.h - the refs inside a payload, told beside it: the broker never looks into values, and still
// must know what they name. 16 bytes a ref, owner and seq, big-endian, in any order.

#ifndef MOBULA_WIRE_INNER_H
#define MOBULA_WIRE_INNER_H

#include "blob.h"
#include "pack.h"

enum { INNER_SIZE = 16 };

typedef struct inner { // a field of a message; mostly both are empty
    load_t refs;       // inside the payload: of tasks, of values, handles of actors
    load_t kept;       // of RESULT and FAIL: what the worker keeps beyond the call
} inner_t;

static inline uint32_t inner_count(load_t refs)
{
    return refs.size / INNER_SIZE;
}

mob_ref_t inner_at(load_t refs, uint32_t index);
uint8_t *inner_put_at(uint8_t *at, mob_ref_t ref); // INNER_SIZE bytes
void inner_put(pack_t *out, mob_ref_t ref);

// Append the refs found in encoded values. False: the bytes are not values, or no memory.
bool inner_find(load_t values, pack_t *out);

#endif
