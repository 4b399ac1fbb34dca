// mailbox.h - the waiting calls of one actor: in its lanes, in order for each caller, bounded.

#ifndef MOBULA_MAILBOX_H
#define MOBULA_MAILBOX_H

#include "state.h"

bool mailbox_full(const actor_t *actor);
bool mailbox_full_for(const actor_t *actor, const session_t *caller); // by max_pending
void mailbox_admit(core_t *core, actor_t *actor, call_t *call);       // a new call takes its place
void mailbox_add(core_t *core, actor_t *actor, call_t *call);         // its arguments are there
void mailbox_add_first(core_t *core, actor_t *actor,
                       call_t *call); // back from a worker: before all others
void mailbox_left(core_t *core, actor_t *actor, call_t *call); // leased, or ended without running
void mailbox_pump(core_t *core, actor_t *actor);               // send what the worker has room for

// The actor's own lanes, else those of its class; the lane that a call wishes, or its method. False: there is no such.
void mailbox_set_lanes(core_t *core, actor_t *actor, mob_bytes_t own);
bool mailbox_choose(const core_t *core, const actor_t *actor, call_t *call);
void mailbox_refuse_lane(core_t *core, const actor_t *actor, call_t *call);
void mailbox_sort(core_t *core, actor_t *actor); // its lanes are known now: each call into its own
lane_t *mailbox_lane(actor_t *actor, const call_t *call);
const char *mailbox_lane_wished(const core_t *core, const actor_t *actor,
                                const call_t *call);            // "": main
bool mailbox_is_late(const actor_t *actor, const call_t *call); // behind one whose arguments are late

// End every waiting call; keep: leave those that may be retried.
void mailbox_fail(core_t *core, actor_t *actor, bool keep_retryable, mob_err_t err, const char *why,
                  const char *reason);

#endif
