// slab.c - see slab.h.

#include "slab.h"

#include <stdlib.h>
#include <string.h>

// Whoever still looks at a freed record is seen by AddressSanitizer, but for its head: the link of the freed ones lies
// there, and what tells a walk that nobody lives here.
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

enum { SLAB_HEAD = 24 };

void slab_init(slab_t *self, size_t size)
{
    *self = (slab_t){.size = (size + 7) / 8 * 8};
}

static int add_chunk(slab_t *self)
{
    if (self->chunk_count == self->chunk_room) {
        uint32_t room = self->chunk_room ? self->chunk_room * 2 : 8;
        unsigned char **chunks = realloc(self->chunks, room * sizeof *chunks);
        if (!chunks)
            return -1;
        self->chunks = chunks;
        self->chunk_room = room;
    }
    unsigned char *chunk = malloc(self->size * SLAB_CHUNK);
    if (!chunk)
        return -1;
    self->chunks[self->chunk_count++] = chunk;
    return 0;
}

void *slab_take(slab_t *self, uint32_t *index_p)
{
    uint32_t index;
    if (self->free_first) {
        index = self->free_first - 1;
        memcpy(&self->free_first, slab_at(self, index), sizeof self->free_first);
    } else {
        if (self->fresh == self->chunk_count * SLAB_CHUNK && add_chunk(self) != 0)
            return NULL;
        index = self->fresh++;
    }
    self->used++;
    *index_p = index;
    ASAN_UNPOISON_MEMORY_REGION(slab_at(self, index), self->size);
    return memset(slab_at(self, index), 0, self->size);
}

void slab_give(slab_t *self, uint32_t index)
{
    memcpy(slab_at(self, index), &self->free_first, sizeof self->free_first);
    self->free_first = index + 1;
    self->used--;
    if (self->size > SLAB_HEAD)
        ASAN_POISON_MEMORY_REGION((char *)slab_at(self, index) + SLAB_HEAD, self->size - SLAB_HEAD);
}

void slab_fini(slab_t *self)
{
    for (uint32_t i = 0; i < self->chunk_count; i++)
        free(self->chunks[i]);
    free(self->chunks);
    *self = (slab_t){.size = self->size};
}
