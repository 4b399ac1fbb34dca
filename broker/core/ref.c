// ref.c - what sessions do with refs that they have: ask, watch, cancel, drop. Owns nothing; what a call
// goes through then is call.c's and outcome.c's.

#include "ref.h"

#include "call.h"
#include "graph.h"
#include "outcome.h"
#include "parts.h"
#include "rejoin.h"
#include "session.h"

enum { DROP_EACH_MAX = 1024 }; // after a reconnect a session drops all that it ever dropped

// What can be said of a ref that the table does not have; false: nothing yet.
static bool fate(const core_t *core, const session_t *session, mob_ref_t ref, failure_t *out)
{
    bool own = ref.owner == session->owner;
    const session_t *owner = own ? session : session_find(core, ref.owner);
    if (core->rejoin_at || (owner && ref.seq > owner->last))
        return false; // its request may be on the way
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

void ref_answer(core_t *core, session_t *session, mob_ref_t ref)
{
    const call_t *call = call_find(core, ref);
    failure_t failure;
    if (call && call->state == CALL_FINAL)
        outcome_answer(core, session, call);
    else if (!call && fate(core, session, ref, &failure))
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

void ref_cancel(core_t *core, session_t *session, const message_t *message)
{
    call_t *call = call_find(core, message->cancel.ref);
    call = call ? parts_call(core, call) : NULL;
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

static bool among(mob_ref_t ref, uint64_t count, const call_t *call)
{
    return call->id.owner == ref.owner && call->id.seq - ref.seq < count;
}

static call_t *actor_among(const session_t *session, mob_ref_t ref, uint64_t count)
{
    call_t *call;
    DL_FOREACH2(session->calls, call, own_next)
    {
        if (call->kind == CALL_MAKING && !call->dropped && among(ref, count, call))
            return call;
    }
    return NULL;
}

// From the start for each actor: one that ends takes others with it.
static void drop_owned(core_t *core, session_t *session, mob_ref_t ref, uint64_t count)
{
    call_t *call, *next;
    DL_FOREACH_SAFE2(session->calls, call, next, own_next)
    {
        if (call->kind != CALL_MAKING && among(ref, count, call))
            outcome_drop(core, call);
    }
    while ((call = actor_among(session, ref, count)) != NULL)
        outcome_drop(core, call);
}

static void drop_each(core_t *core, mob_ref_t ref, uint64_t count)
{
    for (; count > 0; count--, ref.seq++) {
        call_t *call = call_find(core, ref);
        if (call)
            outcome_drop(core, call);
    }
}

void ref_drop(core_t *core, session_t *session, const message_t *message)
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
        rejoin_drop(core, ref, count);
    if (count > DROP_EACH_MAX && count > session->owned)
        drop_owned(core, session, ref, count);
    else
        drop_each(core, ref, count);
}
