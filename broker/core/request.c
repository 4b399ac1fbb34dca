// request.c - what sessions ask for, one handler a request: admit.c lets it in, this decides where it goes. What
// becomes of a call then is call.c's.

#include "request.h"

#include <string.h>

#include "actor.h"
#include "admit.h"
#include "call.h"
#include "demand.h"
#include "refcount.h"
#include "internal.h"
#include "letter.h"
#include "mailbox.h"
#include "name.h"
#include "notice.h"
#include "once.h"
#include "outcome.h"
#include "prelude.h"
#include "query.h"
#include "rejoin.h"
#include "session.h"
#include "shape.h"
#include "store.h"
#include "timeline.h"
#include "worker.h"

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
    opts_t own;
    call_t *call =
        admit_call(core, session, submit->seq, CALL_TASK, &submit->args, submit->opts, &own);
    if (!call)
        return;
    call->target = session_name_of(session, submit->task);
    call->old_epoch = admit_is_old(core, submit->epoch);
    if (!admit_work(core, session, call, submit->parent))
        return;
    def_t *def = def_of(core, call->target, call->space);
    if (!def || !admit_parent(call, submit->parent)) {
        outcome_fail(core, call, MOB_ENOMEM, "", "the broker is out of memory");
        return;
    }
    admit_options(core, call, &own, &def->opts, RETRIES_TASK);
    core->count.tasks++;
    if (own.key.size && !once_enter(core, call, own.key, (mob_ref_t){0, 0}, submit->deps))
        return;
    if (!admit_place(core, call, &own, def) || !admit_inner(core, call, submit->inner) ||
        !admit_deps(core, call, submit->deps))
        return;
    if (call->old_epoch && core->rejoin_at)
        rejoin_park(core, call);
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
    else if (!mailbox_choose(core, actor, call) && actor->def->kind)
        mailbox_refuse_lane(core, actor, call);
    else if (actor->state == ACTOR_RESTARTING && call->retries == 0)
        outcome_fail(core, call, MOB_EUNAVAILABLE, "RESTARTING",
                     "%s \"%s\" is restarting (incarnation %u)", name_text(core, actor->cls),
                     actor_display(core, actor), actor->incarnation);
    else if (mailbox_full_for(actor, call->owner))
        outcome_fail(core, call, MOB_EFULL, "PENDING", "%s \"%s\": %u calls of this caller are open",
                     name_text(core, actor->cls), actor_display(core, actor), actor->max_pending);
    else if (mailbox_full(actor))
        outcome_fail(core, call, MOB_EFULL, "MAILBOX", "%s \"%s\": mailbox full (%u calls)",
                     name_text(core, actor->cls), actor_display(core, actor), actor->mailbox_max);
    else
        return true;
    return false;
}

void request_enter(core_t *core, actor_t *actor, call_t *call)
{
    if (enters(core, actor, call))
        mailbox_admit(core, actor, call);
}

static void method_options(core_t *core, const actor_t *actor, call_t *call, const opts_t *own)
{
    static const opts_t none;
    const method_t *method = actor ? def_method(actor->def, call->target) : NULL;
    admit_options(core, call, own, method ? &method->opts : &none,
                  actor ? actor->max_task_retries : 0);
}

// Of those with its key. A handle may be a name's: the actor counts.
static bool is_first(core_t *core, call_t *call, const opts_t *own, const actor_t *actor,
                     const msg_call_t *request)
{
    if (own->key.size && call_extra(call))
        call->extra->actor = request->actor; // one that shares a run goes to no actor
    return own->key.size == 0 ||
           once_enter(core, call, own->key, actor ? actor->id : request->actor, request->deps);
}

void request_call(core_t *core, session_t *session, const message_t *message)
{
    const msg_call_t *request = &message->call;
    opts_t own;
    call_t *call =
        admit_call(core, session, request->seq, CALL_METHOD, &request->args, request->opts, &own);
    if (!call)
        return;
    call->target = session_name_of(session, request->method);
    call->incarnation = request->incarnation;
    call->old_epoch = admit_is_old(core, request->epoch);
    core->aim = (aim_t){call->id, request->actor};
    if (!admit_work(core, session, call, request->parent))
        return;
    actor_t *actor = actor_find(core, request->actor, session->space);
    method_options(core, actor, call, &own);
    core->count.calls++;
    call->actor = actor; // for the record only
    timeline_add(core, call->forget ? EVENT_TELL : EVENT_CALL, call, MOB_OK);
    call->actor = NULL;
    if (!admit_parent(call, request->parent) || !is_first(core, call, &own, actor, request) ||
        !admit_inner(core, call, request->inner) || !admit_deps(core, call, request->deps))
        return;
    if (actor) {
        request_enter(core, actor, call);
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
        making->kind = CALL_QUERY;
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
    refcount_one(core, &making->extra->value, there->id); // who made it is not the only one to hold it
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
        rejoin_park(core, making);
    else
        start_task(core, making);
    if (core->parked)
        rejoin_unpark(core, actor);
}

void request_spawn(core_t *core, session_t *session, const message_t *message)
{
    const msg_spawn_t *spawn = &message->spawn;
    call_t *making = admit(core, session, spawn->seq, CALL_MAKING, &spawn->args);
    if (!making)
        return;
    making->target = session_name_of(session, spawn->cls);
    making->old_epoch = admit_is_old(core, spawn->epoch);
    opts_t opts = opts_read(spawn->opts);
    if (!admit_work(core, session, making, spawn->parent)) {
        making->kind = CALL_QUERY; // no actor stands behind it
        return;
    }
    if (!take_name(core, session, making, &opts))
        return;
    def_t *def = def_of(core, making->target, making->space);
    bool room = def && admit_parent(making, spawn->parent);
    char wrong[DEMAND_TEXT] = "";
    shape_t *shape = room ? shape_for(core, def, &opts, true, wrong) : NULL;
    actor_t *actor = shape ? actor_new(core, making, &shape, spawn->opts, &opts) : NULL;
    if (!actor) {
        making->kind = CALL_QUERY;
        outcome_fail(core, making, *wrong ? MOB_EARGS : MOB_ENOMEM, "", "%s",
                     *wrong ? wrong : "the broker is out of memory");
        return;
    }
    if (actor->owner)
        actor_belongs(actor, owner_of_actor(core, session, spawn->parent));
    timeline_add(core, EVENT_SPAWN, making, MOB_OK);
    if (opts.name.size && !actor_claim_name(core, actor, name_of(core, opts.name)))
        actor_name_taken(core, actor, name_of(core, opts.name));
    else if (admit_inner(core, making, spawn->inner) && admit_deps(core, making, spawn->deps))
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
    const msg_stop_t *stop = &message->stop;
    actor_t *actor = actor_find(core, stop->actor, session->space);
    bool own = actor && session->worker && actor->worker == session->worker;
    if (stop->how > STOP_ENDED)
        session_error(core, session->peer, MOB_EARGS, "RANGE", stop->actor, "how is 0 to 3");
    else if (actor && stop->how != STOP_ENDED)
        actor_stop(core, actor, stop->how, CAUSE_STOP);
    else if (own) // else an earlier incarnation of it
        actor_stopped(core, actor);
}

// ---- Objects and questions ----------------------------------------------------------------------

void request_put(core_t *core, session_t *session, const message_t *message)
{
    call_t *call = admit(core, session, message->put.seq, CALL_OBJECT, &message->put.value);
    if (!call)
        return;
    if (core_heavy(core)) {
        call->kind = CALL_QUERY; // so that the owner is told
        outcome_fail(core, call, MOB_EFULL, "MEMORY", "the broker is above 80 %% of its memory");
        return;
    }
    timeline_add(core, EVENT_PUT, call, MOB_OK);
    if (refcount_value(core, call, message->put.inner)) {
        if (session->store)
            session->store->puts++;
        outcome_value(core, call, blob_hold(call->load));
        return;
    }
    call->kind = CALL_QUERY;
    outcome_fail(core, call, MOB_ENOMEM, "", "the broker is out of memory");
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

// ---- Dead letters -------------------------------------------------------------------------------

// Whatever comes of it, the letter has gone: a failure writes a new one.
static void resend(core_t *core, call_t *call, const letter_t *letter)
{
    actor_t *actor = call->kind == CALL_METHOD ? letter_actor(core, letter) : NULL;
    core->aim = (aim_t){call->id, letter->actor};
    if (call->kind == CALL_METHOD)
        timeline_add(core, EVENT_CALL, call, MOB_OK);
    core->count.calls += call->kind == CALL_METHOD;
    core->count.tasks += call->kind == CALL_TASK;
    if (!admit_deps(core, call, letter_deps(letter)))
        return;
    if (actor)
        request_enter(core, actor, call);
    else if (call->kind == CALL_METHOD)
        refuse_unknown(core, call, letter->actor);
    else
        start_task(core, call);
}

// A broker counts letters from 1 on: what was meant for those of another one must not hit its own.
static bool is_of_earlier(core_t *core, call_t *call, uint64_t epoch)
{
    if (!admit_is_old(core, epoch))
        return false;
    outcome_failure(core, call,
                    &(failure_t){.err = MOB_EGONE,
                                 .root = MOB_EGONE,
                                 .executed = MOB_MAYBE_EXECUTED,
                                 .reason = "the broker that kept these dead letters has ended"});
    return true;
}

void request_retry(core_t *core, session_t *session, const message_t *message)
{
    char name[LETTER_NAME];
    letter_t *letter = letter_find(core, message->retry.letter);
    call_t *call = admit(core, session, message->retry.seq, CALL_QUERY, NULL);
    if (!call || is_of_earlier(core, call, message->retry.epoch))
        return;
    letter_name(name, message->retry.letter);
    call->target = letter ? letter->target : 0;
    if (!letter)
        outcome_fail(core, call, MOB_ENOTFOUND, "", "there is no dead letter %s", name);
    else if (letter->returns != 1)
        outcome_fail(core, call, MOB_EARGS, "", "%s: its caller alone can take %s", name,
                     letter->returns == MOB_STREAM ? "the items of a stream" : "several results");
    else if (!admit_work(core, session, call, (mob_ref_t){0, 0}))
        return;
    else if (!letter_refill(core, letter, call))
        outcome_fail(core, call, MOB_ENOMEM, "", "the broker is out of memory");
    else {
        letter_take(core, letter); // what is written meanwhile must not push it out
        resend(core, call, letter);
        letter_free(core, &letter);
    }
}

void request_discard(core_t *core, session_t *session, const message_t *message)
{
    char reason[MOB_TEXT_MAX];
    filter_t filter;
    call_t *call = admit(core, session, message->discard.seq, CALL_QUERY, NULL);
    if (!call || is_of_earlier(core, call, message->discard.epoch))
        return;
    if (query_parse(message->discard.filter, &filter, reason, sizeof reason))
        outcome_value(core, call, query_number(letter_discard(core, &filter)));
    else
        outcome_fail(core, call, MOB_EARGS, "", "%s", reason);
}

// ---- Later --------------------------------------------------------------------------------------

void request_resume(core_t *core, call_t *call)
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
        request_enter(core, actor, call);
    else
        refuse_unknown(core, call, call->extra->actor);
}

void request_drain(core_t *core)
{
    uint32_t at = 0;
    for (call_t *call; (call = call_next(core, &at)) != NULL;)
        if (call->state < CALL_SENT && call->kind <= CALL_METHOD)
            outcome_fail(core, call, MOB_EBROKER, "DRAIN", "the broker is stopping");
}
