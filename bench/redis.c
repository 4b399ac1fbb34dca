// redis.c - see redis.h. Keeps nothing: the server has no disk and no port.

#include "redis.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"

enum { START_S = 10, COMMAND_MAX = 3 * STAGE_PATH };

// The server's program in redis-tools: it looks at its name. So nothing is installed that starts a service.
static const char program[] = "/usr/bin/redis-check-rdb";

bool redis_is_here(void)
{
    return access(program, X_OK) == 0 && access("/usr/bin/redis-benchmark", X_OK) == 0;
}

bool redis_start(party_t *self)
{
    char path[STAGE_PATH], sock[STAGE_PATH];
    stage_path(path, "redis-server");
    stage_path(sock, "redis.sock");
    char *argv[] = {path,           "--port", "0", "--unixsocket", sock, "--save", "",
                    "--appendonly", "no",     NULL};
    return symlink(program, path) == 0 && party_start(self, stage_log(), argv) &&
           party_listens(sock, 0, START_S);
}

// The first line of a command's output that holds word; false: there is none.
static bool find_line(const char *arguments, const char *word, char *line, int size)
{
    char sock[STAGE_PATH], command[COMMAND_MAX];
    stage_path(sock, "redis.sock");
    snprintf(command, sizeof command, arguments, sock);
    FILE *output = popen(command, "r"); // NOLINT: the words are our own
    bool found = false;
    while (output && !found && fgets(line, size, output))
        found = strstr(line, word) != NULL;
    while (output && fgetc(output) != EOF)
        ;
    if (output)
        pclose(output);
    return found;
}

static bool watch(party_t *monitor)
{
    char sock[STAGE_PATH], line[1024];
    stage_path(sock, "redis.sock");
    char *argv[] = {"/bin/sh", "-c", "exec redis-cli -s \"$0\" MONITOR >/dev/null", sock, NULL};
    if (!party_start(monitor, stage_log(), argv))
        return false;
    for (int i = 0; i < 100; i++) {
        if (find_line("redis-cli -s %s CLIENT LIST", "cmd=monitor", line, sizeof line))
            return true;
        usleep(20000);
    }
    return false;
}

double redis_rate(bool watched)
{
    party_t monitor = {0};
    char line[1024];
    double rate = 0;
    const char *colon = NULL;
    if ((!watched || watch(&monitor)) &&
        find_line("redis-benchmark -s %s -t set -n 400000 -P 16 --csv", "\"SET\"", line, sizeof line))
        colon = strstr(line, "\",\"");
    if (!colon || sscanf(colon + 3, "%lf", &rate) != 1)
        rate = 0;
    party_end(&monitor);
    return rate;
}
