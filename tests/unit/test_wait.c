// test_wait.c - waiting for descriptors: ready ones at once, time that passes, and who is served quickly looks first.

#include <unistd.h>

#include <criterion/criterion.h>

#include "clock.h"
#include "wait.h"

static int ends[2];

static void start(void)
{
    cr_assert_eq(pipe(ends), 0);
}

TestSuite(wait, .init = start, .timeout = 10);

static int wait_on(wait_mood_t *mood, int64_t us)
{
    struct pollfd poll = {.fd = ends[0], .events = POLLIN};
    return wait_poll(mood, &poll, 1, us);
}

Test(wait, what_is_ready_is_told_at_once)
{
    wait_mood_t mood = {0};
    cr_assert_eq(write(ends[1], "x", 1), 1);
    cr_assert_eq(wait_on(&mood, -1), 1);
    cr_assert(mood.brisk);
    cr_assert_eq(wait_on(&mood, 0), 1);
}

Test(wait, time_passes_brisk_or_not)
{
    for (int brisk = 0; brisk < 2; brisk++)
        for (int64_t us = 100; us <= 20000; us += us < 300 ? 100 : 19700) {
            wait_mood_t mood = {.brisk = brisk};
            int64_t from = clock_us();
            cr_assert_eq(wait_on(&mood, us), 0);
            cr_assert_geq(clock_us() - from, us);
            cr_assert_not(mood.brisk, "nothing came");
        }
}

Test(wait, a_long_wait_ends_the_looking)
{
    wait_mood_t mood = {.brisk = true};
    cr_assert_eq(wait_on(&mood, 5000), 0);
    cr_assert_not(mood.brisk);
}
