// 03_pipeline.c - futures as arguments, waiting for one or for many, time limits, calling off.

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <mobula/contract.h>

MOB_TASK(square, i64, (i64, n));
MOB_TASK(plus, i64, (i64, a), (i64, b));
MOB_TASK(total, i64, (any, numbers)); // a list of whatever length
MOB_TASK(nap, i64, (i64, ms));

mob_err_t square(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = n * n;
    return MOB_OK;
}

mob_err_t plus(mob_ctx_t *ctx, int64_t a, int64_t b, int64_t *out)
{
    (void)ctx;
    *out = a + b;
    return MOB_OK;
}

mob_err_t total(mob_ctx_t *ctx, mob_any_t numbers, int64_t *out)
{
    (void)ctx;
    for (size_t left = mob_read_list(&numbers.in); left > 0; left--)
        *out += mob_read_i64(&numbers.in);
    return numbers.in.err; // one look for all of them
}

mob_err_t nap(mob_ctx_t *ctx, int64_t ms, int64_t *out)
{
    for (*out = 0; *out < ms; ++*out) {
        if (mob_cancelled(ctx))
            return MOB_ECANCELLED;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return MOB_OK;
}

int main(void)
{
    mob_t *m = mob_connect(NULL);
    int64_t value = 0;
    mob_err_t err = mob_offer(m, mob_task(square), mob_task(plus), mob_task(total), mob_task(nap));
    if (err)
        goto done;

    // A future as an argument: plus starts when both squares are there. Nothing waits here.
    mob_ref_i64 a = mob_run(m, square, 3);
    mob_ref_i64 b = mob_run(m, square, 4);
    err = mob_get(m, mob_run(m, plus, a, b), &value, 5000);
    printf("3*3 + 4*4 = %" PRId64 "\n", value);

    // Many of them: their values as one list.
    mob_ref_i64 parts[10];
    mob_value_t room[10];
    for (int i = 0; i < 10; i++)
        parts[i] = mob_run(m, square, i);
    mob_ref_i64 sum = mob_run(m, total, mob_values_of(room, mob_refs(parts), 10));
    if (!err)
        err = mob_get(m, sum, &value, 5000);
    printf("sum of ten squares = %" PRId64 "\n", value);
    printf("ready: %zu of 10\n", mob_wait(m, mob_refs(parts), 10, 10, 5000, NULL));

    // Two limits: of this wait, and of the call itself.
    mob_ref_i64 slow = mob_run_with(m, MOB_OPTS(.timeout_ms = 300), nap, 60000);
    printf("the wait: %s\n", mob_strerror(mob_done(m, slow, 10)));
    printf("the call: %s\n", mob_strerror(mob_done(m, slow, 5000)));

    // Call it off; what was waiting for it fails with it.
    mob_ref_i64 spare = mob_run(m, nap, 60000);
    mob_ref_i64 next = mob_run(m, plus, spare, 1);
    if (!err)
        err = mob_cancel(m, spare.ref, 0);
    printf("called off: %s\n", mob_strerror(mob_done(m, spare, 5000)));
    printf("what needed it: %s\n", mob_strerror(mob_done(m, next, 5000)));
done:
    mob_close(&m);
    return mob_exit_status(err);
}
