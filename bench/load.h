// load.h - one caller's part of a measurement: waits for the word, keeps a window of requests in
// flight, checks every reply, and prints one line. The same for every system that is measured.

#ifndef MOBULA_BENCH_LOAD_H
#define MOBULA_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOAD_PAYLOAD = 100, LOAD_WINDOW_MAX = 65536 };

typedef struct load {
    uint64_t count, window; // window 1: one at a time, each timed
    const char *address;
    uint64_t number;  // of this caller, from 0
    const char *what; // a word of the system's own: "calls", "tasks"
} load_t;

typedef struct load_system {
    void *(*open)(const load_t *load); // connect, find the other end; NULL: failed, said on stderr
    void (*send)(void *self, uint64_t i); // start request i with LOAD_PAYLOAD bytes
    bool (*take)(void *self, uint64_t i); // wait for reply i; false: lost or wrong
    void (*close)(void *self);
} load_system_t;

// A payload: its request's number, then the same bytes for every request of one caller.
void load_make(char payload[LOAD_PAYLOAD], const load_t *load);
void load_mark(char payload[LOAD_PAYLOAD], uint64_t i);
// Is this an answer to some request of the caller that made payload? Gives which.
bool load_check(const char payload[LOAD_PAYLOAD], const void *data, size_t size, uint64_t *i);

// main() of a caller: COUNT WINDOW ADDRESS NUMBER WHAT. Prints "ready", waits for a line on stdin,
// works, prints "SECONDS P50_US P99_US BAD". Gives the exit status.
int load_main(int argc, char **argv, const load_system_t *system);

double load_now(void);                                             // seconds, monotonic
double load_percentile(double *values, size_t count, double part); // sorts; 0 of none

#endif
