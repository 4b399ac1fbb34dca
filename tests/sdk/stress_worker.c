// stress_worker.c - for ThreadSanitizer: bodies in threads beside the keepers of their sessions,
// cancelled, nested, slow and quick, while actors come and go; answers that other threads give; bodies of one actor
// at once.
// Counts what it asked and what it got.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "clock.h"
#include "janitor.h"
#include "mobula/contract.h"
#include "quiet.h"
#include "work.h"

enum { ROUNDS = 100, EACH = 25, SOON = 20000 };

MOB_TASK(quick, i64, (i64, n));
MOB_TASK(slow, i64, (i64, ms));
MOB_TASK(nested, i64, (i64, n));
#define SUM(METHOD) \
    METHOD(sum, add, i64, (i64, n)) METHOD(sum, later, i64, (i64, n)) METHOD(sum, leave, nil)
MOB_ACTOR(sum, SUM);
#define CROWD(METHOD)                  \
    METHOD(crowd, nest, i64, (i64, n)) \
    METHOD(crowd, keep, nil, (ref, r)) \
    METHOD(crowd, size, i64)           \
    METHOD(crowd, slow, i64, (i64, ms))
MOB_ACTOR(crowd, CROWD); // in threads

mob_err_t quick(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    *out = n + (int64_t)strlen(mob_format(ctx, "%d", (int)n));
    return MOB_OK;
}

mob_err_t slow(mob_ctx_t *ctx, int64_t ms, int64_t *out)
{
    *out = work_ms(ctx, ms);
    return MOB_OK;
}

mob_err_t nested(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    if (n == 0)
        return MOB_OK;
    mob_err_t err = mob_get(ctx->client, mob_run(ctx->client, nested, n - 1), out, MOB_FOREVER);
    ++*out;
    return err;
}

struct sum {
    int64_t value;
    size_t count;
    pthread_t threads[EACH]; // that answer
};

mob_err_t sum_add(mob_ctx_t *ctx, sum_t *self, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = self->value += n;
    return MOB_OK;
}

typedef struct late { // an answer in the making
    mob_t *client;
    mob_promise_i64 promise;
    int64_t n;
} late_t;

static void *answer(void *arg)
{
    late_t *late = arg;
    mob_resolve(late->client, late->promise, late->n);
    free(late);
    return NULL;
}

mob_err_t sum_later(mob_ctx_t *ctx, sum_t *self, int64_t n, int64_t *out)
{
    late_t *late = malloc(sizeof *late);
    *late = (late_t){ctx->client, mob_defer(ctx, out), n};
    return pthread_create(&self->threads[self->count++], NULL, answer, late) ? MOB_EINTERNAL : MOB_OK;
}

void sum_fini(sum_t *self)
{
    while (self->count > 0)
        pthread_join(self->threads[--self->count], NULL);
}

mob_err_t sum_leave(mob_ctx_t *ctx, sum_t *self, mob_nil_t *out)
{
    (void)self, (void)out;
    return mob_leave(ctx);
}

struct crowd {
    mob_ref_t kept;
};

mob_err_t crowd_nest(mob_ctx_t *ctx, crowd_t *self, int64_t n, int64_t *out)
{
    (void)self;
    return nested(ctx, n, out);
}

mob_err_t crowd_keep(mob_ctx_t *ctx, crowd_t *self, mob_ref_t r, mob_nil_t *out)
{
    (void)out;
    mob_keep(ctx->client, r);
    self->kept = r;
    return MOB_OK;
}

mob_err_t crowd_size(mob_ctx_t *ctx, crowd_t *self, int64_t *out)
{
    const char *text = "";
    mob_err_t err = mob_get(ctx->client, mob_as(str, self->kept), &text, MOB_FOREVER);
    *out = (int64_t)strlen(text);
    return err;
}

mob_err_t crowd_slow(mob_ctx_t *ctx, crowd_t *self, int64_t ms, int64_t *out)
{
    (void)self;
    return slow(ctx, ms, out);
}

static unsigned wrong;

static void expect(mob_t *m, mob_ref_i64 ref, int64_t value, int line)
{
    int64_t got = 0;
    mob_err_t err = mob_get(m, ref, &got, SOON);
    if (!err && got == value)
        return;
    printf("line %d: %s, %lld instead of %lld\n", line, mob_strerror(err), (long long)got,
           (long long)value);
    wrong++;
}

static void in_threads(mob_t *m)
{
    mob_ref_i64 sizes[EACH], nests[EACH];
    crowd_h crowd = mob_new(m, crowd);
    mob_ref_str text = mob_put(m, "a text of 24 characters.");
    wrong += mob_done(m, mob_call(m, crowd, crowd_keep, text.ref), SOON) != MOB_OK;
    mob_ref_i64 held = mob_call(m, crowd, crowd_slow, 10000);
    for (int64_t i = 0; i < EACH; i++) {
        sizes[i] = mob_call(m, crowd, crowd_size);
        nests[i] = mob_call(m, crowd, crowd_nest, i % 3);
    }
    for (int64_t i = 0; i < EACH; i++) {
        expect(m, sizes[i], 24, __LINE__);
        expect(m, nests[i], i % 3, __LINE__);
    }
    wrong += mob_cancel(m, held.ref, 0) != MOB_OK;
    mob_stop(m, crowd.actor, MOB_STOP_DRAIN);
    wrong += mob_await(m, mob_watch(m, crowd.actor), NULL, SOON) != MOB_OK;
}

static void round_of(mob_t *m, int64_t round)
{
    uint64_t mark = mob_mark(m);
    mob_ref_i64 tasks[EACH], sums[EACH], laters[EACH];
    sum_h sum = mob_new(m, sum);
    mob_ref_i64 held = mob_run(m, slow, 10000), deep = mob_run(m, nested, 4);
    for (int64_t i = 0; i < EACH; i++) {
        tasks[i] = mob_run(m, quick, i % 10);
        sums[i] = mob_call(m, sum, sum_add, 1);
        laters[i] = mob_call(m, sum, sum_later, i);
    }
    for (int64_t i = 0; i < EACH; i++) {
        expect(m, tasks[i], i % 10 + 1, __LINE__);
        expect(m, sums[i], i + 1, __LINE__);
        expect(m, laters[i], i, __LINE__);
    }
    wrong += mob_cancel(m, held.ref, 0) != MOB_OK;
    wrong += mob_done(m, held, SOON) != MOB_ECANCELLED;
    expect(m, deep, 4, __LINE__);
    if (round % 2)
        wrong += mob_done(m, mob_call(m, sum, sum_leave), SOON) != MOB_EDEAD;
    else
        mob_stop(m, sum.actor, round % 4 ? MOB_STOP_DRAIN : MOB_STOP_NOW);
    wrong += mob_await(m, mob_watch(m, sum.actor), NULL, SOON) != MOB_OK;
    in_threads(m);
    mob_release(m, mark);
}

int main(void)
{
    config_t config;
    char directory[64], address[128], why[512] = "";
    janitor_t janitor = janitor_start(directory, address);
    broker_t *broker = NULL;
    if (!quiet_config(&config, directory, address))
        broker = broker_start(&config, why, sizeof why);
    if (!broker)
        return 1;
    mob_t *m = mob_connect(&(mob_config_t){.endpoint = address, .name = "stress", .cpus = 2});
    wrong += mob_offer(m, mob_task(quick), mob_task(slow), mob_task(nested), mob_actor(sum, SUM),
                       mob_actor(crowd, CROWD, .actor = {.max_concurrency = 4})) != MOB_OK;
    int64_t began = clock_us();
    int64_t rounds = 0;
    for (; rounds < ROUNDS && clock_us() - began < 20000000; rounds++)
        round_of(m, rounds);
    mob_interrupt(m);
    wrong += mob_serve(m) != MOB_OK;
    mob_close(&m);
    broker_stop(&broker);
    janitor_end(&janitor);
    printf("rounds %d calls %d wrong %u ms %d\n", (int)rounds, (int)rounds * (5 * EACH + 11), wrong,
           (int)((clock_us() - began) / 1000));
    return wrong > 0 || rounds == 0;
}
