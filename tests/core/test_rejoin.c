// test_rejoin.c - a new broker that knows nothing, and peers that remember.

#include "story.h"

#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, WORKER, OTHER };

static void start(void)
{
    story = story_new(&(core_config_t){.epoch = 2, .rejoin_us = 3000000});
}

TestSuite(rejoin, .init = start, .fini = story_end, .timeout = 10);

static void caller_returns(uint64_t floor)
{
    char topic[MOB_TOPIC_SIZE] = "topic";
    say(story, CALLER, HELLO, hello, .major = 1, .owner = 1000 + CALLER,
        .topic = {topic, sizeof topic}, .role = ROLE_CLIENT, .floor = floor, .epoch = 1);
    cr_assert_eq(hear(story, CALLER, WELCOME, welcome)->accepted, floor);
    say(story, CALLER, PING, ping, .epoch = 2, .heard = 1);
    story_name(story, CALLER, 1, "add i64 -> i64");
    story_name(story, CALLER, 2, "slow -> nil");
}

static void worker_returns(void) // with the actor that request 1 made
{
    story_host(story, HOST, NULL, "counter i64", "add i64 -> i64", 1);
    story_join(story, WORKER, ROLE_WORKER, 555, 1000 + HOST);
    say(story, WORKER, HOLD, hold, .actor = ref(1), .incarnation = 1, .state = HAND_DONE,
        .cls = {"counter i64", 11});
}

static void that_is_all(void)
{
    say(story, WORKER, OPEN, open, .slots = 0);
}

static void ask(uint64_t seq)
{
    mob_ref_t one = ref(seq);
    say(story, CALLER, ASK, ask, .refs = {.items = &one, .count = 1});
}

Test(rejoin, an_actor_lives_on_and_takes_calls)
{
    worker_returns();
    that_is_all();
    caller_returns(1);
    say(story, CALLER, CALL, call, .seq = 2, .epoch = 2, .actor = ref(1), .method = 1);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 2u);
}

Test(rejoin, a_call_to_one_that_has_not_come_back_yet_waits)
{
    caller_returns(1);
    say(story, CALLER, CALL, call, .seq = 2, .epoch = 1, .actor = ref(1), .method = 1);
    story_pass(story, 1000);
    hear_nothing(story, CALLER);
    worker_returns();
    that_is_all();
    story_pass(story, 3000);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 2u);
}

Test(rejoin, a_call_to_one_that_never_comes_back_is_dead_maybe)
{
    caller_returns(1);
    say(story, CALLER, CALL, call, .seq = 2, .epoch = 1, .actor = ref(1), .method = 1);
    story_pass(story, 3500);
    const msg_answer_t *answer = hear(story, CALLER, ANSWER, answer);
    arena_t arena = {0};
    failure_t failure;
    cr_assert(failure_unpack(answer->value, &arena, &failure));
    cr_assert_eq(failure.err, MOB_EDEAD);
    cr_assert_eq(failure.executed, 1u);
    arena_clear(&arena);
}

Test(rejoin, a_result_announced_again_reaches_its_caller)
{
    worker_returns();
    say(story, WORKER, RESULT, result, .ref = ref(2), .value = text_load("kept"));
    that_is_all();
    caller_returns(2);
    ask(2);
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->value.size, 4u);
}

Test(rejoin, one_that_did_not_run_there_may_have_run_before)
{
    worker_returns();
    say(story, WORKER, FAIL, fail, .ref = ref(2), .attempt = 1, .code = MOB_EDEADLINE,
        .executed = MOB_NOT_EXECUTED);
    that_is_all();
    caller_returns(2);
    ask(2);
    arena_t arena = {0};
    failure_t failure;
    cr_assert(failure_unpack(hear(story, CALLER, ANSWER, answer)->value, &arena, &failure));
    cr_assert_eq(failure.err, MOB_EDEADLINE);
    cr_assert_eq(failure.executed, MOB_MAYBE_EXECUTED);
    arena_clear(&arena);
}

Test(rejoin, a_call_in_hand_resolves_when_its_body_ends)
{
    worker_returns();
    say(story, WORKER, HAVE, have, .ref = ref(2), .actor = ref(1), .state = HAND_RUNNING);
    that_is_all();
    caller_returns(2);
    ask(2);
    story_pass(story, 3500);
    hear_nothing(story, CALLER);
    say(story, WORKER, RESULT, result, .ref = ref(2), .value = text_load("late"));
    hear(story, CALLER, DONE, done);
}

Test(rejoin, what_nobody_claims_is_lost_with_its_broker)
{
    caller_returns(5);
    ask(5);
    hear_nothing(story, CALLER);
    story_pass(story, 3500);
    ask(5);
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->code, (uint32_t)MOB_EBROKER);
}

Test(rejoin, a_resent_call_that_a_worker_has_is_not_run_again)
{
    worker_returns();
    say(story, WORKER, HAVE, have, .ref = ref(2), .actor = ref(1), .state = HAND_RUNNING);
    that_is_all();
    caller_returns(1);
    say(story, CALLER, CALL, call, .seq = 2, .epoch = 1, .actor = ref(1), .method = 1);
    hear_nothing(story, WORKER);
    say(story, WORKER, RESULT, result, .ref = ref(2), .value = text_load("once"));
    hear(story, CALLER, DONE, done);
}

Test(rejoin, never_again_in_a_later_incarnation)
{
    worker_returns();
    that_is_all();
    caller_returns(1);
    say(story, CALLER, CALL, call, .seq = 2, .epoch = 1, .actor = ref(1), .incarnation = 0,
        .method = 1);
    hear(story, WORKER, RUN, run); // the instance knows by the id whether it ran it
}

Test(rejoin, a_worker_that_reconnects_gets_what_it_does_not_have)
{
    worker_returns();
    that_is_all();
    caller_returns(1);
    for (uint64_t seq = 2; seq <= 4; seq++)
        say(story, CALLER, CALL, call, .seq = seq, .epoch = 2, .actor = ref(1), .method = 1);
    for (uint64_t seq = 2; seq <= 4; seq++)
        hear(story, WORKER, RUN, run);
    story_join(story, WORKER, ROLE_WORKER, 555, 1000 + HOST);
    say(story, WORKER, HOLD, hold, .actor = ref(1), .incarnation = 1, .state = HAND_DONE,
        .cls = {"counter i64", 11});
    say(story, WORKER, HAVE, have, .ref = ref(2), .actor = ref(1), .state = HAND_RUNNING);
    that_is_all();
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 3u);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 4u);
    hear_nothing(story, WORKER);
}

Test(rejoin, nothing_new_is_sent_before_what_was_sent_is_said_again)
{
    worker_returns();
    that_is_all();
    caller_returns(1);
    mob_ref_t dep = ref(3);
    for (uint64_t seq = 2; seq <= 6; seq++) // 5 waits for the value of 3, and 6 behind it
        say(story, CALLER, CALL, call, .seq = seq, .epoch = 2, .actor = ref(1), .method = 1,
            .deps = {.items = &dep, .count = seq == 5});
    for (uint64_t seq = 2; seq <= 4; seq++)
        hear(story, WORKER, RUN, run);
    say(story, CALLER, CANCEL, cancel, .ref = ref(3));
    hear(story, WORKER, CANCEL, cancel);
    story_join(story, WORKER, ROLE_WORKER, 555, 1000 + HOST);
    say(story, WORKER, HOLD, hold, .actor = ref(1), .incarnation = 1, .state = HAND_DONE,
        .cls = {"counter i64", 11});
    that_is_all(); // it has none: 3 ends, with it 5, and 6 may go on
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 2u);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 4u);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 6u);
}

Test(rejoin, what_a_worker_gives_back_unknown_is_lost_with_the_old_broker)
{
    story_host(story, HOST, "slow -> nil", NULL, NULL, 1);
    story_join(story, WORKER, ROLE_WORKER, 555, 1000 + HOST);
    mob_ref_t given = ref(2);
    say(story, WORKER, HAVE, have, .ref = given, .state = HAND_WAITING);
    that_is_all();
    say(story, WORKER, GIVE, give, .refs = {.items = &given, .count = 1});
    caller_returns(2);
    ask(2);
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->code, (uint32_t)MOB_EBROKER);
}

Test(rejoin, what_runs_already_takes_its_place_even_if_that_is_too_much)
{
    enum { NEW = 8 };
    story_host(story, HOST, "slow -> nil", NULL, NULL, 1);
    story_join(story, WORKER, ROLE_WORKER, 555, 1000 + HOST);
    story_join(story, OTHER, ROLE_WORKER, 556, 1000 + HOST);
    say(story, WORKER, HAVE, have, .ref = ref(2), .state = HAND_RUNNING);
    say(story, OTHER, HAVE, have, .ref = ref(3), .state = HAND_RUNNING);
    that_is_all();
    say(story, OTHER, OPEN, open, .slots = 0);
    cr_assert_null(core_check(story->core));
    story_join(story, NEW, ROLE_WORKER, story_started(story, HOST, START_TASKS), 1000 + HOST);
    caller_returns(3);
    say(story, CALLER, SUBMIT, submit, .seq = 4, .epoch = 2, .task = 2);
    say(story, OTHER, RESULT, result, .ref = ref(3), .value = text_load("v"));
    hear_nothing(story, NEW);
    hear_nothing(story, OTHER);
    say(story, WORKER, RESULT, result, .ref = ref(2), .value = text_load("v"));
    cr_assert(story_peek(story, NEW) || story_peek(story, WORKER) || story_peek(story, OTHER));
}

static bool host_has_taken(uint64_t seq, const char *resources)
{
    return strstr(story_rows(story, CALLER, seq, "hosts", ""), resources) != NULL;
}

Test(rejoin, what_runs_takes_what_its_worker_was_told_that_it_takes)
{
    opts_t told = {.cpus_e4 = 20000, .resources = {"disk=1", 6}};
    opts_t nonsense = {.resources = {"disk=one", 8}};
    story_join(story, HOST, ROLE_HOST, 1000 + HOST, 0);
    say(story, HOST, OPEN, open, .slots = 4, .resources = {"disk=2", 6});
    story_join(story, WORKER, ROLE_WORKER, 555, 1000 + HOST);
    say(story, WORKER, HAVE, have, .ref = ref(1), .state = HAND_RUNNING, .opts = {.set = &told});
    say(story, WORKER, HAVE, have, .ref = ref(2), .state = HAND_WAITING, .opts = {.set = &told});
    that_is_all();
    story_join(story, OTHER, ROLE_WORKER, 556, 1000 + HOST);
    say(story, OTHER, HAVE, have, .ref = ref(3), .state = HAND_RUNNING, .opts = {.set = &nonsense});
    caller_returns(3);
    cr_assert(host_has_taken(4, "cpu=3/4 disk=1/2"));
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = text_load("v"));
    hear(story, CALLER, DONE, done);
    cr_assert(host_has_taken(5, "cpu=3/4 disk=1/2"));
    say(story, WORKER, RESULT, result, .ref = ref(2), .value = text_load("v"));
    hear(story, CALLER, DONE, done);
    cr_assert(host_has_taken(6, "cpu=1/4 disk=0/2"));
}

Test(rejoin, what_an_actor_has_in_hand_takes_nothing_though_said_before_its_hold)
{
    story_host(story, HOST, NULL, "counter i64", "add i64 -> i64", 1);
    story_join(story, WORKER, ROLE_WORKER, 555, 1000 + HOST);
    say(story, WORKER, HAVE, have, .ref = ref(2), .actor = ref(1), .state = HAND_RUNNING);
    say(story, WORKER, HOLD, hold, .actor = ref(1), .incarnation = 1, .state = HAND_DONE,
        .cls = {"counter i64", 11});
    that_is_all();
    cr_assert_null(core_check(story->core), "%s", core_check(story->core));
}

Test(rejoin, a_run_that_has_ended_is_not_claimed_again)
{
    opts_t again = {.retry_1 = MOB_ANY_CODE};
    caller_returns(1);
    say(story, CALLER, SUBMIT, submit, .seq = 2, .epoch = 1, .task = 2, .opts = {.set = &again});
    story_host(story, HOST, "slow -> nil", NULL, NULL, 1);
    story_join(story, WORKER, ROLE_WORKER, 555, 1000 + HOST);
    say(story, WORKER, HAVE, have, .ref = ref(2), .state = HAND_RUNNING);
    that_is_all();
    for (uint32_t attempt = 0; attempt < 2; attempt++) {
        say(story, WORKER, FAIL, fail, .ref = ref(2), .attempt = attempt, .code = MOB_ETASK,
            .app_code = 7, .executed = 2);
        say(story, WORKER, FAIL, fail, .ref = ref(2), .code = MOB_ETASK, .app_code = 7,
            .executed = 2); // a reconnect repeats what was not acknowledged
        story_pass(story, 300);
        cr_assert_eq(hear(story, WORKER, RUN, run)->attempt, attempt + 1);
    }
    hear_nothing(story, WORKER);
}

Test(rejoin, a_worker_whose_host_stays_away_is_sent_home)
{
    story_join(story, WORKER, ROLE_WORKER, 555, 4711);
    that_is_all();
    story_pass(story, 3500);
    hear(story, WORKER, GOODBYE, goodbye);
}

// ---- Several results ----------------------------------------------------------------------------

static void values_are_said_again(uint32_t attempt)
{
    for (uint64_t index = 0; index < 2; index++)
        say(story, WORKER, ITEM, item, .ref = ref(2), .attempt = attempt, .index = index,
            .count = 2, .value = text_load(index ? "b" : "a"));
    say(story, WORKER, RESULT, result, .ref = ref(2), .attempt = attempt);
}

static void both_are_answered(void)
{
    ask(2);
    cr_assert_eq(*hear(story, CALLER, ANSWER, answer)->value.data, 'a');
    ask(3);
    cr_assert_eq(*hear(story, CALLER, ANSWER, answer)->value.data, 'b');
}

static void send_again(uint64_t seq)
{
    say(story, CALLER, SUBMIT, submit, .seq = seq, .epoch = 1, .task = 2,
        .opts = {.set = &(opts_t){.num_returns = 2}});
}

Test(rejoin, several_results_announced_again_reach_their_caller)
{
    worker_returns();
    values_are_said_again(1);
    that_is_all();
    caller_returns(3);
    both_are_answered();
}

Test(rejoin, several_results_of_a_call_in_hand)
{
    worker_returns();
    say(story, WORKER, HAVE, have, .ref = ref(2), .attempt = 1, .state = HAND_RUNNING, .returns = 2);
    that_is_all();
    caller_returns(3);
    story_pass(story, 3500);
    ask(3);
    hear_nothing(story, CALLER);
    values_are_said_again(1);
    hear(story, CALLER, ANSWER, answer);
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->ref.seq, 3u);
}

Test(rejoin, several_results_sent_again_and_announced_in_either_order)
{
    caller_returns(1);
    send_again(2);
    worker_returns();
    values_are_said_again(0);
    that_is_all();
    for (uint64_t seq = 1; seq <= 3; seq++) // 1 is the actor
        cr_assert_eq(hear(story, CALLER, DONE, done)->seq, seq);
    say(story, WORKER, FAIL, fail, .ref = ref(4), .code = MOB_ETASK, .executed = 2);
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->ref.seq, 4u);
    send_again(4);
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->ref.seq, 4u);
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->ref.seq, 5u);
}

Test(rejoin, of_a_stream_only_the_failure_is_left)
{
    worker_returns();
    say(story, WORKER, HAVE, have, .ref = ref(2), .actor = ref(1), .state = HAND_RUNNING);
    that_is_all();
    caller_returns(2);
    say(story, CALLER, NEXT, next, .seq = 3, .stream = ref(2), .pulled = 4);
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->code, (uint32_t)MOB_EBROKER);
    say(story, WORKER, ITEM, item, .ref = ref(2), .index = 5, .value = text_load("late"));
    ask(2);
    hear_nothing(story, CALLER);
    say(story, WORKER, FAIL, fail, .ref = ref(2), .code = MOB_EBROKER,
        .executed = MOB_MAYBE_EXECUTED);
    const msg_answer_t *answer = hear(story, CALLER, ANSWER, answer);
    cr_assert_eq(answer->ref.seq, 2u);
    cr_assert_eq(answer->code, (uint32_t)MOB_EBROKER);
}
