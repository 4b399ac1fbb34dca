// once.h - calls with a key: all of a namespace that have the same one share a run and its outcome, until a while
// after it has settled.

#ifndef MOBULA_ONCE_H
#define MOBULA_ONCE_H

#include "state.h"

// Of a call that says this key, before it waits for anything. actor: whose method, or none. True: it is the first and
// is to run; false: it shares the run of another, or asks for something else under its key and was refused.
bool once_enter(core_t *core, call_t *call, mob_bytes_t key, mob_ref_t actor, refs_t deps);

// The first one has its outcome, or goes without: if its body never began, the next one may run.
void once_settled(core_t *core, call_t *call);
void once_forget(core_t *core, call_t *call);

// For check.c, the refs inside the kept outcomes: *at begins with NULL; NULL: no more.
const reflist_t *once_next(const core_t *core, const once_t **at);

void once_beat(core_t *core); // those kept for long enough go
void once_fini(core_t *core);

#endif
