// check.c - the invariants of the tables, for tests and the simulator: what must be true between two events.

#include <stdio.h>

#include "call.h"
#include "state.h"

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
    MUST(call->state != CALL_FINAL || !call->dropped || call->worker || call->kind == CALL_MAKING);
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

static const char *check_worker(const worker_t *worker)
{
    uint32_t count = 0;
    const call_t *call;
    DL_FOREACH(worker->hand, call)
    {
        MUST(call->worker == worker);
        count++;
    }
    MUST(count == worker->hand_count);
    MUST(worker->session == NULL || worker->session->worker == worker);
    return NULL;
}

static const char *check_actor(const actor_t *actor)
{
    MUST(actor->state != ACTOR_DEAD ||
         (actor->mailbox == NULL && actor->in_hand == 0 && actor->worker == NULL));
    MUST(!actor->made || actor->worker);
    uint32_t waiting = 0;
    const call_t *call;
    DL_FOREACH(actor->mailbox, call)
    {
        MUST(call->state == CALL_READY && call->actor == actor);
        waiting++;
    }
    MUST(waiting <= actor->waiting);
    return NULL;
}

static const char *check_session(const session_t *session)
{
    uint32_t pending = 0;
    const call_t *call;
    DL_FOREACH2(session->calls, call, own_next)
    {
        MUST(call->owner == session);
        pending += call->state != CALL_FINAL;
    }
    MUST(pending == session->pending);
    return NULL;
}

const char *core_check(const core_t *self)
{
    const char *broken = NULL;
    uint64_t pending = 0, calls = 0;
    for (uint32_t i = 0; self->refs.slots && i <= self->refs.mask && !broken; i++) {
        if (!self->refs.slots[i])
            continue;
        const call_t *call = slab_at(&self->calls, (uint32_t)self->refs.slots[i] - 1);
        broken = check_call(call);
        if (!broken && call->kind == CALL_PART)
            broken = check_part(self, call);
        pending += call->state != CALL_FINAL;
        calls++;
    }
    for (const worker_t *worker = self->workers; worker && !broken; worker = worker->hh.next)
        broken = check_worker(worker);
    for (const session_t *session = self->sessions; session && !broken; session = session->hh.next)
        broken = check_session(session);
    const actor_t *actor;
    DL_FOREACH(self->actors, actor) broken = broken ? broken : check_actor(actor);
    DL_FOREACH(self->graves, actor) broken = broken ? broken : check_actor(actor);
    if (broken)
        return broken;
    MUST(pending == self->count.pending);
    MUST(calls == self->calls.used);
    MUST(self->wakes == NULL);
    return NULL;
}
