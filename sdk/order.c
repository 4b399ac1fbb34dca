// order.c - a request in the making: may it enter, its options, its arguments, its future. What is
// refused here is a failed ref like any other, with a number that the broker never sees.

#include "order.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

enum {
    ACCEPT_MS = 1000, // within this a broker that is there has accepted something
};

// By hand: the reason is large and mostly unused.
void order_init(order_t *order, mob_t *self, const char *name, future_kind_t kind)
{
    order->self = self;
    order->name = name ? name : "";
    order->kind = kind;
    order->forget = order->block = order->method = order->stream = false;
    order->opts = NULL;
    order->returns = 1;
    order->timeout_ms = 0;
    order->blob = NULL;
    order->large = NULL;
    order->future = NULL;
    order->deps = (refs_t){0};
    order->inner = (loads_t){0};
}

// ---- Refusing -----------------------------------------------------------------------------------

bool order_refuse(order_t *order, mob_err_t err, const char *why, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(order->reason, sizeof order->reason, format, list);
    va_end(list);
    order->failure = (failure_t){.err = err,
                                 .executed = MOB_NOT_EXECUTED,
                                 .why = why,
                                 .root = err,
                                 .reason = order->reason,
                                 .retry_after_ms = err == MOB_EFULL ? FAILURE_FULL_MS : 0};
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

static mob_ref_t nth(const order_t *order, uint32_t index)
{
    return (mob_ref_t){order->self->owner, order->self->seq + 1 + index};
}

static void remove_futures(order_t *order)
{
    for (uint32_t i = 0; i < order->returns; i++) {
        future_t *future = futures_find(&order->self->futures, nth(order, i));
        if (future)
            futures_remove(&order->self->futures, &future);
    }
    order->future = NULL;
}

// All refs that the call would have given fail.
mob_ref_t order_refused(order_t *order)
{
    blob_drop(&order->blob);
    block_drop(&order->large);
    if (order->future)
        remove_futures(order);
    if (order->forget)
        return local_ref(order->self);
    mob_ref_t first = call_refused(order->self, &order->failure);
    for (uint32_t i = 1; i < order->returns; i++)
        call_refused(order->self, &order->failure);
    return first;
}

// ---- May it enter? ------------------------------------------------------------------------------

bool order_is_open(order_t *order)
{
    mob_t *self = order->self;
    if (self->closing)
        return order_refuse(order, MOB_ECLOSED, "", "the connection is being closed");
    if (self->link.state == LINK_OVER)
        return order_refuse(order, self->link.over, "", "%s", self->link.over_text);
    return true;
}

static bool has_window(const order_t *order)
{
    return order->self->futures.pending + order->returns <= order->self->window;
}

static bool is_full(const order_t *order)
{
    return !has_window(order) || order->self->queue.bytes >= UNACCEPTED_MAX;
}

bool order_fits(const order_t *order)
{
    return !is_full(order);
}

// How long a call waits for room: with .block until its deadline, and so does one that nobody waits
// for, as it has nobody to tell. Others only until the broker has accepted what was sent.
static int patience_ms(const order_t *order)
{
    const mob_t *self = order->self;
    if (order->block || order->forget)
        return order->timeout_ms > 0 ? (int)order->timeout_ms : MOB_FOREVER;
    return has_window(order) && link_reachable(self) ? ACCEPT_MS : 0;
}

static bool wait_for_room(order_t *order)
{
    mob_t *self = order->self;
    int patience = patience_ms(order);
    waiter_t waiter = wait_begin(self, patience);
    uint64_t accepted = self->queue.accepted;
    mob_err_t err = MOB_OK;
    while (is_full(order) && !err && !self->closing && self->link.state != LINK_OVER) {
        err = wait_more(&waiter);
        if (patience == ACCEPT_MS && self->queue.accepted != accepted) // it moves
            waiter.until = self->now + ACCEPT_MS * INT64_C(1000);
        accepted = self->queue.accepted;
    }
    wait_end(&waiter);
    return !is_full(order);
}

static bool has_room(order_t *order)
{
    mob_t *self = order->self;
    if (batch_full(&self->out))
        session_go(self, 0, true); // who only sends must hear, too
    if (!is_full(order))
        return true;
    if (wait_for_room(order))
        return order_is_open(order);
    return order_refuse(order, MOB_EFULL, "PENDING",
                        "%s: %zu calls of this connection are pending, %zu bytes not accepted",
                        order->name, self->futures.pending, self->queue.bytes);
}

// A nested call gets at most what remains of its caller, unless it says MOB_FOREVER.
static bool bound_by_caller(order_t *order, opts_t *out)
{
    mob_t *self = order->self;
    if (self->voice->deadline == INT64_MAX || out->timeout_ms == MOB_FOREVER)
        return true;
    int64_t left_ms = (self->voice->deadline - clock_us() + 999) / 1000;
    if (left_ms <= 0)
        return order_refuse(order, MOB_EDEADLINE, "", "%s: its caller's time is over", order->name);
    if (out->timeout_ms <= 0 || out->timeout_ms > left_ms)
        out->timeout_ms = left_ms;
    order->opts = out;
    return true;
}

bool order_options(order_t *order, const mob_opts_t *opts, opts_t *out, char *text)
{
    mob_err_t err = MOB_OK;
    if (opts) {
        err = option_of_call(opts, order->method, out, text, OPTION_TEXT);
        order->opts = out;
        order->forget = opts->forget || opts->num_returns == MOB_NONE;
        order->block = opts->block;
        if (opts->num_returns > 1 && opts->num_returns <= MOB_RETURNS_MAX)
            order->returns = (uint32_t)opts->num_returns;
        order->stream = opts->num_returns == MOB_STREAM;
        order->ahead = opts->stream_ahead;
    } else if (order->self->voice->deadline != INT64_MAX) {
        *out = (opts_t){0};
    } else {
        return true;
    }
    if (err)
        return order_refuse(order, err, "", "%s: %s", order->name, text);
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
        order_refuse(order, MOB_EDEP, "", "%s: dependency failed: %s", order->name, cause->reason);
        failure_follow(&order->failure, ref, cause);
        return false;
    }
    return true;
}

static bool take_load(order_t *order, mob_writer_t *writer)
{
    order->args = load_bytes(writer->pack.data, writer->pack.size);
    if (writer->pack.size <= MOB_INLINE_MAX)
        return true;
    if (writer->pack.size > MOB_BLOB_MAX)
        order->large = block_new(&writer->pack);
    else
        order->blob = blob_new(writer->pack.data, writer->pack.size);
    order->args = load_of(order->blob);
    return order->blob || order->large || order_refuse(order, MOB_ENOMEM, "", "out of memory");
}

static bool with_args(order_t *order, const mob_value_t *args, size_t count)
{
    mob_writer_t *writer = &order->self->writer;
    writer_clear(writer);
    for (size_t i = 0; i < count; i++)
        mob_write(writer, args[i]);
    if (writer->err)
        return order_refuse(
            order, writer->err,
            "", "%s: arguments that do not fit: too deep, too large, too many futures or refs, or of no kind",
            order->name);
    order->deps = (refs_t){.items = writer->deps.items, .count = writer->deps.count};
    order->inner = inner_of(order->inner_loads, load_bytes(writer->inner.data, writer->inner.size),
                            (load_t){0});
    return take_load(order, writer) && (writer->deps.count == 0 || deps_are_known(order));
}

// ---- Entering -----------------------------------------------------------------------------------

static uint32_t symbol_of(order_t *order)
{
    const char *text = order->name;
    bool fresh;
    uint32_t symbol = symbols_of(&order->self->symbols, text, &fresh);
    mob_bytes_t bytes = {text, strlen(fresh ? text : "")};
    if (fresh)
        message_NAME(session_room(order->self), &(msg_name_t){.symbol = symbol, .text = bytes});
    if (!symbol)
        order_refuse(order, MOB_ELIMIT, "", "%s: more than %d signatures in one connection", text,
                     SYMBOLS_MAX);
    return symbol;
}

static bool is_signature(order_t *order)
{
    size_t size = strlen(order->name);
    return (size > 0 && size <= MOB_TEXT_MAX) ||
           order_refuse(order, MOB_EARGS, "", "a signature has 1 to %d bytes", MOB_TEXT_MAX);
}

static void begin_future(const order_t *order, future_t *future, uint32_t index)
{
    future->behind = order->returns - 1 - index;
    future->kind = (uint8_t)(order->kind & 7);
    future->born_ms = (uint32_t)(order->self->now / 1000);
    hold_take(order->self, future);
}

// The request is in the batch: its refs become futures. Nothing can fail any more.
static mob_ref_t entered(order_t *order)
{
    mob_t *self = order->self;
    mob_ref_t ref = nth(order, 0);
    if (order->future)
        begin_future(order, order->future, 0);
    for (uint32_t i = 1; i < order->returns && order->future; i++)
        begin_future(order, futures_find(&self->futures, nth(order, i)), i);
    session_requested(self, order->returns);
    blob_drop(&order->blob);
    block_drop(&order->large);
    return ref;
}

// What is too large to stand in the request goes in front of it.
static bool send_ahead(order_t *order)
{
    if (!order->large && order->deps.count <= UPLOAD_DEPS)
        return true;
    return upload_ahead(order->self, order->large, &order->args, &order->deps) ||
           order_refuse(order, MOB_ENOMEM, "", "out of memory");
}

static bool make_stream(order_t *order)
{
    order->future->stream = stream_new(order->ahead);
    order->future->is_stream = order->future->stream != NULL;
    return order->future->is_stream;
}

// For the refs of the next request. A forgotten call has none.
static bool make_futures(order_t *order)
{
    if (order->forget)
        return true;
    for (uint32_t i = order->returns; i-- > 0;) {
        order->future = futures_add(&order->self->futures, nth(order, i));
        if (!order->future)
            break;
    }
    if (order->future && (!order->stream || make_stream(order)))
        return true;
    remove_futures(order);
    return order_refuse(order, MOB_ENOMEM, "", "out of memory");
}

bool order_body(order_t *order, const mob_value_t *args, size_t count)
{
    if (!order_is_open(order) || !is_signature(order) || !has_room(order) ||
        !with_args(order, args, count))
        return false;
    order->symbol = symbol_of(order);
    return order->symbol && send_ahead(order) && make_futures(order);
}

bool order_load(order_t *order, mob_value_t value)
{
    return order_is_open(order) && has_room(order) && with_args(order, &value, 1) &&
           send_ahead(order) && make_futures(order);
}

bool order_plain(order_t *order)
{
    return order_is_open(order) && has_room(order) && make_futures(order);
}

mob_ref_t order_leave(order_t *order, bool written)
{
    if (written)
        return entered(order);
    order_refuse(order, MOB_ENOMEM, "", "out of memory");
    return order_refused(order);
}
