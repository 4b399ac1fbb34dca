// reftable.h - from a ref to its record in a slab whose records begin with their mob_ref_t. Open addressing
// with a tag beside each index, so that a miss rarely touches a record; four refs that follow each other
// share a cache line.

#ifndef MOBULA_REFTABLE_H
#define MOBULA_REFTABLE_H

#include "mobula/types.h"
#include "slab.h"

typedef struct reftable {
    uint64_t *slots; // tag << 32 | index + 1; 0: empty
    uint32_t mask, count;
    const slab_t *slab;
} reftable_t;

void reftable_init(reftable_t *self, const slab_t *slab);
bool reftable_reserve(reftable_t *self); // room for one more; false: no memory
void reftable_add(reftable_t *self, mob_ref_t ref, uint32_t index); // after reserve; ref is not in it
void *reftable_find(const reftable_t *self, mob_ref_t ref);         // NULL: not there
void reftable_remove(reftable_t *self, mob_ref_t ref, uint32_t index); // fine when it is not in
void reftable_fini(reftable_t *self);

#endif
