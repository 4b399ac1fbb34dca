// measure.c - bench: calls or tasks from several connections, in a closed or an open loop. Brings
// its own broker and host. Latencies of an open loop count from when a call was meant to leave.

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "brood.h"
#include "clock.h"
#include "demo_bodies.h"
#include "histogram.h"
#include "query.h"
#include "unit.h"
#include "verb.h"

enum { CLIENTS_MAX = 64, INFLIGHT_MAX = 1024 };

typedef struct plan { // what all clients do
    const char *address;
    bool tasks;
    double rate; // of one client; 0: closed loop
    unsigned inflight;
    size_t size;
    int64_t from, until; // of what is counted
} plan_t;

typedef struct sender {
    pthread_t thread;
    const plan_t *plan;
    histogram_t latency;
    uint64_t sent, ok, failed;
    mob_err_t err; // the first failure's
} sender_t;

typedef struct flight {
    mob_ref_t refs[INFLIGHT_MAX];
    int64_t since[INFLIGHT_MAX];
    unsigned count;
} flight_t;

static mob_ref_t submit(const plan_t *plan, mob_t *m, bench_peer_h peer, mob_bytes_t data)
{
    return plan->tasks ? mob_run(m, bench_echo, data).ref
                       : mob_call(m, peer, bench_peer_echo, data).ref;
}

static void settle(sender_t *self, mob_t *m, flight_t *flight, unsigned i, int64_t now)
{
    const plan_t *plan = self->plan;
    mob_err_t err = mob_await(m, flight->refs[i], NULL, 0);
    if (flight->since[i] >= plan->from && flight->since[i] < plan->until) {
        self->ok += err == MOB_OK;
        self->failed += err != MOB_OK;
        self->err = self->err ? self->err : err;
        histogram_add(&self->latency, now - flight->since[i]);
    }
    mob_drop(m, flight->refs[i]);
    flight->count--;
    flight->refs[i] = flight->refs[flight->count];
    flight->since[i] = flight->since[flight->count];
}

static void gather(sender_t *self, mob_t *m, flight_t *flight, int timeout_ms)
{
    bool ready[INFLIGHT_MAX] = {false};
    if (flight->count == 0 || mob_wait(m, flight->refs, flight->count, 1, timeout_ms, ready) == 0)
        return;
    int64_t now = clock_us();
    for (unsigned i = flight->count; i-- > 0;)
        if (ready[i])
            settle(self, m, flight, i, now);
}

static void send_all(sender_t *self, mob_t *m, bench_peer_h peer, mob_bytes_t data, flight_t *flight)
{
    const plan_t *plan = self->plan;
    double step = plan->rate > 0 ? 1e6 / plan->rate : 0, next = (double)clock_us();
    unsigned most = plan->rate > 0 ? INFLIGHT_MAX : plan->inflight;
    for (int64_t now = clock_us(); now < plan->until && !tool_signal(); now = clock_us()) {
        while (flight->count < most && (step == 0 || next <= (double)now)) {
            int64_t since = step > 0 ? (int64_t)next : clock_us();
            flight->since[flight->count] = since;
            flight->refs[flight->count++] = submit(plan, m, peer, data);
            self->sent += since >= plan->from && since < plan->until;
            next += step;
        }
        if (step > 0 && flight->count == 0 && next > (double)now)
            nanosleep(&(struct timespec){0, (long)((next - (double)now) * 1000) % 1000000000}, NULL);
        else
            gather(self, m, flight, step > 0 ? 1 : 1000);
    }
    for (int64_t end = clock_us() + 5000000; flight->count && clock_us() < end;)
        gather(self, m, flight, 1000);
}

static void *run_sender(void *arg)
{
    sender_t *self = arg;
    flight_t *flight = calloc(1, sizeof *flight);
    char *data = calloc(1, self->plan->size + 1);
    mob_t *m = mob_connect(&(mob_config_t){.endpoint = self->plan->address, .name = "bench"});
    bench_peer_h peer = {0};
    if (flight && data && m) {
        if (!self->plan->tasks)
            peer = mob_new(m, bench_peer);
        send_all(self, m, peer, (mob_bytes_t){data, self->plan->size}, flight);
    }
    mob_close(&m);
    free(data);
    free(flight);
    return NULL;
}

// ---- The report ---------------------------------------------------------------------------------

static void print_json(const tool_t *tool, const plan_t *plan, const sender_t *sum, unsigned clients)
{
    double seconds = (double)(plan->until - plan->from) / 1e6;
    printf("{\"bench\":\"%s\",\"clients\":%u,\"size\":%zu,\"inflight\":%u,\"rate\":%.0f,"
           "\"seconds\":%.3f,\"sent\":%" PRIu64 ",\"ok\":%" PRIu64 ",\"failed\":%" PRIu64
           ",\"late\":%" PRIu64 ",\"achieved\":%.0f",
           plan->tasks ? "task" : "call", clients, plan->size, plan->inflight, plan->rate * clients,
           seconds, sum->sent, sum->ok, sum->failed, sum->sent - sum->ok - sum->failed,
           (double)sum->ok / seconds);
    (void)tool;
    static const struct {
        const char *name;
        double part;
    } parts[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};
    printf(",\"min_us\":%" PRId64, sum->latency.least);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        printf(",\"%s_us\":%" PRId64, parts[i].name, histogram_at(&sum->latency, parts[i].part));
    printf(",\"max_us\":%" PRId64 "}\n", sum->latency.most);
}

static void print_people(const tool_t *tool, const plan_t *plan, const sender_t *sum, unsigned clients)
{
    char a[UNIT_TEXT_MAX], b[UNIT_TEXT_MAX];
    bool ascii = !tool->term.utf8;
    double seconds = (double)(plan->until - plan->from) / 1e6;
    printf("bench %s   %u client%s, %zu B, ", plan->tasks ? "task" : "call", clients,
           clients == 1 ? "" : "s", plan->size);
    if (plan->rate > 0)
        printf("open loop at %s/s, ", unit_print_rate(a, plan->rate * clients));
    else
        printf("closed loop of %u: latencies hide stalls, ", plan->inflight);
    printf("%s, ipc\n", unit_print_duration(a, plan->until - plan->from, ascii));
    printf("sent %s", unit_print_count(a, sum->sent));
    printf("   ok %s", unit_print_count(a, sum->ok));
    printf("   late %" PRIu64 "   failed %" PRIu64 "\n", sum->sent - sum->ok - sum->failed,
           sum->failed);
    printf("%-9s %-7s %-7s %-7s %-7s %-7s %s\nlatency  ", "", "min", "p50", "p90", "p99", "p99.9",
           "max");
    const double parts[] = {0.5, 0.9, 0.99, 0.999};
    int64_t values[6] = {sum->latency.least, 0, 0, 0, 0, sum->latency.most};
    for (size_t i = 0; i < 4; i++)
        values[i + 1] = histogram_at(&sum->latency, parts[i]);
    for (size_t i = 0; i < 6; i++) {
        unit_print_duration(a, values[i], ascii);
        printf(" %s%*s", a, (int)(7 - term_columns(a) > 7 ? 0 : 7 - term_columns(a)), "");
    }
    printf("%s\nachieved  %s/s", plan->rate > 0 ? " (from intended send time)" : "",
           unit_print_rate(a, (double)sum->ok / seconds));
    if (plan->rate > 0)
        printf(" of %s/s", unit_print_rate(b, plan->rate * clients));
    putchar('\n');
}

// ---- The verb -----------------------------------------------------------------------------------

static int measure(tool_t *tool, plan_t *plan, unsigned clients)
{
    sender_t *senders = calloc(clients + 1, sizeof *senders);
    sender_t *sum = senders ? &senders[clients] : NULL;
    unsigned started = 0;
    if (!senders)
        return 1;
    plan->from = clock_us() + tool_duration(tool, "warmup", 500000);
    plan->until = plan->from + tool_duration(tool, "duration", 5000000);
    for (; started < clients; started++) {
        senders[started].plan = plan;
        if (pthread_create(&senders[started].thread, NULL, run_sender, &senders[started]) != 0)
            break;
    }
    for (unsigned i = 0; i < started; i++) {
        pthread_join(senders[i].thread, NULL);
        sum->sent += senders[i].sent, sum->ok += senders[i].ok, sum->failed += senders[i].failed;
        sum->err = sum->err ? sum->err : senders[i].err;
        histogram_merge(&sum->latency, &senders[i].latency);
    }
    if (tool_json(tool))
        print_json(tool, plan, sum, clients);
    else
        print_people(tool, plan, sum, clients);
    int done = tool_signal() ? 128 + tool_signal()
               : sum->failed ? mob_exit_status(sum->err)
               : sum->ok     ? 0
                             : 4;
    free(senders);
    return done;
}

int bench(tool_t *tool)
{
    const char *what = tool->word_count ? tool->words[0] : "call";
    brood_t brood = {0};
    int64_t clients = tool_count(tool, "clients", 1), inflight = tool_count(tool, "inflight", 64);
    if (strcmp(what, "ray") == 0)
        return bench_ray(tool);
    if (strcmp(what, "call") != 0 && strcmp(what, "task") != 0) {
        trouble_t out = trouble_usage("bench knows call, task and ray, not %s", what);
        return say_trouble(tool, &out);
    }
    clients = clients < 1 ? 1 : clients > CLIENTS_MAX ? CLIENTS_MAX : clients;
    plan_t plan = {.tasks = strcmp(what, "task") == 0,
                   .rate = tool_rate(tool, "rate", 0) / (double)clients,
                   .inflight = inflight < 1              ? 1
                               : inflight > INFLIGHT_MAX ? INFLIGHT_MAX
                                                         : (unsigned)inflight};
    const char *size = tool_flag(tool, "size");
    int64_t bytes = 100;
    if (size)
        unit_read_size(size, strlen(size), &bytes);
    plan.size = (size_t)(bytes < 0 ? 0 : bytes > 90 * 1024 ? 90 * 1024 : bytes);
    int done = brood_bench(tool, &brood, 2);
    plan.address = brood.address;
    if (!done)
        done = measure(tool, &plan, (unsigned)clients);
    tool_close(tool);
    brood_end(&brood);
    return done;
}
