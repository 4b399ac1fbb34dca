// heard.c - what the broker says, a handler a verb. The first outcome of a ref is the only one;
// what nobody waits for any more is passed by. What only hosts and workers hear goes to their hook.

#include "client.h"

#include <stdio.h>
#include <string.h>

typedef void handler_t(mob_t *self, const message_t *message, blob_t *frame);

// ---- Outcomes -----------------------------------------------------------------------------------

// A stream's wait for its items.
static then_t *thens_of(const future_t *future)
{
    return future->is_stream ? NULL : future->thens;
}

// Whoever waits for it wants its value.
static void after_settling(mob_t *self, future_t *future)
{
    if (future_is_away(future) && (thens_of(future) || future->mark == self->futures.mark))
        heard_value(self, future);
    else if (thens_of(future))
        thens_ready(self, future);
}

static void lose_value(mob_t *self, future_t *future, mob_err_t err)
{
    future_reopen(&self->futures, future);
    heard_fail(self, future,
               &(failure_t){.err = err,
                            .executed = MOB_EXECUTED,
                            .reason = err == MOB_ENOMEM ? "no memory for its value"
                                                        : "its value is not kept any more"});
}

bool heard_value(mob_t *self, future_t *future)
{
    if (!future_is_away(future))
        return future->settled;
    if (future->blob)
        return false; // on its way
    future->blob = blob_hold(fetch_start(self, future->ref, PART_VALUE, future->size));
    if (!future->blob)
        lose_value(self, future, MOB_ENOMEM);
    return future->settled && !future_is_away(future);
}

void heard_payload(mob_t *self, mob_ref_t ref, uint32_t part, blob_t *blob, mob_err_t why)
{
    const session_hooks_t *hooks = self->role.hooks;
    future_t *future = part == PART_VALUE ? futures_find(&self->futures, ref) : NULL;
    if (part != PART_VALUE && hooks && hooks->fetched)
        hooks->fetched(self, self->role.arg, ref, part, blob, why);
    if (!future || !future_is_away(future))
        return;
    if (!blob) {
        lose_value(self, future, why);
        return;
    }
    future_arrive(&self->futures, future);
    if (thens_of(future))
        thens_ready(self, future);
}

void heard_settle(mob_t *self, future_t *future, mob_err_t err, load_t load, blob_t *frame)
{
    future_settle(&self->futures, future, err, load, frame);
    after_settling(self, future);
}

void heard_fail(mob_t *self, future_t *future, const failure_t *failure)
{
    future_fail(&self->futures, future, failure);
    after_settling(self, future);
}

void heard_fail_all(mob_t *self, const failure_t *failure)
{
    future_t *future;
    for (size_t at = 0; (future = futures_next(&self->futures, &at));)
        if (!future->settled)
            heard_fail(self, future, failure);
}

// Requests are admitted in their order: an outcome says of its own and of all before it what ACCEPT
// says.
static void note_answered(mob_t *self, const future_t *future)
{
    uint64_t last = future->ref.seq + future->behind;
    if (!future->foreign && last > self->answered)
        self->answered = last;
}

static void on_done(mob_t *self, const message_t *message, blob_t *frame)
{
    future_t *future = futures_find(&self->futures, (mob_ref_t){self->owner, message->done.seq});
    if (future && !future->settled) {
        note_answered(self, future);
        future->attempts = 1;
        heard_settle(self, future, MOB_OK, message->done.value, frame);
    }
}

static void on_answer(mob_t *self, const message_t *message, blob_t *frame)
{
    const msg_answer_t *answer = &message->answer;
    future_t *future = futures_find(&self->futures, answer->ref);
    if (future && answer->code && future_is_away(future)) { // what was to be fetched is lost
        fetch_cancel(self, answer->ref);
        future_reopen(&self->futures, future);
    }
    if (future && !future->settled) {
        note_answered(self, future);
        future->attempts = answer->attempts < UINT8_MAX ? (uint8_t)answer->attempts : UINT8_MAX;
        mob_err_t code = answer->code <= UINT8_MAX ? (mob_err_t)answer->code : MOB_EINTERNAL;
        future->inner = answer->inner && !code;
        heard_settle(self, future, code, answer->value, frame);
    }
}

// ---- The session --------------------------------------------------------------------------------

static void on_accept(mob_t *self, const message_t *message, blob_t *frame)
{
    (void)frame;
    if (link_epoch(self, message->accept.epoch) && message->accept.seq <= self->seq)
        queue_accept(&self->queue, message->accept.seq, self->now);
}

static void on_data(mob_t *self, const message_t *message, blob_t *frame)
{
    (void)frame;
    fetch_data(self, &message->data);
}

static void on_welcome(mob_t *self, const message_t *message, blob_t *frame)
{
    (void)frame;
    link_welcome(self, &message->welcome);
}

static void on_name(mob_t *self, const message_t *message, blob_t *frame)
{
    (void)frame;
    texts_bind(&self->heard, message->name.symbol, message->name.text);
}

static void on_ping(mob_t *self, const message_t *message, blob_t *frame)
{
    (void)frame;
    link_epoch(self, message->ping.epoch);
}

static bool is(mob_bytes_t text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

// Of a request of ours that could not be read: it will never be settled otherwise. What was refused us about
// a ref of others changes nothing about that ref. What the broker had no memory for it has not
// admitted: it is sent again until there is some.
static void on_error(mob_t *self, const message_t *message, blob_t *frame)
{
    (void)frame;
    const msg_error_t *error = &message->error;
    char why[32], text[256];
    if (is(error->why, "HELLO")) {
        link_event(self, LINK_STRANGER);
        return;
    }
    future_t *future =
        error->ref.owner == self->owner ? futures_find(&self->futures, error->ref) : NULL;
    if (!future || future->settled || error->code == MOB_ENOMEM)
        return;
    snprintf(why, sizeof why, "%.*s", (int)error->why.size, (const char *)error->why.data);
    snprintf(text, sizeof text, "%.*s", (int)error->text.size, (const char *)error->text.data);
    heard_fail(self, future,
               &(failure_t){.err = error->code ? (mob_err_t)error->code : MOB_EPROTO,
                            .why = why,
                            .reason = text});
}

static void on_goodbye(mob_t *self, const message_t *message, blob_t *frame)
{
    (void)frame;
    link_goodbye(self, (mob_err_t)message->goodbye.code, message->goodbye.text);
}

// ---- For hosts and workers ----------------------------------------------------------------------

static void on_other(mob_t *self, const message_t *message, blob_t *frame)
{
    (void)frame;
    const session_hooks_t *hooks = self->role.hooks;
    if (hooks && hooks->message)
        hooks->message(self, self->role.arg, message);
}

// A new connection may begin with what was meant for the one before: a part of it, the rest is lost.
// The broker says all of it again, in its order, once it knows what we have.
static void on_order(mob_t *self, const message_t *message, blob_t *frame)
{
    if (self->link.state == LINK_LIVE)
        on_other(self, message, frame);
}

static void on_run(mob_t *self, const message_t *message, blob_t *frame)
{
    if (link_epoch(self, message->run.epoch))
        on_order(self, message, frame);
}

static void on_make(mob_t *self, const message_t *message, blob_t *frame)
{
    if (link_epoch(self, message->make.epoch))
        on_order(self, message, frame);
}

static handler_t *const HANDLERS[VERB_MAX] = {
    [VERB_DONE] = on_done,       [VERB_ANSWER] = on_answer,   [VERB_ACCEPT] = on_accept,
    [VERB_WELCOME] = on_welcome, [VERB_NAME] = on_name,       [VERB_PING] = on_ping,
    [VERB_ERROR] = on_error,     [VERB_GOODBYE] = on_goodbye, [VERB_RUN] = on_run,
    [VERB_MAKE] = on_make,       [VERB_START] = on_order,     [VERB_KILL] = on_order,
    [VERB_DATA] = on_data,       [VERB_CANCEL] = on_order,    [VERB_STOP] = on_order,
    [VERB_TAKEN] = on_other,     [VERB_CREDIT] = on_order,
};

// Wrong envelopes are passed by: what they would have said is asked for later.
static void read_rest(mob_t *self, batch_reader_t *reader, blob_t *frame)
{
    message_t message;
    message_fault_t fault;
    for (;;) {
        message_state_t state = message_next(reader, &message, &fault);
        if (state == MESSAGE_END || state == MESSAGE_BROKEN)
            return;
        if (state == MESSAGE_OK && HANDLERS[message.verb])
            HANDLERS[message.verb](self, &message, frame);
    }
}

static batch_reader_t open_arrival(const arrival_t *arrival)
{
    const blob_t *frame = arrival->frames[0];
    return batch_open(frame->data, frame->size, &arrival->frames[1], arrival->count - 1);
}

void heard_calls(mob_t *self, const arrival_t *arrival)
{
    batch_reader_t reader = open_arrival(arrival);
    self->link.heard_at = self->now;
    read_rest(self, &reader, arrival->frames[0]);
}

void heard_notices(mob_t *self, const arrival_t *arrival)
{
    batch_reader_t reader = open_arrival(arrival);
    message_t message;
    message_fault_t fault;
    bool good = false;
    if (message_next(&reader, &message, &fault) != MESSAGE_OK)
        return;
    if (message.verb == VERB_NOTE)
        good = link_note(self, message.note.epoch, message.note.n, true);
    else if (message.verb == VERB_HUGZ)
        good = link_note(self, message.hugz.epoch, message.hugz.n, false);
    if (!good)
        return;
    self->link.heard_at = self->now;
    read_rest(self, &reader, arrival->frames[0]);
}
