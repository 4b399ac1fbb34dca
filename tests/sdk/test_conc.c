// test_conc.c - actors that have more than one call open: answers that were put off, and bodies that run
// at once.

#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crew.h"
#include "notices.h"
#include "story.h"
#include "work.h"

#define DESK(METHOD)                                      \
    METHOD(desk, ask, i64, (i64, n))                      \
    METHOD(desk, ask_by_thread, i64, (i64, n))            \
    METHOD(desk, ask_and_fail, i64, (i64, code))          \
    METHOD(desk, answer, i64) /* gives how many waited */ \
    METHOD(desk, refuse, i64, (i64, code), (str, text))   \
    METHOD(desk, answer_twice, i64) /* how many twice */  \
    METHOD(desk, waiting, i64)                            \
    METHOD(desk, by_callback, i64, (i64, n))              \
    METHOD(desk, never, nil) /* a callback that waits */  \
    METHOD(desk, log, str)                                \
    METHOD(desk, threads, i64) /* of its process */       \
    METHOD(desk, leave, i64)                              \
    METHOD(desk, die, i64)
MOB_ACTOR(desk, DESK);

MOB_TASK(ask_here, i64, (i64, n));
MOB_TASK(twice, i64, (i64, n));

enum { ASKED_MAX = 5000, THREADS_MAX = 200 };
struct desk {
    int count;
    struct {
        mob_promise_i64 promise;
        int64_t n;
    } asked[ASKED_MAX];
    int threads;
    pthread_t thread[THREADS_MAX];
    char log[256];
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
    if (strcmp(self->log, "left") == 0)
        crew_tell_ended();
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

typedef struct turn {
    desk_t *desk;
    mob_promise_i64 promise;
} turn_t;

static void turn_ends(mob_t *client, mob_ref_t ref, void *arg)
{
    turn_t *turn = arg;
    int64_t value = 0;
    strcat(turn->desk->log, "END ");
    if (mob_get(client, mob_as(i64, ref), &value, 0) == MOB_OK)
        mob_resolve(client, turn->promise, value);
    free(turn);
}

mob_err_t desk_by_callback(mob_ctx_t *ctx, desk_t *self, int64_t n, int64_t *out)
{
    turn_t *turn = malloc(sizeof *turn);
    strcat(self->log, "START ");
    *turn = (turn_t){self, mob_defer(ctx, out)};
    mob_then(ctx->client, mob_run(ctx->client, twice, n).ref, turn_ends, turn);
    return MOB_OK;
}

static void tell_how(mob_t *client, mob_ref_t ref, void *arg)
{
    desk_t *desk = arg; // it is still there
    if (mob_info(client, ref).state == MOB_PENDING)
        strcpy(desk->log, "left");
}

mob_err_t desk_never(mob_ctx_t *ctx, desk_t *self, mob_nil_t *out)
{
    (void)out;
    mob_ref_i64 child = mob_run_with(ctx->client, MOB_OPTS(.delay_ms = 600000), twice, 1);
    mob_then(ctx->client, child.ref, tell_how, self);
    return MOB_OK;
}

mob_err_t desk_log(mob_ctx_t *ctx, desk_t *self, const char **out)
{
    (void)ctx;
    *out = self->log;
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

// Bodies that run at once, behind a lock of their own.
#define HALL(METHOD)                                             \
    METHOD(hall, meet, i64, (i64, n)) /* until n are here */     \
    METHOD(hall, nap, i64, (i64, ms))                            \
    METHOD(hall, most, i64) /* at once, until now */             \
    METHOD(hall, stay, i64) /* until somebody leaves */          \
    METHOD(hall, leave, nil)                                     \
    METHOD(hall, same, i64, (i64, n))                            \
    METHOD(hall, until_told, i64, (i64, ms))                     \
    METHOD(hall, sum, i64, (i64, n))     /* of n nested calls */ \
    METHOD(hall, hand_on, i64, (i64, n)) /* a failure */         \
    METHOD(hall, keep, nil, (ref, what))                         \
    METHOD(hall, size, i64) /* of what is kept */                \
    METHOD(hall, read, i64, (ref, what))                         \
    METHOD(hall, later, i64, (i64, n))                           \
    METHOD(hall, threads, i64)                                   \
    METHOD(hall, die, nil)
MOB_ACTOR(hall, HALL);

MOB_TASK(fails, i64, (i64, n));

struct hall {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t here, met, most;
    bool left;
    mob_ref_t kept;
};

mob_err_t hall_init(mob_ctx_t *ctx, hall_t *self)
{
    (void)ctx;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    return MOB_OK;
}

static int64_t enter(hall_t *self)
{
    self->here++;
    self->most = self->here > self->most ? self->here : self->most;
    pthread_cond_broadcast(&self->changed);
    return self->here;
}

mob_err_t hall_meet(mob_ctx_t *ctx, hall_t *self, int64_t n, int64_t *out)
{
    crew_enter(ctx);
    pthread_mutex_lock(&self->lock);
    *out = enter(self);
    while (self->here < n)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
    return MOB_OK;
}

mob_err_t hall_nap(mob_ctx_t *ctx, hall_t *self, int64_t ms, int64_t *out)
{
    pthread_mutex_lock(&self->lock);
    enter(self);
    pthread_mutex_unlock(&self->lock);
    *out = work_ms(ctx, ms);
    pthread_mutex_lock(&self->lock);
    self->here--;
    pthread_mutex_unlock(&self->lock);
    return MOB_OK;
}

mob_err_t hall_most(mob_ctx_t *ctx, hall_t *self, int64_t *out)
{
    (void)ctx;
    pthread_mutex_lock(&self->lock);
    *out = self->most;
    pthread_mutex_unlock(&self->lock);
    return MOB_OK;
}

mob_err_t hall_stay(mob_ctx_t *ctx, hall_t *self, int64_t *out)
{
    pthread_mutex_lock(&self->lock);
    *out = enter(self);
    crew_tell_begun();
    while (!self->left)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
    work_ms(ctx, 50); // who left has returned by then
    return MOB_OK;
}

mob_err_t hall_leave(mob_ctx_t *ctx, hall_t *self, mob_nil_t *out)
{
    (void)out;
    pthread_mutex_lock(&self->lock);
    self->left = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return mob_leave(ctx);
}

mob_err_t hall_same(mob_ctx_t *ctx, hall_t *self, int64_t n, int64_t *out)
{
    (void)ctx, (void)self;
    *out = n;
    return MOB_OK;
}

mob_err_t hall_until_told(mob_ctx_t *ctx, hall_t *self, int64_t ms, int64_t *out)
{
    (void)self;
    *out = crew_until_told(ctx, ms);
    return MOB_OK;
}

// Each in turn, then many at once.
mob_err_t hall_sum(mob_ctx_t *ctx, hall_t *self, int64_t n, int64_t *out)
{
    enum { MANY = 10 };
    mob_ref_i64 parts[MANY];
    int64_t part = 0;
    mob_err_t err = MOB_OK;
    (void)self;
    for (*out = 0; n > 0 && !err; n--, *out += part)
        err = mob_get(ctx->client, mob_run(ctx->client, twice, n), &part, MOB_FOREVER);
    for (int64_t i = 0; i < MANY; i++)
        parts[i] = mob_run(ctx->client, twice, i);
    if (!err)
        err = mob_all(ctx->client, mob_refs(parts), MANY, MOB_FOREVER);
    for (int64_t i = 0; i < MANY && !err; i++, *out += part)
        err = mob_get(ctx->client, parts[i], &part, 0);
    return err;
}

mob_err_t hall_hand_on(mob_ctx_t *ctx, hall_t *self, int64_t n, int64_t *out)
{
    (void)self;
    return mob_get(ctx->client, mob_run(ctx->client, fails, n), out, MOB_FOREVER);
}

mob_err_t hall_keep(mob_ctx_t *ctx, hall_t *self, mob_ref_t what, mob_nil_t *out)
{
    (void)out;
    mob_keep(ctx->client, what);
    self->kept = what;
    return MOB_OK;
}

mob_err_t hall_size(mob_ctx_t *ctx, hall_t *self, int64_t *out)
{
    const char *text = "";
    mob_err_t err = mob_get(ctx->client, mob_as(str, self->kept), &text, MOB_FOREVER);
    *out = (int64_t)strlen(text);
    return err;
}

// Two read the same: the one reads on when the other has returned.
mob_err_t hall_read(mob_ctx_t *ctx, hall_t *self, mob_ref_t what, int64_t *out)
{
    int64_t number;
    const char *text = "";
    mob_err_t err = mob_get(ctx->client, mob_as(str, what), &text, MOB_FOREVER);
    if (!err)
        err = hall_meet(ctx, self, 2, &number);
    if (!err && number == 2)
        work_ms(ctx, 100);
    *out = (int64_t)strlen(text);
    return err;
}

mob_err_t hall_later(mob_ctx_t *ctx, hall_t *self, int64_t n, int64_t *out)
{
    (void)self;
    mob_promise_i64 promise = mob_defer(ctx, out);
    mob_resolve(ctx->client, promise, n);
    return MOB_OK;
}

mob_err_t hall_threads(mob_ctx_t *ctx, hall_t *self, int64_t *out)
{
    (void)self;
    return desk_threads(ctx, NULL, out);
}

mob_err_t hall_die(mob_ctx_t *ctx, hall_t *self, mob_nil_t *out)
{
    (void)ctx, (void)self, (void)out;
    kill(getpid(), SIGKILL);
    return MOB_OK;
}

mob_err_t twice(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = 2 * n;
    return MOB_OK;
}

mob_err_t fails(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    (void)out;
    return mob_fail(ctx, (int)n, "number %d", (int)n);
}

static const mob_def_t defs[] = {mob_actor(desk, DESK), mob_actor(hall, HALL), mob_task(ask_here),
                                 mob_task(twice),       mob_task(fails),       {0}};

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

Test(conc, C36_one_at_a_time_though_each_answers_from_a_callback)
{
    enum { CALLS = 10 };
    mob_ref_i64 answers[CALLS];
    const char *log = "";
    desk_h desk = mob_new_with(m, MOB_ACTOR_OPTS(.max_open = 1), desk);
    for (int64_t i = 0; i < CALLS; i++)
        answers[i] = mob_call(m, desk, desk_by_callback, i);
    for (int64_t i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(answers[i]), 2 * i);
    cr_assert_eq(mob_get(m, mob_call(m, desk, desk_log), &log, SOON), MOB_OK);
    for (int i = 0; i < CALLS; i++, log += strlen("START END "))
        cr_assert_eq(strncmp(log, "START END ", 10), 0, "%s", log);
    cr_assert_eq(*log, '\0');
}

Test(conc, callbacks_that_are_left_come_before_fini)
{
    desk_h desk = mob_new(m, desk);
    cr_assert_eq(mob_done(m, mob_call(m, desk, desk_never), SOON), MOB_OK);
    mob_stop(m, desk.actor, MOB_STOP_DRAIN);
    crew_hear(crew.ended[0]);
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

// ---- Bodies that run at once --------------------------------------------------------------------

static hall_h hall_of(int threads)
{
    return mob_new_with(m, MOB_ACTOR_OPTS(.max_concurrency = threads), hall);
}

Test(conc, C34_threads_meet)
{
    hall_h hall = hall_of(3);
    mob_ref_i64 calls[3];
    int64_t seen = 0;
    for (int i = 0; i < 3; i++)
        calls[i] = mob_call(m, hall, hall_meet, 3);
    for (int i = 0; i < 3; i++)
        seen |= 1 << value_of(calls[i]);
    cr_assert_eq(seen, 1 << 1 | 1 << 2 | 1 << 3);
}

Test(conc, more_threads_meet_than_an_actor_gets_calls_ahead)
{
    enum { CALLS = 100 };
    hall_h hall = hall_of(CALLS);
    mob_ref_i64 calls[CALLS];
    for (int i = 0; i < CALLS; i++)
        calls[i] = mob_call(m, hall, hall_meet, CALLS);
    for (int i = 0; i < CALLS; i++)
        value_of(calls[i]);
    cr_assert_geq(value_of(mob_call(m, hall, hall_threads)), CALLS);
}

Test(conc, C35_no_more_run_at_once_than_may)
{
    hall_h hall = hall_of(2);
    mob_ref_i64 calls[6];
    cr_assert_eq(value_of(mob_call(m, hall, hall_most)), 0);
    int64_t began = now_ms();
    for (int i = 0; i < 6; i++)
        calls[i] = mob_call(m, hall, hall_nap, 300);
    for (int i = 0; i < 6; i++)
        value_of(calls[i]);
    int64_t took = now_ms() - began;
    cr_assert_eq(value_of(mob_call(m, hall, hall_most)), 2);
    cr_assert_geq(took, 900);
    cr_assert_leq(took, 1500);
}

Test(conc, C40_one_that_is_late_stops_no_other)
{
    hall_h hall = hall_of(2);
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 late = mob_call(m, desk, desk_ask, 1);
    mob_ref_i64 first = mob_call(m, hall, hall_same, late), second = mob_call(m, hall, hall_same, 2);
    cr_assert_eq(value_of(second), 2);
    cr_assert_eq(mob_info(m, first.ref).state, MOB_PENDING);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), 1);
    cr_assert_eq(value_of(first), 1);
}

Test(conc, C41_order_and_threads_do_not_go_together)
{
    hall_h hall = mob_new_with(m, MOB_ACTOR_OPTS(.ordered = true, .max_concurrency = 2), hall);
    mob_info_t info = failure_of(mob_ready(hall.actor), MOB_EARGS);
    cr_assert_not_null(strstr(info.reason, "ordered"), "%s", info.reason);
    cr_assert_eq(count_of(m, "actors"), 0, "nothing was created");
}

Test(conc, C54_who_leaves_lets_the_others_end)
{
    hall_h hall = mob_new_with(m, MOB_ACTOR_OPTS(.max_concurrency = 4, .max_restarts = 3), hall);
    mob_ref_i64 inside[3];
    for (int i = 0; i < 3; i++) {
        inside[i] = mob_call(m, hall, hall_stay);
        crew_hear(crew.begun[0]);
    }
    mob_info_t info = failure_of(mob_call(m, hall, hall_leave).ref, MOB_EDEAD);
    cr_assert_str_eq(info.why, "EXIT");
    for (int i = 0; i < 3; i++)
        cr_assert_eq(value_of(inside[i]), i + 1);
    failure_of(mob_call(m, hall, hall_most).ref, MOB_EDEAD); // for good
}

Test(conc, each_thread_calls_and_waits_for_itself)
{
    needs_notices("its bodies wait 20 times in a row");
    enum { CALLS = 40, NESTED = 20 };
    hall_h hall = hall_of(8);
    mob_ref_i64 sums[CALLS];
    for (int i = 0; i < CALLS; i++)
        sums[i] = mob_call(m, hall, hall_sum, NESTED);
    for (int i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(sums[i]), NESTED * (NESTED + 1) + 90);
}

Test(conc, each_thread_hands_on_its_own_failure)
{
    enum { CALLS = 60 };
    hall_h hall = hall_of(8);
    mob_ref_i64 calls[CALLS];
    for (int i = 0; i < CALLS; i++)
        calls[i] = mob_call(m, hall, hall_hand_on, i + 100);
    for (int i = 0; i < CALLS; i++) {
        char text[32];
        snprintf(text, sizeof text, "number %d", i + 100);
        mob_info_t info = failure_of(calls[i].ref, MOB_ETASK);
        cr_assert_not_null(strstr(info.reason, text), "%s", info.reason);
        cr_assert_not(mob_is_none(info.cause));
    }
}

Test(conc, threads_read_what_one_of_them_keeps)
{
    enum { CALLS = 100 };
    hall_h hall = hall_of(8);
    mob_ref_i64 sizes[CALLS];
    mob_ref_str text = mob_put(m, "seventeen letters");
    cr_assert_eq(mob_done(m, mob_call(m, hall, hall_keep, text.ref), SOON), MOB_OK);
    mob_drop(m, text.ref);
    for (int i = 0; i < CALLS; i++)
        sizes[i] = mob_call(m, hall, hall_size);
    for (int i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(sizes[i]), 17);
}

Test(conc, what_two_bodies_read_stays_for_the_slower_one)
{
    static char text[5000];
    memset(text, 'x', sizeof text - 1);
    hall_h hall = hall_of(2);
    mob_ref_str what = mob_put(m, (const char *)text);
    mob_ref_i64 sizes[] = {mob_call(m, hall, hall_read, what.ref),
                           mob_call(m, hall, hall_read, what.ref)};
    for (int i = 0; i < 2; i++)
        cr_assert_eq(value_of(sizes[i]), (int64_t)sizeof text - 1);
}

Test(conc, one_of_several_bodies_is_called_off)
{
    hall_h hall = hall_of(3);
    mob_ref_i64 one = mob_call(m, hall, hall_until_told, 10000),
                other = mob_call(m, hall, hall_until_told, 500);
    crew_hear(crew.begun[0]);
    crew_hear(crew.begun[0]);
    cr_assert_eq(mob_cancel(m, one.ref, 0), MOB_OK);
    failure_of(one.ref, MOB_ECANCELLED);
    cr_assert_geq(value_of(other), 500, "it was not told");
}

Test(conc, an_answer_may_come_before_its_body_has_returned)
{
    enum { CALLS = 100 };
    hall_h hall = hall_of(4);
    mob_ref_i64 answers[CALLS];
    for (int64_t i = 0; i < CALLS; i++)
        answers[i] = mob_call(m, hall, hall_later, i);
    for (int64_t i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(answers[i]), i);
}

Test(conc, all_that_run_at_once_end_with_their_process)
{
    hall_h hall = mob_new_with(
        m, MOB_ACTOR_OPTS(.max_concurrency = 3, .max_restarts = 1, .backoff_ms = 1), hall);
    mob_ref_i64 inside[] = {mob_call(m, hall, hall_stay), mob_call(m, hall, hall_stay)};
    crew_hear(crew.begun[0]);
    crew_hear(crew.begun[0]);
    failure_of(mob_call(m, hall, hall_die).ref, MOB_EUNAVAILABLE);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(failure_of(inside[i].ref, MOB_EUNAVAILABLE).executed, MOB_MAYBE_EXECUTED);
}

Test(conc, threads_outlive_the_broker)
{
    hall_h hall = hall_of(3);
    mob_ref_i64 calls[] = {mob_call(m, hall, hall_meet, 3), mob_call(m, hall, hall_meet, 3)};
    while (crew_ran(&crew, calls[0].ref).count + crew_ran(&crew, calls[1].ref).count < 2)
        ;
    crew_kill_broker(&crew);
    crew_start_broker(&crew);
    cr_assert_eq(value_of(mob_call(m, hall, hall_meet, 3)), 3);
    for (int i = 0; i < 2; i++) {
        value_of(calls[i]);
        cr_assert_eq(crew_ran(&crew, calls[i].ref).count, 1);
    }
}

Test(conc, a_drain_waits_for_all_that_run)
{
    hall_h hall = hall_of(3);
    mob_ref_i64 naps[] = {mob_call(m, hall, hall_nap, 200), mob_call(m, hall, hall_nap, 100),
                          mob_call(m, hall, hall_nap, 100), mob_call(m, hall, hall_nap, 50)};
    mob_stop(m, hall.actor, MOB_STOP_DRAIN);
    cr_assert_eq(mob_await(m, mob_watch(m, hall.actor), NULL, SOON), MOB_OK);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(mob_info(m, naps[i].ref).state, MOB_READY);
}
