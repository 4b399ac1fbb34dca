// kin.h - bodies that call and make each other, and actors that end in many ways: what the stories of names, ends
// and far refs are played with.

#ifndef MOBULA_TESTS_KIN_H
#define MOBULA_TESTS_KIN_H

#include "mobula/contract.h"

MOB_TASK(await_it, i64, (ref, what));                        // its value
MOB_TASK(count_up, i64, (actor, kin), (i64, who), (i64, n)); // notes 1 to n; gives its pid
MOB_TASK(ask_and_die, i64, (actor, kin)); // its first run dies once it has its answer
MOB_TASK(family, actor);                  // makes an actor that sends out another: that one
MOB_TASK(size_of, i64, (ref, what), (i64, after)); // so many bytes; after: only waited for
MOB_TASK(refuse, i64, (bytes, what));              // fails with 42

#define KIN(METHOD)                                      \
    METHOD(kin, add, i64, (i64, n))                      \
    METHOD(kin, note, i64, (i64, who), (i64, number))    \
    METHOD(kin, pid, i64)                                \
    METHOD(kin, incarnation, i64)                        \
    METHOD(kin, until_told, i64, (i64, ms))              \
    METHOD(kin, die, i64)                                \
    METHOD(kin, pass, i64, (actor, next), (actor, last)) \
    METHOD(kin, bear, actor, (flag, detached))           \
    METHOD(kin, send_out, actor)                         \
    METHOD(kin, keep, i64, (ref, what))                  \
    METHOD(kin, hoard, ref, (i64, size))                 \
    METHOD(kin, look, i64)                               \
    METHOD(kin, let_go, i64)                             \
    METHOD(kin, befriend, i64, (ref, box))               \
    METHOD(kin, ask, i64, (i64, n))                      \
    METHOD(kin, fork_one, i64)                           \
    METHOD(kin, hang_in_fini, i64)
// What it bears stays its own, what it sends out does not. keep and hoard hold a ref until let_go, befriend the handle in box.
// start below 0: fails with "oops". Incarnations after the first take so long to construct.
MOB_ACTOR(kin, KIN, (i64, start), (i64, again_ms));

extern const mob_def_t kin_defs[]; // with tasks of crew.h; ends with a NULL name

#endif
