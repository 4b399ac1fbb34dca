// What a worker says when more than one call of its actor is open: answers that were put off, bodies that run at once.

#include <criterion/criterion.h>

#include "drill.h"

TestSuite(open_wire, .init = open_actor, .fini = close_paper, .timeout = 20);
TestSuite(threads_wire, .init = open_threads, .fini = close_paper, .timeout = 20);

// ---- Answers that are put off -------------------------------------------------------------------

static void hear_begun(uint64_t seq)
{
    cr_assert_eq(paper_hear(paper, VERB_BEGUN)->begun.ref.seq, seq);
}

Test(open_wire, an_answer_that_was_put_off_comes_once)
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

Test(open_wire, one_that_was_put_off_is_over_when_it_is_called_off)
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

Test(open_wire, what_was_called_off_before_it_is_put_off_is_not)
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

Test(open_wire, a_new_broker_hears_what_was_put_off)
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

Test(open_wire, an_end_forgets_what_was_put_off)
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
