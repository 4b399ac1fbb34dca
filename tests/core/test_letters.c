// test_letters.c - dead letters: what becomes one, what it keeps and for how long, how it is sent again and thrown away.

#include "inner.h"
#include "story.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, TASKS, ACTOR, CLERK };
enum { SLOW = 1, COUNTER, ADD }; // symbols

static uint64_t asked; // by the clerk, who looks after the letters

static void begin(const core_config_t *config)
{
    story = story_new(config);
    asked = 0;
    story_host(story, HOST, "slow -> nil", "counter i64", "add i64 -> i64", 1);
    story_worker(story, HOST, START_TASKS, TASKS);
    for (int who = CALLER; who <= CLERK; who += CLERK) {
        story_join(story, who, ROLE_CLIENT, (uint64_t)(1000 + who), 0);
        story_name(story, who, SLOW, "slow -> nil");
        story_name(story, who, COUNTER, "counter i64");
        story_name(story, who, ADD, "add i64 -> i64");
    }
}

static void start(void)
{
    begin(&(core_config_t){.poison = 2, .letters_max = 3});
}

TestSuite(letters, .init = start, .fini = story_end, .timeout = 10);

static const char *letters(const char *filter)
{
    return story_rows(story, CLERK, ++asked, "letters", filter);
}

static void are_letters(const char *filter, const char *const *names) // ends with NULL
{
    const char *rows = letters(filter);
    for (; *names; names++) {
        char field[64];
        snprintf(field, sizeof field, "id=%s, ", *names);
        cr_assert(strncmp(rows, field, strlen(field)) == 0, "no %s in %s", *names, rows);
        rows = strchr(rows, '\n') + 1;
    }
    cr_assert_str_eq(rows, "");
}

#define LETTERS(...)      \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }
#define NONE ((const char *const[]){NULL})

static void says(const char *rows, const char *field)
{
    cr_assert(strstr(rows, field), "no %s in %s", field, rows);
}

static uint64_t retry(uint64_t letter)
{
    say(story, CLERK, RETRY, retry, .seq = ++asked, .letter = letter);
    return asked;
}

static void discard(const char *filter, int64_t count)
{
    say(story, CLERK, DISCARD, discard, .seq = ++asked, .filter = {filter, strlen(filter)});
    load_t value = hear(story, CLERK, DONE, done)->value;
    unpack_t in = unpack_of(value.data, value.size);
    cr_assert_eq(unpack_i64(&in), count);
}

static const opts_t tell_opts = {.forget = 1};

static void tell(uint64_t seq, const char *args)
{
    say(story, CALLER, SUBMIT, submit, .seq = seq, .task = SLOW, .opts = {.set = &tell_opts},
        .args = text_load(args));
}

static void body_fails(uint64_t seq)
{
    hear(story, TASKS, RUN, run);
    say(story, TASKS, FAIL, fail, .ref = ref(seq), .code = MOB_ETASK, .app_code = 7, .executed = 2,
        .text = {"no such account", 15});
}

static void tell_fails(uint64_t seq, const char *args)
{
    tell(seq, args);
    body_fails(seq);
}

// ---- What becomes one ---------------------------------------------------------------------------

Test(letters, a_tell_that_fails)
{
    tell_fails(1, "transfer");
    hear_nothing(story, CALLER);
    const char *rows = letters("");
    says(rows, "id=dl-1, ");
    says(rows, "method=slow -> nil, kind=task, error=ETASK, reason=no such account");
    says(rows, "executed=yes, attempts=1, bytes=8, returns=1");
    says(rows, "call=00000000000003e8.1");
    says(story_rows(story, CLERK, ++asked, "status", ""), "letters=1, letters_lost=0");
}

Test(letters, but_no_call_whose_failure_is_heard)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = SLOW);
    body_fails(1);
    story_failure(story, CALLER, 1, MOB_ETASK);
    are_letters("", NONE);
}

Test(letters, nor_what_went_well_or_was_called_off)
{
    tell(1, "one");
    tell(2, "two");
    hear(story, TASKS, RUN, run);
    say(story, TASKS, RESULT, result, .ref = ref(1));
    say(story, CALLER, CANCEL, cancel, .ref = ref(2));
    are_letters("", NONE);
}

static void make_counter(const char *name)
{
    opts_t opts = {.name = {name, strlen(name)}};
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = COUNTER, .opts = {.set = &opts});
    story_worker(story, HOST, START_ACTOR, ACTOR);
    hear(story, ACTOR, MAKE, make);
    say(story, ACTOR, RESULT, result, .ref = ref(1), .attempt = 1);
    cr_assert_eq(hear(story, CALLER, DONE, done)->seq, 1u);
}

static void tell_actor(uint64_t seq, mob_ref_t actor)
{
    say(story, CALLER, CALL, call, .seq = seq, .actor = actor, .method = ADD,
        .opts = {.set = &tell_opts}, .args = text_load("n"));
}

Test(letters, tells_of_an_actor_that_dies_and_of_one_that_is_dead)
{
    make_counter("ledger");
    tell_actor(2, ref(1));
    hear(story, ACTOR, RUN, run);
    story_leave(story, ACTOR, CAUSE_CRASH);
    tell_actor(3, ref(1));
    are_letters("error=EDEAD dst=ledger", LETTERS("dl-1", "dl-2"));
    are_letters("executed", NONE);
    says(letters("id=dl-1"), "executed=maybe, attempts=1");
    says(letters("id=dl-2"), "executed=no, attempts=0");
}

Test(letters, a_tell_to_a_name_that_nobody_has)
{
    say(story, CALLER, FIND, find, .seq = 1, .name = {"ghost", 5});
    tell_actor(2, ref(1));
    says(letters(""), "dst=ghost, method=add i64 -> i64, kind=method, error=ENOTFOUND");
}

Test(letters, a_tell_that_came_too_late)
{
    opts_t opts = {.forget = 1, .timeout_ms = 100};
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = SLOW, .opts = {.set = &opts});
    hear(story, TASKS, RUN, run);
    story_pass(story, 101);
    says(letters(""), "error=EDEADLINE");
}

Test(letters, tells_whose_owner_ended)
{
    tell(1, "one");
    story_leave(story, CALLER, CAUSE_EXIT);
    says(letters(""), "error=EGONE");
}

static void another_worker(void)
{
    story_worker(story, HOST, START_TASKS, TASKS);
}

static void worker_dies(void)
{
    hear(story, TASKS, RUN, run);
    story_leave(story, TASKS, CAUSE_CRASH);
    story->who[TASKS].peer = NULL;
    say(story, HOST, PING, ping, .epoch = 1);
    story_pass(story, 3001); // so long after a crash no other one is started
}

static void poison(uint64_t seq, const char *args, int64_t returns)
{
    opts_t opts = {.max_retries = MOB_FOREVER, .num_returns = returns};
    say(story, CALLER, SUBMIT, submit, .seq = seq, .task = SLOW, .opts = {.set = &opts},
        .args = text_load(args));
    worker_dies();
    another_worker();
    worker_dies();
}

Test(letters, a_call_that_is_poison_and_its_failure_says_which)
{
    poison(1, "bad", 1);
    failure_t failure = story_failure(story, CALLER, 1, MOB_EPOISON);
    cr_assert(strstr(failure.reason, "slow -> nil: its body ended 2 workers, see dead letter dl-1"),
              "%s", failure.reason);
    says(letters(""), "id=dl-1, ");
    says(letters("error=EPOISON"), "executed=maybe, attempts=2, bytes=3");
}

Test(letters, each_is_an_event)
{
    say(story, CLERK, QUERY, query, .seq = ++asked, .what = {"tail", 4}, .filter = {"ev=dead", 7});
    hear(story, CLERK, DONE, done);
    tell_fails(1, "transfer");
    const msg_event_t *event = hear(story, CLERK, EVENT, event);
    cr_assert_eq(event->kind, EVENT_DEAD);
    cr_assert_eq(event->code, MOB_ETASK);
    cr_assert(event->note.size == 4 && memcmp(event->note.data, "dl-1", 4) == 0);
    cr_assert(mob_same(event->ref, ref(1)));
}

// ---- For how long -------------------------------------------------------------------------------

Test(letters, the_oldest_goes_for_a_newer_one_and_is_counted)
{
    for (uint64_t seq = 1; seq <= 5; seq++)
        tell_fails(seq, "n");
    are_letters("", LETTERS("dl-3", "dl-4", "dl-5"));
    says(story_rows(story, CLERK, ++asked, "status", ""), "letters=3, letters_lost=2");
}

static void start_small(void)
{
    begin(&(core_config_t){.letter_bytes_max = 2000});
}

Test(letters, so_it_does_for_bytes, .init = start_small)
{
    char long_one[901];
    memset(long_one, 'x', 900);
    long_one[900] = '\0';
    for (uint64_t seq = 1; seq <= 3; seq++)
        tell_fails(seq, long_one);
    are_letters("", LETTERS("dl-3"));
    says(story_rows(story, CLERK, ++asked, "status", ""), "letters_lost=2");
}

static void store(uint64_t seq, const char *value)
{
    say(story, CALLER, PUT, put, .seq = seq, .value = text_load(value));
}

static void drop(uint64_t seq, uint64_t what)
{
    say(story, CALLER, DROP, drop, .seq = seq, .ref = ref(what), .count = 1);
}

// A tell with one object as its argument and another one inside; then nobody else holds them.
static void tell_about_objects(void)
{
    static uint8_t bytes[INNER_SIZE];
    load_t loads[INNER_LOADS_MAX];
    mob_ref_t dep = ref(1);
    store(1, "first");
    store(2, "second");
    inner_put_at(bytes, ref(2));
    say(story, CALLER, SUBMIT, submit, .seq = 3, .task = SLOW, .opts = {.set = &tell_opts},
        .args = text_load("args"), .deps = {.items = &dep, .count = 1},
        .inner = inner_of(loads, load_bytes(bytes, sizeof bytes), (load_t){0}));
    drop(4, 1);
    drop(5, 2);
    body_fails(3);
}

static unsigned held_by_letters(void)
{
    const char *rows = story_rows(story, CLERK, ++asked, "refs", "kind=letter holder=dl-1");
    unsigned lines = 0;
    for (; (rows = strchr(rows, '\n')); rows++)
        lines++;
    return lines;
}

Test(letters, what_its_arguments_name_is_kept_with_it)
{
    tell_about_objects();
    cr_assert_eq(held_by_letters(), 2);
    discard("", 1);
    cr_assert_str_eq(story_rows(story, CLERK, ++asked, "objects", ""), "");
}

Test(letters, but_no_actor_lives_by_it)
{
    static uint8_t bytes[INNER_SIZE];
    load_t loads[INNER_LOADS_MAX];
    make_counter("");
    inner_put_at(bytes, ref(1));
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = SLOW, .opts = {.set = &tell_opts},
        .inner = inner_of(loads, load_bytes(bytes, sizeof bytes), (load_t){0}));
    drop(3, 1);
    hear_nothing(story, ACTOR); // the tell holds it
    body_fails(2);
    hear(story, ACTOR, STOP, stop);
}

// ---- Sent again ---------------------------------------------------------------------------------

Test(letters, sent_again_it_is_a_new_call_of_who_does_so)
{
    poison(1, "bad", 1);
    story_failure(story, CALLER, 1, MOB_EPOISON);
    uint64_t again = retry(1);
    another_worker();
    const msg_run_t *run = hear(story, TASKS, RUN, run);
    cr_assert(mob_same(run->ref, ref_of(CLERK, again)));
    cr_assert_eq(run->attempt, 0u);
    cr_assert(run->args.size == 3 && memcmp(run->args.data, "bad", 3) == 0);
    are_letters("", NONE);
    say(story, TASKS, RESULT, result, .ref = ref_of(CLERK, again), .value = text_load("good"));
    story_value(story, CLERK, again, "good");
    are_letters("", NONE);
    hear_nothing(story, CALLER);
}

Test(letters, with_its_dependency_and_what_is_inside)
{
    tell_about_objects();
    uint64_t again = retry(1);
    const msg_run_t *run = hear(story, TASKS, RUN, run);
    loads_t deps = run->deps;
    cr_assert_eq(deps.count, 1u);
    load_t dep = loads_next(&deps);
    cr_assert(dep.size == 5 && memcmp(dep.data, "first", 5) == 0);
    says(story_rows(story, CLERK, ++asked, "refs", "id=00000000000003e8.2"), "kind=argument");
    say(story, TASKS, RESULT, result, .ref = ref_of(CLERK, again));
    story_value(story, CLERK, again, "");
    cr_assert_str_eq(story_rows(story, CLERK, ++asked, "refs", "id=00000000000003e8.2"), "");
}

Test(letters, if_it_fails_again_it_is_a_letter_again)
{
    tell_fails(1, "transfer");
    uint64_t again = retry(1);
    hear(story, TASKS, RUN, run);
    say(story, TASKS, FAIL, fail, .ref = ref_of(CLERK, again), .code = MOB_ETASK, .executed = 2);
    story_failure(story, CLERK, again, MOB_ETASK);
    are_letters("bytes=8", LETTERS("dl-2"));
}

Test(letters, and_also_if_who_sent_it_goes)
{
    tell_fails(1, "transfer");
    retry(1);
    story_leave(story, CLERK, CAUSE_EXIT);
    const char *rows = story_rows(story, CALLER, 2, "letters", "");
    says(rows, "id=dl-2, ");
    says(rows, "error=EGONE");
}

Test(letters, it_finds_who_has_the_name_now)
{
    say(story, CALLER, FIND, find, .seq = 1, .name = {"ghost", 5});
    tell_actor(2, ref(1));
    opts_t opts = {.name = {"ghost", 5}};
    say(story, CALLER, SPAWN, spawn, .seq = 3, .cls = COUNTER, .opts = {.set = &opts});
    story_worker(story, HOST, START_ACTOR, ACTOR);
    hear(story, ACTOR, MAKE, make);
    say(story, ACTOR, RESULT, result, .ref = ref(3), .attempt = 1);
    story_leave(story, CLERK, CAUSE_EXIT);
    story->who[CLERK].peer = NULL;
    story_join(story, CLERK, ROLE_CLIENT, 2000, 0);
    asked = 0;
    uint64_t again = retry(1);
    const msg_run_t *run = hear(story, ACTOR, RUN, run);
    cr_assert(mob_same(run->ref, ((mob_ref_t){2000, again})));
    are_letters("", NONE);
}

Test(letters, of_nobody_it_says_so_and_stays_one)
{
    say(story, CALLER, FIND, find, .seq = 1, .name = {"ghost", 5});
    tell_actor(2, ref(1));
    story_failure(story, CLERK, retry(1), MOB_ENOTFOUND);
    says(letters(""), "id=dl-2, ");
    says(letters(""), "dst=ghost");
}

Test(letters, none_of_that_number)
{
    failure_t failure = story_failure(story, CLERK, retry(9), MOB_ENOTFOUND);
    cr_assert_str_eq(failure.reason, "there is no dead letter dl-9");
}

Test(letters, several_results_are_for_who_asked_for_them)
{
    poison(1, "two", 2);
    story_failure(story, CLERK, retry(1), MOB_EARGS);
    are_letters("", LETTERS("dl-1"));
}

Test(letters, a_broker_that_stops_sends_none_again)
{
    tell_fails(1, "transfer");
    story_drain(story);
    story_failure(story, CLERK, retry(1), MOB_EBROKER);
    are_letters("", LETTERS("dl-1"));
}

// ---- Thrown away --------------------------------------------------------------------------------

Test(letters, thrown_away_by_a_filter)
{
    for (uint64_t seq = 1; seq <= 3; seq++)
        tell_fails(seq, "n");
    discard("id=dl-2", 1);
    are_letters("", LETTERS("dl-1", "dl-3"));
    discard("method=~slow.*", 0); // an expression that the broker does not know
    discard("error=ELOST", 0);
    discard("", 2);
    are_letters("", NONE);
    says(story_rows(story, CLERK, ++asked, "status", ""), "letters=0, letters_lost=0");
}

Test(letters, of_another_broker_are_not_mixed_up_with_ours)
{
    tell_fails(1, "n");
    say(story, CLERK, RETRY, retry, .seq = ++asked, .epoch = 999, .letter = 1);
    story_failure(story, CLERK, asked, MOB_EGONE);
    say(story, CLERK, DISCARD, discard, .seq = ++asked, .epoch = 999);
    story_failure(story, CLERK, asked, MOB_EGONE);
    hear_nothing(story, TASKS);
    are_letters("", LETTERS("dl-1"));
}

Test(letters, not_by_a_wrong_one)
{
    tell_fails(1, "n");
    say(story, CLERK, DISCARD, discard, .seq = ++asked, .filter = {"id==", 4});
    story_failure(story, CLERK, asked, MOB_EARGS);
    are_letters("", LETTERS("dl-1"));
}
