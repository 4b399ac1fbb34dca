// slab.h - records of one size in big chunks, named by a 32-bit index. Never moves a record, never gives
// memory back before the end; a freed record is the next one given.

#ifndef MOBULA_SLAB_H
#define MOBULA_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum { SLAB_CHUNK = 1024 }; // records a chunk

typedef struct slab {
    unsigned char **chunks;
    uint32_t chunk_count, chunk_room;
    uint32_t used;       // records alive
    uint32_t fresh;      // never given yet: index of the first
    uint32_t free_first; // index + 1 of a freed record, linked through its first bytes; 0: none
    size_t size;         // of a record, a multiple of 8
} slab_t;

void slab_init(slab_t *self, size_t size);
void *slab_take(slab_t *self, uint32_t *index_p); // zeroed; NULL: no memory
void slab_give(slab_t *self, uint32_t index);
void slab_fini(slab_t *self);

static inline void *slab_at(const slab_t *self, uint32_t index)
{
    return self->chunks[index / SLAB_CHUNK] + (size_t)(index % SLAB_CHUNK) * self->size;
}

#endif
