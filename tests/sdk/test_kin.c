// test_kin.c - refs and handles that travel: bodies that call bodies, in processes that did not make what they use.

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "clock.h"
#include "crew.h"
#include "kin.h"
#include "story.h"

enum { LONG = 30000 };

static void begin(void)
{
    open_crew(kin_defs, (const char *[]){"--slots", "5", NULL});
}

TestSuite(kin, .init = begin, .fini = close_crew, .timeout = 40);

static mob_err_t end_of(mob_ref_i64 ref, mob_err_t *root)
{
    mob_err_t err = mob_done(m, ref, 5000);
    *root = mob_info(m, ref.ref).root;
    return err;
}

// ---- Refs ---------------------------------------------------------------------------------------

static void *await_apart(void *ref)
{
    mob_t *client = crew_client(&crew);
    int64_t value = 0;
    mob_err_t err = mob_get(client, *(mob_ref_i64 *)ref, &value, SOON);
    mob_close(&client);
    return (void *)(intptr_t)(err ? -1 : value);
}

static void all_await(mob_ref_i64 ref)
{
    enum { THREADS = 2, PROCESSES = 2 };
    pthread_t threads[THREADS];
    mob_ref_i64 far[PROCESSES];
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, await_apart, &ref), 0);
    for (int i = 0; i < PROCESSES; i++)
        far[i] = mob_run(m, await_it, ref.ref);
    for (int i = 0; i < THREADS; i++) {
        void *value;
        pthread_join(threads[i], &value);
        cr_assert_eq((intptr_t)value, 300);
    }
    for (int i = 0; i < PROCESSES; i++)
        cr_assert_eq(value_of(far[i]), 300);
}

Test(kin, C22_many_await_one_ref_before_and_after)
{
    mob_ref_i64 ref = mob_run(m, until_told, 300);
    crew_hear(crew.begun[0]);
    all_await(ref);
    cr_assert_eq(value_of(ref), 300);
    all_await(ref);
}

// ---- Handles ------------------------------------------------------------------------------------

Test(kin, C25_a_handle_goes_through_tasks)
{
    kin_h kin = mob_new(m, kin, 0, 0);
    mob_ref_i64 tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = mob_run(m, count_up, kin.actor, i, 100);
    for (int i = 0; i < 3; i++)
        value_of(tasks[i]);
    cr_assert_eq(value_of(mob_call(m, kin, kin_note, 3, 1)), 301);
}

Test(kin, C27_three_actors_in_a_row_wait_for_each_other)
{
    kin_h a = mob_new(m, kin, 100, 0), b = mob_new(m, kin, 10, 0), c = mob_new(m, kin, 1, 0);
    cr_assert_eq(value_of(mob_call(m, a, kin_pass, b.actor, c.actor)), 101 + 11 + 2);
}

Test(kin, C28_each_caller_is_served_in_its_order)
{
    enum { CALLERS = 5, CALLS = 100 };
    kin_h kin = mob_new(m, kin, 0, 0);
    mob_ref_i64 callers[CALLERS];
    int64_t pids[CALLERS];
    cr_assert_eq(value_of(mob_call(m, kin, kin_add, 0)), 0);
    for (int i = 0; i < CALLERS; i++)
        callers[i] = mob_run(m, count_up, kin.actor, i, CALLS);
    for (int i = 0; i < CALLERS; i++) {
        pids[i] = value_of(callers[i]); // fails if one of its numbers came too early or too late
        for (int k = 0; k < i; k++)
            cr_assert_neq(pids[i], pids[k], "five processes");
    }
    cr_assert_eq(value_of(mob_call(m, kin, kin_note, CALLERS, 1)), CALLERS * CALLS + 1);
}

Test(kin, C29_a_constructor_waits_for_its_argument)
{
    int64_t from = clock_us();
    mob_ref_i64 late = mob_run(m, until_told, 1000);
    kin_h kin = mob_new(m, kin, late, 0);
    mob_ref_i64 calls[5];
    for (int i = 0; i < 5; i++)
        calls[i] = mob_call(m, kin, kin_add, 1);
    cr_assert_eq(mob_wait(m, mob_refs(calls), 5, 1, 300, NULL), 0);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(value_of(calls[i]), 1000 + i + 1);
    cr_assert_geq(clock_us() - from, 1000000);
    cr_assert_eq(mob_await(m, mob_ready(kin.actor), NULL, 0), MOB_OK, "it lives");
}

// ---- Ends ---------------------------------------------------------------------------------------

Test(kin, C70_a_caller_that_dies_asks_again)
{
    kin_h kin = mob_new(m, kin, 0, 0);
    mob_ref_i64 task = mob_run(m, ask_and_die, kin.actor);
    int64_t answer = value_of(task);
    cr_assert(answer == 2, "%d", (int)answer); // its first call was answered as well
    cr_assert_eq(crew_ran(&crew, task.ref).count, 2);
    cr_assert_eq(value_of(mob_call(m, kin, kin_incarnation)), 1);
}

Test(kin, C71_who_needs_what_a_dead_actor_owes_fails_with_it)
{
    mob_err_t root;
    kin_h kin = mob_new(m, kin, 0, 0);
    int64_t pid = value_of(mob_call(m, kin, kin_pid));
    mob_ref_i64 owed = mob_call(m, kin, kin_until_told, LONG), needs = mob_run(m, add, owed, 1);
    crew_hear(crew.begun[0]);
    kill((pid_t)pid, SIGKILL);
    cr_assert_eq(end_of(needs, &root), MOB_EDEP);
    cr_assert_eq(root, MOB_EDEAD);

    kin_h other = mob_new(m, kin, 0, 0);
    cr_assert_eq(value_of(mob_call(m, other, kin_add, 1)), 1);
    mob_stop(m, other.actor, MOB_STOP_RESTART); // and no restart is left
    owed = mob_call(m, other, kin_until_told, LONG);
    needs = mob_run(m, add, owed, 1);
    cr_assert_eq(end_of(owed, &root), MOB_EDEAD);
    cr_assert_eq(end_of(needs, &root), MOB_EDEP);
    cr_assert_eq(root, MOB_EDEAD);
}

Test(kin, C72_a_wait_for_it_is_over)
{
    kin_h kin = mob_new(m, kin, 0, 0);
    mob_ref_i64 owed = mob_call(m, kin, kin_until_told, LONG);
    crew_hear(crew.begun[0]);
    mob_stop(m, kin.actor, MOB_STOP_NOW);
    bool ready = false;
    cr_assert_eq(mob_wait(m, &owed.ref, 1, 1, 5000, &ready), 1);
    cr_assert(ready);
    mob_t *other = crew_client(&crew);
    cr_assert_eq(mob_wait(other, &owed.ref, 1, 1, 5000, NULL), 1);
    mob_close(&other);
}
