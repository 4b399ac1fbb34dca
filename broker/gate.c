// gate.c - see gate.h. What an address may be is decided here and nowhere else.

#include "gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

enum { IPC_PATH_MAX = 107, WILDCARD_TRIES = 64 };

typedef struct say { // where a refusal is written
    char *why;
    size_t size;
} say_t;

#define REFUSE(say, err, ...) (snprintf((say).why, (say).size, __VA_ARGS__), (err))

// ---- Sockets ------------------------------------------------------------------------------------

static mob_err_t sockets_make(gate_t *self, void *zmq, bool ipv6, say_t say)
{
    int on = 1;
    for (int kind = 0; kind < SOCKET_KINDS; kind++) {
        self->sockets[kind] = socket_new(zmq, (socket_kind_t)kind, say.why, say.size);
        if (self->sockets[kind] == NULL)
            return MOB_EINTERNAL;
        if (ipv6)
            zmq_setsockopt(self->sockets[kind], ZMQ_IPV6, &on, sizeof on);
    }
    return MOB_OK;
}

static void sockets_close(gate_t *self, bool at_once)
{
    for (int kind = 0; kind < SOCKET_KINDS; kind++)
        socket_close(&self->sockets[kind], at_once);
}

static mob_err_t bind_one(gate_t *self, socket_kind_t kind, const char *address, say_t say)
{
    size_t size = sizeof self->addresses[kind];
    if (zmq_bind(self->sockets[kind], address) != 0 ||
        zmq_getsockopt(self->sockets[kind], ZMQ_LAST_ENDPOINT, self->addresses[kind], &size) != 0)
        return REFUSE(say, MOB_EINTERNAL, "cannot listen on %s: %s", address,
                      zmq_strerror(zmq_errno()));
    return MOB_OK;
}

static bool siblings_of(const char *calls, char *notices, char *feed)
{
    return endpoint_sibling(calls, "notices", 1, notices, ENDPOINT_MAX) &&
           endpoint_sibling(calls, "feed", 2, feed, ENDPOINT_MAX);
}

static mob_err_t bind_siblings(gate_t *self, const char *calls, say_t say)
{
    char notices[ENDPOINT_MAX], feed[ENDPOINT_MAX];
    if (!siblings_of(calls, notices, feed))
        return REFUSE(say, MOB_EARGS, "%s leaves no room for notices and feed beside it", calls);
    mob_err_t err = bind_one(self, SOCKET_NOTICES, notices, say);
    return err != MOB_OK ? err : bind_one(self, SOCKET_FEED, feed, say);
}

// Calls come last: who can call can also hear.
static mob_err_t bind_all(gate_t *self, const char *calls, say_t say)
{
    mob_err_t err = bind_siblings(self, calls, say);
    return err != MOB_OK ? err : bind_one(self, SOCKET_CALLS, calls, say);
}

// ---- ipc ----------------------------------------------------------------------------------------

// Binding an ipc path takes it away from whoever holds it, without an error on either side; so a
// lock.
static mob_err_t lock_directory(gate_t *self, const char *directory, say_t say)
{
    char path[ENDPOINT_MAX + 16], pid[16] = "";
    snprintf(path, sizeof path, "%s/broker.lock", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd == -1)
        return REFUSE(say, MOB_EDENIED, "cannot open %s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
        ssize_t got = read(fd, pid, sizeof pid - 1);
        close(fd);
        return REFUSE(say, MOB_EDENIED, "another broker (pid %.*s) serves %s",
                      got > 0 ? (int)strcspn(pid, "\n") : 1, got > 0 ? pid : "?", directory);
    }
    int size = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) == -1 || pwrite(fd, pid, (size_t)size, 0) != size) {
        close(fd);
        return REFUSE(say, MOB_EDENIED, "cannot write %s: %s", path, strerror(errno));
    }
    self->lock = fd;
    return MOB_OK;
}

static mob_err_t check_path(const char *calls, say_t say)
{
    const char *path = calls + strlen("ipc://");
    const char *name = strrchr(path, '/');
    if (path[0] != '/' || name[1] == '\0')
        return REFUSE(say, MOB_EARGS, "%s: say ipc:///directory/calls.sock, from the root", calls);
    char notices[ENDPOINT_MAX], feed[ENDPOINT_MAX];
    if (!siblings_of(calls, notices, feed) || strlen(notices) - strlen("ipc://") > IPC_PATH_MAX ||
        strlen(path) > IPC_PATH_MAX)
        return REFUSE(say, MOB_EARGS, "%s is too long: a socket's path has at most %d bytes", path,
                      IPC_PATH_MAX);
    if (strcmp(notices, calls) == 0 || strcmp(feed, calls) == 0)
        return REFUSE(say, MOB_EARGS, "%s: that name is needed for notices or feed", path);
    return MOB_OK;
}

static void close_to_others(const gate_t *self) // libzmq gives the files the mode that the umask leaves
{
    for (int kind = 0; kind < SOCKET_KINDS; kind++)
        (void)!chmod(self->addresses[kind] + strlen("ipc://"),
                     0600); // the directory is 0700 anyway
}

static mob_err_t open_ipc(gate_t *self, void *zmq, const char *calls, say_t say)
{
    char directory[ENDPOINT_MAX];
    mob_err_t err = check_path(calls, say);
    if (err != MOB_OK)
        return err;
    snprintf(directory, sizeof directory, "%s", calls + strlen("ipc://"));
    char *slash = strrchr(directory, '/');
    slash[slash == directory] = '\0'; // "/" itself stays

    if ((err = endpoint_check_directory(directory, true, say.why, say.size)) == MOB_OK &&
        (err = lock_directory(self, directory, say)) == MOB_OK &&
        (err = sockets_make(self, zmq, false, say)) == MOB_OK)
        err = bind_all(self, calls, say);
    if (err == MOB_OK)
        close_to_others(self);
    return err;
}

// ---- tcp ----------------------------------------------------------------------------------------

enum reach { REACH_LOOPBACK, REACH_PRIVATE, REACH_PUBLIC, REACH_UNKNOWN };

static enum reach reach_of_v4(const struct in_addr *address)
{
    uint32_t ip = ntohl(address->s_addr);
    if (ip >> 24 == 127)
        return REACH_LOOPBACK;
    bool private = ip >> 24 == 10 || ip >> 20 == 0xac1 || ip >> 16 == 0xc0a8;
    return private ? REACH_PRIVATE : REACH_PUBLIC;
}

static enum reach reach_of_v6(const struct in6_addr *address)
{
    if (IN6_IS_ADDR_LOOPBACK(address))
        return REACH_LOOPBACK;
    bool private = (address->s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(address);
    return private ? REACH_PRIVATE : REACH_PUBLIC;
}

static enum reach reach_of_interfaces(void) // the widest of this machine's addresses
{
    struct ifaddrs *all = NULL;
    enum reach widest = REACH_LOOPBACK;
    if (getifaddrs(&all) == -1)
        return REACH_UNKNOWN;
    for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
        enum reach reach = REACH_LOOPBACK;
        if (one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET)
            reach = reach_of_v4(&((struct sockaddr_in *)(void *)one->ifa_addr)->sin_addr);
        else if (one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET6)
            reach = reach_of_v6(&((struct sockaddr_in6 *)(void *)one->ifa_addr)->sin6_addr);
        if (reach > widest)
            widest = reach;
    }
    freeifaddrs(all);
    return widest;
}

static enum reach reach_of(const char *host) // names are not looked up: an address says what it opens
{
    struct in_addr v4;
    struct in6_addr v6;
    if (strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        return reach_of_interfaces();
    if (inet_pton(AF_INET, host, &v4) == 1)
        return reach_of_v4(&v4);
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return reach_of_v6(&v6);
    return REACH_UNKNOWN;
}

typedef struct tcp {
    char host[64]; // without brackets
    int port;      // 0: any
    bool ipv6;
} tcp_t;

static bool tcp_parse(tcp_t *self, const char *text)
{
    const char *host = text + strlen("tcp://");
    const char *colon = strrchr(host, ':');
    if (colon == NULL || colon == host)
        return false;
    self->ipv6 = host[0] == '[' && colon[-1] == ']';
    int size = (int)(colon - host) - (self->ipv6 ? 2 : 0);
    if (size <= 0 || (size_t)size >= sizeof self->host)
        return false;
    snprintf(self->host, sizeof self->host, "%.*s", size, host + (self->ipv6 ? 1 : 0));
    if (strcmp(self->host, "localhost") == 0)
        snprintf(self->host, sizeof self->host, "127.0.0.1");

    if (strcmp(colon + 1, "*") == 0)
        return self->port = 0, true;
    char *end;
    errno = 0;
    long port = strtol(colon + 1, &end, 10);
    self->port = (int)port;
    return end != colon + 1 && *end == '\0' && errno == 0 && port >= 0 && port <= 65535 - 2;
}

// A peer that retries such a port can be given it as its own, and then talks to itself.
static mob_err_t check_port(int port, say_t say)
{
    int low = 32768, high = 60999;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (file != NULL) {
        if (fscanf(file, "%d %d", &low, &high) != 2)
            low = 32768, high = 60999;
        fclose(file);
    }
    if (port != 0 && port + 2 >= low && port <= high)
        return REFUSE(say, MOB_EARGS,
                      "port %d: %d to %d are the ports that the system gives to clients; take one "
                      "below",
                      port, low, high);
    return MOB_OK;
}

static mob_err_t check_host(const char *host, unsigned insecure, say_t say)
{
    enum reach reach = reach_of(host);
    if (reach == REACH_UNKNOWN)
        return REFUSE(say, MOB_EARGS, "%s: say the address to listen on in numbers", host);
    if (insecure == INSECURE_NO)
        return REFUSE(
            say, MOB_EARGS,
            "tcp without keys is open to every user of the machine, and keys are not built "
            "yet: take ipc, or allow it with --insecure");
    if (insecure == INSECURE_LOOPBACK && reach != REACH_LOOPBACK)
        return REFUSE(say, MOB_EARGS,
                      "%s is no loopback address: --insecure opens those alone, "
                      "--insecure=private-network private ones too",
                      host);
    if (reach == REACH_PUBLIC)
        return REFUSE(say, MOB_EARGS, "%s reaches beyond private networks: never without keys", host);
    return MOB_OK;
}

static mob_err_t bind_port(gate_t *self, void *zmq, const tcp_t *tcp, say_t say)
{
    char calls[ENDPOINT_MAX];
    const char *format = tcp->ipv6 ? "tcp://[%s]:%d" : "tcp://%s:%d";
    snprintf(calls, sizeof calls, format, tcp->host, tcp->port);
    mob_err_t err = sockets_make(self, zmq, tcp->ipv6, say);
    return err != MOB_OK ? err : bind_all(self, calls, say);
}

// Any port whose next two are free as well: siblings are found by counting.
static mob_err_t bind_any_port(gate_t *self, void *zmq, const tcp_t *tcp, say_t say)
{
    char calls[ENDPOINT_MAX];
    mob_err_t err = MOB_EINTERNAL;
    snprintf(calls, sizeof calls, tcp->ipv6 ? "tcp://[%s]:*" : "tcp://%s:*", tcp->host);
    self->fresh_port = true;
    for (int i = 0; err != MOB_OK && i < WILDCARD_TRIES; i++) {
        sockets_close(self, true);
        if ((err = sockets_make(self, zmq, tcp->ipv6, say)) == MOB_OK &&
            (err = bind_one(self, SOCKET_CALLS, calls, say)) == MOB_OK)
            err = bind_siblings(self, self->addresses[SOCKET_CALLS], say);
    }
    return err;
}

static mob_err_t open_tcp(gate_t *self, void *zmq, const char *text, unsigned insecure, say_t say)
{
    tcp_t tcp;
    if (!tcp_parse(&tcp, text))
        return REFUSE(say, MOB_EARGS, "%s: say tcp://ADDRESS:PORT", text);
    mob_err_t err = check_host(tcp.host, insecure, say);
    if (err == MOB_OK)
        err = check_port(tcp.port, say);
    if (err != MOB_OK)
        return err;
    return tcp.port == 0 ? bind_any_port(self, zmq, &tcp, say) : bind_port(self, zmq, &tcp, say);
}

// ---- Both ---------------------------------------------------------------------------------------

static mob_err_t open_any(gate_t *self, void *zmq, const char *text, unsigned insecure, say_t say)
{
    char calls[ENDPOINT_MAX];
    if (strcmp(text, "ipc") == 0) {
        char directory[ENDPOINT_MAX - 32];
        endpoint_directory(directory, sizeof directory);
        snprintf(calls, sizeof calls, "ipc://%s/calls.sock", directory);
        return open_ipc(self, zmq, calls, say);
    }
    if (strlen(text) >= sizeof calls)
        return REFUSE(say, MOB_EARGS, "an address has at most %zu bytes", sizeof calls - 1);
    if (strncmp(text, "ipc://", 6) == 0)
        return open_ipc(self, zmq, text, say);
    if (strncmp(text, "tcp://", 6) == 0)
        return open_tcp(self, zmq, text, insecure, say);
    return REFUSE(say, MOB_EARGS, "%s: only ipc, ipc:// and tcp:// are spoken", text);
}

mob_err_t gate_open(gate_t *self, void *zmq, const char *text, unsigned insecure, char *why,
                    size_t size)
{
    *self = GATE_INIT;
    mob_err_t err = open_any(self, zmq, text, insecure, (say_t){why, size});
    if (err != MOB_OK)
        gate_close(self, true);
    return err;
}

static void remove_files(gate_t *self) // libzmq leaves them; whoever dials then hears that nobody listens
{
    for (int kind = 0; kind < SOCKET_KINDS; kind++)
        if (self->addresses[kind][0] != '\0')
            unlink(self->addresses[kind] + strlen("ipc://"));
}

void gate_close(gate_t *self, bool at_once)
{
    sockets_close(self, at_once);
    if (self->lock != -1) {
        remove_files(self);
        flock(self->lock, LOCK_UN); // a forked child may hold the file too
        close(self->lock);
    }
    self->lock = -1;
}
