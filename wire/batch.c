// batch.c - many envelopes in one message. Owns the bytes of frame 0 and holds on the blob frames.

#include "batch.h"

static void drop_blobs(batch_t *self)
{
    while (self->blob_count > 0)
        blob_drop(&self->blobs[--self->blob_count]);
}

void batch_fini(batch_t *self)
{
    drop_blobs(self);
    pack_fini(&self->pack);
    self->count = 0;
}

void batch_clear(batch_t *self)
{
    drop_blobs(self);
    self->pack.size = 0;
    self->pack.failed = false;
    self->count = 0;
}

bool batch_full(const batch_t *self)
{
    return self->pack.size >= MOB_BATCH_TARGET || self->blob_count == MOB_BLOBS_MAX;
}

bool batch_load(batch_t *self, load_t load)
{
    if (load.form != LOAD_HERE)
        return false;
    if (load.size <= MOB_INLINE_MAX) {
        pack_bin(&self->pack, load.data, load.size);
        return !self->pack.failed;
    }
    if (load.size > MOB_BLOB_MAX || self->blob_count == MOB_BLOBS_MAX)
        return false;
    blob_t *blob = load_keep(load);
    if (!blob)
        return false;
    pack_u64(&self->pack, self->blob_count);
    self->blobs[self->blob_count++] = blob;
    return !self->pack.failed;
}

batch_reader_t batch_open(const void *frame, size_t size, blob_t *const *blobs, uint32_t blob_count)
{
    return (batch_reader_t){.in = unpack_of(frame, size), .blobs = blobs, .blob_count = blob_count};
}
