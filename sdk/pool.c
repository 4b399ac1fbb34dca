// pool.c - actors that share the work, by public functions alone.

#include "mobula/pool.h"

#include <stdlib.h>
#include <time.h>

struct mob_pool_work {
    mob_pool_fn *begin;
    void *arg;
    mob_ref_t ref; // held by the pool until it is given
    bool given;
};

typedef struct mob_pool_work work_t;

// ---- Members ------------------------------------------------------------------------------------

static size_t place_of(const mob_pool_t *self, mob_actor_t actor)
{
    size_t i = 0;
    while (i < self->count && !mob_same(mob_ready(self->member[i].actor), mob_ready(actor)))
        i++;
    return i;
}

static void occupy(mob_t *m, mob_pool_t *self, size_t member, mob_ref_t ref)
{
    mob_keep(m, ref);
    self->member[member].work = ref;
}

// Where a member stands that is free; count: all are busy.
static size_t free_member(const mob_pool_t *self)
{
    size_t i = 0;
    while (i < self->count && !mob_is_none(self->member[i].work))
        i++;
    return i;
}

// Those whose work has settled are free; waits until one more is.
static void wait_for_one(mob_t *m, mob_pool_t *self, int timeout_ms)
{
    mob_ref_t work[MOB_POOL_MAX];
    size_t busy[MOB_POOL_MAX], count = 0;
    bool done[MOB_POOL_MAX] = {false};
    for (size_t i = 0; i < self->count; i++) {
        if (mob_is_none(self->member[i].work))
            continue;
        work[count] = self->member[i].work;
        busy[count++] = i;
    }
    if (count == 0)
        return;
    mob_wait(m, work, count, 1, timeout_ms, done);
    for (size_t i = 0; i < count; i++) {
        if (!done[i])
            continue;
        mob_drop(m, work[i]);
        self->member[busy[i]].work = (mob_ref_t){0, 0};
    }
}

// ---- Their work ---------------------------------------------------------------------------------

static void begin_on(mob_t *m, mob_pool_t *self, size_t member)
{
    work_t *work = &self->work[self->begun++];
    work->ref = work->begin(m, self->member[member].actor, work->arg);
    occupy(m, self, member, work->ref);
}

// What waits begins on who is free.
static void begin_more(mob_t *m, mob_pool_t *self)
{
    size_t member;
    wait_for_one(m, self, 0);
    while (self->begun < self->end && (member = free_member(self)) < self->count)
        begin_on(m, self, member);
}

// ---- Who comes and goes -------------------------------------------------------------------------

bool mob_pool_push(mob_t *m, mob_pool_t *self, mob_actor_t actor)
{
    if (self->count == MOB_POOL_MAX || place_of(self, actor) < self->count)
        return false;
    self->member[self->count].work = (mob_ref_t){0, 0};
    self->member[self->count++].actor = actor;
    begin_more(m, self);
    return true;
}

mob_actor_t mob_pool_pick(mob_t *m, mob_pool_t *self, int timeout_ms)
{
    wait_for_one(m, self, 0);
    if (free_member(self) == self->count)
        wait_for_one(m, self, timeout_ms);
    size_t member = free_member(self);
    return member < self->count ? self->member[member].actor : (mob_actor_t){0};
}

mob_actor_t mob_pool_pop(mob_t *m, mob_pool_t *self)
{
    begin_more(m, self);
    size_t member = free_member(self);
    if (member == self->count)
        return (mob_actor_t){0};
    mob_actor_t actor = self->member[member].actor;
    self->member[member] = self->member[--self->count];
    return actor;
}

void mob_pool_busy(mob_t *m, mob_pool_t *self, mob_actor_t actor, mob_ref_t ref)
{
    size_t member = place_of(self, actor);
    if (member == self->count)
        return;
    if (!mob_is_none(self->member[member].work))
        mob_drop(m, self->member[member].work);
    occupy(m, self, member, ref);
}

// ---- What is submitted --------------------------------------------------------------------------

static bool make_room(mob_pool_t *self, size_t more)
{
    if (self->room - self->end >= more)
        return true;
    size_t room = self->room ? self->room : 64;
    while (room - self->end < more && room <= SIZE_MAX / 2 / sizeof *self->work)
        room *= 2;
    work_t *work = room - self->end < more ? NULL : realloc(self->work, room * sizeof *work);
    if (!work)
        return false;
    self->work = work;
    self->room = room;
    return true;
}

mob_err_t mob_pool_map(mob_t *m, mob_pool_t *self, mob_pool_fn *begin, void *items, size_t count,
                       size_t size)
{
    if (!make_room(self, count))
        return MOB_ENOMEM;
    for (size_t i = 0; i < count; i++)
        self->work[self->end++] = (work_t){.begin = begin, .arg = (char *)items + i * size};
    begin_more(m, self);
    return MOB_OK;
}

mob_err_t mob_pool_submit(mob_t *m, mob_pool_t *self, mob_pool_fn *begin, void *arg)
{
    return mob_pool_map(m, self, begin, arg, 1, 0);
}

// ---- Results ------------------------------------------------------------------------------------

static mob_err_t give(mob_pool_t *self, size_t which, mob_ref_t *out)
{
    *out = self->work[which].ref;
    self->work[which].given = true;
    while (self->first < self->end && self->work[self->first].given)
        self->first++;
    if (self->first == self->end) { // a fresh start
        self->first = self->begun = self->end = 0;
        self->unordered = false;
    }
    return MOB_OK;
}

static bool has_settled(mob_t *m, const work_t *work)
{
    return !work->given && mob_info(m, work->ref).state != MOB_PENDING;
}

// Among first and the last one that has begun; end: none.
static size_t settled(mob_t *m, const mob_pool_t *self, size_t first, size_t last)
{
    for (size_t i = first; i <= last && i < self->begun; i++)
        if (has_settled(m, &self->work[i]))
            return i;
    return self->end;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int left_ms(int timeout_ms, int64_t since_ms)
{
    int64_t passed = now_ms() - since_ms;
    return timeout_ms < 0 ? timeout_ms : passed < timeout_ms ? (int)(timeout_ms - passed) : 0;
}

// One of these, first to last; who becomes free meanwhile goes on with what waits.
static mob_err_t next(mob_t *m, mob_pool_t *self, size_t last, mob_ref_t *out, int timeout_ms)
{
    int64_t since = now_ms();
    for (;;) {
        begin_more(m, self);
        size_t found = settled(m, self, self->first, last);
        if (found < self->end)
            return give(self, found, out);
        int left = left_ms(timeout_ms, since);
        if (left == 0 || self->count == 0)
            return MOB_ETIMEDOUT;
        wait_for_one(m, self, left);
    }
}

mob_err_t mob_pool_next(mob_t *m, mob_pool_t *self, mob_ref_t *out, int timeout_ms)
{
    if (self->unordered)
        return MOB_EARGS;
    return self->first < self->end ? next(m, self, self->first, out, timeout_ms) : MOB_EEND;
}

mob_err_t mob_pool_next_any(mob_t *m, mob_pool_t *self, mob_ref_t *out, int timeout_ms)
{
    if (self->first == self->end)
        return MOB_EEND;
    mob_err_t err = next(m, self, self->end - 1, out, timeout_ms);
    self->unordered |= !err && self->end > 0;
    return err;
}

void mob_pool_clear(mob_t *m, mob_pool_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (!mob_is_none(self->member[i].work))
            mob_drop(m, self->member[i].work);
    for (size_t i = self->first; i < self->begun; i++)
        if (!self->work[i].given)
            mob_drop(m, self->work[i].ref);
    free(self->work);
    *self = (mob_pool_t){0};
}
