// reftable.c - see reftable.h. Linear probing, removal by shifting back: no tombstones, no decay.

#include "reftable.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(mob_ref_t ref)
{
    uint64_t x = ref.owner ^ (ref.seq >> 2) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    return x << 2 | (ref.seq & 3);
}

// The low half of the hash stands beside each index: it is the tag, and where the slot's home is.
static uint32_t tag_of(mob_ref_t ref)
{
    return (uint32_t)hash_of(ref);
}

static uint32_t tag_at(uint64_t slot)
{
    return (uint32_t)(slot >> 32);
}

void reftable_init(reftable_t *self, const slab_t *slab)
{
    *self = (reftable_t){.slab = slab};
}

static void put(reftable_t *self, uint32_t tag, uint32_t index)
{
    uint32_t i = tag & self->mask;
    while (self->slots[i])
        i = (i + 1) & self->mask;
    self->slots[i] = (uint64_t)tag << 32 | (index + 1);
}

bool reftable_reserve(reftable_t *self)
{
    if (self->slots && self->count < self->mask / 4)
        return true;
    uint32_t size = self->slots ? (self->mask + 1) * 2 : 1024;
    reftable_t bigger = {.slots = calloc(size, sizeof *bigger.slots),
                         .mask = size - 1,
                         .count = self->count,
                         .slab = self->slab};
    if (!bigger.slots)
        return false;
    for (uint32_t i = 0; self->slots && i <= self->mask; i++) {
        if (self->slots[i])
            put(&bigger, tag_at(self->slots[i]), (uint32_t)self->slots[i] - 1);
    }
    free(self->slots);
    *self = bigger;
    return true;
}

void reftable_add(reftable_t *self, mob_ref_t ref, uint32_t index)
{
    put(self, tag_of(ref), index);
    self->count++;
}

// The slot that holds ref, or an empty one.
static uint32_t slot_of(const reftable_t *self, mob_ref_t ref)
{
    uint32_t tag = tag_of(ref), i = tag & self->mask;
    for (; self->slots[i]; i = (i + 1) & self->mask) {
        if (tag_at(self->slots[i]) != tag)
            continue;
        const mob_ref_t *have = slab_at(self->slab, (uint32_t)self->slots[i] - 1);
        if (have->seq == ref.seq && have->owner == ref.owner)
            break;
    }
    return i;
}

void *reftable_find(const reftable_t *self, mob_ref_t ref)
{
    if (!self->slots)
        return NULL;
    uint64_t slot = self->slots[slot_of(self, ref)];
    return slot ? slab_at(self->slab, (uint32_t)slot - 1) : NULL;
}

void reftable_remove(reftable_t *self, mob_ref_t ref, uint32_t index)
{
    uint32_t tag = tag_of(ref), hole = tag & self->mask;
    uint64_t slot = (uint64_t)tag << 32 | (index + 1);
    while (self->slots[hole] && self->slots[hole] != slot)
        hole = (hole + 1) & self->mask;
    if (!self->slots[hole])
        return;
    self->count--;
    self->slots[hole] = 0;
    for (uint32_t i = (hole + 1) & self->mask; self->slots[i]; i = (i + 1) & self->mask) {
        uint32_t home = tag_at(self->slots[i]) & self->mask;
        if (((i - home) & self->mask) >= ((i - hole) & self->mask)) {
            self->slots[hole] = self->slots[i];
            self->slots[i] = 0;
            hole = i;
        }
    }
}

void reftable_fini(reftable_t *self)
{
    free(self->slots);
    self->slots = NULL;
    self->count = self->mask = 0;
}
