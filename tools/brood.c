// brood.c - starts and ends the processes of demo and bench. Each is known by its pid and by
// nothing else.

#include "brood.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "demo_bodies.h"
#include "query.h"
#include "verb.h"

extern char **environ;

static void nap_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static int refused(tool_t *tool, const char *why)
{
    trouble_t out = trouble_config("no broker could be started: %s", why);
    return say_trouble(tool, &out);
}

int brood_broker(tool_t *tool, brood_t *self)
{
    static config_t config;
    char why[512] = "", usual[ENDPOINT_MAX], bind[ENDPOINT_MAX] = "ipc";
    if (config_load(&config, "/dev/null", why, sizeof why) != MOB_OK)
        return refused(tool, why);
    endpoint_directory(usual, sizeof usual - 16);
    snprintf(bind + 3, sizeof bind - 3, "://%.200s/calls.sock", usual);
    if (tool_listens(bind)) {
        snprintf(self->directory, sizeof self->directory, "/tmp/mobula-demo-XXXXXX");
        if (!mkdtemp(self->directory))
            return refused(tool, strerror(errno));
        snprintf(bind, sizeof bind, "ipc://%s/calls.sock", self->directory);
    } else {
        snprintf(bind, sizeof bind, "ipc");
    }
    if (config_set(&config, "server/bind", bind, why, sizeof why) != MOB_OK ||
        config_set(&config, "server/data", ":memory:", why, sizeof why) != MOB_OK ||
        config_set(&config, "server/drain", "500ms", why, sizeof why) != MOB_OK ||
        config_set(&config, "server/rejoin", "0s", why, sizeof why) != MOB_OK ||
        config_set(&config, "log/level", "warn", why, sizeof why) != MOB_OK)
        return refused(tool, why);
    self->broker = broker_start(&config, why, sizeof why);
    if (!self->broker)
        return refused(tool, why);
    snprintf(self->address, sizeof self->address, "%s", broker_address(self->broker));
    if (*self->directory)
        say_note(tool, "a broker is there already; this one is  -b %s", self->address);
    return 0;
}

int brood_find(tool_t *tool, brood_t *self)
{
    char why[256];
    bool named = tool_flag(tool, "broker") || getenv("MOBULA_BROKER");
    bool there =
        !named &&
        endpoint_dial(NULL, 0, self->address, sizeof self->address, why, sizeof why) == MOB_OK &&
        tool_listens(self->address);
    if (!named && !there)
        return brood_broker(tool, self);
    int wrong = tool_connect(tool);
    memcpy(self->address, tool->address, sizeof self->address);
    return wrong;
}

int brood_host(tool_t *tool, brood_t *self, const char *name, unsigned slots)
{
    char many[16];
    snprintf(many, sizeof many, "%u", slots);
    char *argv[] = {
        "mobula",  DEMO_HOST, "-b",          self->address, "--name", (char *)(uintptr_t)name,
        "--slots", many,      "--log-level", "warn",        NULL};
    pid_t pid;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGTERM);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setpgroup(&attributes, 0); // Ctrl-C is ours: we end them in order
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    if (self->log > 0 || (self->log = memfd_create("log", MFD_CLOEXEC)) > 0)
        posix_spawn_file_actions_adddup2(&files, self->log, STDERR_FILENO);
    int err = posix_spawn(&pid, "/proc/self/exe", &files, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (err == 0) {
        self->hosts[self->count++] = pid;
        return 0;
    }
    trouble_t out = trouble(MOB_ESETUP, "no worker program could be started: %s", strerror(err));
    return say_trouble(tool, &out);
}

int brood_connect(tool_t *tool, brood_t *self)
{
    if (tool->client)
        return 0;
    memcpy(tool->address, self->address, sizeof tool->address);
    tool->client = mob_connect(&(mob_config_t){.endpoint = self->address, .name = tool->verb->name});
    if (tool->client)
        return 0;
    trouble_t out = trouble(MOB_ENOMEM, "out of memory");
    return say_trouble(tool, &out);
}

// The words of the worker programs, after an error.
static void show_log(const brood_t *self)
{
    char data[4096];
    ssize_t got;
    for (off_t at = 0; self->log > 0 && (got = pread(self->log, data, sizeof data, at)) > 0; at += got)
        fwrite(data, 1, (size_t)got, stderr);
}

// Ours: there may be others.
static size_t serving(const brood_t *self, const rows_t *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        for (unsigned h = 0; h < self->count; h++)
            count += row_number(&rows->items[i], "pid") == self->hosts[h] &&
                     strcmp(row_text(&rows->items[i], "state"), "alive") == 0;
    return count;
}

int brood_wait(tool_t *tool, const brood_t *self, int64_t us)
{
    int64_t until = clock_us() + us;
    while (!tool_signal()) {
        rows_t rows;
        int wrong = query_rows(tool, "hosts", NULL, &rows);
        if (wrong || serving(self, &rows) >= self->count)
            return wrong;
        if (clock_us() > until) {
            trouble_t out = trouble(MOB_ESETUP, "%zu of %u worker programs serve",
                                    serving(self, &rows), self->count);
            say_trouble(tool, &out);
            show_log(self);
            return out.exit;
        }
        nap_ms(5);
    }
    return 128 + tool_signal();
}

int brood_bench(tool_t *tool, brood_t *self, unsigned slots)
{
    int wrong = brood_find(tool, self);
    if (!wrong)
        wrong = brood_host(tool, self, "bench-host", slots);
    if (!wrong)
        wrong = brood_connect(tool, self);
    tool_catch_signals(tool);
    return wrong ? wrong : brood_wait(tool, self, 5000000);
}

static unsigned reap(brood_t *self)
{
    unsigned left = 0;
    for (unsigned i = 0; i < self->count; i++) {
        if (self->hosts[i] > 0 && waitpid(self->hosts[i], NULL, WNOHANG) == self->hosts[i])
            self->hosts[i] = 0;
        left += self->hosts[i] > 0;
    }
    return left;
}

// What the broker leaves in it is its lock.
static void remove_directory(const char *path)
{
    char lock[96];
    snprintf(lock, sizeof lock, "%s/broker.lock", path);
    unlink(lock);
    rmdir(path);
}

void brood_end(brood_t *self)
{
    for (unsigned i = 0; i < self->count; i++)
        if (self->hosts[i] > 0)
            kill(self->hosts[i], SIGTERM);
    for (unsigned turn = 0; turn < 200 && reap(self) > 0; turn++)
        nap_ms(5);
    for (unsigned i = 0; i < self->count; i++)
        if (self->hosts[i] > 0) {
            kill(self->hosts[i], SIGKILL);
            waitpid(self->hosts[i], NULL, 0);
        }
    self->count = 0;
    if (self->log > 0)
        close(self->log);
    self->log = 0;
    if (self->broker)
        broker_stop(&self->broker);
    if (*self->directory)
        remove_directory(self->directory);
    *self->directory = '\0';
}
