// team.c - see team.h. A thread that goes to work leaves the sockets to another one; that one is started
// if there is none, so that new calls are heard of as long as more bodies may run.

#include "team.h"

#include <stdlib.h>

#include "run.h"
#include "worker.h"

void team_init(team_t *self)
{
    pthread_cond_init(&self->work, NULL);
}

void team_fini(team_t *self)
{
    pthread_cond_destroy(&self->work);
}

// ---- One of them --------------------------------------------------------------------------------

static void turn(worker_t *worker)
{
    worker->serving = true;
    worker->thread = pthread_self();
    session_turn(worker->session, INT64_MAX); // an interrupt is for waits of bodies, not for us
    worker->serving = false;
}

static void wait_for_work(worker_t *worker)
{
    team_t *self = &worker->team;
    if (!worker->serving) {
        turn(worker);
        return;
    }
    self->resting++;
    session_rest(worker->session, &self->work);
    self->resting--;
}

static bool has_room(void *arg)
{
    return !session_is_full(arg);
}

// What the broker has not accepted takes room here: no body makes more of it meanwhile.
static void settle_bulk(worker_t *worker)
{
    session_wait(worker->session, has_room, worker->session);
    bulk_forget(&worker->bulk, worker->session, &worker->seen);
}

static void others_go_on(worker_t *worker);

static void work(worker_t *worker, context_t *context, hand_t *hand)
{
    if (worker->width > 1)
        others_go_on(worker);
    run_hand(context, hand);
    window_done(&worker->window, hand);
    if (worker->bulk.first)
        settle_bulk(worker);
    if (!window_has_next(&worker->window))
        worker_wake(worker); // else what was answered leaves with more
}

// What bodies wanted to be told of. Gives whether there is more.
static bool call_back(worker_t *worker)
{
    worker->window.calling++;
    bool more = session_step(worker->session);
    worker->window.calling--;
    return more;
}

static void serve(worker_t *worker, context_t *context)
{
    while (!worker->lost) {
        bool over = worker_drains(worker);
        bool more = session_is_due(worker->session) && call_back(worker);
        hand_t *hand = window_begin(&worker->window);
        if (hand)
            work(worker, context, hand);
        else if (over)
            break;
        else if (!more)
            wait_for_work(worker);
    }
    worker->over = true;
    pthread_cond_broadcast(&worker->team.work);
    worker_wake(worker);
}

// ---- The others ---------------------------------------------------------------------------------

static void *run(void *arg)
{
    context_t *context = arg;
    worker_t *worker = context->worker;
    session_lock(worker->session);
    if (session_speak(worker->session, &context->voice))
        serve(worker, context);
    session_unlock(worker->session);
    return NULL;
}

// None is no harm: there are fewer.
static void start_one(worker_t *worker)
{
    team_t *self = &worker->team;
    context_t *context = calloc(1, sizeof *context);
    if (!context)
        return;
    context_init(context, worker, worker->context.host);
    context->voice.arg = context;
    if (pthread_create(&context->thread, NULL, run, context)) {
        context_fini(context);
        free(context);
        return;
    }
    context->next = self->others;
    self->others = context;
    self->count++;
}

static void others_go_on(worker_t *worker)
{
    team_t *self = &worker->team;
    if (self->resting > 0 && (!worker->serving || worker->window.first))
        pthread_cond_signal(&self->work);
    else if (self->resting == 0 && !worker->serving && !worker->over &&
             self->count + 1 < worker->width)
        start_one(worker);
}

void team_serve(worker_t *worker)
{
    team_t *self = &worker->team;
    serve(worker, &worker->context);
    for (context_t *context; (context = self->others);) {
        self->others = context->next;
        session_unlock(worker->session);
        pthread_join(context->thread, NULL);
        session_lock(worker->session);
        context_fini(context);
        free(context);
    }
}
