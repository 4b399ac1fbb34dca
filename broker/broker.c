// broker.c - see broker.h. Starts the parts in order, turns the loop, stops them in reverse.

#include "broker.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <czmq.h>

#include "clock.h"
#include "core.h"
#include "epoch.h"
#include "loop.h"

#ifndef MOB_VERSION // the build says it
#define MOB_VERSION "unknown"
#endif

enum { FILES_PER_SESSION = 3, FILES_OWN = 64 }; // calls, notices, its process

typedef struct parts { // one running broker
    const config_t *config;
    log_t log;
    int64_t started;
    fault_t fault;
    epoch_t epoch;
    void *zmq;
    gate_t gates[GATES_MAX];
    size_t gate_count;
    core_t *core;
    loop_t *loop;
    bool at_once; // do not wait for what is not sent
    char why[512];
} parts_t;

struct broker {
    zactor_t *actor;
    config_t config;
    parts_t parts;
    bool ready; // written by the broker's thread before it signals, read after
};

// ---- Process ------------------------------------------------------------------------------------

static rlim_t raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return 1024;
    struct rlimit wanted = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    return setrlimit(RLIMIT_NOFILE, &wanted) == 0 ? wanted.rlim_cur : limit.rlim_cur;
}

// Messages of 56 KiB come and go all the time: without this glibc gives their pages back to the
// kernel and asks for them again, which costs a third of the broker's time.
static void keep_memory(void)
{
    mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
    mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024);
}

// CZMQ takes no signal of ours. Its seed of libzmq's generator is the clock; ours follows.
static bool prepare_process(parts_t *self)
{
    keep_memory();
    zsys_handler_set(NULL);
    zsys_init();
    if (socket_seed())
        return true;
    snprintf(self->why, sizeof self->why, "the kernel gives no random numbers");
    return false;
}

// At 90 % of the files nobody new comes in: who is in can still be served.
static size_t routes_max(const config_t *config)
{
    size_t files = (size_t)raise_file_limit() / 10 * 9;
    size_t most = files > FILES_OWN ? (files - FILES_OWN) / FILES_PER_SESSION : 1;
    return config->limits_connections < most ? (size_t)config->limits_connections : most;
}

// ---- Parts --------------------------------------------------------------------------------------

static const char *or_none(const char *text)
{
    return text[0] == '\0' ? "none" : text;
}

static void log_start(parts_t *self)
{
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    log_info(&self->log, "MOB-START", "version=%s libzmq=%d.%d.%d czmq=%d.%d.%d pid=%d config=%s",
             MOB_VERSION, major, minor, patch, CZMQ_VERSION_MAJOR, CZMQ_VERSION_MINOR,
             CZMQ_VERSION_PATCH, (int)getpid(), or_none(self->config->file));
}

static bool begin_epoch(parts_t *self)
{
    const char *directory = self->config->server_data;
    if (epoch_begin(&self->epoch, directory, self->why, sizeof self->why) != MOB_OK)
        return false;
    log_info(&self->log, "MOB-STORE", "path=%s state=%s epoch=%" PRIu64, directory,
             self->epoch.fresh ? "fresh" : "known", self->epoch.value);
    return true;
}

static void log_gate(parts_t *self, const gate_t *gate)
{
    bool ipc = gate->lock != -1;
    log_info(&self->log, "MOB-LISTEN", "calls=%s mechanism=null access=%s",
             gate->addresses[SOCKET_CALLS], ipc ? "owner" : "everybody");
    if (!ipc)
        log_warn(&self->log, "MOB-INSECURE", "calls=%s cause=%s", gate->addresses[SOCKET_CALLS],
                 "tcp without keys");
}

static bool open_gates(parts_t *self)
{
    const config_list_t *bind = &self->config->server_bind;
    self->zmq = zmq_ctx_new();
    if (self->zmq == NULL) {
        snprintf(self->why, sizeof self->why, "no ZeroMQ context: %s", zmq_strerror(zmq_errno()));
        return false;
    }
    for (size_t i = 0; i < bind->count; i++) {
        gate_t *gate = &self->gates[self->gate_count];
        if (gate_open(gate, self->zmq, bind->items[i], self->config->security_insecure, self->why,
                      sizeof self->why) != MOB_OK)
            return false;
        self->gate_count++;
        log_gate(self, gate);
    }
    return true;
}

// 0 means the default in the core's settings, and a negative time none.
static int64_t none_if_0(int64_t us)
{
    return us == 0 ? -1 : us;
}

static bool start_core(parts_t *self)
{
    const config_t *config = self->config;
    core_config_t core = {
        .epoch = self->epoch.value,
        .wall_us = clock_wall_us() - clock_us(),
        .notices = "",
        .feed = "",
        .heartbeat_us = config->server_heartbeat,
        .lost_us = config->server_lost_after,
        .gone_us = config->results_owner_grace,
        .rejoin_us = none_if_0(config->server_rejoin),
        .warn_us = none_if_0(config->tasks_warn_unplaced),
        .pending_max = (uint32_t)config->limits_pending,
        .mailbox_max = (uint32_t)config->limits_mailbox,
        .memory_max = config->limits_memory,
        .retry_us = config->limits_retry_delay,
        .poison = (uint32_t)config->limits_poison,
        .letters_max = config->limits_dead_letters,
        .letter_bytes_max = config->limits_dead_letter_bytes,
        .store_max = config->objects_memory,
        .object_max = config->objects_max,
        .ring_bytes = config->monitor_ring ? (uint32_t)config->monitor_ring : 1, // 1: room for no record
        .drop_notice = self->fault.drop_notice,
    };
    if (getrandom(&core.seed, sizeof core.seed, 0) != (ssize_t)sizeof core.seed)
        core.seed = (uint64_t)clock_us();
    self->core = core_new(&core);
    return self->core != NULL;
}

static bool start_loop(parts_t *self, int control)
{
    if (start_core(self))
        self->loop = loop_new(&(loop_config_t){.core = self->core,
                                               .gates = self->gates,
                                               .gate_count = self->gate_count,
                                               .log = &self->log,
                                               .fault = &self->fault,
                                               .stuck_us = self->config->limits_stuck,
                                               .routes_max = routes_max(self->config),
                                               .control = control});
    if (self->loop == NULL)
        snprintf(self->why, sizeof self->why, "no memory to start with");
    return self->loop != NULL;
}

// The epoch is on the disk before the first socket is bound.
static bool parts_start(parts_t *self, const config_t *config, int control)
{
    *self = (parts_t){.config = config, .started = clock_us(), .epoch = {.lock = -1}};
    log_init(&self->log, STDERR_FILENO, (log_level_t)config->log_level,
             (log_format_t)config->log_format);
    log_start(self);
    bool started = fault_load(&self->fault, self->why, sizeof self->why) == MOB_OK &&
                   prepare_process(self) && begin_epoch(self) && open_gates(self) &&
                   start_loop(self, control);
    if (started)
        log_info(&self->log, "MOB-READY", "ms=%" PRId64, (clock_us() - self->started + 999) / 1000);
    else
        log_error(&self->log, "MOB-REFUSED", "cause=%s", self->why);
    return started;
}

static void log_stop(parts_t *self)
{
    loop_count_t counts = loop_counts(self->loop);
    log_repeats(&self->log, true);
    log_info(&self->log, "MOB-STOP",
             "received=%" PRIu64 " envelopes=%" PRIu64 " sent=%" PRIu64 " notices=%" PRIu64
             " unroutable=%" PRIu64 " refused=%" PRIu64 " ms=%" PRId64,
             counts.received, counts.envelopes, counts.sent, counts.noted, counts.unroutable,
             counts.refused, (clock_us() - self->started) / 1000);
}

static void tally_faults(parts_t *self)
{
    self->fault.untold = core_counts(self->core).dropped_notices;
    fault_tally(&self->fault);
}

static void parts_stop(parts_t *self)
{
    if (self->loop != NULL) {
        log_stop(self);
        tally_faults(self);
    }
    loop_destroy(&self->loop);
    if (self->core != NULL)
        core_destroy(&self->core);
    for (size_t i = 0; i < self->gate_count; i++)
        gate_close(&self->gates[i], self->at_once);
    if (self->zmq != NULL)
        zmq_ctx_term(self->zmq); // waits for what is still to be sent, LINGER at most
    self->zmq = NULL;
    epoch_end(&self->epoch);
}

// ---- Running ------------------------------------------------------------------------------------

typedef bool ended_fn(void *arg); // reads what came on control: is it time to end?

// True: drained; false: asked again, or out of time.
static bool drain(parts_t *self, ended_fn *ended, void *arg)
{
    int64_t now = clock_us(), until = now + self->config->server_drain;
    log_info(&self->log, "MOB-DRAIN", "pending=%" PRIu64 " ms=%" PRId64,
             core_counts(self->core).pending, self->config->server_drain / 1000);
    core_drain(self->core, now);
    while (now < until) {
        if (loop_turn(self->loop, now) && ended(arg)) // sends first what draining caused
            return false;
        if (core_drained(self->core) && loop_idle(self->loop))
            return true;
        if (loop_turn(self->loop, until) && ended(arg))
            return false;
        now = clock_us();
    }
    log_warn(&self->log, "MOB-DRAIN-LATE", "pending=%" PRIu64, core_counts(self->core).pending);
    return false;
}

static void run(parts_t *self, ended_fn *ended, void *arg)
{
    bool end = ended(arg); // once before waiting: libzmq signals only to who has looked
    while (!end) {
        int64_t until = self->log.held ? clock_us() + 1000000 : INT64_MAX;
        end = loop_turn(self->loop, until) && ended(arg);
        log_repeats(&self->log, false);
    }
    int64_t begun = clock_us();
    self->at_once = !drain(self, ended, arg) && clock_us() - begun < self->config->server_drain;
}

// ---- Foreground ---------------------------------------------------------------------------------

static int open_signals(void) // before any thread: all of them inherit the mask
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGPIPE, SIG_IGN); // whoever read the log may have left
    if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static bool signalled(void *arg)
{
    struct signalfd_siginfo info;
    return read(*(int *)arg, &info, sizeof info) == (ssize_t)sizeof info;
}

int broker_run(const config_t *config)
{
    parts_t *parts = calloc(1, sizeof *parts);
    int signals = open_signals();
    bool started = false;
    if (parts != NULL && signals != -1)
        started = parts_start(parts, config, signals);
    if (started)
        run(parts, signalled, &signals);
    if (parts != NULL)
        parts_stop(parts);
    free(parts);
    if (signals != -1)
        close(signals);
    return started ? 0 : 2;
}

// ---- In a thread --------------------------------------------------------------------------------

static bool told(void *arg) // anything on the pipe means: end
{
    zsock_t *pipe = arg;
    if ((zsock_events(pipe) & ZMQ_POLLIN) == 0)
        return false;
    zmsg_t *message = zmsg_recv(pipe);
    zmsg_destroy(&message);
    return true;
}

static void broker_thread(zsock_t *pipe, void *arg)
{
    broker_t *self = arg;
    prctl(PR_SET_NAME, "mobula-broker");
    self->ready = parts_start(&self->parts, &self->config, (int)zsock_fd(pipe));
    zsock_signal(pipe, 0);
    if (self->ready)
        run(&self->parts, told, pipe);
    parts_stop(&self->parts);
}

broker_t *broker_start(const config_t *config, char *why, size_t size)
{
    broker_t *self = calloc(1, sizeof *self);
    if (self == NULL) {
        snprintf(why, size, "no memory");
        return NULL;
    }
    self->config = *config;
    zsys_handler_set(NULL); // before zactor makes CZMQ's first socket
    self->actor = zactor_new(broker_thread, self);
    if (self->actor != NULL && self->ready)
        return self;
    snprintf(why, size, "%s", self->actor == NULL ? "no thread" : self->parts.why);
    broker_stop(&self);
    return NULL;
}

const char *broker_address(const broker_t *self)
{
    return self->parts.gates[0].addresses[SOCKET_CALLS];
}

void broker_stop(broker_t **self_p)
{
    if (*self_p == NULL)
        return;
    zactor_destroy(&(*self_p)->actor);
    free(*self_p);
    *self_p = NULL;
}
