// contest.c - see contest.h. Owns the processes of one transport; party_end_all() ends them.

#include "contest.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "stage.h"
#include "usage.h"

enum { WORDS_MAX = 14, PATIENCE_S = 120, START_S = 10 };

// Callers; of the baselines workers, too.
static const char *const programs[RIVALS] = {"bench_mobula_caller", "peer_zmq_router",
                                             "peer_nats_req"};

// ---- Starting what answers ----------------------------------------------------------------------

static bool start(party_t *party, const char *directory, const char *program, const char *const *words)
{
    char path[2 * CONTEST_ADDRESS], *argv[WORDS_MAX + 2] = {path};
    snprintf(path, sizeof path, "%s%s%s", directory, *directory ? "/" : "", program);
    for (int i = 0; i < WORDS_MAX && words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    return party_start(party, stage_log(), argv);
}

static bool is_ready(party_t *party, int seconds)
{
    char line[64];
    return party_read(party, line, sizeof line, seconds) && strcmp(line, "ready\n") == 0;
}

static bool start_host(contest_t *self, rival_t rival, const char *directory, const char *program,
                       const char *const *words)
{
    return start(&self->hosts[rival][self->host_count[rival]++], directory, program, words);
}

// Workers of a baseline: words are the role, the address, the number, and maybe one more.
static bool start_workers(contest_t *self, const contest_options_t *options, rival_t rival,
                          const char *address, const char *more, int count)
{
    char number[16];
    for (int i = 0; i < count; i++) {
        snprintf(number, sizeof number, "%d", i);
        const char *words[] = {"worker", address, number, more, NULL};
        if (!start_host(self, rival, options->peers, programs[rival], words) ||
            !is_ready(&self->hosts[rival][self->host_count[rival] - 1], START_S))
            return false;
    }
    return true;
}

// The address of a socket of this run: a file of this name, or a port of loopback.
static void address_of(const contest_t *self, char out[STAGE_ADDRESS], const char *name, int port)
{
    char path[STAGE_PATH];
    stage_path(path, name);
    if (self->local)
        snprintf(out, STAGE_ADDRESS, "ipc://%s", path);
    else
        snprintf(out, STAGE_ADDRESS, "tcp://127.0.0.1:%d", port);
}

static bool start_mobula(contest_t *self, const contest_options_t *options, int port)
{
    char path[STAGE_PATH], slots[24], address[STAGE_ADDRESS], name[64];
    snprintf(name, sizeof name, "%scalls.sock", self->directory ? self->directory : "");
    stage_path(path, name);
    snprintf(slots, sizeof slots, "%llu", (unsigned long long)options->slots);
    address_of(self, address, name, port);
    snprintf(self->address[MOBULA], CONTEST_ADDRESS, "%s", address);
    const char *open = self->local ? NULL : "--insecure=loopback";
    const char *words[] = {"broker", "--bind", address, "--data", ":memory:", open, NULL};
    const char *host[] = {"--broker", address, "--slots", slots, "--log-level", "warn", NULL};
    return start(&self->servers[MOBULA], "", options->mobula, words) &&
           party_listens(self->local ? path : NULL, port, START_S) &&
           start_host(self, MOBULA, options->bin, "bench_mobula_worker", host);
}

static bool start_zmq(contest_t *self, const contest_options_t *options, int port)
{
    char address[STAGE_ADDRESS], publisher[STAGE_ADDRESS];
    address_of(self, address, "router", port);
    address_of(self, publisher, "publisher", port + 1);
    snprintf(self->address[ZMQ], CONTEST_ADDRESS, "%s,%s", address, publisher);
    const char *words[] = {"broker", address, publisher, NULL};
    return start(&self->servers[ZMQ], options->peers, programs[ZMQ], words) &&
           is_ready(&self->servers[ZMQ], START_S) &&
           start_workers(self, options, ZMQ, address, NULL, CONTEST_PAIRS);
}

static bool start_nats(contest_t *self, const contest_options_t *options, int port)
{
    char number[16], *address = self->address[NATS];
    const char *directory = access("/usr/sbin/nats-server", X_OK) == 0 ? "/usr/sbin" : "/usr/bin";
    snprintf(number, sizeof number, "%d", port);
    snprintf(address, CONTEST_ADDRESS, "nats://127.0.0.1:%d", port);
    const char *words[] = {"-a", "127.0.0.1", "-p", number, NULL};
    return start(&self->servers[NATS], directory, "nats-server", words) &&
           party_listens(NULL, port, START_S) &&
           start_workers(self, options, NATS, address, "pipe", CONTEST_PAIRS) &&
           start_workers(self, options, NATS, address, "sync", 1);
}

bool contest_start_one(contest_t *self, const contest_options_t *options, rival_t rival)
{
    bool (*const starts[RIVALS])(contest_t *, const contest_options_t *, int) = {
        [MOBULA] = start_mobula, [ZMQ] = start_zmq, [NATS] = start_nats};
    int port = party_free_port();
    return port != 0 && starts[rival](self, options, port);
}

bool contest_start(contest_t *self, const contest_options_t *options)
{
    for (rival_t rival = 0; rival < RIVALS; rival++)
        if (!contest_start_one(self, options, rival))
            return false;
    return true;
}

// ---- One load on one of them --------------------------------------------------------------------

static bool start_caller(party_t *party, const contest_t *self, const contest_options_t *options,
                         rival_t rival, const contest_load_t *load, int number)
{
    char count[24], window[24], text[16];
    uint64_t calls = load->sync ? options->sync_calls : options->calls / (unsigned)load->pairs;
    snprintf(count, sizeof count, "%llu", (unsigned long long)calls);
    snprintf(window, sizeof window, "%llu", load->sync ? 1ULL : (unsigned long long)options->window);
    snprintf(text, sizeof text, "%d", number);
    const char *words[] = {count, window, self->address[rival], text, load->what, NULL};
    return start(party, rival == MOBULA ? options->bin : options->peers, programs[rival], words) &&
           is_ready(party, PATIENCE_S);
}

static bool hear_caller(party_t *party, contest_result_t *out)
{
    char line[128];
    double seconds;
    unsigned long long bad = 0;
    if (!party_read(party, line, sizeof line, PATIENCE_S) ||
        sscanf(line, "%lf %lf %lf %llu", &seconds, &out->p50, &out->p99, &bad) != 4)
        return false;
    if (bad)
        fprintf(stderr, "bench: a reply was lost or wrong\n");
    return bad == 0;
}

static double seconds_used(const contest_t *self, rival_t rival, const party_t *callers)
{
    pid_t roots[1 + 2 * CONTEST_PAIRS + 1] = {self->servers[rival].pid};
    int count = 1;
    for (int i = 0; i < self->host_count[rival]; i++)
        roots[count++] = self->hosts[rival][i].pid;
    for (int i = 0; i < CONTEST_PAIRS; i++)
        roots[count++] = callers[i].pid;
    return usage_seconds(roots, count);
}

bool contest_run(const contest_t *self, const contest_options_t *options, rival_t rival,
                 const contest_load_t *load, contest_result_t *out)
{
    party_t callers[CONTEST_PAIRS] = {0};
    bool good = true;
    for (int i = 0; i < load->pairs && good; i++)
        good = start_caller(&callers[i], self, options, rival, load, i);
    double used = seconds_used(self, rival, callers), begin = load_now();
    for (int i = 0; i < load->pairs && good; i++)
        party_tell(&callers[i]);
    for (int i = 0; i < load->pairs && good; i++)
        good = hear_caller(&callers[i], out);
    double seconds = load_now() - begin;
    used = seconds_used(self, rival, callers) - used;
    for (int i = 0; i < load->pairs; i++)
        party_end(&callers[i]);
    unsigned pairs = (unsigned)load->pairs;
    double calls = (double)(load->sync ? options->sync_calls : options->calls / pairs * pairs);
    out->rate = calls / seconds;
    out->cpu = used / calls * 1e6;
    return good;
}
