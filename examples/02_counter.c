// 02_counter.c - an actor: a struct that lives somewhere, and methods that run one after the other.

#include <inttypes.h>
#include <stdio.h>

#include <mobula/contract.h>

#define COUNTER(METHOD)                  \
    METHOD(counter, add, i64, (i64, by)) \
    METHOD(counter, value, i64)
MOB_ACTOR(counter, COUNTER, (i64, start));

struct counter {
    int64_t value;
};

mob_err_t counter_init(mob_ctx_t *ctx, counter_t *self, int64_t start)
{
    if (start < 0)
        return mob_fail(ctx, 1, "%" PRId64 " is no start", start);
    self->value = start;
    return MOB_OK;
}

mob_err_t counter_add(mob_ctx_t *ctx, counter_t *self, int64_t by, int64_t *out)
{
    (void)ctx;
    *out = self->value += by;
    return MOB_OK;
}

mob_err_t counter_value(mob_ctx_t *ctx, counter_t *self, int64_t *out)
{
    (void)ctx;
    *out = self->value;
    return MOB_OK;
}

int main(void)
{
    mob_t *m = mob_connect(NULL);
    int64_t value = 0;
    mob_err_t err = mob_offer(m, mob_actor(counter, COUNTER, .actor = {.max_restarts = 3}));
    if (err)
        goto done;

    counter_h hits = mob_new_with(m, MOB_ACTOR_OPTS(.name = "hits"), counter, 10);
    for (int i = 0; i < 100; i++)
        mob_tell(m, hits, counter_add, 1); // no result, nobody waits
    err = mob_get(m, mob_call(m, hits, counter_value), &value, 5000);
    printf("after a hundred: %" PRId64 "\n", value); // in order, so all of them came before

    // Whoever knows the name finds the same actor.
    counter_h same = mob_find_as(m, counter, "hits");
    if (!err)
        err = mob_get(m, mob_call(m, same, counter_add, 5), &value, 5000);
    printf("by its name: %" PRId64 "\n", value);

    // A constructor that fails shows in the calls.
    mob_ref_i64 none = mob_call(m, mob_new(m, counter, -1), counter_value);
    printf("of a failed one: %s\n", mob_strerror(mob_done(m, none, 5000)));

    mob_stop(m, hits.actor, MOB_STOP_DRAIN);
    if (!err)
        err = mob_await(m, mob_watch(m, hits.actor), NULL, 5000);
    printf("stopped: %s\n", mob_strerror(mob_done(m, mob_call(m, hits, counter_value), 5000)));
done:
    mob_close(&m);
    return mob_exit_status(err);
}
