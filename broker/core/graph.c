// graph.c - who waits for which ref. Edges name their waiter by id; settled calls queue up to tell theirs.

#include "graph.h"

#include <stdlib.h>

#include "call.h"
#include "refcount.h"
#include "notice.h"
#include "outcome.h"
#include "session.h"
#include "stream.h"

enum { ARG_SHARED = UINT32_MAX }; // not an argument: the outcome itself

static bool add_edge(call_t *call, mob_ref_t waiter, uint32_t arg)
{
    edge_t *edge = malloc(sizeof *edge);
    if (!edge)
        return false;
    *edge = (edge_t){.next = call->waiters, .waiter = waiter, .arg = arg};
    call->waiters = edge;
    return true;
}

static mob_err_t add_dep(core_t *core, call_t *call, uint32_t arg, mob_ref_t *failed)
{
    mob_ref_t ref = call->extra->deps[arg];
    call_t *dep = call_find(core, ref);
    if (dep && stream_of(dep))
        return MOB_EARGS;
    if (!dep || mob_same(ref, call->id) || (dep->state == CALL_FINAL && dep->code != MOB_OK)) {
        *failed = ref;
        return MOB_EDEP;
    }
    if (dep->state == CALL_FINAL)
        call->extra->values[arg] = blob_hold(dep->load);
    else if (add_edge(dep, call->id, arg))
        call->missing++;
    else
        return MOB_ENOMEM;
    refcount_take(dep);
    return MOB_OK;
}

mob_err_t graph_add(core_t *core, call_t *call, refs_t ahead, refs_t deps, mob_ref_t *failed)
{
    uint32_t count = ahead.count + deps.count;
    *failed = (mob_ref_t){0, 0};
    if (count > MOB_DEPS_MAX)
        return MOB_ELIMIT;
    call_extra_t *extra = call_extra(call);
    if (!extra)
        return MOB_ENOMEM;
    extra->deps = calloc(count, sizeof *extra->deps);
    extra->values = calloc(count, sizeof *extra->values);
    if (!extra->deps || !extra->values)
        return MOB_ENOMEM;
    mob_err_t err = MOB_OK;
    for (uint32_t i = 0; i < count && !err; i++) {
        extra->deps[i] = refs_next(ahead.count > 0 ? &ahead : &deps);
        err = add_dep(core, call, i, failed);
        extra->dep_count += !err; // these are held
    }
    return err;
}

bool graph_share(call_t *call, call_t *waiter)
{
    waiter->missing = 1;
    return add_edge(call, waiter->id, ARG_SHARED);
}

bool graph_watch(core_t *core, call_t *call, session_t *session)
{
    (void)core;
    for (const edge_t *edge = call->waiters; edge; edge = edge->next)
        if (edge->waiter.seq == 0 && edge->waiter.owner == session->owner)
            return true;
    return add_edge(call, (mob_ref_t){session->owner, 0}, 0);
}

static void tell_session(core_t *core, const edge_t *edge, const wake_t *wake)
{
    session_t *session = session_find(core, edge->waiter.owner);
    if (session)
        notice_watched(core, session, wake);
}

static void tell_call(core_t *core, const edge_t *edge, const wake_t *wake)
{
    call_t *waiter = call_find(core, edge->waiter);
    if (!waiter || waiter->state != CALL_WAITING || waiter->missing == 0)
        return;
    if (edge->arg == ARG_SHARED) {
        refcount_copy(core, &waiter->extra->value, &wake->value);
        outcome_store(core, waiter, (mob_err_t)wake->code, blob_hold(wake->load));
        return;
    }
    if (wake->code != MOB_OK) {
        outcome_dependency(core, waiter, wake->id, wake->code, wake->load);
        return;
    }
    waiter->extra->values[edge->arg] = blob_hold(wake->load);
    if (--waiter->missing == 0)
        call_argued(core, waiter);
}

static edge_t *reversed(edge_t *edges) // they were pushed in front: first come, first told
{
    edge_t *out = NULL;
    for (edge_t *next; edges; edges = next) {
        next = edges->next;
        edges->next = out;
        out = edges;
    }
    return out;
}

static void tell_all(core_t *core, wake_t *wake)
{
    for (edge_t *edge = reversed(wake->edges), *next; edge; edge = next) {
        next = edge->next;
        if (edge->waiter.seq)
            tell_call(core, edge, wake);
        else
            tell_session(core, edge, wake);
        free(edge);
    }
    refcount_let_go(core, &wake->value);
    blob_drop(&wake->load);
    free(wake);
}

void graph_wake(core_t *core, call_t *call)
{
    wake_t *wake = malloc(sizeof *wake);
    if (!wake)
        return; // they find out by asking
    *wake = (wake_t){
        .edges = call->waiters, .id = call->id, .code = call->code, .load = blob_hold(call->load)};
    if (refcount_carries(call))
        refcount_copy(core, &wake->value, &call->extra->value);
    call->waiters = NULL;
    *core->wakes_end = wake;
    core->wakes_end = &wake->next;
    if (core->waking)
        return;
    core->waking = true;
    while ((wake = core->wakes) != NULL) {
        core->wakes = wake->next;
        if (!core->wakes)
            core->wakes_end = &core->wakes;
        tell_all(core, wake);
    }
    core->waking = false;
}

void graph_unwatch(call_t *call, const session_t *session)
{
    for (edge_t **edge_p = &call->waiters; *edge_p; edge_p = &(*edge_p)->next) {
        edge_t *edge = *edge_p;
        if (edge->waiter.seq == 0 && edge->waiter.owner == session->owner) {
            *edge_p = edge->next;
            free(edge);
            return;
        }
    }
}

void graph_fini(call_t *call)
{
    for (edge_t *edge = call->waiters, *next; edge; edge = next) {
        next = edge->next;
        free(edge);
    }
    call->waiters = NULL;
}
