// parcel.c - see parcel.h. Owns no state.

#include "parcel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Up to here copying into a message is cheaper than handing the buffer over and growing a new one.
enum { COPY_MAX = 1024 };

// ---- Blobs over received frames -----------------------------------------------------------------

typedef struct frame_blob {
    blob_t blob;
    zmq_msg_t message;
} frame_blob_t;

static void frame_blob_free(blob_t *blob)
{
    frame_blob_t *self = (frame_blob_t *)(void *)blob; // blob is the first field
    zmq_msg_close(&self->message);
    free(self);
}

static blob_t *frame_blob_new(zmq_msg_t *frame) // takes what is in frame
{
    frame_blob_t *self = malloc(sizeof *self);
    if (self == NULL)
        return NULL;
    zmq_msg_init(&self->message);
    zmq_msg_move(&self->message, frame);
    self->blob = (blob_t){.refs = 1,
                          .size = (uint32_t)zmq_msg_size(&self->message), // at most MOB_FRAME_MAX
                          .data = zmq_msg_data(&self->message),
                          .free = frame_blob_free};
    return &self->blob;
}

// ---- In -----------------------------------------------------------------------------------------

static bool receive_frame(void *socket, zmq_msg_t *frame)
{
    int rc;
    do
        rc = zmq_msg_recv(frame, socket, ZMQ_DONTWAIT);
    while (rc == -1 && errno == EINTR);
    return rc != -1;
}

static bool receive_route(parcel_t *self, void *socket, bool *more)
{
    zmq_msg_t route;
    zmq_msg_init(&route);
    bool came = receive_frame(socket, &route);
    if (came) {
        *more = zmq_msg_more(&route);
        self->stranger = zmq_msg_size(&route) != MOB_ROUTE_SIZE;
        if (!self->stranger)
            memcpy(self->route, zmq_msg_data(&route), MOB_ROUTE_SIZE);
    }
    zmq_msg_close(&route);
    return came;
}

static bool receive_blob(parcel_t *self, void *socket) // true: more frames follow
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    bool more = receive_frame(socket, &frame) && zmq_msg_more(&frame);
    self->bytes += zmq_msg_size(&frame);
    blob_t *blob = NULL;
    if (zmq_msg_size(&frame) > 0 && self->blob_count < MOB_BLOBS_MAX)
        blob = frame_blob_new(&frame);
    if (blob != NULL)
        self->blobs[self->blob_count++] = blob;
    else
        self->wrong = "FRAMES"; // empty, one too many, or no memory for it: the rest is read and freed
    zmq_msg_close(&frame);
    return more;
}

static void drop_blobs(parcel_t *self)
{
    for (uint32_t i = 0; i < self->blob_count; i++)
        blob_drop(&self->blobs[i]);
    self->blob_count = 0;
}

bool parcel_receive(parcel_t *self, void *socket)
{
    self->blob_count = 0;
    self->wrong = NULL;
    bool more = false;
    if (!receive_route(self, socket, &more))
        return false;

    zmq_msg_init(&self->frame);
    if (more) // libzmq gives a message whole: the rest is there
        more = receive_frame(socket, &self->frame) && zmq_msg_more(&self->frame);
    self->bytes = zmq_msg_size(&self->frame);
    if (self->bytes == 0)
        self->wrong = "FRAMES";
    while (more)
        more = receive_blob(self, socket);
    if (self->wrong != NULL)
        drop_blobs(self);
    return true;
}

void parcel_close(parcel_t *self)
{
    drop_blobs(self);
    zmq_msg_close(&self->frame);
}

// ---- Out ----------------------------------------------------------------------------------------

static void free_buffer(void *data, void *hint) // called by libzmq's thread
{
    (void)hint;
    free(data);
}

static void frame_of_bytes(zmq_msg_t *out, const void *data, size_t size)
{
    if (zmq_msg_init_size(out, size) == 0)
        memcpy(zmq_msg_data(out), data, size);
    else
        zmq_msg_init(out); // no memory: the peer refuses an empty frame, so nothing is misread
}

static void frame_of_pack(zmq_msg_t *out, pack_t *pack)
{
    if (pack->size > COPY_MAX &&
        zmq_msg_init_data(out, pack->data, pack->size, free_buffer, NULL) == 0)
        *pack = PACK_INIT;
    else
        frame_of_bytes(out, pack->data, pack->size);
}

static void frame_of_blob(zmq_msg_t *out, blob_t *blob)
{
    if (blob->free != frame_blob_free) {
        frame_of_bytes(out, blob->data, blob->size);
        return;
    }
    zmq_msg_init(out); // libzmq counts its own references, across its threads
    zmq_msg_copy(out, &((frame_blob_t *)(void *)blob)->message);
}

static void send_frame(void *socket, zmq_msg_t *frame, bool more)
{
    int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
    int rc;
    do
        rc = zmq_msg_send(frame, socket, flags);
    while (rc == -1 && errno == EINTR);
    if (rc == -1)
        zmq_msg_close(frame);
}

static parcel_sent_t send_prefix(void *socket, const uint8_t *prefix)
{
    zmq_msg_t frame;
    zmq_msg_init_size(&frame, MOB_ROUTE_SIZE); // so small that it lives in the zmq_msg_t
    memcpy(zmq_msg_data(&frame), prefix, MOB_ROUTE_SIZE);
    int rc;
    do
        rc = zmq_msg_send(&frame, socket, ZMQ_DONTWAIT | ZMQ_SNDMORE);
    while (rc == -1 && errno == EINTR);
    parcel_sent_t sent = PARCEL_SENT;
    if (rc != -1)
        return sent;
    sent = errno == EAGAIN ? PARCEL_FULL : PARCEL_GONE;
    zmq_msg_close(&frame);
    return sent;
}

parcel_sent_t parcel_send(void *socket, const uint8_t *prefix, batch_t *batch)
{
    // Only the prefix can be refused: behind it a ROUTER takes all frames or loses all (its peer
    // left).
    parcel_sent_t sent = send_prefix(socket, prefix);
    if (sent != PARCEL_SENT)
        return sent;

    zmq_msg_t frame;
    frame_of_pack(&frame, &batch->pack);
    send_frame(socket, &frame, batch->blob_count > 0);
    for (uint32_t i = 0; i < batch->blob_count; i++) {
        frame_of_blob(&frame, batch->blobs[i]);
        send_frame(socket, &frame, i + 1 < batch->blob_count);
    }
    return PARCEL_SENT;
}
