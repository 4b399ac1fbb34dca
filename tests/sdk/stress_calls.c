// stress_calls.c - connections of several threads over one host in this process, with waits, drops,
// callbacks, cancels and interrupts at random: for ThreadSanitizer. Counts what it did; every ref
// must settle.

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker.h"
#include "janitor.h"
#include "mobula/contract.h"
#include "quiet.h"

enum { THREADS = 3, ROUNDS = 12, CALLS = 40, LARGE = 300000, PATIENCE_MS = 30000 };

MOB_TASK(inc, i64, (i64, n));
MOB_TASK(same, bytes, (bytes, data));
MOB_TASK(numbers, stream(i64), (i64, count));
#define COUNTER(METHOD) METHOD(counter, add, i64, (i64, n))
MOB_ACTOR(counter, COUNTER, (i64, start));

struct counter {
    int64_t value;
};

mob_err_t inc(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = n + 1;
    return MOB_OK;
}

mob_err_t same(mob_ctx_t *ctx, mob_bytes_t data, mob_bytes_t *out)
{
    (void)ctx;
    *out = data;
    return MOB_OK;
}

mob_err_t numbers(mob_ctx_t *ctx, int64_t count, mob_sink_i64 *out)
{
    mob_err_t err = MOB_OK;
    (void)ctx;
    for (int64_t i = 0; i < count && !err; i++)
        err = mob_emit(out, i);
    return err;
}

mob_err_t counter_init(mob_ctx_t *ctx, counter_t *self, int64_t start)
{
    (void)ctx;
    self->value = start;
    return MOB_OK;
}

mob_err_t counter_add(mob_ctx_t *ctx, counter_t *self, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = self->value += n;
    return MOB_OK;
}

static const mob_def_t defs[] = {
    mob_task(inc), mob_task(same), mob_task(numbers), mob_actor(counter, COUNTER), {0}};
static char address[128];
static atomic_int values, cancelled, interrupts, called, large, items, wrong;

static void count(mob_t *m, mob_ref_t ref, void *arg)
{
    (void)m, (void)ref, (void)arg;
    atomic_fetch_add(&called, 1);
}

// A wait that may be interrupted, but not forever.
static void settle(mob_t *m, mob_ref_t ref, int64_t wanted)
{
    mob_reader_t reader = {0};
    mob_err_t err = mob_await(m, ref, &reader, PATIENCE_MS);
    for (; err == MOB_EINTERRUPTED; err = mob_await(m, ref, &reader, PATIENCE_MS))
        atomic_fetch_add(&interrupts, 1);
    if (err == MOB_ECANCELLED)
        atomic_fetch_add(&cancelled, 1);
    else if (err == MOB_OK && mob_read_i64(&reader) == wanted)
        atomic_fetch_add(&values, 1);
    else
        atomic_fetch_add(&wrong, 1);
}

static void one_round(mob_t *m, counter_h counter, unsigned *seed, int64_t *sum)
{
    mob_ref_t refs[CALLS];
    uint64_t mark = mob_mark(m);
    for (int i = 0; i < CALLS; i++) {
        bool task = rand_r(seed) % 2;
        refs[i] = task ? mob_run(m, inc, i).ref : mob_call(m, counter, counter_add, 1).ref;
        settle(m, refs[i], task ? i + 1 : ++*sum);
    }
    for (int i = 0; i < CALLS; i++)
        refs[i] = mob_run(m, inc, i).ref;
    for (int i = 0; i < CALLS; i++) {
        if (rand_r(seed) % 8 == 0)
            mob_cancel(m, refs[i], 0);
        else if (rand_r(seed) % 8 == 0)
            mob_then(m, refs[i], count, NULL);
    }
    for (int i = 0; i < CALLS; i++)
        settle(m, refs[i], i + 1);
    while (mob_step(m, 0) > 0)
        ;
    mob_release(m, mark);
}

static mob_err_t get_large(mob_t *m, mob_ref_bytes ref, mob_bytes_t *back)
{
    mob_err_t err;
    while ((err = mob_get(m, ref, back, PATIENCE_MS)) == MOB_EINTERRUPTED)
        atomic_fetch_add(&interrupts, 1);
    return err;
}

// In pieces to a task, by way of the store, and back.
static void large_round(mob_t *m, unsigned *seed)
{
    static _Thread_local char data[LARGE];
    mob_bytes_t back = {0};
    uint64_t mark = mob_mark(m);
    memset(data, rand_r(seed), sizeof data);
    mob_ref_bytes ref = mob_run(m, same, mob_put(m, ((mob_bytes_t){data, sizeof data})));
    bool good = get_large(m, ref, &back) == MOB_OK && back.size == sizeof data &&
                memcmp(back.data, data, sizeof data) == 0;
    atomic_fetch_add(good ? &large : &wrong, 1);
    mob_release(m, mark);
}

static mob_err_t take_item(mob_t *m, mob_stream_i64 stream, int64_t wanted)
{
    int64_t value = -1;
    mob_err_t err;
    while ((err = mob_next(m, stream, &value, PATIENCE_MS)) == MOB_EINTERRUPTED)
        atomic_fetch_add(&interrupts, 1);
    if (!err)
        atomic_fetch_add(value == wanted ? &items : &wrong, 1);
    return err;
}

// Two at once, one of them endless: read to the end, or called off or dropped behind some items.
static void stream_round(mob_t *m, unsigned *seed)
{
    uint64_t mark = mob_mark(m);
    int64_t count = rand_r(seed) % CALLS, most = rand_r(seed) % CALLS, taken = 0;
    mob_stream_i64 endless = mob_run(m, numbers, INT64_MAX);
    mob_stream_i64 stream =
        mob_run_with(m, MOB_OPTS(.stream_ahead = 1 + (int)count % 3), numbers, count);
    for (; taken < most && taken < count; taken++)
        if (take_item(m, stream, taken) || take_item(m, endless, taken))
            atomic_fetch_add(&wrong, 1);
    if (most > count && take_item(m, stream, 0) != MOB_EEND)
        atomic_fetch_add(&wrong, 1);
    if (taken % 2)
        mob_cancel(m, endless.ref, 0);
    mob_release(m, mark); // drops both
}

static void *caller(void *arg)
{
    unsigned seed = *(unsigned *)arg;
    mob_t *m = mob_connect(&(mob_config_t){.endpoint = address, .name = "stress"});
    counter_h counter = mob_new(m, counter, 0);
    int64_t sum = 0;
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 4 == 3)
            mob_interrupt(m);
        one_round(m, counter, &seed, &sum);
        large_round(m, &seed);
        stream_round(m, &seed);
    }
    mob_close(&m);
    return NULL;
}

static pid_t start_broker(const janitor_t *janitor, const char *directory)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    config_t config;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    janitor_leave(janitor);
    _exit(quiet_config(&config, directory, address) ? 8 : broker_run(&config));
}

static void run(void)
{
    pthread_t threads[THREADS];
    unsigned seeds[THREADS];
    mob_t *host = mob_connect(&(mob_config_t){.endpoint = address, .name = "host"});
    if (mob_offer_defs(host, defs) != MOB_OK)
        atomic_fetch_add(&wrong, 1);
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = i + 1;
        pthread_create(&threads[i], NULL, caller, &seeds[i]);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    mob_close(&host);
}

int main(void)
{
    char directory[64];
    janitor_t janitor = janitor_start(directory, address);
    pid_t broker = start_broker(&janitor, directory);
    run();
    kill(broker, SIGTERM);
    waitpid(broker, NULL, 0);
    janitor_end(&janitor);
    int settled = atomic_load(&values) + atomic_load(&cancelled), sent = THREADS * ROUNDS * CALLS * 2;
    printf("sent %d, values %d, cancelled %d, large %d, items %d, wrong %d, interrupts %d, "
           "callbacks %d\n",
           sent, atomic_load(&values), atomic_load(&cancelled), atomic_load(&large),
           atomic_load(&items), atomic_load(&wrong), atomic_load(&interrupts), atomic_load(&called));
    return settled != sent || atomic_load(&wrong) > 0 || atomic_load(&interrupts) == 0 ||
           atomic_load(&items) == 0;
}
