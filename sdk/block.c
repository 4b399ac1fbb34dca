// block.c - see block.h.

#include "block.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct block {
    atomic_uint holders; // whoever lets go last has seen all that others did with the bytes
    size_t size;
    uint8_t *data;
};

typedef struct part {
    blob_t blob; // first: blob_drop() leads back here
    block_t *block;
} part_t;

block_t *block_new(pack_t *pack)
{
    block_t *self = malloc(sizeof *self);
    if (!self)
        return NULL;
    *self = (block_t){.size = pack->size, .data = pack->data};
    atomic_init(&self->holders, 1);
    *pack = PACK_INIT;
    return self;
}

block_t *block_copy(const blob_t *bytes)
{
    pack_t pack = PACK_INIT;
    pack_raw(&pack, bytes->data, bytes->size);
    block_t *self = pack.failed ? NULL : block_new(&pack);
    pack_fini(&pack);
    return self;
}

block_t *block_hold(block_t *self)
{
    atomic_fetch_add_explicit(&self->holders, 1, memory_order_relaxed);
    return self;
}

void block_drop(block_t **self_p)
{
    block_t *self = *self_p;
    *self_p = NULL;
    if (!self || atomic_fetch_sub_explicit(&self->holders, 1, memory_order_acq_rel) > 1)
        return;
    free(self->data);
    free(self);
}

size_t block_size(const block_t *self)
{
    return self->size;
}

static void part_free(blob_t *blob)
{
    part_t *self = (part_t *)(void *)blob;
    block_drop(&self->block);
    free(self);
}

blob_t *block_part(block_t *self, size_t offset, size_t size)
{
    part_t *part = malloc(sizeof *part);
    if (!part)
        return NULL;
    part->blob =
        (blob_t){.refs = 1, .size = (uint32_t)size, .data = self->data + offset, .free = part_free};
    part->block = block_hold(self);
    return &part->blob;
}

static void frame_free(void *data, void *hint) // on libzmq's thread
{
    block_t *block = hint;
    (void)data;
    block_drop(&block);
}

static bool share(zmq_msg_t *frame, const blob_t *blob)
{
    block_t *block = block_hold(((const part_t *)(const void *)blob)->block);
    void *data = (void *)(uintptr_t)blob->data; // libzmq does not write into it
    if (zmq_msg_init_data(frame, data, blob->size, frame_free, block) == 0)
        return true;
    block_drop(&block);
    return false;
}

bool block_frame(zmq_msg_t *frame, const blob_t *blob)
{
    if (blob->free == part_free)
        return share(frame, blob);
    if (zmq_msg_init_size(frame, blob->size) != 0)
        return false;
    memcpy(zmq_msg_data(frame), blob->data, blob->size);
    return true;
}
