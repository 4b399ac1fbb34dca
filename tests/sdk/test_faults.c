// test_faults.c - the same with faults on purpose: every announcement of an outcome dropped. Futures then resolve by asking.

#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "clock.h"
#include "stage.h"
#include "story.h"

enum { CALLS = 300, WAVES = 3, P99_US = 1300000 };

static void begin(void)
{
    const char *faults = getenv("MOBULA_FAULTS");
    if (!faults || strcmp(faults, "ON") != 0)
        cr_skip_test("this build has no faults");
    setenv("MOBULA_FAULT", "drop_notice=100%", 1);
    open_stage(stage_defs, NULL);
    unsetenv("MOBULA_FAULT");
}

TestSuite(faults, .init = begin, .fini = close_stage, .timeout = 60);

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

Test(faults, Z02_with_every_notice_dropped_all_resolve_within_the_bar)
{
    needs_notices("it drops them itself, where the machine is not busy with others that wait");
    static int64_t times[CALLS * WAVES];
    size_t count = 0;
    for (int wave = 0; wave < WAVES; wave++) {
        mob_ref_i64 refs[CALLS];
        int64_t sent = clock_us(), value;
        for (int i = 0; i < CALLS; i++)
            refs[i] = mob_run(m, inc, i);
        for (int i = 0; i < CALLS; i++) {
            cr_assert_eq(mob_get(m, refs[i], &value, 10000), MOB_OK);
            cr_assert_eq(value, i + 1);
            times[count++] = clock_us() - sent;
            mob_drop(m, refs[i].ref);
        }
    }
    qsort(times, count, sizeof *times, by_size);
    int64_t p99 = times[count * 99 / 100];
    fprintf(stderr, "faults: %zu calls, every notice dropped: p50 %.2f s, p99 %.2f s (bar 1.30 s)\n",
            count, (double)times[count / 2] / 1e6, (double)p99 / 1e6);
    cr_assert_leq(p99, P99_US);
}

Test(faults, actors_too)
{
    counter_h hits = mob_new(m, counter, 0);
    int64_t value = 0;
    for (int i = 1; i <= 5; i++) {
        cr_assert_eq(mob_get(m, mob_call(m, hits, counter_add, 1), &value, 10000), MOB_OK);
        cr_assert_eq(value, i);
    }
}
