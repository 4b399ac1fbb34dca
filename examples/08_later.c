// 08_later.c - a method that answers later: callers of a barrier wait for each other, and its actor
// waits for nobody.

#include <inttypes.h>
#include <stdio.h>

#include <mobula/contract.h>

// The last of the crowd answers all the others; to close is to turn away those who wait.
#define BARRIER(METHOD)          \
    METHOD(barrier, arrive, i64) \
    METHOD(barrier, close, i64)
MOB_ACTOR(barrier, BARRIER, (i64, width));

enum { WIDTH_MAX = 16, CLOSED = 1 };

struct barrier {
    int64_t width, count;
    mob_promise_i64 waiting[WIDTH_MAX];
};

mob_err_t barrier_init(mob_ctx_t *ctx, barrier_t *self, int64_t width)
{
    if (width < 1 || width > WIDTH_MAX)
        return mob_fail(ctx, 22, "width is %" PRId64, width);
    self->width = width;
    return MOB_OK;
}

mob_err_t barrier_arrive(mob_ctx_t *ctx, barrier_t *self, int64_t *out)
{
    self->waiting[self->count++] = mob_defer(ctx, out); // the answer comes later
    if (self->count < self->width)
        return MOB_OK;
    for (int64_t i = 0; i < self->count; i++)
        mob_resolve(ctx->client, self->waiting[i], i);
    self->count = 0;
    return MOB_OK;
}

mob_err_t barrier_close(mob_ctx_t *ctx, barrier_t *self, int64_t *out)
{
    *out = self->count;
    for (int64_t i = 0; i < self->count; i++)
        mob_refuse(ctx->client, self->waiting[i].promise, CLOSED, "closed: %" PRId64 " of %" PRId64,
                   self->count, self->width);
    self->count = 0;
    return MOB_OK;
}

int main(void)
{
    mob_t *m = mob_connect(NULL);
    int64_t number = 0;
    mob_err_t err = mob_offer(m, mob_actor(barrier, BARRIER));
    if (err)
        goto done;

    barrier_h gate = mob_new(m, barrier, 3);
    mob_ref_i64 first = mob_call(m, gate, barrier_arrive), second = mob_call(m, gate, barrier_arrive);
    printf("two came, and wait: %s\n", mob_strerror(mob_done(m, first, 100)));
    mob_ref_i64 third = mob_call(m, gate, barrier_arrive);
    err = mob_all(m, MOB_REFS(first, second, third), 3, 5000);
    if (!err)
        err = mob_get(m, third, &number, 5000);
    printf("all three came; the last is number %" PRId64 "\n", number);

    mob_ref_i64 lonely = mob_call(m, gate, barrier_arrive);
    if (!err)
        err = mob_get(m, mob_call(m, gate, barrier_close), &number, 5000);
    printf("turned away: %" PRId64 "; %s\n", number, mob_strerror(mob_done(m, lonely, 5000)));
    printf("  %s\n", mob_reason(m, lonely.ref));
done:
    mob_close(&m);
    return mob_exit_status(err);
}
