// worker.c - processes that run bodies: how they come, what is in their hand, how they end. Decides about
// windows; the calls themselves move by call.c's table.

#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "call.h"
#include "fetch.h"
#include "internal.h"
#include "mailbox.h"
#include "name.h"
#include "notice.h"
#include "outcome.h"
#include "place.h"
#include "rejoin.h"
#include "session.h"
#include "stream.h"
#include "timeline.h"

// ---- Coming -------------------------------------------------------------------------------------

static uint32_t window_min(const worker_t *worker)
{
    return worker->kind == START_TASKS ? WINDOW_TASK : WINDOW_ACTOR;
}

static worker_t *worker_new(core_t *core, uint64_t owner, host_t *host, enum wire_start kind)
{
    worker_t *worker = calloc(1, sizeof *worker);
    if (!worker)
        return NULL;
    worker->owner = owner;
    worker->host = host;
    worker->kind = kind;
    worker->window = window_min(worker);
    worker->idle_at = core->now;
    if (host) {
        DL_APPEND(host->workers, worker);
        host->worker_count++;
    }
    HASH_ADD(hh, core->workers, owner, sizeof worker->owner, worker);
    core->count.workers++;
    return worker;
}

worker_t *worker_find(const core_t *core, uint64_t owner)
{
    worker_t *worker;
    HASH_FIND(hh, core->workers, &owner, sizeof owner, worker);
    return worker;
}

worker_t *worker_start(core_t *core, host_t *host, enum wire_start kind)
{
    batch_t *batch = host->worker_count < host->procs ? notice_order(core, host->session) : NULL;
    if (!batch)
        return NULL;
    worker_t *worker = worker_new(core, core_random(core) | 1, host, kind);
    if (!worker)
        return NULL;
    message_START(batch, &(msg_start_t){.worker = worker->owner, .kind = kind});
    return worker;
}

worker_t *worker_adopt(core_t *core, session_t *session, uint64_t host_owner)
{
    session_t *host_session = session_find(core, host_owner);
    host_t *host = host_session ? host_session->host : NULL;
    worker_t *worker = worker_new(core, session->owner, host, START_TASKS);
    if (!worker)
        return NULL;
    worker->orphan_of = host_owner;
    worker->adopted = true;
    return worker;
}

// What it has in hand, said before its HOLD by messages on their way, are calls of actors: these take nothing.
void worker_holds_actors(core_t *core, worker_t *worker)
{
    if (worker->kind != START_TASKS)
        return;
    place_release(core, worker);
    worker->kind = START_ACTOR;
    worker->window = window_min(worker);
}

bool worker_ready(const worker_t *worker)
{
    return worker->state == WORKER_ALIVE && !worker->restating;
}

void worker_joined(core_t *core, worker_t *worker, session_t *session, bool blank)
{
    bool first = worker->state == WORKER_STARTING;
    worker->session = session;
    session->worker = worker;
    worker->restating = !first && !blank;
    if (!first && blank)
        rejoin_said_all(core, worker); // it has nothing, and will not say so
    if (!first || worker->adopted)
        return; // it says what it holds, and then OPEN
    worker->state = WORKER_ALIVE;
    if (worker->host && worker->kind == START_TASKS)
        worker->host->crashes = 0;
    for (actor_t *actor = worker->actors; actor; actor = actor->worker_next)
        actor_make(core, actor);
    core->schedule = true;
}

// ---- Running ------------------------------------------------------------------------------------

// How many values it shall give, where it is not one; and what it takes of the host, for HAVE to a later broker.
static bool wishes(core_t *core, const worker_t *worker, call_t *call, opts_t *out)
{
    const demand_t *lease = worker->lease;
    const char *lane =
        call->actor && call->lane ? name_text(core, mailbox_lane(call->actor, call)->name) : "";
    *out = (opts_t){.lane = {lane, strlen(lane)}};
    if (call->extra && call->extra->parts)
        out->num_returns = call->extra->parts->count;
    if (stream_of(call)) {
        out->num_returns = MOB_STREAM;
        out->stream_ahead = (int64_t)stream_credit(core, call);
    }
    if (lease) {
        out->cpus_e4 = lease->wish.cpus;
        out->resources = lease->wish.resources;
    }
    return out->num_returns || out->cpus_e4 || out->resources.size || out->lane.size;
}

// False: it does not fit into a message, however empty. Not connected now is fine: it is said again.
bool worker_say_run(core_t *core, worker_t *worker, call_t *call)
{
    session_t *session = worker->session;
    name_tell(core, session, call->target);
    batch_t *batch = notice_order(core, session);
    if (!batch)
        return true;
    msg_run_t run = {.ref = call->id,
                     .attempt = call->attempt,
                     .symbol = call->target,
                     .remaining_ms = call_remaining_ms(core, call),
                     .epoch = core->config.epoch,
                     .args = load_of(call->load)};
    opts_t opts;
    if (call->actor) {
        run.actor = call->actor->id;
        run.incarnation = call->actor->incarnation;
    }
    if (call->extra) {
        run.parent = call->extra->parent;
        run.deps = fetch_deps(core, call->extra, run.args);
    }
    if (wishes(core, worker, call, &opts))
        run.opts.set = &opts;
    if (message_RUN(batch, &run))
        return true;
    batch = outbox_fresh(&session->peer->calls);
    return batch && message_RUN(batch, &run);
}

bool worker_has_room(const worker_t *worker)
{
    return worker->hand_count - worker->open_count < worker->window;
}

void worker_take(core_t *core, worker_t *worker, call_t *call)
{
    if (!worker->ahead) {
        worker->rated_at += core->now - worker->idle_at; // time without work does not count
        worker->ahead = call;
    }
    call->worker = worker;
    call->place = worker->session->name;
    call_enlist(call, &worker->hand);
    worker->hand_count++;
    if (!call->actor)
        return;
    call->actor->in_hand++;
    mailbox_lane(call->actor, call)->sent++;
}

static void no_longer_ahead(core_t *core, worker_t *worker, const call_t *call)
{
    if (worker->ahead == call)
        worker->ahead = call->next;
    if (!worker->ahead)
        worker->idle_at = core->now;
}

void worker_untake(core_t *core, call_t *call)
{
    worker_t *worker = call->worker;
    actor_t *actor = call->actor;
    no_longer_ahead(core, worker, call);
    call_unlist(call);
    call->worker = NULL;
    worker->hand_count--;
    worker->open_count -= call->open;
    if (actor) {
        actor->in_hand--;
        actor->open -= call->open;
        mailbox_lane(actor, call)->sent -= !call->open;
    }
    call->open = false;
    if (worker->hand_count == 0)
        worker_emptied(core, worker);
}

// Before those that its worker still has to begin.
static void set_open(core_t *core, call_t *call)
{
    worker_t *worker = call->worker;
    no_longer_ahead(core, worker, call);
    call_unlist(call);
    call->list = &worker->hand;
    DL_PREPEND_ELEM(worker->hand, worker->ahead, call);
    call->open = true;
    worker->open_count++;
    if (!call->actor)
        return;
    call->actor->open++;
    mailbox_lane(call->actor, call)->sent--;
}

void worker_run(core_t *core, worker_t *worker, call_t *call)
{
    bool sent = worker_say_run(core, worker, call);
    if (!sent) {
        outcome_fail(core, call, MOB_ELIMIT, "",
                     "%s: its arguments and the values it depends on do not fit into one message",
                     name_text(core, call->target));
        return;
    }
    call_move(core, call, CALL_LEASED);
    call->have = 0;
    worker_take(core, worker, call);
    if (call->kind == CALL_TASK)
        timeline_add(core, EVENT_TASK, call, MOB_OK);
}

// So much work a worker gets ahead, measured by how fast its results come: enough that the wire is never
// idle, and of tasks too little for a slow body to hoard. An actor's calls nobody else could run.
static int64_t ahead_us(const worker_t *worker)
{
    return worker->kind == START_TASKS ? WINDOW_TASK_US : WINDOW_ACTOR_US;
}

void worker_rate(core_t *core, worker_t *worker)
{
    worker->results++;
    int64_t took = core->now - worker->rated_at;
    if (took < 500)
        return;
    int64_t target = ahead_us(worker) * worker->results / took;
    int64_t twice = 2 * (int64_t)worker->window;
    int64_t least =
        took / worker->results > SLOW_US && worker->kind == START_TASKS ? 1 : window_min(worker);
    target = target > twice ? twice : target;
    target = target < least ? least : target;
    worker->window = (uint32_t)(target > WINDOW_MAX ? WINDOW_MAX : target);
    worker->rated_at = core->now;
    worker->results = 0;
}

void worker_go_on(core_t *core, worker_t *worker)
{
    for (actor_t *actor = worker->actors, *next; actor; actor = next) {
        next = actor->worker_next;
        mailbox_pump(core, actor);
    }
}

static bool is_shared(const worker_t *worker)
{
    return worker->actors && worker->actors->worker_next;
}

// A place in its hand is free again. Actors that share a worker take turns: worker_share().
void worker_go_on_with(core_t *core, worker_t *worker, actor_t *actor)
{
    if (actor && !is_shared(worker))
        mailbox_pump(core, actor);
}

void worker_share(core_t *core, worker_t *worker)
{
    actor_t *first =
        worker->actors; // perhaps the only one by now, and nobody has looked after it meanwhile
    if (!first || !worker_has_room(worker))
        return;
    DL_DELETE2(worker->actors, first, worker_prev, worker_next);
    DL_APPEND2(worker->actors, first, worker_prev, worker_next);
    worker_go_on(core, worker);
}

// The actor whose constructor a worker speaks of, if it is one in its charge.
actor_t *worker_makes(const worker_t *worker, const call_t *call)
{
    bool making = call && call->kind == CALL_MAKING && call->actor && call->actor->worker == worker;
    return making ? call->actor : NULL;
}

void worker_place(const core_t *core, const worker_t *worker, failure_t *failure)
{
    failure->host = worker->host ? name_text(core, worker->host->session->name) : "";
    failure->pid = worker->pid;
}

// ---- Giving back --------------------------------------------------------------------------------

static void take_back(core_t *core, call_t *call)
{
    call_out_of_hand(core, call);
    call->place = 0;
    if (call->state == CALL_SENT)
        call_move(core, call, CALL_GIVEN);
    else if (call->dropped)
        outcome_drop(core, call);
    if (call->state == CALL_READY && call->cancelled)
        outcome_fail(core, call, MOB_ECANCELLED, "", "%s: cancelled before it began",
                     name_text(core, call->target));
}

void worker_give(core_t *core, worker_t *worker, refs_t refs)
{
    call_t *back[MOB_REFS_MAX];
    uint32_t count = 0;
    while (refs.count > 0) {
        call_t *call = call_find(core, refs_next(&refs));
        if (call && call->worker == worker && call->kind == CALL_TASK)
            back[count++] = call;
    }
    while (count-- > 0) // last one first: the first one ends up in front
        take_back(core, back[count]);
    if (worker->kind != START_TASKS)
        return;
    worker->window = 1; // its body is slow: nothing ahead until it has ended
    worker->results = 0;
    worker->rated_at = core->now;
}

void worker_blocked(core_t *core, worker_t *worker, refs_t refs)
{
    worker_give(core, worker, refs);
    place_block(worker);
    core->schedule = true;
}

void worker_resumed(core_t *core, worker_t *worker)
{
    place_unblock(worker);
    core->schedule = true;
}

// ---- Asking -------------------------------------------------------------------------------------

// By force: its host ends the process, but only once the worker has said that this body runs, so that no
// other one is ended in its place.
void worker_cancel(core_t *core, const call_t *call)
{
    worker_t *worker = call->worker;
    if (call->cancel_flags & MOB_CANCEL_FORCE && worker->ahead == call)
        worker->forced_at = core->now;
    batch_t *batch = worker->session ? notice_order(core, worker->session) : NULL;
    if (batch)
        message_CANCEL(batch, &(msg_cancel_t){.ref = call->id, .flags = call->cancel_flags});
}

static bool is_forced(const worker_t *worker, const call_t *call)
{
    return call && call->worker == worker && call->cancel_flags & MOB_CANCEL_FORCE;
}

static void end_by_force(core_t *core, worker_t *worker)
{
    worker->state = WORKER_ENDING;
    worker_kill(core, worker);
}

void worker_begun(core_t *core, worker_t *worker, const msg_begun_t *begun)
{
    call_t *call = call_find(core, begun->ref);
    bool in_hand = call && call->worker == worker && call->attempt == begun->attempt;
    if (is_forced(worker, call)) {
        end_by_force(core, worker);
    } else if (in_hand && !call->open && worker->kind != START_TASKS) {
        set_open(core, call);
        worker_rate(core, worker);
        worker_go_on_with(core, worker, call->actor);
    }
}

void worker_beat(core_t *core)
{
    for (worker_t *worker = core->workers; worker; worker = worker->hh.next)
        if (worker->forced_at && core->now - worker->forced_at > core->config.heartbeat_us &&
            is_forced(worker, worker->ahead))
            end_by_force(core, worker);
}

void worker_emptied(core_t *core, worker_t *worker)
{
    worker->cancels = false;
    worker->forced_at = 0;
    place_release(core, worker);
}

void worker_kill(core_t *core, worker_t *worker)
{
    worker->killed = true;
    batch_t *batch = worker->host ? notice_order(core, worker->host->session) : NULL;
    if (batch)
        message_KILL(batch, &(msg_kill_t){.worker = worker->owner});
}

void worker_stop(core_t *core, worker_t *worker, mob_ref_t actor)
{
    batch_t *batch = worker->session ? notice_order(core, worker->session) : NULL;
    if (batch)
        message_STOP(batch, &(msg_stop_t){.actor = actor, .how = MOB_STOP_DRAIN});
}

// ---- Ends ---------------------------------------------------------------------------------------

static void failure_of(const core_t *core, const worker_t *worker, enum wire_cause cause,
                       uint32_t status, const char *log, char *text, size_t size, failure_t *out)
{
    uint32_t signal = status & 0x7f;
    const char *what = signal ? "ended by signal" : "exited with";
    if (cause == CAUSE_SETUP)
        snprintf(text, size, "the worker could not be started: %.100s", log);
    else if (cause == CAUSE_HOST || cause == CAUSE_SILENT)
        snprintf(text, size, "worker pid %u lost: %s", worker->pid,
                 cause == CAUSE_HOST ? "its host is gone" : "silent");
    else
        snprintf(text, size, "worker pid %u %s %u", worker->pid, what,
                 signal ? signal : status >> 8 & 0xff);
    *out = (failure_t){.err = MOB_ELOST,
                       .root = MOB_ELOST,
                       .executed = MOB_MAYBE_EXECUTED,
                       .why = cause_name(cause),
                       .status = status,
                       .reason = text,
                       .log = log};
    worker_place(core, worker, out);
}

static void lose_tasks(core_t *core, worker_t *worker, failure_t *failure)
{
    char text[2 * MOB_NAME_MAX];
    const char *reason = failure->reason;
    while (worker->hand && worker->hand->kind != CALL_METHOD) {
        call_t *call = worker->hand;
        failure->attempts = call->attempt + 1u;
        snprintf(text, sizeof text, "%.100s: %.100s (attempt %u)", name_text(core, call->target),
                 reason, call->attempt + 1u);
        failure->reason = text;
        call_lost(core, call, failure);
    }
    failure->reason = reason;
}

// Only the first one can have been running, unless a result was lost with it; in threads, all that began.
static void charge(const worker_t *worker, enum wire_cause cause)
{
    call_t *call;
    bool threads = worker->actors && worker->actors->threads;
    if (cause != CAUSE_CRASH && cause != CAUSE_OOM)
        return;
    DL_FOREACH(worker->hand, call)
    {
        bool ran = threads ? call->open : worker->ahead == call;
        if (ran && call->state == CALL_SENT)
            call_ended_worker(call);
    }
}

static void worker_free(core_t *core, worker_t *worker)
{
    if (worker->session)
        worker->session->worker = NULL;
    host_t *host = worker->host;
    if (host) {
        DL_DELETE(host->workers, worker);
        host->worker_count--;
        if (host->shared == worker)
            host->shared = NULL;
    }
    HASH_DEL(core->workers, worker);
    core->count.workers--;
    free(worker);
}

void worker_lost(core_t *core, worker_t *worker, enum wire_cause cause, uint32_t pid,
                 uint32_t status, mob_bytes_t log)
{
    char text[2 * MOB_NAME_MAX], lines[MOB_TEXT_MAX + 1];
    if (pid)
        worker->pid = pid;
    memcpy(lines, log.size ? log.data : "", log.size);
    lines[log.size] = '\0';
    failure_t failure;
    failure_of(core, worker, cause, status, lines, text, sizeof text, &failure);
    if (worker->state != WORKER_ENDING)
        timeline_note(core, EVENT_EXIT, worker->session ? worker->session->name : 0, 0,
                      (mob_ref_t){worker->owner, 0}, text);
    worker->state = WORKER_ENDING;
    if (cause == CAUSE_SILENT)
        worker_kill(core, worker); // before its actors are made again: it may only be frozen
    charge(worker, cause);
    lose_tasks(core, worker, &failure);
    while (worker->actors)
        actor_lost(core, worker->actors, cause, &failure);
    lose_tasks(core, worker, &failure);
    session_t *session = worker->session;
    worker_free(core, worker);
    if (session)
        session_gone(core, session, cause);
    core->schedule = true;
}
