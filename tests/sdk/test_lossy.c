// test_lossy.c - connections that break all the time. What ZeroMQ loses it loses with the connection, so that is what a
// fault takes: a message, and all that follows until its peer has said HELLO again. Then what was not acknowledged comes
// again, and much of it twice.

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crew.h"
#include "givers.h"
#include "kin.h"
#include "notices.h"
#include "story.h"

enum { MANY = 200, LIMIT_MS = 30000 };

static const char *const patient[] = {"server/lost_after", "30s",
                                      NULL}; // where hundreds of processes share a CPU
static char tally_path[128];

static void begin_with(const mob_def_t *defs)
{
    const char *faults = getenv("MOBULA_FAULTS");
    if (!faults || strcmp(faults, "ON") != 0)
        cr_skip_test("this build has no faults");
    needs_notices("it sets faults of its own");
    setenv("MOBULA_FAULT", "break=10%", 1);
    crew = crew_open();
    snprintf(tally_path, sizeof tally_path, "%s/tally", crew.directory);
    setenv("MOBULA_FAULT_TALLY", tally_path, 1);
    crew.defs = defs;
    crew.settings = patient;
    crew_start_broker(&crew);
    crew_start_host(&crew, NULL);
    m = crew_client(&crew);
    while (rows_of(m, "hosts", "state=alive") ==
           0) // what it offers is waited for 3 s, and it has to connect often
        ;
}

static void begin(void)
{
    begin_with(kin_defs);
}

static void begin_streams(void)
{
    begin_with(giver_defs);
}

TestSuite(lossy, .init = begin, .fini = close_crew, .timeout = 120);
TestSuite(lossy_streams, .init = begin_streams, .fini = close_crew, .timeout = 120);

static void must_have_landed(void)
{
    uint64_t broken = 0;
    mob_close(&m);
    crew_drain_broker(&crew);
    FILE *file = fopen(tally_path, "r");
    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "untold=%*u dropped_notices=%*u dropped=%*u doubles=%*u broken=%" SCNu64,
                        &broken),
                 1);
    fclose(file);
    cr_assert_gt(broken, 10);
}

Test(lossy, C108_every_actor_is_made_once)
{
    kin_h kin[MANY];
    mob_ref_i64 pids[MANY];
    int64_t from = now_ms();
    for (int i = 0; i < MANY; i++) {
        kin[i] = mob_new(m, kin, 0, 0);
        pids[i] = mob_call(m, kin[i], kin_pid);
    }
    for (int i = 0; i < MANY; i++)
        cr_assert_gt(value_of(pids[i]), 0);
    cr_assert_leq(now_ms() - from, LIMIT_MS);
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(crew_ran(&crew, mob_ready(kin[i].actor)).count, 1);
    must_have_landed();
}

Test(lossy, Z11_acknowledgements_that_are_lost_cost_time_alone)
{
    mob_ref_i64 sums[MANY];
    kin_h kin = mob_new(m, kin, 0, 0);
    for (int i = 0; i < MANY; i++) { // one by one: each has an acknowledgement of its own to lose
        sums[i] = mob_call(m, kin, kin_add, 1);
        cr_assert_eq(value_of(sums[i]), i + 1);
    }
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(crew_ran(&crew, sums[i].ref).count, 1);
    must_have_landed();
}

// Items are said again from the first that is not acknowledged, credit and what was pulled as a whole.
Test(lossy_streams, items_come_in_order_and_once)
{
    enum { STREAMS = 3, ITEMS = 40 };
    mob_stream_i64 streams[STREAMS];
    int64_t value = 0;
    for (int i = 0; i < STREAMS; i++)
        streams[i] = mob_run_with(m, MOB_OPTS(.stream_ahead = 1 + i), numbers, ITEMS);
    for (int64_t item = 0; item < ITEMS; item++)
        for (int i = 0; i < STREAMS; i++) {
            cr_assert_eq(mob_next(m, streams[i], &value, SOON), MOB_OK, "%d of %d", (int)item, i);
            cr_assert_eq(value, item, "%d instead of %d", (int)value, (int)item);
        }
    for (int i = 0; i < STREAMS; i++)
        cr_assert_eq(mob_next(m, streams[i], &value, SOON), MOB_EEND);
    must_have_landed();
}
