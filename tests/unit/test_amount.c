// test_amount.c - quantities of resources: exact in steps of 0.0001, or refused.

#include "amount.h"

#include <criterion/criterion.h>
#include <string.h>

static amount_got_t first(const char *text, int64_t *steps)
{
    mob_bytes_t list = {text, strlen(text)}, name;
    return amount_next(&list, &name, steps);
}

Test(amount, numbers_are_exact_steps)
{
    static const struct {
        const char *text;
        int64_t steps;
    } good[] = {{"a=0", 0},
                {"a=1", 10000},
                {"a=0.0001", 1},
                {"a=2.5", 25000},
                {"gpu-1_x.y=100000000000000", AMOUNT_MAX}};
    int64_t steps;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert_eq(first(good[i].text, &steps), AMOUNT_GOT, "%s", good[i].text);
        cr_assert_eq(steps, good[i].steps, "%s", good[i].text);
    }
}

Test(amount, what_is_no_quantity_is_refused)
{
    static const char *const bad[] = {"a",
                                      "a=",
                                      "a=-1",
                                      "a=1.",
                                      "a=.5",
                                      "a=0.00001",
                                      "a=1e3",
                                      "a=1..2",
                                      "=1",
                                      "a!=1",
                                      "a=one",
                                      "a b=1",
                                      "a=nan",
                                      "a=100000000000001",
                                      "a==1",
                                      "a=1.2.3",
                                      "a=99999999999999999999"};
    int64_t steps;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(first(bad[i], &steps), AMOUNT_WRONG, "%s", bad[i]);
    char name[80];
    memset(name, 'a', sizeof name);
    memcpy(name + AMOUNT_NAME_MAX + 1, "=1", 3);
    cr_assert_eq(first(name, &steps), AMOUNT_WRONG, "65 characters");
}

Test(amount, a_list_gives_one_after_the_other)
{
    const char *text = " disk=1   gpu=0.5 ";
    mob_bytes_t list = {text, strlen(text)}, name;
    int64_t steps;
    cr_assert_eq(amount_next(&list, &name, &steps), AMOUNT_GOT);
    cr_assert_eq(memcmp(name.data, "disk", name.size), 0);
    cr_assert_eq(amount_next(&list, &name, &steps), AMOUNT_GOT);
    cr_assert_eq(memcmp(name.data, "gpu", name.size), 0);
    cr_assert_eq(steps, 5000);
    cr_assert_eq(amount_next(&list, &name, &steps), AMOUNT_END);
    cr_assert_eq(amount_next(&list, &name, &steps), AMOUNT_END);
}

Test(amount, doubles_become_the_nearest_step)
{
    int64_t steps;
    cr_assert(amount_of(0.1, &steps) && steps == 1000);
    cr_assert(amount_of(0.29, &steps) && steps == 2900);
    cr_assert(amount_of(0.00001, &steps) && steps == 0);
    cr_assert(amount_of(1e14, &steps) && steps == AMOUNT_MAX);
    cr_assert_not(amount_of(-0.5, &steps));
    cr_assert_not(amount_of(1.1e14, &steps));
    cr_assert_not(amount_of(__builtin_nan(""), &steps));
    cr_assert_not(amount_of(__builtin_inf(), &steps));
}

Test(amount, printed_as_short_as_it_can_be)
{
    char text[AMOUNT_TEXT_MAX];
    cr_assert_str_eq(amount_print(text, 0), "0");
    cr_assert_str_eq(amount_print(text, 10000), "1");
    cr_assert_str_eq(amount_print(text, 1000000), "100");
    cr_assert_str_eq(amount_print(text, 25000), "2.5");
    cr_assert_str_eq(amount_print(text, 1), "0.0001");
    cr_assert_str_eq(amount_print(text, AMOUNT_MAX), "100000000000000");
}
