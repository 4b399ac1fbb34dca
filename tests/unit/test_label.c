// test_label.c - labels of hosts and conditions on them.

#include "label.h"

#include <criterion/criterion.h>
#include <string.h>

static bool is(mob_bytes_t text, const char *expected)
{
    return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
}

Test(label, pairs_and_what_must_differ)
{
    const char *text = "zone=a tier!=slow  machine=4f:b-1!=x ";
    mob_bytes_t list = {text, strlen(text)};
    label_t one;
    cr_assert_eq(label_next(&list, &one), LABEL_GOT);
    cr_assert(is(one.key, "zone") && is(one.value, "a") && !one.differs);
    cr_assert_eq(label_next(&list, &one), LABEL_GOT);
    cr_assert(is(one.key, "tier") && is(one.value, "slow") && one.differs);
    cr_assert_eq(label_next(&list, &one), LABEL_GOT);
    cr_assert(is(one.key, "machine") && is(one.value, "4f:b-1!=x"),
              "a value is whatever has no blank");
    cr_assert_eq(label_next(&list, &one), LABEL_END);
}

Test(label, what_is_no_pair_is_refused)
{
    static const char *const bad[] = {"zone",   "zone=",  "=a",  "zone!a",
                                      "zone!=", "z ne=a", "!=a", "zo,ne=a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mob_bytes_t list = {bad[i], strlen(bad[i])};
        label_t one;
        cr_assert_eq(label_next(&list, &one), LABEL_WRONG, "%s", bad[i]);
    }
    char name[300];
    memset(name, 'a', sizeof name);
    name[129] = '=';
    mob_bytes_t list = {name, 140};
    label_t one;
    cr_assert_eq(label_next(&list, &one), LABEL_WRONG, "a key of 129 characters");
}
