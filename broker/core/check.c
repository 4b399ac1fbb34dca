// check.c - the invariants of the tables, for tests and the simulator: what must be true between two events.

#include <stdlib.h>

#include "call.h"
#include "holders.h"
#include "state.h"
#include "stream.h"

#define MUST(condition)        \
    do {                       \
        if (!(condition))      \
            return #condition; \
    } while (0)

static const char *check_call(const call_t *call)
{
    MUST(call->state < CALL_STATES);
    MUST((call->worker != NULL) == (call->worker && call->list == &call->worker->hand));
    MUST(call->state != CALL_SENT || call->worker);
    MUST(call->state != CALL_FINAL || call->deadline.place == 0 || call->kept);
    MUST(call->state != CALL_FINAL || call->worker || call->list == NULL);
    MUST(call->state == CALL_FINAL || call->missing == 0 || call->state == CALL_WAITING);
    bool needed = !call->dropped || call->worker || call->holds || call->kind == CALL_MAKING;
    MUST(call->state != CALL_FINAL || needed);
    MUST(call->state != CALL_FINAL || call->kind == CALL_MAKING || !call->extra ||
         (call->extra->args.count == 0 && call->extra->dep_count == 0));
    return NULL;
}

static const char *check_part(const core_t *core, const call_t *part)
{
    const call_t *call = call_find(core, (mob_ref_t){part->id.owner, part->id.seq - part->part});
    MUST(part->state == CALL_FINAL || (call && call->state != CALL_FINAL));
    MUST(part->state == CALL_FINAL || (call->extra && call->extra->parts));
    MUST(part->state == CALL_FINAL || part->part < call->extra->parts->count);
    return NULL;
}

static const char *check_stream(const call_t *call)
{
    const stream_t *stream = stream_of(call);
    uint64_t unread = 0;
    const call_t *next;
    for (const item_t *item = stream->items; item; item = item->next)
        unread++;
    DL_FOREACH(stream->nexts, next)
    MUST(next->kind == CALL_NEXT && next->state == CALL_WAITING);
    MUST(!stream->nexts || (call->state != CALL_FINAL && unread == 0));
    MUST(stream->given + unread <= stream->made && stream->made <= stream->credit);
    return NULL;
}

static const char *check_worker(const worker_t *worker)
{
    uint32_t count = 0, open = 0;
    const call_t *call, *rest = NULL;
    DL_FOREACH(worker->hand, call)
    {
        MUST(call->worker == worker);
        MUST(!call->open || !rest);
        count++;
        open += call->open;
        if (!call->open && !rest)
            rest = call;
    }
    MUST(count == worker->hand_count);
    MUST(open == worker->open_count && rest == worker->ahead);
    MUST((worker->lease != NULL) == (worker->kind == START_TASKS && count > 0));
    MUST(worker->lease == NULL || worker->lease->holders > 0);
    call = worker->hand;
    MUST(!worker->lease || worker->claimed || !call->extra || !call->extra->shape ||
         call->extra->shape->key.demand == worker->lease);
    MUST(worker->session == NULL || worker->session->worker == worker);
    return NULL;
}

// What is taken is what its tasks and actors take. Of this nothing was given away twice, but for CPUs that were lent
// on while their body waited, and for what was there before this broker.
typedef struct sums {
    int64_t taken, given;
} sums_t;

static void add_up(sums_t *sums, int64_t steps, bool given)
{
    sums->taken += steps;
    sums->given += given ? steps : 0;
}

static int64_t steps_of(const demand_t *demand, uint32_t name)
{
    for (uint32_t i = 0; i < demand->amount_count; i++)
        if (demand->amounts[i].name == name)
            return demand->amounts[i].steps;
    return 0;
}

static sums_t sums_of(const host_t *host, uint32_t name) // 0: CPUs
{
    sums_t sums = {0};
    const worker_t *worker;
    DL_FOREACH(host->workers, worker)
    {
        const demand_t *lease = worker->lease;
        if (lease && name)
            add_up(&sums, steps_of(lease, name), !worker->claimed);
        else if (lease && !worker->blocked)
            add_up(&sums, lease->cpus_held, !worker->claimed && !worker->lent);
        for (const actor_t *actor = worker->actors; actor; actor = actor->worker_next) {
            const demand_t *demand = actor->shape->key.demand;
            add_up(&sums, name ? steps_of(demand, name) : demand->cpus_held, !actor->adopted);
        }
    }
    return sums;
}

static const char *check_host(const host_t *host)
{
    sums_t sums = sums_of(host, 0);
    MUST(host->cpus_taken == sums.taken);
    MUST(!host->open || sums.given <= host->cpus);
    for (uint32_t i = 0; i < host->resource_count; i++) {
        const resource_t *resource = &host->resources[i];
        sums = sums_of(host, resource->name);
        MUST(resource->taken == sums.taken);
        MUST(sums.given <= resource->has);
    }
    return NULL;
}

static const char *check_shape(const core_t *core, const shape_t *shape)
{
    MUST(shape->holders > 0 && shape->key.demand->holders > 0);
    for (uint32_t i = 0; i < LEVELS; i++)
        MUST(!shape->ready[i] || (shape->busy && shape->levels >> i & 1));
    MUST(!shape->actors || shape->busy);
    MUST(core->next.shape != shape || shape->busy);
    const actor_t *actor;
    DL_FOREACH2(shape->actors, actor, wait_next)
    MUST(actor->waits && actor->shape == shape && !actor->worker && actor->state != ACTOR_DEAD);
    return NULL;
}

static const char *check_actor(const actor_t *actor)
{
    MUST(actor->state != ACTOR_DEAD ||
         (actor->main.ready == NULL && actor->in_hand == 0 && actor->worker == NULL));
    MUST(!actor->made || actor->worker);
    uint32_t waiting = 0, sent = 0;
    for (uint32_t i = 0; i <= actor->lane_count; i++) {
        const lane_t *lane = i ? &actor->lanes[i - 1] : &actor->main;
        const call_t *call;
        DL_FOREACH(lane->ready, call)
        {
            MUST(call->state == CALL_READY && call->actor == actor && call->lane == i);
            waiting++;
        }
        sent += lane->sent;
    }
    MUST(waiting <= actor->waiting);
    MUST(sent == actor->in_hand - actor->open);
    return NULL;
}

static const char *check_session(const session_t *session)
{
    uint32_t pending = 0, owned = 0;
    const call_t *call;
    DL_FOREACH2(session->calls, call, own_next)
    {
        MUST(call->owner == session);
        owned++;
        pending += call->state != CALL_FINAL;
    }
    const actor_t *actor;
    DL_FOREACH2(session->actors, actor, owner_next) MUST(actor->owner == session);
    MUST(pending == session->pending);
    MUST(owned == session->owned);
    return NULL;
}

// ---- Holds: a count is the number of entries that name the record -------------------------------

static void count_one(void *counts, const holder_t *holder)
{
    if (holder_is_counted(holder))
        ((uint32_t *)counts)[holder->held->index]++;
}

static const char *compare(const core_t *core, const uint32_t *counts)
{
    uint32_t at = 0;
    for (const call_t *call; (call = call_next(core, &at)) != NULL;)
        MUST(call->holds == counts[call->index]);
    return NULL;
}

static const char *check_holds(const core_t *core)
{
    uint32_t *counts = calloc(core->calls.fresh + 1, sizeof *counts);
    if (!counts)
        return NULL;
    holders_each(core, count_one, counts);
    const char *broken = compare(core, counts);
    free(counts);
    return broken;
}

// ---- All ----------------------------------------------------------------------------------------

const char *core_check(const core_t *self)
{
    const char *broken = NULL;
    uint64_t pending = 0, calls = 0;
    uint32_t at = 0;
    for (const call_t *call; !broken && (call = call_next(self, &at)) != NULL; calls++) {
        broken = check_call(call);
        if (!broken && stream_of(call))
            broken = check_stream(call);
        if (!broken && call->kind == CALL_PART)
            broken = check_part(self, call);
        pending += call->state != CALL_FINAL;
    }
    for (const worker_t *worker = self->workers; worker && !broken; worker = worker->hh.next)
        broken = check_worker(worker);
    for (const session_t *session = self->sessions; session && !broken; session = session->hh.next)
        broken = check_session(session);
    for (const shape_t *shape = self->shapes; shape && !broken; shape = shape->hh.next)
        broken = check_shape(self, shape);
    const host_t *host;
    DL_FOREACH(self->hosts, host) broken = broken ? broken : check_host(host);
    const actor_t *actor;
    DL_FOREACH(self->actors, actor) broken = broken ? broken : check_actor(actor);
    DL_FOREACH(self->graves, actor) broken = broken ? broken : check_actor(actor);
    broken = broken ? broken : check_holds(self);
    if (broken)
        return broken;
    MUST(pending == self->count.pending);
    MUST(calls == self->calls.used);
    MUST(self->wakes == NULL);
    return NULL;
}
