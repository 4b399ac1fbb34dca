// 04_errors.c - what a caller learns of a failure: the class of it, the application's own code,
// whether the body ran, and where it began.

#include <inttypes.h>
#include <stdio.h>

#include <mobula/contract.h>

enum { TOO_MUCH = 1, BUSY = 2 }; // this program's own codes

MOB_TASK(withdraw, i64, (i64, amount));
MOB_TASK(receipt, str, (i64, amount));
MOB_TASK(order, i64, (i64, amount));
MOB_TASK(moody, i64, (i64, good_at));

mob_err_t withdraw(mob_ctx_t *ctx, int64_t amount, int64_t *out)
{
    if (amount > 100)
        return mob_fail(ctx, TOO_MUCH, "%" PRId64 " is more than there is", amount);
    *out = amount;
    return MOB_OK;
}

mob_err_t receipt(mob_ctx_t *ctx, int64_t amount, const char **out)
{
    *out = mob_format(ctx, "%" PRId64 " with thanks", amount);
    return MOB_OK;
}

mob_err_t order(mob_ctx_t *ctx, int64_t amount, int64_t *out)
{
    // Hand on what a call of our own returned: the caller sees it as the cause.
    return mob_get(ctx->client, mob_run(ctx->client, withdraw, amount), out, mob_remaining_ms(ctx));
}

mob_err_t moody(mob_ctx_t *ctx, int64_t good_at, int64_t *out)
{
    *out = ctx->attempt;
    return ctx->attempt < good_at ? mob_fail(ctx, BUSY, "not now") : MOB_OK;
}

static void show(mob_t *m, const char *what, mob_ref_t ref)
{
    static const char *const ran[] = {"no", "maybe", "yes"};
    mob_err_t err = mob_await(m, ref, NULL, 5000);
    mob_info_t info = mob_info(m, ref);
    printf("%s: %s (exit %d)\n", what, mob_strerror(err), mob_exit_status(err));
    printf("    code %d, ran: %s, runs: %u, root: %s\n", info.code, ran[info.executed],
           info.attempts, mob_strerror(info.root));
}

int main(void)
{
    mob_t *m = mob_connect(NULL);
    mob_err_t err =
        mob_offer(m, mob_task(withdraw), mob_task(receipt), mob_task(order), mob_task(moody));
    if (err)
        goto done;

    mob_ref_i64 drawn = mob_run(m, withdraw, 500);
    show(m, "the body says no", drawn.ref);

    mob_ref_str paper = mob_run(m, receipt, drawn); // never runs
    show(m, "what needed it", paper.ref);
    printf("    its cause is the first: %s\n",
           mob_same(mob_info(m, paper.ref).cause, drawn.ref) ? "yes" : "no");

    show(m, "a call inside a call", mob_run(m, order, 500).ref);

    // Retries on the application's own code, when asked for.
    show(m, "third time lucky",
         mob_run_with(m, MOB_OPTS(.retry_on = {BUSY}, .max_retries = 5), moody, 2).ref);
    show(m, "never", mob_run_with(m, MOB_OPTS(.retry_on = {BUSY}, .max_retries = 1), moody, 9).ref);

    show(m, "nobody does that", mob_submit(m, "no_such_task -> nil", NULL, NULL, 0));
    show(m, "nonsense", mob_run_with(m, MOB_OPTS(.priority = 100), withdraw, 1).ref);
done:
    mob_close(&m);
    return mob_exit_status(err);
}
