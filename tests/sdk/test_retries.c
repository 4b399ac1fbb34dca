// test_retries.c - runs that fail or are lost, through real processes: what is tried again, how often, and what is
// told of it. Each run is in the ledger.

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "story.h"

static void begin(void)
{
    open_crew(crew_defs, NULL);
}

TestSuite(retries, .init = begin, .fini = close_crew, .timeout = 60);

static void ran(mob_ref_i64 ref, int count)
{
    cr_assert_eq(crew_ran(&crew, ref.ref).count, count);
}

// ---- Lost workers -------------------------------------------------------------------------------

Test(retries, C57_none_means_one_run)
{
    mob_ref_i64 task = mob_run_with(m, MOB_OPTS(.max_retries = MOB_NONE), die, 99);
    mob_info_t info = failure_of(task.ref, MOB_ELOST);
    cr_assert_eq(info.executed, MOB_MAYBE_EXECUTED);
    cr_assert_eq(info.status & 0x7f, 9);
    cr_assert_eq(info.attempts, 1);
    cr_assert_eq(info.pid, crew_ran(&crew, task.ref).pid);
    ran(task, 1);
}

Test(retries, C58_three_by_default)
{
    mob_ref_i64 task = mob_run(m, die, 3);
    cr_assert_eq(value_of(task), 3);
    cr_assert_eq(mob_info(m, task.ref).attempts, 4);
    ran(task, 4);
}

Test(retries, C59_and_then_it_is_lost)
{
    mob_ref_i64 task = mob_run_with(m, MOB_OPTS(.max_retries = 2), die, 99);
    cr_assert_eq(failure_of(task.ref, MOB_ELOST).attempts, 3);
    ran(task, 3);
}

Test(retries, C63_every_attempt_is_listed)
{
    char words[128], rows[2048];
    mob_ref_i64 task = mob_run(m, die, 3);
    cr_assert_eq(value_of(task), 3);
    snprintf(words, sizeof words, "list attempts -f id=%016" PRIx64 ".%" PRIu64 " -o csv",
             task.ref.owner, task.ref.seq);
    cr_assert_eq(crew_tool(&crew, words, rows, sizeof rows), 0);
    char *row = strtok(rows, "\n");
    cr_assert(row && strstr(row, "attempt"), "%s", row ? row : "nothing");
    for (unsigned attempt = 0; attempt < 4; attempt++) {
        char name[32], state[16], worker[128];
        unsigned number;
        row = strtok(NULL, "\n");
        cr_assert(row && sscanf(row, "%*[^,],%31[^,],%u,%15[^,],%127[^,],", name, &number, state,
                                worker) == 4,
                  "%s", row ? row : "too few");
        cr_assert_eq(number, attempt);
        cr_assert_str_eq(state, attempt < 3 ? "failed" : "done");
    }
    cr_assert_null(strtok(NULL, "\n"));
}

// ---- Failures of bodies -------------------------------------------------------------------------

Test(retries, C60_a_failure_of_the_body_is_its_answer)
{
    mob_ref_i64 task = mob_run_with(m, MOB_OPTS(.max_retries = 3), shaky, 99, 42);
    cr_assert_eq(failure_of(task.ref, MOB_ETASK).code, 42);
    ran(task, 1);
}

Test(retries, C61_unless_its_code_is_named)
{
    mob_ref_i64 named = mob_run_with(m, MOB_OPTS(.retry_on = {42}), shaky, 2, 42);
    mob_ref_i64 other = mob_run_with(m, MOB_OPTS(.retry_on = {43}), shaky, 2, 42);
    mob_ref_i64 any = mob_run_with(m, MOB_OPTS(.retry_on = {MOB_ANY_CODE}), shaky, 99, 42);
    cr_assert_eq(value_of(named), 2);
    ran(named, 3);
    cr_assert_eq(failure_of(other.ref, MOB_ETASK).code, 42);
    ran(other, 1);
    cr_assert_eq(failure_of(any.ref, MOB_ETASK).attempts, 4, "the budget is one for all");
    ran(any, 4);
}

// ---- Keys ---------------------------------------------------------------------------------------

Test(retries, calls_with_one_key_run_once)
{
    mob_t *other = crew_client(&crew);
    const mob_opts_t *order = MOB_OPTS(.key = "order-17");
    mob_ref_i64 first = mob_run_with(m, order, until_told, 100);
    crew_hear(crew.begun[0]);
    mob_ref_i64 again = mob_run_with(m, order, until_told, 100);
    mob_ref_i64 theirs = mob_run_with(other, order, until_told, 100);
    int64_t value = 0;
    cr_assert_eq(mob_get(other, theirs, &value, SOON), MOB_OK);
    cr_assert_eq(value, 100);
    cr_assert_eq(value_of(again), 100);
    cr_assert_eq(value_of(first), 100);
    cr_assert_eq(value_of(mob_run_with(m, order, until_told, 100)), 100);
    cr_assert_eq(failure_of(mob_run_with(m, order, until_told, 99).ref, MOB_ESTALE).executed,
                 MOB_NOT_EXECUTED);
    ran(first, 1);
    ran(again, 0);
    ran(theirs, 0);
    mob_close(&other);
}

Test(retries, what_is_not_there_yet_is_refused_by_name)
{
    const struct {
        const mob_opts_t *opts;
        const char *word;
    } cases[] = {{MOB_OPTS(.durable = true), "durable"},
                 {MOB_OPTS(.key = ""), "key"},
                 {MOB_OPTS(.key = "k", .num_returns = 2), "key"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mob_info_t info = failure_of(mob_run_with(m, cases[i].opts, add, 1, 1).ref, MOB_EARGS);
        cr_assert_not_null(strstr(info.reason, cases[i].word), "%s", info.reason);
    }
}
