// test_holders.c - the lists of objects and of what keeps them: each kind of holder, and none that has let go.

#include "inner.h"
#include "story.h"

#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, WORKER, OTHER };

static void start(void)
{
    story = story_new(NULL);
    story_host(story, HOST, "slow -> nil", NULL, NULL, 1);
    story_worker(story, HOST, START_TASKS, WORKER);
    story_client(story, CALLER);
    story_client(story, OTHER);
    story_name(story, CALLER, 1, "slow -> nil");
    say(story, CALLER, PUT, put, .seq = 1, .value = text_load("stored"));
}

TestSuite(holders, .init = start, .fini = story_end, .timeout = 10);

static loads_t inner_one(load_t loads[INNER_LOADS_MAX], mob_ref_t one)
{
    static uint8_t bytes[INNER_SIZE];
    inner_put_at(bytes, one);
    return inner_of(loads, load_bytes(bytes, sizeof bytes), (load_t){0});
}

static void store_around(uint64_t seq, mob_ref_t one)
{
    load_t loads[INNER_LOADS_MAX];
    say(story, CALLER, PUT, put, .seq = seq, .value = text_load("box"),
        .inner = inner_one(loads, one));
}

static void submit_with(uint64_t seq, mob_ref_t one)
{
    load_t loads[INNER_LOADS_MAX];
    say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1, .args = text_load("args"),
        .inner = inner_one(loads, one));
}

static void drop(uint64_t seq, uint64_t what)
{
    say(story, CALLER, DROP, drop, .seq = seq, .ref = ref(what), .count = 1);
}

// Of object 1: so many rows of refs, among them this one; NULL: whichever.
static void is_held(uint64_t seq, unsigned count, const char *row)
{
    const char *rows = story_rows(story, OTHER, seq, "refs", "id=00000000000003e8.1");
    unsigned lines = 0;
    cr_assert(!row || strstr(rows, row), "no %s in %s", row, rows);
    for (const char *at = rows; (at = strchr(at, '\n')); at++)
        lines++;
    cr_assert_eq(lines, count, "%u: %s", lines, rows);
}

Test(holders, each_kind_is_listed_until_it_lets_go)
{
    const mob_ref_t one = ref(1);
    is_held(1, 1, "kind=session");
    store_around(2, one);
    is_held(2, 2, "kind=contained, name=, holder=00000000000003e8.2");
    submit_with(3, one);
    is_held(3, 3, "kind=argument, name=slow -> nil, holder=00000000000003e8.3");
    say(story, OTHER, KEEP, keep, .seq = 4, .refs = {.items = &one, .count = 1});
    is_held(5, 4, NULL);
    const char *objects = story_rows(story, OTHER, 6, "objects", "holds=4");
    cr_assert(strstr(objects, "id=00000000000003e8.1, name=, state=stored, bytes=6, where=record"),
              "%s", objects);
    drop(4, 1);
    is_held(7, 3, NULL);
    drop(5, 2);
    is_held(8, 2, "kind=argument");
    hear(story, WORKER, RUN, run);
    say(story, WORKER, FAIL, fail, .ref = ref(3), .code = MOB_ETASK, .executed = MOB_EXECUTED);
    is_held(9, 1, "kind=session");
    say(story, OTHER, DROP, drop, .seq = 10, .ref = one, .count = 1);
    is_held(11, 0, NULL);
    cr_assert_null(core_check(story->core));
}

Test(holders, what_was_left_is_held_by_the_broker)
{
    say(story, CALLER, BYE, bye, .reason = BYE_KEEP);
    is_held(1, 1, "kind=broker");
}

Test(holders, questions_and_actors_are_no_objects)
{
    is_held(1, 1, NULL);
    say(story, CALLER, FIND, find, .seq = 2, .name = {"who", 3});
    const char *objects = story_rows(story, OTHER, 2, "objects", "");
    cr_assert_null(strstr(objects, ".2, "), "%s", objects);
    cr_assert(strstr(objects, "00000000000003e8.1, "), "%s", objects);
}

Test(holders, what_a_namespace_keeps_is_counted)
{
    static char middle[5000], large[50000];
    const mob_ref_t one = ref(1), never = ref_of(OTHER, 77);
    say(story, CALLER, PUT, put, .seq = 2, .value = load_bytes(middle, sizeof middle));
    say(story, CALLER, PUT, put, .seq = 3, .value = load_bytes(large, sizeof large));
    drop(4, 2);
    say(story, OTHER, ASK, ask, .refs = {.items = &one, .count = 1});
    hear(story, OTHER, ANSWER, answer);
    say(story, OTHER, WATCH, watch, .refs = {.items = &never, .count = 1});
    const char *rows = story_rows(story, OTHER, 1, "stores", "space=default");
    cr_assert(strstr(rows,
                     "space=default, objects=2, bytes=50006, held_bytes=50006, puts=3, gets=2, "
                     "hits=1, upto_4k=1, upto_100k=1, upto_1m=0, larger=0, store_bytes=0"),
              "%s", rows);
}
