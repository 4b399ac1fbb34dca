// test_place.c - where bodies run, through a real broker and hosts with different things: C94 to C97, and how many
// processes there are: C11, C64, Z25.

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crew.h"
#include "notices.h"
#include "story.h"
#include "work.h"

enum { MANY = 200 };

MOB_TASK(stay, str, (i64, ms)); // "HOST PID BEGAN-MS"

mob_err_t stay(mob_ctx_t *ctx, int64_t ms, const char **out)
{
    *out = mob_format(ctx, "%s %d %" PRId64, ctx->host, (int)getpid(), now_ms());
    work_ms(ctx, ms);
    return MOB_OK;
}

static const mob_def_t stay_def = mob_task(stay);
static mob_def_t defs[40]; // those of the crew, and stay
static pid_t a;            // the first host; crew.host is the last one

static void start_host(const char *name, const char *slots, const char *flag, const char *value)
{
    crew.host = -1;
    crew_start_host(&crew, (const char *[]){"--name", name, "--slots", slots, flag, value, NULL});
}

static void begin(void)
{
    int count = 0;
    for (; crew_defs[count].name; count++)
        defs[count] = crew_defs[count];
    defs[count] = stay_def;
    raise_crew(defs, (const char *[]){"--name", "a", "--slots", "2", NULL});
    a = crew.host;
    start_host("b", "2", "--resource", "disk=1");
    m = crew_client(&crew);
}

static void end(void)
{
    mob_close(&m); // before its hosts go
    crew_end_host(&crew, SIGTERM);
    crew.host = a;
    close_crew();
}

TestSuite(place, .init = begin, .fini = end, .timeout = 60);

typedef struct stayed {
    char host[32];
    int pid;
    int64_t began;
} stayed_t;

static stayed_t stayed(mob_ref_str ref)
{
    const char *text = "";
    stayed_t self = {0};
    mob_err_t err = mob_get(m, ref, &text, SOON);
    cr_assert_eq(err, MOB_OK, "%s: %s", mob_strerror(err), mob_reason(m, ref.ref));
    cr_assert_eq(sscanf(text, "%31s %d %" SCNd64, self.host, &self.pid, &self.began), 3, "%s", text);
    return self;
}

static bool says(const char *words, const char *word)
{
    static char out[65536];
    crew_tool(&crew, words, out, sizeof out);
    return strstr(out, word) != NULL;
}

static void wait_until_it_says(const char *words, const char *word)
{
    while (!says(words, word)) // the test's time is limited
        ;
}

// ---- Resources ----------------------------------------------------------------------------------

static int most_at_once(const stayed_t *all, int count, int64_t ms)
{
    int most = 0;
    for (int i = 0; i < count; i++) {
        int here = 0;
        for (int k = 0; k < count; k++)
            here += all[k].began <= all[i].began && all[i].began < all[k].began + ms;
        most = here > most ? here : most;
    }
    return most;
}

Test(place, C94_never_more_bodies_than_cpus)
{
    mob_ref_str refs[6];
    stayed_t all[6];
    for (int i = 0; i < 6; i++)
        refs[i] = mob_run_with(m, MOB_OPTS(.place.host = "a"), stay, 500);
    for (int i = 0; i < 6; i++)
        all[i] = stayed(refs[i]);
    cr_assert_eq(most_at_once(all, 6, 500), 2);
}

Test(place, C95_a_resource_is_used_where_it_is_one_after_the_other)
{
    const mob_opts_t *disk = MOB_OPTS(.place.resources = {{"disk", 1}});
    mob_ref_str first = mob_run_with(m, disk, stay, 300), second = mob_run_with(m, disk, stay, 300);
    stayed_t all[] = {stayed(first), stayed(second)};
    cr_assert_str_eq(all[0].host, "b");
    cr_assert_str_eq(all[1].host, "b");
    cr_assert_eq(most_at_once(all, 2, 300), 1);
}

Test(place, C96_what_nobody_can_run_waits_for_who_can)
{
    mob_ref_t refs[2];
    bool ready[2];
    for (int i = 0; i < 2; i++)
        refs[i] = mob_run_with(m, MOB_OPTS(.place.cpus = 16), stay, 0).ref;
    cr_assert_eq(mob_wait(m, refs, 2, 1, 1000, ready), 0);
    cr_assert(says("list tasks -o json", "needs cpu=16: no host has that much"));
    pid_t b = crew.host;
    start_host("c", "16", NULL, NULL);
    for (int i = 0; i < 2; i++)
        cr_assert_str_eq(stayed((mob_ref_str){refs[i]}).host, "c");
    cr_assert_eq(crew_end_host(&crew, SIGTERM), 0);
    crew.host = b;
}

Test(place, C97_a_host_that_ended_is_no_place)
{
    cr_assert_str_eq(stayed(mob_run_with(m, MOB_OPTS(.place.host = "b"), stay, 0)).host, "b");
    cr_assert_eq(crew_end_host(&crew, SIGKILL), 128 + SIGKILL);
    wait_until_it_says("list hosts -o json", "\"a\"");
    while (says("list hosts -o json", "\"b\""))
        ;
    mob_ref_str gone = mob_run_with(m, MOB_OPTS(.place.host = "b"), stay, 0);
    cr_assert_eq(mob_await(m, gone.ref, NULL, 5000), MOB_EPLACE);
    cr_assert_eq(mob_info(m, gone.ref).executed, MOB_NOT_EXECUTED);
    cr_assert(strstr(mob_reason(m, gone.ref), "\"b\" is gone"), "%s", mob_reason(m, gone.ref));
    const mob_opts_t *wish = MOB_OPTS(.place = {.host = "b", .soft = true});
    cr_assert_str_eq(stayed(mob_run_with(m, wish, stay, 0)).host, "a");
}

Test(place, an_actor_keeps_what_it_was_given)
{
    const mob_actor_opts_t *both = MOB_ACTOR_OPTS(.place = {.cpus = 2, .resources = {{"disk", 1}}});
    tally_h tally = mob_new_with(m, both, tally, 7);
    cr_assert_eq(mob_await(m, mob_ready(tally.actor), NULL, SOON), MOB_OK);
    wait_until_it_says("list hosts -o json", "cpu=2/2 disk=1/1");
    mob_ref_str disk = mob_run_with(m, MOB_OPTS(.place.resources = {{"disk", 1}}), stay, 0);
    cr_assert_eq(mob_await(m, disk.ref, NULL, 200), MOB_ETIMEDOUT);
    mob_stop(m, tally.actor, MOB_STOP_NOW);
    cr_assert_str_eq(stayed(disk).host, "b");
    wait_until_it_says("list hosts -o json", "cpu=0/2 disk=0/1");
}

// ---- Refused by name ----------------------------------------------------------------------------

static void refused(mob_ref_t ref, const char *field)
{
    cr_assert_eq(mob_await(m, ref, NULL, SOON), MOB_EARGS);
    cr_assert_eq(mob_info(m, ref).executed, MOB_NOT_EXECUTED);
    cr_assert(strstr(mob_reason(m, ref), field), "%s", mob_reason(m, ref));
}

#define asked(...) mob_run_with(m, MOB_OPTS(__VA_ARGS__), add, 1, 2).ref

Test(place, C10_bad_options_are_named_and_nothing_is_sent)
{
    refused(asked(.num_returns = -4), "num_returns");
    refused(asked(.max_retries = -3), "max_retries");
    refused(asked(.place.resources = {{"disk", -1}}), "place.resources disk is negative");
    refused(asked(.place.resources = {{"cpu", 1}}), "place.resources cpu");
    refused(asked(.place.resources = {{"gpu", 1.5}}), "place.resources gpu");
    refused(asked(.place.cpus = -1), "place.cpus");
    cr_assert(says("status -o json", "\"tasks\":0,"));
    tally_h tally = mob_new_with(m, MOB_ACTOR_OPTS(.place.labels = "zone"), tally, 0);
    refused(mob_ready(tally.actor), "place.labels");
    mob_ref_i64 call = mob_call_with(m, tally, MOB_OPTS(.place.cpus = 1), tally_inc, 1);
    refused(call.ref, "place does not fit a call");
}

// ---- Processes ----------------------------------------------------------------------------------

Test(place, C11_workers_are_used_again)
{
    int pids[3], count = 0, many = without_notices() ? 8 : MANY; // one after the other, a second each
    for (int i = 0; i < many; i++) {
        int pid = stayed(mob_run_with(m, MOB_OPTS(.place.host = "a"), stay, 0)).pid, k = 0;
        while (k < count && pids[k] != pid)
            k++;
        if (k == count)
            pids[count++] = pid;
        cr_assert_leq(count, 2);
    }
}

Test(place, C64_the_pool_recovers)
{
    const mob_opts_t *once = MOB_OPTS(.max_retries = MOB_NONE, .place.host = "a");
    mob_ref_t refs[20];
    for (int i = 0; i < 20; i++)
        refs[i] = mob_run_with(m, once, die, 99).ref;
    for (int i = 0; i < 20; i++)
        cr_assert_eq(mob_await(m, refs[i], NULL, SOON), MOB_ELOST);
    for (int i = 0; i < 20; i++)
        refs[i] = mob_run_with(m, once, add, i, i).ref;
    for (int i = 0; i < 20; i++)
        cr_assert_eq(mob_await(m, refs[i], NULL, SOON), MOB_OK, "%s", mob_reason(m, refs[i]));
    wait_until_it_says("list workers -f host=a -f kind=tasks -f state=alive -o json | grep -c pid",
                       "2");
}

// The hosts there are make room for one of this kind, which runs alone.
static void only_host(const char *procs)
{
    wait_until_it_says("list hosts -o json", "\"a\"");
    wait_until_it_says("list hosts -o json", "\"b\"");
    cr_assert_eq(crew_end_host(&crew, SIGTERM), 0);
    crew.host = a;
    cr_assert_eq(crew_end_host(&crew, SIGTERM), 0);
    start_host("one", "1", "--procs", procs);
    a = -1;
}

Test(place, C07_recursion_200_deep_with_one_slot)
{
    needs_notices("two hundred waits inside each other take a second each");
    int64_t depth = 0;
    only_host("256");
    mob_ref_i64 ref = mob_run(m, deep, 200);
    cr_assert_eq(mob_get(m, ref, &depth, 40000), MOB_OK, "%s", mob_reason(m, ref.ref));
    cr_assert_eq(depth, 200);
    while (says("list workers -f kind=tasks -f state=blocked -o json", "pid"))
        ;
    wait_until_it_says("list workers -o json | grep -o '\"pid\"' | wc -l", "1\n"); // the others end idle
}

Test(place, Z25_bodies_that_all_wait_on_a_full_host_are_named)
{
    only_host("4");
    mob_ref_i64 ref = mob_run_with(m, MOB_OPTS(.timeout_ms = 3000), deep, 8);
    wait_until_it_says("list tasks -o json",
                       "one is at its limit of 4 processes, 4 of them wait in a body");
    cr_assert_eq(mob_await(m, ref.ref, NULL, SOON), MOB_EDEADLINE);
    int64_t depth = 0;
    cr_assert_eq(mob_get(m, mob_run(m, deep, 3), &depth, SOON), MOB_OK); // all of them came home
}
