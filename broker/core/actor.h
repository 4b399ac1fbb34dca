// actor.h - the life of an actor: made, alive, restarted, ended.

#ifndef MOBULA_ACTOR_H
#define MOBULA_ACTOR_H

#include "state.h"

// SPAWN: a record for making; takes the shape; opts and args as the message has them. NULL: no memory.
actor_t *actor_new(core_t *core, call_t *making, shape_t **shape_p, opts_field_t opts,
                   const opts_t *read);
actor_t *actor_named(const core_t *core, uint32_t space, uint32_t name); // NULL: none that lives
actor_t *actor_called(core_t *core, uint32_t space, const char *text);   // NAME or SPACE:NAME
actor_t *actor_find(core_t *core, mob_ref_t ref, uint32_t space); // through handles that FIND made, too
bool actor_claim_name(core_t *core, actor_t *actor, uint32_t name); // false: taken

void actor_wait(core_t *core, actor_t *actor); // for a place: the scheduler finds one
bool actor_place(core_t *core, actor_t *actor, host_t *host); // here it is; false: no worker to be had
void actor_homeless(core_t *core, actor_t *actor);            // the host that it must have is gone
void actor_fill_up(core_t *core, actor_t *actor); // its class is known now, and what that needs
void actor_make(core_t *core, actor_t *actor);    // its worker is there: MAKE
void actor_made(core_t *core, actor_t *actor);    // the constructor ended well
void actor_unmade(core_t *core, actor_t *actor,
                  const failure_t *failure);         // it reported failure: dead for good
void actor_unresolved(core_t *core, actor_t *actor); // nobody ever offered its class
void actor_name_taken(core_t *core, actor_t *actor, uint32_t name);
void actor_lost(core_t *core, actor_t *actor, enum wire_cause cause,
                const failure_t *failure); // its worker is gone
void actor_stop(core_t *core, actor_t *actor, uint32_t how, enum wire_cause cause);
void actor_stop_when_empty(core_t *core, actor_t *actor);
void actor_stopped(core_t *core, actor_t *actor);     // its worker says so
void actor_left(core_t *core, actor_t *actor);        // a body asked to leave
void actor_dropped(core_t *core, actor_t *actor);     // the owner's handle is gone
void actor_belongs(actor_t *actor, session_t *owner); // NULL: to nobody, or to who holds it
void actor_owner_gone(core_t *core, actor_t *actor);
void actor_timer(core_t *core, actor_t *actor);
void actor_watch_end(core_t *core, actor_t *actor, call_t *end); // END
bool actor_takes_calls(const actor_t *actor);
void actor_refuse(core_t *core, actor_t *actor,
                  call_t *call); // settle a call to one that is dead or stopping
const char *actor_state_name(const actor_t *actor);
const char *actor_display(const core_t *core, const actor_t *actor); // its name, else CLASS/N
const char *cause_name(enum wire_cause cause);
void actor_adopt(core_t *core, worker_t *worker,
                 const msg_hold_t *hold); // alive since before this broker
void actor_take_over(core_t *core, worker_t *worker, actor_t *actor,
                     const msg_hold_t *hold); // likewise, and asked for again
void actor_free(core_t *core, actor_t *actor);

#endif
