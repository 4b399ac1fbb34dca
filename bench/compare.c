// compare.c - mobula, bare libzmq and NATS under the same load, interleaved on one machine: a table of medians, and the
// same as JSON. Ratios are above 1 where mobula is better, for rates and for latencies alike.
//   compare [--rounds N] [--calls N] [--window N] [--json FILE] BIN_DIR PEER_DIR MOBULA

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"
#include "party.h"

enum { PAIRS_MAX = 4, ROUNDS_MAX = 99, PATH_SIZE = 256, SECONDS_MAX = 120 };

typedef enum system { MOBULA, ZMQ, NATS, SYSTEMS } system_t;
typedef enum measure { RATE, P50 } measure_t;

static const char *const system_names[SYSTEMS] = {"mobula", "libzmq", "nats"};

typedef struct load_kind { // what is run of each system in a round
    const char *name;
    int pairs;
    bool sync;
    const char *what[SYSTEMS]; // NULL: this system has no such load
    measure_t measure;
} load_kind_t;

enum { KIND_1, KIND_4, KIND_TASKS, KIND_SYNC, KINDS };

static const load_kind_t kinds[KINDS] = {
    [KIND_1] = {"calls 1:1", 1, false, {"calls", "calls", "pipe"}, RATE},
    [KIND_4] = {"calls 4:4", 4, false, {"calls", "calls", "pipe"}, RATE},
    [KIND_TASKS] = {"tasks", 1, false, {"tasks", NULL, NULL}, RATE},
    [KIND_SYNC] = {"sync call p50", 1, true, {"calls", "calls", "sync"}, P50},
};

typedef struct row { // of the table: one kind of mobula against one kind of a peer
    int kind, peer_kind;
    system_t peer;
    double bar; // 0: shown, not judged
} row_t;

static const row_t rows[] = {
    {KIND_1, KIND_1, NATS, 1.5}, {KIND_4, KIND_4, NATS, 1.5},      {KIND_TASKS, KIND_1, NATS, 1.0},
    {KIND_SYNC, KIND_SYNC, NATS, 1.0}, {KIND_SYNC, KIND_SYNC, ZMQ, 0.75}, {KIND_1, KIND_1, ZMQ, 0}, {KIND_4, KIND_4, ZMQ, 0},
};
enum { ROWS = sizeof rows / sizeof *rows };

typedef struct options {
    int rounds;
    uint64_t calls, window, sync_calls;
    const char *json, *bin, *peers, *mobula;
} options_t;

typedef struct transport {
    const char *suffix; // of the rows' names
    bool judged, local;
    char address[SYSTEMS][PATH_SIZE];
    party_t servers[SYSTEMS], hosts[1 + 3 * PAIRS_MAX];
    int host_count;
    double results[KINDS][SYSTEMS][ROUNDS_MAX];
} transport_t;

static char home[64]; // a directory of this run alone
static char logs[96];

// ---- Starting what answers --------------------------------------------------------------------------------

static bool start(party_t *party, const char *directory, const char *program, const char *const *words)
{
    char path[2 * PATH_SIZE], *argv[16] = {path};
    snprintf(path, sizeof path, "%s%s%s", directory, *directory ? "/" : "", program);
    int count = 1;
    for (; words[count - 1] && count < 15; count++)
        argv[count] = (char *)(uintptr_t)words[count - 1];
    return party_start(party, logs, argv);
}

static bool start_host(transport_t *self, const char *directory, const char *program, const char *const *words)
{
    return start(&self->hosts[self->host_count++], directory, program, words);
}

static bool start_mobula(transport_t *self, const options_t *options, int port)
{
    char path[128];
    const char *address = self->address[MOBULA];
    snprintf(path, sizeof path, "%s/calls.sock", home);
    if (self->local)
        snprintf(self->address[MOBULA], PATH_SIZE, "ipc://%s", path);
    else
        snprintf(self->address[MOBULA], PATH_SIZE, "tcp://127.0.0.1:%d", port);
    const char *words[] = {"broker", "--bind", address, "--data", ":memory:", self->local ? NULL : "--insecure=loopback", NULL};
    return start(&self->servers[MOBULA], "", options->mobula, words) && party_listens(self->local ? path : NULL, port, 10) &&
           start_host(self, options->bin, "bench_mobula_worker",
                      (const char *[]){"--broker", address, "--slots", "1", "--log-level", "warn", NULL});
}

static bool start_zmq(transport_t *self, const options_t *options, int port)
{
    const char *address = self->address[ZMQ];
    char path[128], number[PAIRS_MAX][16];
    snprintf(path, sizeof path, "%s/router", home);
    if (self->local)
        snprintf(self->address[ZMQ], PATH_SIZE, "ipc://%s", path);
    else
        snprintf(self->address[ZMQ], PATH_SIZE, "tcp://127.0.0.1:%d", port);
    bool good = start(&self->servers[ZMQ], options->peers, "peer_zmq_router", (const char *[]){"broker", address, NULL}) &&
                party_listens(self->local ? path : NULL, port, 10);
    for (int i = 0; i < PAIRS_MAX && good; i++) {
        snprintf(number[i], sizeof number[i], "%d", i);
        good = start_host(self, options->peers, "peer_zmq_router", (const char *[]){"worker", address, number[i], NULL});
    }
    return good;
}

static bool start_nats(transport_t *self, const options_t *options, int port)
{
    const char *address = self->address[NATS];
    char text[16], number[PAIRS_MAX][16];
    snprintf(text, sizeof text, "%d", port);
    snprintf(self->address[NATS], PATH_SIZE, "nats://127.0.0.1:%d", port);
    const char *server = access("/usr/sbin/nats-server", X_OK) == 0 ? "/usr/sbin" : "/usr/bin";
    bool good = start(&self->servers[NATS], server, "nats-server", (const char *[]){"-a", "127.0.0.1", "-p", text, NULL}) &&
                party_listens(NULL, port, 10);
    for (int i = 0; i < PAIRS_MAX && good; i++) {
        snprintf(number[i], sizeof number[i], "%d", i);
        good = start_host(self, options->peers, "peer_nats_req", (const char *[]){"worker", address, number[i], "pipe", NULL});
    }
    return good && start_host(self, options->peers, "peer_nats_req", (const char *[]){"worker", address, "0", "sync", NULL});
}

static bool start_all(transport_t *self, const options_t *options)
{
    int port = party_free_port();
    if (!port)
        return false;
    bool good = start_mobula(self, options, port);
    good = good && (port = party_free_port()) && start_zmq(self, options, port);
    return good && (port = party_free_port()) && start_nats(self, options, port);
}

static void end_all(transport_t *self)
{
    for (int i = 0; i < self->host_count; i++)
        party_end(&self->hosts[i]);
    for (int i = 0; i < SYSTEMS; i++)
        party_end(&self->servers[i]);
}

// ---- One load on one system ---------------------------------------------------------------------------------

static const char *caller_program(system_t system)
{
    return system == MOBULA ? "bench_mobula_caller" : system == ZMQ ? "peer_zmq_router" : "peer_nats_req";
}

static bool start_caller(party_t *party, const transport_t *transport, const options_t *options, system_t system, int kind, int number)
{
    char count[24], window[24], text[16];
    snprintf(count, sizeof count, "%llu", (unsigned long long)(kinds[kind].sync ? options->sync_calls : options->calls / (unsigned)kinds[kind].pairs));
    snprintf(window, sizeof window, "%llu", (unsigned long long)(kinds[kind].sync ? 1 : options->window));
    snprintf(text, sizeof text, "%d", number);
    const char *words[] = {count, window, transport->address[system], text, kinds[kind].what[system], NULL};
    char line[64];
    return start(party, system == MOBULA ? options->bin : options->peers, caller_program(system), words) &&
           party_read(party, line, sizeof line, SECONDS_MAX) && strcmp(line, "ready\n") == 0;
}

static bool hear_caller(party_t *party, double *p50)
{
    char line[128];
    double seconds, p99;
    unsigned long long bad = 1;
    bool good = party_read(party, line, sizeof line, SECONDS_MAX) && sscanf(line, "%lf %lf %lf %llu", &seconds, p50, &p99, &bad) == 4;
    if (!good || bad)
        fprintf(stderr, "bench: a caller ended with %llu bad replies\n", bad);
    return good && bad == 0;
}

// Calls a second of all callers together, or the median of one at a time; negative: it failed.
static double run(const transport_t *transport, const options_t *options, system_t system, int kind)
{
    party_t callers[PAIRS_MAX] = {0};
    double p50 = 0, begin;
    bool good = true;
    int pairs = kinds[kind].pairs;
    for (int i = 0; i < pairs && good; i++)
        good = start_caller(&callers[i], transport, options, system, kind, i);
    begin = load_now();
    for (int i = 0; i < pairs && good; i++)
        party_tell(&callers[i]);
    for (int i = 0; i < pairs && good; i++)
        good = hear_caller(&callers[i], &p50);
    double seconds = load_now() - begin;
    for (int i = 0; i < pairs; i++)
        party_end(&callers[i]);
    if (!good)
        return -1;
    return kinds[kind].measure == P50 ? p50 : (double)(options->calls / (unsigned)pairs * (unsigned)pairs) / seconds;
}

static bool round_of(transport_t *transport, const options_t *options, int round)
{
    for (int kind = 0; kind < KINDS; kind++)
        for (int system = 0; system < SYSTEMS; system++) {
            if (!kinds[kind].what[system])
                continue;
            double result = run(transport, options, (system_t)system, kind);
            if (result < 0) {
                fprintf(stderr, "bench: %s of %s could not be measured; see %s\n", kinds[kind].name, system_names[system], logs);
                return false;
            }
            transport->results[kind][system][round] = result;
        }
    return true;
}

// ---- The table ----------------------------------------------------------------------------------------------

typedef struct spread {
    double least, median, most;
} spread_t;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static spread_t spread_of(const double *results, int rounds)
{
    double sorted[ROUNDS_MAX];
    memcpy(sorted, results, (size_t)rounds * sizeof *sorted);
    qsort(sorted, (size_t)rounds, sizeof *sorted, compare);
    return (spread_t){sorted[0], sorted[rounds / 2], sorted[rounds - 1]};
}

static void show_row(const transport_t *transport, const row_t *row, int rounds, FILE *json, bool first)
{
    const load_kind_t *kind = &kinds[row->kind];
    bool p50 = kind->measure == P50;
    spread_t ours = spread_of(transport->results[row->kind][MOBULA], rounds);
    spread_t theirs = spread_of(transport->results[row->peer_kind][row->peer], rounds);
    double ratio = p50 ? theirs.median / ours.median : ours.median / theirs.median;
    double unit = p50 ? 1 : 1000;
    char name[64], bar[32] = "";
    snprintf(name, sizeof name, "%s%s", kind->name, transport->suffix);
    if (row->bar > 0 && transport->judged)
        snprintf(bar, sizeof bar, "%s (bar %.2f)", ratio >= row->bar ? "PASS" : "BELOW", row->bar);
    printf("%-18s %8.1f [%8.1f .. %8.1f]   %-6s %8.1f [%8.1f .. %8.1f]  %-7s %6.2f  %s\n", name, ours.median / unit, ours.least / unit,
           ours.most / unit, system_names[row->peer], theirs.median / unit, theirs.least / unit, theirs.most / unit,
           p50 ? "us" : "k/s", ratio, bar);
    fprintf(json, "%s  {\"name\": \"%s\", \"unit\": \"%s\", \"mobula\": %.3f, \"peer\": %.3f, \"peer_name\": \"%s\", \"ratio\": %.4f, \"rounds\": %d}",
            first ? "" : ",\n", name, p50 ? "us" : "1/s", ours.median, theirs.median, system_names[row->peer], ratio, rounds);
}

static bool show(const transport_t *transports, int count, const options_t *options)
{
    FILE *json = fopen(options->json, "w");
    if (!json) {
        perror(options->json);
        return false;
    }
    printf("\n%-18s %8s %-24s %-6s %8s %-24s %-7s %6s\n", "row", "mobula", "[min .. max]", "peer", "median", "[min .. max]", "unit", "ratio");
    fprintf(json, "[\n");
    for (int t = 0; t < count; t++)
        for (int r = 0; r < ROWS; r++)
            show_row(&transports[t], &rows[r], options->rounds, json, t == 0 && r == 0);
    fprintf(json, "\n]\n");
    fclose(json);
    printf("\n%d rounds, interleaved; %d-byte payload; window %llu a caller; all processes on the same %ld cores. Written: %s\n",
           options->rounds, LOAD_PAYLOAD, (unsigned long long)options->window, sysconf(_SC_NPROCESSORS_ONLN), options->json);
    return true;
}

// ---- Main -----------------------------------------------------------------------------------------------------

static bool parse(int argc, char **argv, options_t *out)
{
    *out = (options_t){.rounds = 5, .calls = 600000, .window = 1000, .sync_calls = 4000, .json = "compare.json"};
    static const struct option flags[] = {{"rounds", 1, 0, 'r'}, {"calls", 1, 0, 'c'}, {"window", 1, 0, 'w'}, {"json", 1, 0, 'j'}, {0}};
    for (int flag; (flag = getopt_long(argc, argv, "", flags, NULL)) != -1;) {
        if (flag == 'r')
            out->rounds = atoi(optarg);
        else if (flag == 'c')
            out->calls = strtoull(optarg, NULL, 10);
        else if (flag == 'w')
            out->window = strtoull(optarg, NULL, 10);
        else if (flag == 'j')
            out->json = optarg;
        else
            return false;
    }
    if (argc - optind != 3 || out->rounds < 1 || out->rounds > ROUNDS_MAX || out->window == 0 || out->window > LOAD_WINDOW_MAX)
        return false;
    out->bin = argv[optind];
    out->peers = argv[optind + 1];
    out->mobula = argv[optind + 2];
    return true;
}

static bool measure(transport_t *transports, int count, const options_t *options)
{
    for (int t = 0; t < count; t++)
        if (!start_all(&transports[t], options)) {
            fprintf(stderr, "bench: could not start the systems; see %s\n", logs);
            return false;
        }
    for (int round = 0; round < options->rounds; round++)
        for (int t = 0; t < count; t++) {
            fprintf(stderr, "round %d of %d%s\n", round + 1, options->rounds, transports[t].suffix);
            if (!round_of(&transports[t], options, round))
                return false;
        }
    return true;
}

static void clean_up(void)
{
    party_end_all();
    static const char *const files[] = {"calls.sock", "notices.sock", "feed.sock", "broker.lock", "router", "log"};
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", home, files[i]);
        unlink(path);
    }
    rmdir(home);
}

int main(int argc, char **argv)
{
    static transport_t transports[] = {{.suffix = "", .judged = true, .local = true}, {.suffix = " tcp"}};
    options_t options;
    if (!parse(argc, argv, &options)) {
        fprintf(stderr, "usage: %s [--rounds N] [--calls N] [--window N] [--json FILE] BIN_DIR PEER_DIR MOBULA\n", argv[0]);
        return 2;
    }
    snprintf(home, sizeof home, "/tmp/mobula-bench-XXXXXX");
    if (!mkdtemp(home))
        return 1;
    snprintf(logs, sizeof logs, "%s/log", home);
    setenv("XDG_RUNTIME_DIR", home, 1);
    bool good = measure(transports, 2, &options);
    good = good && show(transports, 2, &options);
    for (int t = 0; t < 2; t++)
        end_all(&transports[t]);
    if (good)
        clean_up();
    return good ? 0 : 1;
}
