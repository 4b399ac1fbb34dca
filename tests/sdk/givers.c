// givers.c - see givers.h.

#include "givers.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crew.h"
#include "work.h"

mob_err_t three(mob_ctx_t *ctx, int64_t n, int64_t *first, const char **second, int64_t *third)
{
    if (n < 0)
        return mob_fail(ctx, 42, "%d is below zero", (int)n);
    *first = n;
    *second = mob_format(ctx, "%d", (int)n + 1);
    *third = n + 2;
    return MOB_OK;
}

mob_err_t nop(mob_ctx_t *ctx, mob_nil_t *out)
{
    (void)ctx, (void)out;
    return MOB_OK;
}

static mob_err_t many(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)state;
    int64_t count = mob_read_i64(args);
    for (int64_t i = 0; i < count; i++) {
        mob_write_i64(result, i);
        if (i < count - 1 && mob_yield(ctx))
            return MOB_ECANCELLED;
    }
    return MOB_OK;
}

static mob_err_t heavy(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)state;
    mob_err_t err = MOB_OK;
    for (int64_t i = mob_read_i64(args); i > 0 && !err; i--) {
        mob_bytes_t bytes = {mob_alloc(ctx, 100000), 100000};
        mob_write_bytes(result, bytes);
        err = mob_yield(ctx);
    }
    return err;
}

// ---- Streams ------------------------------------------------------------------------------------

mob_err_t numbers(mob_ctx_t *ctx, int64_t n, mob_sink_i64 *out)
{
    (void)ctx;
    mob_err_t err = MOB_OK;
    for (int64_t i = 0; i < n && !err; i++)
        err = mob_emit(out, i);
    return err;
}

mob_err_t count(mob_ctx_t *ctx, int64_t n, int64_t ms, mob_sink_i64 *out)
{
    mob_err_t err = MOB_OK;
    for (int64_t i = 0; i < n && !err; i++) {
        if (i > 0)
            work_ms(ctx, ms);
        crew_tell_begun();
        err = mob_emit(out, i);
    }
    return err;
}

mob_err_t broken(mob_ctx_t *ctx, int64_t n, mob_sink_i64 *out)
{
    mob_err_t err = numbers(ctx, n, out);
    return err ? err : mob_fail(ctx, 42, "no more than %d", (int)n);
}

mob_err_t pids(mob_ctx_t *ctx, int64_t n, mob_sink_i64 *out)
{
    (void)ctx;
    mob_err_t err = MOB_OK;
    for (int64_t i = 0; i < n && !err; i++)
        err = mob_emit(out, getpid());
    return err;
}

mob_err_t stumbling(mob_ctx_t *ctx, int64_t n, int64_t fatal, mob_sink_i64 *out)
{
    mob_err_t err = MOB_OK;
    for (int64_t i = 0; i < n && !err; i++) {
        if (ctx->attempt == 0 && i == fatal)
            kill(getpid(), SIGKILL);
        err = mob_emit(out, i);
    }
    return err;
}

mob_err_t endless(mob_ctx_t *ctx, mob_sink_i64 *out)
{
    (void)ctx;
    mob_err_t err = MOB_OK;
    for (int64_t i = 0; !err; i++)
        err = mob_emit(out, i);
    crew_tell_begun();
    return err;
}

mob_err_t lumps(mob_ctx_t *ctx, int64_t n, int64_t size, mob_sink_bytes *out)
{
    mob_err_t err = MOB_OK;
    char *bytes = mob_alloc(ctx, (size_t)size);
    for (int64_t i = 0; i < n && !err; i++) {
        mob_bytes_t lump = {bytes, i % 3 ? 5 : (size_t)size};
        memset(bytes, 'a' + (int)i % 26, lump.size);
        err = mob_emit(out, lump);
    }
    return err;
}

mob_err_t sum_of(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    int64_t value = 0;
    mob_err_t err;
    mob_stream_i64 items = mob_run(ctx->client, numbers, n);
    for (*out = 0; (err = mob_next(ctx->client, items, &value, MOB_FOREVER)) == MOB_OK;)
        *out += value;
    return err == MOB_EEND ? MOB_OK : err;
}

mob_err_t slot(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = n;
    return MOB_OK;
}

// ---- An actor -----------------------------------------------------------------------------------

struct pairs {
    int calls;
};

mob_err_t pairs_swap(mob_ctx_t *ctx, pairs_t *self, int64_t a, int64_t b, int64_t *left,
                     int64_t *right)
{
    (void)ctx;
    self->calls++;
    *left = b;
    *right = a;
    return MOB_OK;
}

mob_err_t pairs_die(mob_ctx_t *ctx, pairs_t *self, int64_t *left, int64_t *right)
{
    (void)ctx, (void)self, (void)left, (void)right;
    kill(getpid(), SIGKILL);
    return MOB_OK;
}

mob_err_t pairs_endless(mob_ctx_t *ctx, pairs_t *self, mob_sink_i64 *out)
{
    (void)self;
    return endless(ctx, out);
}

mob_err_t pairs_pids(mob_ctx_t *ctx, pairs_t *self, int64_t n, mob_sink_i64 *out)
{
    (void)self;
    return pids(ctx, n, out);
}

const mob_def_t giver_defs[] = {
    mob_task(three),
    mob_task(nop),
    mob_task(count, .stream_ahead = 4),
    mob_task(numbers),
    mob_task(broken),
    mob_task(pids, .max_retries = MOB_NONE),
    mob_task(stumbling),
    mob_task(endless),
    mob_task(sum_of),
    mob_task(lumps),
    mob_task(slot),
    {.name = MANY_SIGNATURE, .usage = "many count:i64 -> several", .invoke = many},
    {.name = HEAVY_SIGNATURE, .usage = "heavy count:i64 -> several", .invoke = heavy},
    mob_actor(pairs, PAIRS),
    {0}};
