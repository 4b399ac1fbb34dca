// hall.c - see hall.h.

#include "hall.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "crew.h"
#include "desk.h"
#include "work.h"

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
    (void)ctx, (void)self;
    *out = threads_here();
    return MOB_OK;
}

mob_err_t hall_die(mob_ctx_t *ctx, hall_t *self, mob_nil_t *out)
{
    (void)ctx, (void)self, (void)out;
    kill(getpid(), SIGKILL);
    return MOB_OK;
}

mob_err_t fails(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    (void)out;
    return mob_fail(ctx, (int)n, "number %d", (int)n);
}

const mob_def_t hall_defs[] = {mob_actor(hall, HALL), mob_task(fails), mob_task(twice), {0}};
