// call.c - mob_submit, mob_send, mob_spawn: one message each.

#include "clock.h"
#include "order.h"

enum {
    PAUSE_MS = 5, // before a full mailbox is tried again, then twice as long
    PAUSE_MAX_MS = 80,
};

// ---- Tasks --------------------------------------------------------------------------------------

static mob_ref_t submit(order_t *order, const mob_opts_t *opts, const mob_value_t *args, size_t count)
{
    mob_t *self = order->self;
    opts_t wire;
    char text[OPTION_TEXT];
    if (!order_options(order, opts, &wire, text) || !order_body(order, args, count))
        return order_refused(order);
    const msg_submit_t msg = {.seq = self->seq + 1,
                              .epoch = self->link.epoch,
                              .task = order->symbol,
                              .opts = {.set = order->opts},
                              .args = order->args,
                              .deps = order->deps,
                              .parent = self->voice->parent,
                              .inner = order->inner};
    return order_leave(order, message_SUBMIT(session_room(self), &msg));
}

mob_ref_t mob_submit(mob_t *self, const char *task, const mob_opts_t *opts, const mob_value_t *args,
                     size_t count)
{
    session_lock(self);
    order_t order;
    order_init(&order, self, task, FUTURE_TASK);
    mob_ref_t ref = submit(&order, opts, args, count);
    session_unlock(self);
    return ref;
}

// ---- Actors -------------------------------------------------------------------------------------

// Calls on an actor whose making was refused here end with that reason.
static bool actor_was_sent(order_t *order, mob_actor_t actor)
{
    mob_t *self = order->self;
    mob_ref_t making = mob_ready(actor);
    if (mob_is_none(making))
        return order_refuse(order, MOB_ENOTFOUND, "", "%s: no actor", order->name);
    if (making.owner != self->owner || !future_is_local(making))
        return true;
    future_t *future = futures_find(&self->futures, making);
    const failure_t *cause = future ? future_failure(future) : NULL;
    order_refuse(order, MOB_EDEAD, "INIT", "%s: the actor was never made: %s", order->name,
                 cause ? cause->reason : "its handle was dropped");
    order->failure.cause = making;
    if (cause)
        failure_follow(&order->failure, making, cause);
    return false;
}

static mob_ref_t send(order_t *order, mob_actor_t actor, const mob_opts_t *opts,
                      const mob_value_t *args, size_t count)
{
    mob_t *self = order->self;
    opts_t wire;
    char text[OPTION_TEXT];
    if (!order_options(order, opts, &wire, text) || !order_is_open(order) ||
        !actor_was_sent(order, actor) || !order_body(order, args, count))
        return order_refused(order);
    const msg_call_t msg = {.seq = self->seq + 1,
                            .epoch = self->link.epoch,
                            .actor = mob_ready(actor),
                            .incarnation = actor.incarnation,
                            .method = order->symbol,
                            .opts = {.set = order->opts},
                            .args = order->args,
                            .deps = order->deps,
                            .parent = self->voice->parent,
                            .inner = order->inner};
    return order_leave(order, message_CALL(session_room(self), &msg));
}

static mob_ref_t send_once(mob_t *self, mob_actor_t actor, const char *method,
                           const mob_opts_t *opts, const mob_value_t *args, size_t count)
{
    order_t order;
    order_init(&order, self, method, FUTURE_CALL);
    order.method = true;
    return send(&order, actor, opts, args, count);
}

// Whether the mailbox had no room. Waits until the broker has admitted or refused the call.
static bool found_full(waiter_t *waiter, mob_ref_t ref)
{
    mob_t *self = waiter->self;
    future_t *future = futures_find(&self->futures, ref);
    mob_err_t err = MOB_OK;
    if (!future || future_is_local(ref))
        return false;
    hold_pin(future);
    while (!err && !future->settled && self->queue.accepted < ref.seq)
        err = wait_more(waiter);
    bool full = !err && future->settled && future->err == MOB_EFULL;
    hold_unpin(self, future);
    return full;
}

static bool pause_ms(waiter_t *waiter, int ms)
{
    mob_t *self = waiter->self;
    int64_t until = clock_us() + ms * INT64_C(1000);
    waiter_t nap = {
        .self = self, .until = until < waiter->until ? until : waiter->until, .told = waiter->told};
    while (wait_more(&nap) == MOB_OK)
        ;
    waiter->told = nap.told;
    return self->now >= until; // else it was interrupted, cancelled or out of time
}

// .block: a call that found no room is sent anew, as another one.
static mob_ref_t send_until_admitted(mob_t *self, mob_actor_t actor, const char *method,
                                     const mob_opts_t *opts, const mob_value_t *args, size_t count)
{
    waiter_t waiter = wait_begin(self, opts->timeout_ms > 0 ? opts->timeout_ms : MOB_FOREVER);
    mob_ref_t ref = send_once(self, actor, method, opts, args, count);
    for (int ms = PAUSE_MS; found_full(&waiter, ref) && pause_ms(&waiter, ms);
         ms = ms < PAUSE_MAX_MS ? ms * 2 : ms) {
        hold_give(self, futures_find(&self->futures, ref));
        ref = send_once(self, actor, method, opts, args, count);
    }
    wait_end(&waiter);
    return ref;
}

mob_ref_t mob_send(mob_t *self, mob_actor_t actor, const char *method, const mob_opts_t *opts,
                   const mob_value_t *args, size_t count)
{
    session_lock(self);
    bool wait = opts && opts->block && !opts->forget;
    mob_ref_t ref = wait ? send_until_admitted(self, actor, method, opts, args, count)
                         : send_once(self, actor, method, opts, args, count);
    session_unlock(self);
    return ref;
}

static bool with_actor_options(order_t *order, const mob_actor_opts_t *opts, opts_t *out, char *text)
{
    if (!opts)
        return true;
    mob_err_t err = option_of_actor(opts, out, text, OPTION_TEXT);
    order->opts = out;
    return !err || order_refuse(order, err, "", "%s: %s", order->name, text);
}

static mob_ref_t spawn(order_t *order, const mob_actor_opts_t *opts, const mob_value_t *args,
                       size_t count)
{
    mob_t *self = order->self;
    opts_t wire;
    char text[OPTION_TEXT];
    if (!with_actor_options(order, opts, &wire, text) || !order_body(order, args, count))
        return order_refused(order);
    const msg_spawn_t msg = {.seq = self->seq + 1,
                             .epoch = self->link.epoch,
                             .cls = order->symbol,
                             .opts = {.set = order->opts},
                             .args = order->args,
                             .deps = order->deps,
                             .parent = self->voice->parent,
                             .inner = order->inner};
    return order_leave(order, message_SPAWN(session_room(self), &msg));
}

mob_actor_t mob_spawn(mob_t *self, const char *cls, const mob_actor_opts_t *opts,
                      const mob_value_t *args, size_t count)
{
    session_lock(self);
    order_t order;
    order_init(&order, self, cls, FUTURE_SPAWN);
    mob_ref_t ref = spawn(&order, opts, args, count);
    session_unlock(self);
    return (mob_actor_t){ref.owner, ref.seq, 0};
}
