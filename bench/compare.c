// compare.c - mobula, bare libzmq and NATS under the same load, interleaved on one machine: a table
// of medians, and the same as JSON. Ratios are above 1 where mobula is better, of rates and of
// latencies alike. Exit: 0 measured, whether or not the bars are met; 1 not measured; 2 usage.
//   compare [--rounds N] [--calls N] [--sync N] [--window N] [--slots N] [--json FILE]
//           BIN_DIR PEER_DIR MOBULA

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "contest.h"
#include "load.h"
#include "stage.h"
#include "usage.h"

enum { ROUNDS_MAX = 99, TRANSPORTS = 2, CORES = 2 };

static const double BUSY = 0.2;

// What is run in each round: the caller's word of each system, NULL where it has no such load.
typedef struct kind {
    const char *name;
    int pairs;
    bool sync;
    const char *what[RIVALS];
} kind_t;

enum { ONE, FOUR, PUB, TASKS, SYNC, KINDS };

static const kind_t kinds[KINDS] = {
    [ONE] = {"calls 1:1", 1, false, {"calls", "calls", "pipe"}},
    [FOUR] = {"calls 4:4", 4, false, {"calls", "calls", "pipe"}},
    [PUB] = {"calls 1:1", 1, false, {NULL, "pub", NULL}},
    [TASKS] = {"tasks", 1, false, {"tasks", NULL, NULL}},
    [SYNC] = {"sync call", 1, true, {"calls", "calls", "sync"}},
};

// ---- What was measured --------------------------------------------------------------------------

typedef enum measure { RATE, P50, P99, CPU, MEASURES } measure_t;

typedef struct field {  // one transport
    const char *suffix; // of the rows' names
    bool judged;
    contest_t contest;
    double results[KINDS][RIVALS][MEASURES][ROUNDS_MAX];
} field_t;

typedef struct options {
    int rounds;
    const char *json;
    double others; // cores that other processes kept busy before we began
    contest_options_t contest;
} options_t;

typedef struct row { // mobula against one peer
    const char *name;
    measure_t measure;
    int kind, peer_kind;
    rival_t peer;
    const char *peer_name;
    double bar; // 0: shown, not judged
} row_t;

static const row_t rows[] = {
    {"calls 1:1", RATE, ONE, ONE, NATS, "nats", 1.5},
    {"calls 4:4", RATE, FOUR, FOUR, NATS, "nats", 1.5},
    {"tasks", RATE, TASKS, ONE, NATS, "nats", 1.0},
    {"sync call p50", P50, SYNC, SYNC, NATS, "nats", 1.0},
    {"sync call p50", P50, SYNC, SYNC, ZMQ, "libzmq", 0.75},
    {"sync call p99", P99, SYNC, SYNC, NATS, "nats", 0},
    {"sync call p99", P99, SYNC, SYNC, ZMQ, "libzmq", 0},
    {"calls 1:1", RATE, ONE, ONE, ZMQ, "libzmq", 0},
    {"calls 4:4", RATE, FOUR, FOUR, ZMQ, "libzmq", 0},
    {"calls 1:1", RATE, ONE, PUB, ZMQ, "libzmq pub", 0},
    {"cpu of a call 1:1", CPU, ONE, ONE, NATS, "nats", 0},
    {"cpu of a call 1:1", CPU, ONE, ONE, ZMQ, "libzmq", 0},
    {"cpu of a call 4:4", CPU, FOUR, FOUR, NATS, "nats", 0},
};
enum { ROWS = sizeof rows / sizeof *rows };

static bool measure_kind(field_t *self, const options_t *options, int kind, int round)
{
    for (int i = 0; i < RIVALS; i++) {
        int rival = (i + round) % RIVALS; // nobody is always the first
        contest_result_t result;
        contest_load_t load = {kinds[kind].pairs, kinds[kind].sync, kinds[kind].what[rival]};
        if (!load.what)
            continue;
        if (!contest_run(&self->contest, &options->contest, (rival_t)rival, &load, &result)) {
            fprintf(stderr, "bench: %s%s %s could not be measured\n", kinds[kind].name,
                    self->suffix, load.what);
            return false;
        }
        self->results[kind][rival][RATE][round] = result.rate;
        self->results[kind][rival][P50][round] = result.p50;
        self->results[kind][rival][P99][round] = result.p99;
        self->results[kind][rival][CPU][round] = result.cpu;
    }
    return true;
}

static bool measure(field_t fields[TRANSPORTS], const options_t *options)
{
    for (int t = 0; t < TRANSPORTS; t++)
        if (!contest_start(&fields[t].contest, &options->contest)) {
            fprintf(stderr, "bench: could not start the systems\n");
            return false;
        }
    for (int round = 0; round < options->rounds; round++)
        for (int t = 0; t < TRANSPORTS; t++) {
            fprintf(stderr, "round %d of %d%s\n", round + 1, options->rounds, fields[t].suffix);
            for (int kind = 0; kind < KINDS; kind++)
                if (!measure_kind(&fields[t], options, kind, round))
                    return false;
        }
    return true;
}

// ---- The table ----------------------------------------------------------------------------------

typedef struct spread {
    double least, median, most;
} spread_t;

static spread_t spread_of(const double *results, int rounds)
{
    double sorted[ROUNDS_MAX];
    memcpy(sorted, results, (size_t)rounds * sizeof *sorted);
    double median = load_percentile(sorted, (size_t)rounds, 0.5);
    return (spread_t){sorted[0], median, sorted[rounds - 1]};
}

static void print_spread(spread_t spread, double unit, int digits)
{
    printf("%8.*f [%7.*f .. %7.*f]  ", digits, spread.median / unit, digits, spread.least / unit,
           digits, spread.most / unit);
}

static void show_row(const field_t *field, const row_t *row, int rounds, FILE *json, bool first)
{
    bool rate = row->measure == RATE;
    spread_t ours = spread_of(field->results[row->kind][MOBULA][row->measure], rounds);
    spread_t theirs = spread_of(field->results[row->peer_kind][row->peer][row->measure], rounds);
    double above = rate ? ours.median : theirs.median, below = rate ? theirs.median : ours.median;
    double ratio = below > 0 ? above / below : 0; // a short run may use no tick of processor time
    char name[64];
    snprintf(name, sizeof name, "%s%s", row->name, field->suffix);
    printf("%-21s ", name);
    int digits = row->measure == CPU ? 3 : 1;
    print_spread(ours, rate ? 1000 : 1, digits);
    printf("%-10s ", row->peer_name);
    print_spread(theirs, rate ? 1000 : 1, digits);
    printf("%-4s %5.2f", rate ? "k/s" : "us", ratio);
    if (row->bar > 0 && field->judged)
        printf("  %s (bar %.2f)", ratio >= row->bar ? "PASS" : "BELOW", row->bar);
    printf("\n");
    fprintf(json,
            "%s  {\"name\": \"%s\", \"unit\": \"%s\", \"mobula\": %.3f, \"peer\": %.3f, "
            "\"peer_name\": \"%s\", \"ratio\": %.4f, \"rounds\": %d}",
            first ? "" : ",\n", name, rate ? "1/s" : "us", ours.median, theirs.median,
            row->peer_name, ratio, rounds);
}

static bool show(const field_t fields[TRANSPORTS], const options_t *options)
{
    FILE *json = fopen(options->json, "w");
    if (!json) {
        perror(options->json);
        return false;
    }
    printf("\n%-21s %8s %-22s %-10s %8s %-22s %-4s %5s\n", "row", "mobula", "[min .. max]", "peer",
           "median", "[min .. max]", "unit", "ratio");
    fprintf(json, "[\n");
    for (int t = 0; t < TRANSPORTS; t++)
        for (int r = 0; r < ROWS; r++)
            show_row(&fields[t], &rows[r], options->rounds, json, t == 0 && r == 0);
    fprintf(json, "\n]\n");
    printf("\n%d rounds, interleaved; %d-byte payload; window %llu a caller; every process on the "
           "same %d cores at most. NATS has tcp alone. Written: %s\n",
           options->rounds, LOAD_PAYLOAD, (unsigned long long)options->contest.window, CORES,
           options->json);
    if (options->others > BUSY)
        printf("Others kept %.1f cores busy when this began: the ratios are worth little but for "
               "the processor time.\n",
               options->others);
    return fclose(json) == 0;
}

// ---- Main ---------------------------------------------------------------------------------------

// A larger machine would give NATS, whose server has many threads, cores that mobula's loop cannot
// use.
static void keep_to_few_cores(void)
{
    cpu_set_t allowed, kept;
    CPU_ZERO(&kept);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&kept) < CORES; i++)
        if (CPU_ISSET(i, &allowed))
            CPU_SET(i, &kept);
    sched_setaffinity(0, sizeof kept, &kept);
}

static double cores_busy(void)
{
    const pid_t everybody[] = {1, 2}; // init and the kernel's own: ancestors of all
    double begin = load_now(), used = usage_seconds(everybody, 2);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    return (usage_seconds(everybody, 2) - used) / (load_now() - begin);
}

static bool parse_flags(int argc, char **argv, options_t *out)
{
    static const struct option flags[] = {{"rounds", 1, 0, 'r'},
                                          {"calls", 1, 0, 'c'},
                                          {"sync", 1, 0, 's'},
                                          {"window", 1, 0, 'w'},
                                          {"slots", 1, 0, 'S'},
                                          {"json", 1, 0, 'j'},
                                          {0}};
    for (int flag; (flag = getopt_long(argc, argv, "", flags, NULL)) != -1;) {
        uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;
        if (flag == 'r')
            out->rounds = (int)number;
        else if (flag == 'c')
            out->contest.calls = number;
        else if (flag == 's')
            out->contest.sync_calls = number;
        else if (flag == 'w')
            out->contest.window = number;
        else if (flag == 'S')
            out->contest.slots = number;
        else if (flag == 'j')
            out->json = optarg;
        else
            return false;
    }
    return argc - optind == 3;
}

static bool parse(int argc, char **argv, options_t *out)
{
    *out = (options_t){.rounds = 5,
                       .json = "compare.json",
                       .contest = {.calls = 600000, .sync_calls = 4000, .window = 1000, .slots = 1}};
    if (!parse_flags(argc, argv, out))
        return false;
    contest_options_t *contest = &out->contest;
    contest->bin = argv[optind];
    contest->peers = argv[optind + 1];
    contest->mobula = argv[optind + 2];
    return out->rounds >= 1 && out->rounds <= ROUNDS_MAX && contest->window > 1 &&
           contest->window <= LOAD_WINDOW_MAX && contest->sync_calls > 0 && contest->slots > 0 &&
           contest->calls >= contest->window * CONTEST_PAIRS;
}

int main(int argc, char **argv)
{
    static field_t fields[TRANSPORTS] = {{.suffix = "", .judged = true, .contest = {.local = true}},
                                         {.suffix = " tcp"}};
    options_t options;
    if (!parse(argc, argv, &options)) {
        fprintf(stderr,
                "usage: %s [--rounds N] [--calls N] [--sync N] [--window N] [--slots N] "
                "[--json FILE] BIN_DIR PEER_DIR MOBULA\n",
                argv[0]);
        return 2;
    }
    keep_to_few_cores();
    options.others = cores_busy();
    if (!stage_open())
        return 1;
    bool good = measure(fields, &options) && show(fields, &options);
    return stage_close(good);
}
