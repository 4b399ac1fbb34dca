// 07_stream.c - a body that gives item after item: taken as they come, never far ahead, until the end or as
// long as somebody wants more.

#include <inttypes.h>
#include <stdio.h>

#include <mobula/contract.h>

MOB_TASK(primes, stream(i64), (i64, from), (i64, to));
MOB_TASK(square, i64, (i64, n));

static bool is_prime(int64_t n)
{
    for (int64_t i = 2; i * i <= n; i++)
        if (n % i == 0)
            return false;
    return n > 1;
}

mob_err_t primes(mob_ctx_t *ctx, int64_t from, int64_t to, mob_sink_i64 *out)
{
    for (int64_t n = from; n < to; n++) {
        if (n > 100)
            return mob_fail(ctx, 1, "beyond 100 they are too hard");
        mob_err_t err = is_prime(n) ? mob_emit(out, n) : MOB_OK; // waits while nobody takes them
        if (err)
            return err; // nobody wants more
    }
    return MOB_OK;
}

mob_err_t square(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = n * n;
    return MOB_OK;
}

static mob_err_t print_all(mob_t *m, const char *what, mob_stream_i64 stream)
{
    printf("%s:", what);
    int64_t prime;
    mob_err_t err;
    while ((err = mob_next(m, stream, &prime, 5000)) == MOB_OK)
        printf(" %" PRId64, prime);
    printf("; %s\n", mob_strerror(err));
    return err;
}

int main(void)
{
    mob_t *m = mob_connect(NULL);
    int64_t value = 0;
    mob_ref_t item;
    mob_err_t err = mob_offer(m, mob_task(primes), mob_task(square));
    if (err)
        goto done;

    // The first is here before the last is made. Behind the last comes MOB_EEND, for ever.
    mob_stream_i64 few = mob_run(m, primes, 2, 20);
    if (print_all(m, "to 20", few) != MOB_EEND)
        err = MOB_EINTERNAL;

    // A failure comes behind the items that were made before it; then the end.
    mob_stream_i64 hard = mob_run(m, primes, 90, 200);
    print_all(m, "to 200", hard);
    print_all(m, "again", hard);

    // An item as a ref of its own: an argument like any other, its value does not come here.
    mob_stream_i64 all = mob_run_with(m, MOB_OPTS(.stream_ahead = 2), primes, 2, INT64_MAX);
    for (int i = 0; i < 3 && !err; i++)
        err = mob_pull(m, all.ref, &item, 5000);
    if (!err)
        err = mob_get(m, mob_run(m, square, mob_as(i64, item)), &value, 5000);
    printf("the third, squared: %" PRId64 "\n", value);

    mob_drop(m, all.ref); // enough: its body comes home, or nothing would ever end here
done:
    mob_close(&m);
    return mob_exit_status(err);
}
