// stream.c - mob_pull. NEXTs are sent ahead, so that items come by themselves while the application works on those
// before; what is told with each, how many were pulled, is what lets the body go on.

#include <stdlib.h>

#include "order.h"

enum { AHEAD_DEFAULT = 16 };

// ---- NEXTs --------------------------------------------------------------------------------------

stream_t *stream_new(int ahead)
{
    stream_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    if (ahead == 0)
        ahead = AHEAD_DEFAULT;
    self->want = ahead > 0 && ahead < STREAM_HEADS ? (uint32_t)ahead : STREAM_HEADS;
    return self;
}

static future_t *pop(stream_t *stream)
{
    future_t *head = stream->heads[stream->first];
    stream->first = (stream->first + 1) % STREAM_HEADS;
    stream->count--;
    return head;
}

static void drop_heads(mob_t *self, stream_t *stream)
{
    while (stream->count > 0)
        hold_unpin(self, pop(stream));
}

static void drop_item(mob_t *self, stream_t *stream)
{
    future_t *item = stream->item;
    stream->item = NULL;
    if (item)
        hold_unpin(self, item);
}

void stream_end(mob_t *self, future_t *future)
{
    drop_heads(self, future->stream);
    drop_item(self, future->stream);
}

// Ours, whatever mob_release() cuts off.
static void own(mob_t *self, future_t *future)
{
    hold_pin(future);
    hold_give(self, future);
}

// One more NEXT. False: it was refused, and *refused is the failed ref.
static bool ask_one(mob_t *self, future_t *future, order_t *order, mob_ref_t *refused)
{
    stream_t *stream = future->stream;
    if (!order_plain(order)) {
        *refused = order_refused(order);
        return false;
    }
    const msg_next_t msg = {.seq = self->seq + 1, .stream = future->ref, .pulled = stream->pulled};
    mob_ref_t ref = order_leave(order, message_NEXT(session_room(self), &msg));
    future_t *head = futures_find(&self->futures, ref);
    if (!head || future_is_local(ref)) {
        *refused = ref;
        return false;
    }
    own(self, head);
    stream->heads[(stream->first + stream->count++) % STREAM_HEADS] = head;
    return true;
}

// As many as are wanted, without waiting for room; the first may wait, and be refused.
static bool ask(mob_t *self, future_t *future, mob_ref_t *refused)
{
    stream_t *stream = future->stream;
    while (stream->count < stream->want) {
        order_t order;
        mob_ref_t none, *failed = stream->count == 0 ? refused : &none;
        order_init(&order, self, "mob_pull", FUTURE_OTHER);
        if (stream->count > 0 && !order_fits(&order))
            break;
        if (!ask_one(self, future, &order, failed))
            break;
    }
    return stream->count > 0;
}

// ---- What comes ---------------------------------------------------------------------------------

// Of one that was cancelled the items that came and were not pulled are of no use any more.
static void skip_cancelled(mob_t *self, future_t *future)
{
    stream_t *stream = future->stream;
    while (future->settled && future->err == MOB_ECANCELLED && stream->count > 0 &&
           stream->heads[stream->first]->settled && !stream->heads[stream->first]->err)
        hold_unpin(self, pop(stream));
}

// What the next pull waits for. NULL: nothing; *refused: the failed ref that it gives, or none. Whoever
// cancelled it waits to hear whether that was in time.
static future_t *awaits(mob_t *self, future_t *future, mob_ref_t *refused)
{
    stream_t *stream = future->stream;
    *refused = (mob_ref_t){0, 0};
    if (stream->ended)
        return NULL;
    if (future->cancelled && !future->settled)
        return future;
    skip_cancelled(self, future);
    if (!ask(self, future, refused))
        return NULL;
    future_t *head = stream->heads[stream->first];
    return heard_value(self, head) ? NULL : head;
}

future_t *stream_awaits(mob_t *self, future_t *future)
{
    mob_ref_t refused;
    return awaits(self, future, &refused);
}

future_t *stream_head(mob_t *self, future_t *future)
{
    stream_t *stream = future->stream;
    future_t *awaited = stream_awaits(self, future);
    if (awaited != future)
        return awaited;
    return stream->count > 0 ? stream->heads[stream->first] : NULL;
}

const future_t *stream_heard(const future_t *future)
{
    const stream_t *stream = future->stream;
    return stream->count > 0 ? stream->heads[stream->first] : stream->item;
}

// ---- mob_pull -----------------------------------------------------------------------------------

static mob_err_t refuse(mob_t *self, mob_err_t err, const char *reason, mob_ref_t *item)
{
    *item = call_refused(self, &(failure_t){.err = err, .root = err, .reason = reason});
    return err;
}

// After the failure, or the end: the end, as often as it is asked for.
static mob_err_t the_end(mob_t *self, stream_t *stream, mob_ref_t *item)
{
    if (stream->item && stream->item->err == MOB_EEND) {
        *item = stream->item->ref;
        return MOB_EEND;
    }
    drop_item(self, stream);
    refuse(self, MOB_EEND, "the stream has ended", item);
    stream->item = futures_find(&self->futures, *item);
    if (stream->item)
        own(self, stream->item);
    return MOB_EEND;
}

static mob_err_t take(mob_t *self, future_t *future, mob_ref_t *item)
{
    stream_t *stream = future->stream;
    if (stream->ended)
        return the_end(self, stream, item);
    drop_item(self, stream);
    stream->item = pop(stream);
    *item = stream->item->ref;
    mob_err_t err = (mob_err_t)stream->item->err;
    if (err) {
        stream->ended = true;
        drop_heads(self, stream);
    } else {
        mob_ref_t refused;
        stream->pulled++;
        ask(self, future, &refused); // tells that it was pulled, too
    }
    return err;
}

static mob_err_t refused_as(mob_t *self, mob_ref_t ref)
{
    const future_t *refused = futures_find(&self->futures, ref);
    return refused ? (mob_err_t)refused->err : MOB_ENOMEM;
}

static mob_err_t pull(mob_t *self, future_t *future, mob_ref_t *item, int timeout_ms)
{
    waiter_t waiter = wait_begin(self, timeout_ms);
    mob_ref_t refused;
    mob_err_t err = MOB_OK;
    hold_pin(future);
    while (!err && awaits(self, future, &refused))
        err = wait_more(&waiter);
    wait_end(&waiter);
    if (!err && mob_is_none(refused))
        err = take(self, future, item);
    else if (!err)
        err = refused_as(self, *item = refused);
    hold_unpin(self, future);
    return err;
}

mob_err_t mob_pull(mob_t *self, mob_ref_t stream, mob_ref_t *item, int timeout_ms)
{
    session_lock(self);
    future_t *future = futures_find(&self->futures, stream);
    mob_err_t err;
    *item = stream;
    if (future && future->is_stream)
        err = pull(self, future, item, timeout_ms);
    else if (future && future->settled && future->err) // it was to be one
        err = (mob_err_t)future->err;
    else
        err =
            refuse(self, MOB_EARGS, "no stream that this connection began, or holds any more", item);
    if (err)
        self->voice->failed = *item;
    session_unlock(self);
    return err;
}
