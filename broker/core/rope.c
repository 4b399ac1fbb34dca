// rope.c - see rope.h. The last one who lets go of it gives its room back to the store.

#include "rope.h"

#include <stdlib.h>

typedef struct strand {
    uint32_t offset; // of its first byte in the whole
    blob_t *piece;
} strand_t;

typedef struct rope {
    blob_t blob; // first: blob_drop() leads back here
    store_t *store;
    uint32_t count;
    strand_t strands[];
} rope_t;

static void rope_free(blob_t *blob)
{
    rope_t *self = (rope_t *)(void *)blob;
    store_give(self->store, self->blob.size);
    self->store->loads--;
    for (uint32_t i = 0; i < self->count; i++)
        blob_drop(&self->strands[i].piece);
    free(self);
}

blob_t *rope_new(blob_t *const *pieces, uint32_t count, store_t *store)
{
    rope_t *self = malloc(sizeof *self + count * sizeof *self->strands);
    if (!self)
        return NULL;
    uint32_t size = 0;
    for (uint32_t i = 0; i < count; size += pieces[i++]->size)
        self->strands[i] = (strand_t){.offset = size, .piece = pieces[i]};
    self->blob = (blob_t){.refs = 1, .size = size, .free = rope_free};
    self->store = store;
    self->count = count;
    store->loads++;
    return &self->blob;
}

static const strand_t *strand_with(const rope_t *self, uint32_t offset)
{
    uint32_t low = 0, high = self->count; // it is in [low, high)
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (self->strands[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return &self->strands[low];
}

load_t rope_at(blob_t *blob, uint32_t offset)
{
    strand_t whole = {.piece = blob};
    const strand_t *strand =
        rope_is(blob) ? strand_with((const rope_t *)(const void *)blob, offset) : &whole;
    load_t load = load_of(strand->piece);
    load.data += offset - strand->offset;
    load.size -= offset - strand->offset;
    return load;
}
