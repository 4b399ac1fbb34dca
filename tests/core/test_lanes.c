// test_lanes.c - lanes of an actor through the core: each with room of its own, order in each.

#include "story.h"

#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, TASKS, WORKER };

static const mob_bytes_t io = {"io", 2};

static void start(void)
{
    story = story_new(NULL);
    story_host(story, HOST, "slow -> nil", "counter i64", "add i64 -> i64", 1);
    story_join(story, TASKS, ROLE_WORKER, story_started(story, HOST, START_TASKS), 1000 + HOST);
    story_join(story, CALLER, ROLE_CLIENT, 1000 + CALLER, 0);
    story_name(story, CALLER, 1, "counter i64");
    story_name(story, CALLER, 2, "add i64 -> i64");
    story_name(story, CALLER, 3, "slow -> nil");
}

TestSuite(lanes, .init = start, .fini = story_end, .timeout = 10);

static void become_alive(void)
{
    story_join(story, WORKER, ROLE_WORKER, story_started(story, HOST, START_ACTOR), 1000 + HOST);
    hear(story, WORKER, MAKE, make);
    say(story, WORKER, RESULT, result, .ref = ref(1), .attempt = 1);
    hear(story, CALLER, DONE, done);
}

static void make(const char *lanes) // as request 1
{
    opts_t opts = {.lanes = {lanes, strlen(lanes)}};
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 1, .opts = {.set = &opts});
    become_alive();
}

static void call_in(uint64_t seq, mob_bytes_t lane, refs_t deps)
{
    opts_t opts = {.lane = lane};
    say(story, CALLER, CALL, call, .seq = seq, .actor = ref(1), .method = 2, .opts = {.set = &opts},
        .deps = deps);
}

static void call(uint64_t seq)
{
    call_in(seq, (mob_bytes_t){0}, (refs_t){0});
}

static uint64_t runs(mob_bytes_t lane) // the next one does, in that lane
{
    const msg_run_t *run = hear(story, WORKER, RUN, run);
    mob_bytes_t said = opts_read(run->opts).lane;
    cr_assert_eq(said.size, lane.size);
    cr_assert(lane.size == 0 || memcmp(said.data, lane.data, lane.size) == 0);
    return run->ref.seq;
}

Test(lanes, C38_one_that_is_busy_takes_no_room_of_another)
{
    make("io=2");
    for (uint64_t seq = 2; seq <= 40; seq++)
        call(seq);
    for (uint64_t seq = 2; seq <= 17; seq++)
        cr_assert_eq(runs((mob_bytes_t){0}), seq);
    hear_nothing(story, WORKER);
    call_in(41, io, (refs_t){0});
    cr_assert_eq(runs(io), 41u);
    say(story, WORKER, RESULT, result, .ref = ref(41));
    hear_nothing(story, WORKER); // that made no room in the main one
    say(story, WORKER, BEGUN, begun, .ref = ref(2));
    cr_assert_eq(runs((mob_bytes_t){0}), 18u);
}

Test(lanes, C39_one_that_is_not_there_is_an_error)
{
    make("io=2 disk=1");
    call_in(2, (mob_bytes_t){"none", 4}, (refs_t){0});
    failure_t failure = story_failure(story, CALLER, 2, MOB_EARGS);
    cr_assert_not_null(strstr(failure.reason, "no lane \"none\""), "%s", failure.reason);
    cr_assert_eq(failure.executed, MOB_NOT_EXECUTED);
    call_in(3, io, (refs_t){0});
    cr_assert_eq(runs(io), 3u);
}

Test(lanes, a_late_argument_delays_its_own_lane)
{
    make("io=1");
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 3);
    mob_ref_t late = ref(2);
    call_in(3, io, (refs_t){.items = &late, .count = 1});
    call_in(4, io, (refs_t){0});
    call(5);
    cr_assert_eq(runs((mob_bytes_t){0}), 5u);
    hear_nothing(story, WORKER);
    hear(story, TASKS, RUN, run);
    say(story, TASKS, RESULT, result, .ref = late);
    hear(story, CALLER, DONE, done);
    cr_assert_eq(runs(io), 3u);
    cr_assert_eq(runs(io), 4u);
}

Test(lanes, in_a_wide_one_a_late_argument_delays_nobody)
{
    make("io=2");
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 3);
    mob_ref_t late = ref(2);
    call_in(3, io, (refs_t){.items = &late, .count = 1});
    call_in(4, io, (refs_t){0});
    cr_assert_eq(runs(io), 4u);
}

static void offer_with_lanes(void)
{
    opts_t cls = {.lanes = {"io=1", 4}}, method = {.lane = io};
    say(story, HOST, OFFER, offer, .name = {"box", 3}, .kind = DEF_CLASS, .opts = {.set = &cls});
    say(story, HOST, METHOD, method, .name = {"put -> nil", 10}, .opts = {.set = &method});
    say(story, HOST, METHOD, method, .name = {"look -> nil", 11});
    say(story, HOST, OPEN, open, .slots = 1);
}

Test(lanes, those_of_a_class_are_known_when_it_is_offered)
{
    story_name(story, CALLER, 4, "box");
    story_name(story, CALLER, 5, "put -> nil");
    story_name(story, CALLER, 6, "look -> nil");
    opts_t wrong = {.lane = {"none", 4}}, right = {.lane = io};
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 4);
    say(story, CALLER, CALL, call, .seq = 2, .actor = ref(1), .method = 5);
    say(story, CALLER, CALL, call, .seq = 3, .actor = ref(1), .method = 6);
    say(story, CALLER, CALL, call, .seq = 4, .actor = ref(1), .method = 6, .opts = {.set = &wrong});
    say(story, CALLER, CALL, call, .seq = 5, .actor = ref(1), .method = 6, .opts = {.set = &right});
    hear_nothing(story, CALLER);
    offer_with_lanes();
    story_failure(story, CALLER, 4, MOB_EARGS);
    become_alive();
    cr_assert_eq(runs((mob_bytes_t){0}), 3u);
    cr_assert_eq(runs(io), 2u);
    cr_assert_eq(runs(io), 5u);
}

Test(lanes, one_that_is_full_of_callers_is_full_for_all)
{
    opts_t opts = {.lanes = io, .mailbox_max = 3};
    opts.lanes = (mob_bytes_t){"io=1", 4};
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 1, .opts = {.set = &opts});
    become_alive();
    for (uint64_t seq = 2; seq <= 5; seq++)
        call(seq);
    call_in(6, io, (refs_t){0});
    story_failure(story, CALLER, 6, MOB_EFULL); // the mailbox is one
}

Test(lanes, who_dies_ends_the_calls_of_all)
{
    make("io=1 disk=1");
    for (uint64_t seq = 2; seq <= 41; seq += 2) {
        call_in(seq, io, (refs_t){0});
        call_in(seq + 1, (mob_bytes_t){"disk", 4}, (refs_t){0});
    }
    say(story, CALLER, STOP, stop, .actor = ref(1), .how = MOB_STOP_NOW);
    for (uint64_t seq = 2; seq <= 41; seq++)
        cr_assert_eq(hear(story, CALLER, ANSWER, answer)->code, (uint32_t)MOB_EDEAD);
}
