// worker.h - who runs bodies: a session of role worker and the loop that takes calls from its
// window. The same in a process that a host forked and in a thread of the in-process form. One
// thread runs it, and its team with it (team.h); others may only ask it to drain or to hurry.

#ifndef MOBULA_ACTORS_WORKER_H
#define MOBULA_ACTORS_WORKER_H

#include <pthread.h>

#include "bulk.h"
#include "context.h"
#include "instance.h"
#include "seen.h"
#include "session.h"
#include "team.h"
#include "window.h"

typedef struct worker_config {
    const mob_config_t *client; // endpoint, key and so on; name is the worker's
    offer_t *offer;             // held by the worker
    uint64_t owner, host;
    const char *host_name;
    enum wire_start kind;
} worker_config_t;

typedef struct worker_symbol { // what a symbol of the broker means here
    const offer_def_t *cls;    // of a method; NULL: a task
    const offer_body_t *body;  // NULL: not looked up since WELCOME
} worker_symbol_t;

typedef struct worker {
    mob_t *session;
    offer_t *offer;
    enum wire_start kind;
    uint64_t owner, host;
    window_t window;
    seen_t seen;
    bulk_t bulk; // large answers, which seen does not hold
    instances_t instances;
    worker_symbol_t *symbols; // by symbol
    uint32_t symbol_room;
    context_t context;     // of the thread that serves
    team_t team;           // the other threads, where bodies of one actor run at once
    uint32_t width;        // so many bodies at once, in all lanes
    lanes_t lanes;         // of the actor that lives here, beside the main one
    mob_writer_t owed;     // an answer that was put off
    pthread_t thread;      // that served last
    bool welcomed;         // HELLO was answered once
    bool serving;          // a turn of the loop may wait for the sockets: of thread
    bool blocked;          // BLOCKED was said
    bool owes_args;        // HOLD without arguments was said to a new broker
    bool over;             // leaves as soon as nothing waits
    mob_err_t lost;        // the session is over: why
    atomic_bool drains;    // asked to: from another thread
    atomic_bool hurry;     // bodies see that they are cancelled; nothing hangs on the order
    atomic_bool abandoned; // the broker goes on without it; likewise
} worker_t;

// Makes the session: it connects from now on. NULL: no memory.
worker_t *worker_new(const worker_config_t *config);
// Until the broker stops it, its actor ends, it is drained, or its session is lost: why.
mob_err_t worker_serve(worker_t *self);
void worker_destroy(worker_t **self_p); // BYE, flush, free

// With the session's lock: there is something for the loop to do, or for it to send.
void worker_wake(worker_t *self);
// Likewise: that actor ends behind what is in hand.
void worker_end(worker_t *self, mob_ref_t actor);

// With the session's lock: asked to leave; what waits is run before.
bool worker_drains(worker_t *self);

// Any thread. No more calls: run what waits, run fini, leave.
void worker_drain(worker_t *self);
// Any thread. What runs sees mob_cancelled(); what waits is not run.
void worker_hurry(worker_t *self);
// Any thread. Likewise, and nobody waits for its answers any more.
void worker_abandon(worker_t *self);

#endif
