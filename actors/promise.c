// promise.c - answers that were put off: a body leaves its call open, and who has the promise
// answers it, from whichever thread.

#include <stdarg.h>
#include <stdio.h>

#include "answer.h"

// ---- Given --------------------------------------------------------------------------------------

static const char *why_not(const hand_t *hand)
{
    if (!hand || hand->what != HAND_CALL || mob_is_none(hand->actor))
        return "mob_defer_call() outside a method: only an actor can answer later";
    return hand->returns == 1
               ? NULL
               : "mob_defer_call(): neither a stream nor several results can be put off";
}

mob_promise_t mob_defer_call(mob_ctx_t *ctx)
{
    context_t *self = (context_t *)(uintptr_t)ctx;
    hand_t *hand = self->hand;
    self->refused = why_not(hand);
    if (self->refused)
        return (mob_promise_t){0};
    session_lock(ctx->client);
    if (hand->promise == PROMISE_NONE)
        hand->promise = PROMISE_OPEN;
    session_unlock(ctx->client);
    return (mob_promise_t){hand->ref, hand->attempt, hand->incarnation};
}

// ---- Kept ---------------------------------------------------------------------------------------

// NULL: that call is over.
static hand_t *open_hand(const worker_t *worker, mob_promise_t promise)
{
    hand_t *hand = window_find(&worker->window, promise.call);
    bool is = hand && hand->promise == PROMISE_OPEN && hand->attempt == promise.attempt &&
              hand->incarnation == promise.incarnation;
    return is ? hand : NULL;
}

static void keep(worker_t *worker, hand_t *hand)
{
    if (hand->running)
        hand->promise = PROMISE_KEPT;
    else
        window_close(&worker->window, hand);
    worker_wake(worker);
}

static void fail(worker_t *worker, const hand_t *hand, mob_err_t err, int64_t code, const char *text)
{
    answer_failure(worker, hand,
                   &(answer_failure_t){.err = err,
                                       .code = code,
                                       .executed = MOB_EXECUTED,
                                       .text = text,
                                       .trace = hand->body->name});
}

static void say_value(worker_t *worker, const hand_t *hand, mob_value_t value)
{
    mob_writer_t *writer = &worker->owed;
    char text[CONTEXT_TEXT];
    mob_write(writer, value);
    mob_err_t err = writer->err;
    snprintf(text, sizeof text, "the answer does not fit %s: %s", hand->body->usage,
             mob_strerror(err));
    if (err)
        fail(worker, hand, err == MOB_EARGS ? MOB_ERESULT : err, 0, text);
    else
        answer_value(worker, hand, &writer->pack, writer->inner.size > 0);
    writer_clear(writer);
}

// Large ones that the broker has not accepted take room here.
static bool has_room(void *arg)
{
    return !session_is_full(arg);
}

bool mob_settle(mob_t *client, mob_promise_t promise, mob_value_t value)
{
    worker_t *worker = session_worker(client);
    if (!worker)
        return false;
    session_lock(client);
    if (worker->bulk.first)
        session_wait(client, has_room, client);
    hand_t *hand = open_hand(worker, promise);
    if (hand) {
        say_value(worker, hand, value);
        keep(worker, hand);
    }
    session_unlock(client);
    return hand != NULL;
}

bool mob_refuse(mob_t *client, mob_promise_t promise, int code, const char *format, ...)
{
    worker_t *worker = session_worker(client);
    char text[CONTEXT_TEXT];
    if (!worker)
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    session_lock(client);
    hand_t *hand = open_hand(worker, promise);
    if (hand) {
        fail(worker, hand, MOB_ETASK, code > 0 ? code : 1, text);
        keep(worker, hand);
    }
    session_unlock(client);
    return hand != NULL;
}
