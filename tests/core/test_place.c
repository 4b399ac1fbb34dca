// test_place.c - where bodies run: resources counted, labels and hosts asked for, whose turn it is.

#include "story.h"

#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, A, B, A1, A2, B1, B2, LATE };

static mob_bytes_t bytes(const char *text)
{
    return (mob_bytes_t){text, strlen(text)};
}

static void offer(int host, const char *name, uint32_t kind, const opts_t *opts)
{
    say(story, host, OFFER, offer, .name = bytes(name), .usage = bytes(name), .kind = kind,
        .opts = {.set = opts});
}

static void open_host(int host, uint32_t slots, const char *resources, const char *labels)
{
    story_join(story, host, ROLE_HOST, (uint64_t)(1000 + host), 0);
    offer(host, "slow -> nil", DEF_TASK, NULL);
    offer(host, "counter i64", DEF_CLASS, NULL);
    say(story, host, METHOD, method, .name = bytes("add i64 -> i64"));
    say(story, host, OPEN, open, .slots = slots, .resources = bytes(resources),
        .labels = bytes(labels));
}

static uint64_t join_worker(int host, int worker, uint32_t kind)
{
    uint64_t owner = story_started(story, host, kind);
    story_join(story, worker, ROLE_WORKER, owner, (uint64_t)(1000 + host));
    return owner;
}

// Two hosts, with a worker for each of their slots.
static void start_with(const core_config_t *config)
{
    story = story_new(config);
    open_host(A, 2, "", "zone=a");
    open_host(B, 2, "disk=1 gpu=2", "zone=b fast=yes");
    join_worker(A, A1, START_TASKS);
    join_worker(A, A2, START_TASKS);
    join_worker(B, B1, START_TASKS);
    join_worker(B, B2, START_TASKS);
    story_client(story, CALLER, "slow -> nil", "counter i64");
}

static void start(void)
{
    start_with(NULL);
}

TestSuite(place, .init = start, .fini = story_end, .timeout = 10);

#define submit(number, ...)                                        \
    say(story, CALLER, SUBMIT, submit, .seq = (number), .task = 1, \
        .opts = {.set = &(opts_t){__VA_ARGS__}})
#define spawn(number, ...)                                      \
    say(story, CALLER, SPAWN, spawn, .seq = (number), .cls = 2, \
        .opts = {.set = &(opts_t){__VA_ARGS__}})

static void runs_at(int worker, uint64_t seq, int line)
{
    const message_t *message = story_hear(story, worker, VERB_RUN, "test_place.c", line);
    cr_assert_eq(message->run.ref.seq, seq, "line %d", line);
}

#define runs(worker, seq) runs_at(worker, seq, __LINE__)

static void ends(int worker, uint64_t seq)
{
    say(story, worker, RESULT, result, .ref = ref(seq), .value = text_load("v"));
    cr_assert_eq(hear(story, CALLER, DONE, done)->seq, seq);
}

static void nobody_runs(void)
{
    for (int who = A1; who <= LATE; who++)
        hear_nothing(story, who);
}

static void fails(uint64_t seq, mob_err_t err, const char *word)
{
    failure_t failure = story_failure(story, CALLER, seq, err);
    cr_assert(strstr(failure.reason, word), "%s", failure.reason);
}

// ---- Resources ----------------------------------------------------------------------------------

Test(place, what_needs_a_resource_runs_where_it_is_one_after_the_other)
{
    submit(1, .resources = bytes("disk=1"));
    submit(2, .resources = bytes("disk=0.5"));
    runs(B1, 1);
    nobody_runs();
    ends(B1, 1);
    runs(B1, 2);
}

Test(place, what_nobody_has_waits_for_a_host_that_has_it)
{
    submit(1, .cpus_e4 = 30000);
    submit(2, .resources = bytes("gpu=3"));
    story_pass(story, 1000);
    nobody_runs();
    hear_nothing(story, CALLER);
    enum { BIG = 8 };
    open_host(BIG, 1, "cpu=4 gpu=8", "");
    join_worker(BIG, LATE, START_TASKS);
    runs(LATE, 1);
    hear(story, BIG, START, start); // four CPUs: the second may run beside it
}

Test(place, parts_of_a_cpu_share_it)
{
    for (uint64_t seq = 1; seq <= 6; seq++)
        submit(seq, .cpus_e4 = 5000, .labels = bytes("zone=a"));
    runs(A1, 1);
    runs(A2, 2);
    runs(A1, 3); // meanwhile they wait behind the first
    runs(A2, 4);
    join_worker(A, LATE, START_TASKS); // more than there are slots
    runs(LATE, 5);
    runs(LATE, 6);
    hear(story, A, START, start);
    hear_nothing(story, A); // two CPUs are four halves
    nobody_runs();
}

Test(place, a_body_that_waits_lends_its_cpus_but_nothing_else)
{
    submit(1, .cpus_e4 = 20000, .resources = bytes("disk=1"));
    submit(2, .cpus_e4 = MOB_NONE, .resources = bytes("disk=1"));
    submit(3, .cpus_e4 = 20000, .labels = bytes("zone=b"));
    runs(B1, 1);
    nobody_runs();
    say(story, B1, BLOCKED, blocked, .refs = {0});
    runs(B2, 3);
    nobody_runs();
    say(story, B1, RESUMED, resumed, .unused = 0); // at once: more is taken than there is
    cr_assert_null(core_check(story->core));
    submit(4, .cpus_e4 = 20000, .labels = bytes("zone=b"));
    ends(B2, 3);
    nobody_runs();
    ends(B1, 1);
    const msg_run_t *run = hear(story, B1, RUN, run);
    cr_assert(run->ref.seq == 2 || run->ref.seq == 4);
}

Test(place, so_many_workers_as_resources_allow)
{
    for (uint64_t seq = 1; seq <= 10; seq++)
        submit(seq, .cpus_e4 = MOB_NONE, .resources = bytes("disk=0.25"), .max_retries = MOB_NONE);
    runs(B1, 1);
    runs(B2, 2);
    hear(story, B, START, start);
    hear(story, B, START, start);
    hear_nothing(story, B); // four quarters
}

Test(place, none_is_no_cpu_at_all)
{
    submit(1, .cpus_e4 = 20000, .labels = bytes("zone=a"));
    submit(2, .cpus_e4 = MOB_NONE, .labels = bytes("zone=a"));
    runs(A1, 1);
    runs(A2, 2);
}

// ---- Which host ---------------------------------------------------------------------------------

Test(place, labels_are_conditions)
{
    submit(1, .labels = bytes("zone!=a fast=yes"));
    runs(B1, 1);
    submit(2, .labels = bytes("fast!=yes"));
    runs(A1, 2);
    submit(3, .labels = bytes("zone=c"));
    nobody_runs();
    submit(4, .labels = bytes("zone=c"), .soft = 1); // a wish
    cr_assert(story_peek(story, A2) || story_peek(story, B2));
}

Test(place, a_host_is_named_by_its_id)
{
    submit(1, .host = bytes("00000000000003ea")); // 1002
    runs(B1, 1);
}

Test(place, a_host_that_must_be_and_is_gone_ends_the_call)
{
    submit(1, .host = bytes("00000000000003e9"), .max_retries = MOB_NONE);
    runs(A1, 1);
    for (uint64_t seq = 2; seq <= 6; seq++)
        submit(seq, .host = bytes("00000000000003e9"), .cpus_e4 = 20000);
    spawn(7, .host = bytes("00000000000003e9"), .cpus_e4 = 20000);
    nobody_runs();
    story_leave(story, A, CAUSE_CRASH);
    fails(1, MOB_ELOST, "host is gone");
    for (uint64_t seq = 2; seq <= 7; seq++)
        fails(seq, MOB_EPLACE, "00000000000003e9");
    submit(8, .host = bytes("00000000000003e9"), .soft = 1);
    runs(B1, 8);
}

Test(place, hosts_of_one_machine_are_filled_by_what_is_free)
{
    for (uint64_t seq = 1; seq <= 4; seq++)
        submit(seq);
    runs(A1, 1);
    runs(B1, 2);
    runs(A2, 3);
    runs(B2, 4);
}

Test(place, spread_takes_the_host_with_the_fewest_bodies)
{
    submit(1, .cpus_e4 = MOB_NONE, .labels = bytes("zone=b"));
    runs(B1, 1);
    submit(2, .cpus_e4 = 1, .spread = 1);
    runs(A1, 2);
    submit(3, .cpus_e4 = 1, .spread = 1);
    submit(4, .cpus_e4 = 1, .spread = 1);
    cr_assert(story_peek(story, A2) && story_peek(story, B2), "one each");
}

// ---- Whose turn it is ---------------------------------------------------------------------------

static void fill_b(uint64_t seq)
{
    submit(seq, .labels = bytes("zone=b"));
}

Test(place, higher_priorities_begin_first_and_waiting_lifts)
{
    submit(1, .cpus_e4 = 20000, .labels = bytes("zone=b"));
    runs(B1, 1);
    submit(2, .cpus_e4 = 20000, .labels = bytes("zone=b fast=yes"), .priority = -1);
    submit(3, .cpus_e4 = 20000, .labels = bytes("zone=b fast=yes"));
    submit(4, .cpus_e4 = 20000, .labels = bytes("zone=b fast=yes"), .priority = 7);
    ends(B1, 1);
    runs(B1, 4);
    ends(B1, 4);
    runs(B1, 3);
    say(story, B1, PING, ping, .epoch = 1);
    story_pass(story, 3000); // 2 is at level 2 now
    submit(5, .cpus_e4 = 20000, .labels = bytes("zone=b fast=yes"), .priority = 1);
    ends(B1, 3);
    runs(B1, 2);
}

Test(place, small_ones_do_not_starve_a_large_one)
{
    fill_b(1);
    fill_b(2);
    runs(B1, 1);
    runs(B2, 2);
    submit(3, .cpus_e4 = 20000, .labels = bytes("zone=b"));
    fill_b(4);
    runs(B1, 4); // behind 1: it ranks as high as 3
    for (int worker = A1; worker <= B2; worker++)
        say(story, worker, PING, ping, .epoch = 1);
    story_pass(story, 1500); // 3 has risen
    fill_b(5);
    ends(B1, 1);
    ends(B1, 4);
    nobody_runs();
    ends(B2, 2);
    const msg_run_t *run = hear(story, B1, RUN, run);
    cr_assert_eq(run->ref.seq, 3u);
    nobody_runs();
    ends(B1, 3);
    runs(B1, 5);
}

Test(place, what_is_kept_for_one_keeps_nothing_else_from_running)
{
    submit(1, .resources = bytes("disk=1"));
    runs(B1, 1);
    submit(2, .resources = bytes("disk=1 gpu=1"));
    for (int worker = A1; worker <= B2; worker++)
        say(story, worker, PING, ping, .epoch = 1);
    story_pass(story, 2500);
    submit(3, .resources = bytes("gpu=2")); // one of them is kept
    nobody_runs();
    submit(4, .resources = bytes("gpu=1"), .cpus_e4 = MOB_NONE);
    runs(B2, 4);
}

// ---- Actors -------------------------------------------------------------------------------------

static void made(int host, int worker, uint64_t seq)
{
    join_worker(host, worker, START_ACTOR);
    hear(story, worker, MAKE, make);
    say(story, worker, RESULT, result, .ref = ref(seq), .attempt = 1);
    cr_assert_eq(hear(story, CALLER, DONE, done)->seq, seq);
}

Test(place, an_actor_needs_a_cpu_to_begin_and_none_to_live)
{
    fill_b(1);
    fill_b(2);
    runs(B1, 1);
    runs(B2, 2);
    spawn(3, .labels = bytes("zone=b"));
    hear_nothing(story, B);
    fill_b(4);
    nobody_runs(); // the next free CPU is the actor's
    ends(B1, 1);
    made(B, LATE, 3);
    runs(B1, 4);
}

Test(place, what_an_actor_was_given_it_keeps_until_it_ends)
{
    spawn(1, .resources = bytes("disk=1"), .cpus_e4 = 20000);
    made(B, LATE, 1);
    fill_b(2);
    submit(3, .resources = bytes("disk=1"), .cpus_e4 = MOB_NONE);
    nobody_runs();
    say(story, CALLER, STOP, stop, .actor = ref(1), .how = MOB_STOP_NOW);
    runs(B1, 2);
    runs(B2, 3);
}

// ---- Definitions --------------------------------------------------------------------------------

Test(place, a_definition_says_what_its_bodies_need)
{
    enum { DISKS = 9 };
    story_name(story, CALLER, 3, "scan -> nil");
    opts_t own = {.cpus_e4 = MOB_NONE};
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 3, .opts = {.set = &own});
    story_join(story, DISKS, ROLE_HOST, 1000 + DISKS, 0);
    offer(DISKS, "scan -> nil", DEF_TASK, &(opts_t){.resources = bytes("disk=2")});
    say(story, DISKS, OPEN, open, .slots = 1, .resources = bytes("disk=3"));
    join_worker(DISKS, LATE, START_TASKS);
    runs(LATE, 1);
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 3);
    nobody_runs(); // two of three disks are taken, though no CPU
    offer(DISKS, "scan -> nil", DEF_TASK, &(opts_t){.resources = bytes("disk=1")});
    say(story, DISKS, OPEN, open, .slots = 1);
    uint64_t another = story_started(story, DISKS, START_TASKS);
    enum { SECOND = 10 };
    story_join(story, SECOND, ROLE_WORKER, another, 1000 + DISKS);
    runs(SECOND, 2); // by what the definition says now
}

// ---- What makes no sense ------------------------------------------------------------------------

Test(place, its_worker_is_told_what_it_takes_for_a_later_broker)
{
    submit(1, .cpus_e4 = 20000, .resources = bytes("disk=1"));
    const msg_run_t *run = hear(story, B1, RUN, run);
    opts_t told = opts_read(run->opts);
    cr_assert_eq(told.cpus_e4, 20000);
    cr_assert_eq(told.resources.size, 6u);
    submit(2, .labels = bytes("zone=a"));
    cr_assert_eq(hear(story, A1, RUN, run)->opts.size, 0u); // 1 CPU: nothing to be said
}

Test(place, texts_that_are_none_are_named)
{
    submit(1, .resources = bytes("disk"));
    fails(1, MOB_EARGS, "place.resources");
    submit(2, .resources = bytes("cpu=1"));
    fails(2, MOB_EARGS, "cpu");
    submit(3, .resources = bytes("disk=1 disk=1"));
    fails(3, MOB_EARGS, "disk");
    submit(4, .labels = bytes("zone"));
    fails(4, MOB_EARGS, "place.labels");
    submit(5, .cpus_e4 = -7);
    fails(5, MOB_EARGS, "place.cpus");
    spawn(6, .resources = bytes("disk=-1"));
    fails(6, MOB_EARGS, "place.resources");
    enum { BAD = 8 };
    story_join(story, BAD, ROLE_HOST, 1000 + BAD, 0);
    say(story, BAD, OPEN, open, .slots = 1, .resources = bytes("disk=one"));
    cr_assert_eq(hear(story, BAD, ERROR, error)->code, (uint32_t)MOB_EARGS);
    say(story, BAD, OPEN, open, .slots = 1, .labels = bytes("zone!=a"));
    cr_assert_eq(hear(story, BAD, ERROR, error)->code, (uint32_t)MOB_EARGS);
    say(story, BAD, OPEN, open, .slots = 1, .resources = bytes("disk=1"));
    submit(7, .resources = bytes("disk=1"), .host = bytes("00000000000003f0"));
    nobody_runs();
}

// ---- Why ----------------------------------------------------------------------------------------

static bool answer_has(uint64_t seq, const char *what, const char *filter, const char *word)
{
    say(story, CALLER, QUERY, query, .seq = seq, .what = bytes(what), .filter = bytes(filter));
    const msg_done_t *done = hear(story, CALLER, DONE, done);
    return memmem(done->value.data, done->value.size, word, strlen(word)) != NULL;
}

Test(place, what_waits_says_why)
{
    submit(1, .cpus_e4 = 1000000);
    cr_assert(answer_has(2, "tasks", "state=ready", "needs cpu=100: no host has that much"));
    submit(3, .labels = bytes("zone=c"));
    cr_assert(answer_has(4, "tasks", "state=ready", "needs cpu=1 zone=c: no such host offers it"));
    spawn(5, .resources = bytes("disk=2"));
    cr_assert(answer_has(6, "actors", "", "no host has that much"));
    submit(7, .resources = bytes("disk=1"), .cpus_e4 = 20000);
    submit(8, .resources = bytes("disk=1"));
    runs(B1, 7);
    cr_assert(answer_has(9, "tasks", "state=ready", "waits for cpu=1 disk=1; taken on"));
    cr_assert(answer_has(10, "hosts", "", "cpu=2/2 disk=1/1 gpu=0/2"));
    cr_assert(answer_has(11, "hosts", "", "zone=b fast=yes"));
    ends(B1, 7);
    runs(B1, 8);
    cr_assert(answer_has(12, "hosts", "", "cpu=1/2 disk=1/1 gpu=0/2"));
}

static void keep_alive(int64_t ms) // of all that are there
{
    for (; ms > 0; ms -= 1000) {
        for (int who = CALLER; who <= B2; who++)
            say(story, who, PING, ping, .epoch = 1, .heard = who == CALLER);
        story_pass(story, 1000);
    }
}

Test(place, what_nobody_can_run_is_told_after_10_s_and_then_each_minute)
{
    core_warning_t warning;
    submit(1, .cpus_e4 = 1000000);
    fill_b(2);
    fill_b(3); // these run long: nothing to warn of
    fill_b(4);
    keep_alive(10000);
    cr_assert_not(core_next_warning(story->core, &warning));
    keep_alive(2000);
    cr_assert(core_next_warning(story->core, &warning));
    cr_assert_str_eq(warning.event, "MOB-UNPLACED");
    cr_assert_str_eq(warning.what, "slow -> nil");
    cr_assert(strstr(warning.why, "cpu=100"), "%s", warning.why);
    keep_alive(58000);
    cr_assert_not(core_next_warning(story->core, &warning));
    keep_alive(3000);
    cr_assert(core_next_warning(story->core, &warning));
    cr_assert_not(core_next_warning(story->core, &warning));
}

static unsigned warnings_within(int64_t ms)
{
    core_warning_t warning;
    unsigned count = 0;
    keep_alive(ms);
    while (core_next_warning(story->core, &warning))
        count++;
    return count;
}

Test(place, how_soon_that_is_told_is_a_setting)
{
    const struct {
        int64_t warn_us;
        unsigned within_2_s, then_58_s;
    } settings[] = {{-1, 1, 0}, {5000000, 0, 1}, {INT64_MAX, 0, 0}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        story_destroy(&story);
        start_with(&(core_config_t){.warn_us = settings[i].warn_us});
        submit(1, .cpus_e4 = 1000000);
        submit(2, .cpus_e4 = 1000000); // of the same shape
        cr_expect_eq(warnings_within(2000), settings[i].within_2_s, "%zu", i);
        cr_expect_eq(warnings_within(58000), settings[i].then_58_s, "%zu", i);
    }
}

Test(place, a_host_whose_processes_all_wait_is_named) // Z25
{
    enum { SMALL = 8 };
    core_warning_t warning;
    story_join(story, SMALL, ROLE_HOST, 1000 + SMALL, 0);
    offer(SMALL, "nest -> nil", DEF_TASK, NULL);
    say(story, SMALL, OPEN, open, .slots = 1, .procs = 1);
    join_worker(SMALL, LATE, START_TASKS);
    story_name(story, CALLER, 3, "nest -> nil");
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 3);
    runs(LATE, 1);
    say(story, LATE, BLOCKED, blocked, .refs = {0});
    opts_t limit = {.timeout_ms = 15000};
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 3, .opts = {.set = &limit});
    hear_nothing(story, SMALL);
    cr_assert(answer_has(3, "tasks", "state=ready", "at its limit of 1 processes, 1 of them wait"));
    for (int second = 0; second < 12; second++) {
        say(story, SMALL, PING, ping, .epoch = 1);
        say(story, LATE, PING, ping, .epoch = 1);
        keep_alive(1000);
    }
    cr_assert(core_next_warning(story->core, &warning));
    cr_assert(strstr(warning.why, "limit of 1 processes"), "%s", warning.why);
    for (int second = 0; second < 3; second++) {
        say(story, SMALL, PING, ping, .epoch = 1);
        say(story, LATE, PING, ping, .epoch = 1);
        keep_alive(1000);
    }
    fails(2, MOB_EDEADLINE, "queued");
}
