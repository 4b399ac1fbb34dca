// stage.c - see stage.h. Owns the directory; never starts a process.

#include "stage.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "party.h"

enum { LOG_SHOWN = 2000, LEVELS_MAX = 8 };

static char directory[64], log_path[STAGE_PATH];

static void interrupted(int signal_number)
{
    (void)signal_number; // the wait that it ended fails, and that ends the measurement
}

bool stage_open(void)
{
    struct sigaction action = {.sa_handler = interrupted};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    snprintf(directory, sizeof directory, "/tmp/mobula-bench-XXXXXX");
    if (!mkdtemp(directory)) {
        perror(directory);
        return false;
    }
    stage_path(log_path, "log");
    return setenv("XDG_RUNTIME_DIR", directory, 1) == 0;
}

void stage_path(char out[STAGE_PATH], const char *name)
{
    snprintf(out, STAGE_PATH, "%s/%s", directory, name);
}

const char *stage_log(void)
{
    return log_path;
}

static void show_log(void)
{
    char text[LOG_SHOWN + 1];
    FILE *file = fopen(log_path, "r");
    if (!file)
        return;
    fseek(file, 0, SEEK_END);
    fseek(file, ftell(file) > LOG_SHOWN ? -(long)LOG_SHOWN : -ftell(file), SEEK_END);
    text[fread(text, 1, LOG_SHOWN, file)] = '\0';
    fclose(file);
    fprintf(stderr, "bench: the processes' last words:\n%s", text);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

int stage_close(bool good)
{
    party_end_all();
    if (!good)
        show_log();
    if (nftw(directory, remove_one, LEVELS_MAX, FTW_DEPTH | FTW_PHYS) != 0)
        perror(directory);
    return good ? 0 : 1;
}
