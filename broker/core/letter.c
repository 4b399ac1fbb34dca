// letter.c - see letter.h. Owns the letters: the newest ones, within two limits. What their arguments name is held, but no
// actor is: a letter must not keep one alive.

#include "letter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "call.h"
#include "error.h"
#include "internal.h"
#include "name.h"
#include "refcount.h"
#include "rope.h"
#include "shape.h"
#include "stream.h"
#include "timeline.h"

const char *letter_name(char out[LETTER_NAME], uint64_t number)
{
    snprintf(out, LETTER_NAME, "dl-%" PRIu64, number);
    return out;
}

uint64_t letter_next(const core_t *core)
{
    return core->letters.last + 1;
}

// ---- Written ------------------------------------------------------------------------------------

// Who called a tell off wanted it to fail. One that was sent again is not lost by that.
bool letter_is_due(const call_t *call, mob_err_t err)
{
    bool unheard = call->again || (call->forget && err != MOB_ECANCELLED);
    return call->state != CALL_FINAL && call->kind <= CALL_METHOD && call->target &&
           (unheard || err == MOB_EPOISON);
}

static mob_ref_t actor_of(const core_t *core, const call_t *call)
{
    const mob_ref_t none = {0, 0};
    if (call->kind != CALL_METHOD)
        return none;
    if (call->actor)
        return call->actor->id;
    if (call->extra && !mob_is_none(call->extra->actor))
        return call->extra->actor;
    return mob_same(core->aim.call, call->id) ? core->aim.actor : none;
}

// What people call it; a handle by name may never have found anybody.
static char *addressee(core_t *core, mob_ref_t id)
{
    const actor_t *actor = actor_find(core, id, 0);
    const call_t *handle = call_find(core, id);
    bool by_name = !actor && handle && handle->kind == CALL_FIND && handle->extra;
    return strdup(actor ? actor_display(core, actor) : by_name ? handle->extra->find : "");
}

static int64_t returns_of(const call_t *call)
{
    const parts_t *parts = call->extra ? call->extra->parts : NULL;
    if (stream_of(call))
        return MOB_STREAM;
    return parts ? parts->count : 1;
}

static void keep_wishes(letter_t *self, const call_t *call)
{
    self->priority = call->priority;
    self->retries = call->retries;
    self->own_retries = call->own_retries;
    self->own_timeout = call->own_timeout;
    self->unordered = call->unordered;
    self->timeout_us = call->ends_at ? call->ends_at - call->at : 0;
    self->returns = returns_of(call);
    if (!call->extra)
        return;
    memcpy(self->retry_on, call->extra->retry_on, sizeof self->retry_on);
    self->lane = call->extra->lane ? strdup(call->extra->lane) : NULL;
    self->shape = call->extra->shape ? shape_hold(call->extra->shape) : NULL;
}

static void hold(core_t *core, letter_t *self, mob_ref_t ref)
{
    const call_t *call = call_find(core, ref);
    if (!call || call->kind == CALL_MAKING || call->kind == CALL_FIND || core_heavy(core))
        return;
    if (refcount_one(core, &self->held, ref))
        self->bytes += call->load ? call->load->size : 0;
}

// Its dependencies, then the refs inside its arguments.
static void keep_refs(core_t *core, letter_t *self, const call_t *call)
{
    const call_extra_t *extra = call->extra;
    uint32_t count = extra ? extra->dep_count + extra->args.count : 0;
    self->refs = count ? malloc(count * sizeof *self->refs) : NULL;
    if (!self->refs)
        return;
    self->dep_count = extra->dep_count;
    self->ref_count = count;
    for (uint32_t i = 0; i < count; i++) {
        self->refs[i] =
            i < extra->dep_count ? extra->deps[i] : extra->args.refs[i - extra->dep_count];
        hold(core, self, self->refs[i]);
    }
    self->bytes += count * sizeof *self->refs;
}

static letter_t *of_call(core_t *core, const call_t *call, const failure_t *failure)
{
    letter_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    *self = (letter_t){.at = core->now,
                       .id = call->id,
                       .actor = actor_of(core, call),
                       .kind = call->kind,
                       .from = call->owner ? call->owner->name : 0,
                       .target = call->target,
                       .space = call->space,
                       .err = failure->err,
                       .executed = failure->executed,
                       .attempts = failure->attempts,
                       .load = blob_hold(call->load)};
    self->to = addressee(core, self->actor);
    self->reason = strdup(failure->reason ? failure->reason : "");
    self->bytes = sizeof *self + (self->load ? self->load->size : 0) +
                  (self->to ? strlen(self->to) : 0) + (self->reason ? strlen(self->reason) : 0);
    keep_wishes(self, call);
    keep_refs(core, self, call);
    return self;
}

static void drop(core_t *core, letter_t *self)
{
    letter_take(core, self);
    letter_free(core, &self);
}

static void shrink(core_t *core)
{
    const letters_t *letters = &core->letters;
    while (HASH_COUNT(letters->first) > core->config.letters_max ||
           letters->bytes > core->config.letter_bytes_max) {
        drop(core, letters->first);
        core->count.letters_lost++;
    }
}

void letter_write(core_t *core, const call_t *call, const failure_t *failure)
{
    char name[LETTER_NAME];
    uint64_t number = ++core->letters.last;
    timeline_letter(core, call, failure->err, letter_name(name, number));
    letter_t *self = of_call(core, call, failure);
    if (!self) {
        core->count.letters_lost++;
        return;
    }
    self->number = number;
    HASH_ADD(hh, core->letters.first, number, sizeof self->number, self);
    core->letters.bytes += self->bytes;
    shrink(core);
}

// ---- Kept ---------------------------------------------------------------------------------------

letter_t *letter_find(const core_t *core, uint64_t number)
{
    letter_t *self;
    HASH_FIND(hh, core->letters.first, &number, sizeof number, self);
    return self;
}

void letter_take(core_t *core, letter_t *self)
{
    HASH_DEL(core->letters.first, self);
    core->letters.bytes -= self->bytes;
}

void letter_free(core_t *core, letter_t **self_p)
{
    letter_t *self = *self_p;
    *self_p = NULL;
    refcount_let_go(core, &self->held);
    shape_drop(core, &self->shape);
    blob_drop(&self->load);
    free(self->refs);
    free(self->reason);
    free(self->lane);
    free(self->to);
    free(self);
}

void letters_fini(core_t *core)
{
    while (core->letters.first)
        drop(core, core->letters.first);
}

bool letter_yield(core_t *core)
{
    letter_t *self = core->letters.first;
    while (self && !rope_is(self->load) && self->held.count == 0)
        self = self->hh.next;
    if (!self)
        return false;
    drop(core, self);
    core->count.letters_lost++;
    return true;
}

// ---- Sent again ---------------------------------------------------------------------------------

refs_t letter_deps(const letter_t *self)
{
    return (refs_t){.items = self->refs, .count = self->dep_count};
}

actor_t *letter_actor(core_t *core, const letter_t *self)
{
    actor_t *actor = actor_find(core, self->actor, self->space);
    if (actor && actor_takes_calls(actor))
        return actor;
    return self->to && *self->to ? actor_called(core, self->space, self->to) : NULL;
}

static bool refill_extra(core_t *core, const letter_t *self, call_t *call)
{
    call_extra_t *extra = call_extra(call);
    if (!extra)
        return false;
    for (uint32_t i = self->dep_count; i < self->ref_count; i++)
        if (!refcount_one(core, &extra->args, self->refs[i]))
            return false;
    memcpy(extra->retry_on, self->retry_on, sizeof extra->retry_on);
    extra->lane = self->lane ? strdup(self->lane) : NULL;
    extra->shape = self->shape ? shape_hold(self->shape) : NULL;
    extra->actor = self->actor;
    return true;
}

bool letter_refill(core_t *core, const letter_t *self, call_t *call)
{
    if (!refill_extra(core, self, call))
        return false;
    call->kind = self->kind;
    call->again = true;
    call->target = self->target;
    call->space = self->space;
    call->priority = self->priority;
    call->retries = self->retries;
    call->own_retries = self->own_retries;
    call->own_timeout = self->own_timeout;
    call->unordered = self->unordered;
    call->load = blob_hold(self->load);
    core_weigh(core, call->load, 1);
    call->ends_at = self->timeout_us ? core->now + self->timeout_us : 0;
    if (call->ends_at)
        deadline_set(&core->deadlines, &call->deadline, call->ends_at);
    return true;
}

// ---- Read ---------------------------------------------------------------------------------------

static void describe(const core_t *core, const letter_t *self, entry_t *row)
{
    static const char *const executed[] = {"no", "maybe", "yes"};
    letter_name(row->id, self->number);
    entry_text(row, "id", row->id);
    entry_number(row, "age_ms", entry_age_ms(core, self->at));
    entry_text(row, "src", name_text(core, self->from));
    entry_text(row, "dst", self->to);
    entry_text(row, "method", name_text(core, self->target));
    entry_text(row, "kind", self->kind == CALL_TASK ? "task" : "method");
    entry_text(row, "error", error_name(self->err));
    entry_text(row, "reason", self->reason);
    entry_text(row, "executed", executed[self->executed <= MOB_EXECUTED ? self->executed : 1]);
    entry_number(row, "attempts", self->attempts);
    entry_number(row, "bytes", self->load ? self->load->size : 0);
    entry_number(row, "returns", self->returns);
    entry_text(row, "space", name_text(core, self->space));
}

void letter_rows(answer_t *answer)
{
    for (const letter_t *self = answer->core->letters.first; self; self = self->hh.next) {
        entry_t row = {0};
        char call[ENTRY_ID];
        describe(answer->core, self, &row);
        entry_print_id(call, self->id);
        entry_text(&row, "call", call);
        entry_emit(answer, &row);
    }
}

uint32_t letter_discard(core_t *core, const filter_t *filter)
{
    uint32_t count = 0;
    for (letter_t *self = core->letters.first, *next; self; self = next) {
        next = self->hh.next;
        entry_t row = {0};
        describe(core, self, &row);
        if (entry_match(&row, filter) != FILTER_YES)
            continue; // who is not sure throws nothing away
        drop(core, self);
        count++;
    }
    return count;
}
