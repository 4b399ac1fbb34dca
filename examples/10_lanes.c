// 10_lanes.c - an actor in parts: what takes long in one lane does not hold up the calls of another.

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include <mobula/contract.h>

#define SHOP(METHOD) \
    METHOD(shop, restock, i64) METHOD(shop, sell, i64, (i64, count)) METHOD(shop, close, nil)
MOB_ACTOR(shop, SHOP, (i64, stock));

struct shop {
    pthread_mutex_t lock; // lanes run at once
    pthread_cond_t closes;
    bool closed;
    int64_t stock;
};

mob_err_t shop_init(mob_ctx_t *ctx, shop_t *self, int64_t stock)
{
    (void)ctx;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->closes, NULL);
    self->stock = stock;
    return MOB_OK;
}

mob_err_t shop_restock(mob_ctx_t *ctx, shop_t *self, int64_t *out) // takes all day
{
    (void)ctx;
    pthread_mutex_lock(&self->lock);
    while (!self->closed)
        pthread_cond_wait(&self->closes, &self->lock);
    *out = self->stock += 100;
    pthread_mutex_unlock(&self->lock);
    return MOB_OK;
}

mob_err_t shop_sell(mob_ctx_t *ctx, shop_t *self, int64_t count, int64_t *out)
{
    (void)ctx;
    pthread_mutex_lock(&self->lock);
    *out = self->stock -= count;
    pthread_mutex_unlock(&self->lock);
    return MOB_OK;
}

mob_err_t shop_close(mob_ctx_t *ctx, shop_t *self, mob_nil_t *out)
{
    (void)ctx, (void)out;
    pthread_mutex_lock(&self->lock);
    self->closed = true;
    pthread_cond_signal(&self->closes);
    pthread_mutex_unlock(&self->lock);
    return MOB_OK;
}

void shop_fini(shop_t *self)
{
    pthread_cond_destroy(&self->closes);
    pthread_mutex_destroy(&self->lock);
}

int main(void)
{
    mob_t *m = mob_connect(NULL);
    int64_t stock = 0;
    mob_err_t err = mob_offer(
        m, mob_actor(shop, SHOP, .actor = {.lanes = {{"stock", 1}}}, .restock = {.lane = "stock"}));
    if (err)
        goto done;

    shop_h shop = mob_new(m, shop, 10);
    mob_ref_i64 more = mob_call(m, shop, shop_restock);
    for (int i = 0; i < 3 && !err; i++)
        err = mob_get(m, mob_call(m, shop, shop_sell, 1), &stock, 5000);
    printf("three sold, %" PRId64 " left\n", stock);

    mob_ref_i64 behind = mob_call_with(m, shop, MOB_OPTS(.lane = "stock"), shop_sell, 9);
    if (!err)
        err = mob_done(m, mob_call(m, shop, shop_close), 5000);
    if (!err)
        err = mob_get(m, more, &stock, 5000);
    printf("restocked: %" PRId64 "\n", stock);
    if (!err)
        err = mob_get(m, behind, &stock, 5000);
    printf("nine sold behind it, %" PRId64 " left\n", stock);
done:
    mob_close(&m);
    return mob_exit_status(err);
}
