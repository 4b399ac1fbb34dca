// monitor.c - what watching costs: calls a second with a monitor, over those without one in the same round; medians of
// the ratios. Redis's MONITOR beside it. Exit: 0 measured, whether or not the bars are met; 1 not measured; 2 usage.
//   monitor [--rounds N] [--calls N] BIN_DIR MOBULA

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "contest.h"
#include "load.h"
#include "redis.h"
#include "stage.h"

enum { ROUNDS_MAX = 99, START_S = 10 };

typedef enum place {
    WATCHED,
    UNRECORDED,
    PLACES
} place_t; // two brokers: the second has no flight recorder

typedef struct situation {
    const char *name;
    place_t place;
    const char *filter; // of the monitor; NULL: none watches
    bool stopped;
    double bar; // of the ratio
} situation_t;

enum { ALONE, UNSEEN, NOTHING, ALL, STOPPED, SITUATIONS };

static const situation_t situations[SITUATIONS] = {
    [ALONE] = {"nobody watches", WATCHED, NULL, false, 0},
    [UNSEEN] = {"nobody watches, against no recorder", UNRECORDED, NULL, false, 0.98},
    [NOTHING] = {"a filter that matches nothing", WATCHED, "method=nothing", false, 0.97},
    [ALL] = {"everything", WATCHED, "", false, 0.90},
    [STOPPED] = {"everything, the monitor stopped", WATCHED, "", true, 0.99},
};

typedef struct measured {
    double rate[SITUATIONS][ROUNDS_MAX], cpu[SITUATIONS][ROUNDS_MAX];
    double redis[2][ROUNDS_MAX];
} measured_t;

static bool watch(party_t *monitor, const contest_t *contest, const contest_options_t *options,
                  const situation_t *situation)
{
    char line[512];
    char *argv[] = {"/bin/sh",
                    "-c",
                    "exec \"$0\" monitor -b \"$1\" \"$2\" 2>&1 >/dev/null",
                    (char *)(uintptr_t)options->mobula,
                    (char *)(uintptr_t)contest->address[MOBULA],
                    (char *)(uintptr_t)situation->filter,
                    NULL};
    if (!party_start(monitor, stage_log(), argv) || !party_read(monitor, line, sizeof line, START_S))
        return false;
    return !situation->stopped || kill(monitor->pid, SIGSTOP) == 0;
}

static bool measure_one(measured_t *out, const contest_t *places, const contest_options_t *options,
                        int which, int round)
{
    static const contest_load_t load = {1, false, "calls"};
    const situation_t *situation = &situations[which];
    const contest_t *contest = &places[situation->place];
    party_t monitor = {0};
    contest_result_t result;
    bool good = (!situation->filter || watch(&monitor, contest, options, situation)) &&
                contest_run(contest, options, MOBULA, &load, &result);
    if (situation->stopped && monitor.pid > 0)
        kill(monitor.pid, SIGCONT);
    party_end(&monitor);
    if (good) {
        out->rate[which][round] = result.rate;
        out->cpu[which][round] = result.cpu;
    }
    return good;
}

static bool measure(measured_t *out, const contest_options_t *options, int rounds)
{
    contest_t places[PLACES] = {{.local = true}, {.local = true, .directory = "unrecorded/"}};
    char directory[STAGE_PATH];
    party_t redis;
    stage_path(directory, "unrecorded");
    if (mkdir(directory, 0700) == -1)
        return false;
    bool beside = redis_is_here() && redis_start(&redis);
    for (int place = 0; place < PLACES; place++) {
        setenv("MOBULA_MONITOR_RING", place == UNRECORDED ? "0" : "16MiB", 1);
        if (!contest_start_one(&places[place], options, MOBULA))
            return false;
    }
    for (int round = 0; round < rounds; round++) {
        fprintf(stderr, "round %d of %d\n", round + 1, rounds);
        for (int i = 0; i < SITUATIONS; i++) // nobody is always the first
            if (!measure_one(out, places, options, (i + round) % SITUATIONS, round))
                return false;
        for (int watched = 0; beside && watched < 2; watched++)
            out->redis[watched][round] = redis_rate(watched);
    }
    return true;
}

static double median_ratio(const double *above, const double *below, int rounds)
{
    double ratios[ROUNDS_MAX];
    for (int i = 0; i < rounds; i++)
        ratios[i] = below[i] > 0 ? above[i] / below[i] : 0;
    return load_percentile(ratios, (size_t)rounds, 0.5);
}

static double median(const double *values, int rounds)
{
    double sorted[ROUNDS_MAX];
    memcpy(sorted, values, (size_t)rounds * sizeof *sorted);
    return load_percentile(sorted, (size_t)rounds, 0.5);
}

static void show(const measured_t *self, int rounds)
{
    printf("%-38s %9s %7s  %s\n", "", "calls/s", "ratio", "processor time of a call, ratio");
    for (int i = 0; i < SITUATIONS; i++) {
        const situation_t *situation = &situations[i];
        // The recorder's cost is what is lost by having it.
        int above = i == UNSEEN ? ALONE : i, below = i == UNSEEN ? UNSEEN : ALONE;
        double ratio = median_ratio(self->rate[above], self->rate[below], rounds);
        printf("%-38s %9.0f %7.3f  %.3f", situation->name, median(self->rate[i], rounds), ratio,
               median_ratio(self->cpu[above], self->cpu[below], rounds));
        if (situation->bar > 0)
            printf("  %s (bar %.2f)", ratio >= situation->bar ? "PASS" : "BELOW", situation->bar);
        putchar('\n');
    }
    if (self->redis[0][0] > 0)
        printf("%-38s %9.0f %7.3f  of SETs\n", "redis, one MONITOR", median(self->redis[1], rounds),
               median_ratio(self->redis[1], self->redis[0], rounds));
    else
        printf("%-38s not installed: redis-tools\n", "redis, one MONITOR");
}

int main(int argc, char **argv)
{
    static measured_t measured;
    contest_options_t options = {.calls = 200000, .window = 256, .slots = 2};
    int rounds = 7;
    static const struct option flags[] = {{"rounds", 1, 0, 'r'}, {"calls", 1, 0, 'c'}, {0}};
    for (int flag; (flag = getopt_long(argc, argv, "", flags, NULL)) != -1;) {
        if (flag == 'r')
            rounds = atoi(optarg);
        else if (flag == 'c')
            options.calls = strtoull(optarg, NULL, 10);
    }
    if (argc - optind != 2 || rounds < 1 || rounds > ROUNDS_MAX || options.calls < 1) {
        fprintf(stderr, "usage: %s [--rounds N] [--calls N] BIN_DIR MOBULA\n", argv[0]);
        return 2;
    }
    options.bin = argv[optind];
    options.mobula = argv[optind + 1];
    if (!stage_open())
        return 1;
    bool good = measure(&measured, &options, rounds);
    if (good)
        show(&measured, rounds);
    return stage_close(good);
}
