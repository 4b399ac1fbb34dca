// stream.c - see stream.h. Every item is given once, in order; the failure of the body comes behind the items
// it had made, once, and then the end for ever.

#include "stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "admit.h"
#include "call.h"
#include "internal.h"
#include "name.h"
#include "notice.h"
#include "outcome.h"
#include "refcount.h"
#include "timeline.h"

enum {
    AHEAD_DEFAULT = 16,
    ROOM_MAX =
        1024 // items beyond those made, whatever is wished: each is a record, and its way back must be free
};

// ---- Records ------------------------------------------------------------------------------------

bool stream_open(call_t *call)
{
    call_extra_t *extra = call_extra(call);
    stream_t *stream = extra ? calloc(1, sizeof *stream) : NULL;
    if (!stream)
        return false;
    stream->items_end = &stream->items;
    extra->stream = stream;
    return true;
}

// The first one; the caller has its value and the refs inside.
static item_t pop(core_t *core, stream_t *stream)
{
    item_t *first = stream->items, item = *first;
    stream->items = item.next;
    if (!stream->items)
        stream->items_end = &stream->items;
    free(first);
    core_weigh(core, item.value, -1);
    return item;
}

static bool push(core_t *core, stream_t *stream, const item_t *like)
{
    item_t *item = malloc(sizeof *item);
    if (!item)
        return false;
    *item = *like;
    *stream->items_end = item;
    stream->items_end = &item->next;
    core_weigh(core, item->value, 1);
    return true;
}

void stream_drop(core_t *core, call_t *call)
{
    stream_t *stream = stream_of(call);
    while (stream->items) {
        item_t item = pop(core, stream);
        refcount_let_go(core, &item.inner);
        blob_drop(&item.value);
    }
}

void stream_free(core_t *core, call_t *call)
{
    stream_drop(core, call);
    free(call->extra->stream);
    call->extra->stream = NULL;
}

// ---- How far its body may run ahead -------------------------------------------------------------

static uint64_t ahead_of(const stream_t *stream)
{
    if (stream->ahead < 0)
        return UINT64_MAX / 2; // no bound
    return stream->ahead ? (uint64_t)stream->ahead : AHEAD_DEFAULT;
}

// What the consumer said is believed as far as it can be.
static uint64_t pulled(const stream_t *stream)
{
    return stream->taken < stream->given ? stream->taken : stream->given;
}

static uint64_t allowed(const core_t *core, const stream_t *stream)
{
    uint64_t most = pulled(stream) + ahead_of(stream);
    uint64_t room = core_heavy(core) ? pulled(stream) + 1 : stream->made + ROOM_MAX;
    return most < room ? most : room;
}

uint64_t stream_credit(core_t *core, call_t *call)
{
    stream_t *stream = stream_of(call);
    uint64_t credit = allowed(core, stream);
    stream->credit = credit > stream->credit ? credit : stream->credit;
    return stream->credit;
}

void stream_say_credit(core_t *core, const call_t *call)
{
    session_t *session = call->worker->session;
    batch_t *batch = session ? notice_order(core, session) : NULL;
    if (batch)
        message_CREDIT(batch, &(msg_credit_t){.ref = call->id, .count = stream_of(call)->credit});
}

// Not for each item by itself, unless there is none left to give.
static void extend(core_t *core, call_t *call)
{
    stream_t *stream = stream_of(call);
    uint64_t ahead = ahead_of(stream), step = (ahead < ROOM_MAX ? ahead : ROOM_MAX) / 4;
    uint64_t credit = allowed(core, stream);
    bool enough = credit >= stream->credit + step || !stream->items;
    if (call->state != CALL_SENT || credit <= stream->credit || !enough)
        return;
    stream->credit = credit;
    stream_say_credit(core, call);
}

// ---- Items come ---------------------------------------------------------------------------------

static void give(core_t *core, call_t *call, call_t *next, item_t *item)
{
    stream_of(call)->given++;
    if (item->inner.count > 0 && call_extra(next))
        next->extra->value = item->inner;
    else
        refcount_let_go(core, &item->inner);
    outcome_store(core, next, MOB_OK, item->value);
}

// Its items cannot go on in order: better it fails.
static void fail(core_t *core, call_t *call, refusal_t refusal)
{
    call_stop_body(core, call, 0);
    outcome_fail(core, call, refusal.err, refusal.why, "%s: %s", name_text(core, call->target),
                 refusal.reason);
}

// An item beyond the next one, or beyond what is allowed.
static refusal_t wrong_place(const call_t *call)
{
    if (call->old_epoch)
        return (refusal_t){MOB_EBROKER, "LOST", "its first items were lost with an earlier broker"};
    return (refusal_t){MOB_EPROTO, "ITEMS", "its worker gave an item that is not the next one"};
}

// To whoever waits first, or kept until somebody asks.
static bool take(core_t *core, session_t *from, call_t *call, const msg_item_t *said, blob_t *value)
{
    stream_t *stream = stream_of(call);
    item_t item = {.value = value};
    refcount_inside(core, call, &item.inner, said->inner, from);
    if (stream->nexts)
        give(core, call, stream->nexts, &item);
    else if (!push(core, stream, &item)) {
        refcount_let_go(core, &item.inner);
        return false;
    }
    return true;
}

bool stream_item(core_t *core, session_t *from, call_t *call, const msg_item_t *item,
                 blob_t **value_p, refusal_t refusal)
{
    stream_t *stream = stream_of(call);
    if (!stream || item->count != 0 || item->index < stream->made)
        return false; // an earlier run had made it, or it is said again
    if (item->index > stream->made || item->index >= stream->credit)
        refusal = wrong_place(call);
    if (refusal.err) {
        fail(core, call, refusal);
        return true;
    }
    stream->made++;
    timeline_item(core, call, item->value.size);
    if (!take(core, from, call, item, blob_hold(*value_p))) {
        fail(core, call, (refusal_t){MOB_ENOMEM, "", "the broker is out of memory"});
        return true;
    }
    extend(core, call);
    if (item->value.form == LOAD_PIECES)
        notice_batch(core, call->worker->session); // its worker waits for ACCEPT
    return true;
}

// ---- And are asked for --------------------------------------------------------------------------

static void tell_end(core_t *core, call_t *call, call_t *next)
{
    stream_t *stream = stream_of(call);
    if (call->code != MOB_OK && !stream->end_told) {
        stream->end_told = true;
        outcome_store(core, next, (mob_err_t)call->code, blob_hold(call->load));
        return;
    }
    char text[64];
    snprintf(text, sizeof text, "stream ended after %llu items", (unsigned long long)stream->made);
    outcome_failure(core, next,
                    &(failure_t){.err = MOB_EEND,
                                 .root = MOB_EEND,
                                 .executed = MOB_EXECUTED,
                                 .attempts = call->attempt + 1u,
                                 .reason = text});
}

void stream_settle(core_t *core, call_t *call)
{
    stream_t *stream = stream_of(call);
    if (call->dropped || call->code == MOB_ECANCELLED)
        stream_drop(core, call);
    while (stream->nexts)
        tell_end(core, call, stream->nexts);
}

static void ask(core_t *core, call_t *call, call_t *next, uint64_t taken)
{
    stream_t *stream = stream_of(call);
    stream->taken = taken > stream->taken ? taken : stream->taken;
    if (stream->items) {
        item_t item = pop(core, stream);
        give(core, call, next, &item);
    } else if (call->state == CALL_FINAL)
        tell_end(core, call, next);
    else
        call_enlist(next, &stream->nexts);
    extend(core, call);
}

// Why there is nothing to be had.
static refusal_t no_stream(const session_t *session, mob_ref_t ref, const call_t *call)
{
    if (ref.owner != session->owner)
        return (refusal_t){MOB_EARGS, "", "only the session that began a stream takes its items"};
    if (call ? call->target == 0 : ref.seq <= session->floor) // a worker announced it, or nobody did
        return (refusal_t){MOB_EBROKER, "LOST", "its items were lost with the broker that had them"};
    if (call)
        return (refusal_t){MOB_EARGS, "", "that is no stream"};
    return (refusal_t){MOB_EGONE, "FREED", "the stream was dropped, or never was"};
}

void stream_next(core_t *core, session_t *session, const message_t *message)
{
    const msg_next_t *request = &message->next;
    call_t *next = admit(core, session, request->seq, CALL_NEXT, NULL);
    if (!next)
        return;
    call_t *call = call_find(core, request->stream);
    bool whole = call && stream_of(call) && request->stream.owner == session->owner;
    refusal_t refusal = no_stream(session, request->stream, call);
    if (session->pending > core->config.pending_max)
        outcome_fail(core, next, MOB_EFULL, "PENDING",
                     "more than %u unsettled calls of this session", core->config.pending_max);
    else if (!whole)
        outcome_fail(core, next, refusal.err, refusal.why, "%s", refusal.reason);
    else
        ask(core, call, next, request->pulled);
}
