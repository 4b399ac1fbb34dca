// test_failure.c - the record of a failure travels whole, and a damaged one is refused.

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "limit.h"

static const failure_t sample = {
    .err = MOB_ELOST,
    .executed = 1,
    .why = "CRASH",
    .code = -5,
    .attempts = 4,
    .cause = {0x9f3ac41b22d0e871, 17},
    .root = MOB_ETASK,
    .retry_after_ms = 50,
    .host = "host-1",
    .pid = 4711,
    .status = 11,
    .reason = "the worker running it was lost",
    .trace = "a.c:1\nb.c:2",
    .log = "out of luck",
    .origin = {0x1122334455667788, 3},
    .actor = {9, 8, 7},
};

static pack_t packed(const failure_t *failure)
{
    pack_t out = PACK_INIT;
    cr_assert(failure_pack(&out, failure));
    return out;
}

Test(failure, it_comes_back_whole)
{
    pack_t out = packed(&sample);
    arena_t arena = {0};
    failure_t back;
    cr_assert(failure_unpack(load_bytes(out.data, out.size), &arena, &back));
    cr_assert(back.err == MOB_ELOST && back.executed == 1 && back.code == -5 && back.attempts == 4);
    cr_assert(mob_same(back.cause, sample.cause));
    cr_assert(back.root == MOB_ETASK && back.retry_after_ms == 50 && back.pid == 4711 &&
              back.status == 11);
    cr_assert_str_eq(back.why, sample.why);
    cr_assert_str_eq(back.host, sample.host);
    cr_assert_str_eq(back.reason, sample.reason);
    cr_assert_str_eq(back.trace, sample.trace);
    cr_assert_str_eq(back.log, sample.log);
    cr_assert(mob_same(back.origin, sample.origin));
    cr_assert(back.actor.owner == 9 && back.actor.seq == 8 && back.actor.incarnation == 7);
    arena_clear(&arena);
    pack_fini(&out);
}

Test(failure, one_of_fifteen_fields_is_read_as_well)
{
    pack_t out = packed(&sample), old = PACK_INIT;
    pack_array(&old, 15);
    pack_raw(&old, out.data + 3, out.size - 3); // its header has three bytes; what is behind is skipped
    arena_t arena = {0};
    failure_t back;
    cr_assert(failure_unpack(load_bytes(old.data, old.size), &arena, &back));
    cr_assert_str_eq(back.log, sample.log);
    cr_assert(mob_is_none(back.origin) && back.actor.seq == 0);
    arena_clear(&arena);
    pack_fini(&out);
    pack_fini(&old);
}

Test(failure, texts_that_are_missing_are_empty_and_long_ones_are_cut)
{
    char *big = malloc(10000);
    memset(big, 'x', 9999);
    big[9999] = '\0';
    pack_t out = packed(&(failure_t){.err = MOB_ETASK, .reason = big, .log = "bad \xff byte"});
    free(big);
    arena_t arena = {0};
    failure_t back;
    cr_assert(failure_unpack(load_bytes(out.data, out.size), &arena, &back));
    cr_assert_str_eq(back.why, "");
    cr_assert_eq(strlen(back.reason), MOB_TEXT_MAX);
    cr_assert_str_eq(back.log, "bad ? byte");
    arena_clear(&arena);
    pack_fini(&out);
}

Test(failure, no_proper_prefix_is_a_failure)
{
    pack_t out = packed(&sample);
    arena_t arena = {0};
    failure_t back;
    for (size_t cut = 0; cut < out.size; cut++)
        cr_assert_not(failure_unpack(load_bytes(out.data, cut), &arena, &back), "%zu bytes", cut);
    arena_clear(&arena);
    pack_fini(&out);
}

Test(failure, what_cannot_be_read_leaves_texts_that_can)
{
    arena_t arena = {0};
    failure_t back;
    cr_assert_not(failure_unpack(load_bytes("\x91\x01", 2), &arena, &back), "fields are missing");
    cr_assert_str_eq(back.why, "");
    cr_assert_str_eq(back.log, "");
    arena_clear(&arena);
}

Test(failure, newer_fields_are_skipped)
{
    pack_t out = packed(&sample);
    pack_t more = PACK_INIT;
    pack_array(&more, 21);
    pack_raw(&more, out.data + 3, out.size - 3); // without its header
    pack_str(&more, "new", 3);
    arena_t arena = {0};
    failure_t back;
    cr_assert(failure_unpack(load_bytes(more.data, more.size), &arena, &back));
    cr_assert_str_eq(back.log, sample.log);
    arena_clear(&arena);
    pack_fini(&out);
    pack_fini(&more);
}

Test(failure, every_code_has_its_own_text)
{
    for (int a = 0; a <= MOB_EINTERNAL; a++)
        for (int b = 0; b < a; b++)
            cr_assert_str_neq(mob_strerror((mob_err_t)a), mob_strerror((mob_err_t)b));
    cr_assert_not_null(mob_strerror((mob_err_t)999));
}
