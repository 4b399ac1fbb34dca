// run.c - runs bodies, one at a time. What may not run is answered here as well, with "executed:
// no".

#include "run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "clock.h"

static void refuse(worker_t *worker, const hand_t *hand, mob_err_t err, const char *text)
{
    answer_failure(worker, hand,
                   &(answer_failure_t){.err = err, .executed = MOB_NOT_EXECUTED, .text = text});
}

// ---- A body -------------------------------------------------------------------------------------

// The body itself, without the lock. reader comes back as the body left it.
static mob_err_t invoke(context_t *context, hand_t *hand, void *state, mob_reader_t *reader)
{
    const worker_t *worker = context->worker;
    session_set_parent(worker->session, hand->what == HAND_CALL ? hand->ref : (mob_ref_t){0, 0});
    session_set_failed(worker->session, (mob_ref_t){0, 0});
    session_set_deadline(worker->session, hand->deadline_at);
    session_voice(worker->session)->actor = hand->actor;
    context_begin(context, hand, hand->body);
    session_unlock(worker->session);
    *reader = reader_of(hand->args, &context->arena);
    mob_err_t err = hand->body->invoke(&context->ctx, state, reader, &context->writer);
    session_lock(worker->session);
    return err;
}

// ---- Its answer ---------------------------------------------------------------------------------

static answer_failure_t failure_of_body(context_t *context, mob_err_t err)
{
    if (context->code)
        return (answer_failure_t){.err = MOB_ETASK,
                                  .code = context->code,
                                  .executed = MOB_EXECUTED,
                                  .text = context->text,
                                  .trace = context->trace};
    const failure_t *cause = session_failure(context->ctx.client); // of the last wait that failed
    bool same = cause && cause->err == err;
    snprintf(context->text, sizeof context->text, "%s: %s", context->ctx.name,
             same ? cause->reason : mob_strerror(err));
    snprintf(context->trace, sizeof context->trace, "%.*s%s%s",
             (int)sizeof context->trace - MOB_NAME_MAX, same ? cause->trace : "",
             same && *cause->trace ? "\n" : "", context->ctx.name);
    return (answer_failure_t){.err = MOB_ETASK,
                              .code = -(int64_t)err,
                              .executed = MOB_EXECUTED,
                              .text = context->text,
                              .trace = context->trace,
                              .cause = session_failed(context->ctx.client)};
}

static answer_failure_t failure_of_arguments(context_t *context, const hand_t *hand)
{
    snprintf(context->text, sizeof context->text, "the arguments do not fit %s", hand->body->usage);
    return (answer_failure_t){.err = MOB_EARGS, .executed = MOB_NOT_EXECUTED, .text = context->text};
}

static answer_failure_t failure_of_result(context_t *context, const hand_t *hand)
{
    mob_err_t err = context->writer.err;
    snprintf(context->text, sizeof context->text, "the result does not fit %s: %s",
             hand->body->usage, mob_strerror(err));
    return (answer_failure_t){.err = err == MOB_EARGS ? MOB_ERESULT : err,
                              .executed = MOB_EXECUTED,
                              .text = context->text};
}

// What stands in the writer when the body returns is the last of its values.
static mob_err_t end_values(context_t *context)
{
    bool last = context->writer.pack.size > 0 && context->sink.made > 0;
    return last && !hand_streams(context->hand) ? sink_add(&context->sink, &context->writer) : MOB_OK;
}

// Whether there are as many as the caller asked for; one that is not written is nil, if it is alone.
static bool as_many(const context_t *context, const hand_t *hand)
{
    return hand_streams(hand) || context->sink.made == hand->returns ||
           (context->sink.made == 0 && hand->returns == 1);
}

static answer_failure_t failure_of_count(context_t *context, const hand_t *hand)
{
    uint64_t made = context->sink.made ? context->sink.made : context->writer.pack.size > 0;
    snprintf(context->text, sizeof context->text, "%s: declared %" PRIu32 " values, wrote %" PRIu64,
             context->ctx.name, hand->returns, made);
    return (answer_failure_t){.err = MOB_ERESULT, .executed = MOB_EXECUTED, .text = context->text};
}

// The body saw the end of its time before the broker did, and came home: that is no failure of its own.
static bool came_home_late(const context_t *context, const hand_t *hand, mob_err_t err)
{
    return (err == MOB_ECANCELLED || err == MOB_ETIMEDOUT) && !context->code &&
           hand->deadline_at != INT64_MAX && clock_us() >= hand->deadline_at;
}

// Called off before it came home: nobody waits for what was put off.
static bool is_off(const hand_t *hand)
{
    return hand->promise == PROMISE_OPEN &&
           atomic_load_explicit(&hand->cancelled, memory_order_relaxed);
}

// Why the body did not end well, the most telling reason first. False: it did.
static bool failed(context_t *context, const hand_t *hand, const mob_reader_t *reader,
                   mob_err_t err, answer_failure_t *out)
{
    if (context->refused)
        *out =
            (answer_failure_t){.err = MOB_EARGS, .executed = MOB_EXECUTED, .text = context->refused};
    else if (context->no_memory)
        *out = (answer_failure_t){.err = MOB_ENOMEM, .executed = MOB_EXECUTED};
    else if (context->leaves)
        *out =
            (answer_failure_t){.err = MOB_EDEAD, .executed = MOB_EXECUTED, .text = "the actor left"};
    else if (err && reader->err)
        *out = failure_of_arguments(context, hand);
    else if (came_home_late(context, hand, err))
        *out = (answer_failure_t){.err = MOB_EDEADLINE,
                                  .executed = MOB_MAYBE_EXECUTED,
                                  .text = "its time was over while it ran"};
    else if (err)
        *out = failure_of_body(context, err);
    else if (is_off(hand))
        *out = (answer_failure_t){.err = MOB_ECANCELLED, .executed = MOB_EXECUTED};
    else if (context->writer.err || end_values(context))
        *out = failure_of_result(context, hand);
    else if (!as_many(context, hand))
        *out = failure_of_count(context, hand);
    else
        return false;
    return true;
}

static pack_t *result_of(context_t *context)
{
    bool values = context->sink.made > 0 && !hand_streams(context->hand);
    pack_t *pack = values ? &context->sink.values : &context->writer.pack;
    if (pack->size == 0)
        pack_nil(pack); // a body that writes nothing gives nil
    return pack;
}

// An actor that leaves: what waits for it here is answered first, so that it is known not to have
// run.
static void refuse_behind(worker_t *worker, mob_ref_t actor)
{
    for (hand_t *hand = worker->window.first, *next; hand; hand = next) {
        next = hand->next;
        if (hand->what != HAND_CALL || !mob_same(hand->actor, actor))
            continue;
        refuse(worker, hand, MOB_EDEAD, "the actor left before");
        session_unfetch(worker->session, hand->ref);
        window_remove(&worker->window, hand);
    }
}

static void say_result(context_t *context, const hand_t *hand)
{
    worker_t *worker = context->worker;
    if (hand->returns > 1)
        answer_values(worker, hand, &context->sink);
    else
        answer_value(worker, hand, result_of(context),
                     context->writer.inner.size > 0 || context->sink.inner);
}

static bool answer(context_t *context, hand_t *hand, const mob_reader_t *reader, mob_err_t err)
{
    worker_t *worker = context->worker;
    answer_failure_t failure;
    if (hand->promise == PROMISE_KEPT)
        return true;
    if (hand->promise == PROMISE_OPEN)
        writer_clear(&context->writer); // what the body wrote does not count
    if (!err && hand_streams(hand))
        err = sink_last(context);
    if (context->leaves)
        refuse_behind(worker, hand->actor);
    if (hand->lost) {
        answer_lost(worker, hand, MOB_MAYBE_EXECUTED);
        return false;
    }
    if (failed(context, hand, reader, err, &failure)) {
        hand->promise = PROMISE_NONE;
        answer_failure(worker, hand, &failure);
        return false;
    }
    if (hand->promise != PROMISE_OPEN)
        say_result(context, hand);
    else if (worker->width == 1) // else it was said
        answer_later(worker, hand);
    return true;
}

// ---- What may not run ---------------------------------------------------------------------------

static bool may_run(worker_t *worker, const hand_t *hand)
{
    if (atomic_load_explicit(&worker->hurry, memory_order_relaxed)) {
        refuse(worker, hand, MOB_ECANCELLED, "its worker ends");
        return false;
    }
    if (hand->deadline_at != INT64_MAX && clock_us() >= hand->deadline_at) {
        refuse(worker, hand, MOB_EDEADLINE, "its time was over before it began");
        return false;
    }
    return true;
}

// ---- Ends ---------------------------------------------------------------------------------------

// Of its calls nobody will answer any more: the broker ends them with it.
static void forget_open(worker_t *worker, mob_ref_t actor)
{
    for (hand_t *hand = worker->window.open.first, *next; hand; hand = next) {
        next = hand->next;
        if (mob_same(hand->actor, actor))
            window_close(&worker->window, hand);
    }
}

static void end_instance(worker_t *worker, instance_t *instance)
{
    void (*fini)(void *) = instance->alive ? instance->cls->fini : NULL;
    instance->alive = false;
    session_end_thens(worker->session, instance->actor);
    session_set_parent(worker->session, (mob_ref_t){0, 0});
    session_set_deadline(worker->session, INT64_MAX);
    if (fini) {
        session_unlock(worker->session);
        fini(instance->state);
        session_lock(worker->session);
    }
    mob_ref_t actor = instance->actor;
    forget_open(worker, actor);
    worker->lanes.count = 0; // their names go with it
    instance_remove(&worker->instances, &instance);
    message_STOP(session_out(worker->session), &(msg_stop_t){.actor = actor, .how = STOP_ENDED});
    if (worker->kind == START_ACTOR && worker->instances.count == 0)
        worker->over = true;
}

void run_ends(worker_t *worker)
{
    for (instance_t *instance; (instance = instance_any(&worker->instances));)
        end_instance(worker, instance);
}

static void run_end(context_t *context, hand_t *hand)
{
    worker_t *worker = context->worker;
    if (mob_is_none(hand->actor)) {
        worker->over = true;
        return;
    }
    instance_t *instance = instance_find(&worker->instances, hand->actor);
    if (instance)
        end_instance(worker, instance);
}

// ---- Calls and constructors ---------------------------------------------------------------------

static bool run_body(context_t *context, hand_t *hand, void *state)
{
    mob_t *session = context->worker->session;
    mob_reader_t reader;
    uint64_t mark = session_mark(session);
    mob_err_t err = invoke(context, hand, state, &reader);
    bool good = answer(context, hand, &reader, err);
    session_release(session, mark);
    context_end(context);
    return good;
}

static void run_method(context_t *context, hand_t *hand)
{
    worker_t *worker = context->worker;
    instance_t *instance = instance_find(&worker->instances, hand->actor);
    if (!instance || !instance->alive) {
        refuse(worker, hand, MOB_EDEAD, "the actor has ended");
        return;
    }
    if (instance->incarnation != hand->incarnation) {
        refuse(worker, hand, MOB_EUNAVAILABLE, "another incarnation of the actor lives here");
        return;
    }
    if (worker->width > 1)
        answer_later(worker, hand); // others begin beside it
    run_body(context, hand, instance->state);
    if (context->leaves)
        worker_end(worker, hand->actor);
}

static void run_call(context_t *context, hand_t *hand)
{
    if (!may_run(context->worker, hand))
        return;
    if (hand->cls)
        run_method(context, hand);
    else
        run_body(context, hand, NULL);
}

// How many bodies at once: in its main lane, and in others. NULL: that may be; else why not.
static const char *set_lanes(worker_t *worker, const instance_t *instance)
{
    opts_t opts = opts_read((opts_field_t){.wire = instance->opts, .size = instance->opts_size});
    mob_bytes_t lanes = {instance->cls->lanes, strlen(instance->cls->lanes)};
    int64_t width = opts.max_concurrency ? opts.max_concurrency : instance->cls->width;
    bool alone = worker->kind == START_ACTOR;
    if (!lanes_read(opts.lanes.size ? opts.lanes : lanes, &worker->lanes))
        return "lanes are pairs as in \"io=2 disk=1\"";
    if (width > 1 && opts.ordered)
        return "ordered cannot be kept with max_concurrency above 1";
    if (!alone && (width > 1 || worker->lanes.count > 0))
        return "max_concurrency above 1 and lanes do not fit a shared class";
    if (!alone)
        return NULL;
    worker->window.lanes[0].width = width > 1 ? (uint32_t)width : 1;
    for (uint32_t i = 0; i < worker->lanes.count; i++)
        worker->window.lanes[1 + i].width = worker->lanes.at[i].width;
    return NULL;
}

static uint32_t all_lanes(const worker_t *worker)
{
    uint32_t width = 0;
    for (uint32_t i = 0; i <= worker->lanes.count; i++)
        width += worker->window.lanes[i].width;
    return width ? width : 1;
}

static bool construct(context_t *context, hand_t *hand, instance_t *instance)
{
    if (hand->body->invoke)
        return run_body(context, hand, instance->state);
    answer_value(context->worker, hand, result_of(context), false); // zeroed state is all it wants
    context_end(context);
    return true;
}

static void run_making(context_t *context, hand_t *hand)
{
    worker_t *worker = context->worker;
    if (!may_run(worker, hand))
        return;
    instance_t *instance = instance_add(&worker->instances, hand, hand->cls);
    const char *wrong = instance ? set_lanes(worker, instance) : NULL;
    if (!instance || wrong) {
        refuse(worker, hand, wrong ? MOB_EARGS : MOB_ENOMEM, wrong);
        if (instance)
            instance_remove(&worker->instances, &instance);
        worker->over = worker->kind == START_ACTOR;
        return;
    }
    instance->alive = construct(context, hand, instance);
    worker->width = all_lanes(worker);
    if (!instance->alive)
        end_instance(worker, instance);
}

void run_hand(context_t *context, hand_t *hand)
{
    static void (*const runs[])(context_t *, hand_t *) = {
        [HAND_CALL] = run_call, [HAND_MAKING] = run_making, [HAND_END] = run_end};
    runs[hand->what](context, hand);
}
