// worker.c - the loop of a worker, and what the broker says to it. Other threads than its own come
// here only through the session: the keeper, while a body runs.

#include "worker.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "clock.h"
#include "inner.h"
#include "run.h"

enum { TAKEN_US = 500 * 1000 }; // a broker that is there acknowledges after 20 ms

// ---- What a symbol means ------------------------------------------------------------------------

static worker_symbol_t *symbol_slot(worker_t *self, uint32_t symbol)
{
    if (symbol < self->symbol_room)
        return &self->symbols[symbol];
    uint32_t room = self->symbol_room ? 2 * self->symbol_room : 64;
    while (room <= symbol)
        room *= 2;
    worker_symbol_t *symbols = realloc(self->symbols, room * sizeof *symbols);
    if (!symbols)
        return NULL;
    for (uint32_t i = self->symbol_room; i < room; i++)
        symbols[i] = (worker_symbol_t){0};
    self->symbols = symbols;
    self->symbol_room = room;
    return &symbols[symbol];
}

static const offer_body_t *look_up(worker_t *self, uint32_t symbol, const offer_def_t *cls)
{
    const char *text = session_text(self->session, symbol);
    if (!text)
        return NULL;
    if (cls)
        return offer_method(cls, text);
    const offer_def_t *task = offer_find(self->offer, text, false);
    return task ? &task->body : NULL;
}

// The task, or the method of cls, by array index once it was met.
static const offer_body_t *body_of(worker_t *self, uint32_t symbol, const offer_def_t *cls)
{
    worker_symbol_t *slot = symbol_slot(self, symbol);
    if (slot && slot->body && slot->cls == cls)
        return slot->body;
    const offer_body_t *body = look_up(self, symbol, cls);
    if (slot)
        *slot = (worker_symbol_t){cls, body};
    return body;
}

// ---- RUN and MAKE -------------------------------------------------------------------------------

static void refuse(worker_t *self, const hand_t *like, mob_err_t err, mob_executed_t executed,
                   const char *text)
{
    answer_failure(self, like, &(answer_failure_t){.err = err, .executed = executed, .text = text});
}

// Answered before, or in hand already: nothing is to be run.
static bool is_known(worker_t *self, const hand_t *like)
{
    if (answer_again(self, like) || window_holds(&self->window, like->ref, like->attempt))
        return true;
    if (like->cls && like->attempt == 0 && like->what == HAND_CALL &&
        seen_forgot(&self->seen, like->ref, seen_key(like->ref, like->actor))) {
        refuse(self, like, MOB_EBROKER, MOB_MAYBE_EXECUTED,
               "it may have run; its answer is not kept any more");
        return true;
    }
    return false;
}

// The class of an actor that lives here, or whose making waits here.
static const offer_def_t *class_of(worker_t *self, mob_ref_t actor)
{
    const instance_t *instance = instance_find(&self->instances, actor);
    if (instance)
        return instance->cls;
    const hand_t *making = window_find(&self->window, actor);
    return making && making->what == HAND_MAKING ? making->cls : NULL;
}

static bool take_args(worker_t *self, hand_t *hand, load_t args, loads_t deps)
{
    if (args.form == LOAD_HERE && (deps.count == 0 || !gather_is_due(args, deps)))
        return hand_set_args(hand, args, deps);
    hand->gather = gather_new(self->session, hand->ref, args, deps);
    return hand->gather != NULL;
}

// Whether it will be run; else it was answered, or is a duplicate.
static bool accept_run(worker_t *self, const msg_run_t *run, hand_t *hand)
{
    bool method = !mob_is_none(run->actor);
    if (method)
        hand->cls = class_of(self, run->actor);
    if (is_known(self, hand))
        return false;
    hand->body = method && !hand->cls ? NULL : body_of(self, run->symbol, hand->cls);
    if (method && !hand->cls)
        refuse(self, hand, MOB_EUNAVAILABLE, MOB_NOT_EXECUTED, "the actor is not in this worker");
    else if (!hand->body)
        refuse(self, hand, MOB_ENOTFOUND, MOB_NOT_EXECUTED, "this program does not offer it");
    else if (!take_args(self, hand, run->args, run->deps) ||
             !hand_set_opts(hand, run->opts, (load_t){0}))
        refuse(self, hand, MOB_ENOMEM, MOB_NOT_EXECUTED, "no room for its arguments");
    else
        return true;
    return false;
}

static bool accept_make(worker_t *self, const msg_make_t *make, hand_t *hand)
{
    const char *text = session_text(self->session, make->cls);
    if (is_known(self, hand) || instance_find(&self->instances, make->actor))
        return false;
    hand->cls = text ? offer_find(self->offer, text, true) : NULL;
    hand->body = hand->cls ? &hand->cls->body : NULL;
    if (!hand->body)
        refuse(self, hand, MOB_ENOTFOUND, MOB_NOT_EXECUTED, "this program does not offer the class");
    else if (!take_args(self, hand, make->args, make->deps) ||
             !hand_set_opts(hand, make->opts, make->saved))
        refuse(self, hand, MOB_ENOMEM, MOB_NOT_EXECUTED, "no room for its arguments");
    else
        return true;
    return false;
}

void worker_wake(worker_t *self)
{
    if (self->serving && !pthread_equal(self->thread, pthread_self()))
        session_wake(self->session);
}

static void push(worker_t *self, hand_t *hand, int64_t remaining_ms)
{
    if (remaining_ms > INT32_MAX)
        remaining_ms = INT32_MAX;
    if (remaining_ms >= 0)
        hand->deadline_at = clock_us() + remaining_ms * 1000;
    window_push(&self->window, hand);
    worker_wake(self);
}

// It is not run: what is on its way for it is not needed.
static void give_up(worker_t *self, hand_t *hand)
{
    session_unfetch(self->session, hand->ref);
    window_remove(&self->window, hand);
}

static void on_fetched(mob_t *session, void *arg, mob_ref_t ref, uint32_t part, blob_t *blob,
                       mob_err_t why)
{
    worker_t *self = arg;
    (void)session, (void)why;
    hand_t *hand = window_gathers(&self->window, ref);
    if (!hand || (blob && !gather_put(hand->gather, part, blob)))
        return;
    if (!blob)
        refuse(self, hand, MOB_EBROKER, MOB_NOT_EXECUTED, "its arguments are not kept any more");
    else if (!hand_gathered(hand))
        refuse(self, hand, MOB_ENOMEM, MOB_NOT_EXECUTED, "no room for its arguments");
    if (!hand->args.blob)
        give_up(self, hand);
    else
        worker_wake(self);
}

static void refuse_full(worker_t *self, mob_ref_t ref, uint32_t attempt, mob_ref_t actor)
{
    refuse(self, &(hand_t){.ref = ref, .attempt = attempt, .actor = actor}, MOB_EFULL,
           MOB_NOT_EXECUTED, "too many calls in the hand of this worker");
}

static void on_run(worker_t *self, const msg_run_t *run)
{
    if (run->epoch < session_epoch(self->session))
        return; // a broker that is not the one any more
    hand_t *hand = window_place(&self->window);
    if (!hand) {
        refuse_full(self, run->ref, run->attempt, run->actor);
        return;
    }
    hand->what = HAND_CALL;
    hand->ref = run->ref;
    hand->attempt = run->attempt;
    hand->actor = run->actor;
    hand->incarnation = run->incarnation;
    if (run->opts.size)
        hand_wish(hand, run->opts, &self->lanes);
    if (accept_run(self, run, hand))
        push(self, hand, run->remaining_ms);
    else
        window_return(&self->window, hand);
}

static void on_make(worker_t *self, const msg_make_t *make)
{
    if (make->epoch < session_epoch(self->session))
        return;
    hand_t *hand = window_place(&self->window);
    if (!hand) {
        refuse_full(self, make->actor, make->incarnation, make->actor);
        return;
    }
    hand->what = HAND_MAKING;
    hand->ref = hand->actor = make->actor;
    hand->attempt = hand->incarnation = make->incarnation;
    if (accept_make(self, make, hand))
        push(self, hand, make->remaining_ms);
    else
        window_return(&self->window, hand);
}

// ---- CANCEL, STOP, TAKEN ------------------------------------------------------------------------

static uint32_t take_out(worker_t *self, mob_ref_t refs[MOB_REFS_MAX])
{
    uint32_t count = window_give(&self->window, refs, MOB_REFS_MAX);
    for (uint32_t i = 0; i < count; i++)
        session_unfetch(self->session, refs[i]);
    return count;
}

// Tasks that were not begun.
static void give_back(worker_t *self)
{
    mob_ref_t refs[MOB_REFS_MAX];
    uint32_t count = take_out(self, refs);
    if (count)
        message_GIVE(session_out(self->session),
                     &(msg_give_t){.refs = {.items = refs, .count = count}});
}

// This process will be killed for that body: nothing else may be in its hand then.
static void await_the_end(worker_t *self, const hand_t *hand)
{
    give_back(self);
    answer_later(self, hand);
}

static void on_cancel(worker_t *self, const msg_cancel_t *cancel)
{
    hand_t *hand = window_find(&self->window, cancel->ref);
    if (!hand)
        return;
    if (hand->promise != PROMISE_NONE && !hand->running) {
        refuse(self, hand, MOB_ECANCELLED, MOB_EXECUTED, NULL);
        window_close(&self->window, hand);
        return;
    }
    if (!hand->running) {
        refuse(self, hand, MOB_ECANCELLED, MOB_NOT_EXECUTED, NULL);
        give_up(self, hand);
        return;
    }
    atomic_store_explicit(&hand->cancelled, true, memory_order_relaxed);
    if (cancel->flags & MOB_CANCEL_FORCE)
        await_the_end(self, hand);
}

static void on_credit(worker_t *self, const msg_credit_t *credit)
{
    hand_t *hand = window_find(&self->window, credit->ref);
    if (hand && credit->count > hand->credit)
        hand->credit = credit->count;
}

void worker_end(worker_t *self, mob_ref_t actor)
{
    hand_t *hand = window_place(&self->window);
    if (!hand) {
        self->over = true;
        return;
    }
    hand->what = HAND_END;
    hand->ref = hand->actor = actor;
    push(self, hand, -1);
}

static void on_taken(worker_t *self, const msg_taken_t *taken)
{
    seen_taken(&self->seen, taken->count);
    session_answers_taken(self->session, self->seen.taken);
}

// The keeper may be in a hook before session_new() has come back.
static void know(worker_t *self, mob_t *session)
{
    if (!self->session)
        self->session = session;
}

static void on_message(mob_t *session, void *arg, const message_t *message)
{
    worker_t *self = arg;
    know(self, session);
    if (message->verb == VERB_RUN)
        on_run(self, &message->run);
    else if (message->verb == VERB_MAKE)
        on_make(self, &message->make);
    else if (message->verb == VERB_TAKEN)
        on_taken(self, &message->taken);
    else if (message->verb == VERB_CANCEL)
        on_cancel(self, &message->cancel);
    else if (message->verb == VERB_STOP)
        worker_end(self, message->stop.actor);
    else if (message->verb == VERB_CREDIT)
        on_credit(self, &message->credit);
}

// ---- WELCOME again ------------------------------------------------------------------------------

static msg_hold_t hold_of(const instance_t *instance)
{
    const char *cls = instance->cls->body.signature;
    return (msg_hold_t){.actor = instance->actor,
                        .incarnation = instance->incarnation,
                        .state = instance->alive ? HAND_DONE : HAND_RUNNING,
                        .cls = {cls, strlen(cls)},
                        .opts = {.wire = instance->opts, .size = instance->opts_size},
                        .args = load_of(instance->args)};
}

static void say_hold(worker_t *self, const instance_t *instance, bool fresh)
{
    pack_t found = PACK_INIT;
    load_t loads[INNER_LOADS_MAX];
    msg_hold_t hold = hold_of(instance);
    inner_find(hold.args, &found);
    hold.inner = inner_of(loads, load_bytes(found.data, found.size), (load_t){0});
    if (hold.args.size > MOB_BLOB_MAX) { // they follow when all else is said
        hold.args.form = LOAD_AWAY;
        self->owes_args |= fresh;
    }
    if (!message_HOLD(session_out(self->session), &hold)) {
        session_flush(self->session);
        message_HOLD(session_out(self->session), &hold);
    }
    pack_fini(&found);
}

static const instance_t *next_instance(const worker_t *self, const instance_t *at, uint32_t *bucket)
{
    return instance_next(&self->instances, (instance_t *)(uintptr_t)at, bucket);
}

static bool write_hold(batch_t *batch, const void *arg, uint32_t index, load_t args)
{
    msg_hold_t hold = hold_of(arg);
    (void)index;
    hold.args = args;
    return message_HOLD(batch, &hold);
}

// To a new broker, so that it can make the actors again.
static void say_large_args(worker_t *self)
{
    uint32_t bucket = 0;
    self->owes_args = false;
    for (const instance_t *one = NULL; (one = next_instance(self, one, &bucket));) {
        block_t *block = one->args->size > MOB_BLOB_MAX ? block_copy(one->args) : NULL;
        if (!block)
            continue;
        const session_answer_t parts = {
            .block = block, .ends = &one->args->size, .count = 1, .write = write_hold, .arg = one};
        session_answer(self->session, &parts);
        block_drop(&block);
    }
}

static void say_have(worker_t *self, const hand_t *hand, enum wire_hand state)
{
    if (hand->what != HAND_CALL)
        return;
    message_HAVE(session_out(self->session), &(msg_have_t){.ref = hand->ref,
                                                           .attempt = hand->attempt,
                                                           .actor = hand->actor,
                                                           .state = state,
                                                           .returns = hand->returns,
                                                           .opts = hand_opts(hand)});
}

static void say_running(worker_t *self, const hand_t *hand)
{
    say_have(self, hand, HAND_RUNNING);
}

static void say_open(worker_t *self, const hand_t *hand)
{
    say_running(self, hand);
    answer_later(self, hand);
}

// Their answers follow by themselves, behind the pieces that are not accepted.
static void say_have_bulk(worker_t *self)
{
    const bulk_record_t *record = NULL;
    while ((record = bulk_open(&self->bulk, self->session, record))) {
        const bulk_answer_t *answer = &record->answer;
        message_HAVE(session_out(self->session),
                     &(msg_have_t){.ref = answer->ref,
                                   .attempt = answer->attempt,
                                   .actor = answer->actor,
                                   .state = HAND_DONE,
                                   .returns = answer->items > 0 ? answer->items : 1});
    }
}

static bool is_stream_of(const hand_t *hand, bool actors)
{
    return hand_streams(hand) && mob_is_none(hand->actor) != actors;
}

// The items that an earlier broker had are gone: what runs comes home. A task that waits may begin anew.
static void give_up_streams(worker_t *self)
{
    for (hand_t *hand = self->window.running.first; hand; hand = hand->next) {
        if (!hand_streams(hand))
            continue;
        hand->lost = true;
        atomic_store_explicit(&hand->cancelled, true, memory_order_relaxed);
    }
    for (hand_t *hand = self->window.first, *next; hand; hand = next) {
        next = hand->next;
        if (is_stream_of(hand, false))
            give_up(self, hand);
    }
}

// A method would begin anew behind the calls that wait here behind it.
static void refuse_streams(worker_t *self)
{
    for (hand_t *hand = self->window.first, *next; hand; hand = next) {
        next = hand->next;
        if (!is_stream_of(hand, true))
            continue;
        answer_lost(self, hand, MOB_NOT_EXECUTED);
        give_up(self, hand);
    }
}

static void on_welcome(mob_t *session, void *arg, bool fresh)
{
    worker_t *self = arg;
    know(self, session);
    for (uint32_t i = 0; i < self->symbol_room; i++)
        self->symbols[i] = (worker_symbol_t){0}; // they are said anew
    if (!self->welcomed) {
        self->welcomed = true;
        return;
    }
    uint32_t bucket = 0;
    const instance_t *instance = NULL;
    while ((instance = next_instance(self, instance, &bucket)))
        say_hold(self, instance, fresh);
    if (fresh)
        give_up_streams(self);
    for (const hand_t *hand = self->window.open.first; hand; hand = hand->next)
        say_open(self, hand);
    for (const hand_t *hand = self->window.running.first; hand; hand = hand->next)
        (self->width > 1 ? say_open : say_running)(self, hand);
    for (const hand_t *hand = self->window.first; hand; hand = hand->next)
        say_have(self, hand, HAND_WAITING);
    say_have_bulk(self);
    seen_restart(&self->seen, fresh);
    answer_repeat_all(self, fresh);
    if (fresh)
        refuse_streams(self);
    message_OPEN(session_out(session), &(msg_open_t){0}); // that is all: go on
}

// ---- Bodies that take their time ----------------------------------------------------------------

static void on_wait(mob_t *session, void *arg, bool begin)
{
    worker_t *self = arg;
    if (self->kind != START_TASKS || self->window.running.count == 0 || self->blocked == begin)
        return;
    self->blocked = begin;
    if (!begin) {
        message_RESUMED(session_out(session), &(msg_resumed_t){0});
        return;
    }
    mob_ref_t refs[MOB_REFS_MAX];
    uint32_t count = take_out(self, refs);
    message_BLOCKED(session_out(session), &(msg_blocked_t){.refs = {.items = refs, .count = count}});
}

static int64_t on_turned(mob_t *session, void *arg, int64_t now)
{
    worker_t *self = arg;
    bool slow;
    know(self, session);
    if (self->owes_args)
        say_large_args(self);
    if (self->kind != START_TASKS)
        return INT64_MAX;
    int64_t next = window_slow(&self->window, now, &slow);
    if (self->window.waiting > 0 && (slow || self->blocked))
        give_back(self);
    return next;
}

static void on_over(mob_t *session, void *arg, mob_err_t err)
{
    worker_t *self = arg;
    (void)session;
    self->lost = err ? err : MOB_ECLOSED;
    atomic_store_explicit(&self->hurry, true, memory_order_relaxed);
}

static mob_err_t on_stops(mob_t *session, void *arg)
{
    const worker_t *self = arg;
    const context_t *context = session_voice(session)->arg;
    const hand_t *hand = context->hand;
    bool cancelled = hand && atomic_load_explicit(&hand->cancelled, memory_order_relaxed);
    return cancelled || atomic_load_explicit(&self->hurry, memory_order_relaxed) ? MOB_ECANCELLED
                                                                                 : MOB_OK;
}

// ---- Life ---------------------------------------------------------------------------------------

static const session_hooks_t hooks = {.message = on_message,
                                      .fetched = on_fetched,
                                      .welcome = on_welcome,
                                      .waits = on_wait,
                                      .turned = on_turned,
                                      .stops = on_stops,
                                      .over = on_over};

worker_t *worker_new(const worker_config_t *config)
{
    worker_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->kind = config->kind;
    self->owner = config->owner;
    self->host = config->host;
    self->offer = offer_hold(config->offer);
    self->width = 1;
    self->thread = pthread_self();
    mob_t *session = session_new(config->client, &(session_role_t){.role = ROLE_WORKER,
                                                                   .owner = config->owner,
                                                                   .host = config->host,
                                                                   .hooks = &hooks,
                                                                   .arg = self});
    if (!session) {
        offer_drop(&self->offer);
        free(self);
        return NULL;
    }
    session_lock(session);
    self->session = session;
    context_init(&self->context, self, config->host_name);
    session_voice(session)->arg = &self->context;
    team_init(&self->team);
    writer_init(&self->owed);
    session_unlock(session);
    return self;
}

bool worker_drains(worker_t *self)
{
    if (self->over || !atomic_load_explicit(&self->drains, memory_order_relaxed))
        return self->over;
    self->over = true;
    if (self->kind == START_TASKS)
        give_back(self);
    return true;
}

static bool is_awaited(worker_t *self)
{
    return !self->lost && !atomic_load_explicit(&self->abandoned, memory_order_relaxed);
}

// The end of this process is seen sooner than what it said last is read: a result that was made
// would count as lost.
static void await_taken(worker_t *self)
{
    int64_t until = clock_us() + TAKEN_US;
    while (is_awaited(self) && !seen_all_taken(&self->seen) && clock_us() < until)
        session_turn(self->session, until);
}

mob_err_t worker_serve(worker_t *self)
{
    session_lock(self->session);
    self->thread = pthread_self();
    team_serve(self);
    run_ends(self);
    await_taken(self);
    session_unlock(self->session);
    return self->lost;
}

void worker_destroy(worker_t **self_p)
{
    worker_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    mob_t *session = self->session; // hooks use ours until the keeper has ended
    session_close(&session, 2000);
    window_fini(&self->window);
    seen_fini(&self->seen);
    bulk_fini(&self->bulk);
    instances_fini(&self->instances);
    context_fini(&self->context);
    team_fini(&self->team);
    writer_fini(&self->owed);
    free(self->symbols);
    offer_drop(&self->offer);
    free(self);
}

void worker_drain(worker_t *self)
{
    atomic_store_explicit(&self->drains, true, memory_order_relaxed);
    session_wake(self->session); // orders the store before the turn that ends
}

void worker_hurry(worker_t *self)
{
    atomic_store_explicit(&self->hurry, true, memory_order_relaxed);
    worker_drain(self);
}

void worker_abandon(worker_t *self)
{
    atomic_store_explicit(&self->abandoned, true, memory_order_relaxed);
    worker_hurry(self);
}
