// borrow.c - see borrow.h. Owns the table of each session. A ref that names nothing is not borrowed: nothing is kept by
// it. But what it names may come yet: unmet.h.

#include "borrow.h"

#include <stdlib.h>

#include "admit.h"
#include "call.h"
#include "inner.h"
#include "refcount.h"
#include "internal.h"
#include "session.h"
#include "unmet.h"

static borrow_t *borrow_find(const session_t *session, mob_ref_t ref)
{
    borrow_t *borrow = NULL;
    if (session->borrows)
        HASH_FIND(hh, session->borrows, &ref, sizeof ref, borrow);
    return borrow;
}

static borrow_t *borrow_new(core_t *core, session_t *session, mob_ref_t ref)
{
    call_t *call = call_find(core, ref);
    bool noted = !call && unmet_note(core, (unmet_t){.ref = ref, .holder = {session->owner, 0}});
    borrow_t *borrow = call || noted ? calloc(1, sizeof *borrow) : NULL;
    if (!borrow)
        return NULL;
    borrow->ref = ref;
    borrow->counted = call != NULL;
    if (call)
        refcount_take(call);
    HASH_ADD(hh, session->borrows, ref, sizeof borrow->ref, borrow);
    core->count.bytes += sizeof *borrow;
    return borrow;
}

static void add(core_t *core, session_t *session, mob_ref_t ref, bool kept)
{
    borrow_t *borrow = borrow_find(session, ref);
    if (!borrow)
        borrow = borrow_new(core, session, ref);
    if (borrow)
        borrow->kept |= kept;
}

void borrow_keep(core_t *core, session_t *session, const message_t *message)
{
    refs_t refs = message->keep.refs;
    if (!admit_next(core, session, message->keep.seq))
        return;
    while (refs.count > 0)
        add(core, session, refs_next(&refs), false);
}

void borrow_kept(core_t *core, session_t *session, loads_t inner)
{
    load_t kept = inner_kept(inner);
    for (uint32_t i = 0; i < inner_count(kept); i++)
        add(core, session, inner_at(kept, i), true);
}

static void end(core_t *core, session_t *session, borrow_t *borrow)
{
    HASH_DEL(session->borrows, borrow);
    if (borrow->counted)
        refcount_give(core, borrow->ref);
    core->count.bytes -= sizeof *borrow;
    free(borrow);
}

bool borrow_drop(core_t *core, session_t *session, mob_ref_t ref)
{
    borrow_t *borrow = borrow_find(session, ref);
    if (borrow)
        end(core, session, borrow);
    return borrow != NULL;
}

void borrow_drop_among(core_t *core, session_t *session, mob_ref_t first, uint64_t count)
{
    borrow_t *borrow, *next;
    HASH_ITER(hh, session->borrows, borrow, next)
    {
        if (borrow->ref.owner == first.owner && borrow->ref.seq - first.seq < count)
            end(core, session, borrow);
    }
}

void borrow_drop_all(core_t *core, session_t *session)
{
    while (session->borrows)
        end(core, session, session->borrows);
}

bool borrow_is_kept(const session_t *session, mob_ref_t ref)
{
    const borrow_t *borrow = borrow_find(session, ref);
    return borrow && borrow->kept;
}

static bool names(const reflist_t *list, mob_ref_t ref)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (mob_same(list->refs[i], ref))
            return true;
    return false;
}

// Among its arguments, or in a value that stands in the place of one.
static bool has_argument(const core_t *core, const call_extra_t *extra, mob_ref_t ref)
{
    if (names(&extra->args, ref))
        return true;
    for (uint32_t i = 0; i < extra->dep_count; i++) {
        const call_t *dep = call_find(core, extra->deps[i]);
        if (dep && dep->extra && names(&dep->extra->value, ref))
            return true;
    }
    return false;
}

static bool runs_with(const core_t *core, const worker_t *worker, mob_ref_t ref)
{
    const call_t *call;
    DL_FOREACH(worker->hand, call)
    {
        if (call->extra && has_argument(core, call->extra, ref))
            return true;
    }
    return false;
}

bool borrow_references(const core_t *core, const session_t *session, const call_t *call)
{
    return call->owner == session || (!call->owner && call->kept) || borrow_find(session, call->id) ||
           (session->worker && runs_with(core, session->worker, call->id));
}

void borrow_met(core_t *core, session_t *session, mob_ref_t ref)
{
    borrow_t *borrow = session ? borrow_find(session, ref) : NULL;
    if (!borrow || borrow->counted)
        return;
    call_t *call = call_find(core, ref);
    borrow->counted = call != NULL;
    if (call)
        refcount_take(call);
    else
        end(core, session, borrow);
}
