// demo_bodies.h - the contract of the bodies that demo and bench bring along, and the hidden host
// mode of this program that runs them.

#ifndef MOBULA_TOOLS_DEMO_BODIES_H
#define MOBULA_TOOLS_DEMO_BODIES_H

#include "mobula/contract.h"

#define DEMO_HOST "--demo-host" // mobula --demo-host [flags of mob_main]

// The words that begin in size bytes from offset on, counted as `wc -w` does in the C locale:
// parted by white space. printable: only those with a printable character in them, as some versions
// of wc do. Gives [words, word, count, word, count, ...].
MOB_TASK(census_file, any, (str, path), (i64, offset), (i64, size), (flag, printable));

MOB_TASK(count_words, i64, (str, path)); // of a whole file

// Gathers; gives the words so far, and the most frequent ones: [words, distinct, word, count, ...].
#define TALLY(METHOD)                      \
    METHOD(tally, add, i64, (any, census)) \
    METHOD(tally, top, any, (i64, most))
MOB_ACTOR(tally, TALLY);

// What bench calls: both give their argument back.
MOB_TASK(bench_echo, bytes, (bytes, data));
#define BENCH_PEER(METHOD) METHOD(bench_peer, echo, bytes, (bytes, data))
MOB_ACTOR(bench_peer, BENCH_PEER);

int demo_host(int argc, char **argv);

#endif
