// outbox.c - batches that wait to leave for one destination. Owns them and their bytes; never
// sends. The driver may take the memory out of the batch that outbox_first() gave: it travels
// without a copy.

#include "outbox.h"

#include <stdlib.h>

enum { GROW_MIN = 1024 }; // smaller ones grow cheaply by themselves

static size_t batch_bytes(const batch_t *batch)
{
    size_t bytes = batch->pack.size;
    for (uint32_t i = 0; i < batch->blob_count; i++)
        bytes += batch->blobs[i]->size;
    return bytes;
}

static bool line_up(outbox_t *self) // the open batch becomes the last of the full ones
{
    outbox_item_t *item = malloc(sizeof *item);
    if (item == NULL)
        return false;
    *item = (outbox_item_t){.batch = self->open, .bytes = batch_bytes(&self->open)};
    if (self->last == NULL)
        self->first = item;
    else
        self->last->next = item;
    self->last = item;
    self->bytes += item->bytes;
    self->usual = item->batch.pack.room;
    self->open = BATCH_INIT;
    return true;
}

batch_t *outbox_open(outbox_t *self)
{
    if (batch_full(&self->open) && !line_up(self))
        return NULL;
    if (self->open.pack.room == 0 && self->usual > GROW_MIN)
        pack_reserve(&self->open.pack, self->usual);
    return &self->open;
}

batch_t *outbox_fresh(outbox_t *self)
{
    if (!batch_empty(&self->open) && !line_up(self))
        return NULL;
    return &self->open;
}

batch_t *outbox_first(outbox_t *self)
{
    if (self->first != NULL)
        return &self->first->batch;
    if (batch_empty(&self->open))
        return NULL;
    self->usual = self->open.pack.size + self->open.pack.size / 8;
    return &self->open;
}

static void drop_first(outbox_t *self)
{
    outbox_item_t *item = self->first;
    self->first = item->next;
    if (self->first == NULL)
        self->last = NULL;
    self->bytes -= item->bytes;
    batch_fini(&item->batch);
    free(item);
}

void outbox_sent(outbox_t *self)
{
    if (self->first != NULL)
        drop_first(self);
    else
        batch_clear(&self->open);
}

bool outbox_empty(const outbox_t *self)
{
    return self->first == NULL && batch_empty(&self->open);
}

size_t outbox_bytes(const outbox_t *self)
{
    return self->bytes + batch_bytes(&self->open);
}

void outbox_fini(outbox_t *self)
{
    while (self->first != NULL)
        drop_first(self);
    batch_fini(&self->open);
    *self = (outbox_t){0};
}
