// child.h - one worker process as the spawner sees it: its output and how it ended. Used in the
// spawner's process alone.

#ifndef MOBULA_ACTORS_CHILD_H
#define MOBULA_ACTORS_CHILD_H

#include <signal.h>

#include "spawner.h"

typedef struct child {
    uint64_t worker;
    pid_t pid;
    int output;    // read end of the pipe of its stdout and stderr; -1: closed
    bool killed;   // by order
    uint32_t size; // of log
    uint32_t said; // of log, handed on already
    char log[2 * SPAWNER_LOG];
} child_t;

typedef struct child_setup { // what a new worker is made with
    spawner_main_fn *run;
    void *arg;
    sigset_t mask;
    int orders, signals; // of the spawner, closed in the child
    child_t **siblings;  // whose output it must not hold open
    size_t sibling_count;
} child_setup_t;

// Fork. In the child it does not return. False: errno says why.
bool child_fork(child_t *self, uint64_t worker, enum wire_start kind, const child_setup_t *setup);

// Read what it wrote, hand whole lines on to stderr. last: it has ended, all of it.
void child_output(child_t *self, bool last);
// What is known of its end. oom: the kernel has killed somebody for memory lately.
void child_report(const child_t *self, int status, bool oom, spawner_report_t *out);

// How many processes the kernel has killed for memory, here or on the machine. A hint only.
unsigned long child_oom_kills(void);

#endif
