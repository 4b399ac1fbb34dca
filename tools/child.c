// child.c - see child.h.

#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "demo_bodies.h"
#include "endpoint.h"
#include "tool.h"

enum { READY_TRIES = 500, STEP_MS = 10, END_TRIES = 300 };

static void nap(void)
{
    nanosleep(&(struct timespec){0, STEP_MS * 1000000L}, NULL);
}

static bool start(crew_t *self, char *const argv[])
{
    if (self->count == CHILDREN_MAX)
        return false;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        setpgid(0, 0); // Ctrl-C is for the command, which ends its children in order
        if (getppid() == parent)
            execv("/proc/self/exe", argv);
        _exit(127);
    }
    if (pid > 0)
        self->pids[self->count++] = pid;
    return pid > 0;
}

static bool usual_place(crew_t *self)
{
    char why[256], directory[PLACE_MAX - 32];
    endpoint_directory(directory, sizeof directory);
    if (endpoint_check_directory(directory, true, why, sizeof why) != MOB_OK)
        return false;
    snprintf(self->address, sizeof self->address, "ipc://%s/calls.sock", directory);
    return !tool_listens(self->address);
}

static bool private_place(crew_t *self)
{
    snprintf(self->directory, sizeof self->directory, "/tmp/mobula-demo-XXXXXX");
    if (!mkdtemp(self->directory))
        return false;
    snprintf(self->address, sizeof self->address, "ipc://%.120s/calls.sock", self->directory);
    return true;
}

bool crew_broker(crew_t *self)
{
    if (!usual_place(self) && !private_place(self))
        return false;
    char *argv[] = {"mobula",   "broker",      "--bind", self->address, "--data",
                    ":memory:", "--log-level", "warn",   NULL};
    if (!start(self, argv))
        return false;
    for (int tries = 0; tries < READY_TRIES; tries++) {
        if (tool_listens(self->address))
            return true;
        if (waitpid(self->pids[0], NULL, WNOHANG) != 0)
            return false;
        nap();
    }
    return false;
}

bool crew_host(crew_t *self, const char *name, unsigned slots)
{
    char number[16], copy[64];
    snprintf(number, sizeof number, "%u", slots);
    snprintf(copy, sizeof copy, "%s", name);
    char *argv[] = {"mobula",  DEMO_HOST, "--broker",    self->address, "--name", copy,
                    "--slots", number,    "--log-level", "warn",        NULL};
    return start(self, argv);
}

static void end(pid_t pid)
{
    if (waitpid(pid, NULL, WNOHANG) != 0)
        return;
    kill(pid, SIGTERM);
    for (int tries = 0; tries < END_TRIES; tries++) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return;
        nap();
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void crew_end(crew_t *self)
{
    for (unsigned i = 1; i < self->count; i++)
        kill(self->pids[i], SIGTERM);
    while (self->count > 0)
        end(self->pids[--self->count]);
    if (!*self->directory)
        return;
    static const char *const files[] = {"calls.sock", "notices.sock", "feed.sock", "broker.lock"};
    char path[PLACE_MAX + 32];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", self->directory, files[i]);
        unlink(path);
    }
    rmdir(self->directory);
}
