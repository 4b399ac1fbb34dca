// test_several.c - calls with several results, through a real broker and real worker processes.

#include <criterion/criterion.h>
#include <string.h>

#include "crew.h"
#include "givers.h"
#include "story.h"

static void begin(void)
{
    open_crew(giver_defs, NULL);
}

TestSuite(several, .init = begin, .fini = close_crew, .timeout = 40);

static void expect_number(mob_ref_t ref, int64_t expected)
{
    int64_t value = -1;
    mob_err_t err = mob_get(m, mob_as(i64, ref), &value, SOON);
    cr_assert_eq(err, MOB_OK, "%s: %s", mob_strerror(err), mob_reason(m, ref));
    cr_assert_eq(value, expected);
}

static void expect_failure(mob_ref_t ref, mob_err_t expected, const char *word)
{
    mob_err_t err = mob_await(m, ref, NULL, SOON);
    cr_assert_eq(err, expected, "%s: %s", mob_strerror(err), mob_reason(m, ref));
    cr_assert(strstr(mob_reason(m, ref), word), "%s", mob_reason(m, ref));
}

static mob_ref_t ask_many(const char *signature, int64_t count, int returns)
{
    mob_value_t args[] = {MOB_VALUE(count)};
    return mob_submit(m, signature, MOB_OPTS(.num_returns = returns), args, 1);
}

// Records of the broker, those of questions included.
static void wait_for_objects(int64_t most)
{
    while (count_of(m, "objects") > most) // or the test is out of time
        ;
}

Test(several, C03_each_ref_has_its_own_value)
{
    three_refs refs = mob_run(m, three, 1);
    const char *text = "";
    expect_number(refs.third.ref, 3);
    cr_assert_eq(mob_get(m, refs.second, &text, SOON), MOB_OK);
    cr_assert_str_eq(text, "2");
    expect_number(refs.first.ref, 1);
    expect_number(mob_nth(refs.first.ref, 2), 3);
}

Test(several, C03_without_a_ref_no_result_is_kept)
{
    mob_value_t none[] = {{0}};
    mob_ref_t ref = mob_submit(m, nop_signature, MOB_OPTS(.num_returns = MOB_NONE), none, 0);
    expect_number(mob_run(m, three, 1).third.ref, 3); // whatever comes behind it
    cr_assert_eq(mob_await(m, ref, NULL, SOON), MOB_EGONE);
    wait_for_objects(3 + 1);
}

Test(several, C04_another_number_of_values_fails_all)
{
    mob_ref_t fewer = ask_many(MANY_SIGNATURE, 2, 3), more = ask_many(MANY_SIGNATURE, 5, 3);
    for (size_t i = 0; i < 3; i++) {
        expect_failure(mob_nth(fewer, i), MOB_ERESULT, "declared 3 values, wrote 2");
        expect_failure(mob_nth(more, i), MOB_ERESULT, "declared 3 values, wrote 5");
        cr_assert_eq(mob_info(m, mob_nth(more, i)).executed, MOB_EXECUTED);
    }
    expect_failure(ask_many(MANY_SIGNATURE, 2, 1), MOB_ERESULT, "declared 1 values, wrote 2");
    expect_number(ask_many(MANY_SIGNATURE, 1, 1), 0);
}

Test(several, C62_a_failing_body_fails_all)
{
    three_refs refs = mob_run(m, three, -7);
    mob_ref_t all[] = {refs.first.ref, refs.second.ref, refs.third.ref};
    for (size_t i = 0; i < 3; i++) {
        expect_failure(all[i], MOB_ETASK, "-7 is below zero");
        cr_assert_eq(mob_info(m, all[i]).code, 42);
    }
}

Test(several, one_is_an_argument_of_the_next_call)
{
    three_refs first = mob_run(m, three, 1);
    three_refs second = mob_run(m, three, first.third);
    expect_number(second.first.ref, 3);
    three_refs failed = mob_run(m, three, -1);
    expect_failure(mob_run(m, three, failed.third).second.ref, MOB_EDEP, "below zero");
}

Test(several, three_thousand)
{
    enum { MANY = 3000 };
    mob_ref_t first = ask_many(MANY_SIGNATURE, MANY, MANY);
    for (int i = 0; i < MANY; i++)
        expect_number(mob_nth(first, (size_t)i), i);
    cr_assert_geq(count_of(m, "objects"), MANY);
    for (int i = 0; i < MANY; i++)
        mob_drop(m, mob_nth(first, (size_t)i));
    wait_for_objects(2); // the question itself, and the one before it, whose DROP may be behind
}

Test(several, values_that_fill_a_message_each)
{
    enum { MANY = 40 }; // more than all frames of two messages
    mob_ref_t first = ask_many(HEAVY_SIGNATURE, MANY, MANY);
    for (int i = 0; i < MANY; i++) {
        mob_reader_t reader;
        cr_assert_eq(mob_await(m, mob_nth(first, (size_t)i), &reader, SOON), MOB_OK);
        cr_assert_eq(mob_read_bytes(&reader).size, 100000u);
    }
}

Test(several, of_methods_too)
{
    pairs_h pairs = mob_new(m, pairs);
    pairs_swap_refs swapped = mob_call(m, pairs, pairs_swap, 1, 2);
    expect_number(swapped.left.ref, 2);
    expect_number(swapped.right.ref, 1);
    pairs_die_refs dead = mob_call(m, pairs, pairs_die);
    expect_failure(dead.left.ref, MOB_EDEAD, "signal 9");
    expect_failure(dead.right.ref, MOB_EDEAD, "signal 9");
}

Test(several, what_is_refused_here_is_refused_for_all)
{
    mob_ref_t refused = ask_many(MANY_SIGNATURE, 3, 4097);
    cr_assert_eq(mob_await(m, refused, NULL, 0), MOB_EARGS);
    cr_assert_eq(mob_await(m, ask_many(MANY_SIGNATURE, 3, -1), NULL, 0), MOB_EARGS);
    mob_value_t wrong[] = {{.kind = (mob_kind_t)99}};
    refused = mob_submit(m, MANY_SIGNATURE, MOB_OPTS(.num_returns = 3), wrong, 1);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(mob_await(m, mob_nth(refused, i), NULL, 0), MOB_EARGS);
    expect_number(mob_run(m, three, 1).third.ref, 3);
}

Test(several, a_definition_cannot_say_how_many)
{
    cr_assert_eq(mob_offer(m, mob_task(nop, .num_returns = 2)), MOB_EARGS);
}

Test(several, cancelled_by_any_of_their_refs)
{
    three_refs waits = mob_run_with(m, MOB_OPTS(.delay_ms = 60000), three, 1);
    cr_assert_eq(mob_cancel(m, waits.second.ref, 0), MOB_OK);
    expect_failure(waits.first.ref, MOB_ECANCELLED, "cancelled");
    expect_failure(waits.third.ref, MOB_ECANCELLED, "cancelled");
}

Test(several, values_made_while_the_broker_was_away_are_not_lost)
{
    pairs_h pairs = mob_new(m, pairs);
    expect_number(mob_call(m, pairs, pairs_swap, 1, 2).left.ref, 2);
    for (int death = 0; death < 3; death++) {
        pairs_swap_refs swapped[20];
        for (int i = 0; i < 20; i++) {
            swapped[i] = mob_call(m, pairs, pairs_swap, i, i + 1);
            if (i == 6 * death)
                crew_kill_broker(&crew);
        }
        crew_start_broker(&crew);
        for (int i = 0; i < 20; i++) {
            int64_t left = 0, right = 0;
            mob_err_t err = mob_get(m, swapped[i].left, &left, SOON);
            mob_err_t other = mob_get(m, swapped[i].right, &right, SOON);
            cr_assert(err == MOB_OK || err == MOB_EBROKER, "%s", mob_strerror(err));
            cr_assert(other == MOB_OK || other == MOB_EBROKER, "%s", mob_strerror(other));
            cr_assert(err || left == i + 1);
            cr_assert(other || right == i);
        }
    }
}
