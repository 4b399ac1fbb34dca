// payload.c - see payload.h. Owns the blocks that are free; each block in use is its blob's.

#include "payload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct payload_block {
    union {
        payloads_t *home;      // in use
        payload_block_t *next; // free
    };
    blob_t blob; // the payload behind it
};

static uint32_t class_of(uint32_t size)
{
    return size ? (size - 1) / PAYLOAD_STEP : 0;
}

// Nothing is used again where AddressSanitizer looks for whoever uses what was freed.
static bool has_room(const struct payload_class *class)
{
#ifdef __SANITIZE_ADDRESS__
    (void)class;
    return false;
#else
    return class->spare < PAYLOAD_SPARE;
#endif
}

static void give(blob_t *blob)
{
    payload_block_t *block =
        (payload_block_t *)(void *)((char *)blob - offsetof(payload_block_t, blob));
    struct payload_class *class = &block->home->classes[class_of(blob->size)];
    if (!has_room(class)) {
        free(block);
        return;
    }
    block->next = class->free;
    class->free = block;
    class->spare++;
}

static payload_block_t *take(payloads_t *self, uint32_t index)
{
    struct payload_class *class = &self->classes[index];
    payload_block_t *block = class->free;
    if (!block)
        return malloc(sizeof *block + (index + 1) * PAYLOAD_STEP);
    class->free = block->next;
    class->spare--;
    return block;
}

static blob_t *copy(payloads_t *self, load_t load)
{
    payload_block_t *block = take(self, class_of(load.size));
    if (!block)
        return NULL;
    uint8_t *bytes = (uint8_t *)(block + 1);
    block->home = self;
    block->blob = (blob_t){.refs = 1, .size = load.size, .data = bytes, .free = give};
    if (load.size)
        memcpy(bytes, load.data, load.size);
    return &block->blob;
}

blob_t *payload_keep(payloads_t *self, load_t load)
{
    bool small = load.form == LOAD_HERE && !load.blob && load.size <= PAYLOAD_CLASSES * PAYLOAD_STEP;
    return small ? copy(self, load) : load_keep(load);
}

void payloads_fini(payloads_t *self)
{
    for (uint32_t i = 0; i < PAYLOAD_CLASSES; i++) {
        for (payload_block_t *block = self->classes[i].free, *next; block; block = next) {
            next = block->next;
            free(block);
        }
    }
    *self = (payloads_t){0};
}
