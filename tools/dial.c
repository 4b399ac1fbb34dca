// dial.c - finds the broker and holds the command's connection to it. A broker that is not there is
// an error within a second, with the address and the reason.

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "say.h"
#include "tool.h"
#include "unit.h"

enum { TRY_US = 1000000, AGAIN_MS = 20 };

static volatile sig_atomic_t caught;
static mob_t *volatile interrupted;

static void on_signal(int number)
{
    caught = number;
    if (interrupted)
        mob_interrupt(interrupted);
}

int tool_signal(void)
{
    return caught;
}

void tool_catch_signals(tool_t *self)
{
    interrupted = self->client;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

// ---- Who listens --------------------------------------------------------------------------------

// errno of connect(), 0 when somebody accepted.
static int try_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int err = fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return err;
}

static int try_address(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    int err = connect(fd, info->ai_addr, info->ai_addrlen) == 0 ? 0 : errno;
    struct pollfd waiting = {.fd = fd, .events = POLLOUT};
    if (err == EINPROGRESS) {
        socklen_t size = sizeof err;
        err = poll(&waiting, 1, TRY_US / 1000) == 1 ? 0 : ETIMEDOUT;
        if (err == 0)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
    }
    close(fd);
    return err;
}

static int try_tcp(const char *host_port)
{
    char host[ENDPOINT_MAX];
    snprintf(host, sizeof host, "%s", host_port);
    char *colon = strrchr(host, ':');
    if (!colon)
        return EINVAL;
    *colon = '\0';
    char *name = host;
    if (*name == '[' && colon > name && colon[-1] == ']')
        name++, colon[-1] = '\0';
    struct addrinfo want = {.ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(name, colon + 1, &want, &found) != 0)
        return EHOSTUNREACH;
    int err = EHOSTUNREACH;
    for (struct addrinfo *at = found; at && err; at = at->ai_next)
        err = try_address(at);
    freeaddrinfo(found);
    return err;
}

static int try_one(const char *address)
{
    if (strncmp(address, "ipc://", 6) == 0)
        return try_unix(address + 6);
    return try_tcp(address + (strncmp(address, "tcp://", 6) == 0 ? 6 : 0));
}

bool tool_listens(const char *address)
{
    return try_one(address) == 0;
}

static const char *words_of(int err)
{
    return err == ENOENT ? "no socket" : err == ECONNREFUSED ? "connection refused" : strerror(err);
}

// ---- Connecting ---------------------------------------------------------------------------------

// One round over the list. 0: found, in self->address; -1: nobody; else exit code, said.
static int try_all(tool_t *self, const char *text, int *err)
{
    char why[512] = "";
    for (size_t i = 0;; i++) {
        char address[ENDPOINT_MAX];
        mob_err_t dialled = endpoint_dial(text, i, address, sizeof address, why, sizeof why);
        if (dialled == MOB_EEND)
            return i ? -1 : 0;
        if (dialled != MOB_OK) {
            trouble_t out =
                dialled == MOB_EARGS ? trouble_config("%s", why) : trouble(dialled, "%s", why);
            trouble_try(&out,
                        "mobula health -b ipc:///run/mobula/calls.sock, or -b tcp://HOST:7770");
            return say_trouble(self, &out);
        }
        memcpy(self->address, address, sizeof address);
        *err = try_one(address);
        if (*err == 0)
            return 0;
    }
}

static int say_offline(const tool_t *self, int err)
{
    char time[UNIT_TEXT_MAX];
    trouble_t out = trouble(MOB_EOFFLINE, "no broker at %s", self->address);
    trouble_cause(&out, "%s, tried for %s", words_of(err),
                  unit_print_duration(time, clock_us() - self->started_us, !self->term.utf8));
    trouble_try(&out, "mobula broker &           start one here");
    trouble_try(&out, "mobula health -b URL      ask another one");
    return say_trouble(self, &out);
}

int tool_connect(tool_t *self)
{
    const char *text = tool_flag(self, "broker");
    int64_t limit = self->timeout_us < TRY_US ? self->timeout_us : TRY_US;
    int err = 0, done;
    while ((done = try_all(self, text, &err)) == -1) {
        if (clock_us() - self->started_us >= limit)
            return say_offline(self, err);
        nanosleep(&(struct timespec){0, AGAIN_MS * 1000000L}, NULL);
    }
    if (done != 0)
        return done;
    self->client = mob_connect(&(mob_config_t){.endpoint = self->address,
                                               .keep = self->keep,
                                               .key_file = tool_flag(self, "key"),
                                               .space = tool_flag(self, "namespace")});
    if (!self->client) {
        trouble_t out = trouble(MOB_ENOMEM, "out of memory");
        return say_trouble(self, &out);
    }
    tool_catch_signals(self);
    return 0;
}

void tool_close(tool_t *self)
{
    interrupted = NULL;
    mob_close(&self->client);
}

int tool_left_ms(const tool_t *self)
{
    if (self->timeout_us == UNIT_FOREVER)
        return MOB_FOREVER;
    int64_t left = self->deadline_us - clock_us();
    return left <= 0 ? 0 : left > 86400000000 ? 86400000 : (int)((left + 999) / 1000);
}

mob_err_t tool_await(tool_t *self, mob_ref_t ref, mob_reader_t *reader)
{
    return mob_await(self->client, ref, reader, tool_left_ms(self));
}
