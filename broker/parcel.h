// parcel.h - one message as ZeroMQ frames: the prefix (routing id or topic), frame 0, blob frames.
// Frames become blobs and back without a copy. Never looks inside frame 0.

#ifndef MOBULA_PARCEL_H
#define MOBULA_PARCEL_H

#include <zmq.h>

#include "batch.h"

typedef struct parcel {
    uint8_t route[MOB_ROUTE_SIZE];
    zmq_msg_t frame; // frame 0
    blob_t *blobs[MOB_BLOBS_MAX];
    uint32_t blob_count;
    const char *wrong; // NULL, or why it is refused: "FRAMES"; frame and blobs are empty then
    bool stranger;     // its routing id has another size than ours: route is void
    size_t bytes;
} parcel_t;

bool parcel_receive(parcel_t *self, void *socket); // false: nothing there, nothing to close
void parcel_close(parcel_t *self);

typedef enum parcel_sent {
    PARCEL_SENT,
    PARCEL_FULL, // its queue is full: the batch is whole, try again later
    PARCEL_GONE  // no connection has that prefix: the batch is whole
} parcel_sent_t;

// Send a batch behind a prefix of 16 bytes, never waiting. When sent, the batch's memory may have
// gone with it: clear it.
parcel_sent_t parcel_send(void *socket, const uint8_t *prefix, batch_t *batch);

#endif
