// rejoin.h - who was there before comes back: to this broker after a reconnect, or to a new one.

#ifndef MOBULA_REJOIN_H
#define MOBULA_REJOIN_H

#include "state.h"

void rejoin_hold(core_t *core, worker_t *worker, const msg_hold_t *hold);
void rejoin_have(core_t *core, worker_t *worker, const msg_have_t *have);
void rejoin_said_all(core_t *core, worker_t *worker); // what it does not have is said again

call_t *rejoin_announced(core_t *core, worker_t *worker, mob_ref_t ref, uint32_t attempt,
                         uint32_t returns); // unknown to us; NULL: it is late
bool rejoin_claim(core_t *core, worker_t *worker, call_t *call,
                  uint32_t attempt); // its caller was faster than the worker

void rejoin_park(core_t *core, call_t *call); // until a worker speaks of it, or nobody can any more
void rejoin_unpark(core_t *core,
                   actor_t *actor); // it is known now: calls to it that came before enter, in order
void rejoin_drop(core_t *core, mob_ref_t ref, uint64_t count); // a worker may announce it yet
// It is older than this broker, and others may be about to say that they hold it.
static inline bool rejoin_awaits(const core_t *core, const call_t *call)
{
    return core->rejoin_at && call->old_epoch;
}

void rejoin_over(core_t *core); // who has not come back by now does not come

#endif
