// test_cancel.c - calling off, through a real broker and real processes: whatever state the call is in, whoever
// asks, and whatever it crosses. Each body that begins is in the ledger.

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "story.h"

enum { LONG = 30000 };

static void begin(void)
{
    open_crew(crew_defs, NULL);
}

TestSuite(cancel, .init = begin, .fini = close_crew, .timeout = 40);

static void is_off(mob_ref_t ref, mob_executed_t executed)
{
    mob_err_t err = mob_await(m, ref, NULL, SOON);
    mob_info_t info = mob_info(m, ref);
    cr_assert_eq(err, MOB_ECANCELLED, "%s: %s", mob_strerror(err), info.reason);
    cr_assert_eq(info.executed, executed, "%d: %s", (int)info.executed, info.reason);
}

static mob_t *another(void) // that the broker has answered
{
    mob_t *client = crew_client(&crew);
    cr_assert_eq(mob_await(client, mob_query(client, "status", NULL), NULL, SOON), MOB_OK);
    return client;
}

static void cancel(mob_ref_t ref, unsigned flags)
{
    cr_assert_eq(mob_cancel(m, ref, flags), MOB_OK);
}

static mob_ref_i64 running(void) // a task, until it is told
{
    mob_ref_i64 ref = mob_run(m, until_told, LONG);
    crew_hear(crew.begun[0]);
    return ref;
}

static tally_h busy_tally(mob_ref_i64 *busy)
{
    tally_h tally = mob_new(m, tally, 0);
    *busy = mob_call(m, tally, tally_until_told, LONG);
    crew_hear(crew.begun[0]);
    return tally;
}

// ---- Tasks --------------------------------------------------------------------------------------

Test(cancel, C73_a_queued_task_never_runs)
{
    mob_ref_i64 busy[] = {running(), running()};
    mob_ref_i64 queued[20];
    for (int i = 0; i < 20; i++)
        queued[i] = mob_run(m, add, i, 1);
    for (int i = 0; i < 20; i += 2)
        cancel(queued[i].ref, 0);
    for (int i = 0; i < 20; i += 2)
        is_off(queued[i].ref, MOB_NOT_EXECUTED);
    cancel(busy[0].ref, 0);
    cancel(busy[1].ref, 0);
    for (int i = 1; i < 20; i += 2)
        cr_assert_eq(value_of(queued[i]), i + 1);
    for (int i = 0; i < 20; i++)
        cr_assert_eq(crew_ran(&crew, queued[i].ref).count, i % 2);
}

Test(cancel, C74_by_force_the_process_of_the_body_ends_and_only_it)
{
    mob_ref_i64 other = running();
    mob_ref_i64 victim = mob_run(m, deaf, LONG);
    crew_hear(crew.begun[0]);
    mob_ref_i64 behind[4]; // in the hands of both, or still queued; a single run is all they have
    for (int i = 0; i < 4; i++)
        behind[i] = mob_run_with(m, MOB_OPTS(.max_retries = MOB_NONE), add, i, 1);
    pid_t pid = crew_ran(&crew, victim.ref).pid;
    cancel(victim.ref, MOB_CANCEL_FORCE);
    is_off(victim.ref, MOB_MAYBE_EXECUTED);
    crew_wait_for_end(pid);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(value_of(behind[i]), i + 1, "the next ones work");
    cr_assert_eq(mob_info(m, other.ref).state, MOB_PENDING);
    cr_assert_eq(kill(crew_ran(&crew, other.ref).pid, 0), 0, "the other process lives");
    cancel(other.ref, 0);
}

Test(cancel, C75_those_that_need_it_fail_and_name_it)
{
    mob_ref_i64 a = running();
    mob_ref_i64 b = mob_run(m, add, a, 1), c = mob_run(m, add, b, 1), d = mob_run(m, add, c, 1);
    mob_ref_i64 unrelated = mob_run(m, add, 1, 1);
    cancel(a.ref, 0);
    is_off(a.ref, MOB_MAYBE_EXECUTED);
    const mob_ref_t chain[] = {a.ref, b.ref, c.ref, d.ref};
    for (int i = 1; i < 4; i++) {
        cr_assert_eq(mob_await(m, chain[i], NULL, 2000), MOB_EDEP);
        mob_info_t info = mob_info(m, chain[i]);
        cr_assert_eq(info.root, MOB_ECANCELLED);
        cr_assert_eq(info.executed, MOB_NOT_EXECUTED);
        cr_assert(mob_same(info.cause, chain[i - 1]));
        cr_assert_not_null(strstr(info.reason, "cancelled by tester"), "%s", info.reason);
    }
    cr_assert_eq(value_of(unrelated), 2);
}

Test(cancel, C76_what_has_settled_stays)
{
    mob_ref_i64 sum = mob_run(m, add, 40, 2);
    cr_assert_eq(value_of(sum), 42);
    cancel(sum.ref, 0);
    cancel(sum.ref, MOB_CANCEL_FORCE);
    mob_ref_nil by_other = mob_run(m, call_off, sum.ref, MOB_CANCEL_FORCE);
    cr_assert_eq(mob_done(m, by_other, SOON), MOB_OK);
    cr_assert_eq(value_of(sum), 42);
}

Test(cancel, C77_a_borrower_may)
{
    mob_ref_i64 own = running();
    mob_ref_nil borrower = mob_run(m, call_off, own.ref, 0);
    is_off(own.ref, MOB_MAYBE_EXECUTED);
    cr_assert_eq(mob_done(m, borrower, SOON), MOB_OK);
    crew_hear(crew.begun[0]); // its body came home
}

Test(cancel, of_another_namespace_one_may_not)
{
    mob_t *stranger = mob_connect(&(mob_config_t){.endpoint = crew.address, .space = "elsewhere"});
    mob_ref_i64 own = running();
    cr_assert_eq(mob_cancel(stranger, own.ref, 0), MOB_OK);
    cr_assert_eq(mob_await(stranger, mob_query(stranger, "status", NULL), NULL, SOON), MOB_OK);
    // The broker has decided by now.
    cr_assert_eq(mob_await(m, own.ref, NULL, 50), MOB_ETIMEDOUT);
    cancel(own.ref, 0);
    mob_close(&stranger);
}

// ---- Calls of actors ----------------------------------------------------------------------------

Test(cancel, C78_queued_calls_of_an_actor_never_run)
{
    mob_ref_i64 busy, late = running();
    tally_h tally = busy_tally(&busy);
    mob_ref_i64 in_window = mob_call(m, tally, tally_inc, 1);
    mob_ref_i64 waiting = mob_call(m, tally, tally_inc, late);
    mob_ref_i64 other = mob_call(m, tally, tally_inc, 10);
    cancel(waiting.ref, 0);
    is_off(waiting.ref, MOB_NOT_EXECUTED);
    cancel(in_window.ref, 0);
    is_off(in_window.ref, MOB_NOT_EXECUTED);
    kill(crew.broker, SIGSTOP);
    mob_ref_i64 not_accepted = mob_call(m, tally, tally_inc, 100);
    cancel(not_accepted.ref, 0);
    cr_assert_eq(mob_await(m, not_accepted.ref, NULL, 50), MOB_ETIMEDOUT);
    kill(crew.broker, SIGCONT);
    is_off(not_accepted.ref, MOB_NOT_EXECUTED);
    cancel(busy.ref, 0);
    cancel(late.ref, 0);
    cr_assert_eq(value_of(other), 10, "others run");
    const mob_ref_i64 never[] = {in_window, waiting, not_accepted};
    for (int i = 0; i < 3; i++)
        cr_assert_eq(crew_ran(&crew, never[i].ref).count, 0);
}

Test(cancel, C79_a_running_call_of_an_actor_is_told_and_the_actor_goes_on)
{
    mob_ref_i64 busy;
    tally_h tally = busy_tally(&busy);
    cancel(busy.ref, 0);
    is_off(busy.ref, MOB_MAYBE_EXECUTED);
    crew_hear(crew.begun[0]); // it came home
    cr_assert_eq(value_of(mob_call(m, tally, tally_inc, 1)), 1);
    cr_assert_eq(value_of(mob_call(m, tally, tally_incarnation)), 1);
}

Test(cancel, C80_force_does_not_fit_a_call_of_an_actor)
{
    mob_t *borrower = another();
    tally_h tally = mob_new(m, tally, 0);
    mob_ref_i64 busy = mob_call(m, tally, tally_until_told, 300);
    crew_hear(crew.begun[0]);
    cr_assert_eq(mob_cancel(m, busy.ref, MOB_CANCEL_FORCE), MOB_EARGS);
    cr_assert_eq(mob_await(borrower, busy.ref, NULL, 0), MOB_ETIMEDOUT);
    cr_assert_eq(mob_cancel(borrower, busy.ref, MOB_CANCEL_FORCE), MOB_OK); // the broker refuses
    cr_assert_eq(mob_await(borrower, busy.ref, NULL, SOON), MOB_OK);
    cr_assert_eq(value_of(busy), 300, "the call completes");
    mob_close(&borrower);
}

// ---- Children -----------------------------------------------------------------------------------

Test(cancel, takes_children_along_at_any_depth)
{
    mob_ref_i64 root = mob_run(m, parent, 4, LONG);
    crew_hear(crew.begun[0]); // the one at the bottom runs
    cancel(root.ref, 0);
    is_off(root.ref, MOB_MAYBE_EXECUTED);
    crew_hear(crew.begun[0]); // and has come home
    cr_assert_eq(value_of(mob_run(m, add, 1, 1)), 2);
}

Test(cancel, alone_leaves_the_child_to_its_work)
{
    mob_ref_i64 root = mob_run(m, parent, 1, 300);
    crew_hear(crew.begun[0]);
    cancel(root.ref, MOB_CANCEL_ALONE);
    is_off(root.ref, MOB_MAYBE_EXECUTED);
    cr_assert_eq(mob_cancel(m, root.ref, 4), MOB_EARGS);
    crew_hear(crew.begun[0]);
}

Test(cancel, an_owner_that_closes_takes_its_calls_along)
{
    mob_t *owner = crew_client(&crew);
    mob_ref_i64 runs = mob_run(owner, parent, 2, LONG);
    crew_hear(crew.begun[0]);
    mob_ref_i64 busy = running(), queued = mob_run(owner, add, runs, 1);
    mob_close(&owner);
    crew_hear(crew.begun[0]); // the child of its body came home
    cancel(busy.ref, 0);
    cr_assert_eq(value_of(mob_run(m, add, 1, 1)), 2);
    cr_assert_eq(crew_ran(&crew, queued.ref).count, 0);
}

Test(cancel, giving_up_a_wait_cancels_nothing)
{
    mob_ref_i64 slow = mob_run(m, until_told, 200);
    crew_hear(crew.begun[0]);
    cr_assert_eq(mob_done(m, slow, 20), MOB_ETIMEDOUT);
    cr_assert_eq(mob_wait(m, &slow.ref, 1, 1, 20, NULL), 0);
    cr_assert_eq(value_of(slow), 200);
}

// ---- Brokers that are away ----------------------------------------------------------------------

Test(cancel, is_remembered_while_the_broker_is_away)
{
    mob_ref_i64 busy;
    tally_h tally = busy_tally(&busy);
    mob_ref_i64 in_window = mob_call(m, tally, tally_inc, 1);
    mob_ref_i64 after = mob_call(m, tally, tally_inc, 1);
    cancel(after.ref, 0);
    is_off(after.ref, MOB_NOT_EXECUTED); // its worker said so: what came before has arrived there
    crew_kill_broker(&crew);
    mob_ref_i64 never_sent = mob_call(m, tally, tally_inc, 100);
    const mob_ref_i64 all[] = {busy, in_window, never_sent};
    for (int i = 0; i < 3; i++)
        cancel(all[i].ref, 0);
    cr_assert_eq(mob_await(m, busy.ref, NULL, 50), MOB_EOFFLINE);
    crew_start_broker(&crew);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(mob_await(m, all[i].ref, NULL, SOON), MOB_ECANCELLED, "%d: %s", i,
                     mob_reason(m, all[i].ref));
    cr_assert_eq(value_of(mob_call(m, tally, tally_inc, 10)), 10);
    cr_assert_eq(crew_ran(&crew, never_sent.ref).count, 0);
}

// ---- Hazards ------------------------------------------------------------------------------------

Test(cancel, Z13_racing_the_result_all_hear_the_same)
{
    enum { CALLS = 1000 };
    static mob_ref_i64 calls[CALLS];
    mob_t *other = crew_client(&crew);
    unsigned seed = 13, lost = 0;
    for (int i = 0; i < CALLS; i++) {
        calls[i] = mob_run(m, add, i, 1);
        unsigned back = (unsigned)rand_r(&seed) % 8;
        if (i >= (int)back && rand_r(&seed) % 2)
            cancel(calls[i - (int)back].ref, 0);
        if (rand_r(&seed) % 64 == 0)
            mob_wait(m, &calls[i].ref, 1, 1, SOON, NULL);
    }
    for (int i = 0; i < CALLS; i++) {
        int64_t mine = 0, theirs = 0;
        mob_err_t err = mob_get(m, calls[i], &mine, SOON);
        cr_assert_eq(mob_get(other, calls[i], &theirs, SOON), err);
        cr_assert(err == MOB_ECANCELLED || (err == MOB_OK && mine == i + 1 && theirs == mine));
        lost += err == MOB_ECANCELLED;
    }
    cr_assert(lost > 0 && lost < CALLS, "%u of %d: no race", lost, CALLS);
    mob_close(&other);
}

typedef struct waiter {
    mob_t *client;
    mob_ref_t ref;
    mob_err_t err;
} waiter_t;

static void *wait_for_it(void *arg)
{
    waiter_t *self = arg;
    self->err = mob_await(self->client, self->ref, NULL, SOON);
    return NULL;
}

Test(cancel, Z24_every_session_hears_of_it_before_and_after)
{
    mob_ref_i64 task = running();
    waiter_t before = {another(), task.ref, MOB_OK};
    pthread_t thread;
    cr_assert_eq(mob_await(before.client, task.ref, NULL, 20), MOB_ETIMEDOUT);
    cr_assert_eq(pthread_create(&thread, NULL, wait_for_it, &before), 0);
    cancel(task.ref, 0);
    is_off(task.ref, MOB_MAYBE_EXECUTED);
    pthread_join(thread, NULL);
    cr_assert_eq(before.err, MOB_ECANCELLED);
    mob_t *after = crew_client(&crew);
    cr_assert_eq(mob_await(after, task.ref, NULL, 2000), MOB_ECANCELLED);
    cr_assert_eq(mob_await(m, task.ref, NULL, 0), MOB_ECANCELLED);
    mob_close(&before.client);
    mob_close(&after);
}
