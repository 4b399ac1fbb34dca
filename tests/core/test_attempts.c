// test_attempts.c - the runs of calls as the state API lists them: those that began, each once.

#include "story.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, WORKER, SECOND, ACTOR };

static uint64_t second;

static void start(void)
{
    story = story_new(NULL);
    story_host(story, HOST, "slow -> nil", "counter i64", "add i64 -> i64", 2);
    story_worker(story, HOST, START_TASKS, WORKER);
    second = story_started(story, HOST, START_TASKS);
    story_client(story, CALLER, "slow -> nil", "counter i64", "add i64 -> i64");
}

TestSuite(attempts, .init = start, .fini = story_end, .timeout = 10);

// "attempt state" of each row, in one line.
static const char *listed(uint64_t seq)
{
    static char line[1024];
    line[0] = '\0';
    say(story, CALLER, QUERY, query, .seq = seq, .what = {"attempts", 8});
    load_t value = hear(story, CALLER, DONE, done)->value;
    unpack_t in = unpack_of(value.data, value.size);
    for (uint32_t rows = unpack_array(&in); rows > 0; rows--) {
        int64_t number = -1;
        mob_bytes_t state = {"", 0};
        for (uint32_t fields = unpack_map(&in); fields > 0; fields--) {
            mob_bytes_t key = unpack_str(&in, 64);
            if (key.size == 7 && memcmp(key.data, "attempt", 7) == 0)
                number = unpack_i64(&in);
            else if (key.size == 5 && memcmp(key.data, "state", 5) == 0)
                state = unpack_str(&in, 64);
            else
                unpack_skip(&in);
        }
        size_t used = strlen(line);
        snprintf(line + used, sizeof line - used, "%s%d %.*s", used ? ", " : "", (int)number,
                 (int)state.size, (const char *)state.data);
    }
    return line;
}

Test(attempts, of_tasks_that_began)
{
    opts_t opts = {.retry_1 = 42};
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1, .opts = {.set = &opts});
    hear(story, WORKER, RUN, run);
    say(story, WORKER, FAIL, fail, .ref = ref(1), .code = MOB_ETASK, .app_code = 42, .executed = 2);
    cr_assert_str_eq(listed(2), "0 failed");
    story_pass(story, 100);
    hear(story, WORKER, RUN, run);
    cr_assert_str_eq(listed(3), "0 failed, 1 running");
    say(story, WORKER, RESULT, result, .ref = ref(1), .attempt = 1);
    hear(story, CALLER, ANSWER, answer);
    cr_assert_str_eq(listed(4), "0 failed, 1 done");
}

Test(attempts, but_not_of_those_that_never_did)
{
    for (uint64_t seq = 1; seq <= 3; seq++) // one runs, one is behind it, one waits
        say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1);
    hear(story, WORKER, RUN, run);
    hear(story, WORKER, RUN, run);
    mob_ref_t behind = ref(2);
    say(story, WORKER, GIVE, give, .refs = {.items = &behind, .count = 1});
    say(story, CALLER, CANCEL, cancel, .ref = ref(2));
    say(story, CALLER, CANCEL, cancel, .ref = ref(3));
    hear(story, CALLER, ANSWER, answer);
    hear(story, CALLER, ANSWER, answer);
    cr_assert_str_eq(listed(4), "0 running");
}

Test(attempts, of_one_that_was_given_back_once)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1);
    hear(story, WORKER, RUN, run);
    story_join(story, SECOND, ROLE_WORKER, second, 1000 + HOST);
    mob_ref_t back = ref(1);
    say(story, WORKER, GIVE, give, .refs = {.items = &back, .count = 1});
    const message_t *again = story_peek(story, WORKER);
    int who = again ? WORKER : SECOND;
    hear(story, who, RUN, run);
    say(story, who, RESULT, result, .ref = ref(1));
    hear(story, CALLER, DONE, done);
    cr_assert_str_eq(listed(2), "0 done");
}

Test(attempts, of_methods)
{
    opts_t opts = {.max_restarts = 1, .max_task_retries = 1, .backoff_ms = 1};
    say(story, CALLER, SPAWN, spawn, .seq = 1, .cls = 2, .opts = {.set = &opts});
    for (int life = 1; life <= 2; life++) {
        story_worker(story, HOST, START_ACTOR, ACTOR);
        hear(story, ACTOR, MAKE, make);
        say(story, ACTOR, RESULT, result, .ref = ref(1), .attempt = (uint32_t)life);
        if (life == 2)
            break;
        hear(story, CALLER, DONE, done);
        say(story, CALLER, CALL, call, .seq = 2, .actor = ref(1), .method = 3);
        hear(story, ACTOR, RUN, run);
        story_leave(story, ACTOR, CAUSE_CRASH);
        story->who[ACTOR].peer = NULL;
        story_pass(story, 50);
    }
    cr_assert_eq(hear(story, ACTOR, RUN, run)->attempt, 1u);
    cr_assert_str_eq(listed(3), "0 failed, 1 running");
    say(story, ACTOR, RESULT, result, .ref = ref(2), .attempt = 1);
    hear(story, CALLER, ANSWER, answer);
    say(story, CALLER, CALL, call, .seq = 4, .actor = ref(77), .method = 3); // refused at once
    hear(story, CALLER, ANSWER, answer);
    cr_assert_str_eq(listed(5), "0 failed, 1 done");
}
