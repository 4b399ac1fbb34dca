// mailbox.c - what waits for an actor. Ready calls stand in one line; a call whose arguments are late opens
// a lane, where it and the later calls of its caller wait, so that it holds up nobody else.

#include "mailbox.h"

#include <stdlib.h>

#include "actor.h"
#include "call.h"
#include "name.h"
#include "outcome.h"
#include "shape.h"
#include "warning.h"
#include "worker.h"

enum {
    RANKED_MAX = 1024, // so far into a mailbox priorities reach
    LONG = 800         // more that wait are told to the log, and then each doubling
};

// What is in its worker's hand waits as well, but for the first, and what is open.
static uint32_t waiting_of(const actor_t *actor)
{
    uint32_t ahead = actor->in_hand - actor->open;
    return actor->waiting + (ahead > 0 ? ahead - 1 : 0);
}

bool mailbox_full(const actor_t *actor)
{
    return waiting_of(actor) >= actor->mailbox_max;
}

// Not again when it has been shorter meanwhile: a queue that goes up and down says so once.
static void warn_if_long(core_t *core, actor_t *actor)
{
    uint32_t waiting = waiting_of(actor), bound = actor->long_above ? actor->long_above : LONG;
    if (waiting > bound && warning_add(core, "MOB-LONG-QUEUE", actor_display(core, actor),
                                       "%u calls wait, %u may", waiting, actor->mailbox_max))
        actor->long_above = 2 * bound;
}

static uint32_t count_of(const call_t *calls, const session_t *caller)
{
    uint32_t count = 0;
    const call_t *call;
    DL_FOREACH(calls, call) count += call->owner == caller && call->state != CALL_FINAL;
    return count;
}

static uint32_t count_in_hand(const actor_t *actor, const session_t *caller)
{
    uint32_t count = 0;
    const call_t *call;
    DL_FOREACH(actor->worker ? actor->worker->hand : NULL, call)
    count += call->actor == actor && call->owner == caller && call->state != CALL_FINAL;
    return count;
}

bool mailbox_full_for(const actor_t *actor, const session_t *caller)
{
    if (actor->max_pending == 0)
        return false;
    uint32_t count = count_of(actor->mailbox, caller) + count_in_hand(actor, caller);
    for (const lane_t *lane = actor->lanes; lane; lane = lane->next)
        count += count_of(lane->calls, caller);
    return count >= actor->max_pending;
}

static lane_t *lane_of(const actor_t *actor, const session_t *caller)
{
    lane_t *lane = actor->lanes;
    while (lane && lane->caller != caller)
        lane = lane->next;
    return lane;
}

static lane_t *lane_open(actor_t *actor, session_t *caller)
{
    lane_t *lane = lane_of(actor, caller);
    if (lane)
        return lane;
    lane = calloc(1, sizeof *lane);
    if (!lane)
        return NULL; // then its order is not kept, but nothing is lost
    lane->caller = caller;
    lane->next = actor->lanes;
    actor->lanes = lane;
    return lane;
}

static void lane_close(actor_t *actor, lane_t *lane)
{
    lane_t **lane_p = &actor->lanes;
    while (*lane_p != lane)
        lane_p = &(*lane_p)->next;
    *lane_p = lane->next;
    free(lane);
}

// Let go of those at the head that are ready now.
static void lane_advance(core_t *core, actor_t *actor, lane_t *lane)
{
    while (lane->calls && lane->calls->state == CALL_READY) {
        call_t *call = lane->calls;
        call_unlist(call);
        call_enlist(call, &actor->mailbox);
    }
    if (!lane->calls)
        lane_close(actor, lane);
    mailbox_pump(core, actor);
}

static bool in_lane(const actor_t *actor, const call_t *call)
{
    return call->list && call->list != &actor->mailbox;
}

static lane_t *lane_holding(const actor_t *actor, const call_t *call)
{
    lane_t *lane = actor->lanes;
    while (lane && call->list != &lane->calls)
        lane = lane->next;
    return lane;
}

void mailbox_admit(core_t *core, actor_t *actor, call_t *call)
{
    call->actor = actor;
    actor->waiting++;
    warn_if_long(core, actor);
    actor->ranked |= call->priority != 0;
    call->unordered |= actor->unordered;
    lane_t *lane = call->missing && !call->unordered ? lane_open(actor, call->owner) : NULL;
    if (lane)
        call_enlist(call, &lane->calls);
    if (call->missing == 0)
        call_argued(core, call);
}

void mailbox_add(core_t *core, actor_t *actor, call_t *call)
{
    if (actor->state == ACTOR_DEAD) {
        actor_refuse(core, actor, call);
        return;
    }
    lane_t *lane = NULL;
    if (actor->lanes && !call->unordered)
        lane = in_lane(actor, call) ? lane_holding(actor, call) : lane_of(actor, call->owner);
    if (!lane) {
        call_enlist(call, &actor->mailbox);
        mailbox_pump(core, actor);
    } else if (call->list) {
        lane_advance(core, actor, lane);
    } else {
        call_enlist(call, &lane->calls);
    }
}

void mailbox_add_first(core_t *core, actor_t *actor, call_t *call)
{
    (void)core;
    actor->waiting++;
    call_enlist_first(call, &actor->mailbox);
}

void mailbox_left(core_t *core, actor_t *actor, call_t *call)
{
    lane_t *lane = in_lane(actor, call) ? lane_holding(actor, call) : NULL;
    call_unlist(call);
    actor->waiting--;
    if (lane)
        lane_advance(core, actor, lane);
}

// The first call of each caller, and each one that keeps no order, may go first: the one of the best rank does.
static call_t *best_ranked(core_t *core, const actor_t *actor)
{
    uint64_t mark = ++core->marks;
    uint32_t left = RANKED_MAX;
    call_t *call, *best = NULL;
    DL_FOREACH(actor->mailbox, call)
    {
        bool behind = call->owner && call->owner->mark == mark && !call->unordered;
        if (!behind && (!best || shape_before(core, call, best)))
            best = call;
        if (call->owner && !call->unordered)
            call->owner->mark = mark;
        if (--left == 0)
            break;
    }
    return best;
}

static call_t *next_call(core_t *core, actor_t *actor)
{
    call_t *first = actor->mailbox;
    bool alone = !first || !first->next;
    actor->ranked &= !alone;
    return actor->ranked ? best_ranked(core, actor) : first;
}

static bool takes_more(const actor_t *actor)
{
    const worker_t *worker = actor->worker;
    return worker_has_room(worker) && (actor->max_open == 0 || actor->in_hand < actor->max_open);
}

void mailbox_pump(core_t *core, actor_t *actor)
{
    worker_t *worker = actor->worker;
    if (!actor->made || !worker || !worker_ready(worker))
        return;
    while (actor->mailbox && takes_more(actor))
        worker_run(core, worker, next_call(core, actor));
    if (actor->state == ACTOR_STOPPING)
        actor_stop_when_empty(core, actor);
}

static bool ends(const call_t *call, bool keep_retryable)
{
    return !keep_retryable || call->retries == 0;
}

static call_t *first_to_end(const actor_t *actor, bool keep_retryable)
{
    call_t *call;
    DL_FOREACH(actor->mailbox, call)
    {
        if (ends(call, keep_retryable))
            return call;
    }
    for (const lane_t *lane = actor->lanes; lane; lane = lane->next)
        DL_FOREACH(lane->calls, call)
        {
            if (ends(call, keep_retryable))
                return call;
        }
    return NULL;
}

// One at a time from the start: what ends may take others with it that depend on it.
void mailbox_fail(core_t *core, actor_t *actor, bool keep_retryable, mob_err_t err, const char *why,
                  const char *reason)
{
    for (call_t *call; (call = first_to_end(actor, keep_retryable)) != NULL;)
        outcome_fail(core, call, err, why, "%s: %s", name_text(core, call->target), reason);
}
