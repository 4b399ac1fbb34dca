// worker.h - hosts and the processes that they start; what is in a worker's hand.

#ifndef MOBULA_WORKER_H_CORE
#define MOBULA_WORKER_H_CORE

#include "state.h"

enum {
    WINDOW_TASK = 2,
    WINDOW_ACTOR = 16,
    WINDOW_MAX = 4096,
    WINDOW_TASK_US = 2000,
    WINDOW_ACTOR_US = 6000,
    SLOW_US = 5000
};

// ---- Hosts --------------------------------------------------------------------------------------
host_t *host_new(core_t *core, session_t *session);
void host_offer(core_t *core, host_t *host, const msg_offer_t *offer);
void host_method(core_t *core, host_t *host, const msg_method_t *method);
void host_open(core_t *core, host_t *host, const msg_open_t *open);
bool host_offers(const host_t *host, const def_t *def);
void host_retire(core_t *core, host_t *host); // it drains: nothing new, and an end behind what it has
void host_lost(core_t *core, host_t *host, enum wire_cause cause);
void host_ended(core_t *core, host_t *host, const msg_ended_t *ended); // one of its workers ended
void host_timer(core_t *core, host_t *host);

// ---- Workers ------------------------------------------------------------------------------------
worker_t *worker_start(core_t *core, host_t *host,
                       enum wire_start kind); // asks the host; NULL: no memory, or at its limit
worker_t *worker_find(const core_t *core, uint64_t owner);
worker_t *worker_adopt(core_t *core, session_t *session,
                       uint64_t host); // said HELLO and we do not know it: it is older than we are
void worker_joined(core_t *core, worker_t *worker, session_t *session,
                   bool blank); // blank: it never heard WELCOME
void worker_share(core_t *core,
                  worker_t *worker); // once a turn: its actors take what room there is in turn
void worker_holds_actors(core_t *core, worker_t *worker);      // adopted: now we know what it is
bool worker_ready(const worker_t *worker);                     // may be sent work
bool worker_has_room(const worker_t *worker);                  // by its window
void worker_run(core_t *core, worker_t *worker, call_t *call); // READY call into its hand: RUN
void worker_cancel(core_t *core, const call_t *call);          // CANCEL with the call's flags
void worker_begun(core_t *core, worker_t *worker, const msg_begun_t *begun);
void worker_untake(core_t *core, call_t *call);      // out of its hand
void worker_beat(core_t *core);                      // once a heartbeat: those that did not obey
void worker_emptied(core_t *core, worker_t *worker); // nothing is in its hand any more
void worker_kill(core_t *core, worker_t *worker);
void worker_stop(core_t *core, worker_t *worker, mob_ref_t actor); // drain: actor, or all of it
void worker_lost(core_t *core, worker_t *worker, enum wire_cause cause, uint32_t pid,
                 uint32_t status, mob_bytes_t log);
bool worker_say_run(core_t *core, worker_t *worker,
                    call_t *call); // false: it fits into no message, however empty
void worker_take(core_t *core, worker_t *worker, call_t *call); // into its hand
void worker_rate(core_t *core, worker_t *worker);               // one result more
void worker_go_on(core_t *core, worker_t *worker);              // its actors may have work for it
void worker_go_on_with(core_t *core, worker_t *worker, actor_t *actor);
actor_t *worker_makes(const worker_t *worker,
                      const call_t *call); // whose constructor it runs by this call
void worker_place(const core_t *core, const worker_t *worker, failure_t *failure); // where it failed
void worker_give(core_t *core, worker_t *worker, refs_t refs);
void worker_blocked(core_t *core, worker_t *worker, refs_t refs);
void worker_resumed(core_t *core, worker_t *worker);

#endif
