// test_ends.c - how actors end and come again: stopped, killed, crashed, restarted, full; in real processes.

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "crew.h"
#include "kin.h"
#include "notices.h"
#include "story.h"

enum { LONG = 30000 };

static void begin(void)
{
    open_crew(kin_defs, NULL);
}

TestSuite(ends, .init = begin, .fini = close_crew, .timeout = 40);

static void within(int64_t from, int64_t ms)
{
    cr_assert_leq(clock_us() - from, ms * 1000);
}

static kin_h make(const mob_actor_opts_t *opts, pid_t *pid)
{
    kin_h kin = mob_new_with(m, opts, kin, 0, 0);
    *pid = (pid_t)value_of(mob_call(m, kin, kin_pid));
    return kin;
}

static void ends_as(kin_h kin, const char *cause)
{
    mob_reader_t end;
    cr_assert_eq(mob_await(m, mob_watch(m, kin.actor), &end, SOON), MOB_OK);
    cr_assert_str_eq(mob_read_str(&end), cause);
}

// Until a row of the actors has this state and incarnation.
static void wait_until_listed(const char *filter)
{
    int64_t until = clock_us() + 5000000;
    while (rows_of(m, "actors", filter) == 0)
        cr_assert_lt(clock_us(), until, "never %s", filter);
}

// ---- Ended on purpose ---------------------------------------------------------------------------

Test(ends, C51_a_kill_tells_everybody_at_once)
{
    enum { CALLS = 26, WINDOW = 16 };
    pid_t pid, next;
    const mob_actor_opts_t *hits = MOB_ACTOR_OPTS(.name = "hits");
    kin_h kin = make(hits, &pid);
    mob_ref_i64 calls[CALLS];
    calls[0] = mob_call(m, kin, kin_until_told, 10000);
    crew_hear(crew.begun[0]);
    for (int i = 1; i < CALLS; i++)
        calls[i] = mob_call(m, kin, kin_add, 1);
    int64_t from = clock_us();
    mob_stop(m, kin.actor, MOB_STOP_NOW);
    for (int i = 0; i < CALLS; i++) {
        mob_info_t info = failure_of(calls[i].ref, MOB_EDEAD);
        cr_assert(i > 0 || info.executed == MOB_MAYBE_EXECUTED);
        cr_assert(i < CALLS - 9 || info.executed == MOB_NOT_EXECUTED, "%d", i);
        cr_assert_str_eq(info.why, "KILL");
    }
    within(from, 2000);
    make(hits, &next); // the name is free
    crew_wait_for_end(pid);
    struct pollfd fini = {.fd = crew.ended[0], .events = POLLIN};
    cr_assert_eq(poll(&fini, 1, 0), 0, "no fini");
}

Test(ends, C52_a_kill_may_ask_for_a_restart)
{
    pid_t pid;
    kin_h kin = make(MOB_ACTOR_OPTS(.max_restarts = 1, .backoff_ms = 1), &pid);
    cr_assert_eq(value_of(mob_call(m, kin, kin_add, 5)), 5);
    mob_stop(m, kin.actor, MOB_STOP_RESTART);
    wait_until_listed("state=alive incarnation=2");
    cr_assert_eq(value_of(mob_call(m, kin, kin_add, 1)), 1);
    cr_assert_eq(value_of(mob_call(m, kin, kin_incarnation)), 2);
    mob_stop(m, kin.actor, MOB_STOP_RESTART);
    failure_of(mob_call(m, kin, kin_add, 1).ref, MOB_EDEAD);
}

Test(ends, C53_a_stop_comes_after_the_calls_before_it)
{
    pid_t pid;
    kin_h kin = make(NULL, &pid);
    mob_ref_i64 adds[5];
    for (int i = 0; i < 5; i++)
        adds[i] = mob_call(m, kin, kin_add, 1);
    mob_ref_t end = mob_watch(m, kin.actor);
    mob_stop(m, kin.actor, MOB_STOP_DRAIN);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(value_of(adds[i]), i + 1);
    cr_assert_eq(mob_await(m, end, NULL, SOON), MOB_OK);
    ends_as(kin, "STOP");
    crew_hear(crew.ended[0]); // fini
    cr_assert_str_eq(failure_of(mob_call(m, kin, kin_add, 1).ref, MOB_EDEAD).why, "STOP");
}

Test(ends, C55_a_stop_that_takes_too_long_becomes_a_kill)
{
    pid_t pid;
    kin_h kin = make(MOB_ACTOR_OPTS(.stop_ms = 1000), &pid);
    value_of(mob_call(m, kin, kin_hang_in_fini));
    int64_t from = clock_us();
    mob_stop(m, kin.actor, MOB_STOP_DRAIN);
    crew_hear(crew.ended[0]);
    crew_wait_for_end(pid);
    within(from, 3000);
    cr_assert_geq(clock_us() - from, 1000000);
}

Test(ends, C56_nothing_of_it_survives)
{
    pid_t pid;
    kin_h kin = make(NULL, &pid);
    pid_t child = (pid_t)value_of(mob_call(m, kin, kin_fork_one));
    cr_assert_eq(kill(child, 0), 0);
    int64_t from = clock_us();
    mob_stop(m, kin.actor, MOB_STOP_NOW);
    crew_wait_for_end(pid); // reaped: a zombie would still be there
    crew_wait_for_end(child);
    within(from, 2000);
}

Test(ends, C30_a_constructor_that_fails_is_not_tried_again)
{
    kin_h kin = mob_new_with(m, MOB_ACTOR_OPTS(.max_restarts = 3), kin, -1, 0);
    mob_ref_i64 calls[10];
    int64_t from = clock_us();
    for (int i = 0; i < 10; i++)
        calls[i] = mob_call(m, kin, kin_add, 1);
    for (int i = 0; i < 10; i++) {
        mob_info_t info = failure_of(calls[i].ref, MOB_EDEAD);
        cr_assert_str_eq(info.why, "INIT");
        cr_assert_not_null(strstr(info.reason, "oops"), "%s", info.reason);
    }
    within(from, 2000);
    cr_assert_eq(crew_ran(&crew, mob_ready(kin.actor)).count, 1);
}

// ---- Crashes ------------------------------------------------------------------------------------

Test(ends, C65_without_restarts_a_crash_is_the_end)
{
    pid_t pid;
    kin_h kin = make(NULL, &pid);
    mob_ref_i64 calls[5];
    calls[0] = mob_call(m, kin, kin_until_told, LONG);
    crew_hear(crew.begun[0]);
    for (int i = 1; i < 4; i++)
        calls[i] = mob_call(m, kin, kin_add, 1);
    int64_t from = clock_us();
    kill(pid, SIGKILL);
    for (int i = 0; i < 5; i++) {
        if (i == 4)
            calls[4] = mob_call(m, kin, kin_add, 1);
        mob_info_t info = failure_of(calls[i].ref, MOB_EDEAD);
        cr_assert_str_eq(info.why, "CRASH");
        cr_assert_not_null(strstr(info.reason, "signal 9"), "%s", info.reason);
        cr_assert(i > 0 || (info.status & 0x7f) == 9);
    }
    within(from, 5000);
    ends_as(kin, "CRASH");
}

static void kill_and_wait_for(kin_h kin, const char *filter)
{
    kill((pid_t)value_of(mob_call(m, kin, kin_pid)), SIGKILL);
    wait_until_listed(filter);
}

Test(ends, C66_a_restart_begins_anew)
{
    pid_t pid;
    kin_h kin = make(MOB_ACTOR_OPTS(.max_restarts = 1, .backoff_ms = 1), &pid);
    for (int i = 1; i <= 3; i++)
        cr_assert_eq(value_of(mob_call(m, kin, kin_add, 1)), i);
    kill_and_wait_for(kin, "state=alive incarnation=2");
    cr_assert_eq(value_of(mob_call(m, kin, kin_add, 1)), 1);
    kill_and_wait_for(kin, "state=dead");
    mob_ref_i64 calls[100];
    for (int i = 0; i < 100; i++)
        calls[i] = mob_call(m, kin, kin_add, 1);
    for (int i = 0; i < 100; i++)
        failure_of(calls[i].ref, MOB_EDEAD);
}

// Each call writes itself into the ledger when it begins: seqs of one incarnation rise, and none is there more
// than twice.
static void check_ledger(const mob_ref_i64 *calls, size_t count)
{
    static crew_line_t lines[2048];
    size_t total = crew_ledger(&crew, lines, 2048);
    uint64_t last = 0;
    for (size_t i = 0; i < total; i++) {
        last = i > 0 && lines[i].pid == lines[i - 1].pid ? last : 0;
        cr_assert_gt(lines[i].ref.seq, last, "line %zu", i);
        last = lines[i].ref.seq;
    }
    for (size_t i = 0; i < count; i++) {
        int runs = crew_ran(&crew, calls[i].ref).count;
        cr_assert(runs == 1 || runs == 2, "%d runs", runs);
    }
}

Test(ends, C67_calls_may_be_tried_again_in_their_order)
{
    enum { CALLS = 100 };
    pid_t pid;
    kin_h kin = make(
        MOB_ACTOR_OPTS(.max_restarts = 1, .max_task_retries = MOB_FOREVER, .backoff_ms = 1), &pid);
    mob_ref_i64 calls[CALLS];
    for (int i = 0; i < CALLS; i++)
        calls[i] = mob_call(m, kin, kin_until_told, 2);
    for (int i = 0; i < CALLS / 2; i++)
        crew_hear(crew.begun[0]);
    kill(pid, SIGKILL);
    for (int i = 0; i < CALLS; i++)
        cr_assert_eq(value_of(calls[i]), 2);
    cr_assert_eq(value_of(mob_call(m, kin, kin_incarnation)), 2);
    check_ledger(calls, CALLS);
}

Test(ends, C68_an_idle_one_comes_again_without_being_called)
{
    pid_t pid;
    make(MOB_ACTOR_OPTS(.max_restarts = 1, .name = "idle"), &pid);
    int64_t from = clock_us();
    kill(pid, SIGKILL);
    wait_until_listed("name=idle state=alive incarnation=2");
    within(from, 5000);
}

Test(ends, C69_one_that_restarts_is_not_dead)
{
    needs_notices("it restarts for a second, and that is looked for");
    kin_h kin = mob_new_with(m, MOB_ACTOR_OPTS(.max_restarts = 1, .backoff_ms = 1), kin, 0, 1000);
    kill_and_wait_for(kin, "state=restarting");
    mob_info_t info = failure_of(mob_call(m, kin, kin_add, 1).ref, MOB_EUNAVAILABLE);
    cr_assert_eq(info.executed, MOB_NOT_EXECUTED);
    wait_until_listed("state=alive incarnation=2");
    cr_assert_eq(value_of(mob_call(m, kin, kin_add, 1)), 1);
}

// ---- Full ---------------------------------------------------------------------------------------

Test(ends, C118_of_one_caller_only_so_many_are_open)
{
    needs_notices("an answer within 50 ms");
    pid_t pid;
    kin_h kin = make(MOB_ACTOR_OPTS(.max_pending = 5), &pid);
    mob_ref_i64 calls[6];
    calls[0] = mob_call(m, kin, kin_until_told, LONG);
    crew_hear(crew.begun[0]);
    for (int i = 1; i < 5; i++)
        calls[i] = mob_call(m, kin, kin_add, 1);
    int64_t from = clock_us();
    calls[5] = mob_call(m, kin, kin_add, 1);
    mob_info_t info = failure_of(calls[5].ref, MOB_EFULL);
    within(from, 50);
    cr_assert_eq(info.executed, MOB_NOT_EXECUTED);
    cr_assert_str_eq(info.why, "PENDING");
    cr_assert_eq(mob_cancel(m, calls[0].ref, 0), MOB_OK);
    for (int i = 1; i < 5; i++)
        cr_assert_eq(value_of(calls[i]), i);
    cr_assert_eq(value_of(mob_call(m, kin, kin_add, 1)), 5);
}

Test(ends, Z17_a_full_mailbox_is_an_answer_or_a_wait)
{
    needs_notices("an answer within 10 ms");
    enum { MAILBOX = 1000 };
    static mob_ref_i64 calls[MAILBOX];
    pid_t pid;
    kin_h kin = make(NULL, &pid);
    mob_ref_i64 busy = mob_call(m, kin, kin_until_told, LONG);
    crew_hear(crew.begun[0]);
    for (int i = 0; i < MAILBOX; i++)
        calls[i] = mob_call(m, kin, kin_add, 1);
    cr_assert_eq(mob_wait(m, mob_refs(calls), MAILBOX, 1, 200, NULL), 0, "they all fit");
    int64_t fastest = INT64_MAX; // of ten: the machine has others to serve
    for (int i = 0; i < 10; i++) {
        int64_t from = clock_us();
        mob_info_t info = failure_of(mob_call(m, kin, kin_add, 1).ref, MOB_EFULL);
        fastest = clock_us() - from < fastest ? clock_us() - from : fastest;
        cr_assert_eq(info.executed, MOB_NOT_EXECUTED);
        cr_assert_str_eq(info.why, "MAILBOX");
    }
    cr_assert_leq(fastest, 10000);
    const mob_opts_t *patient = MOB_OPTS(.block = true, .timeout_ms = 200);
    mob_err_t err = mob_done(m, mob_call_with(m, kin, patient, kin_add, 1), SOON);
    cr_assert(err == MOB_EFULL || err == MOB_EDEADLINE, "%s", mob_strerror(err)); // it waited in vain
    cr_assert_eq(mob_cancel(m, busy.ref, 0), MOB_OK);
    mob_ref_i64 last = mob_call_with(m, kin, MOB_OPTS(.block = true, .timeout_ms = SOON), kin_add, 1);
    for (int i = 0; i < MAILBOX; i++)
        cr_assert_eq(value_of(calls[i]), i + 1);
    cr_assert_eq(value_of(last), MAILBOX + 1);
}

// ---- Watches and queues -------------------------------------------------------------------------

Test(ends, Z22_each_watch_settles_once_with_the_cause)
{
    pid_t pid;
    kin_h living = make(NULL, &pid), dead = make(NULL, &pid);
    mob_stop(m, dead.actor, MOB_STOP_NOW);
    ends_as(dead, "KILL");
    ends_as(mob_handle(kin, ((mob_actor_t){.owner = 4711, .seq = 1})), "UNKNOWN");
    mob_ref_t watch = mob_watch(m, living.actor);
    cr_assert_eq(mob_await(m, watch, NULL, 50), MOB_ETIMEDOUT);
    mob_stop(m, living.actor, MOB_STOP_NOW);
    cr_assert_eq(mob_await(m, watch, NULL, SOON), MOB_OK);
    ends_as(living, "KILL");
}

Test(ends, Z23_a_head_that_fails_holds_up_nobody)
{
    needs_notices("all of it within a second");
    pid_t pid;
    kin_h kin = make(NULL, &pid);
    mob_ref_i64 late = mob_run(m, until_told, 200), bad = mob_run(m, fetch, "gopher");
    mob_ref_i64 both = mob_run(m, add, late, bad); // fails later
    mob_ref_i64 head = mob_call(m, kin, kin_add, both), calls[10];
    for (int i = 0; i < 10; i++)
        calls[i] = mob_call(m, kin, kin_add, 1);
    int64_t from = clock_us();
    cr_assert_eq(failure_of(head.ref, MOB_EDEP).root, MOB_ETASK);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(value_of(calls[i]), i + 1);
    within(from, 1000);
}
