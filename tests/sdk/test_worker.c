// test_worker.c - the way of a call through a real broker and real worker processes, and what is
// said when it does not go well.

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "crew.h"
#include "story.h"

static void begin(void)
{
    open_crew(crew_defs, NULL);
}

TestSuite(worker, .init = begin, .fini = close_crew, .timeout = 40);

// ---- Tasks --------------------------------------------------------------------------------------

Test(worker, a_task_gives_its_result)
{
    cr_assert_eq(value_of(mob_run(m, add, 40, 2)), 42);
}

Test(worker, many_tasks_give_theirs)
{
    enum { MANY = 3000 };
    static mob_ref_i64 sums[MANY];
    for (int i = 0; i < MANY; i++)
        sums[i] = mob_run(m, add, i, 1);
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(value_of(sums[i]), i + 1);
}

Test(worker, a_failure_tells_code_text_and_place)
{
    mob_info_t info = failure_of(mob_run(m, fetch, "gopher").ref, MOB_ETASK);
    cr_assert_eq(info.code, 42);
    cr_assert_eq(info.executed, MOB_EXECUTED);
    cr_assert_not_null(strstr(info.reason, "not a url: gopher"));
    cr_assert_not_null(strstr(info.trace, "fetch at crew.c:"));
}

Test(worker, an_error_handed_on_names_its_cause)
{
    mob_info_t info = failure_of(mob_run(m, hand_on, "gopher", 2).ref, MOB_ETASK);
    cr_assert_eq(info.code, -MOB_ETASK);
    cr_assert_not(mob_is_none(info.cause));
    cr_assert_eq(info.root, MOB_ETASK);
    cr_assert_not(mob_is_none(info.origin));
    cr_assert_not(mob_same(info.origin, info.cause), "it stands two deeper");
    cr_assert_not_null(strstr(info.reason, "not a url: gopher"), "%s", info.reason);
    const char *inner = strstr(info.trace, "fetch at crew.c:"),
               *next = strstr(info.trace, "\nhand_on");
    cr_assert(inner == info.trace && next && strstr(next + 1, "\nhand_on"), "%s", info.trace);
}

Test(worker, C33_a_failure_of_a_method_tells_whose_and_where)
{
    tally_h tally = mob_new(m, tally, 0);
    int64_t pid = value_of(mob_call(m, tally, tally_pid));
    mob_info_t info = failure_of(mob_call(m, tally, tally_fail, 42, "text").ref, MOB_ETASK);
    cr_assert_eq(info.code, 42);
    cr_assert_not_null(strstr(info.reason, "text"));
    cr_assert(mob_same(mob_ready(info.actor), mob_ready(tally.actor)));
    cr_assert_eq(info.actor.incarnation, 1);
    cr_assert_eq(info.pid, pid);
    cr_assert_str_neq(info.host, "");
    cr_assert_not_null(strstr(info.trace, "tally.fail at crew.c:"), "%s", info.trace);
}

Test(worker, a_failure_is_told_through_any_depth)
{
    enum { DEPTH = 500 };
    mob_ref_i64 root = mob_run(m, fetch, "gopher"), last = mob_run(m, add, root, 1);
    for (int i = 1; i < DEPTH; i++)
        last = mob_run(m, add, last, 1);
    mob_info_t info = failure_of(last.ref, MOB_EDEP);
    cr_assert_eq(info.root, MOB_ETASK);
    cr_assert_eq(info.code, 42);
    cr_assert(mob_same(info.origin, root.ref));
    cr_assert_eq(info.executed, MOB_NOT_EXECUTED);
    cr_assert_not_null(strstr(info.reason, "not a url: gopher"), "%s", info.reason);
    cr_assert_not_null(strstr(info.trace, "fetch at crew.c:"));
}

static void one_slot(void)
{
    crew_end_host(&crew, SIGTERM);
    crew_start_host(&crew, (const char *[]){"--slots", "1", NULL});
}

static pid_t pid_of_an_add(void)
{
    mob_ref_i64 sum = mob_run(m, add, 1, 1);
    cr_assert_eq(value_of(sum), 2);
    return crew_ran(&crew, sum.ref).pid;
}

Test(worker, C09_bad_arguments_cost_the_worker_nothing)
{
    one_slot();
    pid_t pid = pid_of_an_add();
    mob_value_t values[] = {MOB_VALUE((int64_t)1), MOB_VALUE("two")};
    for (size_t count = 1; count <= 2; count++) { // one too few; one of another type
        mob_ref_t ref = mob_submit(m, add_signature, NULL, values, count);
        cr_assert_eq(failure_of(ref, MOB_EARGS).executed, MOB_NOT_EXECUTED);
        cr_assert_eq(crew_ran(&crew, ref).count, 0);
    }
    cr_assert_eq(pid_of_an_add(), pid);
}

Test(worker, arguments_that_do_not_fit_are_refused_before_the_body)
{
    mob_value_t words[] = {MOB_VALUE("forty"), MOB_VALUE("two")};
    mob_info_t info = failure_of(mob_submit(m, add_signature, NULL, words, 2), MOB_EARGS);
    cr_assert_eq(info.executed, MOB_NOT_EXECUTED);
    cr_assert_not_null(strstr(info.reason, "add a:i64 b:i64 -> i64"));
}

Test(worker, large_values_go_and_come)
{
    static char data[90000];
    memset(data, 'x', sizeof data);
    mob_bytes_t back = {0};
    mob_ref_bytes ref = mob_run(m, echo, ((mob_bytes_t){data, sizeof data}));
    cr_assert_eq(mob_get(m, ref, &back, SOON), MOB_OK);
    cr_assert_eq(back.size, sizeof data);
    cr_assert_eq(memcmp(back.data, data, sizeof data), 0);
}

Test(worker, tasks_may_nest_deeper_than_there_are_slots)
{
    cr_assert_eq(value_of(mob_run(m, deep, 8)), 8);
}

Test(worker, tasks_behind_a_slow_one_run_elsewhere)
{
    enum { WAVES = 5, WAVE = 10 };
    mob_ref_i64 sums[WAVE], slow = mob_run(m, until_told, 20000);
    crew_hear(crew.begun[0]);
    for (int wave = 0; wave < WAVES; wave++) {
        for (int i = 0; i < WAVE; i++)
            sums[i] = mob_run(m, add, i, wave);
        for (int i = 0; i < WAVE; i++)
            cr_assert_eq(value_of(sums[i]), i + wave);
    }
    cr_assert_eq(mob_info(m, slow.ref).state, MOB_PENDING);
    cr_assert_eq(mob_cancel(m, slow.ref, 0), MOB_OK);
}

// ---- Cancel and deadline ------------------------------------------------------------------------

Test(worker, a_running_body_sees_that_it_is_cancelled)
{
    mob_ref_i64 ref = mob_run(m, until_told, 30000);
    crew_hear(crew.begun[0]);
    cr_assert_eq(mob_cancel(m, ref.ref, 0), MOB_OK);
    cr_assert_eq(failure_of(ref.ref, MOB_ECANCELLED).executed, MOB_MAYBE_EXECUTED);
    crew_hear(crew.begun[0]); // it came home
}

Test(worker, a_call_in_the_hand_of_a_busy_actor_is_cancelled_without_running)
{
    tally_h tally = mob_new(m, tally, 0);
    mob_ref_i64 busy = mob_call(m, tally, tally_until_told, 30000);
    crew_hear(crew.begun[0]);
    mob_ref_i64 behind = mob_call(m, tally, tally_inc, 1);
    cr_assert_eq(mob_cancel(m, behind.ref, 0), MOB_OK);
    failure_of(behind.ref, MOB_ECANCELLED);
    cr_assert_eq(mob_cancel(m, busy.ref, 0), MOB_OK);
    cr_assert_eq(value_of(mob_call(m, tally, tally_inc, 10)), 10, "it never ran");
}

Test(worker, a_running_body_sees_that_its_time_is_over)
{
    cr_assert_eq(value_of(mob_run(m, add, 1, 1)), 2); // there is a worker
    mob_ref_i64 ref = mob_run_with(m, MOB_OPTS(.timeout_ms = 300), until_told, 30000);
    failure_of(ref.ref, MOB_EDEADLINE);
    crew_hear(crew.begun[0]);
    crew_hear(crew.begun[0]);
}

Test(worker, a_body_knows_how_much_time_it_has)
{
    cr_assert_eq(value_of(mob_run(m, left, 0)), MOB_FOREVER);
    int64_t ms = value_of(mob_run_with(m, MOB_OPTS(.timeout_ms = 5000), left, 0));
    cr_assert(ms > 0 && ms <= 5000);
}

// ---- Actors -------------------------------------------------------------------------------------

Test(worker, an_actor_keeps_its_state_in_a_process_of_its_own)
{
    tally_h one = mob_new(m, tally, 10), other = mob_new(m, tally, 20);
    cr_assert_eq(value_of(mob_call(m, one, tally_inc, 1)), 11);
    cr_assert_eq(value_of(mob_call(m, other, tally_inc, 1)), 21);
    cr_assert_eq(value_of(mob_call(m, one, tally_inc, 1)), 12);
    cr_assert_neq(value_of(mob_call(m, one, tally_pid)), value_of(mob_call(m, other, tally_pid)));
}

Test(worker, calls_of_one_caller_run_in_their_order)
{
    enum { MANY = 900 }; // what a mailbox takes
    static mob_ref_i64 sums[MANY];
    tally_h tally = mob_new(m, tally, 0);
    for (int i = 0; i < MANY; i++)
        sums[i] = mob_call(m, tally, tally_inc, 1);
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(value_of(sums[i]), i + 1);
}

Test(worker, a_constructor_that_fails_is_the_reason_of_all_calls)
{
    tally_h tally = mob_new(m, tally, -5);
    mob_info_t info = failure_of(mob_call(m, tally, tally_inc, 1).ref, MOB_EDEAD);
    cr_assert_str_eq(info.why, "INIT");
    cr_assert_not_null(strstr(info.reason, "start is -5"));
}

Test(worker, stop_runs_fini_after_the_calls_before_it)
{
    tally_h tally = mob_new(m, tally, 0);
    mob_ref_i64 last = mob_call(m, tally, tally_inc, 3);
    mob_stop(m, tally.actor, MOB_STOP_DRAIN);
    cr_assert_eq(value_of(last), 3);
    crew_hear(crew.ended[0]);
    cr_assert_eq(mob_await(m, mob_watch(m, tally.actor), NULL, SOON), MOB_OK);
    failure_of(mob_call(m, tally, tally_inc, 1).ref, MOB_EDEAD);
}

Test(worker, an_actor_may_leave)
{
    tally_h tally = mob_new(m, tally, 0);
    cr_assert_eq(value_of(mob_call(m, tally, tally_inc, 1)), 1);
    mob_ref_i64 leave = mob_call(m, tally, tally_leave);
    mob_ref_i64 behind = mob_call(m, tally, tally_inc, 1);
    cr_assert_str_eq(failure_of(leave.ref, MOB_EDEAD).why, "EXIT");
    cr_assert_eq(failure_of(behind.ref, MOB_EDEAD).executed, MOB_NOT_EXECUTED);
    crew_hear(crew.ended[0]);
}

Test(worker, shared_actors_live_in_one_process)
{
    mite_h one = mob_new(m, mite), other = mob_new(m, mite);
    cr_assert_eq(value_of(mob_call(m, one, mite_inc, 1)), 1);
    cr_assert_eq(value_of(mob_call(m, other, mite_inc, 5)), 5);
    int64_t pid = value_of(mob_call(m, other, mite_pid));
    cr_assert_eq(value_of(mob_call(m, one, mite_pid)), pid);
    mob_stop(m, one.actor, MOB_STOP_DRAIN);
    cr_assert_eq(mob_await(m, mob_watch(m, one.actor), NULL, SOON), MOB_OK);
    cr_assert_eq(value_of(mob_call(m, other, mite_inc, 5)), 10, "the other one lives on");
    cr_assert_eq(value_of(mob_call(m, mob_new(m, mite), mite_pid)), pid, "and takes in more");
}

// ---- Crashes ------------------------------------------------------------------------------------

Test(worker, a_crash_tells_signal_process_and_last_words)
{
    mob_info_t info = failure_of(
        mob_run_with(m, MOB_OPTS(.max_retries = MOB_NONE), blow_up, SIGUSR1).ref, MOB_ELOST);
    cr_assert_str_eq(info.why, "CRASH");
    cr_assert_eq(info.executed, MOB_MAYBE_EXECUTED);
    cr_assert_gt(info.pid, 0);
    cr_assert_eq(info.status & 0x7f, SIGUSR1);
    cr_assert_null(strstr(info.log, "last words 5\n"));
    cr_assert_not_null(strstr(info.log, "last words 6\n"));
    cr_assert_not_null(strstr(info.log, "last words 15"));
    cr_assert_eq(value_of(mob_run(m, add, 1, 1)), 2, "the next one finds a worker");
}

Test(worker, a_crash_ends_an_actor_that_has_no_restart)
{
    tally_h tally = mob_new(m, tally, 0);
    mob_ref_i64 die = mob_call(m, tally, tally_die);
    mob_info_t info = failure_of(die.ref, MOB_EDEAD);
    cr_assert_eq(info.executed, MOB_MAYBE_EXECUTED);
    failure_of(mob_call(m, tally, tally_inc, 1).ref, MOB_EDEAD);
}

Test(worker, a_restarted_actor_begins_anew)
{
    tally_h tally = mob_new_with(m, MOB_ACTOR_OPTS(.max_restarts = 1, .backoff_ms = 10), tally, 5);
    int64_t pid = value_of(mob_call(m, tally, tally_pid));
    cr_assert_eq(value_of(mob_call(m, tally, tally_inc, 1)), 6);
    failure_of(mob_call(m, tally, tally_die).ref, MOB_EUNAVAILABLE);
    mob_ref_i64 again;
    do
        again = mob_call(m, tally, tally_incarnation);
    while (mob_done(m, again, SOON) == MOB_EUNAVAILABLE); // until it is there again
    cr_assert_eq(value_of(again), 2);
    cr_assert_eq(value_of(mob_call(m, tally, tally_inc, 1)), 6,
                 "constructed from its first arguments");
    cr_assert_neq(value_of(mob_call(m, tally, tally_pid)), pid);
}

Test(worker, a_killed_actor_runs_no_fini)
{
    tally_h tally = mob_new(m, tally, 0);
    int64_t pid = value_of(mob_call(m, tally, tally_pid));
    mob_stop(m, tally.actor, MOB_STOP_NOW);
    failure_of(mob_call(m, tally, tally_inc, 1).ref, MOB_EDEAD);
    crew_wait_for_end((pid_t)pid);
    mob_stop(m, mob_new(m, tally, 0).actor, MOB_STOP_DRAIN);
    crew_hear(crew.ended[0]); // of the second one: the first said nothing
}

// ---- Refused by name ----------------------------------------------------------------------------

static void refused(mob_ref_t ref, const char *word)
{
    mob_info_t info = failure_of(ref, MOB_EARGS);
    cr_assert_not_null(strstr(info.reason, word), "%s", info.reason);
}

Test(worker, what_is_not_there_yet_says_so)
{
    tally_h tally = mob_new(m, tally, 0);
    refused(mob_call(m, tally, tally_save).ref, "mob_save()");
    refused(mob_run(m, leaver, 1).ref, "mob_leave()");
    cr_assert_eq(value_of(mob_call(m, tally, tally_inc, 1)), 1, "and the actor lives");
}

// ---- Brokers and hosts that go ------------------------------------------------------------------

Test(worker, an_actor_outlives_the_broker_and_runs_each_call_once)
{
    enum { CALLS = 40 };
    mob_ref_i64 sums[CALLS];
    tally_h tally = mob_new(m, tally, 0);
    int64_t pid = value_of(mob_call(m, tally, tally_pid));
    mob_ref_i64 busy = mob_call(m, tally, tally_until_told, 200);
    crew_hear(crew.begun[0]);
    for (int i = 0; i < CALLS / 2; i++)
        sums[i] = mob_call(m, tally, tally_inc, 1);
    crew_kill_broker(&crew);
    for (int i = CALLS / 2; i < CALLS; i++)
        sums[i] = mob_call(m, tally, tally_inc, 1);
    crew_start_broker(&crew);
    cr_assert_eq(value_of(busy), 200);
    for (int i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(sums[i]), i + 1);
    cr_assert_eq(value_of(mob_call(m, tally, tally_pid)), pid);
    cr_assert_eq(value_of(mob_run(m, add, 1, 2)), 3, "tasks run again");
}

// Calls in a steady flow, the broker dies again and again. What was answered well has run; what was
// not may have; nothing has run twice, and the order holds.
Test(worker, many_deaths_of_the_broker_and_nothing_runs_twice)
{
    enum { DEATHS = 6, FLOW = 60 };
    int64_t last = 0, unsure = 0;
    tally_h tally = mob_new(m, tally, 0);
    cr_assert_eq(value_of(mob_call(m, tally, tally_inc, 0)), 0);
    for (int death = 0; death < DEATHS; death++) {
        mob_ref_i64 sums[FLOW];
        for (int i = 0; i < FLOW; i++) {
            sums[i] = mob_call(m, tally, tally_inc, 1);
            if (i == FLOW / DEATHS * death)
                crew_kill_broker(&crew);
        }
        crew_start_broker(&crew);
        for (int i = 0; i < FLOW; i++) {
            int64_t value = last;
            mob_err_t err = mob_get(m, sums[i], &value, SOON);
            cr_assert(err == MOB_OK || err == MOB_EBROKER, "%s", mob_reason(m, sums[i].ref));
            cr_assert(err || (value > last && value <= last + 1 + unsure), "%d after %d",
                      (int)value, (int)last);
            unsure = err ? unsure + 1 : unsure - (value - last - 1);
            last = value;
        }
    }
    int64_t total = value_of(mob_call(m, tally, tally_inc, 0));
    cr_assert(total >= last && total <= DEATHS * FLOW, "%d", (int)total);
}

Test(worker, a_result_made_while_the_broker_was_away_is_not_lost)
{
    mob_ref_i64 task = mob_run(m, until_told, 100);
    crew_hear(crew.begun[0]);
    crew_kill_broker(&crew);
    crew_hear(crew.begun[0]); // it has ended, and there is nobody to tell
    crew_start_broker(&crew);
    cr_assert_eq(value_of(task), 100);
}

Test(worker, a_host_that_drains_lets_bodies_end_and_loses_nothing)
{
    mob_ref_i64 tasks[20];
    mob_ref_i64 running = mob_run(m, deaf, 300);
    crew_hear(crew.begun[0]);
    for (int i = 0; i < 20; i++)
        tasks[i] = mob_run(m, deaf, 20);
    cr_assert_eq(crew_end_host(&crew, SIGTERM), 0);
    cr_assert_eq(value_of(running), 300);
    crew_start_host(&crew, NULL); // the next one does the rest
    for (int i = 0; i < 20; i++)
        cr_assert_eq(value_of(tasks[i]), 20);
}

Test(worker, a_host_that_drains_runs_fini)
{
    tally_h tally = mob_new(m, tally, 1);
    cr_assert_eq(value_of(mob_call(m, tally, tally_inc, 1)), 2);
    cr_assert_eq(crew_end_host(&crew, SIGTERM), 0);
    crew_hear(crew.ended[0]);
    failure_of(mob_call(m, tally, tally_inc, 1).ref, MOB_EDEAD);
}

Test(worker, past_the_time_to_drain_a_body_is_told_to_stop)
{
    crew_end_host(&crew, SIGTERM);
    crew_start_host(&crew, (const char *[]){"--slots", "1", "--drain", "100ms", NULL});
    mob_ref_i64 task = mob_run(m, until_told, 30000);
    crew_hear(crew.begun[0]);
    cr_assert_eq(crew_end_host(&crew, SIGTERM), 0);
    cr_assert_lt(value_of(task), 30000);
}

Test(worker, a_body_that_does_not_listen_is_ended_and_the_exit_is_4)
{
    crew_end_host(&crew, SIGTERM);
    crew_start_host(&crew, (const char *[]){"--slots", "1", "--drain", "100ms", NULL});
    mob_ref_i64 task = mob_run_with(m, MOB_OPTS(.max_retries = MOB_NONE), deaf, 30000);
    crew_hear(crew.begun[0]);
    cr_assert_eq(crew_end_host(&crew, SIGTERM), 4);
    failure_of(task.ref, MOB_ELOST);
}

Test(worker, with_its_host_all_of_it_is_gone)
{
    tally_h tally = mob_new(m, tally, 0);
    int64_t pid = value_of(mob_call(m, tally, tally_pid));
    mob_ref_i64 task = mob_run_with(m, MOB_OPTS(.max_retries = MOB_NONE), deaf, 30000);
    crew_hear(crew.begun[0]);
    cr_assert_eq(crew_end_host(&crew, SIGKILL), 128 + SIGKILL);
    failure_of(task.ref,
               MOB_ELOST); // whichever the broker saw first: the worker's end, or the host's
    failure_of(mob_call(m, tally, tally_inc, 1).ref, MOB_EDEAD);
    crew_wait_for_end((pid_t)pid);
}

// ---- A program's exit ---------------------------------------------------------------------------

Test(worker, without_a_broker_it_gives_up_when_told_to)
{
    crew_t other = crew_open();
    crew_start_host(&other, (const char *[]){"--connect-timeout", "100ms", NULL});
    cr_assert_eq(crew_end_host(&other, 0), 3);
    crew_close(&other);
}

Test(worker, a_wrong_flag_is_exit_2)
{
    crew_t other = crew_open();
    crew_start_host(&other, (const char *[]){"--slots", "none", NULL});
    cr_assert_eq(crew_end_host(&other, 0), 2);
    crew_close(&other);
}

// ---- The in-process form ------------------------------------------------------------------------

Test(worker, a_process_may_host_its_own_bodies)
{
    crew_end_host(&crew, SIGTERM);
    crew_here(&crew);
    cr_assert_eq(mob_offer_defs(m, crew_defs), MOB_OK);
    cr_assert_eq(mob_offer_defs(m, crew_defs), MOB_EEXISTS);
    tally_h tally = mob_new(m, tally, 1);
    cr_assert_eq(value_of(mob_call(m, tally, tally_inc, 1)), 2);
    cr_assert_eq(value_of(mob_call(m, tally, tally_pid)), getpid());
    cr_assert_eq(value_of(mob_run(m, deep, 5)), 5);
    mob_ref_i64 task = mob_run(m, until_told, 50);
    crew_hear(crew.begun[0]);
    mob_interrupt(m);
    cr_assert_eq(mob_serve(m), MOB_OK);
    cr_assert_eq(value_of(task), 50);
}

Test(worker, nothing_offered_is_nothing_to_serve)
{
    cr_assert_eq(mob_serve(m), MOB_EARGS);
}
