// worker.c - processes that run bodies: how they come, what is in their hand, how they end. Decides about
// windows; the calls themselves move by call.c's table.

#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "call.h"
#include "internal.h"
#include "mailbox.h"
#include "name.h"
#include "notice.h"
#include "outcome.h"
#include "schedule.h"
#include "session.h"
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
    batch_t *batch = host->worker_count < host->procs ? notice_batch(core, host->session) : NULL;
    if (!batch)
        return NULL;
    worker_t *worker = worker_new(core, core_random(core) | 1, host, kind);
    if (!worker)
        return NULL;
    host->starting++;
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
        worker_said_all(core, worker); // it has nothing, and will not say so
    if (!first || worker->adopted)
        return; // it says what it holds, and then OPEN
    if (worker->host && worker->host->starting > 0)
        worker->host->starting--;
    worker->state = WORKER_ALIVE;
    if (worker->host && worker->kind == START_TASKS)
        worker->host->crashes = 0;
    for (actor_t *actor = worker->actors; actor; actor = actor->worker_next)
        actor_make(core, actor);
    core->schedule = true;
}

// ---- Running ------------------------------------------------------------------------------------

// False: it does not fit into a message, however empty. Not connected now is fine: it is said again.
static bool send_run(core_t *core, worker_t *worker, call_t *call)
{
    session_t *session = worker->session;
    name_tell(core, session, call->target);
    batch_t *batch = notice_batch(core, session);
    if (!batch)
        return true;
    load_t deps[MOB_DEPS_MAX];
    uint32_t count = call->extra ? call->extra->dep_count : 0;
    for (uint32_t i = 0; i < count; i++)
        deps[i] = load_of(call->extra->values[i]);
    msg_run_t run = {.ref = call->id,
                     .attempt = call->attempt,
                     .symbol = call->target,
                     .remaining_ms = call_remaining_ms(core, call),
                     .epoch = core->config.epoch,
                     .args = load_of(call->load),
                     .deps = {.items = deps, .count = count}};
    if (call->actor) {
        run.actor = call->actor->id;
        run.incarnation = call->actor->incarnation;
    }
    if (call->extra)
        run.parent = call->extra->parent;
    if (message_RUN(batch, &run))
        return true;
    batch = outbox_fresh(&session->peer->calls);
    return batch && message_RUN(batch, &run);
}

static void take_in_hand(core_t *core, worker_t *worker, call_t *call)
{
    if (worker->hand_count == 0)
        worker->rated_at += core->now - worker->idle_at; // time without work does not count
    call->worker = worker;
    call->place = worker->session->name;
    call_enlist(call, &worker->hand);
    worker->hand_count++;
    if (call->actor)
        call->actor->in_hand++;
}

void worker_run(core_t *core, worker_t *worker, call_t *call)
{
    bool sent = send_run(core, worker, call);
    if (!sent) {
        outcome_fail(core, call, MOB_ELIMIT, "",
                     "%s: its arguments and the values it depends on do not fit into one message",
                     name_text(core, call->target));
        return;
    }
    call_move(core, call, CALL_LEASED);
    call->have = 0;
    take_in_hand(core, worker, call);
    if (call->kind == CALL_TASK)
        timeline_add(core, EVENT_TASK, call, MOB_OK);
}

// So much work a worker gets ahead, measured by how fast its results come: enough that the wire is never
// idle, and of tasks too little for a slow body to hoard. An actor's calls nobody else could run.
static int64_t ahead_us(const worker_t *worker)
{
    return worker->kind == START_TASKS ? WINDOW_TASK_US : WINDOW_ACTOR_US;
}

static void rate(core_t *core, worker_t *worker)
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

static void go_on(core_t *core, worker_t *worker)
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
static void go_on_with(core_t *core, worker_t *worker, actor_t *actor)
{
    if (actor && !is_shared(worker))
        mailbox_pump(core, actor);
}

void worker_share(core_t *core, worker_t *worker)
{
    if (!is_shared(worker) || worker->hand_count >= worker->window)
        return;
    actor_t *first = worker->actors;
    DL_DELETE2(worker->actors, first, worker_prev, worker_next);
    DL_APPEND2(worker->actors, first, worker_prev, worker_next);
    go_on(core, worker);
}

static call_t *announced(core_t *core, worker_t *worker, mob_ref_t ref); // below
static bool claim(core_t *core, worker_t *worker, call_t *call);

// The call that a worker speaks of, if it is in its hand; else the message is late.
static call_t *in_hand(core_t *core, worker_t *worker, call_t *call, uint32_t attempt)
{
    if (call->worker == worker && call->attempt == attempt)
        return call;
    if (claim(core, worker, call)) {
        call->attempt = (uint16_t)attempt;
        return call;
    }
    core->count.late_results++;
    return NULL;
}

// The actor whose constructor a worker speaks of, if it is one in its charge.
static actor_t *maker(const worker_t *worker, const call_t *call)
{
    bool making = call && call->kind == CALL_MAKING && call->actor && call->actor->worker == worker;
    return making ? call->actor : NULL;
}

void worker_result(core_t *core, worker_t *worker, const msg_result_t *result)
{
    session_taken(core, worker->session);
    call_t *call = call_find(core, result->ref);
    actor_t *actor = maker(worker, call);
    if (actor) {
        if (result->attempt == actor->incarnation)
            actor_made(core, actor);
        return;
    }
    call = call ? in_hand(core, worker, call, result->attempt) : announced(core, worker, result->ref);
    if (!call)
        return;
    rate(core, worker);
    actor = call->actor;
    call_out_of_hand(core, call);
    if (call->state == CALL_FINAL) {
        core->count.late_results++;
        if (call->dropped)
            outcome_drop(core, call);
    } else {
        outcome_value(core, call, load_keep(result->value));
    }
    go_on_with(core, worker, actor);
}

static void fill_place(const core_t *core, const worker_t *worker, failure_t *failure)
{
    failure->host = worker->host ? name_text(core, worker->host->session->name) : "";
    failure->pid = worker->pid;
}

// A failure that the body reported and that the caller asked to try again.
static bool try_again(const call_t *call, const msg_fail_t *fail)
{
    if (fail->code != MOB_ETASK || !call->extra ||
        (call->retries >= 0 && call->attempt >= call->retries))
        return false;
    for (int i = 0; i < MOB_RETRY_MAX; i++) {
        int64_t code = call->extra->retry_on[i];
        if (code && (code == fail->app_code || code == MOB_ANY_CODE))
            return true;
    }
    return false;
}

static void failed(core_t *core, worker_t *worker, call_t *call, const msg_fail_t *fail)
{
    char text[MOB_TEXT_MAX + 1], trace[MOB_TEXT_MAX + 1];
    memcpy(text, fail->text.data, fail->text.size);
    text[fail->text.size] = '\0';
    memcpy(trace, fail->trace.data, fail->trace.size);
    trace[fail->trace.size] = '\0';
    bool earlier = fail->executed == MOB_NOT_EXECUTED &&
                   (call->attempt > 0 || call->old_epoch); // the worker knows only of this run
    failure_t failure = {.err = (mob_err_t)fail->code,
                         .root = (mob_err_t)fail->code,
                         .executed = earlier ? MOB_MAYBE_EXECUTED : fail->executed,
                         .code = fail->app_code,
                         .attempts = call->attempt + (fail->executed ? 1u : 0u),
                         .cause = fail->cause,
                         .reason = text,
                         .trace = trace};
    fill_place(core, worker, &failure);
    if (fail->code == MOB_EDEAD)
        failure.why = "EXIT";
    outcome_failure(core, call, &failure);
}

static void retry(core_t *core, call_t *call)
{
    failure_t none = {.err = MOB_ETASK};
    if (call->kind == CALL_TASK) {
        call_lost(core, call, &none);
        return;
    }
    call_out_of_hand(core, call);
    call->attempt++;
    core->count.retries++;
    timeline_add(core, EVENT_RETRY, call, MOB_ETASK);
    call_move(core, call, CALL_GIVEN);
}

void worker_fail(core_t *core, worker_t *worker, const msg_fail_t *fail)
{
    session_taken(core, worker->session);
    call_t *call = call_find(core, fail->ref);
    actor_t *actor = maker(worker, call);
    if (actor) {
        char text[MOB_TEXT_MAX + 1];
        memcpy(text, fail->text.data, fail->text.size);
        text[fail->text.size] = '\0';
        failure_t failure = {.err = (mob_err_t)fail->code, .code = fail->app_code, .reason = text};
        if (fail->attempt == actor->incarnation)
            actor_unmade(core, actor, &failure);
        return;
    }
    call = call ? in_hand(core, worker, call, fail->attempt) : announced(core, worker, fail->ref);
    if (!call)
        return;
    rate(core, worker);
    actor = call->actor;
    bool left = fail->code == MOB_EDEAD && actor;
    if (call->state == CALL_FINAL) {
        call_out_of_hand(core, call);
        if (call->dropped)
            outcome_drop(core, call);
    } else if (try_again(call, fail)) {
        retry(core, call);
    } else {
        call_out_of_hand(core, call);
        failed(core, worker, call, fail);
    }
    if (left)
        actor_left(core, actor);
    else
        go_on_with(core, worker, actor);
}

// ---- Giving back --------------------------------------------------------------------------------

void worker_give(core_t *core, worker_t *worker, refs_t refs)
{
    call_t *back[MOB_REFS_MAX];
    uint32_t count = 0;
    while (refs.count > 0) {
        call_t *call = call_find(core, refs_next(&refs));
        if (call && call->worker == worker && call->kind == CALL_TASK)
            back[count++] = call;
    }
    while (count-- > 0) { // last one first: the first one ends up in front
        call_t *call = back[count];
        call_out_of_hand(core, call);
        if (call->state == CALL_SENT)
            call_move(core, call, CALL_GIVEN);
        else if (call->dropped)
            outcome_drop(core, call);
    }
    if (worker->kind != START_TASKS)
        return;
    worker->window = 1; // its body is slow: nothing ahead until it has ended
    worker->results = 0;
    worker->rated_at = core->now;
}

void worker_blocked(core_t *core, worker_t *worker, refs_t refs)
{
    worker_give(core, worker, refs);
    worker->blocked = true;
    core->schedule = true;
}

void worker_resumed(core_t *core, worker_t *worker)
{
    worker->blocked = false;
    core->schedule = true;
}

// ---- Asking -------------------------------------------------------------------------------------

void worker_cancel(core_t *core, const call_t *call, uint32_t flags)
{
    worker_t *worker = call->worker;
    if (flags & MOB_CANCEL_FORCE && call->kind == CALL_TASK && worker->hand == call) {
        worker_kill(core, worker);
        return;
    }
    batch_t *batch = worker->session ? notice_batch(core, worker->session) : NULL;
    if (batch)
        message_CANCEL(batch, &(msg_cancel_t){.ref = call->id, .flags = flags});
}

void worker_kill(core_t *core, worker_t *worker)
{
    worker->killed = true;
    batch_t *batch = worker->host ? notice_batch(core, worker->host->session) : NULL;
    if (batch)
        message_KILL(batch, &(msg_kill_t){.worker = worker->owner});
}

void worker_stop(core_t *core, worker_t *worker, mob_ref_t actor)
{
    batch_t *batch = worker->session ? notice_batch(core, worker->session) : NULL;
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
    fill_place(core, worker, out);
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

static void worker_free(core_t *core, worker_t *worker)
{
    if (worker->session)
        worker->session->worker = NULL;
    host_t *host = worker->host;
    if (host) {
        DL_DELETE(host->workers, worker);
        host->worker_count--;
        if (worker->state == WORKER_STARTING && host->starting > 0)
            host->starting--;
        if (host->shared == worker)
            host->shared = NULL;
    }
    HASH_DEL(core->workers, worker);
    core->count.workers--;
    core->room = core->unplaced;
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

// ---- After a reconnect, or a new broker ---------------------------------------------------------

// A result or HAVE of a call that this broker does not know: an earlier one sent it out.
static call_t *announced(core_t *core, worker_t *worker, mob_ref_t ref)
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
    take_in_hand(core, worker, call);
    return call;
}

// Its caller sent it again before the worker spoke of it. False: it is not such a call.
static bool claim(core_t *core, worker_t *worker, call_t *call)
{
    if (call->state > CALL_READY || !call->old_epoch || !worker->adopted || call->kind > CALL_METHOD)
        return false;
    actor_t *actor = call->actor;
    if (call->kind == CALL_METHOD && actor)
        mailbox_left(core, actor, call);
    call_unlist(call);
    if (actor && actor->worker != worker)
        call->actor = NULL;
    call->state = CALL_SENT;
    call->missing = 0; // it has them
    take_in_hand(core, worker, call);
    return true;
}

void worker_have(core_t *core, worker_t *worker, const msg_have_t *have)
{
    call_t *call = call_find(core, have->ref);
    if (call && call->worker == worker) {
        call->have = 1;
        return;
    }
    if (!call)
        call = announced(core, worker, have->ref);
    else if (!claim(core, worker, call))
        return;
    if (!call)
        return;
    call->attempt = (uint16_t)have->attempt;
    call->have = 1;
}

void worker_holds_actors(worker_t *worker)
{
    if (worker->kind != START_TASKS)
        return;
    worker->kind = START_ACTOR;
    worker->window = window_min(worker);
}

void worker_hold(core_t *core, worker_t *worker, const msg_hold_t *hold)
{
    call_t *making = call_find(core, hold->actor);
    if (maker(worker, making))
        making->actor->held = true;
    actor_t *actor = making && making->list == &core->parked ? making->actor : NULL;
    if (!worker->adopted || maker(worker, making))
        return;
    worker_holds_actors(worker);
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
        if (call->have)
            continue;
        if (call->state == CALL_SENT)
            send_run(core, worker, call);
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

void worker_said_all(core_t *core, worker_t *worker)
{
    worker->restating = false;
    if (worker->adopted && worker->state == WORKER_STARTING)
        worker->state = WORKER_ALIVE;
    say_all_again(core, worker);
    say_actors_again(core, worker);
    call_t *call;
    DL_FOREACH(worker->hand, call) call->have = 0;
    go_on(core, worker);
    core->schedule = true;
}
