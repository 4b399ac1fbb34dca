// shape.c - queues of ready tasks by level, and of actors without a place. Decides who is next in a shape, never
// where it goes: schedule.c does.

#include "shape.h"

#include <stdlib.h>

#include "call.h"
#include "demand.h"
#include "name.h"

enum { RISE_US = 1000000 };

// ---- Records ------------------------------------------------------------------------------------

shape_t *shape_of(core_t *core, def_t *def, demand_t **demand_p)
{
    demand_t *demand = *demand_p;
    *demand_p = NULL;
    shape_key_t key = {def, demand};
    shape_t *self;
    HASH_FIND(hh, core->shapes, &key, sizeof key, self);
    if (self) {
        demand_drop(core, &demand);
        return shape_hold(self);
    }
    self = HASH_COUNT(core->shapes) < SHAPES_MAX ? calloc(1, sizeof *self) : NULL;
    if (!self) {
        demand_drop(core, &demand);
        return NULL;
    }
    self->key = key;
    HASH_ADD(hh, core->shapes, key, sizeof self->key, self);
    return shape_hold(self);
}

shape_t *shape_hold(shape_t *self)
{
    self->holders++;
    return self;
}

static void set_busy(core_t *core, shape_t *self, bool busy)
{
    if (busy == self->busy)
        return;
    self->busy = busy;
    if (busy)
        DL_APPEND(core->busy, self);
    else
        DL_DELETE(core->busy, self);
    if (!busy && core->next.shape == self)
        core->next = (turn_t){0};
}

void shape_drop(core_t *core, shape_t **self_p)
{
    shape_t *self = *self_p;
    *self_p = NULL;
    if (!self || --self->holders > 0)
        return;
    set_busy(core, self, false);
    HASH_DEL(core->shapes, self);
    demand_drop(core, &self->key.demand);
    free(self);
}

shape_t *shape_for(core_t *core, def_t *def, const opts_t *opts, bool actor, char *wrong)
{
    demand_t *demand = demand_of(core, opts, def->demand, actor, wrong);
    return demand ? shape_of(core, def, &demand) : NULL;
}

void shape_fill_up(core_t *core, shape_t **self_p, def_t *def)
{
    char wrong[DEMAND_TEXT];
    const demand_t *demand = (*self_p)->key.demand;
    const wish_t *wish = &demand->wish;
    opts_t opts = {.cpus_e4 = wish->cpus,
                   .resources = wish->resources,
                   .labels = wish->labels,
                   .host = wish->host,
                   .soft = wish->soft,
                   .spread = wish->spread};
    shape_t *full = shape_for(core, def, &opts, demand->actor, wrong);
    if (!full)
        return;
    shape_drop(core, self_p);
    *self_p = full;
}

shape_t *shape_of_call(const core_t *core, const call_t *call)
{
    if (call->extra && call->extra->shape)
        return call->extra->shape;
    const def_t *def = def_find(core, call->target, call->space);
    return def ? def->shape : NULL;
}

// ---- Tasks --------------------------------------------------------------------------------------

int shape_level(const core_t *core, const call_t *call)
{
    int64_t since = call->due_at > call->at ? call->due_at : call->at;
    int64_t level = call->priority + (core->now - since) / RISE_US;
    return level < LEVEL_HIGH ? (int)level : LEVEL_HIGH;
}

bool shape_before(const core_t *core, const call_t *a, const call_t *b)
{
    int one = shape_level(core, a), other = shape_level(core, b);
    return one != other ? one > other : a->at < b->at;
}

void shape_add(core_t *core, shape_t *self, call_t *call, bool first)
{
    uint32_t i = (uint32_t)(call->priority - LEVEL_LOW);
    if (first)
        call_enlist_first(call, &self->ready[i]);
    else
        call_enlist(call, &self->ready[i]);
    self->levels |= (uint16_t)(1u << i);
    set_busy(core, self, true);
}

// A list may have become empty behind our back: calls end.
call_t *shape_first(core_t *core, shape_t *self)
{
    call_t *best = NULL;
    for (uint32_t left = self->levels; left; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(left);
        call_t *call = self->ready[i];
        if (!call)
            self->levels &= (uint16_t) ~(1u << i);
        else if (!best || shape_before(core, call, best))
            best = call;
    }
    if (!best && !self->actors)
        set_busy(core, self, false);
    return best;
}

void shape_move(core_t *core, shape_t *from, shape_t *to)
{
    for (uint32_t i = 0; i < LEVELS; i++) {
        call_t *call, *next;
        DL_FOREACH_SAFE(from->ready[i], call, next)
        {
            if (call->extra && call->extra->shape)
                continue;
            call_unlist(call);
            shape_add(core, to, call, false);
        }
    }
}

// ---- Actors -------------------------------------------------------------------------------------

void shape_wait(core_t *core, actor_t *actor)
{
    if (actor->waits)
        return;
    actor->waits = true;
    DL_APPEND2(actor->shape->actors, actor, wait_prev, wait_next);
    set_busy(core, actor->shape, true);
}

void shape_unwait(actor_t *actor)
{
    if (!actor->waits)
        return;
    actor->waits = false;
    DL_DELETE2(actor->shape->actors, actor, wait_prev, wait_next);
}
