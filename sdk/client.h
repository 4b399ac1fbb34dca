// client.h - a connection from within: struct mob and what the files of sdk/ ask of each other.
// actors/ sees session.h only. All of it wants the lock held unless it says otherwise.

#ifndef MOBULA_CLIENT_H
#define MOBULA_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>

#include "fetch.h"
#include "foreign.h"
#include "future.h"
#include "hold.h"
#include "io.h"
#include "keeper.h"
#include "link.h"
#include "option.h"
#include "resend.h"
#include "session.h"
#include "stream.h"
#include "symbol.h"
#include "then.h"

enum {
    UNACCEPTED_MAX = 16 * 1024 * 1024, // bytes of requests that the broker has not accepted
    WINDOW_DEFAULT = 10000,            // unsettled calls, until WELCOME says otherwise
    TURN_MESSAGES_MAX = 256, // received in one turn, so that a flood cannot hold up its sender
    BLOCKED_US = 2000,       // the socket takes no more: try again
    FOLLOW_US = 100000,      // another thread drives: look now and then all the same
};

struct mob {
    pthread_mutex_t lock;  // between the user's thread, the keeper, and bodies that share a session
    pthread_cond_t turned; // for those who wait while another thread drives
    bool turning;          // a thread is inside session_go(): it sends what is appended
    bool driving; // a thread waits for the sockets with the lock released: nobody else touches them
    uint32_t followers;

    uint64_t owner, local; // local: how many refs were refused here
    uint64_t seq;          // of the last request
    uint64_t answered;     // the highest that has an outcome of a broker
    session_role_t role;
    mob_config_t config; // texts are ours
    char *texts;         // one block with the texts of config
    uint32_t window;
    bool closing;        // mob_close() began
    voice_t own, *voice; // voice: of the thread that has the lock
    voice_t **voices;    // by number, own is the first; NULL: there is no other
    uint32_t voice_count;
    int64_t next_at;   // when the next turn has something to do
    int64_t now;       // when the turn began: good enough for what needs no more
    int64_t polled_at; // the last poll was then or later
    void *guest;
    void (*guest_end)(void *guest);

    batch_t out;                  // the open batch
    uint64_t out_first, out_last; // seqs in it; 0: no request
    uint64_t out_run, out_until; // they stand in front of request out_until, from out_run on; 0: no
    bool out_bound;              // with an answer that goes again with them
    bool out_keep;               // worth keeping although there is no connection
    mob_writer_t writer;         // arguments of the call in the making
    futures_t futures;
    fetches_t fetches;
    holds_t holds;
    queue_t queue;
    symbols_t symbols; // ours
    texts_t heard;     // the broker's
    link_t link;
    io_t io;
    thens_t thens;
    keeper_t keeper;
    int wake; // eventfd: a waiting thread ends its turn
    atomic_bool interrupted;
    struct {
        const mob_ref_t *refs; // the array as it was left
        size_t count, at;      // at: where it found one
        uint32_t came;         // number of that
    } take;                    // the last mob_take()
};

// ---- The open batch (session.c) -----------------------------------------------------------------

batch_t *session_room(mob_t *self); // as session_out(), without waking anybody: for the library's own
void session_requested(mob_t *self,
                       uint32_t count); // one was appended that takes the next count numbers
void session_appended(mob_t *self);     // something new waits to leave: the keeper must know
void session_post(mob_t *self);         // close the open batch and send what can be sent
void session_shelve(mob_t *self);       // close it and put it in line
mob_err_t session_go(mob_t *self, int64_t until_us,
                     bool keeper); // session_turn() for both kinds of threads

// ---- What came (heard.c) ------------------------------------------------------------------------

void heard_calls(mob_t *self, const arrival_t *arrival);   // a message of the calls socket
void heard_notices(mob_t *self, const arrival_t *arrival); // of the notices socket
void heard_settle(mob_t *self, future_t *future, mob_err_t err, load_t load, blob_t *frame);
void heard_fail(mob_t *self, future_t *future, const failure_t *failure); // settle here
void heard_fail_all(mob_t *self,
                    const failure_t *failure); // the session is over: what is pending fails

// A payload that was fetched is whole; NULL: it is not to be had, and why.
void heard_payload(mob_t *self, mob_ref_t ref, uint32_t part, blob_t *blob, mob_err_t why);
// Whether its value can be read. One that is too large to have come along is on its way from now on.
bool heard_value(mob_t *self, future_t *future);

// ---- Waiting (await.c) --------------------------------------------------------------------------

// The future of ref, made known to the broker if it is another session's. NULL: ours and gone, or
// no memory.
future_t *future_known(mob_t *self, mob_ref_t ref);

typedef struct waiter { // one wait of the public interface
    mob_t *self;
    int64_t until; // clock_us
    bool bounded;  // by the body's deadline rather than the caller's
    bool looked, told;
} waiter_t;

waiter_t wait_begin(mob_t *self, int timeout_ms);
mob_err_t wait_more(waiter_t *waiter); // one turn; MOB_OK: look again, else why the wait is over
void wait_end(waiter_t *waiter);

// A failed ref for what was refused here; never sent.
mob_ref_t call_refused(mob_t *self, const failure_t *failure);

#endif
