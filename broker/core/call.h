// call.h - the life of a call: a table of moves.

#ifndef MOBULA_CALL_H
#define MOBULA_CALL_H

#include "state.h"

typedef enum call_event {
    CALL_ARGUED,  // its arguments and its target are there
    CALL_PUT_OFF, // they are, but its time has not come
    CALL_DUE,     // its time has come
    CALL_LEASED,  // a worker takes it
    CALL_GIVEN,   // the worker gave it back, not begun
    CALL_RETRY,   // the run was lost or failed and there are retries left
    CALL_ENDED,   // an outcome
    CALL_EVENTS
} call_event_t;

// A new record, in the tables of core and owner. NULL: no memory.
call_t *call_new(core_t *core, session_t *owner, mob_ref_t id, call_kind_t kind);
void call_free(core_t *core, call_t *call);    // out of every table
void call_own(call_t *call, session_t *owner); // among what it owns
void call_disown(call_t *call);                // it has no owner from now on
call_t *call_find(const core_t *core, mob_ref_t ref);
// Walk over all, those of nobody, too, whatever ends or is freed meanwhile: *at begins with 0; NULL: no more.
call_t *call_next(const core_t *core, uint32_t *at);

// Act on each call of a session that is wanted. What ends one may end and free others, so they are named in between;
// what was acted on must not be wanted any more.
void call_each(core_t *core, const session_t *session, bool (*wants)(const call_t *, const void *),
               void (*act)(core_t *, call_t *, const void *), const void *arg);
call_extra_t *call_extra(call_t *call); // made when first asked for; NULL: no memory

// Make the move; false when the table has no such row (a peer's late message: counted by the caller).
bool call_move(core_t *core, call_t *call, call_event_t event);

// Its arguments are there: READY, or DELAYED until its time.
void call_argued(core_t *core, call_t *call);

void call_enlist(call_t *call, call_t **list);       // at the end
void call_enlist_first(call_t *call, call_t **list); // at the front
void call_unlist(call_t *call);                      // out of whatever list it is in
void call_out_of_hand(core_t *core, call_t *call);   // the worker is done with it, or gone

// Whether another run is allowed: retries are left, it was not called off, and its body has not ended too many workers.
bool call_may_run_again(const core_t *core, const call_t *call);
void call_run_again(core_t *core, call_t *call, mob_err_t why); // count it; the move is the caller's
void call_ended_worker(call_t *call);                           // its body, with its process
void call_give_up(core_t *core, call_t *call, const failure_t *failure); // MOB_EPOISON, if it is that

// Its run was lost with its worker: again, or an end.
void call_lost(core_t *core, call_t *call, const failure_t *failure);
void call_timer(core_t *core, call_t *call); // its deadline_t is due
// The body of a SENT call is to come home, and what it asked for with it, unless ALONE.
void call_stop_body(core_t *core, call_t *call, uint32_t flags);
void call_cancel(core_t *core, call_t *call, uint32_t flags, session_t *by);
int64_t call_remaining_ms(const core_t *core, const call_t *call);
const char *call_state_name(const call_t *call);
bool call_has_begun(const call_t *call); // as far as is known here

#endif
