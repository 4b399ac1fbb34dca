// rejoin.c - after a reconnect, or a new broker: workers say what they hold and have, callers come back, what
// nobody claims is given up. Owns the list of parked calls and the drops said too early.

#include "rejoin.h"

#include <stdlib.h>

#include "actor.h"
#include "call.h"
#include "demand.h"
#include "mailbox.h"
#include "notice.h"
#include "outcome.h"
#include "parts.h"
#include "place.h"
#include "prelude.h"
#include "request.h"
#include "session.h"
#include "stream.h"
#include "unmet.h"
#include "worker.h"

enum { DROPPED_MAX = 65536 };

// ---- Workers ------------------------------------------------------------------------------------

// What it takes its worker says, if it has not ended there yet (take_said()). Until then: what the first one wishes,
// if its caller came back before, else the default.
static void claim(core_t *core, worker_t *worker, call_t *call)
{
    static const opts_t none;
    char wrong[DEMAND_TEXT];
    const shape_t *shape = call->extra ? call->extra->shape : NULL;
    demand_t *demand =
        shape ? demand_hold(shape->key.demand) : demand_of(core, &none, NULL, false, wrong);
    if (demand && !worker->lease && worker->kind == START_TASKS) {
        place_lease(worker, demand);
        worker->claimed = true;
    }
    demand_drop(core, &demand);
    worker_take(core, worker, call);
}

// A result or HAVE of a call that this broker does not know: an earlier one sent it out.
call_t *rejoin_announced(core_t *core, worker_t *worker, mob_ref_t ref, uint32_t attempt,
                         uint32_t returns)
{
    session_t *owner = core->rejoin_at && worker->adopted ? session_stub(core, ref.owner) : NULL;
    call_t *call = owner ? call_new(core, owner, ref, CALL_TASK) : NULL;
    if (!call) {
        core->count.late_results++; // freed meanwhile, or never ours
        return NULL;
    }
    core->announced = true;
    call->space = worker->session->space;
    call->state = CALL_SENT;
    call->attempt = (uint16_t)attempt;
    call->old_epoch = true; // an earlier run is not this worker's to know of
    claim(core, worker, call);
    if (returns > 1 && returns <= MOB_RETURNS_MAX)
        parts_open(core, call, returns);
    return call;
}

// Its caller sent it again before the worker spoke of it. False: it is not such a call, or that run has ended here.
bool rejoin_claim(core_t *core, worker_t *worker, call_t *call, uint32_t attempt)
{
    if (call->state > CALL_READY || !call->old_epoch || !worker->adopted ||
        call->kind > CALL_METHOD || attempt < call->attempt)
        return false;
    call->attempt = (uint16_t)attempt;
    actor_t *actor = call->actor;
    if (call->kind == CALL_METHOD && actor)
        mailbox_left(core, actor, call);
    call_unlist(call);
    if (actor && actor->worker != worker)
        call->actor = NULL;
    call->state = CALL_SENT;
    if (call->missing > 0)
        call->retries = 0; // the worker has its values, and we do not: it could not be sent again
    call->missing = 0;
    claim(core, worker, call);
    return true;
}

// What it has in hand of that call is the run that is asked for here.
static call_t *had(core_t *core, worker_t *worker, const msg_have_t *have)
{
    call_t *call = call_find(core, have->ref);
    if (!call)
        return rejoin_announced(core, worker, have->ref, have->attempt, have->returns);
    bool known = call->worker == worker && call->attempt == have->attempt;
    return known || rejoin_claim(core, worker, call, have->attempt) ? call : NULL;
}

// Others end by themselves. A stream that ended here, or was begun anew elsewhere, would wait for ever.
static void call_home(core_t *core, worker_t *worker, const msg_have_t *have)
{
    batch_t *batch = have->returns == 0 ? notice_order(core, worker->session) : NULL;
    if (batch)
        message_CANCEL(batch, &(msg_cancel_t){.ref = have->ref});
}

// They run one by one, and all of them take the same.
static void take_said(core_t *core, worker_t *worker, const call_t *call, opts_field_t said)
{
    char wrong[DEMAND_TEXT];
    opts_t opts = opts_read(said);
    opts_t taken = {.cpus_e4 = opts.cpus_e4, .resources = opts.resources};
    bool first = worker->claimed && worker->hand == call;
    demand_t *demand =
        first && demand_wished(&taken) ? demand_of(core, &taken, NULL, false, wrong) : NULL;
    if (demand) {
        place_release(core, worker);
        place_lease(worker, demand);
        worker->claimed = true;
    }
    demand_drop(core, &demand);
}

void rejoin_have(core_t *core, worker_t *worker, const msg_have_t *have)
{
    call_t *call = had(core, worker, have);
    if (call)
        call->have = 1;
    if (call && have->opts.size)
        take_said(core, worker, call, have->opts);
    if (!call)
        call_home(core, worker, have);
}

// Arguments that were too large for the first HOLD: an actor without them cannot be made again.
static void take_args(core_t *core, worker_t *worker, const msg_hold_t *hold)
{
    refusal_t refusal;
    blob_t *args = prelude_load(core, worker->session, hold->args, &refusal);
    actor_t *actor = worker_makes(worker, call_find(core, hold->actor));
    if (actor && actor->args_away && args) {
        actor->args = blob_hold(args);
        actor->args_away = false;
    }
    blob_drop(&args);
}

void rejoin_hold(core_t *core, worker_t *worker, const msg_hold_t *hold)
{
    if (hold->args.form == LOAD_PIECES) {
        take_args(core, worker, hold);
        return;
    }
    call_t *making = call_find(core, hold->actor);
    if (worker_makes(worker, making))
        making->actor->held = true;
    actor_t *actor = making && making->list == &core->parked ? making->actor : NULL;
    if (!worker->adopted || worker_makes(worker, making))
        return;
    worker_holds_actors(core, worker);
    if (actor) { // its caller sent SPAWN again before the worker came back
        call_unlist(making);
        making->state = CALL_READY;
        actor_take_over(core, worker, actor, hold);
    } else if (making || (!core->rejoin_at && !opts_read(hold->opts).detached)) {
        // It lives elsewhere, or has ended; or its callers have been told that it did not come back.
        worker->state = WORKER_ENDING;
        worker_kill(core, worker);
        session_goodbye(core, worker->session->peer, MOB_ECLOSED,
                        "your actor was given up"); // if its host is away
    } else {
        actor_adopt(core, worker, hold);
    }
}

static void say_all_again(core_t *core, worker_t *worker)
{
    call_t *call, *next;
    DL_FOREACH_SAFE(worker->hand, call, next)
    {
        if (call->have && (call->cancelled || call->state == CALL_FINAL))
            worker_cancel(core, call); // it may not have heard
        else if (call->have && stream_of(call))
            stream_say_credit(core, call);
        else if (call->have)
            continue;
        else if (call->state == CALL_SENT && !call->cancelled)
            worker_say_run(core, worker, call);
        else
            call_lost(core, call, NULL); // it ended meanwhile, and the worker never heard of it
    }
}

// Doubles do no harm: the worker knows what it has made, and what has ended.
static void say_actors_again(core_t *core, worker_t *worker)
{
    for (actor_t *actor = worker->actors, *next; actor; actor = next) {
        next = actor->worker_next;
        if (actor->made && !actor->held)
            actor_stopped(core, actor); // it ended, and that was lost
        else if (actor->stop_sent)
            worker_stop(core, worker, actor->id);
        else if (!actor->made)
            actor_make(core, actor);
    }
    for (actor_t *actor = worker->actors; actor; actor = actor->worker_next)
        actor->held = false;
    if (worker->state == WORKER_ENDING)
        worker_stop(core, worker, (mob_ref_t){0, 0});
}

void rejoin_said_all(core_t *core, worker_t *worker)
{
    if (worker->adopted && worker->state == WORKER_STARTING)
        worker->state = WORKER_ALIVE;
    say_all_again(core, worker); // before anything new: what ends there lets later calls go on
    worker->restating = false;
    say_actors_again(core, worker);
    call_t *call;
    DL_FOREACH(worker->hand, call) call->have = 0;
    worker_go_on(core, worker);
    core->schedule = true;
}

// ---- Calls that wait for what workers will say --------------------------------------------------

void rejoin_park(core_t *core, call_t *call)
{
    call_enlist(call, &core->parked);
}

static call_t *parked_for(core_t *core, const actor_t *actor)
{
    call_t *call;
    DL_FOREACH(core->parked, call)
    {
        if (call->kind == CALL_METHOD && actor_find(core, call->extra->actor, call->space) == actor)
            return call;
    }
    return NULL;
}

// From the start each time: a call that is refused takes others with it.
void rejoin_unpark(core_t *core, actor_t *actor)
{
    for (call_t *call; (call = parked_for(core, actor)) != NULL;) {
        call_unlist(call);
        request_enter(core, actor, call);
    }
}

// ---- Drops --------------------------------------------------------------------------------------

static bool extends(const dropped_t *last, mob_ref_t ref)
{
    return last->ref.owner == ref.owner && last->ref.seq + last->count == ref.seq;
}

// Said before all others have said what they have and hold. Too many: kept until the owner ends.
void rejoin_drop(core_t *core, mob_ref_t ref, uint64_t count)
{
    if (core->dropped_count > 0 && extends(&core->dropped[core->dropped_count - 1], ref)) {
        core->dropped[core->dropped_count - 1].count += count;
        return;
    }
    if (core->dropped_count == core->dropped_room) {
        uint32_t room = core->dropped_room ? 2 * core->dropped_room : 64;
        dropped_t *dropped =
            room <= DROPPED_MAX ? realloc(core->dropped, room * sizeof *dropped) : NULL;
        if (!dropped)
            return;
        core->dropped = dropped;
        core->dropped_room = room;
    }
    core->dropped[core->dropped_count++] = (dropped_t){ref, count};
}

static bool was_dropped(const core_t *core, mob_ref_t ref)
{
    for (uint32_t i = 0; i < core->dropped_count; i++) {
        const dropped_t *one = &core->dropped[i];
        if (one->ref.owner == ref.owner && ref.seq - one->ref.seq < one->count)
            return true;
    }
    return false;
}

// An earlier broker may have known another owner, to whom it went with a result. Who holds it has said so by now.
static void drop_announced(core_t *core)
{
    uint32_t at = 0;
    for (call_t *call; core->dropped_count && (call = call_next(core, &at)) != NULL;)
        if (!call->dropped && was_dropped(core, call->id))
            session_let_go(core, call);
    free(core->dropped);
    core->dropped = NULL;
    core->dropped_count = core->dropped_room = 0;
}

// ---- The end of it ------------------------------------------------------------------------------

void rejoin_over(core_t *core)
{
    unmet_over(core);
    drop_announced(core);
    while (core->parked) {
        call_t *call = core->parked;
        call_unlist(call);
        request_resume(core, call);
    }
    for (worker_t *worker = core->workers, *next; worker; worker = next) {
        next = worker->hh.next;
        if (worker->adopted && !worker->host) { // its host did not come back: nobody would watch it
            if (worker->session && worker->session->peer)
                session_goodbye(core, worker->session->peer, MOB_ECLOSED,
                                "your host did not come back");
            worker_lost(core, worker, CAUSE_HOST, 0, 0, (mob_bytes_t){0});
            next = core->workers;
        }
    }
}
