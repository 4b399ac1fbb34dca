// demo_bodies.h - the contract of the bodies that demo and bench bring along, and the hidden host mode
// of this program that runs them.

#ifndef MOBULA_TOOLS_DEMO_BODIES_H
#define MOBULA_TOOLS_DEMO_BODIES_H

#include "mobula/contract.h"

#define DEMO_HOST "--demo-host" // mobula --demo-host [flags of mob_main]

// Words of a file as `wc -w` counts them in the C locale, its size, and the words themselves with how
// often each stands there: [words, bytes, word, count, word, count, ...].
MOB_TASK(census_file, any, (str, path));

// The same words alone.
MOB_TASK(count_words, i64, (str, path));

// Gathers. add: words so far. top: [words, bytes, files, word, count, ...] of the most frequent ones.
#define TALLY(METHOD)                                                                              \
    METHOD(tally, add, i64, (any, census))                                                         \
    METHOD(tally, top, any, (i64, most))
MOB_ACTOR(tally, TALLY);

// What bench calls: gives its argument back.
MOB_TASK(bench_echo, bytes, (bytes, data));
#define BENCH_PEER(METHOD) METHOD(bench_peer, echo, bytes, (bytes, data))
MOB_ACTOR(bench_peer, BENCH_PEER);

int demo_host(int argc, char **argv);

#endif
