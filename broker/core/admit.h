// admit.h - the door for requests: one at a time, in sequence, each once.

#ifndef MOBULA_ADMIT_H
#define MOBULA_ADMIT_H

#include "state.h"

// The record of a new request, or NULL: seen before (answered), beyond a gap (ACCEPT says where we are), or no memory.
call_t *admit(core_t *core, session_t *session, uint64_t seq, call_kind_t kind, const load_t *load);

// The same of a SUBMIT or CALL, which takes as many refs as its wishes say, which are read into own. NULL also:
// it was refused and settled.
call_t *admit_call(core_t *core, session_t *session, uint64_t seq, call_kind_t kind,
                   const load_t *load, opts_field_t wishes, opts_t *own);

// Of one that makes no record: whether it is the next of its session. Else ACCEPT says again where we are.
bool admit_next(core_t *core, session_t *session, uint64_t seq);

// A request whose fields are wrong is admitted and settled as failed, so that later ones pass.
void admit_malformed(core_t *core, session_t *session, uint64_t seq, mob_err_t code,
                     const char *text);

// Each false: it may not enter, and is settled; of admit_parent(): no memory.
bool admit_work(core_t *core, session_t *session, call_t *call, mob_ref_t parent);
bool admit_deps(core_t *core, call_t *call, refs_t deps);
bool admit_inner(core_t *core, call_t *call, loads_t inner); // refs inside its arguments
bool admit_parent(call_t *call, mob_ref_t parent);

void admit_options(core_t *core, call_t *call, const opts_t *own, const opts_t *defaults,
                   int64_t retries);
bool admit_place(core_t *core, call_t *call, const opts_t *own, def_t *def);

void admit_defaults(core_t *core, call_t *call,
                    def_t *def); // of a task that came before its definition was known
bool admit_is_old(const core_t *core, uint64_t epoch); // first sent under an earlier broker

enum { RETRIES_TASK = 3 };

#endif
