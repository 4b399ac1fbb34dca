// What a worker says of streams: items up to its credit, and again to who did not get them.

#include <criterion/criterion.h>

#include "drill.h"

TestSuite(stream_wire, .init = open_tasks, .fini = close_paper, .timeout = 20);
TestSuite(actor_stream_wire, .init = open_actor, .fini = close_paper, .timeout = 20);

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

// Three items and the end.
static void hear_whole_stream(void)
{
    run_stream(1, (mob_ref_t){0, 0}, 9);
    paper_send(paper);
    for (uint64_t i = 0; i < 3; i++)
        hear_item(1, i);
    hear_result(1);
}

Test(stream_wire, a_stream_waits_behind_the_last_item_of_its_credit)
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

Test(stream_wire, credit_is_a_total_and_counts_once)
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

Test(stream_wire, credit_for_what_is_no_stream_or_not_here_changes_nothing)
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

Test(stream_wire, of_a_stream_all_is_said_again_that_was_not_acknowledged)
{
    hear_whole_stream();
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

Test(stream_wire, a_stream_that_ended_is_lost_with_the_broker_that_had_its_items)
{
    hear_whole_stream();
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

Test(stream_wire, a_stream_that_waits_for_credit_comes_home_to_a_new_broker)
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
Test(actor_stream_wire, a_stream_that_has_not_begun_fails_in_its_place_with_its_broker)
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
