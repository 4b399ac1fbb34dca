// test_slow.c - who does not read, or not fast enough: what waits for it is bounded, and nothing of it is lost.

#include "story.h"

#include <stdlib.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, TASKS, WORKER, OTHER };
enum { NOTED_MAX = 4 << 20, INLINE = 4000, WINDOW = 16 };

static char value[100 * 1024];

static void start(void)
{
    story = story_new(NULL);
    story_host(story, HOST, "echo any -> any", "counter i64", "add i64 -> i64", 1);
    story_join(story, TASKS, ROLE_WORKER, story_started(story, HOST, START_TASKS), 1000 + HOST);
    story_join(story, CALLER, ROLE_CLIENT, 1000 + CALLER, 0);
    story_name(story, CALLER, 1, "counter i64");
    story_name(story, CALLER, 2, "add i64 -> i64");
    story_name(story, CALLER, 3, "echo any -> any");
}

TestSuite(slow, .init = start, .fini = story_end, .timeout = 20);

// ---- Notices ------------------------------------------------------------------------------------

static void ask_for(uint64_t first, uint64_t count)
{
    for (uint64_t seq = first; seq < first + count; seq++)
        say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 3);
}

static void settle_all(uint64_t count)
{
    for (; count > 0; count--) {
        const msg_run_t *run = hear(story, TASKS, RUN, run);
        say(story, TASKS, RESULT, result, .ref = run->ref, .value = load_bytes(value, INLINE));
    }
}

static uint64_t notices(void)
{
    return core_counts(story->core).notices;
}

Test(slow, Z03_whoever_says_nothing_is_sent_4_MiB_of_notices_at_most)
{
    enum { ALL = 2000, FIT = NOTED_MAX / INLINE + 1 };
    ask_for(1, ALL);
    uint64_t before = notices();
    settle_all(ALL);
    cr_expect_leq(notices() - before, (uint64_t)FIT);
    cr_expect_geq(notices() - before, (uint64_t)FIT * 9 / 10);
    for (uint64_t seq = 1; seq <= ALL;
         seq++) // the others came where the broker sees that they are taken
        cr_assert_eq(hear(story, CALLER, DONE, done)->seq, seq);

    ask_for(ALL + 1, ALL); // it lives
    before = notices();
    settle_all(10);
    cr_expect_eq(notices() - before, 10u);
}

// ---- What is said once --------------------------------------------------------------------------

static void make_actor(void)
{
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 1);
    story_join(story, WORKER, ROLE_WORKER, story_started(story, HOST, START_ACTOR), 1000 + HOST);
    hear(story, WORKER, MAKE, make);
    say(story, WORKER, RESULT, result, .ref = ref(1), .attempt = 1);
    hear(story, CALLER, DONE, done);
}

// Not one of a window is forgotten, although more waits for its worker than any session may be owed of results.
Test(slow, a_window_of_large_calls_is_sent_whole)
{
    enum { VALUES = MOB_BLOBS_MAX - 1 };
    mob_ref_t values[VALUES];
    batch_t calls = BATCH_INIT;
    make_actor();
    for (uint64_t i = 0; i < VALUES; i++) {
        values[i] = ref(2 + i);
        say(story, CALLER, PUT, put, .seq = values[i].seq, .value = load_bytes(value, sizeof value));
    }
    for (uint64_t i = 0; i < WINDOW; i++)
        message_CALL(&calls, &(msg_call_t){.seq = 2 + VALUES + i,
                                           .actor = ref(1),
                                           .method = 2,
                                           .deps = {.items = values, .count = VALUES}});
    story_say(story, CALLER, &calls); // 24 MiB in one turn
    for (uint64_t i = 0; i < WINDOW; i++)
        cr_assert_eq(hear(story, WORKER, RUN, run)->ref.seq, 2 + VALUES + i);
    batch_fini(&calls);
}
