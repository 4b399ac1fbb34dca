// sim.c - the simulator's command line. Plays seeds one after the other; a seed that breaks a promise is
// named together with its last events. With --control a protection is off, and then a seed MUST fail.

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "world.h"

typedef struct plan {
    uint64_t seeds, seed;
    bool twice;
    game_t game;
} plan_t;

static const char *const control_names[] = {"none", "no_dedup", "no_ask", "no_number"};

static int usage(void)
{
    fprintf(stderr, "usage: sim [--seeds N] [--events M] [--seed S] [--check N] [--twice] "
                    "[--trace] [--control no_dedup|no_ask|no_number]\n");
    return 2;
}

static bool read_number(const char *text, uint64_t *out)
{
    char *end;
    *out = text ? strtoull(text, &end, 0) : 0;
    return text && *text && *end == '\0';
}

static bool read_control(const char *text, control_t *out)
{
    for (int i = CONTROL_NO_DEDUP; i <= CONTROL_NO_NUMBER; i++)
        if (text && strcmp(text, control_names[i]) == 0) {
            *out = (control_t)i;
            return true;
        }
    return false;
}

static bool read_plan(plan_t *plan, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        bool good = true;
        if (strcmp(argv[i], "--twice") == 0)
            plan->twice = true;
        else if (strcmp(argv[i], "--trace") == 0)
            plan->game.live = stdout;
        else if (strcmp(argv[i], "--seeds") == 0)
            good = read_number(argv[++i], &plan->seeds);
        else if (strcmp(argv[i], "--events") == 0)
            good = read_number(argv[++i], &plan->game.events);
        else if (strcmp(argv[i], "--seed") == 0)
            good = read_number(argv[++i], &plan->seed);
        else if (strcmp(argv[i], "--check") == 0)
            good = read_number(argv[++i], &plan->game.check_every) && plan->game.check_every > 0;
        else if (strcmp(argv[i], "--control") == 0)
            good = read_control(argv[++i], &plan->game.control);
        else
            good = false;
        if (!good)
            return false;
    }
    return true;
}

#define U(number) (unsigned long long)(number)

static void print_totals(const totals_t *totals, double seconds)
{
    const faults_t *faults = &totals->faults;
    printf(" played  seeds=%llu events=%llu simulated=%.0fs wall=%.1fs\n", U(totals->seeds),
           U(totals->events), (double)totals->simulated_us / 1e6, seconds);
    printf(" faults  planned/landed: breaks=%llu/%llu callers=%llu/%llu workers=%llu/%llu "
           "hosts=%llu/%llu brokers=%llu/%llu;"
           " away long=%llu notices lost=%llu requests twice=%llu\n",
           U(faults->breaks), U(faults->breaks_landed), U(faults->callers),
           U(faults->callers_landed), U(faults->runners), U(faults->runners_landed),
           U(faults->starters), U(faults->starters_landed), U(faults->brokers),
           U(faults->brokers_landed), U(faults->away), U(faults->notes), U(faults->twice));
    printf(
        " calls   asked=%llu = value=%llu + app_error=%llu + system_error=%llu + given_up=%llu\n",
        U(totals->asked), U(totals->values), U(totals->errors), U(totals->failures),
        U(totals->abandoned));
    printf(" ledger  runs=%llu most_runs_of_one=%llu items=%llu\n", U(totals->runs),
           U(totals->most_runs), U(totals->items));
}

static bool play(const plan_t *plan, uint64_t seed, totals_t *totals)
{
    uint64_t hash, again;
    bool good = world_play(seed, &plan->game, totals, &hash);
    if (good && plan->twice) {
        good = world_play(seed, &plan->game, totals, &again) && hash == again;
        if (!good)
            printf("seed=%llu: two runs differ: %016llx and %016llx\n", U(seed), U(hash), U(again));
    }
    return good;
}

int main(int argc, char **argv)
{
    plan_t plan = {.seeds = 20, .seed = 1, .game = {.events = 20000, .check_every = 64}};
    totals_t totals = {0};
    if (!read_plan(&plan, argc, argv))
        return usage();
    bool control = plan.game.control != CONTROL_NONE, good = true;
    clock_t start = clock();
    printf("SIM seed=%llu seeds=%llu events=%llu control=%s\n", U(plan.seed), U(plan.seeds),
           U(plan.game.events), control_names[plan.game.control]);
    uint64_t seed = plan.seed;
    for (; good && seed < plan.seed + plan.seeds; seed++)
        good = play(&plan, seed, &totals);
    print_totals(&totals, (double)(clock() - start) / CLOCKS_PER_SEC);
    if (control)
        printf(" control %s: %s\n", control_names[plan.game.control],
               good ? "PASSED, and it must fail" : "FAILED as required");
    else if (!good)
        printf(" again   sim --seed %llu --seeds 1 --events %llu\n", U(seed - 1),
               U(plan.game.events));
    bool pass = good != control;
    printf("%s\n", pass ? "PASS" : "FAIL");
    return pass ? 0 : 1;
}
