// givers.h - bodies that give more than one value: what the stories of several results are played
// with.

#ifndef MOBULA_TESTS_GIVERS_H
#define MOBULA_TESTS_GIVERS_H

#include "mobula/contract.h"

MOB_TASK(three, tuple((i64, first), (str, second), (i64, third)), (i64, n)); // n below 0: fails
MOB_TASK(nop, nil);

// many i64 -> several: as many as its argument says, 0, 1, 2, ...; the last one goes with the return
#define MANY_SIGNATURE "many i64 -> several"
// heavy i64 -> several: each of 100,000 bytes
#define HEAVY_SIGNATURE "heavy i64 -> several"

#define PAIRS(METHOD)                                                         \
    METHOD(pairs, swap, tuple((i64, left), (i64, right)), (i64, a), (i64, b)) \
    METHOD(pairs, die, tuple((i64, left), (i64, right)))
MOB_ACTOR(pairs, PAIRS);

extern const mob_def_t giver_defs[]; // ends with a NULL name

#endif
