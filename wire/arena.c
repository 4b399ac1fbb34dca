// arena.c - memory that lives as long as what was read from it: small blocks, freed at once. Never
// frees a single piece.

#include "value.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK = 1024 - 64, ARENA_ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t used, room;
    _Alignas(ARENA_ALIGN) unsigned char bytes[];
};

static struct arena_block *block_for(arena_t *self, size_t size)
{
    if (self->first && self->first->room - self->first->used >= size)
        return self->first;
    size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
    struct arena_block *block = calloc(1, sizeof *block + room);
    if (!block)
        return NULL;
    block->room = room;
    block->next = self->first;
    self->first = block;
    return block;
}

static void *take(arena_t *self, size_t size)
{
    struct arena_block *block = block_for(self, size);
    if (!block)
        return NULL;
    void *piece = block->bytes + block->used;
    block->used += size;
    return piece;
}

// Acquire sees the blocks as release left them.
void *arena_alloc(arena_t *self, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    while (atomic_exchange_explicit(&self->busy, 1, memory_order_acquire))
        sched_yield();
    void *piece = take(self, (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN);
    atomic_store_explicit(&self->busy, 0, memory_order_release);
    return piece;
}

void arena_clear(arena_t *self)
{
    while (self->first) {
        struct arena_block *next = self->first->next;
        free(self->first);
        self->first = next;
    }
}
