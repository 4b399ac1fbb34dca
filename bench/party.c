// party.c - see party.h. Owns the list of what is alive; never looks at what a process says.

#include "party.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PARTIES_MAX = 64, PORT_FIRST = 20000, PORT_LAST = 32000 };

static party_t alive[PARTIES_MAX];

static void remember(const party_t *party)
{
    for (int i = 0; i < PARTIES_MAX; i++)
        if (alive[i].pid == 0) {
            alive[i] = *party;
            return;
        }
}

static void child(const char *log, char *const argv[], const int in[2], const int out[2])
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int err = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(in[0], 0);
    dup2(out[1], 1);
    dup2(err >= 0 ? err : 2, 2);
    execv(argv[0], argv);
    fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

bool party_start(party_t *self, const char *log, char *const argv[])
{
    int in[2], out[2];
    *self = (party_t){0};
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        return false;
    self->pid = fork();
    if (self->pid == 0)
        child(log, argv, in, out);
    close(in[0]);
    close(out[1]);
    self->in = in[1];
    self->out = out[0];
    if (self->pid < 0)
        return false;
    remember(self);
    return true;
}

bool party_read(party_t *self, char *line, size_t size, int seconds)
{
    size_t used = 0;
    while (used + 1 < size) {
        struct pollfd fd = {.fd = self->out, .events = POLLIN};
        if (poll(&fd, 1, seconds * 1000) <= 0 || read(self->out, line + used, 1) != 1)
            return false;
        if (line[used++] == '\n')
            break;
    }
    line[used] = '\0';
    return true;
}

void party_tell(party_t *self)
{
    if (write(self->in, "\n", 1) != 1)
        fprintf(stderr, "bench: process %d does not listen\n", (int)self->pid);
}

static bool reaped(pid_t pid, int ms)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    bool good = fd >= 0 && poll(&ended, 1, ms) == 1 && waitpid(pid, NULL, 0) == pid;
    if (fd >= 0)
        close(fd);
    return good;
}

void party_end(party_t *self)
{
    if (self->pid <= 0)
        return;
    for (int i = 0; i < PARTIES_MAX; i++)
        if (alive[i].pid == self->pid)
            alive[i].pid = 0;
    close(self->in);
    close(self->out);
    kill(self->pid, SIGTERM);
    if (!reaped(self->pid, 3000)) {
        kill(self->pid, SIGKILL);
        waitpid(self->pid, NULL, 0);
    }
    self->pid = 0;
}

void party_end_all(void)
{
    for (int i = PARTIES_MAX - 1; i >= 0; i--) {
        party_t party = alive[i];
        party_end(&party);
    }
}

static bool port_is_free(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool good = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

int party_free_port(void)
{
    int first = PORT_FIRST + (int)(getpid() % 1000) * 8;
    for (int port = first; port < PORT_LAST; port += 4)
        if (port_is_free(port) && port_is_free(port + 1) && port_is_free(port + 2))
            return port;
    return 0;
}

static bool answers(const char *path, int port)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in loopback = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (path)
        snprintf(local.sun_path, sizeof local.sun_path, "%s", path);
    int fd = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    int failed = path ? connect(fd, (struct sockaddr *)&local, sizeof local)
                      : connect(fd, (struct sockaddr *)&loopback, sizeof loopback);
    close(fd);
    return failed == 0;
}

bool party_listens(const char *ipc_path, int port, int seconds)
{
    for (int tries = 0; tries < seconds * 100; tries++) {
        if (answers(ipc_path, port))
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return false;
}
