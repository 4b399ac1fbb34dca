// Dead letters from a client's side: what was told to nobody is sent again when somebody is there, or thrown away.

#include <criterion/criterion.h>

#include <string.h>

#include "stage.h"
#include "story.h"

static void begin(void)
{
    open_stage(stage_defs, NULL);
}

TestSuite(letters, .init = begin, .fini = close_stage, .timeout = 40);

// Told to a name that nobody has; the broker gives it up at once.
static void tell_nobody(int64_t by)
{
    counter_h nobody = mob_find_as(m, counter, "hits");
    mob_tell(m, nobody, counter_add, by);
    is_err(mob_done(m, mob_call(m, nobody, counter_add, 0), SOON), MOB_ENOTFOUND); // answered behind it
}

static void make_somebody(void)
{
    counter_h hits = mob_new_with(m, MOB_ACTOR_OPTS(.name = "hits"), counter, 100);
    is_err(mob_await(m, mob_ready(hits.actor), NULL, SOON), MOB_OK);
}

static int64_t number(mob_ref_t ref)
{
    mob_reader_t value;
    is_err(mob_await(m, ref, &value, SOON), MOB_OK);
    return mob_read_i64(&value);
}

Test(letters, one_is_sent_again_and_gives_its_result)
{
    tell_nobody(5);
    cr_assert_eq(rows_of(m, "letters", "id=dl-1 error=ENOTFOUND"), 1);
    make_somebody();
    cr_assert_eq(number(mob_retry(m, "dl-1")), 105);
    cr_assert_eq(rows_of(m, "letters", ""), 0);
    failure_of(mob_retry(m, "dl-1"), MOB_ENOTFOUND);
}

Test(letters, one_that_fails_again_is_a_new_one)
{
    tell_nobody(5);
    failure_of(mob_retry(m, "dl-1"), MOB_ENOTFOUND);
    cr_assert_eq(rows_of(m, "letters", "id=dl-1"), 0);
    cr_assert_eq(rows_of(m, "letters", "id=dl-2"), 1);
}

Test(letters, what_is_not_called_like_one_is_refused_here)
{
    const char *const names[] = {
        "", "9", "dl-", "dl-0", "dl-9x", "dl--1", "dl-99999999999999999999", NULL};
    for (int i = 0; names[i]; i++)
        failure_of(mob_retry(m, names[i]), MOB_EARGS);
    failure_of(mob_retry(m, NULL), MOB_EARGS);
}

Test(letters, those_that_match_are_thrown_away)
{
    tell_nobody(1);
    tell_nobody(2);
    cr_assert_eq(number(mob_discard(m, "id=dl-2")), 1);
    cr_assert_eq(number(mob_discard(m, "error=EDEAD")), 0);
    cr_assert_eq(number(mob_discard(m, NULL)), 1);
    failure_of(mob_discard(m, "id=="), MOB_EARGS);
}

Test(letters, of_a_broker_that_has_ended_none_is_sent)
{
    tell_nobody(5);
    stage_kill(stage);
    mob_ref_t again = mob_retry(m, "dl-1"),
              all = mob_discard(m, NULL); // said of letters that are gone
    stage_start(stage);
    tell_nobody(7);
    make_somebody();
    mob_info_t info = failure_of(again, MOB_EGONE);
    cr_assert_eq(info.executed, MOB_MAYBE_EXECUTED);
    failure_of(all, MOB_EGONE);
    cr_assert_eq(rows_of(m, "letters", "id=dl-1"), 1, "that of the new broker");
}
