// object.c - what a connection says of things that exist already: mob_find, stop, watch, cancel,
// store, query.

#include <string.h>

#include "order.h"

// ---- Actors -------------------------------------------------------------------------------------

// The handle is a ref like others: held, so that mob_release() around a loop ends it. It is good at
// once: what there is to say of the name is said to its calls.
static mob_ref_t find(order_t *order)
{
    mob_t *self = order->self;
    size_t size = strlen(order->name);
    bool fits = size > 0 && size <= 2 * MOB_NAME_MAX + 1;
    if (!fits)
        order_refuse(order, MOB_EARGS, "", "a name has 1 to %d bytes", MOB_NAME_MAX);
    if (!fits || !order_plain(order))
        return order_refused(order);
    const msg_find_t msg = {.seq = self->seq + 1, .name = {order->name, size}};
    mob_ref_t ref = order_leave(order, message_FIND(session_room(self), &msg));
    if (order->future)
        heard_settle(self, order->future, MOB_OK, load_bytes("\xc0", 1), NULL); // nil
    return ref;
}

mob_actor_t mob_find(mob_t *self, const char *name)
{
    session_lock(self);
    order_t order;
    order_init(&order, self, name, FUTURE_OTHER);
    mob_ref_t ref = find(&order);
    session_unlock(self);
    return (mob_actor_t){ref.owner, ref.seq, 0};
}

void mob_stop(mob_t *self, mob_actor_t actor, mob_stop_t how)
{
    mob_ref_t making = mob_ready(actor);
    session_lock(self);
    if (!mob_is_none(making) && !future_is_local(making) && self->link.state != LINK_OVER) {
        message_STOP(session_room(self), &(msg_stop_t){.actor = making, .how = (uint32_t)how});
        self->out_keep = true;
        session_appended(self);
    }
    session_unlock(self);
}

static mob_ref_t watch(order_t *order, mob_actor_t actor)
{
    mob_t *self = order->self;
    if (!order_plain(order))
        return order_refused(order);
    const msg_end_t msg = {.seq = self->seq + 1, .actor = mob_ready(actor)};
    return order_leave(order, message_END(session_room(self), &msg));
}

mob_ref_t mob_watch(mob_t *self, mob_actor_t actor)
{
    session_lock(self);
    order_t order;
    order_init(&order, self, "mob_watch", FUTURE_OTHER);
    mob_ref_t ref = watch(&order, actor);
    session_unlock(self);
    return ref;
}

// ---- Cancelling ---------------------------------------------------------------------------------

mob_err_t mob_cancel(mob_t *self, mob_ref_t ref, unsigned flags)
{
    mob_err_t err = MOB_OK;
    session_lock(self);
    future_t *future = futures_find(&self->futures, ref);
    bool method = future && future->kind == FUTURE_CALL;
    if (flags & ~(unsigned)(MOB_CANCEL_FORCE | MOB_CANCEL_ALONE) ||
        (flags & MOB_CANCEL_FORCE && method))
        err = MOB_EARGS;
    else if (mob_is_none(ref) || (future ? future->settled : future_is_local(ref)) ||
             self->link.state == LINK_OVER)
        err = MOB_OK; // nothing to cancel
    else
        message_CANCEL(session_room(self), &(msg_cancel_t){.ref = ref, .flags = flags});
    if (!err && future && !future->settled) {
        future->cancelled = true;
        future->cancel_flags = (uint8_t)flags;
    }
    self->out_keep = true;
    session_appended(self);
    session_unlock(self);
    return err;
}

// ---- Objects and questions ----------------------------------------------------------------------

// Room for a large one the broker may not have: it settles when the broker has it. Then it is read from here.
static mob_ref_t store_large(order_t *order)
{
    mob_t *self = order->self;
    blob_t *own = block_part(order->large, 0, block_size(order->large));
    const msg_put_t msg = {.seq = self->seq + 1, .value = order->args, .inner = order->inner};
    mob_ref_t ref = order_leave(order, own && message_PUT(session_room(self), &msg));
    if (order->future)
        order->future->blob = blob_hold(own);
    blob_drop(&own);
    return ref;
}

// Settled at once, from our own copy; the broker gets another.
static mob_ref_t store(order_t *order, mob_value_t value)
{
    mob_t *self = order->self;
    if (!order_load(order, value))
        return order_refused(order);
    if (order->deps.count > 0) {
        order_refuse(order, MOB_EARGS, "", "a stored value holds refs, not what they will be");
        return order_refused(order);
    }
    if (order->large)
        return store_large(order);
    bool small = order->args.size <= FUTURE_INLINE, inner = order->inner.count > 0;
    blob_t *copy = small ? NULL : load_keep(order->args);
    if (!small && !copy) {
        order_refuse(order, MOB_ENOMEM, "", "out of memory");
        return order_refused(order);
    }
    const msg_put_t msg = {.seq = self->seq + 1, .value = order->args, .inner = order->inner};
    load_t kept = small ? order->args : load_of(copy);
    mob_ref_t ref = order_leave(order, message_PUT(session_room(self), &msg));
    if (order->future) {
        order->future->inner = inner;
        heard_settle(self, order->future, MOB_OK, kept, NULL);
    }
    blob_drop(&copy);
    return ref;
}

mob_ref_t mob_store(mob_t *self, mob_value_t value)
{
    session_lock(self);
    order_t order;
    order_init(&order, self, "mob_store", FUTURE_OTHER);
    mob_ref_t ref = store(&order, value);
    session_unlock(self);
    return ref;
}

static mob_ref_t query(order_t *order, const char *what, const char *filter)
{
    mob_t *self = order->self;
    mob_bytes_t about = {what ? what : "", what ? strlen(what) : 0};
    mob_bytes_t narrow = {filter ? filter : "", filter ? strlen(filter) : 0};
    bool fits = about.size <= MOB_TEXT_MAX && narrow.size <= MOB_TEXT_MAX;
    if (!fits)
        order_refuse(order, MOB_EARGS, "", "a question of more than %d bytes", MOB_TEXT_MAX);
    if (!fits || !order_plain(order))
        return order_refused(order);
    const msg_query_t msg = {.seq = self->seq + 1, .what = about, .filter = narrow};
    return order_leave(order, message_QUERY(session_room(self), &msg));
}

mob_ref_t mob_query(mob_t *self, const char *what, const char *filter)
{
    session_lock(self);
    order_t order;
    order_init(&order, self, "mob_query", FUTURE_OTHER);
    mob_ref_t ref = query(&order, what, filter);
    session_unlock(self);
    return ref;
}
