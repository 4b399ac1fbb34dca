// test_tasks.c - tasks through the core: run, fail, retry, cancel, depend, expire.

#include "story.h"

#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, WORKER, OTHER };

static void start(void)
{
    story = story_new(NULL);
    story_host(story, HOST, "slow -> nil", "counter i64", "add i64 -> i64", 1);
    story_worker(story, HOST, START_TASKS, WORKER);
    story_client(story, CALLER, "slow -> nil");
}

TestSuite(tasks, .init = start, .fini = story_end, .timeout = 10);

static failure_t failure_of(const msg_answer_t *answer, arena_t *arena)
{
    failure_t failure = {0};
    cr_assert(failure_unpack(answer->value, arena, &failure));
    return failure;
}

Test(tasks, value_comes_back)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1, .args = text_load("args"));
    const msg_run_t *run = hear(story, WORKER, RUN, run);
    cr_assert(mob_same(run->ref, ref(1)));
    cr_assert_eq(run->args.size, 4u);
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = text_load("value"));
    const msg_done_t *done = hear(story, CALLER, DONE, done);
    cr_assert_eq(done->seq, 1u);
    cr_assert_eq(memcmp(done->value.data, "value", 5), 0);
    say(story, CALLER, DROP, drop, .seq = 2, .ref = ref(1), .count = 1);
    cr_assert_eq(core_counts(story->core).objects, 0u);
}

Test(tasks, a_drop_of_all_that_ever_was_takes_no_longer_than_what_is_there)
{
    enum { LATE = OTHER };
    const uint64_t floor = UINT64_C(1) << 50; // so much it had asked of an earlier broker
    const mob_ref_t first = {1000 + LATE, 1};
    char topic[MOB_TOPIC_SIZE] = "topic";
    say(story, LATE, HELLO, hello, .major = 1, .owner = first.owner, .topic = {topic, sizeof topic},
        .role = ROLE_CLIENT, .floor = floor);
    for (uint64_t seq = floor + 1; seq <= floor + 3; seq++)
        say(story, LATE, PUT, put, .seq = seq, .value = text_load("value"));
    cr_assert_eq(core_counts(story->core).objects, 3u);
    say(story, LATE, DROP, drop, .seq = floor + 4, .ref = first, .count = floor + 2);
    cr_assert_eq(core_counts(story->core).objects, 1u);
    say(story, LATE, DROP, drop, .seq = floor + 5, .ref = first, .count = UINT64_MAX);
    cr_assert_eq(core_counts(story->core).objects, 0u);
}

Test(tasks, twice_the_same_id_runs_once)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1, .args = text_load("args"));
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1, .args = text_load("args"));
    hear(story, WORKER, RUN, run);
    hear_nothing(story, WORKER);
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = text_load("value"));
    hear(story, CALLER, DONE, done);
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1, .args = text_load("args"));
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->code, (uint32_t)MOB_OK);
    hear_nothing(story, WORKER);
}

Test(tasks, Z12_same_id_with_other_bytes_is_stale_and_the_first_stands)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1, .args = text_load("args"));
    hear(story, WORKER, RUN, run);
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1, .args = text_load("else"));
    cr_assert_eq(hear(story, CALLER, ERROR, error)->code, (uint32_t)MOB_ESTALE);
    hear_nothing(story, WORKER);
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = text_load("value"));
    cr_assert_eq(hear(story, CALLER, DONE, done)->value.size, 5u);
}

Test(tasks, beyond_a_gap_is_not_admitted)
{
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 1);
    hear_nothing(story, WORKER);
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 1u);
}

Test(tasks, cancel_before_start)
{
    for (uint64_t seq = 1; seq <= 4; seq++)
        say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1);
    say(story, CALLER, CANCEL, cancel, .ref = ref(4));
    const msg_answer_t *answer = hear(story, CALLER, ANSWER, answer);
    arena_t arena = {0};
    failure_t failure = failure_of(answer, &arena);
    cr_assert_eq(answer->code, (uint32_t)MOB_ECANCELLED);
    cr_assert_eq(failure.executed, 0u);
    arena_clear(&arena);
    hear(story, WORKER, RUN, run);
    hear(story, WORKER, RUN, run);
    hear_nothing(story, WORKER); // the window is two
}

Test(tasks, lost_worker_means_retry_then_loss)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1);
    hear(story, WORKER, RUN, run);
    uint64_t worker = 0;
    for (uint32_t attempt = 1; attempt <= 3; attempt++) {
        story_leave(story, WORKER, CAUSE_CRASH);
        story->who[WORKER].peer = NULL;
        story_pass(story, 500);
        worker = story_worker(story, HOST, START_TASKS, WORKER);
        cr_assert_eq(hear(story, WORKER, RUN, run)->attempt, attempt);
    }
    say(story, HOST, ENDED, ended, .worker = worker, .cause = CAUSE_CRASH, .status = 9, .pid = 4711);
    const msg_answer_t *answer = hear(story, CALLER, ANSWER, answer);
    arena_t arena = {0};
    failure_t failure = failure_of(answer, &arena);
    cr_assert_eq(answer->code, (uint32_t)MOB_ELOST);
    cr_assert_eq(failure.executed, 1u);
    cr_assert_eq(failure.attempts, 4u);
    cr_assert_str_eq(failure.why, "CRASH");
    cr_assert_eq(failure.status, 9u);
    arena_clear(&arena);
}

// Whether it comes back to the worker within so many ms, and not before.
static void comes_back_within(int64_t least, int64_t most)
{
    story_pass(story, least - 1);
    hear_nothing(story, WORKER);
    story_pass(story, most - least + 2);
    hear(story, WORKER, RUN, run);
}

static void fail_with(uint64_t seq, uint32_t attempt, int64_t code)
{
    say(story, WORKER, FAIL, fail, .ref = ref(seq), .attempt = attempt, .code = MOB_ETASK,
        .app_code = code, .executed = MOB_EXECUTED, .text = {"oops", 4});
}

Test(tasks, retries_wait_twice_as_long_each_time_but_not_for_ever)
{
    static const int64_t delays[] = {50, 100, 200, 400, 800, 1600, 2000, 2000};
    opts_t opts = {.max_retries = MOB_FOREVER, .retry_1 = 42};
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1, .opts = {.set = &opts});
    hear(story, WORKER, RUN, run);
    for (uint32_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        say(story, WORKER, PING, ping, .epoch = 1);
        say(story, HOST, PING, ping, .epoch = 1);
        fail_with(1, i, 42);
        comes_back_within(delays[i] / 2, delays[i] * 3 / 2);
    }
}

Test(tasks, a_retry_does_not_wait_past_the_deadline)
{
    opts_t opts = {.max_retries = 5, .retry_1 = MOB_ANY_CODE, .timeout_ms = 60};
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1, .opts = {.set = &opts});
    hear(story, WORKER, RUN, run);
    story_pass(story, 50);
    fail_with(1, 0, 7);
    story_pass(story, 11);
    arena_t arena = {0};
    failure_t failure = failure_of(hear(story, CALLER, ANSWER, answer), &arena);
    cr_assert_eq(failure.err, MOB_EDEADLINE);
    cr_assert_eq(failure.executed, MOB_MAYBE_EXECUTED);
    arena_clear(&arena);
    story_pass(story, 500);
    hear_nothing(story, WORKER);
}

Test(tasks, codes_that_are_not_named_are_not_tried_again)
{
    opts_t opts = {.max_retries = 5, .retry_1 = 42, .retry_4 = -MOB_ELOST};
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1, .opts = {.set = &opts});
    hear(story, WORKER, RUN, run);
    fail_with(1, 0, -MOB_ELOST); // what a wait gave
    story_pass(story, 100);
    hear(story, WORKER, RUN, run);
    fail_with(1, 1, 43);
    arena_t arena = {0};
    failure_t failure = failure_of(hear(story, CALLER, ANSWER, answer), &arena);
    cr_assert_eq(failure.err, MOB_ETASK);
    cr_assert_eq(failure.code, 43);
    cr_assert_eq(failure.attempts, 2u);
    arena_clear(&arena);
}

static void worker_dies_and_another_comes(enum wire_cause cause)
{
    story_leave(story, WORKER, cause);
    story->who[WORKER].peer = NULL;
    say(story, HOST, PING, ping, .epoch = 1);
    say(story, CALLER, PING, ping, .epoch = 1, .heard = 1);
    story_pass(story, 3001);
    if (cause == CAUSE_SILENT)
        hear(story, HOST, KILL, kill);
    story_worker(story, HOST, START_TASKS, WORKER);
}

Test(tasks, one_that_ends_twenty_workers_is_poison)
{
    opts_t opts = {.max_retries = MOB_FOREVER};
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1, .opts = {.set = &opts});
    for (uint32_t attempt = 0; attempt < 22; attempt++) {
        cr_assert_eq(hear(story, WORKER, RUN, run)->attempt, attempt);
        bool own = attempt % 11 != 5; // twice it was not its own doing
        if (attempt == 21)
            story_leave(story, WORKER, CAUSE_CRASH);
        else
            worker_dies_and_another_comes(own ? CAUSE_CRASH : CAUSE_SILENT);
    }
    arena_t arena = {0};
    failure_t failure = failure_of(hear(story, CALLER, ANSWER, answer), &arena);
    cr_assert_eq(failure.err, MOB_EPOISON);
    cr_assert_eq(failure.executed, MOB_MAYBE_EXECUTED);
    cr_assert_eq(failure.attempts, 22u);
    cr_assert_not_null(strstr(failure.reason, "20 workers"), "%s", failure.reason);
    arena_clear(&arena);
}

Test(tasks, late_result_of_an_older_attempt_is_dropped)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1);
    hear(story, WORKER, RUN, run);
    say(story, WORKER, RESULT, result, .ref = ref(1), .attempt = 7, .value = text_load("old"));
    hear_nothing(story, CALLER);
    cr_assert_eq(core_counts(story->core).late_results, 1u);
}

Test(tasks, dependency_waits_and_carries_its_value)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1);
    mob_ref_t dep = ref(1);
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 1, .deps = {.items = &dep, .count = 1});
    hear(story, WORKER, RUN, run);
    hear_nothing(story, WORKER);
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = text_load("seven"));
    msg_run_t run = *hear(story, WORKER, RUN, run);
    cr_assert_eq(run.ref.seq, 2u);
    cr_assert_eq(run.deps.count, 1u);
    cr_assert_eq(loads_next(&run.deps).size, 5u);
}

Test(tasks, failed_dependency_fails_the_chain_at_once)
{
    for (uint64_t seq = 1; seq <= 3; seq++) {
        mob_ref_t dep = ref(seq - 1);
        say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1,
            .deps = {.items = &dep, .count = seq > 1});
    }
    hear(story, WORKER, RUN, run);
    say(story, WORKER, FAIL, fail, .ref = ref(1), .code = MOB_ETASK, .app_code = 42, .executed = 2,
        .text = {"oops", 4});
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->code, (uint32_t)MOB_ETASK);
    for (uint64_t seq = 2; seq <= 3; seq++) {
        const msg_answer_t *answer = hear(story, CALLER, ANSWER, answer);
        arena_t arena = {0};
        failure_t failure = failure_of(answer, &arena);
        cr_assert_eq(answer->code, (uint32_t)MOB_EDEP);
        cr_assert(mob_same(failure.cause, ref(seq - 1)));
        cr_assert_eq(failure.root, MOB_ETASK);
        cr_assert_not_null(strstr(failure.reason, "oops"));
        arena_clear(&arena);
    }
    hear_nothing(story, WORKER);
}

Test(tasks, deadline_of_a_queued_task)
{
    opts_t opts = {.timeout_ms = 100};
    for (uint64_t seq = 1; seq <= 3; seq++)
        say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1,
            .opts = {.set = seq == 3 ? &opts : NULL});
    story_pass(story, 99);
    hear_nothing(story, CALLER);
    story_pass(story, 2);
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->code, (uint32_t)MOB_EDEADLINE);
}

Test(tasks, a_value_that_comes_after_the_deadline_is_none)
{
    opts_t opts = {.timeout_ms = 100};
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1, .opts = {.set = &opts});
    hear(story, WORKER, RUN, run);
    story->now += 100000; // and the core was not yet told
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = text_load("half"));
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->code, (uint32_t)MOB_EDEADLINE);
    hear_nothing(story, CALLER);
}

Test(tasks, unknown_definition_is_waited_for_then_named)
{
    story_name(story, CALLER, 2, "slaw -> nil");
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 2);
    story_pass(story, 2900);
    hear_nothing(story, CALLER);
    story_pass(story, 200);
    const msg_answer_t *answer = hear(story, CALLER, ANSWER, answer);
    arena_t arena = {0};
    failure_t failure = failure_of(answer, &arena);
    cr_assert_eq(answer->code, (uint32_t)MOB_ENOTFOUND);
    cr_assert_not_null(strstr(failure.reason, "nearest: \"slow -> nil\""));
    arena_clear(&arena);
}

Test(tasks, given_back_tasks_come_first_and_keep_their_order)
{
    for (uint64_t seq = 1; seq <= 3; seq++)
        say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1);
    hear(story, WORKER, RUN, run);
    hear(story, WORKER, RUN, run);
    mob_ref_t second = ref(2);
    say(story, WORKER, GIVE, give, .refs = {.items = &second, .count = 1});
    hear_nothing(story, WORKER); // its body is slow: nothing ahead
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = text_load("v"));
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 2u);
}

Test(tasks, blocked_body_lends_its_slot)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1);
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 1);
    hear(story, WORKER, RUN, run);
    hear(story, WORKER, RUN, run);
    mob_ref_t second = ref(2);
    say(story, WORKER, BLOCKED, blocked, .refs = {.items = &second, .count = 1});
    story_worker(story, HOST, START_TASKS, OTHER);
    cr_assert_eq(hear(story, OTHER, RUN, run)->ref.seq, 2u);
}

Test(tasks, owner_gone_cancels_what_it_asked_for)
{
    for (uint64_t seq = 1; seq <= 3; seq++)
        say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1);
    hear(story, WORKER, RUN, run);
    hear(story, WORKER, RUN, run);
    story_leave(story, CALLER, CAUSE_CRASH);
    hear(story, WORKER, CANCEL, cancel);
    hear(story, WORKER, CANCEL, cancel);
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = text_load("v"));
    say(story, WORKER, RESULT, result, .ref = ref(2), .value = text_load("v"));
    hear_nothing(story, WORKER);
    cr_assert_eq(core_counts(story->core).objects, 0u);
}

Test(tasks, ask_tells_what_notices_lost)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1);
    hear(story, WORKER, RUN, run);
    mob_ref_t one = ref(1);
    say(story, CALLER, ASK, ask, .refs = {.items = &one, .count = 1});
    hear_nothing(story, CALLER);
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = text_load("v"));
    hear(story, CALLER, DONE, done);
    say(story, CALLER, ASK, ask, .refs = {.items = &one, .count = 1});
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->code, (uint32_t)MOB_OK);
}

Test(tasks, a_ref_whose_request_is_on_the_way_is_not_gone)
{
    mob_ref_t both[] = {ref(1), {4711, 1}};
    story_client(story, OTHER);
    say(story, OTHER, WATCH, watch, .refs = {.items = both, .count = 2});
    const msg_answer_t *answer = hear(story, OTHER, ANSWER, answer);
    cr_assert_eq(answer->ref.owner, 4711u, "nobody knows who that is");
    cr_assert_eq(answer->code, (uint32_t)MOB_EGONE);
    say(story, OTHER, ASK, ask, .refs = {.items = both, .count = 1});
    hear_nothing(story, OTHER);
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1);
    hear(story, WORKER, RUN, run);
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = text_load("v"));
    say(story, OTHER, ASK, ask, .refs = {.items = both, .count = 1});
    cr_assert_eq(hear(story, OTHER, ANSWER, answer)->code, (uint32_t)MOB_OK);
}

Test(tasks, defaults_of_a_definition_hold_for_what_came_before_it)
{
    story_name(story, CALLER, 2, "later -> nil");
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 2);
    opts_t never = {.max_retries = MOB_NONE};
    story_join(story, OTHER, ROLE_HOST, 77, 0);
    say(story, OTHER, OFFER, offer, .name = {"later -> nil", 12}, .kind = DEF_TASK,
        .opts = {.set = &never});
    say(story, OTHER, OPEN, open, .slots = 1);
    uint64_t worker = story_started(story, OTHER, START_TASKS);
    enum { LATE = 5 };
    story_join(story, LATE, ROLE_WORKER, worker, 77);
    hear(story, LATE, RUN, run);
    say(story, OTHER, ENDED, ended, .worker = worker, .cause = CAUSE_CRASH, .status = 9, .pid = 4711);
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->code, (uint32_t)MOB_ELOST);
}

Test(tasks, what_a_session_leaves_to_the_broker_is_kept_for_a_while)
{
    say(story, CALLER, PUT, put, .seq = 1, .value = text_load("stored"));
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 1);
    hear(story, WORKER, RUN, run);
    say(story, CALLER, BYE, bye, .reason = BYE_KEEP);
    hear_nothing(story, WORKER); // it is not cancelled
    say(story, WORKER, RESULT, result, .ref = ref(2), .value = text_load("later"));
    story_client(story, OTHER);
    mob_ref_t both[] = {ref(1), ref(2)};
    say(story, OTHER, ASK, ask, .refs = {.items = both, .count = 2});
    cr_assert_eq(hear(story, OTHER, ANSWER, answer)->value.size, 6u);
    cr_assert_eq(hear(story, OTHER, ANSWER, answer)->value.size, 5u);
    say(story, OTHER, DROP, drop, .seq = 1, .ref = ref(2), .count = 1);
    cr_assert_eq(core_counts(story->core).objects, 1u);
    for (int second = 0; second < 601; second++) {
        say(story, HOST, PING, ping, .epoch = 1);
        say(story, WORKER, PING, ping, .epoch = 1);
        story_pass(story, 1000);
    }
    cr_assert_eq(core_counts(story->core).objects, 0u);
}

// ---- What nobody owns ---------------------------------------------------------------------------

static void submit_with_dep(uint64_t seq, uint64_t dep, const opts_t *opts)
{
    mob_ref_t deps[] = {ref(dep)};
    say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1, .opts = {.set = opts},
        .deps = {.items = deps, .count = 1});
}

Test(tasks, what_nobody_owns_is_listed_and_drained_like_the_rest)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1);
    hear(story, WORKER, RUN, run);
    submit_with_dep(2, 1, NULL);
    say(story, CALLER, PUT, put, .seq = 3, .value = text_load("stored"));
    say(story, CALLER, BYE, bye, .reason = BYE_KEEP);
    story_client(story, OTHER);
    const char *rows = story_rows(story, OTHER, 1, "tasks", "");
    cr_assert(strstr(rows, "id=00000000000003e8.1, "), "%s", rows);
    cr_assert(strstr(rows, "id=00000000000003e8.2, "), "%s", rows);
    cr_assert(strstr(rows, "owner=, worker="), "%s", rows);
    rows = story_rows(story, OTHER, 2, "objects", "");
    cr_assert(strstr(rows, "id=00000000000003e8.3, name=, state=stored"), "%s", rows);
    story_drain(story);
    mob_ref_t waits = ref(2);
    say(story, OTHER, ASK, ask, .refs = {.items = &waits, .count = 1});
    cr_assert_eq(hear(story, OTHER, ANSWER, answer)->code, (uint32_t)MOB_EBROKER);
    cr_assert_not(core_drained(story->core)); // one runs
    say(story, WORKER, RESULT, result, .ref = ref(1));
    cr_assert(core_drained(story->core));
}
