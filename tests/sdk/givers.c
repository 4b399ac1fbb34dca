// givers.c - see givers.h.

#include "givers.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

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

const mob_def_t giver_defs[] = {
    mob_task(three),
    mob_task(nop),
    {.name = MANY_SIGNATURE, .usage = "many count:i64 -> several", .invoke = many},
    {.name = HEAVY_SIGNATURE, .usage = "heavy count:i64 -> several", .invoke = heavy},
    mob_actor(pairs, PAIRS),
    {0}};
