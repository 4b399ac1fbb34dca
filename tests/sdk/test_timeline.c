// The timeline of what ran: read as the file that a browser opens.

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "story.h"

static void begin(void)
{
    open_crew(crew_defs, (const char *[]){"--slots", "1", NULL});
}

TestSuite(timeline, .init = begin, .fini = close_crew, .timeout = 40);

static char trace[256 * 1024];

static void read_trace(void)
{
    cr_assert_eq(crew_tool(&crew, "timeline", trace, sizeof trace), 0);
    cr_assert_lt(strlen(trace), sizeof trace - 1);
}

// The next execution behind *at: its line; NULL: none.
static char *next_execution(char **at)
{
    char *line = strstr(*at, "{\"ph\":\"X\",\"cat\":\"execute\"");
    if (!line)
        return NULL;
    char *end = strchr(line, '\n');
    *end = '\0';
    *at = end + 1;
    return line;
}

static int64_t field(const char *line, const char *name)
{
    char key[32];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(line, key);
    cr_assert_not_null(at, "no %s in %s", name, line);
    return strtoll(at + strlen(key), NULL, 10);
}

static void says(const char *line, const char *what)
{
    cr_assert_not_null(strstr(line, what), "no %s in %s", what, line);
}

Test(timeline, C113_who_ran_what_when)
{
    enum { NAPS = 4 };
    mob_ref_i64 naps[NAPS];
    for (int i = 0; i < NAPS; i++)
        naps[i] = mob_run(m, until_told, 200);
    for (int i = 0; i < NAPS; i++)
        value_of(naps[i]);
    read_trace();
    int count = 0;
    int64_t ended = 0;
    char *at = trace;
    for (char *line; (line = next_execution(&at)) != NULL; count++) {
        cr_assert_geq(field(line, "dur"), 180000, "%s", line);
        cr_assert_leq(field(line, "dur"), 300000, "%s", line);
        cr_assert_geq(field(line, "ts"), ended, "one after the other: %s", line);
        ended = field(line, "ts") + field(line, "dur");
        says(line, "\"name\":\"until_told\"");
        says(line, "\"task\":\"until_told\"");
        says(line, "\"job\":\"tester\"");
        says(line, "\"status\":\"ok\"");
        cr_assert_eq(field(line, "attempt"), 1);
    }
    cr_assert_eq(count, NAPS);
}

Test(timeline, actors_failures_lost_runs_and_what_runs_now)
{
    tally_h tally = mob_new_with(m, MOB_ACTOR_OPTS(.name = "books"), tally, 0);
    value_of(mob_call(m, tally, tally_inc, 1));
    failure_of(mob_call(m, tally, tally_fail, 7, "no").ref, MOB_ETASK);
    value_of(mob_run(m, die, 1)); // its first run ends its process
    mob_ref_i64 now = mob_run(m, until_told, 20000);
    crew_hear(crew.begun[0]);
    read_trace();
    char *at = trace, *line;
    says(line = next_execution(&at), "\"actor\":\"books\"");
    says(line, "\"name\":\"inc\"");
    says(line = next_execution(&at), "\"status\":\"ETASK\"");
    says(line = next_execution(&at), "\"status\":\"lost\"");
    says(line = next_execution(&at), "\"status\":\"ok\"");
    cr_assert_eq(field(line, "attempt"), 2);
    says(line = next_execution(&at), "\"status\":\"running\"");
    cr_assert_null(next_execution(&at));
    mob_cancel(m, now.ref, 0);
}

Test(timeline, what_never_began_is_not_drawn)
{
    failure_of(mob_run_with(m, MOB_OPTS(.timeout_ms = 1, .place = {.cpus = 50}), add, 1, 2).ref,
               MOB_EDEADLINE);
    read_trace();
    char *at = trace;
    cr_assert_null(next_execution(&at));
}
