// actor.c - the life of an actor. Owns its states, name, restarts and end; its waiting calls are mailbox.c's,
// its process is worker.c's.

#include "actor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "demand.h"
#include "fetch.h"
#include "refcount.h"
#include "internal.h"
#include "mailbox.h"
#include "name.h"
#include "notice.h"
#include "outcome.h"
#include "place.h"
#include "rejoin.h"
#include "request.h"
#include "schedule.h"
#include "session.h"
#include "shape.h"
#include "timeline.h"
#include "worker.h"

enum { GRAVES_MAX = 10000, STEADY_US = 10000000 };

static const char *const state_names[] = {"waiting",    "starting", "alive",
                                          "restarting", "stopping", "dead"};
static const char *const cause_names[] = {
    "",          "EXIT", "STOP",  "SCOPE", "DRAIN",  "KILL", "OWNER",   "GROUP",   "LINK",
    "INTENSITY", "INIT", "CRASH", "OOM",   "SILENT", "HOST", "REVOKED", "UNKNOWN", "SETUP"};

const char *cause_name(enum wire_cause cause)
{
    return cause < sizeof cause_names / sizeof *cause_names ? cause_names[cause] : "UNKNOWN";
}

const char *actor_state_name(const actor_t *actor)
{
    return state_names[actor->state];
}

const char *actor_display(const core_t *core, const actor_t *actor)
{
    return name_text(core, actor->name ? actor->name : actor->label);
}

// ---- Coming -------------------------------------------------------------------------------------

static int64_t either(int64_t own, int64_t defaults, int64_t otherwise)
{
    return own ? own : defaults ? defaults : otherwise;
}

static int32_t count_of(int64_t value) // MOB_NONE is 0, MOB_UNLIMITED -1
{
    return value == MOB_NONE ? 0 : (int32_t)value;
}

static void set_options(core_t *core, actor_t *actor, const opts_t *own)
{
    const opts_t *defaults = &actor->def->opts;
    actor->max_restarts = count_of(either(own->max_restarts, defaults->max_restarts, 0));
    actor->max_task_retries = count_of(either(own->max_task_retries, defaults->max_task_retries, 0));
    actor->mailbox_max =
        (uint32_t)either(own->mailbox_max, defaults->mailbox_max, core->config.mailbox_max);
    int64_t pending = either(own->max_pending, defaults->max_pending, 0);
    actor->max_pending = pending > 0 ? (uint32_t)pending : 0;
    int64_t open = either(own->max_open, defaults->max_open, 0);
    actor->max_open = open > 0 ? (uint32_t)open : 0;
    actor->main.width = (uint32_t)either(own->max_concurrency, defaults->max_concurrency, 1);
    mailbox_set_lanes(core, actor, own->lanes);
    actor->threads = actor->main.width > 1 || actor->lane_count > 0;
    actor->unordered = own->unordered || defaults->unordered;
    actor->stop_us = 1000 * either(own->stop_ms, defaults->stop_ms, 30000);
    actor->backoff_us = 1000 * either(own->backoff_ms, defaults->backoff_ms, 100);
    actor->backoff_max_us = 1000 * either(own->backoff_max_ms, defaults->backoff_max_ms, 30000);
}

// They were read before its class was known.
static void read_options(core_t *core, actor_t *actor)
{
    opts_t own = {0};
    if (actor->opts)
        own = opts_read((opts_field_t){.wire = actor->opts->data, .size = actor->opts->size});
    actor->guessed = false;
    set_options(core, actor, &own);
    mailbox_sort(core, actor);
}

actor_t *actor_new(core_t *core, call_t *making, shape_t **shape_p, opts_field_t opts,
                   const opts_t *read)
{
    actor_t *actor = calloc(1, sizeof *actor);
    if (!actor) {
        shape_drop(core, shape_p);
        return NULL;
    }
    def_t *def = (*shape_p)->key.def;
    actor->shape = *shape_p;
    *shape_p = NULL;
    actor->id = making->id;
    actor->incarnation = 1;
    actor->cls = def->name;
    actor->space = def->space;
    actor->def = def;
    actor->detached = read->detached;
    actor_belongs(actor, read->detached ? NULL : making->owner);
    actor->making = making;
    actor->args = blob_hold(making->load);
    actor->opts = opts.size ? blob_new(opts.wire, opts.size) : NULL;
    actor->deadline.kind = DEADLINE_ACTOR;
    const char *cls = name_text(core, def->name);
    actor->label = name_print(core, "%.*s/%u", (int)strcspn(cls, " "), cls, ++def->label_count);
    set_options(core, actor, read);
    actor->guessed = def->kind == 0;
    making->actor = actor;
    DL_APPEND(core->actors, actor);
    core->count.actors++;
    return actor;
}

void actor_belongs(actor_t *actor, session_t *owner)
{
    if (actor->owner)
        DL_DELETE2(actor->owner->actors, actor, owner_prev, owner_next);
    actor->owner = owner;
    if (owner)
        DL_APPEND2(owner->actors, actor, owner_prev, owner_next);
}

static uint64_t key_of(uint32_t space, uint32_t name)
{
    return (uint64_t)space << 32 | name;
}

actor_t *actor_named(const core_t *core, uint32_t space, uint32_t name)
{
    uint64_t key = key_of(space, name);
    actor_t *actor;
    HASH_FIND(hh, core->actors_by_name, &key, sizeof key, actor);
    return actor;
}

bool actor_claim_name(core_t *core, actor_t *actor, uint32_t name)
{
    if (actor_named(core, actor->space, name))
        return false;
    actor->name = name;
    actor->name_key = key_of(actor->space, name);
    HASH_ADD(hh, core->actors_by_name, name_key, sizeof actor->name_key, actor);
    return true;
}

static void give_up_name(core_t *core, actor_t *actor)
{
    if (actor->name_key)
        HASH_DEL(core->actors_by_name, actor);
    actor->name_key = 0;
}

actor_t *actor_called(core_t *core, uint32_t space, const char *text)
{
    const char *colon = strchr(text, ':'), *plain = colon ? colon + 1 : text;
    if (colon)
        space = name_of(core, (mob_bytes_t){text, (size_t)(colon - text)});
    return actor_named(core, space, name_of(core, (mob_bytes_t){plain, strlen(plain)}));
}

actor_t *actor_find(core_t *core, mob_ref_t ref, uint32_t space)
{
    call_t *call = call_find(core, ref);
    if (!call)
        return NULL;
    if (call->kind == CALL_MAKING)
        return call->actor;
    if (call->kind != CALL_FIND || !call->extra)
        return NULL;
    if (!mob_is_none(call->extra->parent))
        return actor_find(core, call->extra->parent, space);
    actor_t *actor = actor_called(core, space, call->extra->find);
    if (actor)
        call->extra->parent = actor->id; // the handle stays with this one
    return actor;
}

// ---- A place, a process, a constructor ----------------------------------------------------------

void actor_wait(core_t *core, actor_t *actor)
{
    shape_wait(core, actor);
    core->schedule = true;
    if (actor->def->kind == 0 && actor->making->state != CALL_FINAL)
        deadline_set(&core->deadlines, &actor->making->deadline, core->now + core->config.resolve_us);
}

void actor_fill_up(core_t *core, actor_t *actor)
{
    bool waits = actor->waits;
    const shape_t *before = actor->shape;
    shape_unwait(actor);
    shape_fill_up(core, &actor->shape, actor->def);
    if (waits)
        shape_wait(core, actor);
    if (actor->guessed && actor->def->kind)
        read_options(core, actor);
    if (actor->shape != before && actor->worker && actor->worker->host)
        place_count(actor->worker->host);
}

static void enter_worker(actor_t *actor, worker_t *worker)
{
    actor->worker = worker;
    DL_APPEND2(worker->actors, actor, worker_prev, worker_next);
    place_settle(actor);
}

static void leave_worker(core_t *core, actor_t *actor)
{
    if (actor->worker) {
        DL_DELETE2(actor->worker->actors, actor, worker_prev, worker_next);
        place_leave(core, actor);
    }
    actor->worker = NULL;
    actor->made = false;
}

static worker_t *worker_for(core_t *core, const actor_t *actor, host_t *host)
{
    if (!actor->def->opts.shared)
        return worker_start(core, host, START_ACTOR);
    if (!host->shared || host->shared->state == WORKER_ENDING)
        host->shared = worker_start(core, host, START_SHARED);
    return host->shared;
}

bool actor_place(core_t *core, actor_t *actor, host_t *host)
{
    worker_t *worker = worker_for(core, actor, host);
    if (!worker)
        return false;
    shape_unwait(actor);
    if (actor->state == ACTOR_WAITING)
        actor->state = ACTOR_STARTING;
    enter_worker(actor, worker);
    if (worker_ready(worker))
        actor_make(core, actor);
    return true;
}

void actor_make(core_t *core, actor_t *actor)
{
    session_t *session = actor->worker->session;
    name_tell(core, session, actor->cls);
    batch_t *batch = notice_order(core, session);
    if (!batch)
        return;
    opts_field_t opts = {.wire = actor->opts ? actor->opts->data : NULL,
                         .size = actor->opts ? actor->opts->size : 0};
    msg_make_t make = {.actor = actor->id,
                       .incarnation = actor->incarnation,
                       .cls = actor->cls,
                       .opts = opts,
                       .remaining_ms = -1,
                       .epoch = core->config.epoch,
                       .args = load_of(actor->args)};
    make.deps = fetch_deps(core, actor->making->extra, make.args);
    if (message_MAKE(batch, &make))
        return;
    batch = outbox_fresh(&session->peer->calls);
    if (!batch || !message_MAKE(batch, &make))
        actor_unmade(core, actor,
                     &(failure_t){.reason = "its arguments do not fit into one message"});
}

static void settle_making(core_t *core, actor_t *actor)
{
    static const uint8_t nil = 0xc0;
    if (actor->making->state == CALL_FINAL)
        return;
    if (actor->making->state == CALL_WAITING)
        actor->making->state = CALL_READY;
    outcome_value(core, actor->making, blob_new(&nil, 1));
}

void actor_made(core_t *core, actor_t *actor)
{
    actor->made = true;
    actor->born_at = core->now;
    if (actor->state != ACTOR_STOPPING)
        actor->state = ACTOR_ALIVE;
    timeline_note(core, actor->incarnation > 1 ? EVENT_RESTART : EVENT_SPAWN, actor->label,
                  actor->name, actor->id, "alive");
    settle_making(core, actor);
    mailbox_pump(core, actor);
}

// ---- Ends ---------------------------------------------------------------------------------------

bool actor_takes_calls(const actor_t *actor)
{
    return actor->state < ACTOR_STOPPING;
}

void actor_refuse(core_t *core, actor_t *actor, call_t *call)
{
    if (actor->state == ACTOR_DEAD)
        outcome_fail(core, call, actor->refusal, cause_name(actor->cause), "%s",
                     actor->epitaph ? actor->epitaph : "");
    else
        outcome_fail(core, call, MOB_EDEAD, cause_name(actor->stop_cause), "%s \"%s\" is stopping",
                     name_text(core, actor->cls), actor_display(core, actor));
}

static void settle_end(core_t *core, const actor_t *actor, call_t *end)
{
    const char *text = cause_name(actor->cause);
    pack_t out = PACK_INIT;
    pack_str(&out, text, strlen(text));
    blob_t *value = out.failed ? NULL : blob_new(out.data, out.size);
    pack_fini(&out);
    outcome_value(core, end, value);
}

void actor_watch_end(core_t *core, actor_t *actor, call_t *end)
{
    end->state = CALL_READY;
    if (actor->state == ACTOR_DEAD)
        settle_end(core, actor, end);
    else
        call_enlist(end, &actor->ends);
}

// What was sent to it and has no outcome yet, or whose record waits for the worker's word.
static void end_hand(core_t *core, actor_t *actor, mob_err_t err, const failure_t *why)
{
    worker_t *worker = actor->worker;
    for (call_t *call = worker ? worker->hand : NULL, *next; call; call = next) {
        next = call->next;
        if (call->actor != actor)
            continue;
        bool final = call->state == CALL_FINAL;
        call_out_of_hand(core, call);
        if (final && call->dropped)
            outcome_drop(core, call);
        if (final)
            continue;
        failure_t failure = *why;
        failure.err = failure.root = call->cancelled ? MOB_ECANCELLED : err;
        failure.executed = MOB_MAYBE_EXECUTED;
        failure.attempts = call->attempt + 1u;
        call_give_up(core, call, &failure);
    }
}

static void bury(core_t *core, actor_t *actor)
{
    DL_DELETE(core->actors, actor);
    DL_APPEND(core->graves, actor);
    core->count.actors--;
    if (++core->grave_count > GRAVES_MAX) {
        actor_t *oldest = core->graves;
        if (oldest->waiting == 0 && oldest->in_hand == 0)
            actor_free(core, oldest);
    }
}

static void die(core_t *core, actor_t *actor, enum wire_cause cause, mob_err_t refusal,
                const failure_t *why)
{
    char text[MOB_TEXT_MAX];
    snprintf(text, sizeof text, "%s \"%s\" is dead: %s", name_text(core, actor->cls),
             actor_display(core, actor),
             why->reason && *why->reason ? why->reason : cause_name(cause));
    actor->epitaph = strdup(text);
    actor->refusal = refusal;
    actor->cause = cause;
    bool begun = actor->incarnation > 1 || actor->making->old_epoch ||
                 (actor->worker && actor->worker->session); // its constructor, perhaps
    failure_t failure = *why;
    failure.why = cause_name(cause);
    failure.reason = text;
    actor->made = false; // what ends now must not make room for what waits
    end_hand(core, actor, MOB_EDEAD, &failure);
    actor->state = ACTOR_DEAD;
    deadline_clear(&core->deadlines, &actor->deadline);
    shape_unwait(actor);
    give_up_name(core, actor);
    leave_worker(core, actor);
    timeline_note(core, EVENT_EXIT, actor->label, actor->name, actor->id, text);
    mailbox_fail(core, actor, false, refusal, cause_name(cause), text);
    while (actor->ends) {
        call_t *end = actor->ends;
        call_unlist(end);
        settle_end(core, actor, end);
    }
    if (actor->making->state != CALL_FINAL) {
        failure.err = failure.root = refusal;
        failure.executed = cause == CAUSE_INIT ? MOB_EXECUTED
                           : begun             ? MOB_MAYBE_EXECUTED
                                               : MOB_NOT_EXECUTED;
        actor->making->state = CALL_READY;
        outcome_failure(core, actor->making, &failure);
    }
    if (actor->making->extra)
        refcount_end_arguments(core, actor->making); // no further incarnation
    bury(core, actor);
}

void actor_unmade(core_t *core, actor_t *actor, const failure_t *failure)
{
    char text[MOB_TEXT_MAX];
    snprintf(text, sizeof text, "constructor failed: %s", failure->reason);
    failure_t why = *failure;
    why.reason = text;
    worker_t *worker = actor->worker;
    die(core, actor, CAUSE_INIT, MOB_EDEAD, &why);
    if (worker->kind != START_SHARED) {
        worker->state = WORKER_ENDING;
        worker_kill(core, worker);
    }
}

void actor_unresolved(core_t *core, actor_t *actor)
{
    char text[MOB_TEXT_MAX];
    const char *cls = name_text(core, actor->cls), *near = def_nearest(core, cls, DEF_CLASS);
    snprintf(text, sizeof text, "no host offers the class \"%s\"%s%s%s", cls,
             *near ? "; nearest: \"" : "", near, *near ? "\"" : "");
    die(core, actor, CAUSE_UNKNOWN, MOB_ENOTFOUND, &(failure_t){.reason = text});
}

void actor_homeless(core_t *core, actor_t *actor)
{
    char text[MOB_TEXT_MAX];
    snprintf(text, sizeof text, "host \"%s\" is gone, or never was (affinity is hard)",
             name_text(core, actor->shape->key.demand->host));
    die(core, actor, CAUSE_HOST, MOB_EPLACE, &(failure_t){.reason = text});
}

void actor_name_taken(core_t *core, actor_t *actor, uint32_t name)
{
    char text[MOB_TEXT_MAX];
    snprintf(text, sizeof text, "name \"%s\" is taken in %s", name_text(core, name),
             name_text(core, actor->space));
    die(core, actor, CAUSE_NONE, MOB_EEXISTS, &(failure_t){.reason = text});
}

// Calls that were sent go back in order when they may be tried again, before all that wait.
static void take_back(core_t *core, actor_t *actor, const failure_t *why)
{
    call_t *back = NULL;
    for (call_t *call = actor->worker->hand, *next; call; call = next) {
        next = call->next;
        if (call->actor != actor || call->state != CALL_SENT || !call_may_run_again(core, call))
            continue;
        call_out_of_hand(core, call);
        call_enlist(call, &back);
    }
    end_hand(core, actor, MOB_EUNAVAILABLE, why);
    while (back) {
        call_t *call = back->prev; // utlist: the head's prev is the tail
        call_unlist(call);
        call_run_again(core, call, MOB_EUNAVAILABLE);
        call_move(core, call, CALL_GIVEN);
    }
}

static void restart(core_t *core, actor_t *actor, const failure_t *failure)
{
    char text[MOB_TEXT_MAX];
    if (actor->born_at && core->now - actor->born_at > STEADY_US)
        actor->restarts = 0;
    uint32_t step = actor->restarts < 16 ? actor->restarts : 16;
    int64_t delay = actor->backoff_us << step;
    actor->restarts++;
    snprintf(text, sizeof text, "%s \"%s\" restarts (incarnation %u): %s",
             name_text(core, actor->cls), actor_display(core, actor), actor->incarnation + 1,
             failure->reason);
    failure_t why = *failure;
    why.reason = text;
    actor->state = ACTOR_RESTARTING;
    actor->made = false;
    take_back(core, actor, &why);
    leave_worker(core, actor);
    actor->incarnation++;
    mailbox_fail(core, actor, true, MOB_EUNAVAILABLE, "RESTARTING", text);
    deadline_set(&core->deadlines, &actor->deadline,
                 core->now + (delay < actor->backoff_max_us ? delay : actor->backoff_max_us));
}

void actor_lost(core_t *core, actor_t *actor, enum wire_cause cause, const failure_t *failure)
{
    bool budget = actor->max_restarts < 0 || actor->restarts < (uint32_t)actor->max_restarts;
    if (actor->state == ACTOR_STOPPING)
        die(core, actor, actor->stop_cause, MOB_EDEAD, failure);
    else if (cause == CAUSE_SETUP)
        die(core, actor, cause, MOB_ESETUP, failure);
    else if (budget && cause != CAUSE_STOP && !actor->args_away)
        restart(core, actor, failure);
    else
        die(core, actor, cause, MOB_EDEAD, failure);
}

static void kill_now(core_t *core, actor_t *actor, enum wire_cause cause)
{
    worker_t *worker = actor->worker;
    die(core, actor, cause, MOB_EDEAD, &(failure_t){.reason = cause_name(cause)});
    if (!worker)
        return;
    worker->state = WORKER_ENDING;
    worker_kill(core, worker);
}

void actor_stop_when_empty(core_t *core, actor_t *actor)
{
    if (actor->waiting || actor->in_hand || actor->stop_sent)
        return;
    if (!actor->worker) { // never started, or between two incarnations
        die(core, actor, actor->stop_cause, MOB_EDEAD,
            &(failure_t){.reason = cause_name(actor->stop_cause)});
        return;
    }
    if (!actor->made)
        return; // after its constructor
    actor->stop_sent = true;
    worker_stop(core, actor->worker, actor->id);
}

static void drain(core_t *core, actor_t *actor, enum wire_cause cause)
{
    if (actor->waits)
        schedule_actors(core); // it was asked for before: it begins, if it can, and then stops
    if (actor->state >= ACTOR_STOPPING)
        return;
    if (actor->state == ACTOR_RESTARTING && !actor->worker)
        actor_wait(core, actor); // its calls come first
    actor->state = ACTOR_STOPPING;
    actor->stop_cause = cause;
    deadline_set(&core->deadlines, &actor->deadline, core->now + actor->stop_us);
    actor_stop_when_empty(core, actor);
}

void actor_stop(core_t *core, actor_t *actor, uint32_t how, enum wire_cause cause)
{
    if (actor->state == ACTOR_DEAD)
        return;
    if (how == MOB_STOP_DRAIN) {
        drain(core, actor, cause);
    } else if (how == MOB_STOP_RESTART && actor->worker) {
        worker_t *worker = actor->worker;
        actor_lost(core, actor, CAUSE_KILL,
                   &(failure_t){.reason = "killed to restart", .why = "KILL"});
        worker->state = WORKER_ENDING;
        worker_kill(core, worker);
    } else {
        kill_now(core, actor, CAUSE_KILL);
    }
}

void actor_stopped(core_t *core, actor_t *actor)
{
    worker_t *worker = actor->worker;
    enum wire_cause cause = actor->state == ACTOR_STOPPING ? actor->stop_cause : CAUSE_EXIT;
    die(core, actor, cause, MOB_EDEAD, &(failure_t){.reason = cause_name(cause)});
    if (!worker || worker->kind == START_SHARED || worker->actors)
        return;
    worker->state = WORKER_ENDING; // it leaves by itself
    if (worker->adopted)
        worker_stop(core, worker, (mob_ref_t){0, 0}); // unless it was a shared one
}

void actor_left(core_t *core, actor_t *actor)
{
    if (actor->state == ACTOR_DEAD)
        return;
    actor->state = ACTOR_STOPPING;
    actor->stop_cause = CAUSE_EXIT;
    mailbox_fail(core, actor, false, MOB_EDEAD, "EXIT", "the actor has left");
    if (actor->state != ACTOR_DEAD)
        actor_stop_when_empty(core, actor);
}

void actor_dropped(core_t *core, actor_t *actor)
{
    if (actor->state != ACTOR_DEAD && !actor->detached)
        drain(core, actor, CAUSE_SCOPE);
}

void actor_owner_gone(core_t *core, actor_t *actor)
{
    actor_belongs(actor, NULL);
    if (actor->state != ACTOR_DEAD)
        kill_now(core, actor, CAUSE_OWNER);
}

void actor_timer(core_t *core, actor_t *actor)
{
    if (actor->state == ACTOR_RESTARTING && !actor->worker)
        actor_wait(core, actor);
    else if (actor->state == ACTOR_STOPPING)
        kill_now(core, actor, actor->stop_cause);
}

// ---- Older than this broker ---------------------------------------------------------------------

void actor_adopt(core_t *core, worker_t *worker, const msg_hold_t *hold)
{
    opts_t opts = opts_read(hold->opts);
    uint32_t cls = name_of(core, hold->cls);
    uint32_t space = opts.space.size ? name_of(core, opts.space) : worker->session->space;
    def_t *def = cls ? def_of(core, cls, space) : NULL;
    session_t *owner = def ? session_stub(core, hold->actor.owner) : NULL;
    call_t *making = owner ? call_new(core, owner, hold->actor, CALL_MAKING) : NULL;
    if (!making)
        return;
    making->target = cls;
    making->space = space;
    making->state = CALL_READY;
    making->old_epoch = true;
    making->load = load_keep(hold->args);
    core_weigh(core, making->load, 1);
    char wrong[DEMAND_TEXT];
    static const opts_t none;
    shape_t *shape = shape_for(core, def, &opts, true, wrong);
    if (!shape)
        shape = shape_for(core, def, &none, true, wrong);
    actor_t *actor = shape ? actor_new(core, making, &shape, hold->opts, &opts) : NULL;
    if (!actor)
        return;
    actor->args_away = hold->args.form == LOAD_AWAY;
    refcount_arguments(core, making, hold->inner);
    core->announced = true;
    if (opts.name.size)
        actor_claim_name(core, actor, name_of(core, opts.name));
    actor_take_over(core, worker, actor, hold);
}

void actor_take_over(core_t *core, worker_t *worker, actor_t *actor, const msg_hold_t *hold)
{
    actor->incarnation = actor->adopted = hold->incarnation;
    actor->held = true;
    enter_worker(actor, worker);
    if (actor->def->opts.shared || worker->actors != actor)
        worker->kind = START_SHARED;
    if (hold->state != HAND_DONE)
        actor->state = ACTOR_STARTING;
    else
        actor_made(core, actor);
    rejoin_unpark(core, actor);
}

void actor_free(core_t *core, actor_t *actor)
{
    actor_belongs(actor, NULL);
    give_up_name(core, actor);
    deadline_clear(&core->deadlines, &actor->deadline);
    leave_worker(core, actor);
    shape_unwait(actor);
    shape_drop(core, &actor->shape);
    if (actor->state == ACTOR_DEAD) {
        DL_DELETE(core->graves, actor);
        core->grave_count--;
    } else {
        DL_DELETE(core->actors, actor);
        core->count.actors--;
    }
    actor->making->actor = NULL;
    actor->making->state = CALL_FINAL;
    call_free(core, actor->making);
    blob_drop(&actor->args);
    blob_drop(&actor->opts);
    free(actor->epitaph);
    free(actor->lanes);
    free(actor);
}
