// block.h - the bytes of one large payload, shared by all that needs them: frames on their way, the future of
// who stored it, the answer of a worker that may have to be said again. libzmq's thread lets go of its share, too.

#ifndef MOBULA_BLOCK_H
#define MOBULA_BLOCK_H

#include <zmq.h>

#include "blob.h"
#include "pack.h"

typedef struct block block_t;

block_t *block_new(pack_t *pack); // takes what was written; NULL: no memory, and pack is as it was
block_t *block_copy(const blob_t *bytes); // NULL: no memory
block_t *block_hold(block_t *self);
void block_drop(block_t **self_p); // NULL inside is fine
size_t block_size(const block_t *self);

// A blob that is a part of it; NULL: no memory.
blob_t *block_part(block_t *self, size_t offset, size_t size);

// A frame of the bytes of a blob, without a copy where they are part of a block. False: no memory.
bool block_frame(zmq_msg_t *frame, const blob_t *blob);

#endif
