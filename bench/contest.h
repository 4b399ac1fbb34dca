// contest.h - the systems that are compared, on one transport: their brokers and workers, started
// once, and one load on one of them at a time.

#ifndef MOBULA_BENCH_CONTEST_H
#define MOBULA_BENCH_CONTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "party.h"

enum { CONTEST_PAIRS = 4, CONTEST_ADDRESS = 384 };

typedef enum rival { MOBULA, ZMQ, NATS, RIVALS } rival_t;

typedef struct contest_options {
    uint64_t calls, sync_calls, window, slots;
    const char *bin, *peers, *mobula; // directories of callers and baselines; the command
} contest_options_t;

typedef struct contest {
    bool local;            // ipc, else tcp over loopback; NATS has nothing but tcp
    const char *directory; // of our sockets, in the stage's: "other/"; NULL: the stage's itself
    char address[RIVALS][CONTEST_ADDRESS];
    party_t servers[RIVALS], hosts[RIVALS][CONTEST_PAIRS + 1];
    int host_count[RIVALS];
} contest_t;

typedef struct contest_load {
    int pairs;
    bool sync;        // one at a time
    const char *what; // the caller's word
} contest_load_t;

typedef struct contest_result {
    double rate;     // calls a second of all callers together
    double p50, p99; // us, one at a time
    double cpu;      // us of processor time for each call, of all processes of the rival
} contest_result_t;

bool contest_start(contest_t *self, const contest_options_t *options); // local is set
bool contest_start_one(contest_t *self, const contest_options_t *options, rival_t rival);
bool contest_run(const contest_t *self, const contest_options_t *options, rival_t rival,
                 const contest_load_t *load, contest_result_t *out);

#endif
