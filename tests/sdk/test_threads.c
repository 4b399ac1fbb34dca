// Bodies of one actor that run at once, on threads of its process.

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "crew.h"
#include "hall.h"
#include "notices.h"
#include "story.h"

static void begin(void)
{
    open_crew(hall_defs, NULL);
}

TestSuite(threads, .init = begin, .fini = close_crew, .timeout = 40);

static hall_h hall_of(int threads)
{
    return mob_new_with(m, MOB_ACTOR_OPTS(.max_concurrency = threads), hall);
}

Test(threads, C34_threads_meet)
{
    hall_h hall = hall_of(3);
    mob_ref_i64 calls[3];
    int64_t seen = 0;
    for (int i = 0; i < 3; i++)
        calls[i] = mob_call(m, hall, hall_meet, 3);
    for (int i = 0; i < 3; i++)
        seen |= 1 << value_of(calls[i]);
    cr_assert_eq(seen, 1 << 1 | 1 << 2 | 1 << 3);
}

Test(threads, more_threads_meet_than_an_actor_gets_calls_ahead)
{
    enum { CALLS = 100 };
    hall_h hall = hall_of(CALLS);
    mob_ref_i64 calls[CALLS];
    for (int i = 0; i < CALLS; i++)
        calls[i] = mob_call(m, hall, hall_meet, CALLS);
    for (int i = 0; i < CALLS; i++)
        value_of(calls[i]);
    cr_assert_geq(value_of(mob_call(m, hall, hall_threads)), CALLS);
}

Test(threads, C35_no_more_run_at_once_than_may)
{
    needs_notices("it times its answers");
    hall_h hall = hall_of(2);
    mob_ref_i64 calls[6];
    cr_assert_eq(value_of(mob_call(m, hall, hall_most)), 0);
    int64_t began = now_ms();
    for (int i = 0; i < 6; i++)
        calls[i] = mob_call(m, hall, hall_nap, 300);
    for (int i = 0; i < 6; i++)
        value_of(calls[i]);
    int64_t took = now_ms() - began;
    cr_assert_eq(value_of(mob_call(m, hall, hall_most)), 2);
    cr_assert_geq(took, 900);
    cr_assert_leq(took, 1500);
}

Test(threads, C40_one_that_is_late_stops_no_other)
{
    hall_h hall = hall_of(2), other = hall_of(2);
    mob_ref_i64 late = mob_call(m, other, hall_meet, 2);
    mob_ref_i64 first = mob_call(m, hall, hall_same, late), second = mob_call(m, hall, hall_same, 2);
    cr_assert_eq(value_of(second), 2);
    cr_assert_eq(mob_info(m, first.ref).state, MOB_PENDING);
    int64_t number = value_of(mob_call(m, other, hall_meet, 2)); // either may come first
    cr_assert_eq(value_of(first), 3 - number);
}

Test(threads, C41_order_and_threads_do_not_go_together)
{
    hall_h hall = mob_new_with(m, MOB_ACTOR_OPTS(.ordered = true, .max_concurrency = 2), hall);
    mob_info_t info = failure_of(mob_ready(hall.actor), MOB_EARGS);
    cr_assert_not_null(strstr(info.reason, "ordered"), "%s", info.reason);
    cr_assert_eq(count_of(m, "actors"), 0, "nothing was created");
}

Test(threads, C54_who_leaves_lets_the_others_end)
{
    hall_h hall = mob_new_with(m, MOB_ACTOR_OPTS(.max_concurrency = 4, .max_restarts = 3), hall);
    mob_ref_i64 inside[3];
    for (int i = 0; i < 3; i++) {
        inside[i] = mob_call(m, hall, hall_stay);
        crew_hear(crew.begun[0]);
    }
    mob_info_t info = failure_of(mob_call(m, hall, hall_leave).ref, MOB_EDEAD);
    cr_assert_str_eq(info.why, "EXIT");
    for (int i = 0; i < 3; i++)
        cr_assert_eq(value_of(inside[i]), i + 1);
    failure_of(mob_call(m, hall, hall_most).ref, MOB_EDEAD); // for good
}

Test(threads, each_thread_calls_and_waits_for_itself)
{
    needs_notices("its bodies wait 20 times in a row");
    enum { CALLS = 40, NESTED = 20 };
    hall_h hall = hall_of(8);
    mob_ref_i64 sums[CALLS];
    for (int i = 0; i < CALLS; i++)
        sums[i] = mob_call(m, hall, hall_sum, NESTED);
    for (int i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(sums[i]), NESTED * (NESTED + 1) + 90);
}

Test(threads, each_thread_hands_on_its_own_failure)
{
    enum { CALLS = 60 };
    hall_h hall = hall_of(8);
    mob_ref_i64 calls[CALLS];
    for (int i = 0; i < CALLS; i++)
        calls[i] = mob_call(m, hall, hall_hand_on, i + 100);
    for (int i = 0; i < CALLS; i++) {
        char text[32];
        snprintf(text, sizeof text, "number %d", i + 100);
        mob_info_t info = failure_of(calls[i].ref, MOB_ETASK);
        cr_assert_not_null(strstr(info.reason, text), "%s", info.reason);
        cr_assert_not(mob_is_none(info.cause));
    }
}

Test(threads, threads_read_what_one_of_them_keeps)
{
    enum { CALLS = 100 };
    hall_h hall = hall_of(8);
    mob_ref_i64 sizes[CALLS];
    mob_ref_str text = mob_put(m, "seventeen letters");
    cr_assert_eq(mob_done(m, mob_call(m, hall, hall_keep, text.ref), SOON), MOB_OK);
    mob_drop(m, text.ref);
    for (int i = 0; i < CALLS; i++)
        sizes[i] = mob_call(m, hall, hall_size);
    for (int i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(sizes[i]), 17);
}

Test(threads, what_two_bodies_read_stays_for_the_slower_one)
{
    static char text[5000];
    memset(text, 'x', sizeof text - 1);
    hall_h hall = hall_of(2);
    mob_ref_str what = mob_put(m, (const char *)text);
    mob_ref_i64 sizes[] = {mob_call(m, hall, hall_read, what.ref),
                           mob_call(m, hall, hall_read, what.ref)};
    for (int i = 0; i < 2; i++)
        cr_assert_eq(value_of(sizes[i]), (int64_t)sizeof text - 1);
}

Test(threads, one_of_several_bodies_is_called_off)
{
    hall_h hall = hall_of(3);
    mob_ref_i64 one = mob_call(m, hall, hall_until_told, 10000),
                other = mob_call(m, hall, hall_until_told, 500);
    crew_hear(crew.begun[0]);
    crew_hear(crew.begun[0]);
    cr_assert_eq(mob_cancel(m, one.ref, 0), MOB_OK);
    failure_of(one.ref, MOB_ECANCELLED);
    cr_assert_geq(value_of(other), 500, "it was not told");
}

Test(threads, an_answer_may_come_before_its_body_has_returned)
{
    enum { CALLS = 100 };
    hall_h hall = hall_of(4);
    mob_ref_i64 answers[CALLS];
    for (int64_t i = 0; i < CALLS; i++)
        answers[i] = mob_call(m, hall, hall_later, i);
    for (int64_t i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(answers[i]), i);
}

Test(threads, all_that_run_at_once_end_with_their_process)
{
    hall_h hall = mob_new_with(
        m, MOB_ACTOR_OPTS(.max_concurrency = 3, .max_restarts = 1, .backoff_ms = 1), hall);
    mob_ref_i64 inside[] = {mob_call(m, hall, hall_stay), mob_call(m, hall, hall_stay)};
    crew_hear(crew.begun[0]);
    crew_hear(crew.begun[0]);
    failure_of(mob_call(m, hall, hall_die).ref, MOB_EUNAVAILABLE);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(failure_of(inside[i].ref, MOB_EUNAVAILABLE).executed, MOB_MAYBE_EXECUTED);
}

Test(threads, threads_outlive_the_broker)
{
    hall_h hall = hall_of(3);
    mob_ref_i64 calls[] = {mob_call(m, hall, hall_meet, 3), mob_call(m, hall, hall_meet, 3)};
    while (crew_ran(&crew, calls[0].ref).count + crew_ran(&crew, calls[1].ref).count < 2)
        ;
    crew_kill_broker(&crew);
    crew_start_broker(&crew);
    cr_assert_eq(value_of(mob_call(m, hall, hall_meet, 3)), 3);
    for (int i = 0; i < 2; i++) {
        value_of(calls[i]);
        cr_assert_eq(crew_ran(&crew, calls[i].ref).count, 1);
    }
}

Test(threads, a_drain_waits_for_all_that_run)
{
    hall_h hall = hall_of(3);
    mob_ref_i64 naps[] = {mob_call(m, hall, hall_nap, 200), mob_call(m, hall, hall_nap, 100),
                          mob_call(m, hall, hall_nap, 100), mob_call(m, hall, hall_nap, 50)};
    mob_stop(m, hall.actor, MOB_STOP_DRAIN);
    cr_assert_eq(mob_await(m, mob_watch(m, hall.actor), NULL, SOON), MOB_OK);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(mob_info(m, naps[i].ref).state, MOB_READY);
}
