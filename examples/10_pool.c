// 10_pool.c - three actors share the work: each does one piece at a time, and what finds nobody free waits for who is.

#include <inttypes.h>
#include <stdio.h>

#include <mobula/pool.h>

#define SQUARER(METHOD) METHOD(squarer, square, i64, (i64, n))
MOB_ACTOR(squarer, SQUARER);

struct squarer {
    char nothing;
};

mob_err_t squarer_square(mob_ctx_t *ctx, squarer_t *self, int64_t n, int64_t *out)
{
    (void)ctx, (void)self;
    *out = n * n;
    return MOB_OK;
}

// One piece of work: the pool says who does it.
static mob_ref_t square(mob_t *m, mob_actor_t member, void *number)
{
    return mob_call(m, (squarer_h){member}, squarer_square, *(int64_t *)number).ref;
}

int main(void)
{
    mob_t *m = mob_connect(NULL);
    mob_pool_t pool = {0};
    int64_t numbers[] = {1, 2, 3, 4, 5, 6, 7}, value = 0, sum = 0;
    mob_ref_t ref;
    mob_err_t err = mob_offer(m, mob_actor(squarer, SQUARER));
    for (int i = 0; i < 3 && !err; i++)
        mob_pool_push(m, &pool, mob_new(m, squarer).actor);

    if (!err)
        err = mob_pool_map(m, &pool, square, numbers, 7, sizeof *numbers);
    while (!err && (err = mob_pool_next(m, &pool, &ref, 5000)) == MOB_OK) { // in the order of the numbers
        err = mob_get(m, mob_as(i64, ref), &value, 0);
        printf("%" PRId64 " ", value);
        mob_drop(m, ref);
    }
    puts("");

    err = mob_pool_map(m, &pool, square, numbers, 7, sizeof *numbers);
    while (!err && (err = mob_pool_next_any(m, &pool, &ref, 5000)) == MOB_OK) { // as they are done
        err = mob_get(m, mob_as(i64, ref), &value, 0);
        sum += value;
        mob_drop(m, ref);
    }
    printf("in whatever order, they add up to %" PRId64 "\n", sum);

    mob_pool_clear(m, &pool);
    mob_close(&m);
    return mob_exit_status(err == MOB_EEND ? MOB_OK : err);
}
