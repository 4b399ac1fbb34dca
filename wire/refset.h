// refset.h - refs in the order in which they were added, each once. Few are looked through, many are
// hashed, so that ten thousand cost no more each than ten.

#ifndef MOBULA_WIRE_REFSET_H
#define MOBULA_WIRE_REFSET_H

#include <stdbool.h>
#include <stdint.h>

#include "mobula/types.h"

typedef struct refset {
    mob_ref_t *items;
    uint32_t count, room;
    uint32_t *places; // index + 1 of the item, by its hash; NULL while they are few
    uint32_t mask;
} refset_t;

// The index of ref, which is added if it is not among them. Gives count, unchanged: no memory.
uint32_t refset_add(refset_t *self, mob_ref_t ref);
void refset_clear(refset_t *self); // memory kept
void refset_fini(refset_t *self);

#endif
