// outbox.h - what waits to leave for one destination: full batches in a line and one open. The core
// appends, the driver takes. Bounded in bytes by its owner.

#ifndef MOBULA_OUTBOX_H
#define MOBULA_OUTBOX_H

#include "batch.h"

typedef struct outbox_item {
    struct outbox_item *next;
    batch_t batch;
    size_t bytes; // of the batch, blobs included; counted in the outbox
} outbox_item_t;

typedef struct outbox {
    outbox_item_t *first, *last; // full ones, oldest first
    batch_t open;
    size_t bytes; // in the full ones
    size_t usual; // size of the last one sent: the next is made so large at once
} outbox_t;

batch_t *outbox_open(outbox_t *self); // the batch to append to, with room for one envelope; NULL: no memory
batch_t *outbox_fresh(outbox_t *self); // an empty one, for an envelope that did not fit in what outbox_open() gave
batch_t *outbox_first(outbox_t *self); // what to send next; NULL: nothing
void outbox_sent(outbox_t *self);      // the first has left
bool outbox_empty(const outbox_t *self);
size_t outbox_bytes(const outbox_t *self);
void outbox_fini(outbox_t *self);

#endif
