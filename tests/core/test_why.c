// test_why.c - every reason why a call or an actor has not ended, and what that waits for in turn.

#include "story.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, WORKER, ACTOR, OTHER, ASKER };

static uint64_t worker, asked;
static const char *told; // the rows of the last answer

static void start(void)
{
    story = story_new(NULL);
    story_host(story, HOST, "slow -> nil", "counter i64", "add i64 -> i64", 1);
    worker = story_worker(story, HOST, START_TASKS, WORKER);
    story_client(story, CALLER);
    story_client(story, ASKER);
    story_name(story, CALLER, 1, "slow -> nil");
    story_name(story, CALLER, 2, "counter i64");
    story_name(story, CALLER, 3, "add i64 -> i64");
    story_name(story, CALLER, 4, "never -> nil");
    asked = 0;
}

TestSuite(why, .init = start, .fini = story_end, .timeout = 10);

static const char *id_of(mob_ref_t of)
{
    static char id[48];
    snprintf(id, sizeof id, "%016llx.%llu", (unsigned long long)of.owner, (unsigned long long)of.seq);
    return id;
}

// The words of a whole chain: "argument running".
static const char *reasons_of(mob_ref_t of)
{
    static char line[256];
    line[0] = '\0';
    told = story_rows(story, ASKER, ++asked, "why", id_of(of));
    for (const char *at = told; (at = strstr(at, "reason=")) != NULL;) {
        at += strlen("reason=");
        snprintf(line + strlen(line), sizeof line - strlen(line), "%s%.*s", *line ? " " : "",
                 (int)strcspn(at, ","), at);
    }
    return line;
}

#define expect(seq, words, sentence)                                 \
    do {                                                             \
        cr_assert_str_eq(reasons_of(ref(seq)), words);               \
        cr_assert(strstr(told, sentence), "%s: %s", sentence, told); \
    } while (0)

#define submit(number, ...)                                        \
    say(story, CALLER, SUBMIT, submit, .seq = (number), .task = 1, \
        .opts = {.set = &(opts_t){__VA_ARGS__}})

static void submit_behind(uint64_t seq, uint64_t dep)
{
    mob_ref_t deps[] = {ref(dep)};
    say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1, .deps = {.items = deps, .count = 1});
}

static void call(uint64_t seq, uint64_t actor)
{
    say(story, CALLER, CALL, call, .seq = seq, .actor = ref(actor), .method = 3);
}

static void make(uint64_t seq)
{
    say(story, CALLER, SPAWN, spawn, .seq = seq, .cls = 2);
    story_worker(story, HOST, START_ACTOR, ACTOR);
    hear(story, ACTOR, MAKE, make);
    say(story, ACTOR, RESULT, result, .ref = ref(seq), .attempt = 1);
}

// ---- Before it is ready -------------------------------------------------------------------------

Test(why, an_argument_whose_call_runs)
{
    submit(1, .priority = 0);
    hear(story, WORKER, RUN, run);
    submit_behind(2, 1);
    submit_behind(3, 2);
    story_pass(story, 700);
    expect(3, "argument argument running", "first for slow 00000000000003e8.2 (waiting)");
    cr_assert(strstr(told, ", pid 102, for 700 ms"), "%s", told);
    say(story, WORKER, RESULT, result, .ref = ref(1));
    expect(1, "settled", "has ended well");
}

Test(why, another_call_has_its_key)
{
    submit(1, .key = {"k", 1});
    submit(2, .key = {"k", 1});
    expect(2, "key", "its key first");
}

Test(why, its_time_has_not_come)
{
    submit(1, .delay_ms = 5000);
    expect(1, "delay", "begins in 5000 ms");
}

Test(why, its_next_run_waits_for_its_time)
{
    submit(1, .priority = 0);
    hear(story, WORKER, RUN, run);
    say(story, HOST, ENDED, ended, .worker = worker, .cause = CAUSE_CRASH, .status = 9);
    expect(1, "retry", "run 2 of 4");
}

// ---- A place ------------------------------------------------------------------------------------

Test(why, nobody_offers_it)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 4);
    expect(1, "unoffered", "no host has ever offered it");
    submit(2, .priority = 0);
    say(story, HOST, BYE, bye, .reason = BYE_END);
    story_pass(story, 3000);
    expect(2, "unoffered", "no host offers it now");
}

Test(why, no_host_has_that_much) // C96
{
    submit(1, .cpus_e4 = 1000000);
    submit_behind(2, 1);
    expect(2, "argument unfit", "needs cpu=100: no host has that much; ");
    cr_assert(strstr(told, "cpu=0/1, asks=cpu=100, "), "%s", told);
}

Test(why, others_have_it_and_who)
{
    for (uint64_t seq = 1; seq <= 3; seq++)
        submit(seq, .priority = 0);
    hear(story, WORKER, RUN, run);
    expect(2, "mailbox running", "behind 1 others");
    expect(3, "taken running", "held_by=slow 00000000000003e8.1, ");
}

Test(why, an_actor_has_it_for_life)
{
    story_join(story, OTHER, ROLE_HOST, 1000 + OTHER, 0);
    say(story, OTHER, OFFER, offer, .name = {"counter i64", 11}, .kind = DEF_CLASS);
    say(story, OTHER, OPEN, open, .slots = 1, .resources = {"disk=1", 6});
    opts_t disk = {.resources = {"disk=1", 6}};
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 2, .opts = {.set = &disk});
    say(story, CALLER, SPAWN, spawn, .seq = 2, .cls = 2, .opts = {.set = &disk});
    story_started(story, OTHER, START_ACTOR);
    expect(2, "taken", "disk=1/1, asks=cpu=1 disk=1, held_by=counter/1, ");
}

Test(why, a_process_has_to_start)
{
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 2);
    call(2, 1);
    story_started(story, HOST, START_ACTOR);
    expect(2, "actor process", "a worker of ");
}

// ---- Its actor ----------------------------------------------------------------------------------

Test(why, the_constructor_runs)
{
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 2);
    call(2, 1);
    story_worker(story, HOST, START_ACTOR, ACTOR);
    expect(2, "actor constructor", "\"counter/1\" is starting");
}

Test(why, a_place_in_a_mailbox)
{
    make(1);
    expect(1, "idle", "has no calls");
    for (uint64_t seq = 2; seq <= 30; seq++)
        call(seq, 1);
    expect(2, "running", "run 1");
    expect(3, "mailbox running", "behind 1 others");
    expect(30, "mailbox running", "in the mailbox of \"counter/1\"");
    expect(1, "running running", "add 00000000000003e8.2 in hand");
}

Test(why, an_earlier_call_of_its_caller_waits_for_an_argument)
{
    make(1);
    submit(2, .delay_ms = 5000);
    mob_ref_t deps[] = {ref(2)};
    say(story, CALLER, CALL, call, .seq = 3, .actor = ref(1), .method = 3,
        .deps = {.items = deps, .count = 1});
    call(4, 1);
    expect(4, "mailbox argument delay", "behind an earlier call of its caller, add");
}

Test(why, an_actor_that_restarts_stops_or_is_dead)
{
    opts_t again = {.max_restarts = 1, .backoff_ms = 400};
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 2, .opts = {.set = &again});
    uint64_t owner = story_worker(story, HOST, START_ACTOR, ACTOR);
    say(story, ACTOR, RESULT, result, .ref = ref(1), .attempt = 1);
    say(story, HOST, ENDED, ended, .worker = owner, .cause = CAUSE_CRASH, .status = 9);
    opts_t retry = {.max_retries = 1};
    say(story, CALLER, CALL, call, .seq = 2, .actor = ref(1), .method = 3, .opts = {.set = &retry});
    expect(2, "actor retry", "restart 1 of 1");
    story_pass(story, 1000);
    story_worker(story, HOST, START_ACTOR, OTHER);
    say(story, OTHER, RESULT, result, .ref = ref(1), .attempt = 2);
    say(story, CALLER, STOP, stop, .actor = ref(1), .how = MOB_STOP_DRAIN);
    expect(1, "stopping running", "ends (STOP) behind 1 calls");
    say(story, CALLER, STOP, stop, .actor = ref(1), .how = MOB_STOP_NOW);
    expect(1, "dead", "is dead");
}

// ---- At its worker ------------------------------------------------------------------------------

Test(why, its_body_waits_for_what_it_asked_for)
{
    submit(1, .priority = 0);
    hear(story, WORKER, RUN, run);
    story_name(story, WORKER, 1, "slow -> nil");
    say(story, WORKER, SUBMIT, submit, .seq = 1, .task = 1, .parent = ref(1),
        .opts = {.set = &(opts_t){.delay_ms = 9000}});
    say(story, WORKER, BLOCKED, blocked, .refs = {0});
    expect(1, "child delay", "asked for slow ");
}

Test(why, a_method_that_waits_for_its_own_actor_waits_for_itself)
{
    make(1);
    call(2, 1);
    story_name(story, ACTOR, 1, "add i64 -> i64");
    say(story, ACTOR, CALL, call, .seq = 1, .actor = ref(1), .method = 1, .parent = ref(2));
    say(story, ACTOR, BLOCKED, blocked, .refs = {0});
    expect(2, "child mailbox cycle", "waits for itself");
}

Test(why, who_does_not_read_holds_up_a_stream)
{
    submit(1, .num_returns = MOB_STREAM, .stream_ahead = 2);
    say(story, CALLER, NEXT, next, .seq = 2, .stream = ref(1));
    expect(2, "item", "has not been made");
    for (uint64_t index = 0; index <= 1; index++)
        say(story, WORKER, ITEM, item, .ref = ref(1), .index = index, .value = text_load("i"));
    expect(1, "reader", "has made 2 items, of which 1 were read");
}

Test(why, it_was_called_off)
{
    submit(1, .priority = 0);
    submit(2, .priority = 0);
    say(story, CALLER, CANCEL, cancel, .ref = ref(2));
    expect(2, "cancelled", "was told");
}

Test(why, its_worker_is_silent)
{
    submit(1, .priority = 0);
    for (int second = 0; second < 4; second++) {
        say(story, HOST, PING, ping, .epoch = 1);
        say(story, ASKER, PING, ping, .epoch = 1, .heard = 1);
        story_pass(story, 1000);
    }
    expect(1, "silent", "has said nothing for 4000 ms; in 1000 ms it is lost");
}

// ---- After a restart of the broker --------------------------------------------------------------

Test(why, who_had_it_may_come_back)
{
    story_destroy(&story);
    story = story_new(&(core_config_t){.epoch = 2, .rejoin_us = 3000000});
    story_client(story, CALLER);
    story_client(story, ASKER);
    story_name(story, CALLER, 1, "slow -> nil");
    say(story, CALLER, SUBMIT, submit, .seq = 1, .epoch = 1, .task = 1);
    expect(1, "rejoin", "may come back: 3000 ms more");
}

// ---- Nobody -------------------------------------------------------------------------------------

static void refused(const char *id, mob_err_t err)
{
    say(story, ASKER, QUERY, query, .seq = ++asked, .what = {"why", 3}, .filter = {id, strlen(id)});
    cr_assert_eq(hear(story, ASKER, ANSWER, answer)->code, (uint32_t)err, "%s", id);
}

Test(why, what_is_not_there_is_not_found_and_what_is_no_id_is_refused)
{
    refused("00000000000003e8.1", MOB_ENOTFOUND);
    refused("3e8.1", MOB_EARGS);
    refused("", MOB_EARGS);
    refused("00000000000003e8.1x", MOB_EARGS);
    refused("00000000000003e8.1 and a text that is much longer than any id could ever be, or so",
            MOB_EARGS);
}
