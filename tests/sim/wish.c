// wish.c - what a caller asks for and gives up, by chance. Never decides how it is said: caller.c does.

#include "caller.h"

#include <stdlib.h>

#include "need.h"
#include "options.h"
#include "world.h"

enum { PENDING_MAX = 40 };

// ---- Wanted ----------------------------------------------------------------------------------

deed_t *caller_plan(caller_t *self, deed_kind_t kind)
{
    world_t *world = self->world;
    deed_t *deed = ledger_plan(&world->ledger, (mob_ref_t){self->owner, self->count + 1}, kind);
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 256;
        self->deeds = realloc(self->deeds, self->room * sizeof(deed_t *));
        if (!self->deeds)
            abort();
    }
    self->deeds[self->count++] = deed;
    deed->asked_at = world->now;
    return deed;
}

// Some have a payload in pieces, which take numbers in front of it.
static deed_t *plan_large(caller_t *self, deed_kind_t kind)
{
    chance_t *chance = &self->world->chance;
    uint32_t count = chance_hit(chance, 800) ? 1 + chance_below(chance, HAUL_PIECES) : 0;
    for (uint32_t i = 0; i < count; i++) {
        deed_t *piece = caller_plan(self, DEED_PIECE);
        piece->settled = piece->dropped = true; // nobody waits for it
    }
    deed_t *deed = caller_plan(self, kind);
    deed->pieces = count;
    for (uint32_t i = 1; i <= count; i++)
        self->deeds[self->count - 1 - i]->whole = deed;
    return deed;
}

void caller_await(caller_t *self, deed_t *deed)
{
    bool known = deed->kind == DEED_OBJECT && deed->pieces == 0; // the owner knows by itself
    if (known || deed->forget) {
        deed->settled = known;
        return;
    }
    self->pending++;
    self->world->ledger.asked++;
}

static bool carries_value(const deed_t *deed)
{
    return !deed->dropped && !deed->forget && !deed->streams &&
           (deed->kind == DEED_TASK || deed->kind == DEED_METHOD || deed->kind == DEED_OBJECT ||
            deed->kind == DEED_PART || deed->kind == DEED_NEXT);
}

static void want_deps(caller_t *self, deed_t *deed)
{
    world_t *world = self->world;
    for (uint32_t wish = 1 + chance_below(&world->chance, 2); wish > 0; wish--) {
        const caller_t *other = chance_hit(&world->chance, 7500)
                                    ? self
                                    : world->callers[chance_below(&world->chance, WORLD_CALLERS)];
        uint64_t back = 1 + chance_below(&world->chance, 12);
        deed_t *dep = other && other->count > back ? other->deeds[other->count - 1 - back] : NULL;
        if (dep && carries_value(dep))
            deed->deps[deed->dep_count++] = dep;
    }
}

static void want_body(caller_t *self, deed_t *deed)
{
    chance_t *chance = &self->world->chance;
    deed->takes_us = chance_hit(chance, 500) ? chance_between(chance, 5000, 40000)
                                             : chance_between(chance, 30, 3000);
    deed->body = chance_hit(chance, 600) ? BODY_FAILS : BODY_OK;
    deed->any_code = chance_hit(chance, 2000);
    if (chance_hit(chance, 500)) {
        deed->timeout_ms = 1 + chance_below(chance, 60);
        deed->disturbed = true;
    }
    deed->forget = chance_hit(chance, 300);
    deed->result_pieces = chance_hit(chance, 800) ? 1 + chance_below(chance, HAUL_PIECES) : 0;
    if (chance_hit(chance, 1200))
        want_deps(self, deed);
}

static void await_all(caller_t *self, deed_t *deed)
{
    chance_t *chance = &self->world->chance;
    if (deed->body != BODY_LEAVES && chance_hit(chance, 1500)) {
        reader_begin(self, deed);
        return;
    }
    caller_await(self, deed);
    if (!chance_hit(chance, 1500))
        return;
    deed->returns = 2 + chance_below(chance, 3);
    for (uint32_t i = 1; i < deed->returns; i++) {
        deed_t *part = caller_plan(self, DEED_PART);
        part->whole = deed;
        part->forget = deed->forget;
        caller_await(self, part);
    }
}

static void want_rank(caller_t *self, deed_t *deed)
{
    if (chance_hit(&self->world->chance, 1000))
        deed->priority = (int32_t)chance_below(&self->world->chance, 16) - 8;
}

static void want_task(caller_t *self)
{
    static const int32_t retries[] = {0, 1, 3, 3};
    deed_t *deed = plan_large(self, DEED_TASK);
    want_body(self, deed);
    deed->retries = retries[chance_below(&self->world->chance, 4)];
    deed->need = chance_below(&self->world->chance, NEED_TASKS);
    want_rank(self, deed);
    await_all(self, deed);
}

static void want_method(caller_t *self, deed_t *actor)
{
    deed_t *deed = plan_large(self, DEED_METHOD);
    want_body(self, deed);
    deed->actor = actor;
    deed->retries = actor->max_task_retries;
    want_rank(self, deed);
    if (chance_hit(&self->world->chance, 60)) {
        deed->body = BODY_LEAVES;
        actor->disturbed = true;
    }
    await_all(self, deed);
}

static void want_actor(caller_t *self)
{
    chance_t *chance = &self->world->chance;
    deed_t *deed = caller_plan(self, DEED_ACTOR);
    deed->shared = chance_hit(chance, 4000);
    deed->need = chance_below(chance, NEED_ACTORS);
    deed->takes_us = chance_between(chance, 50, 4000);
    deed->body = chance_hit(chance, 600) ? BODY_FAILS : BODY_OK;
    deed->max_restarts = (int32_t)chance_below(chance, 3);
    deed->max_task_retries = (int32_t)chance_below(chance, 3);
    caller_await(self, deed);
}

deed_t *caller_actor(const caller_t *self)
{
    uint32_t tries = 30;
    for (uint64_t i = self->count; i > self->first_open && tries > 0; i--) {
        deed_t *deed = self->deeds[i - 1];
        if (deed->kind != DEED_ACTOR || deed->dropped)
            continue;
        tries--;
        if (chance_hit(&self->world->chance, 4000))
            return deed;
    }
    return NULL;
}

static uint32_t actors_of(const caller_t *self)
{
    uint32_t count = 0;
    for (uint64_t i = self->first_open; i < self->count; i++)
        count += self->deeds[i]->kind == DEED_ACTOR && !self->deeds[i]->dropped;
    return count;
}

static void want_call(caller_t *self)
{
    world_t *world = self->world;
    const caller_t *other = chance_hit(&world->chance, 7000)
                                ? self
                                : world->callers[chance_below(&world->chance, WORLD_CALLERS)];
    deed_t *actor = other ? caller_actor(other) : NULL;
    bool known =
        actor && (other == self || actor->ref.seq <= other->accepted); // else it may come first
    if (!known)
        want_task(self);
    else if (chance_hit(&world->chance, 100))
        caller_await(self, caller_plan(self, DEED_END)), self->deeds[self->count - 1]->actor = actor;
    else
        want_method(self, actor);
}

static void want(caller_t *self)
{
    uint32_t dice = chance_below(&self->world->chance, 100);
    if (dice < 5 && actors_of(self) < 4)
        want_actor(self);
    else if (dice < 8)
        caller_await(self, plan_large(self, DEED_OBJECT));
    else if (dice < 45)
        want_task(self);
    else
        want_call(self);
}

// ---- What it gives up -------------------------------------------------------------------------------

void caller_drop(caller_t *self, mob_ref_t ref, uint64_t count)
{
    deed_t *deed = caller_plan(self, DEED_DROP);
    deed->target = ref;
    deed->target_count = count;
    deed->settled = deed->dropped = true;
}

static void drop(caller_t *self, deed_t *deed)
{
    if (caller_waits_for(deed)) {
        self->pending--;
        self->world->ledger.abandoned++;
    }
    deed->dropped = true;
    deed->disturbed = true;
    caller_drop(self, deed->ref, 1);
}

// Of a stream there may be more to take when its body has ended.
static uint32_t odds_of_drop(const deed_t *deed)
{
    return deed->kind == DEED_ACTOR ? 60 : deed->streams ? 150 : deed->settled ? 3000 : 10;
}

static void drop_some(caller_t *self)
{
    chance_t *chance = &self->world->chance;
    for (uint64_t i = self->first_open, end = self->count; i < end; i++) {
        deed_t *deed = self->deeds[i];
        if (deed->dropped || deed->forget || deed->ref.seq > self->sent)
            continue;
        if (chance_hit(chance, odds_of_drop(deed)))
            drop(self, deed);
    }
    while (self->first_open < self->count &&
           (self->deeds[self->first_open]->dropped || self->deeds[self->first_open]->forget))
        self->first_open++;
}

static void cancel_one(caller_t *self)
{
    chance_t *chance = &self->world->chance;
    if (self->count <= self->first_open)
        return;
    uint64_t at = self->first_open + chance_next(chance) % (self->count - self->first_open);
    deed_t *deed = self->deeds[at], *call = deed->whole ? deed->whole : deed;
    if (deed->settled || deed->dropped || call->kind > DEED_METHOD || !self->live)
        return;
    call->disturbed = call->cancelled = true;
    uint32_t flags = call->kind == DEED_TASK && chance_hit(chance, 2000) ? MOB_CANCEL_FORCE : 0;
    message_CANCEL(&self->link.out, &(msg_cancel_t){.ref = deed->ref, .flags = flags});
}

static void stop_one(caller_t *self)
{
    deed_t *actor = caller_actor(self);
    if (!actor || !self->live)
        return;
    actor->disturbed = true;
    message_STOP(&self->link.out,
                 &(msg_stop_t){.actor = actor->ref, .how = chance_below(&self->world->chance, 3)});
}

void caller_think(caller_t *self)
{
    chance_t *chance = &self->world->chance;
    for (uint32_t left = 1 + chance_below(chance, 5); left > 0 && self->pending < PENDING_MAX; left--)
        want(self);
    caller_say_unsent(self);
    link_flush(&self->link, true);
    drop_some(self);
    caller_say_unsent(self);
    link_flush(&self->link, true);
    if (chance_hit(chance, 800))
        cancel_one(self);
    if (chance_hit(chance, 100))
        stop_one(self);
    link_flush(&self->link, false);
}

void caller_drop_actors(caller_t *self)
{
    for (uint64_t i = self->first_open, end = self->count; i < end; i++)
        if (self->deeds[i]->kind == DEED_ACTOR && !self->deeds[i]->dropped)
            drop(self, self->deeds[i]);
    caller_say_unsent(self);
    link_flush(&self->link, false);
}

void caller_discard(caller_t *self)
{
    caller_plan(self, DEED_DISCARD)->forget = true;
    caller_say_unsent(self);
    link_flush(&self->link, false);
}

void caller_leave(caller_t *self)
{
    for (uint64_t i = self->first_open, end = self->count; i < end; i++)
        if (!self->deeds[i]->dropped)
            drop(self, self->deeds[i]);
    message_BYE(&self->link.out, &(msg_bye_t){0});
    link_flush(&self->link, false);
    self->dead = true;
    link_leave(&self->link);
}
