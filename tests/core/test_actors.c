// test_actors.c - actors through the core: made, called in order, restarted, ended.

#include "story.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, TASKS, WORKER, SECOND, OTHER };

static void start(void)
{
    story = story_new(NULL);
    story_host(story, HOST, "slow -> nil", "counter i64", "add i64 -> i64", 1);
    story_worker(story, HOST, START_TASKS, TASKS);
    story_client(story, CALLER, "counter i64", "add i64 -> i64", "slow -> nil");
}

TestSuite(actors, .init = start, .fini = story_end, .timeout = 10);

static uint64_t make(const opts_t *opts) // as request 1
{
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 1, .opts = {.set = opts},
        .args = text_load("ten"));
    uint64_t owner = story_worker(story, HOST, START_ACTOR, WORKER);
    cr_assert(mob_same(hear(story, WORKER, MAKE, make)->actor, ref(1)));
    say(story, WORKER, RESULT, result, .ref = ref(1), .attempt = 1);
    cr_assert_eq(hear(story, CALLER, DONE, done)->seq, 1u);
    return owner;
}

static void call(uint64_t seq)
{
    say(story, CALLER, CALL, call, .seq = seq, .actor = ref(1), .method = 2, .args = text_load("n"));
}

static uint32_t answer_code(void)
{
    return hear(story, CALLER, ANSWER, answer)->code;
}

static failure_t heard_failure(arena_t *arena)
{
    failure_t failure = {0};
    cr_assert(failure_unpack(hear(story, CALLER, ANSWER, answer)->value, arena, &failure));
    return failure;
}

Test(actors, calls_wait_for_the_constructor_and_keep_their_order)
{
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 1);
    for (uint64_t seq = 2; seq <= 4; seq++)
        call(seq);
    story_worker(story, HOST, START_ACTOR, WORKER);
    hear(story, WORKER, MAKE, make);
    hear_nothing(story, WORKER);
    say(story, WORKER, RESULT, result, .ref = ref(1), .attempt = 1);
    for (uint64_t seq = 2; seq <= 4; seq++)
        cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, seq);
}

Test(actors, failed_constructor_reaches_every_caller)
{
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 1);
    call(2);
    story_worker(story, HOST, START_ACTOR, WORKER);
    hear(story, WORKER, MAKE, make);
    say(story, WORKER, FAIL, fail, .ref = ref(1), .attempt = 1, .code = MOB_ETASK,
        .text = {"oops", 4});
    call(3);
    for (int i = 0; i < 3; i++) {
        arena_t arena = {0};
        failure_t failure = heard_failure(&arena);
        cr_assert_eq(failure.err, MOB_EDEAD);
        cr_assert_str_eq(failure.why, "INIT");
        cr_assert_not_null(strstr(failure.reason, "oops"));
        arena_clear(&arena);
    }
    hear(story, HOST, KILL, kill);
}

Test(actors, window_bounds_what_is_at_the_worker)
{
    make(NULL);
    for (uint64_t seq = 2; seq <= 30; seq++)
        call(seq);
    for (int i = 0; i < 16; i++)
        hear(story, WORKER, RUN, run);
    hear_nothing(story, WORKER);
    say(story, WORKER, RESULT, result, .ref = ref(2));
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 18u);
}

// How many calls waited when the next warning came; 0: there is none.
static unsigned long_queue(void)
{
    core_warning_t warning;
    unsigned waiting = 0;
    if (!core_next_warning(story->core, &warning))
        return 0;
    cr_assert_str_eq(warning.event, "MOB-LONG-QUEUE");
    cr_assert_str_eq(warning.what, "till");
    cr_assert_eq(sscanf(warning.why, "%u calls wait, 5000 may", &waiting), 1, "%s", warning.why);
    return waiting;
}

Test(actors, a_long_queue_is_warned_of_once_and_at_each_doubling)
{
    enum { NEXT_TO_RUN = 1, FIRST = 2, MOST = 4000 };
    make(&(opts_t){.mailbox_max = 5000, .name = {"till", 4}});
    uint64_t seq = FIRST;
    while (seq < FIRST + NEXT_TO_RUN + 800)
        call(seq++);
    cr_assert_eq(long_queue(), 0u);
    call(seq++);
    cr_assert_eq(long_queue(), 801u);
    for (int i = 0; i < 700; i++) { // shorter, and longer again
        const msg_run_t *run = hear(story, WORKER, RUN, run);
        say(story, WORKER, RESULT, result, .ref = run->ref);
    }
    while (seq < FIRST + NEXT_TO_RUN + 700 + 1600)
        call(seq++);
    cr_assert_eq(long_queue(), 0u);
    while (seq < FIRST + NEXT_TO_RUN + 700 + MOST)
        call(seq++);
    cr_assert_eq(long_queue(), 1601u);
    cr_assert_eq(long_queue(), 3201u);
    cr_assert_eq(long_queue(), 0u);
}

static void put_off(uint64_t seq)
{
    say(story, WORKER, BEGUN, begun, .ref = ref(seq));
}

Test(actors, what_was_put_off_takes_no_room_at_the_worker)
{
    opts_t opts = {.mailbox_max = 4};
    make(&opts);
    for (uint64_t seq = 2; seq <= 100; seq++) {
        call(seq);
        cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, seq);
        put_off(seq);
        put_off(seq); // to say so twice changes nothing
    }
    put_off(5000);
    hear_nothing(story, CALLER);
    for (uint64_t seq = 100; seq >= 2; seq--) { // in any order
        say(story, WORKER, RESULT, result, .ref = ref(seq));
        cr_assert_eq(hear(story, CALLER, DONE, done)->seq, seq);
    }
}

Test(actors, no_more_are_sent_than_may_be_open)
{
    opts_t opts = {.max_open = 2};
    make(&opts);
    for (uint64_t seq = 2; seq <= 5; seq++)
        call(seq);
    for (uint64_t seq = 2; seq <= 3; seq++) {
        cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, seq);
        put_off(seq);
    }
    hear_nothing(story, WORKER);
    say(story, WORKER, RESULT, result, .ref = ref(3));
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 4u);
    hear_nothing(story, WORKER);
}

Test(actors, one_that_was_put_off_is_called_off_at_once)
{
    make(NULL);
    call(2);
    call(3);
    hear(story, WORKER, RUN, run);
    hear(story, WORKER, RUN, run);
    put_off(2);
    say(story, CALLER, CANCEL, cancel, .ref = ref(2));
    cr_assert_eq(answer_code(), (uint32_t)MOB_ECANCELLED);
    cr_assert_eq(hear(story, WORKER, CANCEL, cancel)->ref.seq, 2u);
    say(story, CALLER, CANCEL, cancel, .ref = ref(3)); // that one runs now
    cr_assert_eq(answer_code(), (uint32_t)MOB_ECANCELLED);
    say(story, WORKER, FAIL, fail, .ref = ref(2), .code = MOB_ECANCELLED, .executed = MOB_EXECUTED);
    hear_nothing(story, CALLER);
}

Test(actors, what_was_put_off_runs_first_in_the_next_incarnation)
{
    opts_t opts = {.max_restarts = 1, .max_task_retries = 1};
    uint64_t owner = make(&opts);
    for (uint64_t seq = 2; seq <= 5; seq++) {
        call(seq);
        hear(story, WORKER, RUN, run);
    }
    put_off(2);
    put_off(3);
    say(story, WORKER, RESULT, result, .ref = ref(2));
    hear(story, CALLER, DONE, done);
    say(story, HOST, ENDED, ended, .worker = owner, .cause = CAUSE_CRASH, .status = 9);
    story_pass(story, 1000);
    story_worker(story, HOST, START_ACTOR, SECOND);
    hear(story, SECOND, MAKE, make);
    say(story, SECOND, RESULT, result, .ref = ref(1), .attempt = 2);
    for (uint64_t seq = 3; seq <= 5; seq++)
        cr_assert_eq(hear(story, SECOND, RUN, run)->ref.seq, seq);
}

Test(actors, of_one_with_threads_only_its_worker_knows_what_runs)
{
    opts_t opts = {.max_concurrency = 2};
    make(&opts);
    for (uint64_t seq = 2; seq <= 4; seq++) {
        call(seq);
        hear(story, WORKER, RUN, run);
    }
    say(story, WORKER, BEGUN, begun, .ref = ref(2));
    say(story, WORKER, BEGUN, begun, .ref = ref(3));
    say(story, CALLER, CANCEL, cancel, .ref = ref(4)); // the first of the rest, and it has not begun
    hear(story, WORKER, CANCEL, cancel);
    hear_nothing(story, CALLER);
    say(story, WORKER, FAIL, fail, .ref = ref(4), .code = MOB_ECANCELLED);
    cr_assert_eq(story_failure(story, CALLER, 4, MOB_ECANCELLED).executed, MOB_NOT_EXECUTED);
    say(story, CALLER, CANCEL, cancel, .ref = ref(3));
    story_failure(story, CALLER, 3, MOB_ECANCELLED);
}

Test(actors, of_one_with_threads_a_late_call_stops_no_other)
{
    opts_t opts = {.max_concurrency = 2};
    make(&opts);
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 3);
    mob_ref_t late = ref(2);
    say(story, CALLER, CALL, call, .seq = 3, .actor = ref(1), .method = 2,
        .deps = {.items = &late, .count = 1});
    call(4);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 4u);
}

Test(actors, full_mailbox_is_an_answer)
{
    opts_t opts = {.mailbox_max = 3};
    make(&opts);
    for (uint64_t seq = 2; seq <= 2 + 3; seq++) // one runs, three wait
        call(seq);
    hear_nothing(story, CALLER);
    call(6);
    arena_t arena = {0};
    failure_t failure = heard_failure(&arena);
    cr_assert_eq(failure.err, MOB_EFULL);
    cr_assert_str_eq(failure.why, "MAILBOX");
    cr_assert_eq(failure.executed, 0u);
    arena_clear(&arena);
    hear_nothing(story, CALLER);
}

Test(actors, of_one_caller_only_so_many_are_open)
{
    opts_t opts = {.max_pending = 3};
    make(&opts);
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 3);
    mob_ref_t late = ref(2);
    call(3); // one that runs, one that is late, one behind it
    say(story, CALLER, CALL, call, .seq = 4, .actor = ref(1), .method = 2,
        .deps = {.items = &late, .count = 1});
    call(5);
    call(6);
    arena_t arena = {0};
    failure_t failure = heard_failure(&arena);
    cr_assert_eq(failure.err, MOB_EFULL);
    cr_assert_str_eq(failure.why, "PENDING");
    arena_clear(&arena);
    story_client(story, OTHER, "add i64 -> i64");
    say(story, OTHER, CALL, call, .seq = 1, .actor = ref(1), .method = 1);
    hear_nothing(story, OTHER);
    say(story, WORKER, RESULT, result, .ref = ref(3));
    hear(story, CALLER, DONE, done);
    call(7);
    hear_nothing(story, CALLER);
}

Test(actors, late_argument_delays_later_calls_of_that_caller_only)
{
    make(NULL);
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 3);
    mob_ref_t late = ref(2);
    say(story, CALLER, CALL, call, .seq = 3, .actor = ref(1), .method = 2,
        .deps = {.items = &late, .count = 1});
    call(4);
    story_client(story, OTHER, "add i64 -> i64");
    say(story, OTHER, CALL, call, .seq = 1, .actor = ref(1), .method = 1);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.owner, 1000u + OTHER);
    hear_nothing(story, WORKER);
    hear(story, TASKS, RUN, run);
    say(story, TASKS, RESULT, result, .ref = late, .value = text_load("v"));
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 3u);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 4u);
}

Test(actors, failed_head_of_the_queue_is_a_tombstone)
{
    make(NULL);
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 3);
    mob_ref_t late = ref(2);
    say(story, CALLER, CALL, call, .seq = 3, .actor = ref(1), .method = 2,
        .deps = {.items = &late, .count = 1});
    for (uint64_t seq = 4; seq <= 13; seq++)
        call(seq);
    hear(story, TASKS, RUN, run);
    say(story, TASKS, FAIL, fail, .ref = late, .code = MOB_ETASK, .executed = 2);
    cr_assert_eq(answer_code(), (uint32_t)MOB_ETASK);
    cr_assert_eq(answer_code(), (uint32_t)MOB_EDEP);
    for (uint64_t seq = 4; seq <= 13; seq++)
        cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, seq);
}

Test(actors, death_without_restart)
{
    uint64_t worker = make(NULL);
    for (uint64_t seq = 2; seq <= 20; seq++)
        call(seq);
    say(story, HOST, ENDED, ended, .worker = worker, .cause = CAUSE_CRASH, .status = 9, .pid = 77);
    int maybe = 0, no = 0;
    for (uint64_t seq = 2; seq <= 20; seq++) {
        arena_t arena = {0};
        failure_t failure = heard_failure(&arena);
        cr_assert_eq(failure.err, MOB_EDEAD);
        cr_assert_str_eq(failure.why, "CRASH");
        maybe += failure.executed == 1;
        no += failure.executed == 0;
        arena_clear(&arena);
    }
    cr_assert_eq(maybe, 16);
    cr_assert_eq(no, 3);
    call(21);
    cr_assert_eq(answer_code(), (uint32_t)MOB_EDEAD);
}

static void restart_worker(uint64_t worker, uint32_t incarnation)
{
    say(story, HOST, ENDED, ended, .worker = worker, .cause = CAUSE_CRASH, .status = 9, .pid = 77);
    story_pass(story, 1000);
    story->who[SECOND].peer = NULL;
    story_worker(story, HOST, START_ACTOR, SECOND);
    cr_assert_eq(hear(story, SECOND, MAKE, make)->incarnation, incarnation);
}

Test(actors, restart_makes_a_new_incarnation)
{
    opts_t opts = {.max_restarts = 1};
    uint64_t worker = make(&opts);
    call(2);
    restart_worker(worker, 2);
    cr_assert_eq(answer_code(), (uint32_t)MOB_EUNAVAILABLE);
    call(3);
    cr_assert_eq(answer_code(), (uint32_t)MOB_EUNAVAILABLE); // not alive yet
    say(story, SECOND, RESULT, result, .ref = ref(1), .attempt = 2);
    call(4);
    cr_assert_eq(hear(story, SECOND, RUN, run)->incarnation, 2u);
}

Test(actors, a_silent_worker_is_ended_before_its_actor_is_made_again)
{
    opts_t opts = {.max_restarts = 1};
    uint64_t worker = make(&opts);
    for (int s = 0; s < 8; s++) {
        story_pass(story, 1000);
        say(story, HOST, PING, ping, .epoch = 1);
        say(story, CALLER, PING, ping, .epoch = 1);
    }
    while (hear(story, HOST, KILL, kill)->worker != worker) // and nothing else is said before
        ;
    cr_assert_neq(story_started(story, HOST, START_ACTOR), worker);
}

Test(actors, retried_calls_go_back_in_order_before_newer_ones)
{
    opts_t opts = {.max_restarts = 1, .max_task_retries = 5};
    uint64_t worker = make(&opts);
    for (uint64_t seq = 2; seq <= 20; seq++)
        call(seq);
    say(story, WORKER, RESULT, result, .ref = ref(2));
    hear(story, CALLER, DONE, done);
    restart_worker(worker, 2);
    call(21);
    say(story, SECOND, RESULT, result, .ref = ref(1), .attempt = 2);
    for (uint64_t seq = 3; seq <= 18; seq++) {
        const msg_run_t *run = hear(story, SECOND, RUN, run);
        cr_assert_eq(run->ref.seq, seq);
        cr_assert_eq(run->attempt, 1u);
    }
    hear_nothing(story, CALLER);
}

Test(actors, kill_tells_everybody_at_once)
{
    make(NULL);
    for (uint64_t seq = 2; seq <= 20; seq++)
        call(seq);
    say(story, CALLER, STOP, stop, .actor = ref(1), .how = MOB_STOP_NOW);
    for (uint64_t seq = 2; seq <= 20; seq++)
        cr_assert_eq(answer_code(), (uint32_t)MOB_EDEAD);
    hear(story, HOST, KILL, kill);
}

Test(actors, drain_stops_after_what_came_before)
{
    make(NULL);
    call(2);
    say(story, CALLER, END, end, .seq = 3, .actor = ref(1));
    say(story, CALLER, STOP, stop, .actor = ref(1), .how = MOB_STOP_DRAIN);
    call(4);
    cr_assert_eq(answer_code(), (uint32_t)MOB_EDEAD);
    hear(story, WORKER, RUN, run);
    hear_nothing(story, WORKER);
    say(story, WORKER, RESULT, result, .ref = ref(2));
    hear(story, CALLER, DONE, done);
    hear(story, WORKER, STOP, stop);
    say(story, WORKER, STOP, stop, .actor = ref(1), .how = STOP_ENDED);
    cr_assert_eq(hear(story, CALLER, DONE, done)->seq, 3u);
}

Test(actors, the_end_of_an_earlier_incarnation_is_not_its_own)
{
    opts_t opts = {.max_restarts = 1, .backoff_ms = 1};
    make(&opts);
    say(story, CALLER, STOP, stop, .actor = ref(1), .how = MOB_STOP_RESTART);
    hear(story, HOST, KILL, kill);
    story_pass(story, 20);
    story_worker(story, HOST, START_ACTOR, SECOND);
    hear(story, SECOND, MAKE, make);
    say(story, SECOND, RESULT, result, .ref = ref(1), .attempt = 2);
    say(story, WORKER, STOP, stop, .actor = ref(1), .how = STOP_ENDED); // a thread ends when it can
    hear_nothing(story, SECOND);
    call(2);
    hear(story, SECOND, RUN, run);
}

Test(actors, Z08_a_result_of_an_earlier_incarnation_is_late)
{
    opts_t opts = {.max_restarts = 1, .max_task_retries = 1};
    uint64_t worker = make(&opts);
    call(2);
    hear(story, WORKER, RUN, run);
    restart_worker(worker, 2);
    say(story, SECOND, RESULT, result, .ref = ref(1), .attempt = 2);
    hear(story, SECOND, RUN, run);
    uint64_t late = core_counts(story->core).late_results;
    say(story, WORKER, RESULT, result, .ref = ref(2), .value = text_load("old")); // it is nobody
    say(story, SECOND, RESULT, result, .ref = ref(2), .value = text_load("old")); // of that run
    hear_nothing(story, CALLER);
    cr_assert_eq(core_counts(story->core).late_results, late + 1);
    say(story, SECOND, RESULT, result, .ref = ref(2), .attempt = 1, .value = text_load("newer"));
    const msg_answer_t *answer = hear(story, CALLER, ANSWER, answer); // it says how many attempts
    cr_assert_eq(answer->code, (uint32_t)MOB_OK);
    cr_assert_eq(answer->value.size, 5u);
}

Test(actors, a_body_may_stop_its_own)
{
    make(NULL);
    call(2);
    hear(story, WORKER, RUN, run);
    say(story, WORKER, STOP, stop, .actor = ref(1), .how = MOB_STOP_DRAIN);
    hear_nothing(story, WORKER); // after what came before: that body
    say(story, WORKER, RESULT, result, .ref = ref(2));
    hear(story, CALLER, DONE, done);
    hear(story, WORKER, STOP, stop);
}

Test(actors, another_way_to_stop_is_refused)
{
    make(NULL);
    say(story, CALLER, STOP, stop, .actor = ref(1), .how = 7);
    cr_assert_eq(hear(story, CALLER, ERROR, error)->code, (uint32_t)MOB_EARGS);
    call(2);
    hear(story, WORKER, RUN, run);
}

Test(actors, names_are_taken_and_found)
{
    opts_t opts = {.name = {"hits", 4}};
    make(&opts);
    say(story, CALLER, SPAWN, spawn, .seq = 2, .cls = 1, .opts = {.set = &opts});
    cr_assert_eq(answer_code(), (uint32_t)MOB_EEXISTS);
    say(story, CALLER, FIND, find, .seq = 3, .name = {"hits", 4});
    say(story, CALLER, CALL, call, .seq = 4, .actor = ref(3), .method = 2);
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 4u);
    say(story, CALLER, FIND, find, .seq = 5, .name = {"miss", 4});
    say(story, CALLER, CALL, call, .seq = 6, .actor = ref(5), .method = 2);
    cr_assert_eq(answer_code(), (uint32_t)MOB_ENOTFOUND);
}

Test(actors, get_if_exists_gives_the_living_one)
{
    opts_t opts = {.name = {"hits", 4}, .get_if_exists = 1};
    make(&opts);
    say(story, CALLER, SPAWN, spawn, .seq = 2, .cls = 1, .opts = {.set = &opts});
    cr_assert_eq(hear(story, CALLER, DONE, done)->seq, 2u);
    say(story, CALLER, CALL, call, .seq = 3, .actor = ref(2), .method = 2);
    cr_assert(mob_same(hear(story, WORKER, RUN, run)->actor, ref(1)));
}

Test(actors, owner_gone_kills_what_is_not_detached)
{
    make(NULL);
    story_leave(story, CALLER, CAUSE_CRASH);
    hear(story, HOST, KILL, kill);
    cr_assert_eq(core_counts(story->core).actors, 0u);
}

Test(actors, one_made_in_a_task_ends_with_who_asked_for_the_task_though_its_worker_stays)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 3);
    hear(story, TASKS, RUN, run);
    story_name(story, TASKS, 1, "counter i64");
    say(story, TASKS, SPAWN, spawn, .seq = 1, .cls = 1, .parent = ref(1));
    say(story, TASKS, RESULT, result, .ref = ref(1));
    uint64_t worker = story_worker(story, HOST, START_ACTOR, WORKER);
    hear(story, WORKER, MAKE, make);
    say(story, CALLER, BYE, bye, .reason = BYE_END);
    cr_assert_eq(hear(story, HOST, KILL, kill)->worker, worker);
    cr_assert_null(core_check(story->core), "%s", core_check(story->core));
    say(story, TASKS, BYE, bye, .reason = BYE_END); // it looks for who inherits the making
    cr_assert_eq(core_counts(story->core).actors, 0u);
}

Test(actors, detached_one_outlives_its_owner)
{
    opts_t opts = {.name = {"hits", 4}, .detached = 1};
    make(&opts);
    story_leave(story, CALLER, CAUSE_CRASH);
    hear_nothing(story, HOST);
    story_client(story, OTHER, "add i64 -> i64");
    say(story, OTHER, FIND, find, .seq = 1, .name = {"hits", 4});
    say(story, OTHER, CALL, call, .seq = 2, .actor = {1000 + OTHER, 1}, .method = 1);
    hear(story, WORKER, RUN, run);
}

Test(actors, last_handle_dropped_drains)
{
    make(NULL);
    call(2);
    say(story, CALLER, DROP, drop, .seq = 3, .ref = ref(1), .count = 1);
    hear(story, WORKER, RUN, run);
    say(story, WORKER, RESULT, result, .ref = ref(2));
    hear(story, CALLER, DONE, done);
    hear(story, WORKER, STOP, stop);
}

Test(actors, unknown_method_is_named)
{
    make(NULL);
    story_name(story, CALLER, 4, "reset -> nil");
    say(story, CALLER, CALL, call, .seq = 2, .actor = ref(1), .method = 4);
    cr_assert_eq(answer_code(), (uint32_t)MOB_ENOTFOUND);
}

Test(actors, body_that_leaves_ends_its_actor)
{
    make(NULL);
    call(2);
    hear(story, WORKER, RUN, run);
    say(story, WORKER, FAIL, fail, .ref = ref(2), .code = MOB_EDEAD, .executed = 2,
        .text = {"left", 4});
    cr_assert_eq(answer_code(), (uint32_t)MOB_EDEAD);
    hear(story, WORKER, STOP, stop);
    call(3);
    cr_assert_eq(answer_code(), (uint32_t)MOB_EDEAD);
}

Test(actors, one_that_found_no_place_gets_the_next_that_is_free)
{
    story_join(story, OTHER, ROLE_HOST, 77, 0); // room for one process
    say(story, OTHER, OFFER, offer, .name = {"lone i64", 8}, .kind = DEF_CLASS);
    say(story, OTHER, OPEN, open, .slots = 1, .procs = 1);
    story_name(story, CALLER, 9, "lone i64");
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 9);
    say(story, CALLER, SPAWN, spawn, .seq = 2, .cls = 9);
    uint64_t worker = story_started(story, OTHER, START_ACTOR);
    hear_nothing(story, OTHER);
    say(story, OTHER, ENDED, ended, .worker = worker, .cause = CAUSE_CRASH, .status = 9, .pid = 77);
    story_started(story, OTHER, START_ACTOR);
}

Test(actors, a_refused_making_can_be_dropped)
{
    say(story, CALLER, SPAWN, spawn, .seq = 1, .epoch = 1, .cls = 77);
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->code, (uint32_t)MOB_EARGS);
    say(story, CALLER, DROP, drop, .seq = 2, .ref = {1000 + CALLER, 1}, .count = 1);
    cr_assert_eq(core_counts(story->core).objects, 0u);
}

Test(actors, nobody_moves_into_a_shared_worker_that_is_being_ended)
{
    opts_t shared = {.shared = 1};
    story_join(story, OTHER, ROLE_HOST, 77, 0);
    say(story, OTHER, OFFER, offer, .name = {"mite", 4}, .kind = DEF_CLASS, .opts = {.set = &shared});
    say(story, OTHER, OPEN, open, .slots = 1);
    story_name(story, CALLER, 9, "mite");
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 9);
    uint64_t worker = story_started(story, OTHER, START_SHARED);
    say(story, CALLER, STOP, stop, .actor = ref(1), .how = MOB_STOP_NOW);
    cr_assert_eq(hear(story, OTHER, KILL, kill)->worker, worker);
    say(story, CALLER, SPAWN, spawn, .seq = 2, .cls = 9);
    cr_assert_neq(story_started(story, OTHER, START_SHARED), worker);
}

// In one message: its call is to run again, and the actor beside it has ended.
Test(actors, the_one_left_in_a_shared_worker_goes_on)
{
    opts_t shared = {.shared = 1}, patient = {.max_retries = 1, .retry_1 = MOB_ANY_CODE};
    story_join(story, OTHER, ROLE_HOST, 77, 0);
    say(story, OTHER, OFFER, offer, .name = {"mite", 4}, .kind = DEF_CLASS, .opts = {.set = &shared});
    say(story, OTHER, METHOD, method, .name = {"add i64 -> i64", 14});
    say(story, OTHER, OPEN, open, .slots = 1);
    story_name(story, CALLER, 9, "mite");
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 9);
    say(story, CALLER, SPAWN, spawn, .seq = 2, .cls = 9);
    story_join(story, WORKER, ROLE_WORKER, story_started(story, OTHER, START_SHARED), 77);
    for (uint64_t seq = 1; seq <= 2; seq++) {
        hear(story, WORKER, MAKE, make);
        say(story, WORKER, RESULT, result, .ref = ref(seq), .attempt = 1);
        hear(story, CALLER, DONE, done);
    }
    say(story, CALLER, CALL, call, .seq = 3, .actor = ref(1), .method = 2, .opts = {.set = &patient});
    hear(story, WORKER, RUN, run);
    say(story, CALLER, STOP, stop, .actor = ref(2), .how = MOB_STOP_DRAIN);
    hear(story, WORKER, STOP, stop);
    batch_t both = BATCH_INIT;
    message_FAIL(&both, &(msg_fail_t){.ref = ref(3), .code = MOB_ETASK, .executed = MOB_EXECUTED});
    message_STOP(&both, &(msg_stop_t){.actor = ref(2)});
    story_say(story, WORKER, &both);
    batch_fini(&both);
    cr_assert_eq(hear(story, WORKER, RUN, run)->attempt, 1u);
}

// ---- Priorities ---------------------------------------------------------------------------------

enum { WINDOW = 16, RIVAL = 9 };

static void fill_window(void)
{
    for (uint64_t seq = 2; seq < 2 + WINDOW; seq++)
        call(seq);
    for (int i = 0; i < WINDOW; i++)
        hear(story, WORKER, RUN, run);
}

static void call_of(int who, uint64_t seq, const opts_t *opts)
{
    say(story, who, CALL, call, .seq = seq, .actor = ref(1), .method = 2, .opts = {.set = opts});
}

static void runs_next(uint64_t done, int who, uint64_t seq)
{
    say(story, WORKER, RESULT, result, .ref = ref(done), .value = text_load("v"));
    const msg_run_t *run = hear(story, WORKER, RUN, run);
    cr_assert(run->ref.owner == (uint64_t)(1000 + who) && run->ref.seq == seq, "%d.%d",
              (int)run->ref.owner, (int)run->ref.seq);
}

Test(actors, priorities_choose_among_callers_and_leave_each_its_order)
{
    opts_t high = {.priority = 3}, low = {.priority = -3}, loose = {.priority = 5, .unordered = 1};
    make(NULL);
    story_client(story, RIVAL);
    story_name(story, RIVAL, 2, "add i64 -> i64");
    fill_window();
    call_of(CALLER, 18, NULL);
    call_of(CALLER, 19, &high); // behind 18, which is its caller's
    call_of(RIVAL, 1, &high);
    call_of(RIVAL, 2, &low);
    call_of(CALLER, 20, &loose);
    hear_nothing(story, WORKER);
    runs_next(2, CALLER, 20);
    runs_next(3, RIVAL, 1);
    runs_next(4, CALLER, 18);
    runs_next(5, CALLER, 19);
    for (int second = 0; second < 4; second++) { // 2 has risen to 1
        say(story, WORKER, PING, ping, .epoch = 1);
        say(story, CALLER, PING, ping, .epoch = 1, .heard = 1);
        say(story, RIVAL, PING, ping, .epoch = 1, .heard = 1);
        story_pass(story, 1000);
    }
    call_of(CALLER, 21, NULL);
    for (uint64_t seq = 6; story_peek(story, WORKER) == NULL; seq++) // a slow one has a smaller window
        say(story, WORKER, RESULT, result, .ref = ref(seq), .value = text_load("v"));
    cr_assert_eq(hear(story, WORKER, RUN, run)->ref.owner, (uint64_t)(1000 + RIVAL));
}
