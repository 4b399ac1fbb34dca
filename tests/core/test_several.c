// test_several.c - calls with several results through the core: values hidden until the body has ended, one
// fate for all refs.

#include "story.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, WORKER, OTHER };

static void start(void)
{
    story = story_new(NULL);
    story_host(story, HOST, "split -> tuple", NULL, NULL, 1);
    story_worker(story, HOST, START_TASKS, WORKER);
    story_client(story, CALLER, "split -> tuple");
}

TestSuite(several, .init = start, .fini = story_end, .timeout = 10);

static void submit(uint64_t seq, int64_t returns)
{
    say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1,
        .opts = {.set = &(opts_t){.num_returns = returns}});
}

static void item(uint64_t seq, uint32_t attempt, uint64_t index, uint32_t count, const char *value)
{
    say(story, WORKER, ITEM, item, .ref = ref(seq), .attempt = attempt, .index = index,
        .count = count, .value = text_load(value));
}

Test(several, values_are_hidden_until_the_body_has_ended)
{
    submit(1, 3);
    const msg_run_t *run = hear(story, WORKER, RUN, run);
    cr_assert_eq(opts_read(run->opts).num_returns, 3);
    item(1, 0, 0, 3, "a");
    item(1, 0, 1, 3, "b");
    item(1, 0, 2, 3, "c");
    hear_nothing(story, CALLER);
    say(story, WORKER, RESULT, result, .ref = ref(1));
    story_value(story, CALLER, 1, "a");
    story_value(story, CALLER, 2, "b");
    story_value(story, CALLER, 3, "c");
    say(story, CALLER, DROP, drop, .seq = 4, .ref = ref(1), .count = 3);
    cr_assert_eq(core_counts(story->core).objects, 0u);
}

Test(several, they_take_as_many_numbers)
{
    submit(1, 3);
    submit(2, 0); // already the number of a result
    submit(4, 0);
    hear(story, WORKER, RUN, run);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 4u);
    hear_nothing(story, WORKER);
}

Test(several, one_that_is_missing_fails_all)
{
    submit(1, 3);
    item(1, 0, 0, 3, "a");
    item(1, 0, 2, 3, "c");
    say(story, WORKER, RESULT, result, .ref = ref(1));
    for (uint64_t seq = 1; seq <= 3; seq++)
        cr_assert_str_eq(story_failure(story, CALLER, seq, MOB_ERESULT).reason,
                         "split -> tuple: declared 3 values, wrote 2");
}

Test(several, a_failure_is_that_of_all)
{
    submit(1, 3);
    item(1, 0, 0, 3, "a");
    say(story, WORKER, FAIL, fail, .ref = ref(1), .code = MOB_ETASK, .app_code = 7, .executed = 2,
        .text = {"no", 2});
    for (uint64_t seq = 1; seq <= 3; seq++)
        cr_assert_str_eq(story_failure(story, CALLER, seq, MOB_ETASK).reason, "no");
    say(story, CALLER, DROP, drop, .seq = 4, .ref = ref(1), .count = 3);
    cr_assert_eq(core_counts(story->core).objects, 0u);
    cr_assert_eq(core_counts(story->core).bytes, 0u);
}

Test(several, a_second_run_begins_with_nothing)
{
    submit(1, 2);
    hear(story, WORKER, RUN, run);
    item(1, 0, 0, 2, "old");
    story_leave(story, WORKER, CAUSE_CRASH);
    story->who[WORKER].peer = NULL;
    story_pass(story, 500);
    story_worker(story, HOST, START_TASKS, WORKER);
    cr_assert_eq(opts_read(hear(story, WORKER, RUN, run)->opts).num_returns, 2);
    item(1, 1, 1, 2, "new");
    say(story, WORKER, RESULT, result, .ref = ref(1), .attempt = 1);
    story_failure(story, CALLER, 1, MOB_ERESULT);
    story_failure(story, CALLER, 2, MOB_ERESULT);
}

Test(several, what_is_said_twice_counts_once)
{
    submit(1, 2);
    submit(1, 2);
    hear(story, WORKER, RUN, run);
    hear_nothing(story, WORKER);
    item(1, 0, 0, 2, "a");
    item(1, 0, 0, 2, "again");
    item(1, 0, 2, 2, "beyond");
    item(1, 0, 1, 3, "of another count");
    item(1, 0, 1, 2, "b");
    say(story, WORKER, RESULT, result, .ref = ref(1));
    story_value(story, CALLER, 1, "a");
    story_value(story, CALLER, 2, "b");
    cr_assert_eq(core_counts(story->core).late_results, 2u);
}

Test(several, each_is_asked_for_by_itself)
{
    submit(1, 2);
    mob_ref_t second = ref(2);
    say(story, CALLER, ASK, ask, .refs = {.items = &second, .count = 1});
    hear_nothing(story, CALLER);
    item(1, 0, 0, 2, "a");
    item(1, 0, 1, 2, "b");
    say(story, WORKER, RESULT, result, .ref = ref(1));
    story_value(story, CALLER, 1, "a");
    story_value(story, CALLER, 2, "b");
    say(story, CALLER, ASK, ask, .refs = {.items = &second, .count = 1});
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->ref.seq, 2u);
}

Test(several, cancelling_any_cancels_all)
{
    for (uint64_t seq = 1; seq <= 7; seq += 3)
        submit(seq, 3);
    say(story, CALLER, CANCEL, cancel, .ref = ref(8));
    for (uint64_t seq = 7; seq <= 9; seq++)
        story_failure(story, CALLER, seq, MOB_ECANCELLED);
}

Test(several, some_may_be_dropped_before_they_are_there)
{
    submit(1, 3);
    say(story, CALLER, DROP, drop, .seq = 4, .ref = ref(1), .count = 2);
    item(1, 0, 0, 3, "a");
    item(1, 0, 1, 3, "b");
    item(1, 0, 2, 3, "c");
    say(story, WORKER, RESULT, result, .ref = ref(1));
    story_value(story, CALLER, 3, "c");
    cr_assert_eq(core_counts(story->core).objects, 1u);
}

Test(several, nobody_wants_them)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1,
        .opts = {.set = &(opts_t){.num_returns = 2, .forget = 1}});
    item(1, 0, 0, 2, "a");
    item(1, 0, 1, 2, "b");
    say(story, WORKER, RESULT, result, .ref = ref(1));
    hear_nothing(story, CALLER);
    cr_assert_eq(core_counts(story->core).objects, 0u);
}

Test(several, one_of_them_is_an_argument)
{
    mob_ref_t second = ref(2);
    submit(1, 2);
    say(story, CALLER, SUBMIT, submit, .seq = 3, .task = 1, .deps = {.items = &second, .count = 1});
    hear(story, WORKER, RUN, run);
    hear_nothing(story, WORKER);
    item(1, 0, 0, 2, "a");
    item(1, 0, 1, 2, "bee");
    say(story, WORKER, RESULT, result, .ref = ref(1));
    loads_t deps = hear(story, WORKER, RUN, run)->deps;
    cr_assert_eq(loads_next(&deps).size, 3u);
}

Test(several, another_session_may_watch_one)
{
    mob_ref_t second = ref(2);
    submit(1, 2);
    story_client(story, OTHER);
    say(story, OTHER, WATCH, watch, .refs = {.items = &second, .count = 1});
    say(story, WORKER, FAIL, fail, .ref = ref(1), .code = MOB_ETASK, .executed = 2);
    cr_assert_eq(hear(story, OTHER, ANSWER, answer)->ref.seq, 2u);
}

Test(several, another_number_is_refused)
{
    submit(1, MOB_RETURNS_MAX + 1);
    cr_assert_str_eq(story_failure(story, CALLER, 1, MOB_EARGS).reason, "num_returns is 4097");
    submit(2, -4);
    story_failure(story, CALLER, 2, MOB_EARGS);
    hear_nothing(story, WORKER);
}

Test(several, as_many_as_there_may_be)
{
    submit(1, MOB_RETURNS_MAX);
    for (uint32_t i = 0; i < MOB_RETURNS_MAX; i++)
        item(1, 0, i, MOB_RETURNS_MAX, "x");
    say(story, WORKER, RESULT, result, .ref = ref(1));
    for (uint32_t i = 0; i < MOB_RETURNS_MAX; i++)
        story_value(story, CALLER, i + 1, "x");
    say(story, CALLER, DROP, drop, .seq = MOB_RETURNS_MAX + 1, .ref = ref(1),
        .count = MOB_RETURNS_MAX);
    cr_assert_eq(core_counts(story->core).objects, 0u);
    cr_assert_eq(core_counts(story->core).bytes, 0u);
}

Test(several, an_end_of_the_session_ends_all)
{
    submit(1, 3);
    hear(story, WORKER, RUN, run);
    say(story, CALLER, BYE, bye, .reason = BYE_END);
    hear(story, WORKER, CANCEL, cancel);
    item(1, 0, 0, 3, "a");
    say(story, WORKER, FAIL, fail, .ref = ref(1), .code = MOB_ECANCELLED, .executed = 1);
    cr_assert_eq(core_counts(story->core).objects, 0u);
    cr_assert_eq(core_counts(story->core).pending, 0u);
}

Test(several, left_to_the_broker_they_stay)
{
    submit(1, 2);
    say(story, CALLER, BYE, bye, .reason = BYE_KEEP);
    item(1, 0, 0, 2, "a");
    item(1, 0, 1, 2, "b");
    say(story, WORKER, RESULT, result, .ref = ref(1));
    story_client(story, OTHER);
    mob_ref_t second = ref(2);
    say(story, OTHER, ASK, ask, .refs = {.items = &second, .count = 1});
    cr_assert_eq(hear(story, OTHER, ANSWER, answer)->code, (uint32_t)MOB_OK);
    say(story, OTHER, DROP, drop, .seq = 1, .ref = second, .count = 1);
    say(story, OTHER, DROP, drop, .seq = 2, .ref = ref(1), .count = 1);
    cr_assert_eq(core_counts(story->core).objects, 0u);
}
