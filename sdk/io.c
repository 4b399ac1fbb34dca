// io.c - libzmq's sockets and their options. A descriptor of libzmq tells of news only once: whoever saw it
// must read until there is no more, and so must whoever sent something. unread[] remembers that.

#include "io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "block.h"

enum { FREE_FRAMES_MAX = 64, LINGER_MS = 2000 };

// ---- Parcels ------------------------------------------------------------------------------------

parcel_t *parcel_new(const void *frame, size_t size, blob_t *const *blobs, uint32_t blob_count)
{
    parcel_t *self = malloc(sizeof *self + (1 + blob_count) * sizeof self->frames[0]);
    if (!self)
        return NULL;
    *self = (parcel_t){.bytes = size};
    const blob_t envelopes = {.data = frame, .size = (uint32_t)size};
    bool good = block_frame(&self->frames[self->count], &envelopes);
    self->count += good;
    for (uint32_t i = 0; good && i < blob_count; i++) {
        good = block_frame(&self->frames[self->count], blobs[i]);
        self->count += good;
        self->bytes += blobs[i]->size;
    }
    if (!good)
        parcel_free(&self);
    return self;
}

void parcel_free(parcel_t **self_p)
{
    parcel_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    while (self->count > 0)
        zmq_msg_close(&self->frames[--self->count]);
    free(self);
}

// ---- Opening and closing ------------------------------------------------------------------------

typedef struct setting {
    int option, value;
} setting_t;

static const setting_t BOTH[] = {
    {ZMQ_MAXMSGSIZE, 0}, // 64 bits wide: set by hand
    {ZMQ_RECONNECT_IVL, IO_RECONNECT_US / 1000},
    {ZMQ_RECONNECT_IVL_MAX, IO_RECONNECT_MAX_US / 1000},
    {ZMQ_CONNECT_TIMEOUT, IO_CONNECT_US / 1000},
    {ZMQ_TCP_KEEPALIVE, 1},
    {ZMQ_TCP_KEEPALIVE_IDLE, 10},
    {ZMQ_TCP_KEEPALIVE_INTVL, 3},
    {ZMQ_TCP_KEEPALIVE_CNT, 3},
};
static const setting_t CALLS[] = {{ZMQ_IMMEDIATE, 1}, {ZMQ_LINGER, LINGER_MS}};
static const setting_t NOTICES[] = {{ZMQ_RCVHWM, 1000}, {ZMQ_LINGER, 0}};

static bool apply(void *socket, const setting_t *settings, size_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++)
        if (settings[i].option != ZMQ_MAXMSGSIZE)
            good = good &&
                   zmq_setsockopt(socket, settings[i].option, &settings[i].value, sizeof(int)) == 0;
    return good;
}

static void *open_socket(io_t *self, int type, const setting_t *settings, size_t count)
{
    void *socket = zmq_socket(self->context, type);
    if (!socket)
        return NULL;
    const int64_t frame_max = MOB_FRAME_MAX;
    bool good = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max) == 0 &&
                apply(socket, BOTH, sizeof BOTH / sizeof *BOTH) && apply(socket, settings, count);
    if (good)
        return socket;
    zmq_close(socket);
    return NULL;
}

// Unguessable: a routing id works like a key, and a topic tells what others' calls result in.
static void name_randomly(uint8_t *name, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t got = getrandom(name + have, size - have, 0);
        have += got > 0 ? (size_t)got : 0;
    }
    name[0] |= 1; // libzmq keeps ids that begin with 0 for itself
}

bool io_init(io_t *self, int wake)
{
    *self = (io_t){.context = zmq_ctx_new()};
    for (size_t i = 0; i < IO_SOCKETS; i++)
        self->polls[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    self->polls[IO_SOCKETS] = (struct pollfd){.fd = wake, .events = POLLIN};
    name_randomly(self->route, sizeof self->route);
    name_randomly(self->topic, sizeof self->topic);
    return self->context != NULL;
}

void io_close(io_t *self, int linger_ms)
{
    if (self->sockets[IO_CALLS]) {
        zmq_setsockopt(self->sockets[IO_CALLS], ZMQ_LINGER, &linger_ms, sizeof linger_ms);
        zmq_socket_monitor(self->sockets[IO_CALLS], NULL, 0);
    }
    for (size_t i = 0; i < IO_SOCKETS; i++) {
        if (self->sockets[i])
            zmq_close(self->sockets[i]);
        self->sockets[i] = NULL;
        self->polls[i].fd = -1;
        self->unread[i] = false;
    }
}

static void frames_free(frame_t **list)
{
    for (frame_t *frame; (frame = *list); free(frame))
        *list = frame->next;
}

void io_fini(io_t *self, int linger_ms)
{
    io_close(self, linger_ms);
    if (self->context)
        zmq_ctx_term(self->context);
    self->context = NULL;
    frames_free(&self->free);
}

bool io_is_open(const io_t *self)
{
    return self->sockets[IO_CALLS] != NULL;
}

static bool watch(io_t *self, void *calls)
{
    char name[48];
    snprintf(name, sizeof name, "inproc://monitor-%u", ++self->opened);
    const int linger = 0;
    void *monitor = zmq_socket(self->context, ZMQ_PAIR);
    self->sockets[IO_MONITOR] = monitor;
    return monitor && zmq_setsockopt(monitor, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
           zmq_socket_monitor(calls, name, ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) ==
               0 &&
           zmq_connect(monitor, name) == 0;
}

static bool keep_descriptors(io_t *self)
{
    bool good = true;
    for (size_t i = 0; i < IO_SOCKETS; i++) {
        size_t size = sizeof self->polls[i].fd;
        good = good && zmq_getsockopt(self->sockets[i], ZMQ_FD, &self->polls[i].fd, &size) == 0;
        self->unread[i] = true;
    }
    return good;
}

// The monitor first, so that it cannot miss the connection; the subscription before HELLO can be sent.
mob_err_t io_open(io_t *self, const char *calls_at, const char *notices_at)
{
    io_close(self, 0);
    void *calls = open_socket(self, ZMQ_DEALER, CALLS, sizeof CALLS / sizeof *CALLS);
    void *notices = open_socket(self, ZMQ_SUB, NOTICES, sizeof NOTICES / sizeof *NOTICES);
    self->sockets[IO_CALLS] = calls;
    self->sockets[IO_NOTICES] = notices;
    bool good = calls && notices && watch(self, calls) &&
                zmq_setsockopt(calls, ZMQ_ROUTING_ID, self->route, sizeof self->route) == 0 &&
                zmq_setsockopt(notices, ZMQ_SUBSCRIBE, self->topic, sizeof self->topic) == 0 &&
                zmq_connect(notices, notices_at) == 0 && zmq_connect(calls, calls_at) == 0 &&
                keep_descriptors(self);
    if (!good) {
        io_close(self, 0);
        return MOB_EOFFLINE;
    }
    snprintf(self->notices_at, sizeof self->notices_at, "%s", notices_at);
    return MOB_OK;
}

void io_notices(io_t *self, const char *at)
{
    if (!io_is_open(self) || strcmp(at, self->notices_at) == 0 ||
        strlen(at) >= sizeof self->notices_at)
        return;
    zmq_disconnect(self->sockets[IO_NOTICES], self->notices_at);
    zmq_connect(self->sockets[IO_NOTICES], at); // a bad address: outcomes come by the calls socket
    snprintf(self->notices_at, sizeof self->notices_at, "%s", at);
    self->unread[IO_NOTICES] = true;
}

// ---- Sending ------------------------------------------------------------------------------------

static bool send_frame(io_t *self, zmq_msg_t *frame, bool keep, int more)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    int copied = keep ? zmq_msg_copy(&message, frame) : zmq_msg_move(&message, frame);
    if (copied == 0 && zmq_msg_send(&message, self->sockets[IO_CALLS], more | ZMQ_DONTWAIT) >= 0)
        return true;
    if (copied == 0 && !keep)
        zmq_msg_move(frame, &message);
    zmq_msg_close(&message);
    return false;
}

// Only the first frame can be refused; if the connection ends among the others, libzmq throws the message
// away as if it had been lost on the way, and so it is sent again.
bool io_send(io_t *self, parcel_t *parcel, bool keep)
{
    if (!io_is_open(self))
        return false;
    self->unread[IO_CALLS] = true;
    for (uint32_t i = 0; i < parcel->count; i++)
        if (!send_frame(self, &parcel->frames[i], keep, i + 1 < parcel->count ? ZMQ_SNDMORE : 0) &&
            i == 0)
            return false;
    return parcel->sent = true;
}

// ---- Receiving ----------------------------------------------------------------------------------

static void frame_end(blob_t *blob)
{
    frame_t *self = (frame_t *)blob;
    zmq_msg_close(&self->message);
    if (self->home->free_count >= FREE_FRAMES_MAX) {
        free(self);
        return;
    }
    self->next = self->home->free;
    self->home->free = self;
    self->home->free_count++;
}

static frame_t *frame_new(io_t *self)
{
    frame_t *frame = self->free;
    if (frame) {
        self->free = frame->next;
        self->free_count--;
    } else {
        frame = malloc(sizeof *frame);
    }
    if (!frame)
        return NULL;
    frame->home = self;
    zmq_msg_init(&frame->message);
    return frame;
}

static bool receive_frame(void *socket, frame_t *frame)
{
    int size;
    do
        size = zmq_msg_recv(&frame->message, socket, ZMQ_DONTWAIT);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return false;
    frame->blob = (blob_t){
        .refs = 1, .size = (uint32_t)size, .data = zmq_msg_data(&frame->message), .free = frame_end};
    return true;
}

// One frame into the arrival; false: there was none, or no memory for it.
static bool take_frame(io_t *self, void *socket, arrival_t *out, bool *more)
{
    frame_t *frame = frame_new(self);
    if (!frame)
        return false;
    if (!receive_frame(socket, frame)) {
        frame->blob.free = frame_end;
        frame_end(&frame->blob);
        return false;
    }
    *more = zmq_msg_more(&frame->message);
    blob_t *blob = &frame->blob;
    if (out->count < PARCEL_FRAMES) {
        out->frames[out->count++] = blob;
    } else {
        out->whole = false;
        blob_drop(&blob);
    }
    return true;
}

static void skip_topic(arrival_t *self)
{
    blob_drop(&self->frames[0]);
    memmove(&self->frames[0], &self->frames[1], --self->count * sizeof self->frames[0]);
}

bool io_receive(io_t *self, enum io_socket which, arrival_t *out)
{
    void *socket = self->sockets[which];
    bool more = true, topic = which == IO_NOTICES;
    out->count = 0;
    out->whole = true;
    if (!socket)
        return false;
    while (more && take_frame(self, socket, out, &more))
        if (topic && out->count == 1 && more) {
            skip_topic(out);
            topic = false;
        }
    if (out->count == 0)
        self->unread[which] = false;
    return out->count > 0;
}

void arrival_end(arrival_t *self)
{
    while (self->count > 0)
        blob_drop(&self->frames[--self->count]);
}

// ---- Waiting ------------------------------------------------------------------------------------

// A frame of the monitor: the event's number comes first, the address in a frame of its own.
io_event_t io_event(io_t *self)
{
    zmq_msg_t message;
    uint16_t number = 0;
    void *monitor = self->sockets[IO_MONITOR];
    zmq_msg_init(&message);
    if (!monitor || zmq_msg_recv(&message, monitor, ZMQ_DONTWAIT) < 0) {
        self->unread[IO_MONITOR] = false;
        zmq_msg_close(&message);
        return IO_NOTHING;
    }
    if (zmq_msg_size(&message) >= sizeof number)
        memcpy(&number, zmq_msg_data(&message), sizeof number);
    while (zmq_msg_more(&message) && zmq_msg_recv(&message, monitor, ZMQ_DONTWAIT) >= 0)
        ;
    zmq_msg_close(&message);
    return number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED ? IO_CONNECTED : IO_LOST;
}

void io_poll(io_t *self, int64_t us)
{
    for (size_t i = 0; i <= IO_SOCKETS; i++)
        self->polls[i].revents = 0;
    if (wait_poll(&self->mood, self->polls, IO_SOCKETS + 1, us) <= 0)
        return;
    for (size_t i = 0; i < IO_SOCKETS; i++)
        self->unread[i] = self->unread[i] || self->polls[i].revents;
}
