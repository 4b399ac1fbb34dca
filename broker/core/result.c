// result.c - what workers answer: values and failures of calls in their hand, of constructors, and late ones.
// Decides about another try; the outcome itself is outcome.c's.

#include "result.h"

#include <string.h>

#include "actor.h"
#include "borrow.h"
#include "call.h"
#include "name.h"
#include "refcount.h"
#include "outcome.h"
#include "parts.h"
#include "prelude.h"
#include "rejoin.h"
#include "session.h"
#include "stream.h"
#include "timeline.h"
#include "worker.h"

// The call that a worker speaks of, if it is in its hand; else the message is late.
static call_t *in_hand(core_t *core, worker_t *worker, call_t *call, uint32_t attempt)
{
    if (call->worker == worker && call->attempt == attempt) {
        if (call->ends_at && core->now >= call->ends_at && call->state == CALL_SENT)
            call_timer(core, call); // a body that was told to come home gives half of a value, perhaps
        return call;
    }
    if (rejoin_claim(core, worker, call, attempt))
        return call;
    core->count.late_results++;
    return NULL;
}

// Its pieces are not here because they were used: the first time it was said answered the call, wherever that is now.
static bool said_twice(core_t *core, const worker_t *worker, const call_t *call, uint32_t attempt,
                       const refusal_t *refusal)
{
    bool asked = call && call->worker == worker && call->attempt == attempt;
    bool twice = refusal->err == MOB_EPROTO && !asked;
    core->count.late_results += twice;
    return twice;
}

// Called off while it stood in the worker's hand, and then it began all the same.
static void called_off(core_t *core, call_t *call)
{
    timeline_add(core, EVENT_CANCEL, call, MOB_ECANCELLED);
    outcome_fail(core, call, MOB_ECANCELLED, "", "%s: cancelled", name_text(core, call->target));
}

// The body ended well, but its value found no room, or did not come whole.
static void refused(core_t *core, const worker_t *worker, call_t *call, const refusal_t *refusal)
{
    failure_t failure = {.err = refusal->err,
                         .root = refusal->err,
                         .executed = MOB_EXECUTED,
                         .why = refusal->why,
                         .attempts = call->attempt + 1u,
                         .reason = refusal->reason};
    worker_place(core, worker, &failure);
    outcome_failure(core, call, &failure);
}

static void settle(core_t *core, const worker_t *worker, call_t *call, load_t value, loads_t inner)
{
    if (refcount_result(core, call, worker->session, inner))
        outcome_value(core, call, payload_keep(&core->payloads, value));
    else
        outcome_fail(core, call, MOB_ENOMEM, "", "the broker is out of memory");
}

static void value_came(core_t *core, worker_t *worker, const msg_result_t *result, load_t value,
                       const refusal_t *refusal)
{
    call_t *call = call_find(core, result->ref);
    actor_t *actor = worker_makes(worker, call);
    if (actor) {
        if (result->attempt == actor->incarnation)
            actor_made(core, actor);
        return;
    }
    if (said_twice(core, worker, call, result->attempt, refusal))
        return;
    call = call ? in_hand(core, worker, call, result->attempt)
                : rejoin_announced(core, worker, result->ref, result->attempt, 1);
    if (!call)
        return;
    worker_rate(core, worker);
    actor = call->actor;
    call_out_of_hand(core, call);
    if (call->state == CALL_FINAL) {
        core->count.late_results++;
        if (call->dropped)
            outcome_drop(core, call);
    } else if (call->cancelled) {
        called_off(core, call);
    } else if (refusal->err) {
        refused(core, worker, call, refusal);
    } else if (call->extra && call->extra->parts) {
        parts_end(core, call);
    } else {
        settle(core, worker, call, value, result->inner);
    }
    worker_go_on_with(core, worker, actor);
}

// A large one travels with the last of its pieces, and ACCEPT of that says that it is here.
void result_value(core_t *core, worker_t *worker, const msg_result_t *result)
{
    refusal_t refusal = {0};
    borrow_kept(core, worker->session, result->inner);
    if (result->value.form == LOAD_HERE) {
        session_taken(core, worker->session);
        value_came(core, worker, result, result->value, &refusal);
        return;
    }
    blob_t *value = prelude_load(core, worker->session, result->value, &refusal);
    value_came(core, worker, result, load_of(value), &refusal);
    blob_drop(&value);
}

void result_item(core_t *core, worker_t *worker, const msg_item_t *item)
{
    refusal_t refusal = {0};
    if (item->value.form == LOAD_HERE)
        session_taken(core, worker->session);
    blob_t *value = prelude_load(core, worker->session, item->value, &refusal);
    call_t *call = call_find(core, item->ref);
    if (said_twice(core, worker, call, item->attempt, &refusal))
        return;
    call = call ? in_hand(core, worker, call, item->attempt)
                : rejoin_announced(core, worker, item->ref, item->attempt, item->count);
    session_t *from = worker->session;
    if (call && call->state != CALL_FINAL && !parts_item(core, from, call, item, &value, refusal) &&
        !stream_item(core, from, call, item, &value, refusal))
        core->count.late_results++;
    blob_drop(&value);
}

// A failure that the body reported and that the caller asked to try again.
static bool try_again(const core_t *core, const call_t *call, const msg_fail_t *fail)
{
    if (fail->code != MOB_ETASK || !call->extra || !call_may_run_again(core, call))
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
    if (fail->app_code < 0 && fail->app_code >= -MOB_EINTERNAL) // what a wait of the body gave
        failure.root = (mob_err_t)-fail->app_code;
    outcome_follow(core, &failure, fail->cause);
    worker_place(core, worker, &failure);
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
    call_run_again(core, call, MOB_ETASK);
    call_move(core, call, CALL_GIVEN);
}

void result_failure(core_t *core, worker_t *worker, const msg_fail_t *fail)
{
    session_taken(core, worker->session);
    borrow_kept(core, worker->session, fail->inner);
    call_t *call = call_find(core, fail->ref);
    actor_t *actor = worker_makes(worker, call);
    if (actor) {
        char text[MOB_TEXT_MAX + 1];
        memcpy(text, fail->text.data, fail->text.size);
        text[fail->text.size] = '\0';
        failure_t failure = {.err = (mob_err_t)fail->code, .code = fail->app_code, .reason = text};
        if (fail->attempt == actor->incarnation)
            actor_unmade(core, actor, &failure);
        return;
    }
    call = call ? in_hand(core, worker, call, fail->attempt)
                : rejoin_announced(core, worker, fail->ref, fail->attempt, 1);
    if (!call)
        return;
    worker_rate(core, worker);
    actor = call->actor;
    bool left = fail->code == MOB_EDEAD && actor;
    if (call->state == CALL_FINAL) {
        call_out_of_hand(core, call);
        if (call->dropped)
            outcome_drop(core, call);
    } else if (call->cancelled && fail->executed != MOB_NOT_EXECUTED) {
        call_out_of_hand(core, call);
        called_off(core, call);
    } else if (try_again(core, call, fail)) {
        retry(core, call);
    } else {
        call_out_of_hand(core, call);
        failed(core, worker, call, fail);
    }
    if (left)
        actor_left(core, actor);
    else
        worker_go_on_with(core, worker, actor);
}
