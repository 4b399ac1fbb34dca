// session.h - one connection from the inside: what sdk/ and actors/ share. Everything here wants
// the session's lock held unless it says otherwise; public functions of mobula.h take it
// themselves.
//
// The calling thread drives the sockets while it is in the library; keeper.c's thread does the same
// by the same function, session_turn(), when the lock is free: flush after 1 ms, heartbeats, ASK,
// reconnect.

#ifndef MOBULA_SESSION_H
#define MOBULA_SESSION_H

#include <pthread.h>
#include <stdint.h>

#include "block.h"
#include "failure.h"
#include "message.h"
#include "mobula/mobula.h"

typedef struct session_hooks { // NULL members are skipped
    // A verb that the caller's side does not know: START KILL RUN MAKE CANCEL STOP TAKEN. Views die
    // on return. RUN and MAKE of a lower epoch do not come here, and before WELCOME nothing but TAKEN.
    void (*message)(mob_t *self, void *arg, const message_t *message);
    // What session_fetch() asked for is here; NULL: it is not to be had, and why.
    void (*fetched)(mob_t *self, void *arg, mob_ref_t ref, uint32_t part, blob_t *blob,
                    mob_err_t why);
    // WELCOME came. Append what the broker must know first (OFFER..., HOLD, HAVE). fresh: it knows
    // nothing of us (first time, or a new epoch).
    void (*welcome)(mob_t *self, void *arg, bool fresh);
    // The calling thread is about to sleep for a future (true), and goes on (false): BLOCKED,
    // RESUMED.
    void (*waits)(mob_t *self, void *arg, bool begin);
    // End of a turn, whichever thread drove it: a place for rules of time. Gives when to be called
    // next (clock_us), INT64_MAX for never.
    int64_t (*turned)(mob_t *self, void *arg, int64_t now);
    // A wait of a body must end: gives MOB_ECANCELLED, else MOB_OK.
    mob_err_t (*stops)(mob_t *self, void *arg);
    // The session is over for good, GOODBYE with this code: nothing is sent or received any more.
    void (*over)(mob_t *self, void *arg, mob_err_t err);
} session_hooks_t;

// One thread's part of a session: whose body runs there, and what that holds. A session has one; bodies
// of an actor that run at once share it, and each of their threads has its own, by session_speak().
typedef struct voice {
    mob_t *session;
    mob_ref_t parent;               // of what is submitted now
    mob_ref_t failed;               // the last failure that a wait gave
    mob_ref_t actor;                // whose the callbacks are that are given now; none: nobody's
    int64_t deadline;               // of the running body
    struct future *newest, *oldest; // its line of holds, by serial
    uint64_t mark;                  // of the running body; UINT64_MAX: none runs
    uint32_t number;
    void *arg; // actors/: the context of the body
} voice_t;

typedef struct session_role {
    enum wire_role role;
    uint64_t owner; // 0: a random one; a worker is given its own by START
    uint64_t host;  // a worker's host
    const session_hooks_t *hooks;
    void *arg;
} session_role_t;

// NULL: no memory. No lock needed; the keeper may call hooks before this returns.
mob_t *session_new(const mob_config_t *config, const session_role_t *role);
void session_close(mob_t **self_p, int linger_ms); // as mob_close(). No lock needed.
void session_lock(mob_t *self);
void session_unlock(mob_t *self);
bool session_speak(mob_t *self,
                   voice_t *voice); // this thread, from now on; voice lives as long as it. False: no memory
voice_t *session_voice(const mob_t *self);             // of this thread
void session_rest(mob_t *self, pthread_cond_t *until); // the lock is released meanwhile

// The open batch, with room for one more envelope (a full one is sent first). What is appended
// leaves when the thread is about to wait, when the batch is full, or after 1 ms.
batch_t *session_out(mob_t *self);
void session_flush(mob_t *self);

// One turn: flush, wait for input until until_us (0: do not wait) with the lock released, receive
// all there is, settle, obey timers. Gives MOB_EINTERRUPTED after mob_interrupt().
mob_err_t session_turn(mob_t *self, int64_t until_us);

// Of a RUN or MAKE: arguments and dependencies that were too large to come along. False: no memory.
bool session_fetch(mob_t *self, mob_ref_t ref, uint32_t part, uint32_t size);
void session_unfetch(mob_t *self, mob_ref_t ref); // nobody needs them any more

// Something that is no request, of payloads in pieces: written into the message of the last piece of each, to
// arrive and to be said again with it.
typedef struct session_answer {
    block_t *block;
    const uint32_t *ends; // of each payload in block
    uint32_t count;
    bool (*write)(batch_t *batch, const void *arg, uint32_t index, load_t payload);
    const void *arg;
} session_answer_t;

uint64_t session_answer(mob_t *self,
                        const session_answer_t *answer); // seq of its last piece; 0: no memory
uint64_t session_accepted(const mob_t *self);            // highest seq that the broker accepted
bool session_is_full(const mob_t *self); // it has not accepted as much as may wait for that

// A wait of the running body that mob_interrupt() does not end: until it is over, or the body must end.
mob_err_t session_wait(mob_t *self, bool (*over)(void *arg), void *arg);

// For actors/: the callbacks that are due, between bodies. Of an actor that ends: also those that wait.
bool session_is_due(const mob_t *self);
bool session_step(mob_t *self); // gives whether there are more by now
void session_end_thens(mob_t *self, mob_ref_t actor);

uint64_t session_owner(const mob_t *self);
void *session_worker(const mob_t *self); // of a worker's session: the arg of its hooks; else NULL. No lock.
uint64_t session_epoch(const mob_t *self); // 0: never welcomed
const char *session_name(const mob_t *self);
const char *session_text(mob_t *self,
                         uint32_t symbol); // what NAME from the broker bound; NULL: unknown
void session_set_parent(mob_t *self,
                        mob_ref_t call); // the running call: parent of what is submitted now
void session_set_deadline(mob_t *self,
                          int64_t at_us); // nested calls and waits end by it; INT64_MAX: none

// The last failed ref that a wait of this session returned: the cause of what a body hands on. May
// be none.
mob_ref_t session_failed(const mob_t *self);
const failure_t *session_failure(const mob_t *self); // its record; NULL: it is pending, or not held
void session_set_failed(mob_t *self, mob_ref_t ref); // none: around each body

// For actors/: mob_mark() and mob_release() with the lock held already (around each body).
uint64_t session_mark(mob_t *self);
void session_release(mob_t *self, uint64_t mark);
// For actors/: what bodies have kept and no answer has told yet, valid until the next mob_keep(); told: the answer left.
load_t session_kept(mob_t *self);
load_t session_kept_all(mob_t *self); // likewise, with those that were told before
void session_kept_told(mob_t *self);
// Refs went with an answer of this number, so that it must have arrived before they are dropped; all up to taken have.
void session_answered(mob_t *self, uint64_t answer);
void session_answers_taken(mob_t *self, uint64_t taken);
// A thread that waits in session_turn() ends its turn, as if something had come. Any thread; no
// lock.
void session_wake(mob_t *self);
// The configuration in force: texts live as long as the session. No lock.
const mob_config_t *session_config(const mob_t *self);
// What mob_offer_defs() hangs on a client's session: session_close() calls end(guest) first, no
// lock held.
void session_set_guest(mob_t *self, void *guest, void (*end)(void *guest));
void *session_guest(const mob_t *self);

#endif
