// test_rejoin.c - a new broker that knows nothing, and peers that remember.

#include "inner.h"
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

Test(rejoin, a_call_that_was_put_off_still_takes_no_room)
{
    enum { LAST = 41 };
    worker_returns();
    for (uint64_t seq = 2; seq <= LAST; seq++) { // more than its window has room for
        say(story, WORKER, HAVE, have, .ref = ref(seq), .actor = ref(1), .state = HAND_RUNNING);
        say(story, WORKER, BEGUN, begun, .ref = ref(seq));
    }
    that_is_all();
    caller_returns(LAST);
    ask(2);
    say(story, CALLER, CALL, call, .seq = LAST + 1, .epoch = 2, .actor = ref(1), .method = 1);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, LAST + 1u);
    say(story, WORKER, RESULT, result, .ref = ref(2), .value = text_load("late"));
    cr_assert_eq(hear(story, CALLER, DONE, done)->seq, 2u);
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
    story_worker(story, HOST, START_TASKS, NEW);
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

// ---- Who keeps what its owner has dropped -------------------------------------------------------

static void owner_returns_and_drops(void)
{
    caller_returns(1);
    say(story, CALLER, DROP, drop, .seq = 2, .ref = ref(1), .count = 1);
}

static void borrower_returns(void)
{
    mob_ref_t one = ref(1);
    story_client(story, OTHER);
    say(story, OTHER, KEEP, keep, .seq = 1, .refs = {.items = &one, .count = 1});
    story_name(story, OTHER, 1, "add i64 -> i64");
}

static void holder_returns(void)
{
    worker_returns();
    that_is_all();
}

static void borrower_calls(uint64_t seq)
{
    say(story, OTHER, CALL, call, .seq = seq, .epoch = 2, .actor = ref(1), .method = 1);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, seq);
    say(story, WORKER, RESULT, result, .ref = {1000 + OTHER, seq}, .value = text_load("v"));
    hear(story, OTHER, DONE, done);
}

static void borrower_drops(uint64_t seq)
{
    say(story, OTHER, DROP, drop, .seq = seq, .ref = ref(1), .count = 1);
    hear(story, WORKER, STOP, stop);
}

// All but the one who made it are heard.
static void seconds_pass(int count)
{
    for (; count > 0; count--) {
        story_pass(story, 1000);
        say(story, OTHER, PING, ping, .epoch = 2, .heard = 1);
        say(story, WORKER, PING, ping, .epoch = 2, .heard = 1);
        say(story, HOST, PING, ping, .epoch = 2, .heard = 1);
    }
}

// Its broker had not told it that it has the SPAWN.
static void owner_asks_again_and_drops(void)
{
    caller_returns(0);
    story_name(story, CALLER, 3, "counter i64");
    say(story, CALLER, SPAWN, spawn, .seq = 1, .epoch = 1, .cls = 3);
    say(story, CALLER, DROP, drop, .seq = 2, .ref = ref(1), .count = 1);
}

static void in_any_order(void (*owner_returns)(void))
{
    void (*const steps[])(void) = {owner_returns, borrower_returns, holder_returns};
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int i = 0; i < 6; i++) {
        story_end();
        start();
        for (int k = 0; k < 3; k++)
            steps[orders[i][k]]();
        story_pass(story, 3500);
        borrower_calls(2);
    }
}

Test(rejoin, who_keeps_an_actor_keeps_it_whoever_comes_first)
{
    in_any_order(owner_returns_and_drops);
}

Test(rejoin, who_keeps_an_actor_keeps_it_though_its_maker_asks_again)
{
    in_any_order(owner_asks_again_and_drops);
}

Test(rejoin, what_its_maker_asks_for_again_and_drops_ends_when_nobody_keeps_it)
{
    owner_asks_again_and_drops();
    holder_returns();
    hear_nothing(story, WORKER);
    story_pass(story, 3500);
    hear(story, WORKER, STOP, stop);
}

Test(rejoin, what_its_maker_dropped_does_not_end_with_the_maker)
{
    holder_returns();
    borrower_returns();
    owner_returns_and_drops();
    story_pass(story, 3500);
    story_leave(story, CALLER, CAUSE_EXIT);
    borrower_calls(2);
    borrower_drops(3);
}

Test(rejoin, what_is_kept_does_not_end_with_a_maker_that_never_came)
{
    holder_returns();
    borrower_returns();
    seconds_pass(40);
    borrower_calls(2);
    borrower_drops(3);
}

// Before its actor is back, and before others have said that they keep it.
static void maker_returns_and_ends(void)
{
    caller_returns(1);
    story_leave(story, CALLER, CAUSE_EXIT);
}

Test(rejoin, who_keeps_an_actor_keeps_it_though_its_maker_ends)
{
    in_any_order(maker_returns_and_ends);
}

Test(rejoin, what_nobody_keeps_ends_with_its_maker)
{
    holder_returns();
    maker_returns_and_ends();
    hear_nothing(story, HOST);
    story_pass(story, 3500);
    hear(story, HOST, KILL, kill);
}

Test(rejoin, what_nobody_keeps_ends_with_a_maker_that_never_came)
{
    holder_returns();
    seconds_pass(40);
    hear(story, HOST, KILL, kill);
}

// Its maker says again what it was asked for, and behind that the SPAWN that its broker had not confirmed.
Test(rejoin, an_actor_that_comes_behind_the_result_it_was_in_belongs_to_the_caller)
{
    enum { HOME = 7 };
    const mob_ref_t made = {555, 1};
    load_t loads[INNER_LOADS_MAX];
    uint8_t bytes[INNER_SIZE];
    inner_put_at(bytes, made);
    story_host(story, HOST, "slow -> nil", "counter i64", "add i64 -> i64", 1);
    story_join(story, WORKER, ROLE_WORKER, 555, 1000 + HOST);
    say(story, WORKER, RESULT, result, .ref = ref(2), .value = text_load("made"),
        .inner = inner_of(loads, load_bytes(bytes, sizeof bytes), (load_t){0}));
    that_is_all();
    story_name(story, WORKER, 3, "counter i64");
    say(story, WORKER, SPAWN, spawn, .seq = 1, .epoch = 1, .cls = 3);
    say(story, WORKER, DROP, drop, .seq = 2, .ref = made, .count = 1);
    caller_returns(2);
    say(story, CALLER, KEEP, keep, .seq = 3, .refs = {.items = &made, .count = 1});
    say(story, CALLER, DROP, drop, .seq = 4, .ref = ref(2), .count = 1);
    story_pass(story, 3500);
    story_started(story, HOST, START_TASKS);
    story_worker(story, HOST, START_ACTOR, HOME);
    hear(story, HOME, MAKE, make);
    say(story, HOME, RESULT, result, .ref = made, .attempt = 1);
    story_leave(story, WORKER, CAUSE_EXIT);
    say(story, CALLER, CALL, call, .seq = 5, .epoch = 2, .actor = made, .method = 1);
    hear(story, HOME, RUN, run);
    say(story, CALLER, DROP, drop, .seq = 6, .ref = made, .count = 1);
    say(story, HOME, RESULT, result, .ref = ref(5), .value = text_load("v"));
    hear(story, HOME, STOP, stop);
}
