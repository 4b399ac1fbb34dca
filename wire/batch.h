// batch.h - one message of many envelopes: frame 0 is envelopes back to back, then 0..16 blob frames.
// batch_t gathers what leaves for one destination; batch_reader_t walks over what came.

#ifndef MOBULA_WIRE_BATCH_H
#define MOBULA_WIRE_BATCH_H

#include "blob.h"
#include "limit.h"
#include "pack.h"

typedef struct batch {
    pack_t pack;                  // frame 0
    blob_t *blobs[MOB_BLOBS_MAX]; // held
    uint32_t blob_count;
    uint32_t count; // envelopes
} batch_t;

#define BATCH_INIT ((batch_t){0})
void batch_fini(batch_t *self);  // drops blobs, frees memory
void batch_clear(batch_t *self); // empty again, memory kept
static inline bool batch_empty(const batch_t *self)
{
    return self->count == 0;
}

// True when it should leave before anything is added: target size reached or blob places used up.
bool batch_full(const batch_t *self);

// Write a payload into the open envelope: inline, or as a blob frame (held).
bool batch_load(batch_t *self, load_t load);

typedef struct batch_reader {
    unpack_t in;          // over frame 0; the token budget is renewed for each envelope
    blob_t *const *blobs; // borrowed; the frames behind frame 0
    uint32_t blob_count;
    bool brief; // the envelope in hand ends before its last field, which may be left out
} batch_reader_t;

batch_reader_t batch_open(const void *frame, size_t size, blob_t *const *blobs, uint32_t blob_count);

#endif
