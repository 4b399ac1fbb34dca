// test_worker_wire.c - what a worker answers to what a broker says, message by message; also to
// what only a confused one says.

#include <criterion/criterion.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "clerk.h"

static paper_t *paper;
static clerk_t clerk;
static atomic_int runs;       // bodies begun
static int gate[2], begun[2]; // a body waits at the gate, after it said that it has begun

// ---- Bodies -------------------------------------------------------------------------------------

static mob_err_t next_number(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)ctx, (void)args;
    int64_t *value = state;
    atomic_fetch_add(&runs, 1);
    mob_write(result, (mob_value_t){.kind = MOB_KIND_I64, .i64 = value ? ++*value : 0});
    return MOB_OK;
}

static mob_err_t at_the_gate(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    char byte = '.';
    (void)state, (void)args, (void)result;
    atomic_fetch_add(&runs, 1);
    if (write(begun[1], &byte, 1) != 1 || read(gate[0], &byte, 1) != 1)
        return MOB_EINTERNAL;
    return mob_cancelled(ctx) ? mob_fail(ctx, 9, "told to stop") : MOB_OK;
}

static mob_err_t needs_other(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)state, (void)args, (void)result;
    return mob_await(ctx->client, mob_submit(ctx->client, "other -> i64", NULL, NULL, 0), NULL,
                     MOB_FOREVER);
}

static mob_err_t three_items(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    mob_err_t err = MOB_OK;
    (void)state, (void)args;
    atomic_fetch_add(&runs, 1);
    for (int64_t i = 0; i < 3 && !err; i++) {
        mob_write(result, (mob_value_t){.kind = MOB_KIND_I64, .i64 = i});
        err = mob_yield(ctx);
    }
    return err;
}

static mob_promise_t owed;
static atomic_int settled; // how often it was, and that counted

static mob_err_t later(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)state, (void)args, (void)result;
    atomic_fetch_add(&runs, 1);
    owed = mob_defer_call(ctx);
    return MOB_OK;
}

static mob_err_t slowly(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)at_the_gate(ctx, state, args, result);
    return later(ctx, state, args, result);
}

static mob_err_t now(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)state, (void)args, (void)result;
    const mob_value_t seven = {.kind = MOB_KIND_I64, .i64 = 7};
    atomic_fetch_add(&settled, mob_settle(ctx->client, owed, seven));
    return MOB_OK;
}

static const mob_method_t methods[] = {{"next -> i64", NULL, next_number},
                                       {"later -> i64", NULL, later},
                                       {"slowly -> i64", NULL, slowly},
                                       {"now -> nil", NULL, now},
                                       {"gate -> nil", NULL, at_the_gate},
                                       {"flow -> stream(i64)", NULL, three_items},
                                       {0}};
static const mob_def_t defs[] = {{.name = "next -> i64", .invoke = next_number},
                                 {.name = "gate -> nil", .invoke = at_the_gate},
                                 {.name = "needs -> nil", .invoke = needs_other},
                                 {.name = "flow -> stream(i64)", .invoke = three_items},
                                 {.name = "thing", .methods = methods, .state_size = sizeof(int64_t)},
                                 {0}};

enum { NEXT = 1, GATE, NEEDS, FLOW, THING, LATER, SLOWLY, NOW }; // symbols
enum { CALLER = 7 };
static const mob_ref_t thing = {CALLER, 1000};

static void open_paper(enum wire_start kind)
{
    static const char *const names[] = {"next -> i64",         "gate -> nil", "needs -> nil",
                                        "flow -> stream(i64)", "thing",       "later -> i64",
                                        "slowly -> i64",       "now -> nil"};
    cr_assert_eq(pipe(gate) || pipe(begun), 0);
    paper = paper_open();
    clerk_begin(&clerk, paper, defs, kind);
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++)
        paper_say(paper, NAME, name, .symbol = i + 1, .text = paper_text(names[i]));
    paper_send(paper);
}

static void open_tasks(void)
{
    open_paper(START_TASKS);
}

static void close_paper(void)
{
    clerk_end(&clerk);
    paper_close(&paper);
}

static void run_task(uint64_t seq, uint32_t attempt, uint32_t symbol)
{
    paper_say(paper, RUN, run, .ref = {CALLER, seq}, .attempt = attempt, .symbol = symbol,
              .remaining_ms = -1, .epoch = paper->epoch);
}

static void run_method(uint64_t seq, uint32_t symbol, uint32_t incarnation)
{
    paper_say(paper, RUN, run, .ref = {CALLER, seq}, .symbol = symbol, .actor = thing,
              .incarnation = incarnation, .remaining_ms = -1, .epoch = paper->epoch);
}

static void open_with(const opts_t *opts)
{
    open_paper(START_ACTOR);
    paper_say(paper, MAKE, make, .actor = thing, .incarnation = 3, .cls = THING,
              .opts = {.set = opts}, .remaining_ms = -1, .epoch = paper->epoch);
    paper_send(paper);
    const msg_result_t *made = &paper_hear(paper, VERB_RESULT)->result;
    cr_assert(mob_same(made->ref, thing));
    cr_assert_eq(made->attempt, 3);
}

static void open_actor(void)
{
    open_with(NULL);
}

static void open_threads(void)
{
    open_with(&(opts_t){.max_concurrency = 2});
}

TestSuite(tasks_wire, .init = open_tasks, .fini = close_paper, .timeout = 20);
TestSuite(actor_wire, .init = open_actor, .fini = close_paper, .timeout = 20);
TestSuite(threads_wire, .init = open_threads, .fini = close_paper, .timeout = 20);

static int hear_result(uint64_t seq)
{
    const msg_result_t *result = &paper_hear(paper, VERB_RESULT)->result;
    cr_assert_eq(result->ref.seq, seq, "%d, not %d", (int)result->ref.seq, (int)seq);
    return result->value.data[0];
}

static msg_fail_t hear_fail(uint64_t seq, mob_err_t code, mob_executed_t executed)
{
    msg_fail_t fail = paper_hear(paper, VERB_FAIL)->fail;
    cr_assert_eq(fail.ref.seq, seq);
    cr_assert_eq(fail.code, code, "%d: %.*s", (int)fail.code, (int)fail.text.size,
                 (const char *)fail.text.data);
    cr_assert_eq(fail.executed, executed);
    return fail;
}

static void wait_for_begin(void)
{
    struct pollfd news = {.fd = begun[0], .events = POLLIN};
    char byte;
    cr_assert_eq(poll(&news, 1, 10000), 1, "no body began");
    cr_assert_eq(read(begun[0], &byte, 1), 1);
}

static void open_gate(void)
{
    cr_assert_eq(write(gate[1], ".", 1), 1);
}

static void new_broker(void)
{
    paper_forget(paper);
    paper_hear_hello(paper);
    paper_welcome(paper, paper->epoch + 1);
}

static void hear_what_it_has(size_t hands)
{
    paper_hear(paper, VERB_HOLD);
    while (hands-- > 0)
        paper_hear(paper, VERB_HAVE);
    paper_hear(paper, VERB_RESULT); // of the making: nobody has acknowledged it
    paper_hear(paper, VERB_OPEN);
}

// ---- At most once -------------------------------------------------------------------------------

Test(actor_wire, a_call_that_comes_twice_runs_once_and_is_answered_twice)
{
    run_method(1, NEXT, 3);
    paper_send(paper);
    cr_assert_eq(hear_result(1), 1);
    run_method(1, NEXT, 3);
    run_method(2, NEXT, 3);
    paper_send(paper);
    cr_assert_eq(hear_result(1), 1, "the very same answer");
    cr_assert_eq(hear_result(2), 2);
    cr_assert_eq(runs, 2);
}

Test(actor_wire, a_making_that_comes_twice_is_answered_twice)
{
    run_method(1, NEXT, 3);
    paper_say(paper, MAKE, make, .actor = thing, .incarnation = 3, .cls = THING, .remaining_ms = -1,
              .epoch = paper->epoch);
    run_method(2, NEXT, 3);
    paper_send(paper);
    paper_hear(paper, VERB_RESULT);
    cr_assert(mob_same(paper->message.result.ref, thing) || paper->message.result.ref.seq == 1);
    paper_hear(paper, VERB_RESULT);
    cr_assert_eq(hear_result(2), 2, "its state was kept");
}

Test(actor_wire, another_incarnation_is_not_this_one)
{
    run_method(1, NEXT, 4);
    run_method(2, NEXT, 2);
    paper_send(paper);
    hear_fail(1, MOB_EUNAVAILABLE, MOB_NOT_EXECUTED);
    hear_fail(2, MOB_EUNAVAILABLE, MOB_NOT_EXECUTED);
    cr_assert_eq(runs, 0);
}

Test(actor_wire, Z14_a_broker_of_the_past_is_not_obeyed)
{
    new_broker();
    hear_what_it_has(0);
    paper_say(paper, RUN, run, .ref = {CALLER, 1}, .symbol = NEXT, .actor = thing, .incarnation = 3,
              .remaining_ms = -1, .epoch = paper->epoch - 1);
    run_method(2, NEXT, 3);
    paper_say(paper, NAME, name, .symbol = NEXT, .text = paper_text("next -> i64"));
    run_method(3, NEXT, 3);
    paper_send(paper);
    uint64_t seq = hear_result(2) ? 3 : 0;
    hear_result(seq);
    cr_assert_eq(runs, 2);
}

Test(tasks_wire, each_attempt_of_a_task_is_a_run)
{
    run_task(1, 0, NEXT);
    run_task(1, 1, NEXT);
    run_task(1, 1, NEXT); // the same once more, before it has begun
    paper_send(paper);
    hear_result(1);
    cr_assert_eq(paper->message.result.attempt, 0);
    hear_result(1);
    cr_assert_eq(paper->message.result.attempt, 1);
    run_task(1, 0, NEXT); // and after it has ended
    paper_send(paper);
    hear_result(1);
    cr_assert_eq(paper->message.result.attempt, 0);
    paper_hear_nothing(paper, 50);
    cr_assert_eq(runs, 2);
}

Test(tasks_wire, what_it_takes_is_told_to_a_later_broker)
{
    opts_t takes = {.cpus_e4 = 20000, .resources = paper_text("disk=1")};
    paper_say(paper, RUN, run, .ref = {CALLER, 1}, .symbol = GATE, .remaining_ms = -1,
              .epoch = paper->epoch, .opts = {.set = &takes});
    paper_send(paper);
    wait_for_begin();
    new_broker();
    opts_t told = opts_read(paper_hear(paper, VERB_HAVE)->have.opts);
    cr_assert_eq(told.cpus_e4, 20000);
    cr_assert_eq(told.resources.size, 6u);
    open_gate();
}

Test(tasks_wire, who_leaves_waits_until_its_results_were_taken)
{
    run_task(1, 0, NEXT);
    paper_say(paper, STOP, stop, .actor = {0});
    paper_send(paper);
    hear_result(1);
    paper_hear_nothing(paper, 100);
    paper_say(paper, TAKEN, taken, .count = 1);
    paper_send(paper);
    paper_hear(paper, VERB_BYE);
}

Test(tasks_wire, what_this_program_does_not_offer_is_not_found)
{
    paper_say(paper, NAME, name, .symbol = 9, .text = paper_text("nothing -> nil"));
    run_task(1, 0, 9);
    run_task(2, 0, 77);
    paper_send(paper);
    hear_fail(1, MOB_ENOTFOUND, MOB_NOT_EXECUTED);
    hear_fail(2, MOB_ENOTFOUND, MOB_NOT_EXECUTED);
}

Test(actor_wire, a_call_to_an_actor_that_is_not_here_says_so)
{
    paper_say(paper, RUN, run, .ref = {CALLER, 1}, .symbol = NEXT, .actor = {CALLER, 1001},
              .incarnation = 1, .remaining_ms = -1, .epoch = paper->epoch);
    paper_send(paper);
    hear_fail(1, MOB_EUNAVAILABLE, MOB_NOT_EXECUTED);
}

// ---- A new broker -------------------------------------------------------------------------------

Test(actor_wire, a_new_broker_hears_what_there_is)
{
    run_method(1, NEXT, 3);
    run_method(2, GATE, 3);
    run_method(3, NEXT, 3);
    paper_send(paper);
    hear_result(1);
    wait_for_begin();
    paper_say(paper, TAKEN, taken, .count = 1); // the making; not 1
    paper_send(paper);
    new_broker();
    const msg_hold_t *hold = &paper_hear(paper, VERB_HOLD)->hold;
    cr_assert(mob_same(hold->actor, thing));
    cr_assert_eq(hold->incarnation, 3);
    const msg_have_t *have = &paper_hear(paper, VERB_HAVE)->have;
    cr_assert_eq(have->ref.seq, 2);
    cr_assert_eq(have->state, HAND_RUNNING);
    have = &paper_hear(paper, VERB_HAVE)->have;
    cr_assert_eq(have->ref.seq, 3);
    cr_assert_eq(have->state, HAND_WAITING);
    cr_assert_eq(hear_result(1), 1);
    paper_hear(paper, VERB_OPEN);
    open_gate();
    hear_result(2);
    cr_assert_eq(hear_result(3), 2);
}

Test(actor_wire, what_is_in_hand_and_comes_again_runs_once)
{
    run_method(1, GATE, 3);
    run_method(2, NEXT, 3);
    paper_send(paper);
    wait_for_begin();
    new_broker();
    hear_what_it_has(2);
    paper_say(paper, NAME, name, .symbol = GATE, .text = paper_text("gate -> nil"));
    paper_say(paper, NAME, name, .symbol = NEXT, .text = paper_text("next -> i64"));
    run_method(1, GATE, 3);
    run_method(2, NEXT, 3);
    run_method(3, NEXT, 99);
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, 3});
    paper_send(paper);
    hear_fail(3, MOB_ECANCELLED, MOB_NOT_EXECUTED); // all of it has arrived
    open_gate();
    hear_result(1);
    cr_assert_eq(hear_result(2), 1);
    paper_hear_nothing(paper, 100);
    cr_assert_eq(runs, 2);
}

// ---- A new connection ---------------------------------------------------------------------------
// The broker goes on sending to it what it means for the one before. Some of that was lost.

static void both_run_in_order(void)
{
    run_method(1, NEXT, 3);
    run_method(2, NEXT, 3);
    paper_send(paper);
    cr_assert_eq(hear_result(1), 1);
    cr_assert_eq(hear_result(2), 2);
}

Test(actor_wire, what_comes_before_welcome_is_not_done)
{
    paper_forget(paper);
    paper_hear_hello(paper);
    run_method(2, NEXT, 3);
    paper_say(paper, MAKE, make, .actor = {CALLER, 1001}, .incarnation = 1, .cls = THING,
              .remaining_ms = -1, .epoch = paper->epoch);
    paper_say(paper, STOP, stop, .actor = thing);
    paper_welcome(paper, paper->epoch);
    hear_what_it_has(0);
    both_run_in_order();
}

Test(actor_wire, nor_is_a_call_cancelled_before_welcome)
{
    run_method(1, GATE, 3);
    run_method(2, NEXT, 3);
    paper_send(paper);
    wait_for_begin();
    paper_forget(paper);
    paper_hear_hello(paper);
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, 1});
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, 2});
    paper_welcome(paper, paper->epoch);
    hear_what_it_has(2);
    open_gate();
    hear_result(1);
    cr_assert_eq(hear_result(2), 1);
}

Test(actor_wire, a_run_that_the_new_connection_brings_first_waits_for_its_turn)
{
    paper_move(paper); // with the first call
    run_method(2, NEXT, 3);
    paper_send(paper);
    paper_hear_hello(paper);
    paper_welcome(paper, paper->epoch);
    hear_what_it_has(0);
    both_run_in_order();
}

Test(actor_wire, also_when_it_was_not_seen_that_there_is_another_connection)
{
    paper_stall(clerk.worker->session);
    paper_move(paper);
    run_method(2, NEXT, 3);
    paper_send(paper);
    paper_wait_for_arrival(clerk.worker->session);
    paper_go_on(clerk.worker->session);
    paper_hear_hello(paper);
    paper_welcome(paper, paper->epoch);
    hear_what_it_has(0);
    both_run_in_order();
}

Test(actor_wire, the_welcome_of_the_connection_before_is_none)
{
    paper_forget(paper);
    paper_hear_hello(paper);
    paper_stall(clerk.worker->session);
    paper_welcome(paper, paper->epoch);
    paper_wait_for_arrival(clerk.worker->session);
    paper_move(paper);
    run_method(2, NEXT, 3);
    paper_send(paper);
    paper_go_on(clerk.worker->session);
    paper_hear_hello(paper);
    paper_welcome(paper, paper->epoch);
    hear_what_it_has(0);
    both_run_in_order();
}

Test(actor_wire, a_welcome_that_comes_twice_is_followed_once)
{
    paper_forget(paper);
    paper_hear_hello(paper);
    paper_welcome(paper, paper->epoch);
    hear_what_it_has(0);
    paper_welcome(paper, paper->epoch);
    both_run_in_order();
}

// ---- Cancel, deadline, stop ---------------------------------------------------------------------

Test(actor_wire, a_waiting_call_is_cancelled_a_running_one_is_told)
{
    run_method(1, GATE, 3);
    run_method(2, NEXT, 3);
    paper_send(paper);
    wait_for_begin();
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, 2});
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, 1});
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, 99});
    paper_send(paper);
    hear_fail(2, MOB_ECANCELLED, MOB_NOT_EXECUTED);
    open_gate();
    cr_assert_eq(hear_fail(1, MOB_ETASK, MOB_EXECUTED).app_code, 9, "it saw it");
    cr_assert_eq(runs, 1);
}

Test(tasks_wire, force_leaves_nothing_in_the_hand_but_the_running_body)
{
    run_task(1, 0, GATE);
    paper_send(paper);
    wait_for_begin();
    run_task(2, 0, NEXT);
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, 1}, .flags = MOB_CANCEL_FORCE);
    paper_send(paper);
    refs_t given = paper_hear(paper, VERB_GIVE)->give.refs;
    cr_assert_eq(given.count, 1);
    cr_assert_eq(refs_next(&given).seq, 2);
    cr_assert_eq(paper_hear(paper, VERB_BEGUN)->begun.ref.seq, 1);
    open_gate();
    hear_fail(1, MOB_ETASK, MOB_EXECUTED);
    cr_assert_eq(runs, 1);
}

Test(tasks_wire, force_that_comes_too_late_says_nothing)
{
    run_task(1, 0, NEXT);
    paper_send(paper);
    hear_result(1);
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, 1}, .flags = MOB_CANCEL_FORCE);
    paper_send(paper);
    paper_hear_nothing(paper, 50);
}

Test(actor_wire, a_call_whose_time_is_over_before_it_begins_does_not_run)
{
    run_method(1, GATE, 3);
    paper_say(paper, RUN, run, .ref = {CALLER, 2}, .symbol = NEXT, .actor = thing, .incarnation = 3,
              .remaining_ms = 0, .epoch = paper->epoch);
    paper_send(paper);
    wait_for_begin();
    open_gate();
    hear_result(1);
    hear_fail(2, MOB_EDEADLINE, MOB_NOT_EXECUTED);
    cr_assert_eq(runs, 1);
}

Test(actor_wire, a_stop_waits_for_what_came_before_it)
{
    run_method(1, NEXT, 3);
    paper_say(paper, STOP, stop, .actor = thing);
    run_method(2, NEXT, 3);
    paper_send(paper);
    hear_result(1);
    const msg_stop_t *stop = &paper_hear(paper, VERB_STOP)->stop;
    cr_assert(mob_same(stop->actor, thing));
    cr_assert_eq(stop->how, STOP_ENDED);
    hear_fail(2, MOB_EDEAD, MOB_NOT_EXECUTED);
    paper_hear(paper, VERB_BYE);
}

// ---- Answers that are put off -------------------------------------------------------------------

static void hear_begun(uint64_t seq)
{
    cr_assert_eq(paper_hear(paper, VERB_BEGUN)->begun.ref.seq, seq);
}

Test(actor_wire, an_answer_that_was_put_off_comes_once)
{
    run_method(1, LATER, 3);
    paper_send(paper);
    hear_begun(1);
    run_method(1, LATER, 3); // it is in hand
    run_method(2, NOW, 3);
    paper_send(paper);
    cr_assert_eq(hear_result(1), 7);
    hear_result(2);
    run_method(3, NOW, 3);
    run_method(1, LATER, 3); // it was answered
    paper_send(paper);
    cr_assert_eq(hear_result(1), 7);
    hear_result(3);
    cr_assert_eq(runs, 1);
    cr_assert_eq(settled, 1);
}

Test(actor_wire, one_that_was_put_off_is_over_when_it_is_called_off)
{
    run_method(1, LATER, 3);
    paper_send(paper);
    hear_begun(1);
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, 1});
    run_method(2, NOW, 3);
    paper_send(paper);
    hear_fail(1, MOB_ECANCELLED, MOB_EXECUTED);
    hear_result(2);
    cr_assert_eq(settled, 0);
}

Test(actor_wire, what_was_called_off_before_it_is_put_off_is_not)
{
    run_method(1, SLOWLY, 3);
    paper_send(paper);
    wait_for_begin();
    run_method(2, NEXT, 3);
    run_method(3, NOW, 3);
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, 1});
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, 2});
    paper_send(paper);
    hear_fail(2, MOB_ECANCELLED, MOB_NOT_EXECUTED);
    open_gate();
    hear_fail(1, MOB_ECANCELLED, MOB_EXECUTED);
    hear_result(3);
    cr_assert_eq(settled, 0);
}

Test(actor_wire, a_new_broker_hears_what_was_put_off)
{
    run_method(1, LATER, 3);
    paper_send(paper);
    hear_begun(1);
    new_broker();
    paper_hear(paper, VERB_HOLD);
    cr_assert_eq(paper_hear(paper, VERB_HAVE)->have.state, HAND_RUNNING);
    hear_begun(1);
    paper_hear(paper, VERB_RESULT); // of the making
    paper_hear(paper, VERB_OPEN);
    paper_say(paper, NAME, name, .symbol = NOW, .text = paper_text("now -> nil"));
    run_method(2, NOW, 3);
    paper_send(paper);
    cr_assert_eq(hear_result(1), 7);
    hear_result(2);
}

Test(actor_wire, an_end_forgets_what_was_put_off)
{
    run_method(1, LATER, 3);
    paper_say(paper, STOP, stop, .actor = thing);
    paper_send(paper);
    hear_begun(1);
    cr_assert_eq(paper_hear(paper, VERB_STOP)->stop.how, STOP_ENDED);
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, 1});
    paper_send(paper);
    paper_hear(paper, VERB_BYE);
}

// ---- Bodies that run at once --------------------------------------------------------------------

static void two_at_the_gate(void)
{
    for (uint64_t seq = 1; seq <= 2; seq++) {
        run_method(seq, GATE, 3);
        paper_send(paper);
        hear_begun(seq);
        wait_for_begin();
    }
}

Test(threads_wire, two_run_at_once_and_the_third_waits)
{
    two_at_the_gate();
    run_method(3, NEXT, 3);
    run_method(2, GATE, 3); // it is in hand
    paper_send(paper);
    paper_hear_nothing(paper, 50);
    open_gate();
    paper_hear(paper, VERB_RESULT); // of either
    hear_begun(3);
    cr_assert_eq(hear_result(3), 1);
    open_gate();
    paper_hear(paper, VERB_RESULT);
    cr_assert_eq(runs, 3);
}

Test(threads_wire, an_end_waits_for_all_that_run)
{
    two_at_the_gate();
    paper_say(paper, STOP, stop, .actor = thing);
    paper_send(paper);
    open_gate();
    paper_hear(paper, VERB_RESULT);
    paper_hear_nothing(paper, 50);
    open_gate();
    paper_hear(paper, VERB_RESULT);
    cr_assert_eq(paper_hear(paper, VERB_STOP)->stop.how, STOP_ENDED);
}

Test(threads_wire, a_new_broker_hears_of_all_that_run)
{
    two_at_the_gate();
    new_broker();
    paper_hear(paper, VERB_HOLD);
    for (uint64_t seq = 1; seq <= 2; seq++) {
        const msg_have_t *have = &paper_hear(paper, VERB_HAVE)->have;
        cr_assert_eq(have->ref.seq, seq);
        cr_assert_eq(have->state, HAND_RUNNING);
        hear_begun(seq);
    }
    paper_hear(paper, VERB_RESULT); // of the making
    paper_hear(paper, VERB_OPEN);
    open_gate();
    open_gate();
    paper_hear(paper, VERB_RESULT);
    paper_hear(paper, VERB_RESULT);
}

// ---- Bodies that take their time ----------------------------------------------------------------

Test(tasks_wire, tasks_behind_a_slow_body_are_given_back)
{
    run_task(1, 0, GATE);
    run_task(2, 0, NEXT);
    run_task(3, 0, NEXT);
    paper_send(paper);
    wait_for_begin();
    refs_t refs = paper_hear(paper, VERB_GIVE)->give.refs;
    cr_assert_eq(refs.count, 2);
    cr_assert_eq(refs_next(&refs).seq, 2);
    cr_assert_eq(refs_next(&refs).seq, 3);
    open_gate();
    hear_result(1);
    run_task(2, 0, NEXT); // nobody else was free
    paper_send(paper);
    hear_result(2);
    cr_assert_eq(runs, 2);
}

Test(actor_wire, calls_behind_a_slow_body_stay_with_their_actor)
{
    run_method(1, GATE, 3);
    run_method(2, NEXT, 3);
    paper_send(paper);
    wait_for_begin();
    paper_hear_nothing(paper, 100);
    open_gate();
    hear_result(1);
    cr_assert_eq(hear_result(2), 1);
}

Test(tasks_wire, a_body_that_waits_lends_its_slot_and_gives_back_the_rest)
{
    run_task(1, 0, NEEDS);
    run_task(2, 0, NEXT);
    paper_send(paper);
    paper_hear(paper, VERB_NAME);
    const msg_submit_t *submit = &paper_hear(paper, VERB_SUBMIT)->submit;
    cr_assert_eq(submit->seq, 1);
    cr_assert(mob_same(submit->parent, (mob_ref_t){CALLER, 1}), "its parent is the running call");
    refs_t refs = paper_hear(paper, VERB_BLOCKED)->blocked.refs;
    cr_assert_eq(refs.count, 1);
    cr_assert_eq(refs_next(&refs).seq, 2);
    paper_say(paper, ACCEPT, accept, .seq = 1, .epoch = paper->epoch);
    paper_say(paper, DONE, done, .seq = 1, .value = load_bytes("\x05", 1));
    paper_send(paper);
    paper_hear(paper, VERB_RESUMED);
    hear_result(1);
}

Test(tasks_wire, a_wait_ends_when_its_body_is_cancelled)
{
    run_task(1, 0, NEEDS);
    paper_send(paper);
    paper_hear(paper, VERB_NAME);
    paper_hear(paper, VERB_SUBMIT);
    paper_hear(paper, VERB_BLOCKED);
    paper_say(paper, ACCEPT, accept, .seq = 1, .epoch = paper->epoch);
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, 1});
    paper_send(paper);
    paper_hear(paper, VERB_RESUMED);
    cr_assert_eq(hear_fail(1, MOB_ETASK, MOB_EXECUTED).app_code, -MOB_ECANCELLED);
}

// ---- Streams ------------------------------------------------------------------------------------

static opts_field_t stream_of(int64_t credit, opts_t *room)
{
    *room = (opts_t){.num_returns = MOB_STREAM, .stream_ahead = credit};
    return (opts_field_t){.set = room};
}

static void run_stream(uint64_t seq, mob_ref_t actor, int64_t credit)
{
    opts_t room;
    paper_say(paper, RUN, run, .ref = {CALLER, seq}, .symbol = FLOW, .actor = actor,
              .incarnation = mob_is_none(actor) ? 0 : 3, .remaining_ms = -1, .epoch = paper->epoch,
              .opts = stream_of(credit, &room));
}

static void say_credit(uint64_t seq, uint64_t count)
{
    paper_say(paper, CREDIT, credit, .ref = {CALLER, seq}, .count = count);
}

static void hear_item(uint64_t seq, uint64_t index)
{
    const msg_item_t *item = &paper_hear(paper, VERB_ITEM)->item;
    cr_assert_eq(item->ref.seq, seq);
    cr_assert_eq(item->index, index);
    cr_assert_eq(item->count, 0u);
    cr_assert_eq(item->value.data[0], index);
}

static void come_home(uint64_t seq)
{
    paper_say(paper, CANCEL, cancel, .ref = {CALLER, seq});
    paper_send(paper);
    paper_hear(paper, VERB_RESUMED);
    paper_hear(paper, VERB_FAIL);
}

static void same_broker(void)
{
    paper_forget(paper);
    paper_hear_hello(paper);
    paper_welcome(paper, paper->epoch);
}

Test(tasks_wire, a_stream_waits_behind_the_last_item_of_its_credit)
{
    run_stream(1, (mob_ref_t){0, 0}, 1);
    paper_send(paper);
    for (uint64_t index = 0; index < 3; index++) {
        hear_item(1, index);
        paper_hear(paper, VERB_BLOCKED);
        say_credit(1, index + 2);
        paper_send(paper);
        paper_hear(paper, VERB_RESUMED);
    }
    hear_result(1);
}

Test(tasks_wire, credit_is_a_total_and_counts_once)
{
    run_stream(1, (mob_ref_t){0, 0}, 1);
    paper_send(paper);
    hear_item(1, 0);
    paper_hear(paper, VERB_BLOCKED);
    for (int i = 0; i < 3; i++)
        say_credit(1, 2);
    say_credit(1, 1); // an older one, overtaken
    paper_send(paper);
    paper_hear(paper, VERB_RESUMED);
    hear_item(1, 1);
    paper_hear(paper, VERB_BLOCKED);
    say_credit(1, 2);
    paper_send(paper);
    paper_hear_nothing(paper, 100);
    come_home(1);
}

Test(tasks_wire, credit_for_what_is_no_stream_or_not_here_changes_nothing)
{
    run_task(1, 0, GATE);
    say_credit(1, 5);
    say_credit(99, 5);
    paper_send(paper);
    wait_for_begin();
    open_gate();
    paper_hear(paper, VERB_RESULT);
    run_stream(99, (mob_ref_t){0, 0}, 1);
    paper_send(paper);
    hear_item(99, 0);
    paper_hear(paper, VERB_BLOCKED);
    paper_hear_nothing(paper, 50);
    come_home(99);
}

Test(tasks_wire, of_a_stream_all_is_said_again_that_was_not_acknowledged)
{
    run_stream(1, (mob_ref_t){0, 0}, 9);
    paper_send(paper);
    for (uint64_t i = 0; i < 3; i++)
        hear_item(1, i);
    hear_result(1);
    paper_say(paper, TAKEN, taken, .count = 2);
    paper_send(paper);
    same_broker();
    hear_item(1, 2);
    hear_result(1);
    paper_hear(paper, VERB_OPEN);
    paper_say(paper, TAKEN, taken, .count = 2); // of this connection: the end comes late
    paper_send(paper);
    same_broker();
    paper_hear(paper, VERB_OPEN);
}

Test(tasks_wire, a_stream_that_ended_is_lost_with_the_broker_that_had_its_items)
{
    run_stream(1, (mob_ref_t){0, 0}, 9);
    paper_send(paper);
    for (uint64_t i = 0; i < 3; i++)
        hear_item(1, i);
    hear_result(1);
    paper_say(paper, TAKEN, taken, .count = 3);
    paper_send(paper);
    new_broker();
    hear_fail(1, MOB_EBROKER, MOB_MAYBE_EXECUTED);
    paper_hear(paper, VERB_OPEN);
    paper_say(paper, NAME, name, .symbol = FLOW, .text = paper_text("flow -> stream(i64)"));
    run_stream(1, (mob_ref_t){0, 0}, 9);
    paper_send(paper);
    hear_fail(1, MOB_EBROKER, MOB_MAYBE_EXECUTED);
    cr_assert_eq(runs, 1);
}

Test(tasks_wire, a_stream_that_waits_for_credit_comes_home_to_a_new_broker)
{
    run_stream(1, (mob_ref_t){0, 0}, 1);
    run_stream(2, (mob_ref_t){0, 0}, 1);
    paper_send(paper);
    hear_item(1, 0);
    cr_assert_eq(paper_hear(paper, VERB_BLOCKED)->blocked.refs.count, 1u); // 2: it may begin there
    paper_say(paper, TAKEN, taken, .count = 1);
    paper_send(paper);
    new_broker();
    cr_assert_eq(paper_hear(paper, VERB_HAVE)->have.returns, 0u);
    paper_hear(paper, VERB_OPEN);
    paper_hear(paper, VERB_RESUMED);
    hear_fail(1, MOB_EBROKER, MOB_MAYBE_EXECUTED);
}

// Given up without a word it would be sent again, and begin behind a call that was made after it.
Test(actor_wire, a_stream_that_has_not_begun_fails_in_its_place_with_its_broker)
{
    run_method(1, GATE, 3);
    run_stream(2, thing, 9);
    run_method(3, NEXT, 3);
    paper_send(paper);
    wait_for_begin();
    new_broker();
    paper_hear(paper, VERB_HOLD);
    for (uint64_t seq = 1; seq <= 3; seq++)
        cr_assert_eq(paper_hear(paper, VERB_HAVE)->have.ref.seq, seq);
    paper_hear(paper, VERB_RESULT); // of the making
    hear_fail(2, MOB_EBROKER, MOB_NOT_EXECUTED);
    paper_hear(paper, VERB_OPEN);
    paper_say(paper, NAME, name, .symbol = FLOW, .text = paper_text("flow -> stream(i64)"));
    run_stream(2, thing, 9);
    paper_send(paper);
    hear_fail(2, MOB_EBROKER, MOB_MAYBE_EXECUTED);
    open_gate();
    hear_result(1);
    cr_assert_eq(hear_result(3), 1);
    cr_assert_eq(runs, 2);
}
