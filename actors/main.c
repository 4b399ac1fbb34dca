// main.c - mob_main_defs(): a whole worker program. The parent is the host: it runs no body, reads
// its signals from a descriptor, and watches. Its workers are processes, forked by a spawner that
// was forked first of all, before this process has threads or sockets.

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "flags.h"
#include "host.h"
#include "machine.h"
#include "spawner.h"
#include "worker.h"

enum { PATIENCE_US = 1000000, REMIND_US = 10000000 };

typedef struct program {
    const mob_program_t *told;
    flags_t flags;
    int argc;
    char **argv;
    char name[MOB_NAME_MAX + 1];
    uint64_t owner; // of the host's session
    offer_t *offer;
    spawner_t spawner;
    host_t *host;
    sigset_t before; // signal mask as main() had it
    int signals;     // signalfd
    bool ready;
    int code; // to exit with; 0 unless something happened
    bool ends;
    int64_t started_at, remind_at;
} program_t;

static mob_config_t config_of(const program_t *self, const char *name)
{
    mob_config_t config = {.endpoint = self->flags.broker,
                           .key_file = self->flags.key,
                           .name = name,
                           .host = self->name,
                           .labels = self->flags.labels,
                           .cpus = self->flags.slots};
    memcpy(config.resources, self->flags.resources, sizeof config.resources);
    return config;
}

// ---- A worker's process -------------------------------------------------------------------------

static sigset_t orders(void) // SIGTERM: finish what there is; SIGINT: come home
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

static void *obey_signals(void *arg)
{
    worker_t *worker = arg;
    sigset_t set = orders();
    for (int signal; sigwait(&set, &signal) == 0;)
        (signal == SIGTERM ? worker_drain : worker_hurry)(worker);
    return NULL;
}

static bool watch_signals(worker_t *worker, pthread_t *thread)
{
    sigset_t set = orders();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return pthread_create(thread, NULL, obey_signals, worker) == 0;
}

static int serve(const program_t *program, worker_t *worker)
{
    const mob_program_t *told = program->told;
    int rest = program->flags.rest;
    mob_err_t err = told->start
                        ? told->start(worker->session, program->argc - rest, program->argv + rest)
                        : MOB_OK;
    if (err) {
        fprintf(stderr, "MOB-START-FAILED host=%s error=\"%s\"\n", program->name, mob_strerror(err));
        return 1;
    }
    err = worker_serve(worker);
    if (told->stop)
        told->stop(worker->session);
    return err == MOB_ECLOSED ? 0 : mob_exit_status(err);
}

static int run_worker(void *arg, uint64_t owner, enum wire_start kind)
{
    program_t *program = arg;
    char name[MOB_NAME_MAX + 16];
    snprintf(name, sizeof name, "%s-%d", program->name, (int)getpid());
    mob_config_t config = config_of(program, name);
    worker_t *worker = worker_new(&(worker_config_t){.client = &config,
                                                     .offer = program->offer,
                                                     .owner = owner,
                                                     .host = program->owner,
                                                     .host_name = program->name,
                                                     .kind = kind});
    pthread_t watch;
    if (!worker || !watch_signals(worker, &watch)) {
        fprintf(stderr, "MOB-START-FAILED host=%s error=\"no memory\"\n", program->name);
        return 1;
    }
    int code = serve(program, worker);
    pthread_cancel(watch);
    pthread_join(watch, NULL);
    worker_destroy(&worker);
    offer_drop(&program->offer);
    return code;
}

// ---- The host's means ---------------------------------------------------------------------------

static bool start(void *arg, uint64_t worker, enum wire_start kind)
{
    return spawner_start(arg, worker, kind);
}

static bool kill_worker(void *arg, uint64_t worker)
{
    spawner_kill(arg, worker);
    return false; // its end will be reported
}

static void drain(void *arg, bool hurry)
{
    spawner_signal(arg, hurry ? SIGINT : SIGTERM);
}

static bool make_host(program_t *self)
{
    mob_config_t config = config_of(self, self->name);
    self->host = host_make(&(host_config_t){.client = &config,
                                            .offer = self->offer,
                                            .owner = self->owner,
                                            .means = {start, kill_worker, drain, &self->spawner},
                                            .slots = (uint32_t)self->flags.slots,
                                            .procs = (uint32_t)self->flags.procs});
    return self->host && host_begin(self->host);
}

// ---- What happens -------------------------------------------------------------------------------

static void tell_systemd(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (!path || strlen(path) >= sizeof at.sun_path)
        return;
    memcpy(at.sun_path, path, strlen(path));
    if (at.sun_path[0] == '@')
        at.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (fd >= 0 && sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&at, size) < 0)
        fprintf(stderr, "MOB-NOTIFY-FAILED path=%s error=\"%s\"\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static void say_ready(program_t *self)
{
    self->ready = true;
    tell_systemd("READY=1");
    fprintf(stderr, "MOB-READY host=%s tasks=%u actors=%u slots=%d\n", self->name,
            self->offer->tasks, self->offer->classes, self->flags.slots);
}

static void end(program_t *self, int code)
{
    if (!self->code)
        self->code = code;
    self->ends = true;
}

static void wait_for_broker(program_t *self, int64_t now)
{
    int64_t limit = self->flags.connect_ms == MOB_FOREVER
                        ? INT64_MAX
                        : self->started_at + self->flags.connect_ms * INT64_C(1000);
    const char *broker = self->flags.broker ? self->flags.broker : "the local socket";
    if (now >= limit) {
        fprintf(stderr, "error[EOFFLINE]: no broker at %s for %d ms\n  try:   mobula broker &\n",
                broker, self->flags.connect_ms);
        end(self, mob_exit_status(MOB_EOFFLINE));
    } else if (now >= self->remind_at) {
        fprintf(stderr, "MOB-WAITING host=%s broker=\"%s\" waited_s=%lld\n", self->name, broker,
                (long long)((now - self->started_at) / 1000000));
        self->remind_at = now + REMIND_US;
    }
}

static void on_signal(program_t *self)
{
    struct signalfd_siginfo info;
    while (read(self->signals, &info, sizeof info) == sizeof info) {
        if (host_look(self->host).stage == HOST_SERVES) {
            tell_systemd("STOPPING=1");
            host_drain(self->host, self->flags.drain_ms);
            continue;
        }
        self->code = 128 + (int)info.ssi_signo;
        host_now(self->host);
    }
}

static void on_reports(program_t *self)
{
    spawner_report_t report;
    spawner_news_t news;
    while ((news = spawner_read(&self->spawner, &report)) == SPAWNER_REPORT)
        host_reaped(self->host, &(host_end_t){.worker = report.worker,
                                              .cause = report.cause,
                                              .pid = report.pid,
                                              .status = report.status,
                                              .log = report.log,
                                              .log_size = report.log_size});
    if (news == SPAWNER_GONE) {
        fprintf(stderr, "MOB-SPAWNER-LOST host=%s: its workers ended with it\n", self->name);
        end(self, 1);
    }
}

static void look(program_t *self, int64_t *again_at)
{
    int64_t now = clock_us();
    host_view_t view = host_look(self->host);
    if (view.welcomed && !self->ready)
        say_ready(self);
    if (view.asked && view.stage == HOST_SERVES)
        host_drain(self->host, self->flags.drain_ms);
    if (host_step(self->host, now, again_at) == HOST_OVER)
        end(self, host_look(self->host).late ? mob_exit_status(MOB_ETIMEDOUT) : 0);
    if (view.lost) {
        fprintf(stderr, "error[E%d]: the broker ended this session: %s\n", (int)view.lost,
                mob_strerror(view.lost));
        end(self, mob_exit_status(view.lost));
    }
    if (!view.welcomed && view.stage == HOST_SERVES) {
        wait_for_broker(self, now);
        int64_t next = self->remind_at;
        if (self->flags.connect_ms != MOB_FOREVER) {
            int64_t limit = self->started_at + self->flags.connect_ms * INT64_C(1000);
            next = limit < next ? limit : next;
        }
        *again_at = next < *again_at ? next : *again_at;
    }
}

static void watch(program_t *self)
{
    int64_t again_at;
    look(self, &again_at);
    while (!self->ends) {
        struct pollfd polls[] = {{.fd = self->signals, .events = POLLIN},
                                 {.fd = self->spawner.fd, .events = POLLIN},
                                 {.fd = host_fd(self->host), .events = POLLIN}};
        int64_t left = again_at == INT64_MAX ? -1 : (again_at - clock_us() + 999) / 1000;
        poll(polls, 3, again_at == INT64_MAX ? -1 : left < 0 ? 0 : (int)left);
        host_heard(self->host);
        if (polls[0].revents)
            on_signal(self);
        if (polls[1].revents)
            on_reports(self);
        look(self, &again_at);
    }
}

// ---- The program --------------------------------------------------------------------------------

static void list_signatures(const offer_t *offer)
{
    for (uint32_t i = 0; i < offer->count; i++) {
        const offer_def_t *def = &offer->defs[i];
        printf("%s %s\n", def->is_class ? "actor" : "task ", def->body.usage);
        for (uint32_t k = 0; k < def->method_count; k++)
            printf("  %s.%s\n", def->body.name, def->methods[k].usage);
    }
}

static int answer_question(const program_t *self)
{
    if (self->flags.help)
        flags_help(self->argv[0], self->told);
    else if (self->flags.version)
        printf("%s %s\nmobula %s\nprotocol %d.%d\n", self->argv[0],
               self->told->version ? self->told->version : "", MOB_VERSION, MOB_WIRE_MAJOR,
               MOB_WIRE_MINOR);
    else if (self->flags.list)
        list_signatures(self->offer);
    else
        return FLAGS_GO;
    return 0;
}

static void name_host(program_t *self)
{
    const char *slash = strrchr(self->argv[0], '/');
    if (self->flags.name)
        snprintf(self->name, sizeof self->name, "%s", self->flags.name);
    else
        machine_name(slash ? slash + 1 : self->argv[0], self->name);
}

static bool take_signals(program_t *self)
{
    sigset_t ours = orders();
    if (pthread_sigmask(SIG_BLOCK, &ours, &self->before))
        return false;
    self->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    return self->signals >= 0;
}

static int run(program_t *self)
{
    while (self->owner == 0)
        if (getrandom(&self->owner, sizeof self->owner, 0) != sizeof self->owner)
            self->owner = 0;
    fflush(NULL); // else each worker would print what waits in our buffers
    if (!take_signals(self) || spawner_fork(&self->spawner, run_worker, self, &self->before)) {
        fprintf(stderr, "error[ESETUP]: %s\n", strerror(errno));
        return mob_exit_status(MOB_ESETUP);
    }
    self->started_at = clock_us();
    self->remind_at = self->started_at + PATIENCE_US;
    if (make_host(self))
        watch(self);
    else
        self->code = mob_exit_status(MOB_ENOMEM);
    spawner_end(&self->spawner);
    host_destroy(&self->host);
    close(self->signals);
    pthread_sigmask(SIG_SETMASK, &self->before, NULL);
    return self->code;
}

int mob_main_defs(int argc, char **argv, const mob_program_t *told, const mob_def_t *defs)
{
    static const mob_program_t nothing;
    program_t self = {.told = told ? told : &nothing, .argc = argc, .argv = argv, .signals = -1};
    int code = flags_read(&self.flags, argc, argv, self.told);
    if (code != FLAGS_GO)
        return code;
    name_host(&self);
    mob_err_t err = MOB_OK;
    self.offer = offer_new(defs, self.flags.shared, &err);
    if (!self.offer)
        return mob_exit_status(MOB_ENOMEM);
    if (err)
        fprintf(stderr, "error[EARGS]: %s\n", self.offer->why);
    code = err ? mob_exit_status(err) : answer_question(&self);
    if (code == FLAGS_GO)
        code = run(&self);
    offer_drop(&self.offer);
    return code;
}
