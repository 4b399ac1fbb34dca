// place.h - what hosts have and how much of it is taken; which host is the right one.

#ifndef MOBULA_PLACE_H
#define MOBULA_PLACE_H

#include "state.h"

// ---- A host's -----------------------------------------------------------------------------------
// OPEN says it, once. NULL, or what is wrong with it.
const char *place_open(core_t *core, host_t *host, const msg_open_t *open);
void place_close(host_t *host);
void place_count(host_t *host); // what is taken, anew: its workers' tasks and actors

enum { PLACE_TEXT = 512 };
const char *place_print(const core_t *core, const host_t *host,
                        char out[PLACE_TEXT]); // taken of all: "cpu=1/2 disk=0/1"
uint32_t place_blocked(const host_t *host);    // workers there whose bodies wait themselves
bool place_is_all_blocked(const host_t *host); // every body of a task there waits itself

// ---- Taken and given back -----------------------------------------------------------------------
void place_lease(worker_t *worker,
                 demand_t *demand); // by a task worker, as long as it has something in hand
void place_release(core_t *core, worker_t *worker); // fine when it has none
void place_block(worker_t *worker); // its body waits: the CPUs are lent on, other resources are not
void place_unblock(worker_t *worker); // it goes on, at once: so more may be taken than there is, for a while
void place_settle(actor_t *actor); // on its worker's host, for life
void place_leave(core_t *core, actor_t *actor);

// ---- Whether it fits ----------------------------------------------------------------------------
typedef enum fit { // the later, the nearer to running
    FIT_CLOSED,    // the host joins or drains
    FIT_UNOFFERED, // it does not offer the definition
    FIT_OTHER,     // another host is demanded, or other labels
    FIT_SMALL,     // it will never have that much
    FIT_TAKEN,     // it has, but not now
    FIT_KEPT,      // what is free is kept for one who waits longer
    FIT_NOW
} fit_t;

fit_t place_fit(core_t *core, const host_t *host, shape_t *shape);
bool place_suits(const core_t *core, const host_t *host, const demand_t *demand); // its name and labels
bool place_goes_on(core_t *core, const host_t *host,
                   shape_t *shape); // one more behind what its worker has
uint32_t place_times(const host_t *host, const demand_t *demand, uint32_t most); // fits so often, now
bool place_demanded_is_gone(const core_t *core, const demand_t *demand); // the host that it must have

// ---- The choice ---------------------------------------------------------------------------------
typedef bool place_fits_fn(core_t *core, host_t *host, shape_t *shape);

bool place_make_room(core_t *core, uint32_t hosts); // a host joins. False: no memory

// The best of the hosts that fit, by the policy of the demand: for a caller's machine first. NULL: none fits.
host_t *place_choose(core_t *core, shape_t *shape, const session_t *caller, place_fits_fn *fits);

#endif
