// holders.c - see holders.h. Reads only.

#include "holders.h"

#include "call.h"
#include "once.h"
#include "stream.h"

typedef struct walk {
    const core_t *core;
    void (*each)(void *arg, const holder_t *holder);
    void *arg;
} walk_t;

static void tell(const walk_t *walk, holder_t holder, mob_ref_t ref)
{
    holder.held = call_find(walk->core, ref);
    if (holder.held)
        walk->each(walk->arg, &holder);
}

static void tell_all(const walk_t *walk, holder_t holder, const mob_ref_t *refs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        tell(walk, holder, refs[i]);
}

static void of_owner(const walk_t *walk, const call_t *call)
{
    if (call->owner && !call->dropped)
        tell(walk, (holder_t){.kind = HOLDER_OWNER, .session = call->owner}, call->id);
    else if (!call->owner && call->kept)
        tell(walk, (holder_t){.kind = HOLDER_BROKER}, call->id);
}

static void of_call(const walk_t *walk, const call_t *call)
{
    const call_extra_t *extra = call->extra;
    const holder_t argument = {.kind = HOLDER_ARGUMENT, .call = call};
    const holder_t contained = {.kind = HOLDER_CONTAINED, .call = call};
    const holder_t item = {.kind = HOLDER_STREAM, .call = call};
    if (!extra)
        return;
    tell_all(walk, argument, extra->args.refs, extra->args.count);
    tell_all(walk, argument, extra->deps, extra->dep_count);
    tell_all(walk, contained, extra->value.refs, extra->value.count);
    const item_t *one = extra->stream ? extra->stream->items : NULL;
    for (; one; one = one->next)
        tell_all(walk, item, one->inner.refs, one->inner.count);
}

static void of_sessions(const walk_t *walk)
{
    for (const session_t *session = walk->core->sessions; session; session = session->hh.next)
        for (const borrow_t *borrow = session->borrows; borrow; borrow = borrow->hh.next)
            if (borrow->counted)
                tell(walk, (holder_t){.kind = HOLDER_SESSION, .session = session}, borrow->ref);
}

static void of_keys(const walk_t *walk)
{
    const once_t *once = NULL;
    for (const reflist_t *value; (value = once_next(walk->core, &once)) != NULL;)
        tell_all(walk, (holder_t){.kind = HOLDER_CONTAINED}, value->refs, value->count);
}

static void of_letters(const walk_t *walk)
{
    for (const letter_t *letter = walk->core->letters.first; letter; letter = letter->hh.next)
        tell_all(walk, (holder_t){.kind = HOLDER_LETTER, .letter = letter}, letter->held.refs,
                 letter->held.count);
}

void holders_each(const core_t *core, void (*each)(void *arg, const holder_t *holder), void *arg)
{
    const walk_t walk = {core, each, arg};
    uint32_t at = 0;
    for (const call_t *call; (call = call_next(core, &at)) != NULL;) {
        of_owner(&walk, call);
        of_call(&walk, call);
    }
    of_sessions(&walk);
    of_keys(&walk);
    of_letters(&walk);
}
