// 09_threads.c - an actor whose bodies run at once: they share its state behind a lock, and wait for
// each other.

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include <mobula/contract.h>

#define HALL(METHOD) METHOD(hall, meet, i64, (i64, width)) METHOD(hall, most, i64)
MOB_ACTOR(hall, HALL);

struct hall {
    pthread_mutex_t lock;
    pthread_cond_t came;
    int64_t here;
};

mob_err_t hall_init(mob_ctx_t *ctx, hall_t *self)
{
    (void)ctx;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->came, NULL);
    return MOB_OK;
}

// Each stays until all have come. One after the other they would wait for ever.
mob_err_t hall_meet(mob_ctx_t *ctx, hall_t *self, int64_t width, int64_t *out)
{
    (void)ctx;
    pthread_mutex_lock(&self->lock);
    *out = ++self->here;
    pthread_cond_broadcast(&self->came);
    while (self->here < width)
        pthread_cond_wait(&self->came, &self->lock);
    pthread_mutex_unlock(&self->lock);
    return MOB_OK;
}

mob_err_t hall_most(mob_ctx_t *ctx, hall_t *self, int64_t *out)
{
    (void)ctx;
    pthread_mutex_lock(&self->lock);
    *out = self->here;
    pthread_mutex_unlock(&self->lock);
    return MOB_OK;
}

void hall_fini(hall_t *self) // no body runs any more
{
    pthread_cond_destroy(&self->came);
    pthread_mutex_destroy(&self->lock);
}

int main(void)
{
    mob_t *m = mob_connect(NULL);
    int64_t number = 0, sum = 0;
    mob_err_t err = mob_offer(m, mob_actor(hall, HALL));
    if (err)
        goto done;

    hall_h hall = mob_new_with(m, MOB_ACTOR_OPTS(.max_concurrency = 3), hall);
    mob_ref_i64 all[] = {mob_call(m, hall, hall_meet, 3), mob_call(m, hall, hall_meet, 3),
                         mob_call(m, hall, hall_meet, 3)};
    for (int i = 0; i < 3 && !err; i++, sum += number)
        err = mob_get(m, all[i], &number, 5000);
    printf("three met; their numbers add up to %" PRId64 "\n", sum);
    if (!err)
        err = mob_get(m, mob_call(m, hall, hall_most), &number, 5000);
    printf("in the hall: %" PRId64 "\n", number);
done:
    mob_close(&m);
    return mob_exit_status(err);
}
