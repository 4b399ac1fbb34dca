// 05_nested.c - bodies that call: a task that splits its work among copies of itself, and tells an
// actor of each part. While a body waits, its slot is lent to others, so that nesting cannot get
// stuck.

#include <inttypes.h>
#include <stdio.h>

#include <mobula/contract.h>

MOB_TASK(sum_range, i64, (i64, from), (i64, to), (actor, tally));

#define TALLY(METHOD)       \
    METHOD(tally, one, nil) \
    METHOD(tally, count, i64)
MOB_ACTOR(tally, TALLY);

struct tally {
    int64_t count;
};

mob_err_t tally_one(mob_ctx_t *ctx, tally_t *self, mob_nil_t *out)
{
    (void)ctx, (void)out;
    self->count++;
    return MOB_OK;
}

mob_err_t tally_count(mob_ctx_t *ctx, tally_t *self, int64_t *out)
{
    (void)ctx;
    *out = self->count;
    return MOB_OK;
}

mob_err_t sum_range(mob_ctx_t *ctx, int64_t from, int64_t to, mob_actor_t tally, int64_t *out)
{
    mob_t *m = ctx->client;
    if (to - from <= 100) {
        for (int64_t i = from; i < to; i++)
            *out += i;
        // To be counted before we answer: wait for it.
        return mob_done(m, mob_call(m, mob_handle(tally, tally), tally_one), mob_remaining_ms(ctx));
    }
    int64_t middle = from + (to - from) / 2, left = 0, right = 0;
    mob_ref_i64 a = mob_run(m, sum_range, from, middle, tally);
    mob_ref_i64 b = mob_run(m, sum_range, middle, to, tally);
    mob_err_t err = mob_get(m, a, &left, mob_remaining_ms(ctx));
    if (!err)
        err = mob_get(m, b, &right, mob_remaining_ms(ctx));
    *out = left + right;
    return err;
}

int main(void)
{
    mob_t *m = mob_connect(NULL);
    int64_t sum = 0, parts = 0;
    mob_err_t err = mob_offer(m, mob_task(sum_range), mob_actor(tally, TALLY));
    if (err)
        goto done;

    tally_h tally = mob_new(m, tally);
    err = mob_get(m, mob_run(m, sum_range, 0, 1000, tally.actor), &sum, 20000);
    if (!err)
        err = mob_get(m, mob_call(m, tally, tally_count), &parts, 5000);
    printf("0 + 1 + ... + 999 = %" PRId64 ", in %" PRId64 " parts\n", sum, parts);
done:
    if (err)
        puts(mob_strerror(err));
    mob_close(&m);
    return mob_exit_status(err);
}
