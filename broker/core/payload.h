// payload.h - where the core keeps small payloads. Each call brings two of them, its arguments and its value; a block that was
// freed is the next one given, which malloc() does for few of them only.

#ifndef MOBULA_CORE_PAYLOAD_H
#define MOBULA_CORE_PAYLOAD_H

#include "blob.h"

enum {
    PAYLOAD_STEP = 16,    // bytes by which the classes grow
    PAYLOAD_CLASSES = 16, // larger payloads are malloc()'s
    PAYLOAD_SPARE = 2048  // blocks of a class that are kept free; the others go back to malloc()
};

typedef struct payload_block payload_block_t;

typedef struct payloads {
    struct payload_class {
        payload_block_t *free;
        uint32_t spare; // how many these are
    } classes[PAYLOAD_CLASSES];
} payloads_t; // all zero: empty

// As load_keep(). What they give must be dropped before payloads_fini().
blob_t *payload_keep(payloads_t *self, load_t load);
void payloads_fini(payloads_t *self);

#endif
