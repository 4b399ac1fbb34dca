// test_conc.c - actors that have more than one call open: answers that were put off.

#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crew.h"
#include "story.h"

#define DESK(METHOD)                                      \
    METHOD(desk, ask, i64, (i64, n))                      \
    METHOD(desk, ask_by_thread, i64, (i64, n))            \
    METHOD(desk, ask_and_fail, i64, (i64, code))          \
    METHOD(desk, answer, i64) /* gives how many waited */ \
    METHOD(desk, refuse, i64, (i64, code), (str, text))   \
    METHOD(desk, answer_twice, i64) /* how many twice */  \
    METHOD(desk, waiting, i64)                            \
    METHOD(desk, threads, i64) /* of its process */       \
    METHOD(desk, leave, i64)                              \
    METHOD(desk, die, i64)
MOB_ACTOR(desk, DESK);

MOB_TASK(ask_here, i64, (i64, n));

enum { ASKED_MAX = 5000, THREADS_MAX = 200 };
struct desk {
    int count;
    struct {
        mob_promise_i64 promise;
        int64_t n;
    } asked[ASKED_MAX];
    int threads;
    pthread_t thread[THREADS_MAX];
};

mob_err_t desk_ask(mob_ctx_t *ctx, desk_t *self, int64_t n, int64_t *out)
{
    crew_enter(ctx);
    *out = -1; // does not count
    self->asked[self->count].n = n;
    self->asked[self->count++].promise = mob_defer(ctx, out);
    return MOB_OK;
}

typedef struct late { // an answer in the making
    mob_t *client;
    mob_promise_i64 promise;
    int64_t n;
} late_t;

static void *answer_late(void *arg)
{
    late_t *late = arg;
    mob_resolve(late->client, late->promise, late->n);
    free(late);
    return NULL;
}

mob_err_t desk_ask_by_thread(mob_ctx_t *ctx, desk_t *self, int64_t n, int64_t *out)
{
    late_t *late = malloc(sizeof *late);
    *late = (late_t){ctx->client, mob_defer(ctx, out), n};
    return pthread_create(&self->thread[self->threads++], NULL, answer_late, late)
               ? mob_fail(ctx, 1, "no thread")
               : MOB_OK;
}

void desk_fini(desk_t *self)
{
    while (self->threads > 0)
        pthread_join(self->thread[--self->threads], NULL);
}

mob_err_t desk_ask_and_fail(mob_ctx_t *ctx, desk_t *self, int64_t code, int64_t *out)
{
    self->asked[self->count++].promise = mob_defer(ctx, out);
    return mob_fail(ctx, (int)code, "after all not");
}

mob_err_t desk_answer(mob_ctx_t *ctx, desk_t *self, int64_t *out)
{
    *out = 0;
    while (self->count > 0) { // the last one first
        self->count--;
        *out +=
            mob_resolve(ctx->client, self->asked[self->count].promise, self->asked[self->count].n);
    }
    return MOB_OK;
}

mob_err_t desk_refuse(mob_ctx_t *ctx, desk_t *self, int64_t code, const char *text, int64_t *out)
{
    *out = 0;
    while (self->count > 0)
        *out += mob_refuse(ctx->client, self->asked[--self->count].promise.promise, (int)code, "%s",
                           text);
    return MOB_OK;
}

mob_err_t desk_answer_twice(mob_ctx_t *ctx, desk_t *self, int64_t *out)
{
    *out = 0;
    for (int i = 0; i < self->count; i++) {
        mob_promise_i64 promise = self->asked[i].promise;
        mob_resolve(ctx->client, promise, self->asked[i].n);
        *out += mob_resolve(ctx->client, promise, -2);
        *out += mob_refuse(ctx->client, promise.promise, 1, "no");
    }
    self->count = 0;
    return MOB_OK;
}

mob_err_t desk_waiting(mob_ctx_t *ctx, desk_t *self, int64_t *out)
{
    (void)ctx;
    *out = self->count;
    return MOB_OK;
}

mob_err_t desk_threads(mob_ctx_t *ctx, desk_t *self, int64_t *out)
{
    (void)ctx, (void)self;
    DIR *tasks = opendir("/proc/self/task");
    for (*out = -2; tasks && readdir(tasks); ++*out) // without . and ..
        ;
    return tasks ? (void)closedir(tasks), MOB_OK : MOB_EINTERNAL;
}

mob_err_t desk_leave(mob_ctx_t *ctx, desk_t *self, int64_t *out)
{
    (void)self, (void)out;
    return mob_leave(ctx);
}

mob_err_t desk_die(mob_ctx_t *ctx, desk_t *self, int64_t *out)
{
    (void)ctx, (void)self, (void)out;
    kill(getpid(), SIGKILL);
    return MOB_OK;
}

mob_err_t ask_here(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    (void)n;
    mob_defer(ctx, out);
    return MOB_OK;
}

static const mob_def_t defs[] = {mob_actor(desk, DESK), mob_task(ask_here), {0}};

static void begin(void)
{
    open_crew(defs, NULL);
}

TestSuite(conc, .init = begin, .fini = close_crew, .timeout = 40);

static int64_t waiting(desk_h desk)
{
    return value_of(mob_call(m, desk, desk_waiting));
}

// ---- Answers that were put off ------------------------------------------------------------------

Test(conc, an_answer_comes_later_and_the_actor_goes_on)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 first = mob_call(m, desk, desk_ask, 1), second = mob_call(m, desk, desk_ask, 2);
    cr_assert_eq(waiting(desk), 2);
    cr_assert_eq(mob_info(m, first.ref).state, MOB_PENDING);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), 2);
    cr_assert_eq(value_of(first), 1);
    cr_assert_eq(value_of(second), 2);
}

Test(conc, an_answer_may_come_from_a_thread)
{
    enum { CALLS = THREADS_MAX };
    mob_ref_i64 answers[CALLS];
    desk_h desk = mob_new(m, desk);
    for (int64_t i = 0; i < CALLS; i++)
        answers[i] = mob_call(m, desk, desk_ask_by_thread, i);
    for (int64_t i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(answers[i]), i);
}

Test(conc, only_the_first_answer_counts)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 answer = mob_call(m, desk, desk_ask, 5);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer_twice)), 0, "the others are told so");
    cr_assert_eq(value_of(answer), 5);
}

Test(conc, an_answer_may_be_a_failure)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 answer = mob_call(m, desk, desk_ask, 5);
    cr_assert_eq(value_of(mob_call(m, desk, desk_refuse, 42, "sold out")), 1);
    mob_info_t info = failure_of(answer.ref, MOB_ETASK);
    cr_assert_eq(info.code, 42);
    cr_assert_eq(info.executed, MOB_EXECUTED);
    cr_assert_not_null(strstr(info.reason, "sold out"), "%s", info.reason);
    cr_assert_not_null(strstr(info.trace, "desk.ask"), "%s", info.trace);
}

Test(conc, a_refused_call_is_tried_again_where_its_caller_wants_it)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 answer =
        mob_call_with(m, desk, MOB_OPTS(.max_retries = 1, .retry_on = {MOB_ANY_CODE}), desk_ask, 5);
    cr_assert_eq(value_of(mob_call(m, desk, desk_refuse, 42, "not yet")), 1);
    while (waiting(desk) == 0)
        ;
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), 1);
    cr_assert_eq(value_of(answer), 5);
    cr_assert_eq(crew_ran(&crew, answer.ref).count, 2);
}

Test(conc, a_body_that_fails_has_nothing_put_off)
{
    desk_h desk = mob_new(m, desk);
    cr_assert_eq(failure_of(mob_call(m, desk, desk_ask_and_fail, 7).ref, MOB_ETASK).code, 7);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), 0, "its promise is worth nothing");
}

Test(conc, only_methods_can_answer_later)
{
    mob_info_t info = failure_of(mob_run(m, ask_here, 1).ref, MOB_EARGS);
    cr_assert_not_null(strstr(info.reason, "mob_defer_call()"), "%s", info.reason);
}

Test(conc, C37_thousands_of_open_calls_are_cheap)
{
    enum { CALLS = 4000 };
    static mob_ref_i64 answers[CALLS];
    desk_h desk = mob_new_with(m, MOB_ACTOR_OPTS(.max_open = 100000, .mailbox_max = 5000), desk);
    for (int64_t i = 0; i < CALLS; i++)
        answers[i] = mob_call(m, desk, desk_ask, i);
    cr_assert_eq(waiting(desk), CALLS);
    cr_assert_lt(value_of(mob_call(m, desk, desk_threads)), 50);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), CALLS);
    for (int64_t i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(answers[i]), i);
}

Test(conc, no_more_begin_than_may_be_open)
{
    enum { CALLS = 40, OPEN = 3 };
    mob_ref_i64 answers[CALLS];
    desk_h desk = mob_new_with(m, MOB_ACTOR_OPTS(.max_open = OPEN), desk);
    for (int64_t i = 0; i < CALLS; i++)
        answers[i] = mob_call(m, desk, desk_ask_by_thread, i);
    for (int64_t i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(answers[i]), i);
    for (int64_t i = 0; i < OPEN; i++)
        answers[i] = mob_call(m, desk, desk_ask, i);
    mob_ref_i64 behind = mob_call(m, desk, desk_answer);
    cr_assert_eq(mob_done(m, behind, 100), MOB_ETIMEDOUT, "it has not begun");
    cr_assert_eq(mob_cancel(m, answers[1].ref, 0), MOB_OK);
    cr_assert_eq(value_of(behind), OPEN - 1, "one was called off, and made room");
}

// ---- How an open call ends ----------------------------------------------------------------------

Test(conc, an_open_call_is_called_off)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 one = mob_call(m, desk, desk_ask, 1), other = mob_call(m, desk, desk_ask, 2);
    cr_assert_eq(waiting(desk), 2);
    cr_assert_eq(mob_cancel(m, one.ref, 0), MOB_OK);
    failure_of(one.ref, MOB_ECANCELLED);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), 1, "the desk learns that one is over");
    cr_assert_eq(value_of(other), 2);
}

Test(conc, the_time_of_an_open_call_runs)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 one = mob_call_with(m, desk, MOB_OPTS(.timeout_ms = 100), desk_ask, 1);
    failure_of(one.ref, MOB_EDEADLINE);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), 0);
}

Test(conc, open_calls_end_with_their_actor)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 open = mob_call(m, desk, desk_ask, 1);
    failure_of(mob_call(m, desk, desk_die).ref, MOB_EDEAD);
    cr_assert_eq(failure_of(open.ref, MOB_EDEAD).executed, MOB_MAYBE_EXECUTED);
}

Test(conc, open_calls_may_be_tried_again_by_the_next_incarnation)
{
    desk_h desk = mob_new_with(m, MOB_ACTOR_OPTS(.max_restarts = 1, .backoff_ms = 1), desk);
    mob_ref_i64 lost = mob_call(m, desk, desk_ask, 1);
    mob_ref_i64 kept = mob_call_with(m, desk, MOB_OPTS(.max_retries = 1), desk_ask, 2);
    cr_assert_eq(waiting(desk), 2);
    failure_of(mob_call(m, desk, desk_die).ref, MOB_EUNAVAILABLE);
    failure_of(lost.ref, MOB_EUNAVAILABLE);
    mob_ref_i64 answer = mob_call_with(m, desk, MOB_OPTS(.max_retries = 1), desk_answer);
    cr_assert_eq(value_of(answer), 1);
    cr_assert_eq(value_of(kept), 2);
}

Test(conc, a_drain_waits_for_open_calls)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 open = mob_call(m, desk, desk_ask_by_thread, 1);
    mob_stop(m, desk.actor, MOB_STOP_DRAIN);
    cr_assert_eq(value_of(open), 1);
    cr_assert_eq(mob_await(m, mob_watch(m, desk.actor), NULL, SOON), MOB_OK);
}

Test(conc, who_leaves_answers_no_more)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 open = mob_call(m, desk, desk_ask, 1);
    failure_of(mob_call(m, desk, desk_leave).ref, MOB_EDEAD);
    failure_of(open.ref, MOB_EDEAD);
}

Test(conc, open_calls_outlive_the_broker)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 open[] = {mob_call(m, desk, desk_ask, 1), mob_call(m, desk, desk_ask, 2)};
    cr_assert_eq(waiting(desk), 2);
    crew_kill_broker(&crew);
    crew_start_broker(&crew);
    cr_assert_eq(waiting(desk), 2);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), 2);
    cr_assert_eq(value_of(open[0]), 1);
    cr_assert_eq(value_of(open[1]), 2);
    cr_assert_eq(crew_ran(&crew, open[0].ref).count, 1);
}
