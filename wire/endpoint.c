// endpoint.c - from what the user said to addresses of ZeroMQ. Refuses in a sentence what would
// bite later: a directory that others can write, a path that is too long, a port that a client
// could connect to itself. Never opens a socket.

#include "endpoint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    IPC_PATH_MAX = 107, // sun_path less its NUL
    PORT_CALLS = 7770,
    PORT_SIBLINGS = 2 // notices and feed follow the calls port
};
#define SHARED_DIRECTORY "/run/mobula" // only root can make it: a packaged broker of another user

typedef struct reason { // a sentence for people, in the caller's buffer
    char *text;
    size_t size;
} reason_t;

MOB_PRINTF(3, 4) static mob_err_t refuse(reason_t why, mob_err_t err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (why.size)
        vsnprintf(why.text, why.size, format, args);
    va_end(args);
    return err;
}

MOB_PRINTF(3, 4) static bool print(char *out, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(out, size, format, args);
    va_end(args);
    return length >= 0 && (size_t)length < size;
}

// ---- The runtime directory ----------------------------------------------------------------------

void endpoint_directory(char *out, size_t size)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (runtime && runtime[0] == '/')
        print(out, size, "%s/mobula", runtime);
    else if (geteuid() == 0)
        print(out, size, SHARED_DIRECTORY);
    else
        print(out, size, "/tmp/mobula-%u", (unsigned)geteuid());
}

// Looked at without following a link: another user may have made it first.
mob_err_t endpoint_check_directory(const char *path, bool make, char *why, size_t size)
{
    struct stat is;
    reason_t reason = {why, size};
    if (make && mkdir(path, 0700) != 0 && errno != EEXIST)
        return refuse(reason, MOB_EDENIED, "cannot make directory %s: %s", path, strerror(errno));
    if (lstat(path, &is) != 0 && errno == ENOENT)
        return refuse(reason, MOB_ENOTFOUND, "directory %s does not exist", path);
    if (lstat(path, &is) != 0)
        return refuse(reason, MOB_EDENIED, "cannot look at %s: %s", path, strerror(errno));
    if (S_ISLNK(is.st_mode))
        return refuse(reason, MOB_EDENIED, "%s is a link; remove it", path);
    if (!S_ISDIR(is.st_mode))
        return refuse(reason, MOB_EDENIED, "%s is not a directory; remove it", path);
    bool shared = strcmp(path, SHARED_DIRECTORY) == 0;
    if (is.st_uid != geteuid() && !shared)
        return refuse(reason, MOB_EDENIED, "%s belongs to user %u, not to us", path,
                      (unsigned)is.st_uid);
    if (is.st_mode & (shared ? 0027 : 0077))
        return refuse(reason, MOB_EDENIED, "%s is open to others (mode %04o); chmod 700 it", path,
                      (unsigned)(is.st_mode & 07777));
    return MOB_OK;
}

// ---- Ports --------------------------------------------------------------------------------------

static void ephemeral_range(unsigned *low, unsigned *high)
{
    *low = 32768;
    *high = 60999;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (!file)
        return;
    unsigned from, to;
    if (fscanf(file, "%u %u", &from, &to) == 2) {
        *low = from;
        *high = to;
    }
    fclose(file);
}

mob_err_t endpoint_check_port(unsigned port, char *why, size_t size)
{
    unsigned low, high;
    reason_t reason = {why, size};
    if (port == 0 || port + PORT_SIBLINGS > UINT16_MAX)
        return refuse(reason, MOB_EARGS, "port %u is not one of 1 to %d", port,
                      UINT16_MAX - PORT_SIBLINGS);
    ephemeral_range(&low, &high);
    if (port + PORT_SIBLINGS < low || port > high)
        return MOB_OK;
    return refuse(
        reason, MOB_EARGS,
        "port %u (with the %d behind it) lies in the range %u-%u, which the system gives to "
        "clients: one could connect to itself; take one below",
        port, PORT_SIBLINGS, low, high);
}

// Digits only, to the end; 0: not a port.
static unsigned port_of(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits])
        return 0;
    return (unsigned)strtoul(text, NULL, 10);
}

// ---- Addresses ----------------------------------------------------------------------------------

// The socket's path and those of its siblings beside it, of which notices.sock is the longest.
static mob_err_t dial_path(const char *path, char *out, size_t size, reason_t why)
{
    char address[ENDPOINT_MAX], sibling[ENDPOINT_MAX];
    if (path[0] == '\0' || path[0] == '@' || path[0] == '*')
        return refuse(why, MOB_EARGS, "ipc://%s is no path of a socket", path);
    if (!print(address, sizeof address, "ipc://%s", path) ||
        !endpoint_sibling(address, "notices", 0, sibling, sizeof sibling) ||
        strlen(path) > IPC_PATH_MAX || strlen(sibling) - strlen("ipc://") > IPC_PATH_MAX)
        return refuse(why, MOB_EARGS,
                      "%s is too long: a path of a socket has at most %d bytes, also "
                      "that of notices.sock beside it",
                      path, IPC_PATH_MAX);
    if (!print(out, size, "%s", address))
        return refuse(why, MOB_EARGS, "address %s does not fit", address);
    return MOB_OK;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), wanted = strlen(end);
    return size >= wanted && strcmp(text + size - wanted, end) == 0;
}

// A directory that is there must be safe; one that is not may come later.
static mob_err_t dial_directory(const char *path, char *out, size_t size, reason_t why)
{
    char socket[ENDPOINT_MAX];
    mob_err_t err = endpoint_check_directory(path, false, why.text, why.size);
    if (err && err != MOB_ENOTFOUND)
        return err;
    const char *slash = ends_with(path, "/") ? "" : "/";
    if (!print(socket, sizeof socket, "%s%scalls.sock", path, slash))
        return refuse(why, MOB_EARGS, "%s is too long: a path of a socket has at most %d bytes",
                      path, IPC_PATH_MAX);
    return dial_path(socket, out, size, why);
}

// The first of the usual directories that holds calls.sock, else the one where our broker would be.
static mob_err_t dial_local(char *out, size_t size, reason_t why)
{
    char own[ENDPOINT_MAX], temporary[ENDPOINT_MAX], path[ENDPOINT_MAX + 16];
    endpoint_directory(own, sizeof own);
    print(temporary, sizeof temporary, "/tmp/mobula-%u", (unsigned)geteuid());
    const char *const places[] = {own, SHARED_DIRECTORY, temporary};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (print(path, sizeof path, "%s/calls.sock", places[i]) && access(path, F_OK) == 0)
            return dial_directory(places[i], out, size, why);
    return dial_directory(own, out, size, why);
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// HOST, HOST:PORT, [V6], [V6]:PORT. Only characters of names and numbers: ZeroMQ would give others
// a meaning, a source address for one.
static mob_err_t dial_tcp(const char *text, char *out, size_t size, reason_t why)
{
    bool v6 = text[0] == '[';
    size_t host = v6 ? strspn(text + 1, LETTERS ":.%-_") + 1 : strspn(text, LETTERS ".-_");
    if (v6 && text[host] == ']')
        host++;
    bool whole = v6 ? host > 2 && text[host - 1] == ']' : host > 0;
    if (!whole || (text[host] != '\0' && text[host] != ':'))
        return refuse(why, MOB_EARGS,
                      "\"%s\" is no address: HOST, HOST:PORT, tcp://HOST:PORT, ipc://PATH or a "
                      "directory",
                      text);
    unsigned port = text[host] ? port_of(text + host + 1) : PORT_CALLS;
    if (port == 0)
        return refuse(why, MOB_EARGS, "\"%s\" has no port that is a number from 1 up", text);
    mob_err_t err = endpoint_check_port(port, why.text, why.size);
    if (err)
        return err;
    if (!print(out, size, "tcp://%.*s:%u", (int)host, text, port))
        return refuse(why, MOB_EARGS, "address \"%s\" is too long", text);
    return MOB_OK;
}

static mob_err_t dial_one(const char *text, char *out, size_t size, reason_t why)
{
    const char *scheme = strstr(text, "://");
    if (strncmp(text, "ipc://", 6) == 0)
        return dial_path(text + 6, out, size, why);
    if (strncmp(text, "tcp://", 6) == 0)
        return dial_tcp(text + 6, out, size, why);
    if (scheme)
        return refuse(why, MOB_EARGS, "transport %.*s:// is not one of ours: tcp:// or ipc://",
                      (int)(scheme - text), text);
    if (strcmp(text, "ipc") == 0)
        return dial_local(out, size, why);
    if (text[0] != '/' && text[0] != '.')
        return dial_tcp(text, out, size, why);
    return ends_with(text, ".sock") ? dial_path(text, out, size, why)
                                    : dial_directory(text, out, size, why);
}

// Item number index of a comma list, without the blanks around it; empty ones do not count.
static bool nth_item(const char *list, size_t index, char *out, size_t size, bool *fits)
{
    for (const char *at = list; *at; at += strcspn(at, ",")) {
        at += strspn(at, ", \t");
        size_t length = strcspn(at, ",");
        while (length > 0 && strchr(" \t", at[length - 1]))
            length--;
        if (length == 0 || index-- > 0)
            continue;
        *fits = print(out, size, "%.*s", (int)(length < size ? length : size), at) && length < size;
        return true;
    }
    return false;
}

mob_err_t endpoint_dial(const char *text, size_t index, char *out, size_t size, char *why,
                        size_t why_size)
{
    char item[ENDPOINT_MAX];
    bool fits = false;
    reason_t reason = {why, why_size};
    if (!text || !*text)
        text = getenv("MOBULA_BROKER");
    if (!text || !*text)
        return index == 0 ? dial_local(out, size, reason) : MOB_EEND;
    if (!nth_item(text, index, item, sizeof item, &fits))
        return MOB_EEND;
    if (!fits)
        return refuse(reason, MOB_EARGS, "address number %zu is longer than %d bytes", index + 1,
                      ENDPOINT_MAX - 1);
    return dial_one(item, out, size, reason);
}

bool endpoint_sibling(const char *calls, const char *name, int offset, char *out, size_t size)
{
    const char *last = strrchr(calls, strncmp(calls, "ipc://", 6) == 0 ? '/' : ':');
    if (!last)
        return false;
    int stem = (int)(last - calls) + 1;
    if (*last == '/')
        return print(out, size, "%.*s%s.sock", stem, calls, name);
    long port = (long)port_of(last + 1) + offset;
    if (port_of(last + 1) == 0 || port < 1 || port > UINT16_MAX)
        return false;
    return print(out, size, "%.*s%ld", stem, calls, port);
}
