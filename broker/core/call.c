// call.c - the life of a call. Every move is a row of CALL_MOVES; what decides between two rows is decided
// before call_move(), so that the table stays exact. Never sends anything: worker.c and notice.c do.

#include "call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "graph.h"
#include "refcount.h"
#include "internal.h"
#include "letter.h"
#include "mailbox.h"
#include "name.h"
#include "once.h"
#include "outcome.h"
#include "parts.h"
#include "schedule.h"
#include "shape.h"
#include "stream.h"
#include "timeline.h"
#include "worker.h"

// No row: a peer's event came late, and the caller counts and drops it.
//    state    event    next     action
#define CALL_MOVES(X)                     \
    X(WAITING, ARGUED, READY, enqueue)    \
    X(WAITING, PUT_OFF, DELAYED, put_off) \
    X(DELAYED, DUE, READY, enqueue)       \
    X(READY, LEASED, SENT, leave_list)    \
    X(SENT, GIVEN, READY, go_back)        \
    X(SENT, RETRY, DELAYED, put_off)      \
    X(WAITING, ENDED, FINAL, leave_list)  \
    X(DELAYED, ENDED, FINAL, leave_list)  \
    X(READY, ENDED, FINAL, leave_list)    \
    X(SENT, ENDED, FINAL, stay)

static const char *const state_names[CALL_STATES] = {"waiting", "delayed", "ready", "sent", "final"};

const char *call_state_name(const call_t *call)
{
    if (call->state == CALL_FINAL)
        return call->code == MOB_OK           ? "done"
               : call->code == MOB_ECANCELLED ? "cancelled"
                                              : "failed";
    return call_has_begun(call) ? "running" : state_names[call->state];
}

bool call_has_begun(const call_t *call)
{
    if (call->state != CALL_SENT || !call->worker)
        return false;
    bool told = call->actor && call->actor->threads;
    return call->open || (!told && call->worker->ahead == call);
}

// ---- Records ------------------------------------------------------------------------------------

void call_own(call_t *call, session_t *owner)
{
    call->owner = owner;
    DL_APPEND2(owner->calls, call, own_prev, own_next);
    owner->owned++;
    owner->pending += call->state != CALL_FINAL;
}

void call_disown(call_t *call)
{
    session_t *owner = call->owner;
    DL_DELETE2(owner->calls, call, own_prev, own_next);
    owner->owned--;
    owner->pending -= call->state != CALL_FINAL;
    call->owner = NULL;
}

call_t *call_new(core_t *core, session_t *owner, mob_ref_t id, call_kind_t kind)
{
    uint32_t index;
    call_t *call = reftable_reserve(&core->refs) ? slab_take(&core->calls, &index) : NULL;
    if (!call)
        return NULL;
    call->id = id;
    call->index = index;
    call->kind = (uint8_t)kind;
    call->at = core->now;
    call->deadline.kind = DEADLINE_CALL;
    reftable_add(&core->refs, id, index);
    if (owner)
        call_own(call, owner);
    core->count.pending++;
    return call;
}

static void extra_free(core_t *core, call_t *call)
{
    if (!call->extra)
        return;
    refcount_end_arguments(core, call);
    refcount_let_go(core, &call->extra->value);
    free(call->extra->find);
    free(call->extra->lane);
    shape_drop(core, &call->extra->shape);
    free(call->extra);
    call->extra = NULL;
}

void call_free(core_t *core, call_t *call)
{
    call_unlist(call);
    deadline_clear(&core->deadlines, &call->deadline);
    if (call->owner)
        call_disown(call);
    core->count.pending -= call->state != CALL_FINAL;
    core_weigh(core, call->load, -1);
    blob_drop(&call->load);
    if (call->extra && call->extra->parts)
        parts_free(core, call);
    if (call->extra && call->extra->once)
        once_forget(core, call);
    if (stream_of(call))
        stream_free(core, call);
    extra_free(core, call);
    graph_fini(call);
    reftable_remove(&core->refs, call->id, call->index);
    slab_give(&core->calls, call->index);
    call->index = UINT32_MAX; // call_next: nobody is here
}

call_t *call_find(const core_t *core, mob_ref_t ref)
{
    return reftable_find(&core->refs, ref);
}

call_t *call_next(const core_t *core, uint32_t *at)
{
    while (*at < core->calls.fresh) {
        call_t *call = slab_at(&core->calls, *at);
        if (call->index == (*at)++)
            return call;
    }
    return NULL;
}

static uint64_t gather(const session_t *session, bool (*wants)(const call_t *, const void *),
                       const void *arg, mob_ref_t *out, uint64_t room)
{
    uint64_t count = 0;
    call_t *call;
    DL_FOREACH2(session->calls, call, own_next)
    {
        if (count < room && wants(call, arg))
            out[count++] = call->id;
    }
    return count;
}

// Without memory for all their names one at a time.
void call_each(core_t *core, const session_t *session, bool (*wants)(const call_t *, const void *),
               void (*act)(core_t *, call_t *, const void *), const void *arg)
{
    mob_ref_t one, *all = calloc(session->owned, sizeof *all), *names = all ? all : &one;
    uint64_t room = all ? session->owned : 1;
    for (uint64_t count; (count = gather(session, wants, arg, names, room)) > 0;) {
        for (uint64_t i = 0; i < count; i++) {
            call_t *call = call_find(core, names[i]);
            if (call && wants(call, arg))
                act(core, call, arg);
        }
    }
    free(all);
}

call_extra_t *call_extra(call_t *call)
{
    if (!call->extra)
        call->extra = calloc(1, sizeof *call->extra);
    return call->extra;
}

// ---- Lists: a call is in one at a time ----------------------------------------------------------

void call_enlist(call_t *call, call_t **list)
{
    call->list = list;
    DL_APPEND(*list, call);
}

void call_enlist_first(call_t *call, call_t **list)
{
    call->list = list;
    DL_PREPEND(*list, call);
}

void call_unlist(call_t *call)
{
    if (!call->list)
        return;
    DL_DELETE(*call->list, call);
    call->list = NULL;
}

void call_out_of_hand(core_t *core, call_t *call)
{
    if (!call->worker)
        return;
    worker_untake(core, call);
    if (call->state == CALL_FINAL)
        call->actor = call->kind == CALL_METHOD ? NULL : call->actor;
    core->schedule = true;
}

// ---- Moves --------------------------------------------------------------------------------------

static void set_timer(core_t *core, call_t *call, int64_t at)
{
    if (call->ends_at && call->ends_at < at)
        at = call->ends_at;
    deadline_set(&core->deadlines, &call->deadline, at);
}

static void enqueue(core_t *core, call_t *call)
{
    if (call->kind == CALL_METHOD)
        mailbox_add(core, call->actor, call);
    else if (call->kind == CALL_MAKING)
        actor_wait(core, call->actor);
    else
        schedule_add(core, call, false);
}

static void go_back(core_t *core, call_t *call)
{
    if (call->kind == CALL_METHOD)
        mailbox_add_first(core, call->actor, call);
    else
        schedule_add(core, call, true);
}

static void put_off(core_t *core, call_t *call)
{
    set_timer(core, call, call->due_at);
}

static void leave_list(core_t *core, call_t *call)
{
    if (call->kind == CALL_METHOD && call->actor)
        mailbox_left(core, call->actor, call);
    else
        call_unlist(call);
}

static void stay(core_t *core,
                 call_t *call) // in its worker's hand, until the worker says that it is done
{
    (void)core;
    (void)call;
}

typedef struct move {
    bool exists;
    uint8_t next;
    void (*action)(core_t *, call_t *);
} move_t;

static const move_t moves[CALL_STATES][CALL_EVENTS] = {
#define X(state, event, next, action) [CALL_##state][CALL_##event] = {true, CALL_##next, action},
    CALL_MOVES(X)
#undef X
};

bool call_move(core_t *core, call_t *call, call_event_t event)
{
    const move_t *move = &moves[call->state][event];
    if (!move->exists)
        return false;
    call->state = move->next;
    move->action(core, call);
    return true;
}

void call_argued(core_t *core, call_t *call)
{
    if (call->list == &core->parked)
        return; // goes on when its actor is known
    if (call->due_at > core->now) {
        call_unlist(call);
        call_move(core, call, CALL_PUT_OFF);
    } else {
        call_move(core, call, CALL_ARGUED);
    }
}

// ---- Time ---------------------------------------------------------------------------------------

int64_t call_remaining_ms(const core_t *core, const call_t *call)
{
    if (call->ends_at == 0)
        return -1;
    return call->ends_at > core->now ? (call->ends_at - core->now + 999) / 1000 : 0;
}

static void deadline_passed(core_t *core, call_t *call)
{
    bool sent = call->state == CALL_SENT;
    if (sent)
        worker_cancel(core, call);
    timeline_add(core, EVENT_TIMEOUT, call, MOB_EDEADLINE);
    outcome_fail(core, call, MOB_EDEADLINE, "", "%s: deadline passed while %s",
                 name_text(core, call->target), sent ? "at its worker" : "queued");
}

void call_timer(core_t *core, call_t *call)
{
    if (call->state == CALL_FINAL) { // kept for long enough
        outcome_drop(core, call);
        return;
    }
    if (call->ends_at && core->now >= call->ends_at) {
        deadline_passed(core, call);
        return;
    }
    if (call->ends_at)
        deadline_set(&core->deadlines, &call->deadline, call->ends_at);
    if (call->state == CALL_DELAYED) // may be refused, and gone
        call_move(core, call, CALL_DUE);
    else if (call->state == CALL_READY && call->kind != CALL_METHOD)
        schedule_unresolved(core, call);
}

// ---- Another run --------------------------------------------------------------------------------

enum { RETRY_MAX_US = 2000000 };

static bool has_retries(const call_t *call)
{
    return !call->cancelled &&
           (call->retries < 0 ? call->attempt < UINT16_MAX : call->attempt < call->retries);
}

static bool is_poison(const core_t *core, const call_t *call)
{
    return call->extra && call->extra->kills >= core->config.poison;
}

bool call_may_run_again(const core_t *core, const call_t *call)
{
    return has_retries(call) && !is_poison(core, call);
}

void call_ended_worker(call_t *call)
{
    call_extra_t *extra = call_extra(call);
    if (extra)
        extra->kills++;
}

void call_run_again(core_t *core, call_t *call, mob_err_t why)
{
    call->attempt++;
    core->count.retries++;
    timeline_add(core, EVENT_RETRY, call, why);
    call->place = 0;
}

static int64_t retry_delay(core_t *core, const call_t *call)
{
    int64_t delay = core->config.retry_us << (call->attempt < 16 ? call->attempt : 16);
    delay = delay < RETRY_MAX_US ? delay : RETRY_MAX_US;
    return delay / 2 + (int64_t)(core_random(core) % ((uint64_t)delay + 1));
}

void call_give_up(core_t *core, call_t *call, const failure_t *failure)
{
    char text[MOB_TEXT_MAX], letter[LETTER_NAME];
    failure_t record = *failure;
    if (has_retries(call) && is_poison(core, call)) {
        snprintf(text, sizeof text,
                 "%s: its body ended %u workers, see dead letter %s; the last time: %s",
                 name_text(core, call->target), call->extra->kills,
                 letter_name(letter, letter_next(core)), failure->reason);
        record.err = record.root = MOB_EPOISON;
        record.reason = text;
    }
    outcome_failure(core, call, &record);
}

void call_lost(core_t *core, call_t *call, const failure_t *failure)
{
    bool final =
        call->state == CALL_FINAL; // its outcome was stored before: only the record was waited for
    call_out_of_hand(core, call);
    if (final && call->dropped) {
        outcome_drop(core, call);
    } else if (final) {
        return;
    } else if (call->cancelled) {
        outcome_fail(core, call, MOB_ECANCELLED, "", "%s: cancelled", name_text(core, call->target));
    } else if (call_may_run_again(core, call)) {
        call->due_at = core->now + retry_delay(core, call);
        call_run_again(core, call, failure->err);
        call_move(core, call, CALL_RETRY);
    } else {
        call_give_up(core, call, failure);
    }
}

// ---- Cancelling ---------------------------------------------------------------------------------

typedef struct family {
    mob_ref_t parent;
    uint32_t flags;
    session_t *session; // of its worker: what the body itself started belongs to that
} family_t;

static uint32_t flags_for(const call_t *call, const family_t *family)
{
    return call->kind == CALL_TASK ? family->flags : family->flags & ~(uint32_t)MOB_CANCEL_FORCE;
}

static bool can_be_cancelled(const call_t *call)
{
    return call->state != CALL_FINAL && call->kind != CALL_MAKING && call->kind != CALL_NEXT;
}

static bool is_child(const call_t *call, const void *arg)
{
    const family_t *family = arg;
    bool told = call->cancelled && call->cancel_flags == flags_for(call, family);
    return call->extra && mob_same(call->extra->parent, family->parent) && !told &&
           can_be_cancelled(call);
}

static void cancel_child(core_t *core, call_t *call, const void *arg)
{
    const family_t *family = arg;
    call_cancel(core, call, flags_for(call, family), family->session);
}

void call_stop_body(core_t *core, call_t *call, uint32_t flags)
{
    session_t *session = call->worker->session;
    call->cancelled = true;
    call->cancel_flags = (uint8_t)flags;
    worker_cancel(core, call);
    if (flags & MOB_CANCEL_ALONE)
        return;
    call->worker->cancels = true;
    if (session)
        call_each(core, session, is_child, cancel_child,
                  &(family_t){.parent = call->id, .flags = flags, .session = session});
}

void call_cancel(core_t *core, call_t *call, uint32_t flags, session_t *by)
{
    if (!can_be_cancelled(call))
        return;
    bool sent = call->state == CALL_SENT, begun = call_has_begun(call);
    if (sent)
        call_stop_body(core, call, flags);
    if (sent && !begun)
        return; // its worker says whether it began
    timeline_add(core, EVENT_CANCEL, call, MOB_ECANCELLED);
    outcome_fail(core, call, MOB_ECANCELLED, "", "%s: cancelled by %s while %s",
                 name_text(core, call->target), name_text(core, by->name),
                 begun ? "running" : "queued");
}
