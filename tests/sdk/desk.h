// desk.h - an actor that puts answers off: they come from another call, a thread, a callback, or never.

#ifndef MOBULA_TESTS_SDK_DESK_H
#define MOBULA_TESTS_SDK_DESK_H

#include "mobula/contract.h"

#define DESK(METHOD)                                      \
    METHOD(desk, ask, i64, (i64, n))                      \
    METHOD(desk, ask_by_thread, i64, (i64, n))            \
    METHOD(desk, ask_and_fail, i64, (i64, code))          \
    METHOD(desk, answer, i64) /* gives how many waited */ \
    METHOD(desk, refuse, i64, (i64, code), (str, text))   \
    METHOD(desk, answer_twice, i64) /* how many twice */  \
    METHOD(desk, waiting, i64)                            \
    METHOD(desk, by_callback, i64, (i64, n))              \
    METHOD(desk, never, nil) /* a callback that waits */  \
    METHOD(desk, log, str)                                \
    METHOD(desk, threads, i64) /* of its process */       \
    METHOD(desk, leave, i64)                              \
    METHOD(desk, die, i64)
MOB_ACTOR(desk, DESK);

MOB_TASK(ask_here, i64, (i64, n));
MOB_TASK(twice, i64, (i64, n));

extern const mob_def_t desk_defs[]; // ends with a NULL name

enum { DESK_THREADS_MAX = 200 }; // that one desk answers from

int64_t threads_here(void);     // of this process
int64_t desk_open(desk_h desk); // how many wait for its answer

#endif
