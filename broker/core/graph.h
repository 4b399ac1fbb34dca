// graph.h - which calls and sessions wait for which refs.

#ifndef MOBULA_GRAPH_H
#define MOBULA_GRAPH_H

#include "state.h"

// Take the dependencies of a new call, those said ahead of it first: fills call->extra and call->missing.
// MOB_OK; MOB_ELIMIT, MOB_ENOMEM, MOB_EDEP when one has failed or is gone (*failed tells which; {0,0} none).
mob_err_t graph_add(core_t *core, call_t *call, refs_t ahead, refs_t deps, mob_ref_t *failed);

// A session wants to be told when call settles. False: no memory.
// waiter gets the outcome of call, whatever it is. False: no memory.
bool graph_share(call_t *call, call_t *waiter);
bool graph_watch(core_t *core, call_t *call, session_t *session);

// call has settled and its record may go away: tell all who wait, in the order in which they came. Chains of
// any length: who settles meanwhile is queued, not recursed into.
void graph_wake(core_t *core, call_t *call);
void graph_unwatch(call_t *call, const session_t *session);
void graph_fini(call_t *call); // nobody needs to be told: the core goes down

#endif
