// failure.h - the record of a failure, as it travels: the value of an ANSWER whose code is not 0.
// One MessagePack array of the fields below, in order; more may follow.

#ifndef MOBULA_WIRE_FAILURE_H
#define MOBULA_WIRE_FAILURE_H

#include "value.h"

enum {
    FAILURE_FULL_MS = 100
}; // where there is no room: whoever asks again sooner only asks more often

typedef struct failure {
    mob_err_t err;
    uint32_t executed; // mob_executed_t: 0 no, 1 maybe, 2 yes
    const char *why;   // reason in one word, "MAILBOX"; ""
    int64_t code;      // of MOB_ETASK: the application's
    uint32_t attempts; // runs begun
    mob_ref_t cause;   // the failed ref this comes from
    mob_err_t root;    // the code at the bottom of the chain
    uint32_t retry_after_ms;
    const char *host;     // where it ran
    uint32_t pid, status; // of the process that was lost, as waitpid() gives it
    const char *reason;   // one sentence for people
    const char *trace;    // where: a line a body, innermost first
    const char *log;      // last lines of a lost process
    mob_ref_t origin;     // the failed ref at the bottom of the chain; none: there is no chain
    mob_actor_t actor;    // whose call it was; zeros: a task's
} failure_t;

// Make it the consequence of another one, which ref failed with.
static inline void failure_follow(failure_t *self, mob_ref_t ref, const failure_t *cause)
{
    self->cause = ref;
    self->root = cause->root ? cause->root : cause->err;
    self->origin = mob_is_none(cause->origin) ? ref : cause->origin;
}

bool failure_pack(pack_t *out, const failure_t *self); // NULL texts are ""; each cut at MOB_TEXT_MAX
bool failure_unpack(load_t load, arena_t *arena, failure_t *out); // texts copied into arena

#endif
