// fault.h - faults on purpose, for tests: MOBULA_FAULT=drop_notice=N%,drop=N%,
// double=N%,break=N%. Only a
// build with MOB_FAULTS obeys; any other refuses to start when the variable is set. What landed is
// added to the file MOBULA_FAULT_TALLY, for who runs a test with faults and must know that they
// were there.

#ifndef MOBULA_FAULT_H
#define MOBULA_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mobula/types.h"

typedef struct fault {
    uint32_t drop_notice; // per cent of announcements: whole messages of the notices socket, and
                          // (by the core) those on the calls socket that nobody asked for
    uint32_t drop;        // per cent of messages of the calls socket, both ways
    uint32_t doubled;     // per cent of messages received are handled twice
    uint32_t breaks; // per cent of messages of the calls socket are lost as ZeroMQ loses them: with all that
                     // follows, until its peer says HELLO again
    uint64_t seed, dropped_notices, dropped, doubles, broken; // what landed
    uint64_t untold; // outcomes that the core did not announce; known at the end
} fault_t;

// From the environment. MOB_EARGS with a sentence in why: not understood, or this build has no
// faults.
mob_err_t fault_load(fault_t *self, char *why, size_t size);

#ifdef MOB_FAULTS
static inline bool fault_may(uint32_t percent)
{
    return percent > 0;
}
bool fault_hits(fault_t *self, uint32_t percent);
void fault_tally(const fault_t *self); // at the end: one line
#else
static inline bool fault_may(uint32_t percent)
{
    (void)percent;
    return false;
}
static inline bool fault_hits(fault_t *self, uint32_t percent)
{
    (void)self;
    (void)percent;
    return false;
}
static inline void fault_tally(const fault_t *self)
{
    (void)self;
}
#endif

#endif
