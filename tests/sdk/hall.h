// hall.h - an actor whose bodies run at once, behind a lock of their own.

#ifndef MOBULA_TESTS_SDK_HALL_H
#define MOBULA_TESTS_SDK_HALL_H

#include "mobula/contract.h"

#define HALL(METHOD)                                             \
    METHOD(hall, meet, i64, (i64, n)) /* until n are here */     \
    METHOD(hall, nap, i64, (i64, ms))                            \
    METHOD(hall, most, i64) /* at once, until now */             \
    METHOD(hall, stay, i64) /* until somebody leaves */          \
    METHOD(hall, leave, nil)                                     \
    METHOD(hall, same, i64, (i64, n))                            \
    METHOD(hall, until_told, i64, (i64, ms))                     \
    METHOD(hall, sum, i64, (i64, n))     /* of n nested calls */ \
    METHOD(hall, hand_on, i64, (i64, n)) /* a failure */         \
    METHOD(hall, keep, nil, (ref, what))                         \
    METHOD(hall, size, i64) /* of what is kept */                \
    METHOD(hall, read, i64, (ref, what))                         \
    METHOD(hall, later, i64, (i64, n))                           \
    METHOD(hall, threads, i64)                                   \
    METHOD(hall, die, nil)
MOB_ACTOR(hall, HALL);

MOB_TASK(fails, i64, (i64, n));

extern const mob_def_t hall_defs[]; // ends with a NULL name

#endif
