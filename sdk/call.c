// call.c - mob_submit, spawn, send, find, store, cancel, stop, watch, query: one message each. What
// is refused here is a failed ref like any other, with a number that the broker never sees.

#include "client.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

enum {
    REASON_SIZE = 640,
    PAUSE_MS = 5, // before a full mailbox is tried again, then twice as long
    PAUSE_MAX_MS = 80,
    RETURNS_MAX = 64,
    ACCEPT_MS = 1000, // within this a broker that is there has accepted something
};

typedef struct order { // a request in the making
    mob_t *self;
    const char *name; // the signature, for people
    future_kind_t kind;
    bool forget, block, method;
    int returns;        // refs it gives
    const opts_t *opts; // NULL: none
    int64_t timeout_ms;
    load_t args;
    blob_t *blob; // of large arguments
    refs_t deps;
    failure_t failure; // why it is refused
    char reason[REASON_SIZE];
} order_t;

// By hand: the reason is large and mostly unused.
static void order_init(order_t *order, mob_t *self, const char *name, future_kind_t kind)
{
    order->self = self;
    order->name = name;
    order->kind = kind;
    order->forget = order->block = order->method = false;
    order->opts = NULL;
    order->returns = 1;
    order->timeout_ms = 0;
    order->blob = NULL;
    order->deps = (refs_t){0};
}

// ---- Refusing -----------------------------------------------------------------------------------

static bool refuse(order_t *order, mob_err_t err, const char *why, const char *format, ...)
    MOB_PRINTF(4, 5);
static bool refuse(order_t *order, mob_err_t err, const char *why, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(order->reason, sizeof order->reason, format, list);
    va_end(list);
    order->failure = (failure_t){
        .err = err, .executed = MOB_NOT_EXECUTED, .why = why, .root = err, .reason = order->reason};
    return false;
}

static mob_ref_t local_ref(mob_t *self)
{
    return (mob_ref_t){self->owner, UINT64_C(1) << FUTURE_LOCAL_BIT | ++self->local};
}

// Without memory for a future waits for the ref say MOB_EGONE.
mob_ref_t call_refused(mob_t *self, const failure_t *failure)
{
    mob_ref_t ref = local_ref(self);
    future_t *future = futures_add(&self->futures, ref);
    if (future) {
        hold_take(self, future);
        heard_fail(self, future, failure);
    }
    return ref;
}

// All refs that the call would have given fail.
static mob_ref_t refused(order_t *order)
{
    blob_drop(&order->blob);
    if (order->forget)
        return local_ref(order->self);
    mob_ref_t first = call_refused(order->self, &order->failure);
    for (int i = 1; i < order->returns; i++)
        call_refused(order->self, &order->failure);
    return first;
}

// ---- May it enter? ------------------------------------------------------------------------------

static bool is_open(order_t *order)
{
    mob_t *self = order->self;
    if (self->closing)
        return refuse(order, MOB_ECLOSED, "", "the connection is being closed");
    if (self->link.state == LINK_OVER)
        return refuse(order, self->link.over, "", "%s", self->link.over_text);
    return true;
}

static bool is_full(const mob_t *self)
{
    return self->futures.pending >= self->window || self->queue.bytes >= UNACCEPTED_MAX;
}

// How long a call waits for room: with .block until its deadline, and so does one that nobody waits
// for, as it has nobody to tell. Others only until the broker has accepted what was sent.
static int patience_ms(const order_t *order)
{
    const mob_t *self = order->self;
    if (order->block || order->forget)
        return order->timeout_ms > 0 ? (int)order->timeout_ms : MOB_FOREVER;
    return self->futures.pending < self->window && link_reachable(self) ? ACCEPT_MS : 0;
}

static bool wait_for_room(order_t *order)
{
    mob_t *self = order->self;
    waiter_t waiter = wait_begin(self, patience_ms(order));
    mob_err_t err = MOB_OK;
    while (is_full(self) && !err && !self->closing && self->link.state != LINK_OVER)
        err = wait_more(&waiter);
    wait_end(&waiter);
    return !is_full(self);
}

static bool has_room(order_t *order)
{
    mob_t *self = order->self;
    if (batch_full(&self->out))
        session_go(self, 0, true); // who only sends must hear, too
    if (!is_full(self))
        return true;
    if (wait_for_room(order))
        return is_open(order);
    return refuse(order, MOB_EFULL, "PENDING",
                  "%s: %zu calls of this connection are pending, %zu bytes not accepted",
                  order->name, self->futures.pending, self->queue.bytes);
}

// A nested call gets at most what remains of its caller, unless it says MOB_FOREVER.
static bool bound_by_caller(order_t *order, opts_t *out)
{
    mob_t *self = order->self;
    if (self->deadline == INT64_MAX || out->timeout_ms == MOB_FOREVER)
        return true;
    int64_t left_ms = (self->deadline - clock_us() + 999) / 1000;
    if (left_ms <= 0)
        return refuse(order, MOB_EDEADLINE, "", "%s: its caller's time is over", order->name);
    if (out->timeout_ms <= 0 || out->timeout_ms > left_ms)
        out->timeout_ms = left_ms;
    order->opts = out;
    return true;
}

static bool with_options(order_t *order, const mob_opts_t *opts, opts_t *out, char *text)
{
    mob_err_t err = MOB_OK;
    if (opts) {
        err = option_of_call(opts, order->method, out, text, OPTION_TEXT);
        order->opts = out;
        order->forget = opts->forget || opts->num_returns == MOB_NONE;
        order->block = opts->block;
        order->returns = opts->num_returns < RETURNS_MAX ? opts->num_returns : RETURNS_MAX;
    } else if (order->self->deadline != INT64_MAX) {
        *out = (opts_t){0};
    } else {
        return true;
    }
    if (err)
        return refuse(order, err, "", "%s: %s", order->name, text);
    if (!bound_by_caller(order, out))
        return false;
    order->timeout_ms = out->timeout_ms;
    return true;
}

// ---- Arguments ----------------------------------------------------------------------------------

static bool deps_are_known(order_t *order)
{
    mob_t *self = order->self;
    for (uint32_t i = 0; i < order->deps.count; i++) {
        mob_ref_t ref = order->deps.items[i];
        future_t *future = ref.owner == self->owner && future_is_local(ref)
                               ? futures_find(&self->futures, ref)
                               : NULL;
        if (!future)
            continue; // the broker knows
        const failure_t *cause = future_failure(future);
        refuse(order, MOB_EDEP, "", "%s: dependency failed: %s", order->name, cause->reason);
        order->failure.cause = ref;
        order->failure.root = cause->root;
        return false;
    }
    return true;
}

static bool take_load(order_t *order, const mob_writer_t *writer)
{
    order->args = load_bytes(writer->pack.data, writer->pack.size);
    if (writer->pack.size <= MOB_INLINE_MAX)
        return true;
    if (writer->pack.size > MOB_BLOB_MAX)
        return refuse(order, MOB_ELIMIT, "", "%s: values of %zu bytes exceed %d", order->name,
                      writer->pack.size, MOB_BLOB_MAX);
    order->blob = blob_new(writer->pack.data, writer->pack.size);
    order->args = load_of(order->blob);
    return order->blob || refuse(order, MOB_ENOMEM, "", "out of memory");
}

static bool with_args(order_t *order, const mob_value_t *args, size_t count)
{
    mob_writer_t *writer = &order->self->writer;
    writer_clear(writer);
    for (size_t i = 0; i < count; i++)
        mob_write(writer, args[i]);
    if (writer->err)
        return refuse(
            order, writer->err, "",
            "%s: arguments that do not fit: too deep, too large, too many futures, or of no kind",
            order->name);
    order->deps = (refs_t){.items = writer->deps, .count = writer->dep_count};
    return take_load(order, writer) && (writer->dep_count == 0 || deps_are_known(order));
}

// ---- Entering -----------------------------------------------------------------------------------

static uint32_t symbol_of(order_t *order, const char *text)
{
    bool fresh;
    uint32_t symbol = symbols_of(&order->self->symbols, text, &fresh);
    mob_bytes_t bytes = {text, strlen(fresh ? text : "")};
    if (fresh)
        message_NAME(session_room(order->self), &(msg_name_t){.symbol = symbol, .text = bytes});
    if (!symbol)
        refuse(order, MOB_ELIMIT, "", "%s: more than %d signatures in one connection", text,
               SYMBOLS_MAX);
    return symbol;
}

static bool is_signature(order_t *order, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    return (size > 0 && size <= MOB_TEXT_MAX) ||
           refuse(order, MOB_EARGS, "", "a signature has 1 to %d bytes", MOB_TEXT_MAX);
}

// The request is in the batch: its ref becomes a future. Nothing can fail any more but memory.
static mob_ref_t entered(order_t *order, future_t *future)
{
    mob_t *self = order->self;
    mob_ref_t ref = {self->owner, ++self->seq};
    self->out_last = ref.seq;
    if (!self->out_first)
        self->out_first = ref.seq;
    blob_drop(&order->blob);
    session_appended(self);
    if (future) {
        future->kind = (uint8_t)(order->kind & 7);
        future->born_ms = (uint32_t)(self->now / 1000);
        hold_take(self, future);
    }
    return ref;
}

// A future for the next request; false: refused. A forgotten call has none.
static bool make_future(order_t *order, future_t **future_p)
{
    mob_t *self = order->self;
    *future_p = NULL;
    if (order->forget)
        return true;
    *future_p = futures_add(&self->futures, (mob_ref_t){self->owner, self->seq + 1});
    return *future_p || refuse(order, MOB_ENOMEM, "", "out of memory");
}

static mob_ref_t leave(order_t *order, bool written, future_t *future)
{
    if (written)
        return entered(order, future);
    if (future)
        futures_remove(&order->self->futures, &future);
    refuse(order, MOB_ENOMEM, "", "out of memory");
    return refused(order);
}

// ---- Tasks --------------------------------------------------------------------------------------

static mob_ref_t submit(order_t *order, const mob_opts_t *opts, const mob_value_t *args,
                        size_t count)
{
    mob_t *self = order->self;
    opts_t wire;
    char text[OPTION_TEXT];
    future_t *future;
    if (!is_open(order) || !is_signature(order, order->name) ||
        !with_options(order, opts, &wire, text) || !has_room(order) ||
        !with_args(order, args, count))
        return refused(order);
    uint32_t symbol = symbol_of(order, order->name);
    if (!symbol || !make_future(order, &future))
        return refused(order);
    const msg_submit_t msg = {.seq = self->seq + 1,
                              .epoch = self->link.epoch,
                              .task = symbol,
                              .opts = {.set = order->opts},
                              .args = order->args,
                              .deps = order->deps,
                              .parent = self->parent};
    return leave(order, message_SUBMIT(session_room(self), &msg), future);
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
        return refuse(order, MOB_ENOTFOUND, "", "%s: no actor", order->name);
    if (making.owner != self->owner || !future_is_local(making))
        return true;
    future_t *future = futures_find(&self->futures, making);
    const failure_t *cause = future ? future_failure(future) : NULL;
    refuse(order, MOB_EDEAD, "INIT", "%s: the actor was never made: %s", order->name,
           cause ? cause->reason : "its handle was dropped");
    order->failure.cause = making;
    order->failure.root = cause ? cause->root : MOB_EDEAD;
    return false;
}

static mob_ref_t send(order_t *order, mob_actor_t actor, const mob_opts_t *opts,
                      const mob_value_t *args, size_t count)
{
    mob_t *self = order->self;
    opts_t wire;
    char text[OPTION_TEXT];
    future_t *future;
    if (!is_open(order) || !is_signature(order, order->name) ||
        !with_options(order, opts, &wire, text) || !actor_was_sent(order, actor) ||
        !has_room(order) || !with_args(order, args, count))
        return refused(order);
    uint32_t symbol = symbol_of(order, order->name);
    if (!symbol || !make_future(order, &future))
        return refused(order);
    const msg_call_t msg = {.seq = self->seq + 1,
                            .epoch = self->link.epoch,
                            .actor = mob_ready(actor),
                            .incarnation = actor.incarnation,
                            .method = symbol,
                            .opts = {.set = order->opts},
                            .args = order->args,
                            .deps = order->deps,
                            .parent = self->parent};
    return leave(order, message_CALL(session_room(self), &msg), future);
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

static bool with_actor_options(order_t *order, const mob_actor_opts_t *opts, opts_t *out,
                               char *text)
{
    if (!opts)
        return true;
    mob_err_t err = option_of_actor(opts, out, text, OPTION_TEXT);
    order->opts = out;
    return !err || refuse(order, err, "", "%s: %s", order->name, text);
}

static mob_ref_t spawn(order_t *order, const mob_actor_opts_t *opts, const mob_value_t *args,
                       size_t count)
{
    mob_t *self = order->self;
    opts_t wire;
    char text[OPTION_TEXT];
    future_t *future;
    if (!is_open(order) || !is_signature(order, order->name) ||
        !with_actor_options(order, opts, &wire, text) || !has_room(order) ||
        !with_args(order, args, count))
        return refused(order);
    uint32_t symbol = symbol_of(order, order->name);
    if (!symbol || !make_future(order, &future))
        return refused(order);
    const msg_spawn_t msg = {.seq = self->seq + 1,
                             .epoch = self->link.epoch,
                             .cls = symbol,
                             .opts = {.set = order->opts},
                             .args = order->args,
                             .deps = order->deps,
                             .parent = self->parent};
    return leave(order, message_SPAWN(session_room(self), &msg), future);
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

// The handle is a ref like others: held, so that mob_release() around a loop ends it. It is good at
// once: what there is to say of the name is said to its calls.
static mob_ref_t find(order_t *order)
{
    mob_t *self = order->self;
    future_t *future;
    size_t size = order->name ? strlen(order->name) : 0;
    if (!is_open(order) || !has_room(order))
        return refused(order);
    if (size == 0 || size > 2 * MOB_NAME_MAX + 1) {
        refuse(order, MOB_EARGS, "", "a name has 1 to %d bytes", MOB_NAME_MAX);
        return refused(order);
    }
    if (!make_future(order, &future))
        return refused(order);
    const msg_find_t msg = {.seq = self->seq + 1, .name = {order->name, size}};
    mob_ref_t ref = leave(order, message_FIND(session_room(self), &msg), future);
    if (!future_is_local(ref))
        heard_settle(self, future, MOB_OK, load_bytes("\xc0", 1), NULL); // nil
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
    future_t *future;
    if (!is_open(order) || !has_room(order) || !make_future(order, &future))
        return refused(order);
    const msg_end_t msg = {.seq = self->seq + 1, .actor = mob_ready(actor)};
    return leave(order, message_END(session_room(self), &msg), future);
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
    if ((flags & MOB_CANCEL_FORCE) && future && future->kind == FUTURE_CALL)
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

// Settled at once, from our own copy; the broker gets another.
static mob_ref_t store(order_t *order, const mob_value_t *value)
{
    mob_t *self = order->self;
    future_t *future;
    if (!is_open(order) || !has_room(order) || !with_args(order, value, 1))
        return refused(order);
    if (order->deps.count > 0) {
        refuse(order, MOB_EARGS, "",
               "mob_store: a value to store cannot hold the value of a future; store the ref");
        return refused(order);
    }
    blob_t *copy = order->args.size > FUTURE_INLINE ? load_keep(order->args) : NULL;
    if (order->args.size > FUTURE_INLINE && !copy)
        refuse(order, MOB_ENOMEM, "", "out of memory");
    if ((order->args.size > FUTURE_INLINE && !copy) || !make_future(order, &future)) {
        blob_drop(&copy);
        return refused(order);
    }
    const msg_put_t msg = {.seq = self->seq + 1, .value = order->args};
    load_t kept = copy ? load_of(copy) : order->args;
    mob_ref_t ref = leave(order, message_PUT(session_room(self), &msg), future);
    if (!future_is_local(ref))
        heard_settle(self, future, MOB_OK, kept, NULL);
    blob_drop(&copy);
    return ref;
}

mob_ref_t mob_store(mob_t *self, mob_value_t value)
{
    session_lock(self);
    order_t order;
    order_init(&order, self, "mob_store", FUTURE_OTHER);
    mob_ref_t ref = store(&order, &value);
    session_unlock(self);
    return ref;
}

static mob_ref_t query(order_t *order, const char *what, const char *filter)
{
    mob_t *self = order->self;
    future_t *future;
    mob_bytes_t about = {what ? what : "", what ? strlen(what) : 0};
    mob_bytes_t narrow = {filter ? filter : "", filter ? strlen(filter) : 0};
    if (!is_open(order) || !has_room(order))
        return refused(order);
    if (about.size > MOB_TEXT_MAX || narrow.size > MOB_TEXT_MAX) {
        refuse(order, MOB_EARGS, "", "mob_query: a question of more than %d bytes", MOB_TEXT_MAX);
        return refused(order);
    }
    if (!make_future(order, &future))
        return refused(order);
    const msg_query_t msg = {.seq = self->seq + 1, .what = about, .filter = narrow};
    return leave(order, message_QUERY(session_room(self), &msg), future);
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
