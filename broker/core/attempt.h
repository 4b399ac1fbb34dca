// attempt.h - the runs of calls, one by one, as the flight recorder remembers them. Reads only.

#ifndef MOBULA_ATTEMPT_H
#define MOBULA_ATTEMPT_H

#include "state.h"

enum { ATTEMPT_RECORDS_MAX = 100000 }; // of the recorder, the newest: so long a question may take

typedef struct attempt {
    mob_ref_t ref;
    uint32_t name;  // of the signature
    uint32_t place; // name of the worker, or of the actor
    uint32_t number;
    int64_t begun; // a method's first: when it was asked for
    int64_t ended; // 0: it runs
    mob_err_t code;
    const char *state; // running, done, failed, cancelled
} attempt_t;

typedef void(attempt_fn)(void *arg, const attempt_t *attempt);

// Each of every call, the calls that were heard of last first. False: no memory.
bool attempt_each(const core_t *core, attempt_fn *each, void *arg);

// When the run in hand began; of a method's first, when it was asked for; what the recorder forgot began now.
int64_t attempt_begun(const core_t *core, const call_t *call);

#endif
