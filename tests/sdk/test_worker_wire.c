// What a worker answers to what a broker says, message by message; also to what only a confused one says.

#include <criterion/criterion.h>

#include "drill.h"

TestSuite(tasks_wire, .init = open_tasks, .fini = close_paper, .timeout = 20);
TestSuite(actor_wire, .init = open_actor, .fini = close_paper, .timeout = 20);

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
