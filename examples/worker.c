// worker.c - a worker program: the bodies of shop.contract.h, and one line to serve them. Each
// basket lives in a process of its own; tasks share as many as the machine has CPUs.

#include "shop.contract.h"

mob_err_t price(mob_ctx_t *ctx, item_t what, int64_t *out)
{
    if (what.cents < 0 || what.pieces < 0)
        return mob_fail(ctx, 1, "%s: a price below zero", what.name);
    *out = what.cents * what.pieces;
    return MOB_OK;
}

struct basket {
    int64_t cents;
};

mob_err_t basket_put(mob_ctx_t *ctx, basket_t *self, item_t what, int64_t *out)
{
    int64_t cents = 0;
    mob_err_t err = price(ctx, what, &cents); // a body is an ordinary function
    *out = self->cents += cents;
    return err;
}

mob_err_t basket_cents(mob_ctx_t *ctx, basket_t *self, int64_t *out)
{
    (void)ctx;
    *out = self->cents;
    return MOB_OK;
}

int main(int argc, char **argv)
{
    return mob_main(argc, argv, mob_task(price), mob_actor(basket, BASKET));
}
