// io.h - the sockets of one connection: a DEALER for calls, a SUB for notices, and a monitor on the DEALER
// that says at once when the connection is made or lost. Moves whole messages, reads none of them.

#ifndef MOBULA_IO_H
#define MOBULA_IO_H

#include <poll.h>
#include <zmq.h>

#include "blob.h"
#include "endpoint.h"
#include "limit.h"
#include "mobula/types.h"
#include "wait.h"

enum {
    PARCEL_FRAMES = 1 + MOB_BLOBS_MAX,
    IO_RECONNECT_US = 100 * 1000, // from the end of a connection to the next one, at least
    // Together less than server/rejoin: who lives on must be back before a new broker declares losses.
    IO_RECONNECT_MAX_US = 1000 * 1000,
    IO_CONNECT_US = 1500 * 1000, // one attempt; the system's own grow to minutes where nothing answers
};
enum io_socket { IO_CALLS, IO_NOTICES, IO_MONITOR, IO_SOCKETS };

// A message to send, and to keep until it is accepted.
typedef struct parcel {
    struct parcel *next;
    uint64_t first, last; // seqs of its requests; 0: it has none
    uint64_t run, until; // what it has in front of request until begins at run; 0: it is for itself
    size_t bytes;
    bool sent;  // has left at least once
    bool bound; // has an answer that is said again with the requests beside it
    uint32_t count;
    zmq_msg_t frames[];
} parcel_t;

parcel_t *parcel_new(const void *frame, size_t size, blob_t *const *blobs,
                     uint32_t blob_count); // NULL: no memory
void parcel_free(parcel_t **self_p);

// A frame that came: counted, so that values stay views into it.
typedef struct frame {
    blob_t blob; // first: blob_drop() leads back here
    zmq_msg_t message;
    struct frame *next;
    struct io *home;
} frame_t;

typedef struct arrival { // a message that came; the topic of a notice is not among the frames
    blob_t *frames[PARCEL_FRAMES];
    uint32_t count;
    bool whole; // false: more frames than allowed, the rest was thrown away
} arrival_t;

typedef enum io_event { IO_NOTHING, IO_CONNECTED, IO_LOST } io_event_t;

typedef struct io {
    void *context, *sockets[IO_SOCKETS];
    wait_mood_t mood;
    struct pollfd polls[IO_SOCKETS + 1]; // the last: whatever else is to wake the one who waits
    bool unread[IO_SOCKETS];             // there may be more: look before waiting
    unsigned opened;                     // names the monitors
    char notices_at[ENDPOINT_MAX];
    uint8_t route[MOB_ROUTE_SIZE], topic[MOB_TOPIC_SIZE];
    frame_t *free;
    uint32_t free_count;
} io_t;

bool io_init(io_t *self, int wake); // context and random names; false: no memory or no descriptors
void io_fini(io_t *self, int linger_ms);
mob_err_t io_open(io_t *self, const char *calls, const char *notices); // closes what was open
void io_close(io_t *self, int linger_ms);
bool io_is_open(const io_t *self);
void io_notices(io_t *self, const char *at);           // the broker named another address
bool io_send(io_t *self, parcel_t *parcel, bool keep); // false: not now; parcel is as before
bool io_receive(io_t *self, enum io_socket socket, arrival_t *out); // false: no more
void arrival_end(arrival_t *self);
io_event_t io_event(io_t *self);
void io_poll(io_t *self, int64_t us); // no lock: touches descriptors only; marks what may be read

#endif
