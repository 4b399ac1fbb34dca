// test_refset.c - refs, each once, in the order in which they came.

#include <criterion/criterion.h>

#include "refset.h"

static mob_ref_t nth(uint32_t i)
{
    return (mob_ref_t){1 + i % 3, 1 + i};
}

Test(refset, each_is_found_at_its_place_among_few_and_many)
{
    refset_t set = {0};
    for (uint32_t i = 0; i < 5000; i++) {
        cr_assert_eq(refset_add(&set, nth(i)), i);
        cr_assert_eq(set.count, i + 1);
        cr_assert_eq(refset_add(&set, nth(i / 2)), i / 2);
        cr_assert_eq(set.count, i + 1);
    }
    for (uint32_t i = 0; i < 5000; i++)
        cr_assert(mob_same(set.items[i], nth(i)));
    refset_fini(&set);
}

Test(refset, cleared_it_knows_nothing)
{
    refset_t set = {0};
    for (uint32_t count = 1; count <= 40; count++) {
        for (uint32_t i = 0; i < count; i++)
            cr_assert_eq(refset_add(&set, nth(i)), i);
        refset_clear(&set);
        cr_assert_eq(set.count, 0);
    }
    refset_fini(&set);
}
