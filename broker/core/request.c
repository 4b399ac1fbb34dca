// request.c - requests: admitted in sequence, answered from the table when they were seen before. Decides whether
// a call may enter; what becomes of it then is call.c's.

#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "call.h"
#include "graph.h"
#include "internal.h"
#include "mailbox.h"
#include "name.h"
#include "notice.h"
#include "outcome.h"
#include "query.h"
#include "session.h"
#include "timeline.h"
#include "worker.h"

enum { RETRIES_TASK = 3, SHORT_MAX = INT16_MAX, DROPPED_MAX = 65536 };

// ---- Admission ----------------------------------------------------------------------------------

static void answer_again(core_t *core, session_t *session, call_t *call, const load_t *load)
{
    if (!call)
        return; // dropped meanwhile
    bool other =
        call->state != CALL_FINAL && load && call->load &&
        (call->load->size != load->size || memcmp(call->load->data, load->data, load->size) != 0);
    if (other)
        session_error(core, session->peer, MOB_ESTALE, "DUP_MISMATCH", call->id,
                      "this id was used with other arguments");
    else if (call->state == CALL_FINAL)
        outcome_answer(core, session, call);
}

// The record of a new request, or NULL: seen before (answered), beyond a gap (ACCEPT says where we are), or no memory.
static call_t *admit(core_t *core, session_t *session, uint64_t seq, call_kind_t kind,
                     const load_t *load)
{
    mob_ref_t id = {session->owner, seq};
    if (seq <= session->last) {
        session->told = 0; // say ACCEPT again: the last one may have been lost
        session_admitted(core, session, session->last);
        answer_again(core, session, call_find(core, id), load);
        return NULL;
    }
    if (seq != session->last + 1) {
        session->told = 0;
        session_admitted(core, session, session->last);
        return NULL;
    }
    if (core->announced && call_find(core, id)) { // by a worker, before its caller came back
        session_admitted(core, session, seq);
        answer_again(core, session, call_find(core, id), NULL);
        return NULL;
    }
    call_t *call = call_new(core, session, id, kind);
    if (!call) {
        session_error(core, session->peer, MOB_ENOMEM, "LIMIT", id, "the broker is out of memory");
        return NULL;
    }
    session_admitted(core, session, seq);
    call->space = session->space;
    if (load && load->size) {
        call->load = load_keep(*load);
        core_weigh(core, call->load, 1);
    }
    return call;
}

// Why new work may not enter now; false: it was refused and settled.
static bool welcome_now(core_t *core, session_t *session, call_t *call)
{
    if (core->draining)
        outcome_fail(core, call, MOB_EBROKER, "DRAIN", "the broker is stopping");
    else if (core_heavy(core))
        outcome_fail(core, call, MOB_EFULL, "MEMORY", "the broker is above 80 %% of its memory");
    else if (session->pending > core->config.pending_max)
        outcome_fail(core, call, MOB_EFULL, "PENDING",
                     "more than %u unsettled calls of this session", core->config.pending_max);
    else if (call->target == 0)
        outcome_fail(core, call, MOB_EARGS, "", "a symbol that NAME never bound");
    else
        return true;
    return false;
}

static int64_t either(int64_t own, int64_t defaults)
{
    return own ? own : defaults;
}

static int16_t retries_of(int64_t wish, int64_t otherwise)
{
    int64_t count = wish == 0 ? otherwise : wish == MOB_NONE ? 0 : wish;
    return (int16_t)(count > SHORT_MAX ? SHORT_MAX : count);
}

static bool keep_retry_codes(call_t *call, const opts_t *opts)
{
    if (!opts->retry_1)
        return true;
    call_extra_t *extra = call_extra(call);
    if (!extra)
        return false;
    const int64_t codes[] = {opts->retry_1, opts->retry_2, opts->retry_3, opts->retry_4};
    for (int i = 0; i < MOB_RETRY_MAX; i++)
        extra->retry_on[i] = codes[i];
    return true;
}

static void obey_options(core_t *core, call_t *call, const opts_t *own, const opts_t *defaults,
                         int64_t retries)
{
    int64_t timeout_ms = either(own->timeout_ms, defaults->timeout_ms);
    int64_t delay_us = own->delay_ms > 0 ? own->delay_ms * 1000 : 0;
    call->due_at = delay_us ? core->now + delay_us : 0;
    call->ends_at = timeout_ms > 0 ? core->now + delay_us + timeout_ms * 1000 : 0;
    call->retries = retries_of(either(own->max_retries, defaults->max_retries), retries);
    call->own_retries = own->max_retries != 0;
    call->own_timeout = own->timeout_ms != 0;
    call->priority = (int8_t)either(own->priority, defaults->priority);
    call->unordered = own->unordered || defaults->unordered;
    call->forget = call->dropped = own->forget || own->num_returns == MOB_NONE;
    if (call->ends_at)
        deadline_set(&core->deadlines, &call->deadline, call->ends_at);
    keep_retry_codes(call, own->retry_1 ? own : defaults);
}

void request_defaults(call_t *call, const def_t *def)
{
    if (!call->own_retries)
        call->retries = retries_of(def->opts.max_retries, RETRIES_TASK);
    if (!call->own_timeout && def->opts.timeout_ms > 0)
        call->ends_at = call->at + def->opts.timeout_ms * 1000;
}

static bool keep_parent(call_t *call, mob_ref_t parent)
{
    if (mob_is_none(parent))
        return true;
    call_extra_t *extra = call_extra(call);
    if (extra)
        extra->parent = parent;
    return extra != NULL;
}

static bool is_old(const core_t *core, uint64_t epoch)
{
    return epoch != 0 && epoch != core->config.epoch;
}

// Dependencies; false: one failed, and the call is settled.
static bool keep_deps(core_t *core, call_t *call, refs_t deps)
{
    mob_ref_t failed;
    mob_err_t err = deps.count ? graph_add(core, call, deps, &failed) : MOB_OK;
    if (err == MOB_OK)
        return true;
    call->missing = 0;
    const call_t *dep = err == MOB_EDEP ? call_find(core, failed) : NULL;
    bool known = dep && dep->state == CALL_FINAL && dep->code != MOB_OK;
    if (err == MOB_EDEP)
        outcome_dependency(core, call, failed, known ? dep->code : MOB_EGONE,
                           known ? dep->load : NULL);
    else
        outcome_fail(core, call, err, "", "%s: its dependencies", name_text(core, call->target));
    return false;
}

static void park(core_t *core, call_t *call)
{
    call_enlist(call, &core->parked);
}

// ---- Tasks --------------------------------------------------------------------------------------

static void start_task(core_t *core, call_t *call)
{
    if (call->missing == 0)
        call_argued(core, call);
}

// An earlier broker may have sent it out, and no worker has spoken of it.
static void start_old_task(core_t *core, call_t *call)
{
    if (call->retries != 0) {
        start_task(core, call);
        return;
    }
    outcome_failure(core, call,
                    &(failure_t){.err = MOB_EBROKER,
                                 .root = MOB_EBROKER,
                                 .executed = MOB_MAYBE_EXECUTED,
                                 .why = "LOST",
                                 .reason = "sent out by an earlier broker; no worker claims it"});
}

void request_submit(core_t *core, session_t *session, const message_t *message)
{
    const msg_submit_t *submit = &message->submit;
    call_t *call = admit(core, session, submit->seq, CALL_TASK, &submit->args);
    if (!call)
        return;
    call->target = session_name_of(session, submit->task);
    call->old_epoch = is_old(core, submit->epoch);
    if (!welcome_now(core, session, call))
        return;
    def_t *def = def_of(core, call->target, call->space);
    if (!def || !keep_parent(call, submit->parent)) {
        outcome_fail(core, call, MOB_ENOMEM, "", "the broker is out of memory");
        return;
    }
    opts_t own = {0};
    if (submit->opts.size)
        own = opts_read(submit->opts);
    obey_options(core, call, &own, &def->opts, RETRIES_TASK);
    core->count.tasks++;
    if (!keep_deps(core, call, submit->deps))
        return;
    if (call->old_epoch && core->rejoin_at)
        park(core, call);
    else if (call->old_epoch)
        start_old_task(core, call);
    else
        start_task(core, call);
}

// ---- Actors -------------------------------------------------------------------------------------

static void refuse_unknown(core_t *core, call_t *call, mob_ref_t actor)
{
    const call_t *handle = call_find(core, actor);
    if (handle && handle->kind == CALL_FIND)
        outcome_fail(core, call, MOB_ENOTFOUND, "", "no actor is named \"%s\"", handle->extra->find);
    else if (call->old_epoch)
        outcome_failure(core, call,
                        &(failure_t){.err = MOB_EDEAD,
                                     .root = MOB_EDEAD,
                                     .executed = MOB_MAYBE_EXECUTED,
                                     .why = "UNKNOWN",
                                     .reason = "the actor did not come back"});
    else
        outcome_fail(core, call, MOB_EDEAD, "UNKNOWN", "no such actor: it has ended, or never was");
}

// In an older epoch it may have run in the incarnation that was alive then; in a later one it must not run again.
// Only of the first incarnation is it known that none was before; it remembers itself what it ran.
static bool may_have_run(const actor_t *actor, const call_t *call)
{
    bool first = actor->incarnation == 1 && actor->adopted == 1;
    return call->old_epoch && !first && call->retries == 0;
}

static bool enters(core_t *core, actor_t *actor, call_t *call)
{
    if (!actor_takes_calls(actor))
        actor_refuse(core, actor, call);
    else if (call->incarnation && call->incarnation != actor->incarnation)
        outcome_fail(core, call, MOB_EDEAD, "UNKNOWN", "incarnation %u has ended, %u lives",
                     call->incarnation, actor->incarnation);
    else if (may_have_run(actor, call))
        outcome_failure(
            core, call,
            &(failure_t){.err = MOB_EUNAVAILABLE,
                         .root = MOB_EUNAVAILABLE,
                         .executed = MOB_MAYBE_EXECUTED,
                         .reason = "sent before the broker and the actor were restarted"});
    else if (actor->def->kind == DEF_CLASS && !def_method(actor->def, call->target))
        outcome_fail(core, call, MOB_ENOTFOUND, "", "%s has no method \"%s\"",
                     name_text(core, actor->cls), name_text(core, call->target));
    else if (actor->state == ACTOR_RESTARTING && call->retries == 0)
        outcome_fail(core, call, MOB_EUNAVAILABLE, "RESTARTING",
                     "%s \"%s\" is restarting (incarnation %u)", name_text(core, actor->cls),
                     actor_display(core, actor), actor->incarnation);
    else if (mailbox_full(actor))
        outcome_fail(core, call, MOB_EFULL, "MAILBOX", "%s \"%s\": mailbox full (%u calls)",
                     name_text(core, actor->cls), actor_display(core, actor), actor->waiting);
    else
        return true;
    return false;
}

static void enter(core_t *core, actor_t *actor, call_t *call)
{
    if (enters(core, actor, call))
        mailbox_admit(core, actor, call);
}

static void method_options(core_t *core, const actor_t *actor, call_t *call, opts_field_t field)
{
    static const opts_t none;
    opts_t own = none;
    if (field.size)
        own = opts_read(field);
    const method_t *method = actor ? def_method(actor->def, call->target) : NULL;
    obey_options(core, call, &own, method ? &method->opts : &none,
                 actor ? actor->max_task_retries : 0);
}

void request_call(core_t *core, session_t *session, const message_t *message)
{
    const msg_call_t *request = &message->call;
    call_t *call = admit(core, session, request->seq, CALL_METHOD, &request->args);
    if (!call)
        return;
    call->target = session_name_of(session, request->method);
    call->incarnation = request->incarnation;
    call->old_epoch = is_old(core, request->epoch);
    if (!welcome_now(core, session, call))
        return;
    actor_t *actor = actor_find(core, request->actor, session->space);
    method_options(core, actor, call, request->opts);
    core->count.calls++;
    call->actor = actor; // for the record only
    timeline_add(core, call->forget ? EVENT_TELL : EVENT_CALL, call, MOB_OK);
    call->actor = NULL;
    if (!keep_parent(call, request->parent) || !keep_deps(core, call, request->deps))
        return;
    if (actor) {
        enter(core, actor, call);
    } else if (core->rejoin_at && call_extra(call)) {
        call->extra->actor = request->actor;
        call_enlist(call, &core->parked);
    } else {
        refuse_unknown(core, call, request->actor);
    }
}

// A name that is taken: the existing actor when asked for, else an error. False: settled here.
static bool take_name(core_t *core, session_t *session, call_t *making, const opts_t *opts)
{
    making->space = opts->space.size ? name_of(core, opts->space) : session->space;
    if (opts->get_if_exists && opts->name.size == 0) {
        outcome_fail(core, making, MOB_EARGS, "", "get_if_exists needs a name");
        return false;
    }
    actor_t *there =
        opts->name.size ? actor_named(core, making->space, name_of(core, opts->name)) : NULL;
    if (!there || !opts->get_if_exists)
        return true;
    if (!call_extra(making))
        return true;
    making->kind = CALL_FIND;
    making->extra->parent = there->id;
    making->extra->find = strdup("");
    notice_outcome(core, session, making);
    outcome_value(core, making, NULL);
    return false;
}

// In a task an actor belongs to the task's caller: the worker that made it serves others next.
static session_t *owner_of_actor(const core_t *core, session_t *session, mob_ref_t parent)
{
    const call_t *task = mob_is_none(parent) ? NULL : call_find(core, parent);
    return task && task->kind == CALL_TASK && task->owner ? task->owner : session;
}

// An earlier broker may have made it: then a worker will say HOLD.
static void begin_making(core_t *core, call_t *making)
{
    actor_t *actor = making->actor;
    if (making->old_epoch && core->rejoin_at)
        park(core, making);
    else
        start_task(core, making);
    if (core->parked)
        request_unpark(core, actor);
}

void request_spawn(core_t *core, session_t *session, const message_t *message)
{
    const msg_spawn_t *spawn = &message->spawn;
    call_t *making = admit(core, session, spawn->seq, CALL_MAKING, &spawn->args);
    if (!making)
        return;
    making->target = session_name_of(session, spawn->cls);
    making->old_epoch = is_old(core, spawn->epoch);
    opts_t opts = opts_read(spawn->opts);
    if (!welcome_now(core, session, making) || !take_name(core, session, making, &opts))
        return;
    def_t *def = def_of(core, making->target, making->space);
    actor_t *actor = def ? actor_new(core, making, def, spawn->opts, &opts) : NULL;
    if (!actor || !keep_parent(making, spawn->parent)) {
        making->kind = CALL_OBJECT;
        outcome_fail(core, making, MOB_ENOMEM, "", "the broker is out of memory");
        return;
    }
    if (actor->owner)
        actor->owner = owner_of_actor(core, session, spawn->parent);
    timeline_add(core, EVENT_SPAWN, making, MOB_OK);
    if (opts.name.size && !actor_claim_name(core, actor, name_of(core, opts.name)))
        actor_name_taken(core, actor, name_of(core, opts.name));
    else if (keep_deps(core, making, spawn->deps))
        begin_making(core, making);
}

void request_find(core_t *core, session_t *session, const message_t *message)
{
    const msg_find_t *find = &message->find;
    call_t *call = admit(core, session, find->seq, CALL_FIND, NULL);
    if (!call || !call_extra(call))
        return;
    call->extra->find = strndup(find->name.size ? find->name.data : "", find->name.size);
    outcome_value(core, call, NULL);
}

void request_end(core_t *core, session_t *session, const message_t *message)
{
    const msg_end_t *end = &message->end;
    call_t *call = admit(core, session, end->seq, CALL_END, NULL);
    if (!call)
        return;
    actor_t *actor = actor_find(core, end->actor, session->space);
    if (actor)
        actor_watch_end(core, actor, call);
    else
        outcome_value(core, call, query_text("UNKNOWN"));
}

void request_stop(core_t *core, session_t *session, const message_t *message)
{
    if (session->host && message->stop.actor.owner == session->owner && message->stop.actor.seq == 0) {
        host_retire(core, session->host);
        return;
    }
    actor_t *actor = actor_find(core, message->stop.actor, session->space);
    if (!actor)
        return;
    if (session->worker && actor->worker == session->worker)
        actor_stopped(core, actor);
    else
        actor_stop(core, actor, message->stop.how, CAUSE_STOP);
}

// ---- Objects and questions ----------------------------------------------------------------------

void request_put(core_t *core, session_t *session, const message_t *message)
{
    call_t *call = admit(core, session, message->put.seq, CALL_OBJECT, NULL);
    if (!call)
        return;
    if (core_heavy(core)) {
        call->kind = CALL_QUERY; // so that the owner is told
        outcome_fail(core, call, MOB_EFULL, "STORE", "the broker is above 80 %% of its memory");
        return;
    }
    timeline_add(core, EVENT_PUT, call, MOB_OK);
    outcome_value(core, call, load_keep(message->put.value));
}

void request_query(core_t *core, session_t *session, const message_t *message)
{
    const msg_query_t *query = &message->query;
    call_t *call = admit(core, session, query->seq, CALL_QUERY, NULL);
    if (!call)
        return;
    char reason[MOB_TEXT_MAX];
    mob_err_t err = MOB_OK;
    blob_t *value =
        query_answer(core, session, query->what, query->filter, &err, reason, sizeof reason);
    if (value)
        outcome_value(core, call, value);
    else
        outcome_fail(core, call, err, "", "%s", reason);
}

// ---- About refs ---------------------------------------------------------------------------------

// What can be said of a ref that the table does not have; false: nothing yet.
static bool fate(const core_t *core, const session_t *session, mob_ref_t ref, failure_t *out)
{
    bool own = ref.owner == session->owner;
    if (core->rejoin_at || (own && ref.seq > session->last))
        return false;
    if (own && ref.seq <= session->floor)
        *out = (failure_t){.err = MOB_EBROKER,
                           .executed = MOB_MAYBE_EXECUTED,
                           .why = "LOST",
                           .reason = "lost with the broker that knew it; nobody claims this call"};
    else
        *out = (failure_t){.err = MOB_EGONE,
                           .executed = MOB_EXECUTED,
                           .why = "FREED",
                           .reason = "the value was freed, or never was"};
    out->root = out->err;
    return true;
}

void request_ask(core_t *core, session_t *session, const message_t *message)
{
    refs_t refs = message->ask.refs;
    while (refs.count > 0 && session->peer) {
        mob_ref_t ref = refs_next(&refs);
        const call_t *call = call_find(core, ref);
        failure_t failure;
        if (call && call->state == CALL_FINAL)
            outcome_answer(core, session, call);
        else if (!call && fate(core, session, ref, &failure))
            outcome_answer_failure(core, session, ref, &failure);
    }
}

void request_watch(core_t *core, session_t *session, const message_t *message)
{
    refs_t refs = message->watch.refs;
    while (refs.count > 0 && session->peer) {
        mob_ref_t ref = refs_next(&refs);
        call_t *call = call_find(core, ref);
        failure_t failure;
        if (call && call->state == CALL_FINAL)
            outcome_answer(core, session, call);
        else if (call)
            graph_watch(core, call, session);
        else if (fate(core, session, ref, &failure))
            outcome_answer_failure(core, session, ref, &failure);
    }
}

void request_cancel(core_t *core, session_t *session, const message_t *message)
{
    call_t *call = call_find(core, message->cancel.ref);
    if (!call)
        return;
    if (call->space != session->space)
        session_error(core, session->peer, MOB_EDENIED, "DENIED", call->id,
                      "a call of another namespace");
    else if (message->cancel.flags & MOB_CANCEL_FORCE && call->kind == CALL_METHOD)
        session_error(core, session->peer, MOB_EARGS, "RANGE", call->id,
                      "an actor call cannot be cancelled by force");
    else
        call_cancel(core, call, message->cancel.flags, session);
}

// Said before a worker announced it: then it is dropped when it is there. Too many: kept until the owner ends.
static void remember_drop(core_t *core, mob_ref_t ref, uint64_t count)
{
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

static actor_t *dropped_actor(const core_t *core)
{
    actor_t *actor;
    DL_FOREACH(core->actors, actor)
    {
        if (actor->adopted && !actor->making->dropped && was_dropped(core, actor->id))
            return actor;
    }
    return NULL;
}

static void drop_announced(core_t *core)
{
    for (session_t *session = core->dropped_count ? core->sessions : NULL; session;
         session = session->hh.next) {
        call_t *call, *next;
        DL_FOREACH_SAFE2(session->calls, call, next, own_next)
        {
            if (call->kind == CALL_TASK && !call->dropped && was_dropped(core, call->id))
                outcome_drop(core, call);
        }
    }
    for (actor_t *actor; core->dropped_count && (actor = dropped_actor(core)) != NULL;)
        outcome_drop(core, actor->making);
    free(core->dropped);
    core->dropped = NULL;
    core->dropped_count = core->dropped_room = 0;
}

void request_drop(core_t *core, session_t *session, const message_t *message)
{
    mob_ref_t ref = message->drop.ref;
    if (ref.owner != session->owner) {
        call_t *call = call_find(core, ref);
        if (call && call->kept)
            outcome_drop(core, call);
        else if (call)
            graph_unwatch(call, session);
        return;
    }
    uint64_t count = message->drop.count,
             most = ref.seq <= session->last ? session->last - ref.seq + 1 : 0;
    count = count < most ? count : most;
    if (core->rejoin_at && count > 0)
        remember_drop(core, ref, count);
    for (; count > 0; count--, ref.seq++) {
        call_t *call = call_find(core, ref);
        if (call)
            outcome_drop(core, call);
    }
}

// ---- Exceptions ---------------------------------------------------------------------------------

void request_malformed(core_t *core, session_t *session, uint64_t seq, mob_err_t code,
                       const char *text)
{
    call_t *call = admit(core, session, seq, CALL_QUERY, NULL);
    if (call)
        outcome_fail(core, call, code, "", "%s", text);
}

static void unpark(core_t *core, call_t *call)
{
    if (call->kind == CALL_TASK) {
        start_old_task(core, call);
        return;
    }
    if (call->kind != CALL_METHOD) {
        start_task(core, call);
        return;
    }
    actor_t *actor = actor_find(core, call->extra->actor, call->space);
    if (actor)
        enter(core, actor, call);
    else
        refuse_unknown(core, call, call->extra->actor);
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
void request_unpark(core_t *core, actor_t *actor)
{
    for (call_t *call; (call = parked_for(core, actor)) != NULL;) {
        call_unlist(call);
        enter(core, actor, call);
    }
}

void request_rejoin_over(core_t *core)
{
    drop_announced(core);
    while (core->parked) {
        call_t *call = core->parked;
        call_unlist(call);
        unpark(core, call);
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

void request_drain(core_t *core)
{
    session_t *session, *next_session;
    HASH_ITER(hh, core->sessions, session, next_session)
    {
        call_t *call, *next;
        DL_FOREACH_SAFE2(session->calls, call, next, own_next)
        {
            if (call->state < CALL_SENT && call->kind <= CALL_METHOD)
                outcome_fail(core, call, MOB_EBROKER, "DRAIN", "the broker is stopping");
        }
    }
}
