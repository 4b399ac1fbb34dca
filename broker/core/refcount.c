// refcount.c - see refcount.h. Refs are kept by id, never by pointer. Frees nothing itself, so that a chain of values that
// contain each other is walked, not recursed into.

#include "refcount.h"

#include <assert.h>
#include <stdlib.h>

#include "actor.h"
#include "borrow.h"
#include "call.h"
#include "inner.h"
#include "internal.h"
#include "outcome.h"
#include "session.h"
#include "unmet.h"

// ---- Counts -------------------------------------------------------------------------------------

void refcount_take(call_t *call)
{
    call->holds++;
}

void refcount_give(core_t *core, mob_ref_t ref)
{
    call_t *call = call_find(core, ref);
    if (!call)
        return;
    assert(call->holds > 0);
    if (--call->holds > 0 || !call->dropped)
        return;
    if (!reflist_add(&core->loose, ref))
        outcome_drop(core, call); // no memory: at once, however deep
}

// What is held again by now stays. The list grows while it is walked: values let go of what they contain.
void refcount_sweep(core_t *core)
{
    for (uint32_t i = 0; i < core->loose.count; i++) {
        call_t *call = call_find(core, core->loose.refs[i]);
        if (call && call->holds == 0)
            outcome_drop(core, call);
    }
    reflist_fini(&core->loose);
}

// ---- Refs inside a payload ----------------------------------------------------------------------

static bool reserve(core_t *core, reflist_t *carried, uint32_t more)
{
    uint32_t before = carried->room;
    bool good = reflist_reserve(carried, more);
    core->count.bytes += (carried->room - before) * sizeof *carried->refs;
    return good;
}

bool refcount_one(core_t *core, reflist_t *carried, mob_ref_t ref)
{
    call_t *call = call_find(core, ref);
    if (!call)
        return true; // gone, or of another broker: a ref keeps nothing that is not there
    if (!reserve(core, carried, 1))
        return false;
    reflist_add(carried, ref);
    refcount_take(call);
    return true;
}

static bool is_here_or_noted(core_t *core, const call_t *call, mob_ref_t ref, const session_t *from)
{
    if (call_find(core, ref))
        return true;
    unmet_note(core, (unmet_t){ref, call->id, from ? from->owner : 0});
    return false;
}

// But its own: what holds itself would never go. from: who made the value; NULL: arguments.
static bool carry(core_t *core, const call_t *call, reflist_t *carried, loads_t inner,
                  const session_t *from)
{
    mob_ref_t ref;
    if (!reserve(core, carried, inner_total(inner)))
        return false;
    for (inner_walk_t walk = inner_walk(inner); inner_next(&walk, &ref);)
        if (!mob_same(ref, call->id) && is_here_or_noted(core, call, ref, from))
            refcount_one(core, carried, ref);
    return true;
}

void refcount_copy(core_t *core, reflist_t *to, const reflist_t *from)
{
    for (uint32_t i = 0; i < from->count; i++)
        refcount_one(core, to, from->refs[i]);
}

void refcount_let_go(core_t *core, reflist_t *carried)
{
    for (uint32_t i = 0; i < carried->count; i++)
        refcount_give(core, carried->refs[i]);
    core->count.bytes -= carried->room * sizeof *carried->refs;
    reflist_fini(carried);
}

// ---- Of a call ----------------------------------------------------------------------------------

bool refcount_arguments(core_t *core, call_t *call, loads_t inner)
{
    return inner.count == 0 ||
           (call_extra(call) && carry(core, call, &call->extra->args, inner, NULL));
}

void refcount_end_arguments(core_t *core, call_t *call)
{
    call_extra_t *extra = call->extra;
    for (uint32_t i = 0; i < extra->dep_count; i++) {
        refcount_give(core, extra->deps[i]);
        blob_drop(&extra->values[i]);
    }
    free(extra->deps);
    free(extra->values);
    extra->deps = NULL;
    extra->values = NULL;
    extra->dep_count = 0;
    refcount_let_go(core, &extra->args);
}

bool refcount_value(core_t *core, call_t *call, loads_t inner)
{
    return inner.count == 0 ||
           (call_extra(call) && carry(core, call, &call->extra->value, inner, call->owner));
}

bool refcount_inside(core_t *core, const call_t *call, reflist_t *carried, loads_t inner,
                     session_t *from)
{
    if (inner.count == 0)
        return true;
    if (!carry(core, call, carried, inner, from))
        return false;
    refcount_bequeath(core, from, call->owner, carried);
    return true;
}

bool refcount_result(core_t *core, call_t *call, session_t *from, loads_t inner)
{
    return inner.count == 0 ||
           (call_extra(call) && refcount_inside(core, call, &call->extra->value, inner, from));
}

// ---- Who owns it --------------------------------------------------------------------------------

// What the heir gets brings along what it holds itself: that is added to more.
static void bequeath(core_t *core, session_t *from, session_t *to, mob_ref_t ref, reflist_t *more)
{
    call_t *call = call_find(core, ref);
    if (!call || call->owner != from || borrow_is_kept(from, ref))
        return;
    session_hand_over(call, to);
    if (call->kind == CALL_MAKING && !call->actor->detached)
        actor_belongs(call->actor, to);
    call->dropped = true; // the heir has not asked for it by itself: the value holds it
    if (call->extra)
        reflist_add(more, ref);
}

static void bequeath_all(core_t *core, session_t *from, session_t *to, const mob_ref_t *refs,
                         uint32_t count, reflist_t *more)
{
    for (uint32_t i = 0; i < count; i++)
        bequeath(core, from, to, refs[i], more);
}

void refcount_bequeath(core_t *core, session_t *from, session_t *to, const reflist_t *refs)
{
    reflist_t more = {0};
    if (from == to)
        return;
    bequeath_all(core, from, to, refs->refs, refs->count, &more);
    for (uint32_t i = 0; i < more.count; i++) {
        const call_extra_t *extra = call_find(core, more.refs[i])->extra;
        bequeath_all(core, from, to, extra->args.refs, extra->args.count, &more);
        bequeath_all(core, from, to, extra->value.refs, extra->value.count, &more);
        bequeath_all(core, from, to, extra->deps, extra->dep_count, &more);
    }
    reflist_fini(&more);
}
