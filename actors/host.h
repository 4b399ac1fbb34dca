// host.h - a program that offers bodies: a session of role host that announces them, starts workers
// when the broker says so, and tells how each one ended. Runs no body. The same for processes and
// for threads: how a worker is started is a table of functions. A thread of its own turns the
// session.

#ifndef MOBULA_ACTORS_HOST_H
#define MOBULA_ACTORS_HOST_H

#include <pthread.h>

#include "offer.h"
#include "option.h"
#include "session.h"

typedef struct host_means { // how workers come and go; each may be called from any thread
    bool (*start)(void *arg, uint64_t worker, enum wire_start kind);
    bool (*kill)(void *arg, uint64_t worker); // 0: all; true: nothing more will be heard of it
    void (*drain)(void *arg,
                  bool hurry); // all: finish what there is; hurry: what runs shall come home
    void *arg;
} host_means_t;

typedef enum host_stage { // of the way down
    HOST_SERVES,
    HOST_DRAINS,  // workers finish what they have
    HOST_HURRIES, // time is over: bodies see that they are cancelled
    HOST_KILLS,   // and are ended
    HOST_OVER     // no worker is left, or nothing helps
} host_stage_t;

typedef struct host_worker {
    uint64_t owner;
    enum wire_start kind;
} host_worker_t;

typedef struct host {
    mob_t *session;
    offer_t *offer;
    host_means_t means;
    uint32_t slots, procs;
    char name[MOB_NAME_MAX + 1];
    char labels[MOB_TEXT_MAX + 1], resources[OPTION_TEXT]; // as OPEN has them
    pthread_mutex_t lock; // of what follows; taken after the session's
    int changed;          // eventfd: something below is new
    pthread_t thread;     // turns the session
    bool threaded, closing;
    mob_err_t lost;       // why the session is over; MOB_OK: it is not
    bool offers;          // may announce
    bool welcomed, asked; // asked: the broker wants this host to drain
    host_stage_t stage;
    int64_t stage_until;
    int64_t tell_at; // DRAINS: when workers are told by us, if the broker does not; INT64_MAX: they
                     // were
    bool late;       // a body did not come home, and was ended
    host_worker_t *workers;
    size_t count, room;
} host_t;

typedef struct host_config {
    const mob_config_t *client; // for the session; its name is the host's
    offer_t *offer;             // held
    uint64_t owner;             // 0: a random one
    host_means_t means;
    uint32_t slots, procs; // procs 0: the default
} host_config_t;

// Connects, announces nothing yet. What client says of resources and labels is announced, too, and must be good:
// option_of_host(). NULL: no memory.
host_t *host_make(const host_config_t *config);
bool host_begin(host_t *self);      // announce, and turn the session in a thread. False: no thread
void host_destroy(host_t **self_p); // BYE. No worker may be left

// A worker ended. Any thread, no lock held.
typedef struct host_end {
    uint64_t worker;
    enum wire_cause cause;
    int pid, status;
    const char *log;
    size_t log_size;
} host_end_t;
void host_reaped(host_t *self, const host_end_t *end);

// The way down, in steps: begin once, then step whenever a worker ended or the time given has come.
void host_drain(host_t *self, int drain_ms);
host_stage_t host_step(host_t *self, int64_t now, int64_t *again_at);
void host_now(host_t *self); // a second signal: skip what is left of the way

typedef struct host_view { // how it stands
    host_stage_t stage;
    mob_err_t lost; // why the session is over; MOB_OK: it is not
    bool welcomed, asked, late;
} host_view_t;
host_view_t host_look(host_t *self);

// Readable since something changed; host_heard() makes it quiet again, before one looks.
static inline int host_fd(const host_t *self)
{
    return self->changed;
}
void host_heard(host_t *self);

#endif
