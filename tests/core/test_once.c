// test_once.c - calls with a key: one run for all of them, and one outcome.

#include "story.h"

#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, WORKER, OTHER, ACTOR };

static void start(void)
{
    story = story_new(NULL);
    story_host(story, HOST, "slow -> nil", "counter i64", "add i64 -> i64", 1);
    story_worker(story, HOST, START_TASKS, WORKER);
    for (int who = CALLER; who <= OTHER; who += OTHER - CALLER) {
        story_join(story, who, ROLE_CLIENT, 1000 + (uint64_t)who, 0);
        story_name(story, who, 1, "slow -> nil");
        story_name(story, who, 2, "add i64 -> i64");
        story_name(story, who, 3, "counter i64");
    }
}

TestSuite(once, .init = start, .fini = story_end, .timeout = 10);

static void submit(int who, uint64_t seq, const char *key, const char *args)
{
    opts_t opts = {.key = {key, strlen(key)}};
    say(story, who, SUBMIT, submit, .seq = seq, .task = 1, .args = text_load(args),
        .opts = {.set = &opts});
}

static void hear_failure(int who, mob_err_t err, uint32_t executed)
{
    arena_t arena = {0};
    failure_t failure = {0};
    cr_assert(failure_unpack(hear(story, who, ANSWER, answer)->value, &arena, &failure));
    cr_assert_eq(failure.err, err, "%s", failure.reason);
    cr_assert_eq(failure.executed, executed, "%s", failure.reason);
    arena_clear(&arena);
}

static void hear_value(int who, uint64_t seq, const char *value)
{
    const msg_done_t *done = hear(story, who, DONE, done);
    cr_assert_eq(done->seq, seq);
    cr_assert(done->value.size == strlen(value) &&
              memcmp(done->value.data, value, strlen(value)) == 0);
}

static void end_run(int who, uint64_t seq, const char *value)
{
    cr_assert(mob_same(hear(story, WORKER, RUN, run)->ref, ref_of(who, seq)));
    say(story, WORKER, RESULT, result, .ref = ref_of(who, seq), .value = text_load(value));
}

static void wait_s(int seconds)
{
    for (; seconds > 0; seconds--) {
        for (int who = CALLER; who <= OTHER; who++)
            say(story, who, PING, ping, .epoch = 1, .heard = 1);
        story_pass(story, 1000);
    }
}

Test(once, all_with_a_key_share_a_run)
{
    submit(CALLER, 1, "order-17", "args");
    submit(OTHER, 1, "order-17", "args");
    end_run(CALLER, 1, "made");
    hear_value(CALLER, 1, "made");
    hear_value(OTHER, 1, "made");
    submit(CALLER, 2, "order-17", "args"); // and later
    hear_value(CALLER, 2, "made");
    submit(CALLER, 3, "order-18", "args");
    end_run(CALLER, 3, "other");
    hear_nothing(story, OTHER);
}

Test(once, also_after_the_first_was_dropped_and_for_ten_minutes)
{
    submit(CALLER, 1, "k", "args");
    end_run(CALLER, 1, "made");
    hear_value(CALLER, 1, "made");
    say(story, CALLER, DROP, drop, .seq = 2, .ref = ref_of(CALLER, 1), .count = 1);
    wait_s(590);
    submit(OTHER, 1, "k", "args");
    hear_value(OTHER, 1, "made");
    wait_s(12);
    submit(OTHER, 2, "k", "args");
    end_run(OTHER, 2, "anew");
}

Test(once, other_arguments_are_stale)
{
    submit(CALLER, 1, "k", "args");
    submit(OTHER, 1, "k", "argz");
    hear_failure(OTHER, MOB_ESTALE, MOB_NOT_EXECUTED);
    opts_t opts = {.key = {"k", 1}};
    mob_ref_t dep = ref_of(CALLER, 1);
    say(story, OTHER, SUBMIT, submit, .seq = 2, .task = 1, .args = text_load("args"),
        .opts = {.set = &opts}, .deps = {.items = &dep, .count = 1});
    hear_failure(OTHER, MOB_ESTALE, MOB_NOT_EXECUTED);
    story_name(story, OTHER, 9, "other -> nil");
    say(story, OTHER, SUBMIT, submit, .seq = 3, .task = 9, .args = text_load("args"),
        .opts = {.set = &opts});
    hear_failure(OTHER, MOB_ESTALE, MOB_NOT_EXECUTED);
    end_run(CALLER, 1, "made");
}

Test(once, a_failure_is_shared_like_a_value)
{
    submit(CALLER, 1, "k", "args");
    submit(OTHER, 1, "k", "args");
    hear(story, WORKER, RUN, run);
    say(story, WORKER, FAIL, fail, .ref = ref_of(CALLER, 1), .code = MOB_ETASK, .app_code = 9,
        .executed = MOB_EXECUTED);
    hear_failure(CALLER, MOB_ETASK, MOB_EXECUTED);
    hear_failure(OTHER, MOB_ETASK, MOB_EXECUTED);
    submit(OTHER, 2, "k", "args");
    hear_failure(OTHER, MOB_ETASK, MOB_EXECUTED);
    hear_nothing(story, WORKER);
}

Test(once, one_that_never_began_leaves_its_key)
{
    submit(CALLER, 1, "busy", "args");
    submit(CALLER, 2, "behind", "args");
    submit(CALLER, 3, "k", "args");
    submit(OTHER, 1, "k", "args");
    say(story, CALLER, CANCEL, cancel, .ref = ref_of(CALLER, 3));
    hear_failure(CALLER, MOB_ECANCELLED, MOB_NOT_EXECUTED);
    hear_failure(OTHER, MOB_ECANCELLED, MOB_NOT_EXECUTED);
    submit(OTHER, 2, "k", "args");
    end_run(CALLER, 1, "a");
    end_run(CALLER, 2, "b");
    end_run(OTHER, 2, "anew");
    hear_value(OTHER, 2, "anew");
}

Test(once, cancelling_one_that_shares_cancels_only_that)
{
    submit(CALLER, 1, "k", "args");
    submit(OTHER, 1, "k", "args");
    say(story, OTHER, CANCEL, cancel, .ref = ref_of(OTHER, 1));
    hear_failure(OTHER, MOB_ECANCELLED, MOB_MAYBE_EXECUTED);
    end_run(CALLER, 1, "made");
    hear_value(CALLER, 1, "made");
    hear_nothing(story, OTHER);
}

Test(once, the_run_goes_on_when_its_owner_has_ended)
{
    submit(CALLER, 1, "k", "args");
    submit(OTHER, 1, "k", "args");
    story_leave(story, CALLER, CAUSE_CRASH);
    end_run(CALLER, 1, "made");
    hear_nothing(story, WORKER); // no CANCEL
    hear_value(OTHER, 1, "made");
}

Test(once, methods_have_keys_too)
{
    opts_t opts = {.key = {"k", 1}};
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 3);
    story_worker(story, HOST, START_ACTOR, ACTOR);
    hear(story, ACTOR, MAKE, make);
    say(story, ACTOR, RESULT, result, .ref = ref_of(CALLER, 1), .attempt = 1);
    hear(story, CALLER, DONE, done);
    for (uint64_t seq = 2; seq <= 3; seq++)
        say(story, CALLER, CALL, call, .seq = seq, .actor = ref_of(CALLER, 1), .method = 2,
            .opts = {.set = &opts});
    cr_assert_eq(hear(story, ACTOR, RUN, run)->ref.seq, 2u);
    hear_nothing(story, ACTOR);
    say(story, ACTOR, RESULT, result, .ref = ref_of(CALLER, 2), .value = text_load("8"));
    hear_value(CALLER, 2, "8");
    hear_value(CALLER, 3, "8");
    say(story, CALLER, CALL, call, .seq = 4, .actor = ref_of(CALLER, 77), .method = 2,
        .opts = {.set = &opts});
    hear_failure(CALLER, MOB_ESTALE, MOB_NOT_EXECUTED); // of another actor
}
