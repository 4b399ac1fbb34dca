// refcount.h - what keeps an object besides its owner: unfinished calls that have it as an argument, values that
// contain its ref, sessions that borrowed it (borrow.h). call->holds is the number of them.

#ifndef MOBULA_REFCOUNT_H
#define MOBULA_REFCOUNT_H

#include "state.h"

void refcount_take(call_t *call);
void refcount_give(core_t *core,
                   mob_ref_t ref); // when it was the last, the record goes with refcount_sweep()
void refcount_sweep(core_t *core); // the end of a turn

// Hold what a ref names; one that names nothing is left out. False: no memory.
bool refcount_one(core_t *core, reflist_t *carried, mob_ref_t ref);
void refcount_copy(core_t *core, reflist_t *to, const reflist_t *from); // as far as there is memory
void refcount_let_go(core_t *core, reflist_t *carried);

// Of a call: what is inside its arguments. End: it needs them no more, nor the values it waited for.
bool refcount_arguments(core_t *core, call_t *call, loads_t inner);
void refcount_end_arguments(core_t *core, call_t *call);

// What is inside an item of a call's. False: no memory.
bool refcount_inside(core_t *core, const call_t *call, reflist_t *carried, loads_t inner,
                     session_t *from);

// Of a call that is about to settle: what its value contains. What of that belongs to from then belongs to the
// owner of the value: a worker may end and leave it behind. False: no memory.
bool refcount_result(core_t *core, call_t *call, session_t *from, loads_t inner);
bool refcount_value(core_t *core, call_t *call, loads_t inner); // what stays with its owner
void refcount_bequeath(core_t *core, session_t *from, session_t *to, const reflist_t *refs);

static inline bool refcount_carries(const call_t *call) // its value contains refs
{
    return call->extra && call->load && call->extra->value.count > 0;
}

#endif
