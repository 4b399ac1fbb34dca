// test_errors.c - the one list of errors, walked: how each comes about in the broker, the word that says why, and
// whether its body may have run.

#include "story.h"

#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, TASKS, WORKER, OTHER };

static uint64_t tasks; // the worker TASKS

static void start_with(const core_config_t *config)
{
    story = story_new(config);
    story_host(story, HOST, "slow -> nil", "counter i64", "add i64 -> i64", 1);
    tasks = story_worker(story, HOST, START_TASKS, TASKS);
    story_client(story, CALLER, "slow -> nil", "counter i64", "add i64 -> i64", "slaw -> nil");
}

static void start(void)
{
    start_with(NULL);
}

TestSuite(errors, .init = start, .fini = story_end, .timeout = 10);

// ---- What there is to fail: request 1, or 1 and 2 -----------------------------------------------

static void submit(uint64_t seq, uint32_t task, const opts_t *opts)
{
    say(story, CALLER, SUBMIT, submit, .seq = seq, .task = task, .opts = {.set = opts});
}

static void submit_needing(uint64_t seq, mob_ref_t dep)
{
    say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1, .deps = {.items = &dep, .count = 1});
}

static void runs(const opts_t *opts)
{
    submit(1, 1, opts);
    hear(story, TASKS, RUN, run);
}

static void make(const opts_t *opts, bool ends_well)
{
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 2, .opts = {.set = opts});
    story_worker(story, HOST, START_ACTOR, WORKER);
    hear(story, WORKER, MAKE, make);
    if (ends_well)
        say(story, WORKER, RESULT, result, .ref = ref(1), .attempt = 1);
    else
        say(story, WORKER, FAIL, fail, .ref = ref(1), .attempt = 1, .code = MOB_ETASK);
}

static void call(uint64_t seq)
{
    say(story, CALLER, CALL, call, .seq = seq, .actor = ref(1), .method = 3);
}

static void calls_one(const opts_t *opts)
{
    make(opts, true);
    call(2);
    hear(story, WORKER, RUN, run);
}

static void worker_fails(mob_err_t err, unsigned executed)
{
    runs(NULL);
    say(story, TASKS, FAIL, fail, .ref = ref(1), .code = err, .executed = executed);
}

static void worker_ends(enum wire_cause cause)
{
    static const opts_t once = {.max_retries = MOB_NONE};
    runs(&once);
    say(story, HOST, ENDED, ended, .worker = tasks, .cause = cause, .status = 9, .pid = 4711);
}

// ---- How each comes about -----------------------------------------------------------------------

static void a_wrong_option(void)
{
    submit(1, 1, &(opts_t){.num_returns = -4});
}

static void nobody_offers_it(void)
{
    submit(1, 4, NULL);
    story_pass(story, 3100);
}

static void no_such_method(void)
{
    make(NULL, true);
    say(story, CALLER, CALL, call, .seq = 2, .actor = ref(1), .method = 1);
}

static void a_name_is_taken(void)
{
    const opts_t named = {.name = {"hits", 4}};
    make(&named, true);
    say(story, CALLER, SPAWN, spawn, .seq = 2, .cls = 2, .opts = {.set = &named});
}

static void its_time_is_over_in_the_queue(void)
{
    const mob_ref_t second = ref(2);
    runs(NULL);
    submit(2, 1, &(opts_t){.timeout_ms = 500});
    say(story, TASKS, BLOCKED, blocked, .refs = {.items = &second, .count = 1});
    story_pass(story, 600);
}

static void its_time_is_over_while_it_runs(void)
{
    runs(&(opts_t){.timeout_ms = 500});
    story_pass(story, 600);
}

static void called_off_before_it_begins(void)
{
    submit(1, 4, NULL);
    say(story, CALLER, CANCEL, cancel, .ref = ref(1));
}

static void called_off_while_it_runs(void)
{
    runs(NULL);
    say(story, CALLER, CANCEL, cancel, .ref = ref(1));
}

static void what_it_needs_fails(void)
{
    worker_fails(MOB_ETASK, MOB_EXECUTED);
    submit_needing(2, ref(1));
}

static void the_body_fails(void)
{
    worker_fails(MOB_ETASK, MOB_EXECUTED);
}

static void the_constructor_fails(void)
{
    make(NULL, false);
    call(2);
}

static void its_actor_crashes(void)
{
    calls_one(NULL);
    story_leave(story, WORKER, CAUSE_CRASH);
}

static void its_actor_is_killed(void)
{
    calls_one(NULL);
    say(story, CALLER, STOP, stop, .actor = ref(1), .how = MOB_STOP_NOW);
    call(3);
}

static void its_actor_is_unknown(void)
{
    call(1);
}

static void its_actor_restarts(void)
{
    calls_one(&(opts_t){.max_restarts = 1});
    story_leave(story, WORKER, CAUSE_CRASH);
    call(3);
}

static void its_worker_crashes(void)
{
    worker_ends(CAUSE_CRASH);
}

static void its_worker_had_no_memory(void)
{
    worker_ends(CAUSE_OOM);
}

static void its_worker_is_silent(void)
{
    worker_ends(CAUSE_SILENT);
}

static void its_host_is_lost(void)
{
    runs(&(opts_t){.max_retries = MOB_NONE});
    story_leave(story, HOST, CAUSE_CRASH);
}

static void the_broker_stops(void)
{
    story_drain(story);
    submit(1, 1, NULL);
}

// Its own and those of others: they came to a broker before this one, and nobody speaks of them.
static void ask_of(int who, mob_ref_t one)
{
    say(story, who, ASK, ask, .refs = {.items = &one, .count = 1});
}

static void others_come_with_a_past(uint64_t floor)
{
    char topic[MOB_TOPIC_SIZE] = "topic of other";
    say(story, OTHER, HELLO, hello, .major = 1, .owner = 1000 + OTHER,
        .topic = {topic, sizeof topic}, .role = ROLE_CLIENT, .floor = floor, .epoch = 1);
}

static void an_earlier_broker_had_it(void)
{
    others_come_with_a_past(7);
    ask_of(CALLER, ref_of(OTHER, 7));
}

static void an_earlier_broker_had_what_it_needs(void)
{
    others_come_with_a_past(7);
    submit_needing(1, ref_of(OTHER, 7));
}

static void others_dropped_it(void)
{
    others_come_with_a_past(7);
    say(story, OTHER, PUT, put, .seq = 8, .value = text_load("value"));
    say(story, OTHER, DROP, drop, .seq = 9, .ref = ref_of(OTHER, 8), .count = 1);
    ask_of(CALLER, ref_of(OTHER, 8));
}

static void its_owner_ends(void)
{
    const mob_ref_t theirs = ref_of(OTHER, 1);
    story_client(story, OTHER);
    say(story, OTHER, PUT, put, .seq = 1, .value = text_load("value"));
    say(story, CALLER, KEEP, keep, .seq = 1, .refs = {.items = &theirs, .count = 1});
    story_leave(story, OTHER, CAUSE_CRASH);
    ask_of(CALLER, theirs);
}

static void its_owner_ends_while_it_runs(void)
{
    const mob_ref_t theirs = ref_of(OTHER, 1);
    story_client(story, OTHER, "slow -> nil");
    say(story, OTHER, SUBMIT, submit, .seq = 1, .task = 1);
    say(story, CALLER, WATCH, watch, .refs = {.items = &theirs, .count = 1});
    story_leave(story, OTHER, CAUSE_CRASH);
}

static void the_mailbox_is_full(void)
{
    calls_one(&(opts_t){.mailbox_max = 1});
    call(3);
    call(4);
}

static void too_many_of_its_caller(void)
{
    calls_one(&(opts_t){.max_pending = 1});
    call(3);
}

static void too_many_of_the_session(void)
{
    story_destroy(&story);
    start_with(&(core_config_t){.pending_max = 1});
    submit(1, 1, NULL);
    submit(2, 1, NULL);
}

static load_t half_of_the_broker(void)
{
    static char bytes[4000];
    story_destroy(&story);
    start_with(&(core_config_t){.memory_max = 10000});
    say(story, CALLER, PUT, put, .seq = 1, .value = load_bytes(bytes, sizeof bytes));
    return load_bytes(bytes, sizeof bytes);
}

static void the_broker_is_full(void)
{
    load_t more = half_of_the_broker();
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 1, .args = more);
}

static void the_broker_is_full_for_values(void)
{
    load_t more = half_of_the_broker();
    say(story, CALLER, PUT, put, .seq = 2, .value = more);
}

static void the_store_is_full(void)
{
    static char piece[MOB_PIECE_MAX];
    story_destroy(&story);
    start_with(&(core_config_t){.store_max = sizeof piece});
    for (uint64_t seq = 1; seq <= 2; seq++)
        say(story, CALLER, PIECE, piece, .seq = seq, .bytes = load_bytes(piece, sizeof piece));
    say(story, CALLER, PUT, put, .seq = 3, .value = {.form = LOAD_PIECES, .first = 1, .size = 2});
}

static void it_is_too_large(void)
{
    static char piece[MOB_PIECE_MAX];
    story_destroy(&story);
    start_with(&(core_config_t){.object_max = sizeof piece});
    for (uint64_t seq = 1; seq <= 2; seq++)
        say(story, CALLER, PIECE, piece, .seq = seq, .bytes = load_bytes(piece, sizeof piece));
    say(story, CALLER, PUT, put, .seq = 3, .value = {.form = LOAD_PIECES, .first = 1, .size = 2});
}

static void it_ends_worker_after_worker(void)
{
    story_destroy(&story);
    start_with(&(core_config_t){.poison = 1});
    runs(NULL);
    story_leave(story, TASKS, CAUSE_CRASH);
}

static void its_place_is_gone(void)
{
    submit(1, 1, &(opts_t){.host = {"nowhere", 7}});
}

static void its_key_was_for_another(void)
{
    const opts_t key = {.key = {"order-17", 8}};
    submit(1, 1, &key);
    submit(2, 4, &key);
}

static void it_made_another_number_of_values(void)
{
    runs(&(opts_t){.num_returns = 3});
    say(story, TASKS, RESULT, result, .ref = ref(1));
}

static void its_worker_cannot_be_started(void)
{
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 2);
    uint64_t owner = story_started(story, HOST, START_ACTOR);
    say(story, HOST, ENDED, ended, .worker = owner, .cause = CAUSE_SETUP, .log = {"no file", 7});
    call(2);
}

static void the_stream_is_over(void)
{
    runs(&(opts_t){.num_returns = MOB_STREAM});
    say(story, TASKS, RESULT, result, .ref = ref(1));
    say(story, CALLER, NEXT, next, .seq = 2, .stream = ref(1));
}

// ---- The list -----------------------------------------------------------------------------------

static const struct {
    void (*happens)(void);
    mob_err_t err;
    const char *why;
    unsigned executed;
    const char *reason; // a part of it
    int who;            // asked for it
    uint64_t seq;
} errors[] = {
    // clang-format off
    {a_wrong_option, MOB_EARGS, "", MOB_NOT_EXECUTED, "num_returns is -4", CALLER, 1},
    {nobody_offers_it, MOB_ENOTFOUND, "", MOB_NOT_EXECUTED, "nearest: \"slow -> nil\"", CALLER, 1},
    {no_such_method, MOB_ENOTFOUND, "", MOB_NOT_EXECUTED, "counter i64 has no method", CALLER, 2},
    {a_name_is_taken, MOB_EEXISTS, "", MOB_NOT_EXECUTED, "name \"hits\" is taken in default", CALLER, 2},
    {its_time_is_over_in_the_queue, MOB_EDEADLINE, "", MOB_NOT_EXECUTED, "while queued", CALLER, 2},
    {its_time_is_over_while_it_runs, MOB_EDEADLINE, "", MOB_MAYBE_EXECUTED, "at its worker", CALLER, 1},
    {called_off_before_it_begins, MOB_ECANCELLED, "", MOB_NOT_EXECUTED, "while queued", CALLER, 1},
    {called_off_while_it_runs, MOB_ECANCELLED, "", MOB_MAYBE_EXECUTED, "while running", CALLER, 1},
    {what_it_needs_fails, MOB_EDEP, "", MOB_NOT_EXECUTED, "slow -> nil: dependency failed", CALLER, 2},
    {the_body_fails, MOB_ETASK, "", MOB_EXECUTED, "", CALLER, 1},
    {the_constructor_fails, MOB_EDEAD, "INIT", MOB_NOT_EXECUTED, "constructor failed", CALLER, 2},
    {its_actor_crashes, MOB_EDEAD, "CRASH", MOB_MAYBE_EXECUTED, "is dead", CALLER, 2},
    {its_actor_is_killed, MOB_EDEAD, "KILL", MOB_NOT_EXECUTED, "is dead: KILL", CALLER, 3},
    {its_actor_is_unknown, MOB_EDEAD, "UNKNOWN", MOB_NOT_EXECUTED, "no such actor", CALLER, 1},
    {its_actor_restarts, MOB_EUNAVAILABLE, "CRASH", MOB_MAYBE_EXECUTED, "(incarnation 2)", CALLER, 2},
    {its_actor_restarts, MOB_EUNAVAILABLE, "RESTARTING", MOB_NOT_EXECUTED, "(incarnation 2)", CALLER, 3},
    {its_worker_crashes, MOB_ELOST, "CRASH", MOB_MAYBE_EXECUTED, "ended by signal 9", CALLER, 1},
    {its_worker_had_no_memory, MOB_ELOST, "OOM", MOB_MAYBE_EXECUTED, "ended by signal 9", CALLER, 1},
    {its_worker_is_silent, MOB_ELOST, "SILENT", MOB_MAYBE_EXECUTED, "silent", CALLER, 1},
    {its_host_is_lost, MOB_ELOST, "HOST", MOB_MAYBE_EXECUTED, "its host is gone", CALLER, 1},
    {the_broker_stops, MOB_EBROKER, "DRAIN", MOB_NOT_EXECUTED, "stopping", CALLER, 1},
    {an_earlier_broker_had_it, MOB_EBROKER, "LOST", MOB_MAYBE_EXECUTED, "earlier broker", OTHER, 7},
    {an_earlier_broker_had_what_it_needs, MOB_EDEP, "", MOB_NOT_EXECUTED, "earlier broker", CALLER, 1},
    {others_dropped_it, MOB_EGONE, "FREED", MOB_EXECUTED, "freed", OTHER, 8},
    {its_owner_ends, MOB_EGONE, "OWNER", MOB_EXECUTED, "its owner", OTHER, 1},
    {its_owner_ends_while_it_runs, MOB_EGONE, "OWNER", MOB_MAYBE_EXECUTED, "its owner", OTHER, 1},
    {the_mailbox_is_full, MOB_EFULL, "MAILBOX", MOB_NOT_EXECUTED, "mailbox full (1 calls)", CALLER, 4},
    {too_many_of_its_caller, MOB_EFULL, "PENDING", MOB_NOT_EXECUTED, "1 calls of this caller", CALLER, 3},
    {too_many_of_the_session, MOB_EFULL, "PENDING", MOB_NOT_EXECUTED, "more than 1", CALLER, 2},
    {the_broker_is_full, MOB_EFULL, "MEMORY", MOB_NOT_EXECUTED, "80 %", CALLER, 2},
    {the_broker_is_full_for_values, MOB_EFULL, "MEMORY", MOB_NOT_EXECUTED, "80 %", CALLER, 2},
    {the_store_is_full, MOB_EFULL, "STORE", MOB_NOT_EXECUTED, "store", CALLER, 3},
    {it_is_too_large, MOB_ELIMIT, "", MOB_NOT_EXECUTED, "larger", CALLER, 3},
    {it_ends_worker_after_worker, MOB_EPOISON, "CRASH", MOB_MAYBE_EXECUTED, "ended 1 workers", CALLER, 1},
    {its_place_is_gone, MOB_EPLACE, "HOST", MOB_NOT_EXECUTED, "host \"nowhere\"", CALLER, 1},
    {its_key_was_for_another, MOB_ESTALE, "", MOB_NOT_EXECUTED, "order-17", CALLER, 2},
    {it_made_another_number_of_values, MOB_ERESULT, "", MOB_EXECUTED, "declared 3 values, wrote 0", CALLER, 1},
    {its_worker_cannot_be_started, MOB_ESETUP, "SETUP", MOB_NOT_EXECUTED, "no file", CALLER, 2},
    {the_stream_is_over, MOB_EEND, "", MOB_EXECUTED, "", CALLER, 2},
    // clang-format on
};

static const msg_answer_t *answer_about(mob_ref_t one)
{
    for (const message_t *next; (next = story_peek(story, CALLER)) != NULL;) {
        const message_t *heard = story_hear(story, CALLER, (verb_t)next->verb, __FILE__, __LINE__);
        if (heard->verb == VERB_ANSWER && mob_same(heard->answer.ref, one))
            return &heard->answer;
    }
    return NULL;
}

static void check(size_t i)
{
    const msg_answer_t *answer = answer_about(ref_of(errors[i].who, errors[i].seq));
    failure_t failure = {0};
    cr_assert(answer, "%zu: no answer", i);
    cr_assert(failure_unpack(answer->value, &story->told, &failure));
    cr_expect_eq(failure.err, errors[i].err, "%zu: %s", i, mob_strerror(failure.err));
    cr_expect_str_eq(failure.why, errors[i].why, "%zu: %s", i, failure.reason);
    cr_expect_eq(failure.executed, errors[i].executed, "%zu: %u", i, failure.executed);
    cr_expect(strstr(failure.reason, errors[i].reason), "%zu: %s", i, failure.reason);
    cr_expect_eq(failure.retry_after_ms > 0, failure.err == MOB_EFULL, "%zu", i);
}

Test(errors, each_has_its_word_and_says_whether_it_ran)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        errors[i].happens();
        check(i);
        story_destroy(&story);
        start_with(NULL);
    }
}
