// spawner.h - a process of its own, forked before any ZeroMQ context exists, so that it may fork
// workers in a millisecond: it has one thread and touches no socket but the one to its host. It
// reaps what it forked, kills what is left of a worker's process group, hands on what workers
// print, and ends with its host, as they end with it. Never speaks to the broker.

#ifndef MOBULA_ACTORS_SPAWNER_H
#define MOBULA_ACTORS_SPAWNER_H

#include <sys/types.h>

#include "mobula/types.h"
#include "verbs.h"

enum { SPAWNER_LOG = 2048, SPAWNER_LINES = 10 }; // what is kept of a worker's output

// Runs in the forked worker; gives its exit code.
typedef int(spawner_main_fn)(void *arg, uint64_t worker, enum wire_start kind);

typedef struct spawner {
    int fd; // readable when spawner_read() has something
    pid_t pid;
} spawner_t;

typedef struct spawner_report { // a worker ended, or could not be started
    uint64_t worker;
    enum wire_cause cause; // CRASH, EXIT, KILL, OOM, SETUP
    int pid, status;       // as waitpid() gives it
    uint32_t log_size;
    char log[SPAWNER_LOG]; // the last lines of its output
} spawner_report_t;

// Fork it. The calling process must still have one thread, and its signals blocked as it wants
// them. workers get the signal mask given. MOB_ESETUP: errno says why.
mob_err_t spawner_fork(spawner_t *self, spawner_main_fn *run, void *arg, const void *worker_mask);

// Orders; any thread. False: the spawner is gone.
bool spawner_start(spawner_t *self, uint64_t worker, enum wire_start kind);
bool spawner_kill(spawner_t *self, uint64_t worker); // 0: all
bool spawner_signal(spawner_t *self, int signal);    // to every worker

typedef enum spawner_news { SPAWNER_NOTHING, SPAWNER_REPORT, SPAWNER_GONE } spawner_news_t;
spawner_news_t spawner_read(spawner_t *self, spawner_report_t *out); // does not wait

// Kills every worker, waits until all of it is gone.
void spawner_end(spawner_t *self);

#endif
