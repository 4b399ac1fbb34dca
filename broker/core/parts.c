// parts.c - see parts.h. The first ref is the call itself; what happens to it happens to the others.

#include "parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "call.h"
#include "internal.h"
#include "name.h"
#include "outcome.h"
#include "refcount.h"

// ---- Records ------------------------------------------------------------------------------------

static mob_ref_t nth(const call_t *call, uint32_t index)
{
    return (mob_ref_t){call->id.owner, call->id.seq + index};
}

static bool add_part(core_t *core, const call_t *call, uint32_t index)
{
    call_t *part = call_find(core, nth(call, index));
    if (part)
        return true; // there already: a worker was faster than the caller
    part = call_new(core, call->owner, nth(call, index), CALL_PART);
    if (!part)
        return false;
    part->part = index;
    part->space = call->space;
    part->target = call->target;
    part->dropped = call->dropped;
    return true;
}

bool parts_open(core_t *core, call_t *call, uint32_t count)
{
    call_extra_t *extra = call_extra(call);
    parts_t *parts = extra ? calloc(1, sizeof *parts + count * sizeof *parts->values) : NULL;
    if (!parts)
        return false;
    parts->count = count;
    extra->parts = parts;
    for (uint32_t i = 1; i < count; i++)
        if (!add_part(core, call, i))
            return false;
    return true;
}

call_t *parts_call(const core_t *core, call_t *one)
{
    if (one->kind != CALL_PART || one->state == CALL_FINAL)
        return one;
    return call_find(core, (mob_ref_t){one->id.owner, one->id.seq - one->part});
}

// ---- Values -------------------------------------------------------------------------------------

static blob_t *take(core_t *core, parts_t *parts, uint32_t index)
{
    blob_t *value = parts->values[index];
    parts->values[index] = NULL;
    core_weigh(core, value, -1);
    return value;
}

static void drop_values(core_t *core, parts_t *parts)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        blob_t *value = take(core, parts, i);
        blob_drop(&value);
    }
    parts->filled = 0;
    parts->refusal = (refusal_t){0};
}

// What an earlier run gave, and the refs inside.
static void forget_run(core_t *core, call_t *call)
{
    parts_t *parts = call->extra->parts;
    drop_values(core, parts);
    for (uint32_t i = 0; i < parts->count; i++) {
        call_t *part = call_find(core, nth(call, i));
        if (part && part->extra)
            refcount_let_go(core, &part->extra->value);
    }
}

void parts_free(core_t *core, call_t *call)
{
    drop_values(core, call->extra->parts);
    free(call->extra->parts);
    call->extra->parts = NULL;
}

bool parts_item(core_t *core, session_t *from, call_t *call, const msg_item_t *item,
                blob_t **value_p, refusal_t refusal)
{
    parts_t *parts = call->extra ? call->extra->parts : NULL;
    if (!parts || parts->count != item->count || item->index >= parts->count)
        return false;
    if (parts->attempt != call->attempt) // an earlier run gave some
        forget_run(core, call);
    parts->attempt = call->attempt;
    blob_t **place = &parts->values[item->index];
    if (*place)
        return true; // said twice
    *place = *value_p;
    *value_p = NULL;
    core_weigh(core, *place, 1);
    parts->filled += *place != NULL;
    if (!*place)
        parts->refusal = refusal;
    call_t *part = call_find(core, nth(call, (uint32_t)item->index));
    if (part)
        refcount_result(core, part, from, item->inner);
    return true;
}

// ---- Ends ---------------------------------------------------------------------------------------

void parts_end(core_t *core, call_t *call)
{
    parts_t *parts = call->extra->parts;
    uint32_t filled = parts->attempt == call->attempt ? parts->filled : 0;
    if (filled == parts->count) {
        outcome_value(core, call, take(core, parts, 0));
        return;
    }
    char text[MOB_TEXT_MAX];
    snprintf(text, sizeof text, "%s: declared %u values, wrote %u", name_text(core, call->target),
             parts->count, filled);
    failure_t failure = {.executed = MOB_EXECUTED, .attempts = call->attempt + 1u};
    failure.err = parts->refusal.err ? parts->refusal.err : MOB_ERESULT;
    failure.why = parts->refusal.why;
    failure.reason = parts->refusal.err ? parts->refusal.reason : text;
    failure.root = failure.err;
    outcome_failure(core, call, &failure);
}

void parts_settle(core_t *core, call_t *call)
{
    parts_t *parts = call->extra->parts;
    for (uint32_t i = 1; i < parts->count; i++) {
        call_t *part = call_find(core, nth(call, i));
        if (!part || part->kind != CALL_PART || part->part != i)
            continue; // no memory for it when the call came
        part->attempt = call->attempt;
        outcome_store(core, part, (mob_err_t)call->code,
                      call->code == MOB_OK ? take(core, parts, i) : blob_hold(call->load));
    }
    parts_free(core, call);
}

// Of a failure that was announced the other refs know nothing yet.
void parts_catch_up(core_t *core, call_t *call, uint32_t count)
{
    if (count == 1 || (call->extra && call->extra->parts))
        return;
    if (parts_open(core, call, count) && call->state == CALL_FINAL)
        parts_settle(core, call);
}
