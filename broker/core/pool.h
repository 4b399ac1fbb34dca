// pool.h - where the core keeps small payloads. Each call brings two of them, its arguments and its value; a block that was
// freed is the next one given, which malloc() does for few of them only.

#ifndef MOBULA_CORE_POOL_H
#define MOBULA_CORE_POOL_H

#include "blob.h"

enum {
    POOL_STEP = 16,    // bytes by which the classes grow
    POOL_CLASSES = 16, // larger payloads are malloc()'s
    POOL_SPARE = 2048  // blocks of a class that are kept free; the others go back to malloc()
};

typedef struct pool_block pool_block_t;

typedef struct pool {
    struct pool_class {
        pool_block_t *free;
        uint32_t spare; // how many these are
    } classes[POOL_CLASSES];
} pool_t; // all zero: empty

// As load_keep(). What comes from the pool must be dropped before pool_fini().
blob_t *pool_keep(pool_t *self, load_t load);
void pool_fini(pool_t *self);

#endif
