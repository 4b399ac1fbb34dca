// rope.h - a payload in pieces, held as they came: a blob whose bytes are not in one place. Copies nothing.

#ifndef MOBULA_ROPE_H
#define MOBULA_ROPE_H

#include "store.h"

// Takes the pieces, which are part of store; NULL: no memory, and nothing was taken.
blob_t *rope_new(blob_t *const *pieces, uint32_t count, store_t *store);

static inline bool rope_is(const blob_t *blob)
{
    return blob && !blob->data;
}

// The bytes from offset, which is below its size, to the end of the piece where it is; also of a blob that is none.
load_t rope_at(blob_t *self, uint32_t offset);

#endif
