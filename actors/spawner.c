// spawner.c - the process that forks workers, and its host's end of it.

#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

enum order_what { ORDER_START, ORDER_KILL, ORDER_SIGNAL };

typedef struct order {
    enum order_what what;
    enum wire_start kind;
    uint64_t worker;
    int signal;
} order_t;

typedef struct nursery { // the spawner's own state
    child_setup_t setup;
    child_t **children;
    struct pollfd *polls; // orders, signals, then one a child
    size_t count, room;
    unsigned long oom_kills;
} nursery_t;

// ---- The spawner's process ----------------------------------------------------------------------

static void tell(const nursery_t *self, const spawner_report_t *report)
{
    size_t size = offsetof(spawner_report_t, log) + report->log_size;
    while (send(self->setup.orders, report, size, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

static void tell_setup(const nursery_t *self, uint64_t worker, int error)
{
    spawner_report_t report = {.worker = worker, .cause = CAUSE_SETUP};
    const char *text = strerror(error);
    report.log_size = (uint32_t)strnlen(text, SPAWNER_LOG);
    memcpy(report.log, text, report.log_size);
    tell(self, &report);
}

static bool make_room(nursery_t *self)
{
    if (self->count < self->room)
        return true;
    size_t room = self->room ? 2 * self->room : 16;
    child_t **children = realloc(self->children, room * sizeof *children);
    if (children)
        self->children = children;
    struct pollfd *polls = realloc(self->polls, (room + 2) * sizeof *polls);
    if (polls)
        self->polls = polls;
    if (!children || !polls)
        return false;
    self->room = room;
    return true;
}

static void start(nursery_t *self, const order_t *order)
{
    child_t *child = make_room(self) ? malloc(sizeof *child) : NULL;
    self->oom_kills = child_oom_kills();
    self->setup.siblings = self->children;
    self->setup.sibling_count = self->count;
    if (!child || !child_fork(child, order->worker, order->kind, &self->setup)) {
        tell_setup(self, order->worker, child ? errno : ENOMEM);
        free(child);
        return;
    }
    self->children[self->count++] = child;
}

static void signal_all(nursery_t *self, const order_t *order)
{
    for (size_t i = 0; i < self->count; i++) {
        child_t *child = self->children[i];
        if (order->what == ORDER_SIGNAL) {
            kill(child->pid, order->signal);
        } else if (order->worker == 0 || order->worker == child->worker) {
            child->killed = true;
            kill(-child->pid, SIGKILL);
        }
    }
}

// False: the host is gone.
static bool obey(nursery_t *self)
{
    for (;;) {
        order_t order;
        ssize_t got = recv(self->setup.orders, &order, sizeof order, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN;
        if (got != sizeof order)
            return false;
        if (order.what == ORDER_START)
            start(self, &order);
        else
            signal_all(self, &order);
    }
}

static void ended(nursery_t *self, size_t index, int status)
{
    child_t *child = self->children[index];
    spawner_report_t report;
    bool by_kill = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !child->killed;
    bool oom = by_kill && child_oom_kills() > self->oom_kills;
    child_output(child, true);
    child_report(child, status, oom, &report);
    tell(self, &report);
    free(child);
    self->children[index] = self->children[--self->count];
}

// Its group is killed while the leader's pid still stands for it: as a zombie.
static void bury(nursery_t *self, pid_t pid)
{
    size_t i = 0;
    while (i < self->count && self->children[i]->pid != pid)
        i++;
    if (i < self->count)
        kill(-pid, SIGKILL);
    int status = 0;
    waitpid(pid, &status, 0);
    if (i < self->count)
        ended(self, i, status);
}

static void reap(nursery_t *self)
{
    siginfo_t info = {0};
    struct signalfd_siginfo signal;
    while (read(self->setup.signals, &signal, sizeof signal) == sizeof signal)
        ;
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
        bury(self, info.si_pid);
        info.si_pid = 0;
    }
}

// What workers left behind has become a child of ours, whatever group it is in. False: the kernel
// does not list them.
static bool kill_all_children(void)
{
    FILE *list = fopen("/proc/thread-self/children", "re");
    int pid;
    if (!list)
        return false;
    while (fscanf(list, "%d", &pid) == 1)
        kill(pid, SIGKILL);
    fclose(list);
    return true;
}

static void end_all(nursery_t *self)
{
    signal_all(self, &(order_t){.what = ORDER_KILL});
    for (size_t i = 0; i < self->count; i++) {
        child_output(self->children[i], true);
        while (waitpid(self->children[i]->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    while (kill_all_children() && (waitpid(-1, NULL, 0) > 0 || errno == EINTR))
        ;
}

static void turn(nursery_t *self)
{
    size_t count = self->count; // children may come and go below
    self->polls[0] = (struct pollfd){.fd = self->setup.orders, .events = POLLIN};
    self->polls[1] = (struct pollfd){.fd = self->setup.signals, .events = POLLIN};
    for (size_t i = 0; i < count; i++)
        self->polls[i + 2] = (struct pollfd){.fd = self->children[i]->output, .events = POLLIN};
    poll(self->polls, count + 2, -1);
    for (size_t i = 0; i < count; i++)
        if (self->polls[i + 2].revents)
            child_output(self->children[i], false);
}

// libzmq asks for a protocol's number in every new context. The search for the module that knows it
// takes a worker 150 system calls; done here once, its end is inherited.
static void warm_up(void)
{
    (void)getprotobyname("pgm");
}

static _Noreturn void spawner_main(nursery_t *self)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL); // SIGINT of a terminal is its host's business
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    self->setup.signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    bool lives = self->setup.signals >= 0 && make_room(self);
    warm_up();
    while (lives) {
        turn(self);
        if (self->polls[1].revents)
            reap(self);
        if (self->polls[0].revents)
            lives = obey(self);
    }
    end_all(self);
    _exit(0);
}

// ---- The host's end -----------------------------------------------------------------------------

mob_err_t spawner_fork(spawner_t *self, spawner_main_fn *run, void *arg, const void *worker_mask)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return MOB_ESETUP;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        nursery_t nursery = {.setup = {.run = run, .arg = arg, .orders = ends[1]}};
        memcpy(&nursery.setup.mask, worker_mask, sizeof nursery.setup.mask);
        spawner_main(&nursery);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return MOB_ESETUP;
    }
    *self = (spawner_t){ends[0], pid};
    return MOB_OK;
}

static bool order(spawner_t *self, const order_t *what)
{
    ssize_t sent;
    do
        sent = send(self->fd, what, sizeof *what, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == sizeof *what;
}

bool spawner_start(spawner_t *self, uint64_t worker, enum wire_start kind)
{
    return order(self, &(order_t){.what = ORDER_START, .kind = kind, .worker = worker});
}

bool spawner_kill(spawner_t *self, uint64_t worker)
{
    return order(self, &(order_t){.what = ORDER_KILL, .worker = worker});
}

bool spawner_signal(spawner_t *self, int signal)
{
    return order(self, &(order_t){.what = ORDER_SIGNAL, .signal = signal});
}

spawner_news_t spawner_read(spawner_t *self, spawner_report_t *out)
{
    ssize_t got;
    do
        got = recv(self->fd, out, sizeof *out, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? SPAWNER_NOTHING : SPAWNER_GONE;
    size_t head = offsetof(spawner_report_t, log);
    return (size_t)got >= head && (size_t)got == head + out->log_size ? SPAWNER_REPORT : SPAWNER_GONE;
}

void spawner_end(spawner_t *self)
{
    close(self->fd); // it sees the end of its orders
    while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *self = (spawner_t){.fd = -1};
}
