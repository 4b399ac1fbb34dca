// measure.c - mobula bench: a load of calls or tasks against a host of its own, and how long each took. With --rate an open
// loop: times count from the moment at which a call was due, so that a stall shows in every call that it held up.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "child.h"
#include "clock.h"
#include "demo_bodies.h"
#include "say.h"
#include "unit.h"
#include "verb.h"

enum { CLIENTS_MAX = 64, INFLIGHT_MAX = 4096, TIMES_MAX = 2000000, WAIT_MS = 20000, SIZE_MAX_BYTES = 64 * 1024 };

typedef struct client {
    const struct bench *bench;
    pthread_t thread;
    mob_t *m;
    bench_peer_h peer;
    mob_ref_bytes refs[INFLIGHT_MAX];
    int64_t due[INFLIGHT_MAX];
    uint64_t sent, back, failed, counted;
    int64_t *times;
    mob_err_t error;
} client_t;

typedef struct bench {
    tool_t *tool;
    crew_t crew;
    bool tasks;
    int64_t clients, inflight, size, duration_us, warmup_us;
    double rate; // a second and client; 0: closed loop
    int64_t count_from, until;
    char *payload;
    client_t *all;
} bench_t;

// ---- One client -----------------------------------------------------------------------------------------

static void send_one(client_t *self, int64_t due)
{
    const bench_t *bench = self->bench;
    mob_bytes_t data = {bench->payload, (size_t)bench->size};
    uint64_t slot = self->sent++ % INFLIGHT_MAX;
    self->due[slot] = due;
    self->refs[slot] = bench->tasks ? mob_run(self->m, bench_echo, data) : mob_call(self->m, self->peer, bench_peer_echo, data);
}

static void note_time(client_t *self, int64_t due, int64_t now)
{
    if (due < self->bench->count_from)
        return;
    if (self->counted < TIMES_MAX)
        self->times[self->counted] = now - due;
    self->counted++;
}

static void take_one(client_t *self)
{
    uint64_t slot = self->back++ % INFLIGHT_MAX;
    mob_err_t err = mob_done(self->m, self->refs[slot], WAIT_MS);
    if (err) {
        self->failed++;
        self->error = err;
    }
    note_time(self, self->due[slot], clock_us());
    mob_drop(self->m, self->refs[slot].ref);
}

static void closed_loop(client_t *self)
{
    const bench_t *bench = self->bench;
    for (int64_t now; (now = clock_us()) < bench->until && !tool_signal();) {
        while (self->sent - self->back < (uint64_t)bench->inflight)
            send_one(self, clock_us());
        take_one(self);
    }
}

static void open_loop(client_t *self)
{
    const bench_t *bench = self->bench;
    double step = 1e6 / bench->rate, due = (double)clock_us();
    while (due < (double)bench->until && !tool_signal()) {
        int64_t now = clock_us();
        while (due <= (double)now && self->sent - self->back < INFLIGHT_MAX) {
            send_one(self, (int64_t)due);
            due += step;
        }
        while (self->back < self->sent && mob_info(self->m, self->refs[self->back % INFLIGHT_MAX].ref).state != MOB_PENDING)
            take_one(self);
        int64_t left = (int64_t)due - clock_us();
        if (self->sent - self->back == INFLIGHT_MAX)
            take_one(self);
        else if (self->back < self->sent) // at most until the next one is due; at least once, so that it is sent
            mob_wait(self->m, &self->refs[self->back % INFLIGHT_MAX].ref, 1, 1, left > 1000 ? (int)(left / 1000) : 0, NULL);
        else if (left > 0)
            nanosleep(&(struct timespec){left / 1000000, left % 1000000 * 1000}, NULL);
    }
}

static void *work(void *arg)
{
    client_t *self = arg;
    if (self->bench->rate > 0)
        open_loop(self);
    else
        closed_loop(self);
    while (self->back < self->sent)
        take_one(self);
    return NULL;
}

// ---- All of them ------------------------------------------------------------------------------------------

static int read_flags(bench_t *self)
{
    tool_t *tool = self->tool;
    const char *what = tool->word_count ? tool->words[0] : "call";
    self->tasks = strcmp(what, "task") == 0;
    self->clients = tool_count(tool, "clients", 1);
    self->inflight = tool_count(tool, "inflight", 64);
    self->size = tool_count(tool, "size", 100);
    self->duration_us = tool_duration(tool, "duration", 5000000);
    self->warmup_us = tool_duration(tool, "warmup", 500000);
    self->rate = tool_rate(tool, "rate", 0) / (double)(self->clients > 0 ? self->clients : 1);
    bool known = self->tasks || strcmp(what, "call") == 0;
    bool fits = self->clients >= 1 && self->clients <= CLIENTS_MAX && self->inflight >= 1 && self->inflight <= INFLIGHT_MAX &&
                self->size <= SIZE_MAX_BYTES;
    if (known && fits)
        return 0;
    trouble_t out = trouble_usage(known ? "clients 1 to 64, inflight 1 to 4096, size up to 64KiB" : "bench call or bench task");
    trouble_try(&out, "mobula bench --help");
    return say_trouble(tool, &out);
}

// A broker that is there is used; else one is started.
static int find_broker(bench_t *self)
{
    tool_t *tool = self->tool;
    bool given = tool_flag(tool, "broker") || getenv("MOBULA_BROKER");
    char why[256];
    if (given || (endpoint_dial(NULL, 0, tool->address, sizeof tool->address, why, sizeof why) == MOB_OK && tool_listens(tool->address))) {
        int done = tool_connect(tool);
        snprintf(self->crew.address, sizeof self->crew.address, "%.150s", tool->address);
        return done;
    }
    if (crew_broker(&self->crew))
        return 0;
    trouble_t out = trouble(MOB_ESETUP, "no broker, and none could be started");
    trouble_try(&out, "mobula broker      says why");
    return say_trouble(tool, &out);
}

static int open_client(bench_t *self, client_t *client)
{
    client->bench = self;
    client->times = malloc(TIMES_MAX * sizeof *client->times);
    client->m = mob_connect(&(mob_config_t){.endpoint = self->crew.address, .name = "bench"});
    if (!client->m || !client->times)
        return 1;
    mob_ref_t first;
    if (self->tasks) {
        mob_bytes_t data = {self->payload, (size_t)self->size};
        first = mob_run(client->m, bench_echo, data).ref;
    } else {
        client->peer = mob_new_with(client->m, MOB_ACTOR_OPTS(.mailbox_max = INFLIGHT_MAX), bench_peer);
        first = mob_ready(client->peer.actor);
    }
    mob_err_t err = mob_await(client->m, first, NULL, WAIT_MS);
    return err ? say_failure(self->tool, first, err, "the first call") : 0;
}

static int open_all(bench_t *self)
{
    self->payload = calloc(1, (size_t)self->size + 1);
    self->all = calloc((size_t)self->clients, sizeof *self->all);
    int done = self->payload && self->all && crew_host(&self->crew, "bench-host", 1) ? 0 : 1;
    for (int64_t i = 0; i < self->clients && !done; i++)
        done = open_client(self, &self->all[i]);
    return done;
}

static void run_all(bench_t *self)
{
    self->count_from = clock_us() + self->warmup_us;
    self->until = self->duration_us == UNIT_FOREVER ? INT64_MAX : self->count_from + self->duration_us;
    for (int64_t i = 0; i < self->clients; i++)
        pthread_create(&self->all[i].thread, NULL, work, &self->all[i]);
    for (int64_t i = 0; i < self->clients; i++)
        pthread_join(self->all[i].thread, NULL);
}

// ---- What is said -------------------------------------------------------------------------------------------

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

typedef struct sums {
    uint64_t sent, counted, failed, kept;
    int64_t *times;
    double seconds;
} sums_t;

static sums_t add_up(const bench_t *self)
{
    sums_t sums = {.seconds = (double)(clock_us() - self->count_from) / 1e6};
    for (int64_t i = 0; i < self->clients; i++) {
        sums.sent += self->all[i].sent;
        sums.counted += self->all[i].counted;
        sums.failed += self->all[i].failed;
    }
    sums.times = malloc((sums.counted + 1) * sizeof *sums.times);
    for (int64_t i = 0; i < self->clients && sums.times; i++) {
        uint64_t kept = self->all[i].counted < TIMES_MAX ? self->all[i].counted : TIMES_MAX;
        memcpy(sums.times + sums.kept, self->all[i].times, kept * sizeof *sums.times);
        sums.kept += kept;
    }
    if (sums.times)
        qsort(sums.times, sums.kept, sizeof *sums.times, by_time);
    return sums;
}

static int64_t at(const sums_t *sums, double part)
{
    return sums->kept ? sums->times[(size_t)((double)(sums->kept - 1) * part)] : 0;
}

static const double parts[] = {0, 0.5, 0.9, 0.99, 0.999, 1};
static const char *const part_names[] = {"min", "p50", "p90", "p99", "p99.9", "max"};
enum { PARTS = 6 };

static void say_sums(const bench_t *self, const sums_t *sums)
{
    char text[UNIT_TEXT_MAX], other[UNIT_TEXT_MAX];
    double rate = (double)sums->counted / sums->seconds;
    if (tool_json(self->tool)) {
        printf("{\"what\":\"%s\",\"clients\":%lld,\"bytes\":%lld,\"sent\":%llu,\"counted\":%llu,\"failed\":%llu,\"per_second\":%.1f",
               self->tasks ? "task" : "call", (long long)self->clients, (long long)self->size, (unsigned long long)sums->sent,
               (unsigned long long)sums->counted, (unsigned long long)sums->failed, rate);
        for (int i = 0; i < PARTS; i++)
            printf(",\"%s_us\":%lld", part_names[i], (long long)at(sums, parts[i]));
        puts("}");
        return;
    }
    printf("bench %s   %lld clients, %s", self->tasks ? "task" : "call", (long long)self->clients, unit_print_size(text, (uint64_t)self->size));
    if (self->rate > 0)
        printf(", open loop at %s/s\n", unit_print_rate(text, self->rate * (double)self->clients));
    else
        printf(", closed loop, %lld in flight a client (latencies hide stalls; --rate shows them)\n", (long long)self->inflight);
    printf("sent %s", unit_print_count(text, sums->sent));
    printf("   failed %s\n%-9s", unit_print_count(other, sums->failed), "");
    for (int i = 0; i < PARTS; i++)
        printf(" %8s", part_names[i]);
    printf("\n%-9s", "latency");
    for (int i = 0; i < PARTS; i++)
        printf(" %8s", unit_print_duration(text, at(sums, parts[i]), true));
    printf("\nachieved  %s/s\n", unit_print_rate(text, rate));
}

static void close_all(bench_t *self)
{
    for (int64_t i = 0; self->all && i < self->clients; i++) {
        mob_close(&self->all[i].m);
        free(self->all[i].times);
    }
    free(self->all);
    free(self->payload);
    tool_close(self->tool);
    crew_end(&self->crew);
}

int bench(tool_t *tool)
{
    static bench_t self;
    self.tool = tool;
    tool_catch_signals(tool);
    int done = read_flags(&self);
    if (!done)
        done = find_broker(&self);
    if (!done)
        done = open_all(&self);
    if (!done) {
        run_all(&self);
        sums_t sums = add_up(&self);
        say_sums(&self, &sums);
        free(sums.times);
        done = sums.failed ? 1 : 0;
    }
    close_all(&self);
    return done;
}
