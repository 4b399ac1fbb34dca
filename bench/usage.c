// usage.c - see usage.h. Owns nothing.

#include "usage.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES_MAX = 4096, STAT_SIZE = 1024 };

typedef struct process {
    pid_t pid, parent;
    unsigned long user, kernel; // ticks
} process_t;

static bool read_process(const char *name, process_t *out)
{
    char path[300], text[STAT_SIZE];
    snprintf(path, sizeof path, "/proc/%s/stat", name);
    FILE *file = fopen(path, "r");
    if (!file)
        return false; // it has ended meanwhile
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const char *after = strrchr(text, ')'); // of the name, which may hold anything
    return after && sscanf(text, "%d", &out->pid) == 1 &&
           sscanf(after + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &out->parent,
                  &out->user, &out->kernel) == 3;
}

static int read_all(process_t *out)
{
    DIR *directory = opendir("/proc");
    int count = 0;
    for (struct dirent *entry; directory && count < PROCESSES_MAX && (entry = readdir(directory));)
        if (isdigit((unsigned char)entry->d_name[0]) && read_process(entry->d_name, &out[count]))
            count++;
    if (directory)
        closedir(directory);
    return count;
}

static bool is_one_of(pid_t pid, const pid_t *roots, int count)
{
    for (int i = 0; i < count; i++)
        if (roots[i] == pid && pid > 0)
            return true;
    return false;
}

static pid_t parent_of(pid_t pid, const process_t *all, int count)
{
    for (int i = 0; i < count; i++)
        if (all[i].pid == pid)
            return all[i].parent;
    return 0;
}

double usage_seconds(const pid_t *roots, int count)
{
    static process_t all[PROCESSES_MAX];
    int known = read_all(all);
    unsigned long ticks = 0;
    for (int i = 0; i < known; i++) {
        pid_t at = all[i].pid;
        while (at > 0 && !is_one_of(at, roots, count))
            at = parent_of(at, all, known);
        if (at > 0)
            ticks += all[i].user + all[i].kernel;
    }
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}
