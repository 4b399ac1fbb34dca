// Answers that were put off: who gives them, and how a call that has none yet ends.

#include <criterion/criterion.h>
#include <string.h>

#include "crew.h"
#include "desk.h"
#include "story.h"

static void begin(void)
{
    open_crew(desk_defs, NULL);
}

TestSuite(later, .init = begin, .fini = close_crew, .timeout = 40);

// ---- Answers that were put off ------------------------------------------------------------------

Test(later, an_answer_comes_later_and_the_actor_goes_on)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 first = mob_call(m, desk, desk_ask, 1), second = mob_call(m, desk, desk_ask, 2);
    cr_assert_eq(desk_open(desk), 2);
    cr_assert_eq(mob_info(m, first.ref).state, MOB_PENDING);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), 2);
    cr_assert_eq(value_of(first), 1);
    cr_assert_eq(value_of(second), 2);
}

Test(later, an_answer_may_come_from_a_thread)
{
    enum { CALLS = DESK_THREADS_MAX };
    mob_ref_i64 answers[CALLS];
    desk_h desk = mob_new(m, desk);
    for (int64_t i = 0; i < CALLS; i++)
        answers[i] = mob_call(m, desk, desk_ask_by_thread, i);
    for (int64_t i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(answers[i]), i);
}

Test(later, only_the_first_answer_counts)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 answer = mob_call(m, desk, desk_ask, 5);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer_twice)), 0, "the others are told so");
    cr_assert_eq(value_of(answer), 5);
}

Test(later, an_answer_may_be_a_failure)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 answer = mob_call(m, desk, desk_ask, 5);
    cr_assert_eq(value_of(mob_call(m, desk, desk_refuse, 42, "sold out")), 1);
    mob_info_t info = failure_of(answer.ref, MOB_ETASK);
    cr_assert_eq(info.code, 42);
    cr_assert_eq(info.executed, MOB_EXECUTED);
    cr_assert_not_null(strstr(info.reason, "sold out"), "%s", info.reason);
    cr_assert_not_null(strstr(info.trace, "desk.ask"), "%s", info.trace);
}

Test(later, a_refused_call_is_tried_again_where_its_caller_wants_it)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 answer =
        mob_call_with(m, desk, MOB_OPTS(.max_retries = 1, .retry_on = {MOB_ANY_CODE}), desk_ask, 5);
    cr_assert_eq(value_of(mob_call(m, desk, desk_refuse, 42, "not yet")), 1);
    while (desk_open(desk) == 0)
        ;
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), 1);
    cr_assert_eq(value_of(answer), 5);
    cr_assert_eq(crew_ran(&crew, answer.ref).count, 2);
}

Test(later, a_body_that_fails_has_nothing_put_off)
{
    desk_h desk = mob_new(m, desk);
    cr_assert_eq(failure_of(mob_call(m, desk, desk_ask_and_fail, 7).ref, MOB_ETASK).code, 7);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), 0, "its promise is worth nothing");
}

Test(later, only_methods_can_answer_later)
{
    mob_info_t info = failure_of(mob_run(m, ask_here, 1).ref, MOB_EARGS);
    cr_assert_not_null(strstr(info.reason, "mob_defer_call()"), "%s", info.reason);
}

Test(later, C37_thousands_of_open_calls_are_cheap)
{
    enum { CALLS = 4000 };
    static mob_ref_i64 answers[CALLS];
    desk_h desk = mob_new_with(m, MOB_ACTOR_OPTS(.max_open = 100000, .mailbox_max = 5000), desk);
    for (int64_t i = 0; i < CALLS; i++)
        answers[i] = mob_call(m, desk, desk_ask, i);
    cr_assert_eq(desk_open(desk), CALLS);
    cr_assert_lt(value_of(mob_call(m, desk, desk_threads)), 50);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), CALLS);
    for (int64_t i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(answers[i]), i);
}

Test(later, no_more_begin_than_may_be_open)
{
    enum { CALLS = 40, OPEN = 3 };
    mob_ref_i64 answers[CALLS];
    desk_h desk = mob_new_with(m, MOB_ACTOR_OPTS(.max_open = OPEN), desk);
    for (int64_t i = 0; i < CALLS; i++)
        answers[i] = mob_call(m, desk, desk_ask_by_thread, i);
    for (int64_t i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(answers[i]), i);
    for (int64_t i = 0; i < OPEN; i++)
        answers[i] = mob_call(m, desk, desk_ask, i);
    mob_ref_i64 behind = mob_call(m, desk, desk_answer);
    cr_assert_eq(mob_done(m, behind, 100), MOB_ETIMEDOUT, "it has not begun");
    cr_assert_eq(mob_cancel(m, answers[1].ref, 0), MOB_OK);
    cr_assert_eq(value_of(behind), OPEN - 1, "one was called off, and made room");
}

Test(later, C36_one_at_a_time_though_each_answers_from_a_callback)
{
    enum { CALLS = 10 };
    mob_ref_i64 answers[CALLS];
    const char *log = "";
    desk_h desk = mob_new_with(m, MOB_ACTOR_OPTS(.max_open = 1), desk);
    for (int64_t i = 0; i < CALLS; i++)
        answers[i] = mob_call(m, desk, desk_by_callback, i);
    for (int64_t i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(answers[i]), 2 * i);
    cr_assert_eq(mob_get(m, mob_call(m, desk, desk_log), &log, SOON), MOB_OK);
    for (int i = 0; i < CALLS; i++, log += strlen("START END "))
        cr_assert_eq(strncmp(log, "START END ", 10), 0, "%s", log);
    cr_assert_eq(*log, '\0');
}

Test(later, callbacks_that_are_left_come_before_fini)
{
    desk_h desk = mob_new(m, desk);
    cr_assert_eq(mob_done(m, mob_call(m, desk, desk_never), SOON), MOB_OK);
    mob_stop(m, desk.actor, MOB_STOP_DRAIN);
    crew_hear(crew.ended[0]);
}

// ---- How an open call ends ----------------------------------------------------------------------

Test(later, an_open_call_is_called_off)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 one = mob_call(m, desk, desk_ask, 1), other = mob_call(m, desk, desk_ask, 2);
    cr_assert_eq(desk_open(desk), 2);
    cr_assert_eq(mob_cancel(m, one.ref, 0), MOB_OK);
    failure_of(one.ref, MOB_ECANCELLED);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), 1, "the desk learns that one is over");
    cr_assert_eq(value_of(other), 2);
}

Test(later, the_time_of_an_open_call_runs)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 one = mob_call_with(m, desk, MOB_OPTS(.timeout_ms = 100), desk_ask, 1);
    failure_of(one.ref, MOB_EDEADLINE);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), 0);
}

Test(later, open_calls_end_with_their_actor)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 open = mob_call(m, desk, desk_ask, 1);
    failure_of(mob_call(m, desk, desk_die).ref, MOB_EDEAD);
    cr_assert_eq(failure_of(open.ref, MOB_EDEAD).executed, MOB_MAYBE_EXECUTED);
}

Test(later, open_calls_may_be_tried_again_by_the_next_incarnation)
{
    desk_h desk = mob_new_with(m, MOB_ACTOR_OPTS(.max_restarts = 1, .backoff_ms = 1), desk);
    mob_ref_i64 lost = mob_call(m, desk, desk_ask, 1);
    mob_ref_i64 kept = mob_call_with(m, desk, MOB_OPTS(.max_retries = 1), desk_ask, 2);
    cr_assert_eq(desk_open(desk), 2);
    failure_of(mob_call(m, desk, desk_die).ref, MOB_EUNAVAILABLE);
    failure_of(lost.ref, MOB_EUNAVAILABLE);
    mob_ref_i64 answer = mob_call_with(m, desk, MOB_OPTS(.max_retries = 1), desk_answer);
    cr_assert_eq(value_of(answer), 1);
    cr_assert_eq(value_of(kept), 2);
}

Test(later, a_drain_waits_for_open_calls)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 open = mob_call(m, desk, desk_ask_by_thread, 1);
    mob_stop(m, desk.actor, MOB_STOP_DRAIN);
    cr_assert_eq(value_of(open), 1);
    cr_assert_eq(mob_await(m, mob_watch(m, desk.actor), NULL, SOON), MOB_OK);
}

Test(later, who_leaves_answers_no_more)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 open = mob_call(m, desk, desk_ask, 1);
    failure_of(mob_call(m, desk, desk_leave).ref, MOB_EDEAD);
    failure_of(open.ref, MOB_EDEAD);
}

Test(later, open_calls_outlive_the_broker)
{
    desk_h desk = mob_new(m, desk);
    mob_ref_i64 open[] = {mob_call(m, desk, desk_ask, 1), mob_call(m, desk, desk_ask, 2)};
    cr_assert_eq(desk_open(desk), 2);
    crew_kill_broker(&crew);
    crew_start_broker(&crew);
    cr_assert_eq(desk_open(desk), 2);
    cr_assert_eq(value_of(mob_call(m, desk, desk_answer)), 2);
    cr_assert_eq(value_of(open[0]), 1);
    cr_assert_eq(value_of(open[1]), 2);
    cr_assert_eq(crew_ran(&crew, open[0].ref).count, 1);
}
