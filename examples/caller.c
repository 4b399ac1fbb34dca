// caller.c - a caller of what worker.c offers, in another process, perhaps on another machine.

#include <inttypes.h>
#include <stdio.h>

#include "shop.contract.h"

int main(void)
{
    mob_t *m = mob_connect(&(mob_config_t){.name = "caller"});
    int64_t cents = 0;

    item_t apples = {"apples", 45, 4};
    mob_ref_i64 price_of = mob_run(m, price, &apples);
    mob_err_t err = mob_get(m, price_of, &cents, 10000);
    printf("four apples: %" PRId64 "\n", cents);

    basket_h basket = mob_new(m, basket);
    item_t pears = {"pears", 60, 2};
    mob_ref_i64 sums[] = {mob_call(m, basket, basket_put, &apples),
                          mob_call(m, basket, basket_put, &pears)};
    if (!err)
        err = mob_all(m, mob_refs(sums), 2, 10000);
    if (!err)
        err = mob_get(m, mob_call(m, basket, basket_cents), &cents, 10000);
    printf("in the basket: %" PRId64 "\n", cents);

    item_t wrong = {"bananas", -1, 1};
    mob_ref_i64 refused = mob_call(m, basket, basket_put, &wrong);
    mob_err_t no = mob_done(m, refused, 10000);
    printf("bananas: %s, code %d\n", mob_strerror(no), mob_info(m, refused.ref).code);

    if (err)
        puts(mob_strerror(err));
    mob_close(&m);
    return mob_exit_status(err);
}
