// ref.c - what sessions do with refs that they have: ask, watch, cancel, drop. Owns nothing; what a call
// goes through then is call.c's and outcome.c's.

#include "ref.h"

#include "admit.h"
#include "borrow.h"
#include "call.h"
#include "graph.h"
#include "outcome.h"
#include "parts.h"
#include "rejoin.h"
#include "session.h"
#include "store.h"

enum { DROP_EACH_MAX = 1024 }; // after a reconnect a session drops all that it ever dropped

bool ref_fate(const core_t *core, mob_ref_t ref, failure_t *out)
{
    const session_t *owner = session_find(core, ref.owner);
    if (core->rejoin_at || (owner && ref.seq > owner->last))
        return false; // its request may be on the way
    if (owner && ref.seq <= owner->floor)
        *out = (failure_t){.err = MOB_EBROKER,
                           .executed = MOB_MAYBE_EXECUTED,
                           .why = "LOST",
                           .reason = "an earlier broker knew it, and nobody claims it"};
    else
        *out = (failure_t){.err = MOB_EGONE,
                           .executed = MOB_EXECUTED,
                           .why = "FREED",
                           .reason = "the value was freed, or never was"};
    out->root = out->err;
    return true;
}

static call_t *asked_for(core_t *core, const session_t *session, mob_ref_t ref)
{
    call_t *call = call_find(core, ref);
    store_asked(session->store, call && call->state == CALL_FINAL && call->code == MOB_OK);
    return call;
}

void ref_answer(core_t *core, session_t *session, mob_ref_t ref)
{
    const call_t *call = asked_for(core, session, ref);
    failure_t failure;
    if (call && call->state == CALL_FINAL)
        outcome_answer(core, session, call);
    else if (!call && ref_fate(core, ref, &failure))
        outcome_answer_failure(core, session, ref, &failure);
}

void ref_ask(core_t *core, session_t *session, const message_t *message)
{
    refs_t refs = message->ask.refs;
    while (refs.count > 0 && session->peer)
        ref_answer(core, session, refs_next(&refs));
}

void ref_watch(core_t *core, session_t *session, const message_t *message)
{
    refs_t refs = message->watch.refs;
    while (refs.count > 0 && session->peer) {
        mob_ref_t ref = refs_next(&refs);
        call_t *call = asked_for(core, session, ref);
        failure_t failure;
        if (call && call->state == CALL_FINAL)
            outcome_answer(core, session, call);
        else if (call)
            graph_watch(core, call, session);
        else if (ref_fate(core, ref, &failure))
            outcome_answer_failure(core, session, ref, &failure);
    }
}

void ref_cancel(core_t *core, session_t *session, const message_t *message)
{
    call_t *call = call_find(core, message->cancel.ref);
    call = call ? parts_call(core, call) : NULL;
    if (!call)
        return;
    if (call->space != session->space)
        session_error(core, session->peer, MOB_EDENIED, "DENIED", call->id,
                      "a call of another namespace");
    else if (!borrow_references(core, session, call))
        session_error(core, session->peer, MOB_EDENIED, "DENIED", call->id,
                      "to cancel a call of another session, keep its ref first");
    else if (message->cancel.flags & MOB_CANCEL_FORCE && call->kind == CALL_METHOD)
        session_error(core, session->peer, MOB_EARGS, "RANGE", call->id,
                      "an actor call cannot be cancelled by force");
    else
        call_cancel(core, call, message->cancel.flags, session);
}

static void drop_foreign(core_t *core, session_t *session, mob_ref_t ref)
{
    bool borrowed = borrow_drop(core, session, ref);
    call_t *call = call_find(core, ref);
    if (call && call->kept && !borrowed)
        outcome_drop(core, call);
    else if (call)
        graph_unwatch(call, session);
}

// Its own, unless they belong to another session by now; then it may have borrowed them.
static void drop_own(core_t *core, session_t *session, mob_ref_t ref)
{
    if (session->borrows)
        borrow_drop(core, session, ref);
    call_t *call = call_find(core, ref);
    if (call && call->owner == session && rejoin_awaits(core, call))
        rejoin_drop(core, ref, 1);
    else if (call && call->owner == session)
        outcome_drop(core, call);
    else if (call)
        graph_unwatch(call, session);
}

typedef struct range {
    core_t *core;
    mob_ref_t ref;
    uint64_t count;
    bool actors;
} range_t;

static bool is_among(const call_t *call, const void *arg)
{
    const range_t *range = arg;
    return call->id.owner == range->ref.owner && call->id.seq - range->ref.seq < range->count &&
           (call->kind == CALL_MAKING) == range->actors && !call->dropped &&
           !rejoin_awaits(range->core, call);
}

static void drop_one(core_t *core, call_t *call, const void *arg)
{
    (void)arg;
    outcome_drop(core, call);
}

// Actors behind the calls to them.
static void drop_owned(core_t *core, session_t *session, mob_ref_t ref, uint64_t count)
{
    if (core->rejoin_at)
        rejoin_drop(core, ref, count);
    call_each(core, session, is_among, drop_one, &(range_t){core, ref, count, false});
    call_each(core, session, is_among, drop_one, &(range_t){core, ref, count, true});
}

// What belongs to another session by now it goes on watching: that does no harm.
static void drop_range(core_t *core, session_t *session, mob_ref_t ref, uint64_t count)
{
    if (count > DROP_EACH_MAX && count > session->owned + HASH_COUNT(session->borrows)) {
        borrow_drop_among(core, session, ref, count);
        drop_owned(core, session, ref, count);
        return;
    }
    for (; count > 0; count--, ref.seq++)
        drop_own(core, session, ref);
}

static uint64_t at_most(uint64_t count, uint64_t most)
{
    return count < most ? count : most;
}

// While workers may still come back, they may announce those of an earlier broker.
void ref_drop(core_t *core, session_t *session, const message_t *message)
{
    mob_ref_t ref = message->drop.ref;
    if (!admit_next(core, session, message->drop.seq))
        return;
    bool own = ref.owner == session->owner;
    uint64_t last = ref.seq <= session->last ? session->last - ref.seq + 1 : 0;
    uint64_t count = at_most(message->drop.count, own ? last : MOB_INNER_MAX), old = 0;
    if (own && core->rejoin_at && ref.seq <= session->floor)
        old = at_most(count, session->floor - ref.seq + 1);
    if (old > 0)
        rejoin_drop(core, ref, old);
    ref.seq += old;
    count -= old;
    if (own)
        drop_range(core, session, ref, count);
    for (; !own && count > 0; count--, ref.seq++)
        drop_foreign(core, session, ref);
}
