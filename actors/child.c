// child.c - a worker process: its birth, its output, its end.

#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STDERR_WAIT_MS = 100 }; // a reader of our stderr may be slow, but not hold up the reaping

// ---- Birth --------------------------------------------------------------------------------------

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t written = write(fd, text, strlen(text));
    (void)written; // a wish, no more
    close(fd);
}

static void redirect(int output)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing >= 0)
        dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    close(output);
    close(nothing);
    setvbuf(stdout, NULL, _IOLBF, 0); // what it printed before a crash is wanted
}

static _Noreturn void become_worker(uint64_t worker, enum wire_start kind,
                                    const child_setup_t *setup, int output, pid_t spawner)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    if (getppid() != spawner) // it died before we could ask to be told
        _exit(1);
    close(setup->orders);
    close(setup->signals);
    for (size_t i = 0; i < setup->sibling_count; i++)
        close(setup->siblings[i]->output);
    redirect(output);
    write_file("/proc/self/oom_score_adj", "500"); // a worker is the first to go, not its host
    sigprocmask(SIG_SETMASK, &setup->mask, NULL);
    int code = setup->run(setup->arg, worker, kind);
    fflush(NULL);
    _exit(code); // handlers of atexit() belong to the program that forked us
}

bool child_fork(child_t *self, uint64_t worker, enum wire_start kind, const child_setup_t *setup)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return false;
    pid_t spawner = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        become_worker(worker, kind, setup, ends[1], spawner);
    }
    int why = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        errno = why;
        return false;
    }
    setpgid(pid, pid); // both do: whoever comes first, a kill of the group finds it
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *self = (child_t){.worker = worker, .pid = pid, .output = ends[0]};
    return true;
}

// ---- Output -------------------------------------------------------------------------------------

static void hand_on(const char *text, size_t size)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    while (size > 0) {
        size_t part = size < 4096 ? size : 4096; // so much fits a pipe that says it is writable
        if (poll(&out, 1, STDERR_WAIT_MS) <= 0)
            return;
        ssize_t written = write(STDERR_FILENO, text, part);
        if (written <= 0)
            return;
        text += written;
        size -= (size_t)written;
    }
}

static void hand_on_lines(child_t *self, bool all)
{
    uint32_t end = self->size;
    while (!all && end > self->said && self->log[end - 1] != '\n')
        end--;
    hand_on(self->log + self->said, end - self->said);
    self->said = end;
}

// Keep the newer half.
static void shift(child_t *self)
{
    hand_on_lines(self, true);
    uint32_t keep = SPAWNER_LOG;
    memmove(self->log, self->log + self->size - keep, keep);
    self->size = self->said = keep;
}

void child_output(child_t *self, bool last)
{
    while (self->output >= 0) {
        if (self->size == sizeof self->log)
            shift(self);
        ssize_t got = read(self->output, self->log + self->size, sizeof self->log - self->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0) {
            close(self->output);
            self->output = -1;
        }
        if (got <= 0)
            break;
        self->size += (uint32_t)got;
        hand_on_lines(self, false);
    }
    if (!last)
        return;
    hand_on_lines(self, true);
    if (self->output >= 0)
        close(self->output);
    self->output = -1;
}

// ---- End ----------------------------------------------------------------------------------------

static uint32_t last_lines(const child_t *self)
{
    uint32_t from = self->size > SPAWNER_LOG ? self->size - SPAWNER_LOG : 0;
    uint32_t at = self->size;
    if (at > from && self->log[at - 1] == '\n')
        at--;
    for (int lines = 0; at > from; at--)
        if (self->log[at - 1] == '\n' && ++lines == SPAWNER_LINES)
            break;
    return at;
}

void child_report(const child_t *self, int status, bool oom, spawner_report_t *out)
{
    bool by_kill = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    *out = (spawner_report_t){.worker = self->worker, .pid = self->pid, .status = status};
    if (by_kill && self->killed)
        out->cause = CAUSE_KILL;
    else if (by_kill && oom)
        out->cause = CAUSE_OOM;
    else
        out->cause = status ? CAUSE_CRASH : CAUSE_EXIT;
    uint32_t from = last_lines(self);
    out->log_size = self->size - from;
    memcpy(out->log, self->log + from, out->log_size);
}

static unsigned long count_in(const char *path, const char *key)
{
    FILE *file = fopen(path, "re");
    char line[256];
    unsigned long count = 0;
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            count = strtoul(line + strlen(key), NULL, 10);
    if (file)
        fclose(file);
    return count;
}

unsigned long child_oom_kills(void)
{
    return count_in("/proc/vmstat", "oom_kill ") +
           count_in("/sys/fs/cgroup/memory.events", "oom_kill ");
}
