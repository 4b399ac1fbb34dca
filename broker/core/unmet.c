// unmet.c - see unmet.h. A short list, and mostly empty: who looks at it asks for its length first.

#include "unmet.h"

#include <stdlib.h>

#include "borrow.h"
#include "call.h"
#include "refcount.h"
#include "session.h"

enum { UNMET_MAX = 65536 };

static bool may_come(const core_t *core, mob_ref_t ref)
{
    const session_t *session = core->rejoin_at ? NULL : session_find(core, ref.owner);
    return core->rejoin_at || (session && ref.seq > session->last);
}

bool unmet_note(core_t *core, unmet_t unmet)
{
    if (!may_come(core, unmet.ref))
        return false;
    if (core->unmet_count == core->unmet_room) {
        uint32_t room = core->unmet_room ? 2 * core->unmet_room : 64;
        unmet_t *more = room <= UNMET_MAX ? realloc(core->unmet, room * sizeof *more) : NULL;
        if (!more)
            return false;
        core->unmet = more;
        core->unmet_room = room;
    }
    core->unmet[core->unmet_count++] = unmet;
    return true;
}

// ---- It comes -----------------------------------------------------------------------------------

static void meet_argument(core_t *core, call_t *holder, mob_ref_t ref)
{
    if (holder->state != CALL_FINAL || holder->kind == CALL_MAKING)
        refcount_one(core, &holder->extra->args, ref);
}

static void meet_value(core_t *core, call_t *holder, mob_ref_t ref, session_t *from)
{
    if (holder->state == CALL_FINAL && holder->code != MOB_OK)
        return;
    refcount_one(core, &holder->extra->value, ref);
    if (from)
        refcount_bequeath(core, from, holder->owner, &(reflist_t){.refs = &ref, .count = 1});
}

static void meet(core_t *core, const unmet_t *unmet)
{
    call_t *holder = call_find(core, unmet->holder);
    if (unmet->holder.seq == 0)
        borrow_met(core, session_find(core, unmet->holder.owner), unmet->ref);
    else if (holder && holder->extra && unmet->from)
        meet_value(core, holder, unmet->ref, session_find(core, unmet->from));
    else if (holder && holder->extra)
        meet_argument(core, holder, unmet->ref);
}

void unmet_met(core_t *core, const session_t *session, uint64_t above)
{
    for (uint32_t i = core->unmet_count; i-- > 0;) {
        unmet_t unmet = core->unmet[i];
        if (unmet.ref.owner != session->owner || unmet.ref.seq <= above ||
            unmet.ref.seq > session->last)
            continue;
        core->unmet[i] = core->unmet[--core->unmet_count];
        meet(core, &unmet);
    }
}

// ---- It does not --------------------------------------------------------------------------------

void unmet_over(core_t *core)
{
    for (uint32_t i = 0; i < core->unmet_count; i++)
        meet(core, &core->unmet[i]);
    free(core->unmet);
    core->unmet = NULL;
    core->unmet_count = core->unmet_room = 0;
}

void unmet_forget(core_t *core, const session_t *session)
{
    for (uint32_t i = core->unmet_count; i-- > 0;)
        if (core->unmet[i].ref.owner == session->owner)
            core->unmet[i] = core->unmet[--core->unmet_count];
}
