// givers.h - bodies that give more than one value: what the stories of several results and of
// streams are played with.

#ifndef MOBULA_TESTS_GIVERS_H
#define MOBULA_TESTS_GIVERS_H

#include "mobula/contract.h"

MOB_TASK(three, tuple((i64, first), (str, second), (i64, third)), (i64, n)); // n below 0: fails
MOB_TASK(nop, nil);

// many i64 -> several: as many as its argument says, 0, 1, 2, ...; the last one goes with the return
#define MANY_SIGNATURE "many i64 -> several"
// heavy i64 -> several: each of 100,000 bytes
#define HEAVY_SIGNATURE "heavy i64 -> several"

// Streams. Each tells the test by a byte when it has made an item, before it gives it.
MOB_TASK(count, stream(i64), (i64, n), (i64, ms));        // 0, 1, ... n-1, ms between two of them
MOB_TASK(numbers, stream(i64), (i64, n));                 // the same, and no byte
MOB_TASK(broken, stream(i64), (i64, n));                  // fails with 42 behind n items
MOB_TASK(pids, stream(i64), (i64, n));                    // its process, n times
MOB_TASK(stumbling, stream(i64), (i64, n), (i64, fatal)); // its first run kills itself behind so many
MOB_TASK(endless, stream(i64));                           // a byte to the test when it comes home
MOB_TASK(sum_of, i64, (i64, n));                          // of the items of numbers
MOB_TASK(lumps, stream(bytes), (i64, n), (i64, size)); // every third one of so many bytes, others of 5
MOB_TASK(slot, i64, (i64, n));                         // gives n

#define PAIRS(METHOD)                                                         \
    METHOD(pairs, swap, tuple((i64, left), (i64, right)), (i64, a), (i64, b)) \
    METHOD(pairs, die, tuple((i64, left), (i64, right)))                      \
    METHOD(pairs, endless, stream(i64))                                       \
    METHOD(pairs, pids, stream(i64), (i64, n))
MOB_ACTOR(pairs, PAIRS);

extern const mob_def_t giver_defs[]; // ends with a NULL name

#endif
