// mailbox.c - what waits for an actor. The ready calls of a lane stand in one line; behind a call whose arguments
// are late the later calls of its caller in that lane wait aside, so that it holds up nobody else.

#include "mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "call.h"
#include "lane.h"
#include "name.h"
#include "outcome.h"
#include "shape.h"
#include "warning.h"
#include "worker.h"

enum {
    RANKED_MAX = 1024, // so far into a mailbox priorities reach
    LONG = 800         // more that wait are told to the log, and then each doubling
};

// ---- Lanes --------------------------------------------------------------------------------------

static const lane_t *lane_at(const actor_t *actor, uint32_t index)
{
    return index ? &actor->lanes[index - 1] : &actor->main;
}

lane_t *mailbox_lane(actor_t *actor, const call_t *call)
{
    return call->lane ? &actor->lanes[call->lane - 1] : &actor->main;
}

// Its own, else those of its class. Once they are known they stay: calls stand in them.
void mailbox_set_lanes(core_t *core, actor_t *actor, mob_bytes_t own)
{
    lanes_t lanes;
    const char *defaults = name_text(core, actor->def->lanes);
    mob_bytes_t text = own.size ? own : (mob_bytes_t){defaults, strlen(defaults)};
    if (actor->lanes || !lanes_read(text, &lanes) || lanes.count == 0)
        return; // what is no such text its worker refuses
    actor->lanes = calloc(lanes.count, sizeof *actor->lanes);
    for (uint32_t i = 0; actor->lanes && i < lanes.count; i++) {
        actor->lanes[i].name = name_of(core, lanes.at[i].name);
        actor->lanes[i].width = lanes.at[i].width;
        actor->lane_count++;
    }
}

const char *mailbox_lane_wished(const core_t *core, const actor_t *actor, const call_t *call)
{
    if (call->extra && call->extra->lane)
        return call->extra->lane;
    const method_t *method = def_method(actor->def, call->target);
    return method ? name_text(core, method->lane) : "";
}

bool mailbox_choose(const core_t *core, const actor_t *actor, call_t *call)
{
    call->lane = 0;
    if (!actor->def->laned && !(call->extra && call->extra->lane))
        return true;
    const char *wished = mailbox_lane_wished(core, actor, call);
    uint32_t lane = *wished ? actor->lane_count : 0;
    while (lane > 0 && strcmp(name_text(core, lane_at(actor, lane)->name), wished) != 0)
        lane--;
    call->lane = (uint8_t)lane;
    return lane > 0 || !*wished;
}

static call_t *first_unsorted(const core_t *core, const actor_t *actor, bool *known)
{
    call_t *call;
    DL_FOREACH(actor->main.ready, call)
    {
        *known = mailbox_choose(core, actor, call);
        if (!*known || call->lane)
            return call;
    }
    for (const late_t *late = actor->late; late; late = late->next)
        DL_FOREACH(late->calls, call)
        {
            *known = mailbox_choose(core, actor, call);
            if (!*known)
                return call;
        }
    return NULL;
}

// From the start each time: a call that is refused takes others with it.
void mailbox_sort(core_t *core, actor_t *actor)
{
    bool known;
    for (call_t *call; (call = first_unsorted(core, actor, &known)) != NULL;) {
        if (!known) {
            mailbox_refuse_lane(core, actor, call);
            continue;
        }
        call_unlist(call);
        call_enlist(call, &mailbox_lane(actor, call)->ready);
    }
}

void mailbox_refuse_lane(core_t *core, const actor_t *actor, call_t *call)
{
    outcome_fail(core, call, MOB_EARGS, "", "%s \"%s\" has no lane \"%s\"",
                 name_text(core, actor->cls), actor_display(core, actor),
                 mailbox_lane_wished(core, actor, call));
}

// ---- Room ---------------------------------------------------------------------------------------

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
    uint32_t count = count_in_hand(actor, caller);
    for (uint32_t i = 0; i <= actor->lane_count; i++)
        count += count_of(lane_at(actor, i)->ready, caller);
    for (const late_t *late = actor->late; late; late = late->next)
        count += count_of(late->calls, caller);
    return count >= actor->max_pending;
}

// ---- Late arguments -----------------------------------------------------------------------------

static late_t *late_of(const actor_t *actor, const call_t *call)
{
    late_t *late = actor->late;
    while (late && (late->caller != call->owner || late->lane != call->lane))
        late = late->next;
    return late;
}

static late_t *late_open(actor_t *actor, const call_t *call)
{
    late_t *late = late_of(actor, call);
    if (late)
        return late;
    late = calloc(1, sizeof *late);
    if (!late)
        return NULL; // then its order is not kept, but nothing is lost
    late->caller = call->owner;
    late->lane = call->lane;
    late->next = actor->late;
    actor->late = late;
    return late;
}

static void late_close(actor_t *actor, late_t *late)
{
    late_t **late_p = &actor->late;
    while (*late_p != late)
        late_p = &(*late_p)->next;
    *late_p = late->next;
    free(late);
}

// Let go of those at the head that are ready now.
static void late_advance(core_t *core, actor_t *actor, late_t *late)
{
    while (late->calls && late->calls->state == CALL_READY) {
        call_t *call = late->calls;
        call_unlist(call);
        call_enlist(call, &mailbox_lane(actor, call)->ready);
    }
    if (!late->calls)
        late_close(actor, late);
    mailbox_pump(core, actor);
}

static late_t *late_holding(const actor_t *actor, const call_t *call)
{
    late_t *late = call->list ? actor->late : NULL;
    while (late && call->list != &late->calls)
        late = late->next;
    return late;
}

bool mailbox_is_late(const actor_t *actor, const call_t *call)
{
    return late_holding(actor, call) != NULL;
}

// ---- Coming and going ---------------------------------------------------------------------------

void mailbox_admit(core_t *core, actor_t *actor, call_t *call)
{
    lane_t *lane = mailbox_lane(actor, call);
    call->actor = actor;
    actor->waiting++;
    warn_if_long(core, actor);
    lane->ranked |= call->priority != 0;
    call->unordered |= actor->unordered || lane->width > 1;
    late_t *late = call->missing && !call->unordered ? late_open(actor, call) : NULL;
    if (late)
        call_enlist(call, &late->calls);
    if (call->missing == 0)
        call_argued(core, call);
}

void mailbox_add(core_t *core, actor_t *actor, call_t *call)
{
    if (actor->state == ACTOR_DEAD) {
        actor_refuse(core, actor, call);
        return;
    }
    late_t *late = NULL;
    if (!call->list)
        mailbox_choose(core, actor, call); // its class may not have been known
    if (actor->late && !call->unordered)
        late = call->list ? late_holding(actor, call) : late_of(actor, call);
    if (!late) {
        call_enlist(call, &mailbox_lane(actor, call)->ready);
        mailbox_pump(core, actor);
    } else if (call->list) {
        late_advance(core, actor, late);
    } else {
        call_enlist(call, &late->calls);
    }
}

void mailbox_add_first(core_t *core, actor_t *actor, call_t *call)
{
    (void)core;
    actor->waiting++;
    call_enlist_first(call, &mailbox_lane(actor, call)->ready);
}

void mailbox_left(core_t *core, actor_t *actor, call_t *call)
{
    late_t *late = actor->late ? late_holding(actor, call) : NULL;
    call_unlist(call);
    actor->waiting--;
    if (late)
        late_advance(core, actor, late);
}

// The first call of each caller, and each one that keeps no order, may go first: the one of the best rank does.
static call_t *best_ranked(core_t *core, const lane_t *lane)
{
    uint64_t mark = ++core->marks;
    uint32_t left = RANKED_MAX;
    call_t *call, *best = NULL;
    DL_FOREACH(lane->ready, call)
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

static call_t *next_call(core_t *core, lane_t *lane)
{
    call_t *first = lane->ready;
    bool alone = !first || !first->next;
    lane->ranked &= !alone;
    return lane->ranked ? best_ranked(core, lane) : first;
}

// One that is busy must not take the room of another.
static bool takes_more(const actor_t *actor, const lane_t *lane)
{
    const worker_t *worker = actor->worker;
    bool room = actor->lane_count ? lane->sent < worker->window : worker_has_room(worker);
    return room && (actor->max_open == 0 || actor->in_hand < actor->max_open);
}

static void pump(core_t *core, actor_t *actor, lane_t *lane)
{
    while (lane->ready && takes_more(actor, lane))
        worker_run(core, actor->worker, next_call(core, lane));
}

void mailbox_pump(core_t *core, actor_t *actor)
{
    const worker_t *worker = actor->worker;
    if (!actor->made || !worker || !worker_ready(worker))
        return;
    pump(core, actor, &actor->main);
    for (uint32_t i = 0; i < actor->lane_count; i++)
        pump(core, actor, &actor->lanes[i]);
    if (actor->state == ACTOR_STOPPING)
        actor_stop_when_empty(core, actor);
}

static bool ends(const call_t *call, bool keep_retryable)
{
    return !keep_retryable || call->retries == 0;
}

static call_t *first_of(call_t *calls, bool keep_retryable)
{
    while (calls && !ends(calls, keep_retryable))
        calls = calls->next;
    return calls;
}

static call_t *first_to_end(const actor_t *actor, bool keep_retryable)
{
    call_t *call = NULL;
    for (uint32_t i = 0; i <= actor->lane_count && !call; i++)
        call = first_of(lane_at(actor, i)->ready, keep_retryable);
    for (const late_t *late = actor->late; late && !call; late = late->next)
        call = first_of(late->calls, keep_retryable);
    return call;
}

// One at a time from the start: what ends may take others with it that depend on it.
void mailbox_fail(core_t *core, actor_t *actor, bool keep_retryable, mob_err_t err, const char *why,
                  const char *reason)
{
    for (call_t *call; (call = first_to_end(actor, keep_retryable)) != NULL;)
        outcome_fail(core, call, err, why, "%s: %s", name_text(core, call->target), reason);
}
