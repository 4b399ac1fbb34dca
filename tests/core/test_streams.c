// test_streams.c - streams through the core: items in order and once, credit, ends of all kinds.

#include "story.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, WORKER, OTHER };

static uint64_t worker;

static void start(void)
{
    story = story_new(NULL);
    story_host(story, HOST, "count -> stream(i64)", "ticker", "ticks -> stream(i64)", 1);
    worker = story_worker(story, HOST, START_TASKS, WORKER);
    story_client(story, CALLER, "count -> stream(i64)");
}

TestSuite(streams, .init = start, .fini = story_end, .timeout = 10);

// What the worker hears: how many items it may give.
static int64_t begin(uint64_t seq, int64_t ahead)
{
    say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1,
        .opts = {.set =
                     &(opts_t){.num_returns = MOB_STREAM, .stream_ahead = ahead, .max_retries = 1}});
    opts_t opts = opts_read(hear(story, WORKER, RUN, run)->opts);
    cr_assert_eq(opts.num_returns, MOB_STREAM);
    return opts.stream_ahead;
}

static void next(uint64_t seq, uint64_t stream, uint64_t pulled)
{
    say(story, CALLER, NEXT, next, .seq = seq, .stream = ref(stream), .pulled = pulled);
}

static void item(uint64_t seq, uint32_t attempt, uint64_t index, const char *value)
{
    say(story, WORKER, ITEM, item, .ref = ref(seq), .attempt = attempt, .index = index,
        .value = text_load(value));
}

static void ended_well(uint64_t seq, uint32_t attempt)
{
    say(story, WORKER, RESULT, result, .ref = ref(seq), .attempt = attempt,
        .value = text_load("\xc0"));
}

static void failed(uint64_t seq)
{
    say(story, WORKER, FAIL, fail, .ref = ref(seq), .code = MOB_ETASK, .app_code = 7, .executed = 2,
        .text = {"no", 2});
}

static uint64_t credit(void)
{
    return hear(story, WORKER, CREDIT, credit)->count;
}

static void nothing_is_left(void)
{
    cr_assert_eq(core_counts(story->core).objects, 0u);
    cr_assert_eq(core_counts(story->core).pending, 0u);
    cr_assert_eq(core_counts(story->core).bytes, 0u);
}

// ---- Items --------------------------------------------------------------------------------------

Test(streams, an_item_is_there_before_the_body_has_ended)
{
    begin(1, 4);
    next(2, 1, 0);
    hear_nothing(story, CALLER);
    item(1, 0, 0, "a");
    story_value(story, CALLER, 2, "a");
    item(1, 0, 1, "b");
    hear_nothing(story, CALLER);
    next(3, 1, 1);
    story_value(story, CALLER, 3, "b");
    ended_well(1, 0);
    hear(story, CALLER, DONE, done);
    next(4, 1, 2);
    cr_assert_str_eq(story_failure(story, CALLER, 4, MOB_EEND).reason,
                     "stream ended after 2 items");
    next(5, 1, 2);
    story_failure(story, CALLER, 5, MOB_EEND);
    say(story, CALLER, DROP, drop, .seq = 6, .ref = ref(1), .count = 5);
    nothing_is_left();
}

Test(streams, who_waits_hears_of_the_end)
{
    begin(1, 4);
    next(2, 1, 0);
    next(3, 1, 0);
    item(1, 0, 0, "a");
    story_value(story, CALLER, 2, "a");
    ended_well(1, 0);
    hear(story, CALLER, DONE, done); // the stream itself
    story_failure(story, CALLER, 3, MOB_EEND);
}

Test(streams, a_failure_comes_once_behind_the_items_before_it)
{
    begin(1, 4);
    item(1, 0, 0, "a");
    item(1, 0, 1, "b");
    failed(1);
    story_failure(story, CALLER, 1, MOB_ETASK);
    for (uint64_t seq = 2; seq <= 5; seq++)
        next(seq, 1, 0);
    story_value(story, CALLER, 2, "a");
    story_value(story, CALLER, 3, "b");
    cr_assert_str_eq(story_failure(story, CALLER, 4, MOB_ETASK).reason, "no");
    story_failure(story, CALLER, 5, MOB_EEND);
}

Test(streams, what_is_said_twice_is_given_once)
{
    begin(1, 4);
    item(1, 0, 0, "a");
    item(1, 0, 0, "a");
    item(1, 0, 1, "b");
    item(1, 0, 0, "a");
    for (uint64_t seq = 2; seq <= 3; seq++)
        next(seq, 1, 0);
    next(2, 1, 0);
    story_value(story, CALLER, 2, "a");
    story_value(story, CALLER, 3, "b");
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->ref.seq, 2u, "answered again");
    next(4, 1, 0);
    hear_nothing(story, CALLER);
    cr_assert_eq(core_counts(story->core).late_results, 2u);
}

Test(streams, an_item_may_be_an_argument_the_stream_may_not)
{
    mob_ref_t stream = ref(1), first = ref(2);
    begin(1, 4);
    next(2, 1, 0);
    say(story, CALLER, SUBMIT, submit, .seq = 3, .task = 1, .deps = {.items = &first, .count = 1});
    say(story, CALLER, SUBMIT, submit, .seq = 4, .task = 1, .deps = {.items = &stream, .count = 1});
    cr_assert(strstr(story_failure(story, CALLER, 4, MOB_EARGS).reason,
                     "a stream is none, its items are"));
    item(1, 0, 0, "a");
    story_value(story, CALLER, 2, "a");
    cr_assert_eq(hear(story, WORKER, RUN, run)->deps.count, 1u);
}

// ---- Credit -------------------------------------------------------------------------------------

Test(streams, credit_is_what_was_pulled_and_stream_ahead)
{
    cr_assert_eq(begin(1, 2), 2);
    item(1, 0, 0, "a");
    item(1, 0, 1, "b");
    next(2, 1, 0);
    story_value(story, CALLER, 2, "a");
    hear_nothing(story, WORKER); // it is given, but not pulled
    next(3, 1, 1);
    story_value(story, CALLER, 3, "b");
    cr_assert_eq(credit(), 3u);
    next(4, 1, 9); // more than there were
    cr_assert_eq(credit(), 4u);
}

Test(streams, one_at_a_time)
{
    cr_assert_eq(begin(1, 1), 1);
    for (uint64_t i = 0; i < 5; i++) {
        item(1, 0, i, "x");
        next(2 + i, 1, i + 1); // that is pulled by this very request
        story_value(story, CALLER, 2 + i, "x");
        cr_assert_eq(credit(), i + 2);
    }
}

Test(streams, larger_steps_are_enough_while_there_are_items)
{
    cr_assert_eq(begin(1, 16), 16);
    for (uint64_t i = 0; i < 16; i++)
        item(1, 0, i, "x");
    for (uint64_t i = 0; i < 3; i++)
        next(2 + i, 1, i + 1);
    hear_nothing(story, WORKER);
    next(5, 1, 4);
    cr_assert_eq(credit(), 20u);
}

Test(streams, without_a_bound_of_their_own_there_is_one_of_the_broker)
{
    cr_assert_eq(begin(1, MOB_FOREVER), 1024);
    for (uint64_t i = 0; i < 255; i++)
        item(1, 0, i, "x");
    hear_nothing(story, WORKER);
    item(1, 0, 255, "x");
    cr_assert_eq(credit(), 1024u + 256u);
}

Test(streams, a_definition_says_how_far_ahead)
{
    say(story, HOST, OFFER, offer, .name = {"count -> stream(i64)", 20}, .kind = DEF_TASK,
        .opts = {.set = &(opts_t){.stream_ahead = 3}});
    cr_assert_eq(begin(1, 0), 3);
    cr_assert_eq(opts_read((opts_field_t){0}).stream_ahead, 0);
}

Test(streams, C86_an_invalid_bound_is_refused)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1,
        .opts = {.set = &(opts_t){.num_returns = MOB_STREAM, .stream_ahead = -3}});
    cr_assert_str_eq(story_failure(story, CALLER, 1, MOB_EARGS).reason, "stream_ahead is -3");
    const uint8_t zero[] = {0x82, 0x05, 0xfd, 0x26, 0x00}; // {5: -3, 38: 0}
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 1,
        .opts = {.wire = zero, .size = sizeof zero});
    cr_assert_str_eq(story_failure(story, CALLER, 2, MOB_EARGS).reason, "stream_ahead is 0");
    say(story, CALLER, SUBMIT, submit, .seq = 3, .task = 1,
        .opts = {.set = &(opts_t){.num_returns = MOB_STREAM, .forget = 1}});
    hear_nothing(story, WORKER);
    next(4, 2, 0);
    cr_assert_str_eq(story_failure(story, CALLER, 4, MOB_EARGS).reason, "stream_ahead is 0");
    next(5, 2, 0);
    story_failure(story, CALLER, 5, MOB_EEND);
    say(story, CALLER, SUBMIT, submit, .seq = 6, .task = 1,
        .opts = {.set = &(opts_t){.num_returns = MOB_STREAM, .key = {"once", 4}}});
    cr_assert_str_eq(story_failure(story, CALLER, 6, MOB_EARGS).reason, "a key fits one result");
}

Test(streams, a_worker_that_goes_beyond_ends_the_stream)
{
    begin(1, 1);
    item(1, 0, 0, "a");
    item(1, 0, 1, "b");
    hear(story, WORKER, CANCEL, cancel);
    story_failure(story, CALLER, 1, MOB_EPROTO);
    next(2, 1, 0);
    story_value(story, CALLER, 2, "a");
    begin(3, 8);
    item(3, 0, 0, "a");
    item(3, 0, 2, "c");
    story_failure(story, CALLER, 3, MOB_EPROTO);
}

// ---- Ends ---------------------------------------------------------------------------------------

static void another_worker(void)
{
    story_leave(story, WORKER, CAUSE_CRASH);
    story->who[WORKER].peer = NULL;
    story_pass(story, 500);
    story_worker(story, HOST, START_TASKS, WORKER);
}

Test(streams, a_second_run_gives_only_what_was_not_there)
{
    begin(1, 2);
    next(2, 1, 0);
    item(1, 0, 0, "a");
    item(1, 0, 1, "b");
    story_value(story, CALLER, 2, "a");
    another_worker();
    const msg_run_t *run = hear(story, WORKER, RUN, run);
    cr_assert_eq(run->attempt, 1u);
    cr_assert_eq(opts_read(run->opts).stream_ahead, 2, "all that it gave before, again");
    item(1, 1, 0, "again");
    item(1, 1, 1, "again");
    next(3, 1, 1);
    story_value(story, CALLER, 3, "b");
    cr_assert_eq(credit(), 3u);
    item(1, 1, 2, "c");
    next(4, 1, 2);
    story_value(story, CALLER, 4, "c");
}

Test(streams, its_worker_dies_and_no_run_is_left)
{
    begin(1, 4);
    another_worker();
    hear(story, WORKER, RUN, run);
    for (uint64_t i = 0; i < 3; i++)
        item(1, 1, i, "x");
    story_leave(story, WORKER, CAUSE_CRASH);
    story_failure(story, CALLER, 1, MOB_ELOST);
    for (uint64_t seq = 2; seq <= 6; seq++)
        next(seq, 1, 0);
    for (uint64_t seq = 2; seq <= 4; seq++)
        story_value(story, CALLER, seq, "x");
    story_failure(story, CALLER, 5, MOB_ELOST);
    story_failure(story, CALLER, 6, MOB_EEND);
}

Test(streams, a_cancelled_one_gives_no_more)
{
    begin(1, 4);
    item(1, 0, 0, "a");
    item(1, 0, 1, "b");
    next(2, 1, 0);
    story_value(story, CALLER, 2, "a");
    say(story, CALLER, CANCEL, cancel, .ref = ref(1));
    hear(story, WORKER, CANCEL, cancel);
    story_failure(story, CALLER, 1, MOB_ECANCELLED);
    next(3, 1, 1);
    story_failure(story, CALLER, 3, MOB_ECANCELLED);
    next(4, 1, 1);
    story_failure(story, CALLER, 4, MOB_EEND);
}

Test(streams, a_dropped_one_releases_its_body)
{
    begin(1, 4);
    item(1, 0, 0, "a");
    next(2, 1, 0);
    next(3, 1, 0);
    story_value(story, CALLER, 2, "a");
    say(story, CALLER, DROP, drop, .seq = 4, .ref = ref(2), .count = 2);
    say(story, CALLER, DROP, drop, .seq = 5, .ref = ref(1), .count = 1);
    hear(story, WORKER, CANCEL, cancel);
    hear_nothing(story, CALLER);
    item(1, 0, 1, "b");
    say(story, WORKER, FAIL, fail, .ref = ref(1), .code = MOB_ECANCELLED, .executed = 2);
    nothing_is_left();
}

Test(streams, one_that_waits_for_its_place_may_be_dropped)
{
    begin(1, 4);
    begin(2, 4);
    say(story, CALLER, SUBMIT, submit, .seq = 3, .task = 1,
        .opts = {.set = &(opts_t){.num_returns = MOB_STREAM}});
    next(4, 3, 0);
    say(story, CALLER, DROP, drop, .seq = 5, .ref = ref(2), .count = 3); // 2 stands in the worker's hand
    cr_assert_eq(hear(story, WORKER, CANCEL, cancel)->ref.seq, 2u);
    say(story, WORKER, FAIL, fail, .ref = ref(2), .code = MOB_ECANCELLED, .executed = 0);
    cr_assert_eq(core_counts(story->core).objects, 1u);
}

Test(streams, without_its_owner_it_ends)
{
    begin(1, 4);
    item(1, 0, 0, "a");
    next(2, 1, 0);
    next(3, 1, 0);
    say(story, CALLER, BYE, bye, .reason = BYE_KEEP); // a stream is not kept: nobody else may read it
    hear(story, WORKER, CANCEL, cancel);
    say(story, WORKER, FAIL, fail, .ref = ref(1), .code = MOB_ECANCELLED, .executed = 2);
    say(story, CALLER, DROP, drop, .seq = 4, .ref = ref(2), .count = 1);
    cr_assert_leq(core_counts(story->core).objects, 1u);
}

Test(streams, its_deadline_leaves_the_items_before_it)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1,
        .opts = {.set = &(opts_t){.num_returns = MOB_STREAM, .timeout_ms = 100}});
    hear(story, WORKER, RUN, run);
    item(1, 0, 0, "a");
    story_pass(story, 200);
    hear(story, WORKER, CANCEL, cancel);
    story_failure(story, CALLER, 1, MOB_EDEADLINE);
    next(2, 1, 0);
    next(3, 1, 0);
    story_value(story, CALLER, 2, "a");
    story_failure(story, CALLER, 3, MOB_EDEADLINE);
}

// ---- Others, and what is no stream --------------------------------------------------------------

Test(streams, only_its_owner_takes_items)
{
    begin(1, 4);
    item(1, 0, 0, "a");
    story_client(story, OTHER);
    say(story, OTHER, NEXT, next, .seq = 1, .stream = ref(1));
    cr_assert_eq(hear(story, OTHER, ANSWER, answer)->code, (uint32_t)MOB_EARGS);
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 1);
    next(3, 2, 0);
    cr_assert_str_eq(story_failure(story, CALLER, 3, MOB_EARGS).reason, "that is no stream");
    next(4, 99, 0);
    story_failure(story, CALLER, 4, MOB_EGONE);
}

Test(streams, after_a_reconnect_the_worker_hears_its_credit_again)
{
    begin(1, 2);
    item(1, 0, 0, "a");
    next(2, 1, 1);
    story_value(story, CALLER, 2, "a");
    char topic[MOB_TOPIC_SIZE] = "again";
    say(story, OTHER, HELLO, hello, .major = 1, .owner = worker, .topic = {topic, sizeof topic},
        .role = ROLE_WORKER, .host = 1000 + HOST, .epoch = 1);
    hear(story, OTHER, WELCOME, welcome);
    say(story, OTHER, HAVE, have, .ref = ref(1), .state = HAND_RUNNING);
    say(story, OTHER, OPEN, open, .slots = 0);
    cr_assert_eq(hear(story, OTHER, CREDIT, credit)->count, 3u);
    hear_nothing(story, OTHER);
}

// The worker was away for so long that its call was given up.
static void worker_comes_back(void)
{
    char topic[MOB_TOPIC_SIZE] = "again";
    story_forget(story);
    say(story, OTHER, HELLO, hello, .major = 1, .owner = worker, .topic = {topic, sizeof topic},
        .role = ROLE_WORKER, .host = 1000 + HOST, .epoch = 1);
    hear(story, OTHER, WELCOME, welcome);
    say(story, OTHER, HAVE, have, .ref = ref(1), .state = HAND_RUNNING);
    say(story, OTHER, OPEN, open, .slots = 0);
}

static void worker_is_silent(void)
{
    for (int i = 0; i < 2; i++) {
        story_pass(story, 3000);
        say(story, CALLER, PING, ping, .epoch = 1, .heard = 1);
        say(story, HOST, PING, ping, .epoch = 1, .heard = 1);
    }
}

Test(streams, a_run_that_was_begun_anew_elsewhere_is_called_home)
{
    begin(1, 2);
    item(1, 0, 0, "a");
    worker_is_silent();
    worker_comes_back();
    cr_assert_eq(hear(story, OTHER, CANCEL, cancel)->ref.seq, 1u);
}

Test(streams, a_run_of_one_that_was_dropped_meanwhile_is_called_home)
{
    begin(1, 2);
    item(1, 0, 0, "a");
    worker_is_silent();
    say(story, CALLER, DROP, drop, .seq = 2, .ref = ref(1), .count = 1);
    cr_assert_eq(core_counts(story->core).pending, 0u);
    worker_comes_back();
    cr_assert_eq(hear(story, OTHER, CANCEL, cancel)->ref.seq, 1u);
}

// So many that the records are looked through: the one behind may be gone with the one before.
Test(streams, a_long_range_is_dropped_whose_refs_end_each_other)
{
    enum { LONG = 1100 };
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1,
        .opts = {.set = &(opts_t){.num_returns = MOB_STREAM, .delay_ms = 60000}});
    next(2, 1, 0);
    say(story, CALLER, DROP, drop, .seq = 3, .ref = ref(2), .count = 1);
    for (uint64_t seq = 4; seq < LONG; seq++)
        say(story, CALLER, DROP, drop, .seq = seq, .ref = ref(3), .count = 1);
    say(story, CALLER, PUT, put, .seq = LONG, .value = text_load("x"));
    say(story, CALLER, DROP, drop, .seq = LONG + 1, .ref = ref(1), .count = LONG);
    cr_assert_null(core_check(story->core));
    nothing_is_left();
}
