// pool.c - see pool.h. Owns the blocks that are free; each block in use is its blob's.

#include "pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct pool_block {
    union {
        pool_t *pool;       // in use
        pool_block_t *next; // free
    };
    blob_t blob; // the payload behind it
};

static uint32_t class_of(uint32_t size)
{
    return size ? (size - 1) / POOL_STEP : 0;
}

// Nothing is used again where AddressSanitizer looks for whoever uses what was freed.
static bool has_room(const struct pool_class *class)
{
#ifdef __SANITIZE_ADDRESS__
    (void)class;
    return false;
#else
    return class->spare < POOL_SPARE;
#endif
}

static void give(blob_t *blob)
{
    pool_block_t *block = (pool_block_t *)(void *)((char *)blob - offsetof(pool_block_t, blob));
    struct pool_class *class = &block->pool->classes[class_of(blob->size)];
    if (!has_room(class)) {
        free(block);
        return;
    }
    block->next = class->free;
    class->free = block;
    class->spare++;
}

static pool_block_t *take(pool_t *self, uint32_t index)
{
    struct pool_class *class = &self->classes[index];
    pool_block_t *block = class->free;
    if (!block)
        return malloc(sizeof *block + (index + 1) * POOL_STEP);
    class->free = block->next;
    class->spare--;
    return block;
}

static blob_t *copy(pool_t *self, load_t load)
{
    pool_block_t *block = take(self, class_of(load.size));
    if (!block)
        return NULL;
    uint8_t *bytes = (uint8_t *)(block + 1);
    block->pool = self;
    block->blob = (blob_t){.refs = 1, .size = load.size, .data = bytes, .free = give};
    if (load.size)
        memcpy(bytes, load.data, load.size);
    return &block->blob;
}

blob_t *pool_keep(pool_t *self, load_t load)
{
    bool small = load.form == LOAD_HERE && !load.blob && load.size <= POOL_CLASSES * POOL_STEP;
    return small ? copy(self, load) : load_keep(load);
}

void pool_fini(pool_t *self)
{
    for (uint32_t i = 0; i < POOL_CLASSES; i++) {
        for (pool_block_t *block = self->classes[i].free, *next; block; block = next) {
            next = block->next;
            free(block);
        }
    }
    *self = (pool_t){0};
}
