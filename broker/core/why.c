// why.c - see why.h. Changes nothing. One reason each: that which, if it went, would let the call go on.

#include "why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actor.h"
#include "attempt.h"
#include "call.h"
#include "mailbox.h"
#include "name.h"
#include "shape.h"
#include "stream.h"
#include "worker.h"

enum { ID_TEXT = 48, HELD_MAX = 4 };

static const char *const words[] = {
#define R(name, word) word,
    WHY_REASONS(R)
#undef R
};

const char *why_word(why_reason_t reason)
{
    return words[reason];
}

bool why_waits(const why_t *why)
{
    return why->reason > WHY_RUNNING && why->reason != WHY_DEAD;
}

// ---- Words --------------------------------------------------------------------------------------

MOB_PRINTF(2, 3) static why_t because(why_reason_t reason, const char *format, ...)
{
    why_t out = {.reason = reason};
    va_list args;
    va_start(args, format);
    vsnprintf(out.text, sizeof out.text, format, args);
    va_end(args);
    return out;
}

static why_t behind(mob_ref_t next, why_t why)
{
    why.next = next;
    return why;
}

static const char *id_text(mob_ref_t ref, char out[ID_TEXT])
{
    snprintf(out, ID_TEXT, "%016llx.%llu", (unsigned long long)ref.owner,
             (unsigned long long)ref.seq);
    return out;
}

// "slow 9f3ac41b22d0e871.17": the first word of its signature.
static const char *call_text(const core_t *core, const call_t *call, char out[WHY_TEXT])
{
    char id[ID_TEXT];
    const char *name = name_text(core, call->target);
    int size = (int)strcspn(name, " ");
    snprintf(out, WHY_TEXT, "%.*s%s%s", size < 64 ? size : 64, name, size ? " " : "",
             id_text(call->id, id));
    return out;
}

static const char *host_text(const core_t *core, const host_t *host)
{
    return host ? name_text(core, host->session->name) : "a host";
}

static const char *worker_text(const core_t *core, const worker_t *worker)
{
    return worker->session ? name_text(core, worker->session->name) : "a worker";
}

static long long ms_until(const core_t *core, int64_t at)
{
    return at > core->now ? (at - core->now + 999) / 1000 : 0;
}

static long long ms_since(const core_t *core, int64_t at)
{
    return (core->now - at) / 1000;
}

// ---- A place on a host --------------------------------------------------------------------------

nearest_t why_nearest(core_t *core, shape_t *shape)
{
    nearest_t best = {0};
    const host_t *host;
    DL_FOREACH(core->hosts, host)
    {
        fit_t fit = place_fit(core, host, shape);
        if (!best.host || fit > best.fit)
            best = (nearest_t){host, fit};
    }
    return best;
}

static void add_holder(char held[WHY_TEXT], uint32_t count, const char *text)
{
    size_t used = strlen(held);
    if (count < HELD_MAX)
        snprintf(held + used, WHY_TEXT - used, "%s%.60s", count ? ", " : "", text);
}

// Bodies of tasks that do not wait themselves, and actors as long as they live.
static void tell_holders(const core_t *core, const host_t *host, why_t *out)
{
    char text[WHY_TEXT];
    uint32_t count = 0;
    const worker_t *worker;
    DL_FOREACH(host->workers, worker)
    {
        for (const actor_t *actor = worker->actors; actor; actor = actor->worker_next) {
            if (actor->shape->key.demand->cpus_held || actor->shape->key.demand->amount_count)
                add_holder(out->held, count++, actor_display(core, actor));
        }
        if (!worker->lease || !worker->hand)
            continue;
        if (mob_is_none(out->next))
            out->next = worker->hand->id;
        add_holder(out->held, count++, call_text(core, worker->hand, text));
    }
    size_t used = strlen(out->held);
    if (count > HELD_MAX)
        snprintf(out->held + used, WHY_TEXT - used, " and %u more", count - HELD_MAX);
}

static why_t no_process(const core_t *core, const host_t *host)
{
    const char *name = host_text(core, host);
    if (host->worker_count >= host->procs)
        return because(WHY_PROCESS,
                       "%.64s is at its limit of %u processes, %u of them wait in a body", name,
                       host->procs, place_blocked(host));
    if (core->now < host->start_at)
        return because(WHY_PROCESS, "workers of %.64s crash: the next one starts in %lld ms", name,
                       ms_until(core, host->start_at));
    return because(WHY_PROCESS, "a worker of %.64s starts", name);
}

static why_t by_fit(const core_t *core, nearest_t near, const char *needs)
{
    char has[PLACE_TEXT];
    if (!near.host || near.fit <= FIT_UNOFFERED)
        return because(WHY_UNOFFERED, "no host offers it now");
    const char *name = host_text(core, near.host);
    place_print(core, near.host, has);
    switch (near.fit) {
    case FIT_OTHER:
        return because(WHY_UNFIT, "needs %.120s: no such host offers it", needs);
    case FIT_SMALL:
        return because(WHY_UNFIT, "needs %.90s: no host has that much; %.40s: %.90s", needs, name,
                       has);
    case FIT_TAKEN:
        return because(WHY_TAKEN, "waits for %.90s; taken on %.40s: %.90s", needs, name, has);
    case FIT_KEPT:
        return because(WHY_TAKEN, "waits for %.90s; %.40s keeps room for who waits longer", needs,
                       name);
    default:
        return no_process(core, near.host);
    }
}

why_t why_shape(core_t *core, shape_t *shape)
{
    char needs[DEMAND_TEXT];
    nearest_t near = why_nearest(core, shape);
    demand_print(core, shape->key.demand, needs);
    why_t out = by_fit(core, near, needs);
    if (out.reason == WHY_UNFIT || out.reason == WHY_TAKEN)
        snprintf(out.asks, sizeof out.asks, "%.200s", needs);
    if (near.fit == FIT_TAKEN)
        tell_holders(core, near.host, &out);
    return out;
}

// ---- What it takes before a call is ready -------------------------------------------------------

static why_t argument(core_t *core, const call_t *call)
{
    char text[WHY_TEXT];
    const call_t *dep = NULL;
    for (uint32_t i = 0; i < call->extra->dep_count && (!dep || dep->state == CALL_FINAL); i++)
        dep = call_find(core, call->extra->deps[i]);
    if (!dep)
        return because(WHY_DEPENDENCY, "waits for %u of its arguments", call->missing);
    return behind(dep->id,
                  because(WHY_DEPENDENCY, "waits for %u of its arguments, first for %.80s (%s)",
                          call->missing, call_text(core, dep, text), call_state_name(dep)));
}

static why_t waiting(core_t *core, call_t *call)
{
    if (call->list == &core->parked)
        return because(WHY_REJOIN, "who had it before this broker may come back: %lld ms more",
                       ms_until(core, core->rejoin_at));
    if (call->extra && call->extra->shares)
        return because(WHY_KEY, "gets the outcome of the call that had its key first");
    if (call->missing > 0)
        return argument(core, call);
    if (call->kind == CALL_NEXT)
        return because(WHY_ITEM, "the next item of its stream has not been made");
    return because(WHY_UNOFFERED, "no host has ever offered it");
}

static why_t delayed(core_t *core, call_t *call)
{
    if (call->attempt == 0)
        return because(WHY_DELAY, "begins in %lld ms, as asked for", ms_until(core, call->due_at));
    return because(WHY_RETRY, "begins in %lld ms: run %u of %d", ms_until(core, call->due_at),
                   call->attempt + 1u, call->retries + 1);
}

// ---- Its actor ----------------------------------------------------------------------------------

static why_t behind_late(core_t *core, const call_t *call)
{
    char text[WHY_TEXT];
    const call_t *first = *call->list;
    return behind(first->id, because(WHY_MAILBOX,
                                     "stands behind an earlier call of its caller, %.80s, whose "
                                     "arguments have not settled",
                                     call_text(core, first, text)));
}

// The first of them, in that lane where it has several.
static const call_t *in_hand(const actor_t *actor, const call_t *like)
{
    const call_t *call = actor->worker ? actor->worker->hand : NULL;
    while (call && (call->actor != actor || (like && call->lane != like->lane)))
        call = call->next;
    return call;
}

static why_t mailbox(core_t *core, call_t *call)
{
    actor_t *actor = call->actor;
    const char *name = actor_display(core, actor);
    if (mailbox_is_late(actor, call))
        return behind_late(core, call);
    why_t actors = why_actor(core, actor);
    const call_t *now = in_hand(actor, call);
    if (!now || (actors.reason != WHY_RUNNING && actors.reason != WHY_STOPPING))
        return behind(actor->id, because(WHY_ACTOR, "its actor \"%.80s\" is %s", name,
                                         actor_state_name(actor)));
    uint32_t before = 0;
    for (const call_t *other = mailbox_lane(actor, call)->ready; other != call; other = other->next)
        before++;
    return behind(now->id,
                  because(WHY_MAILBOX,
                          "number %u of %u in the mailbox of \"%.80s\", %u more in its hand",
                          before + 1, actor->waiting, name, actor->in_hand));
}

static why_t ready(core_t *core, call_t *call)
{
    shape_t *shape = call->kind == CALL_TASK ? shape_of_call(core, call) : NULL;
    if (call->kind == CALL_METHOD && call->actor)
        return mailbox(core, call);
    if (shape && shape->key.def->kind)
        return why_shape(core, shape);
    if (call->kind == CALL_END)
        return because(WHY_ACTOR, "settles when its actor has ended");
    return because(WHY_UNOFFERED, "no host has ever offered it");
}

// ---- At its worker ------------------------------------------------------------------------------

static bool is_silent(const core_t *core, const worker_t *worker)
{
    const session_t *session = worker->session;
    return session &&
           (!session->peer || core->now - session->heard_at > 3 * core->config.heartbeat_us);
}

static why_t silent(const core_t *core, const worker_t *worker)
{
    int64_t heard_at = worker->session->heard_at;
    return because(WHY_SILENT, "its worker %.80s has said nothing for %lld ms; in %lld ms it is lost",
                   worker_text(core, worker), ms_since(core, heard_at),
                   ms_until(core, heard_at + core->config.lost_us));
}

static why_t blocked(const core_t *core, const call_t *call)
{
    const call_t *child;
    char text[WHY_TEXT];
    const char *worker = worker_text(core, call->worker);
    DL_FOREACH2(call->worker->session->calls, child, own_next)
    {
        if (child->extra && mob_same(child->extra->parent, call->id) && child->state != CALL_FINAL)
            return behind(child->id, because(WHY_CHILD, "its body on %.64s waits, and asked for %.80s",
                                             worker, call_text(core, child, text)));
    }
    return because(WHY_CHILD, "its body on %.64s waits for what others asked for", worker);
}

static why_t beside_others(const core_t *core, const call_t *call)
{
    const worker_t *worker = call->worker;
    const call_t *before = in_hand(call->actor, call);
    why_t why = because(WHY_MAILBOX, "at its worker %.80s, where %u others run",
                        worker_text(core, worker), worker->open_count);
    return before->open ? behind(before->id, why) : why;
}

static why_t in_a_hand(const core_t *core, const call_t *call)
{
    if (call->actor && call->actor->threads)
        return beside_others(core, call);
    uint32_t before = 0;
    for (const call_t *other = call->worker->ahead; other != call; other = other->next)
        before++;
    return behind(call->worker->ahead->id, because(WHY_MAILBOX, "at its worker %.80s behind %u others",
                                                   worker_text(core, call->worker), before));
}

static why_t runs(const core_t *core, const call_t *call)
{
    const worker_t *worker = call->worker;
    int64_t begun = attempt_begun(core, call);
    return because(WHY_RUNNING, "%srun %u, on %.80s of %.64s, pid %u, for %lld ms",
                   call->open ? "its answer was put off: " : "", call->attempt + 1u,
                   worker_text(core, worker), host_text(core, worker->host), worker->pid,
                   ms_since(core, begun));
}

static why_t sent(core_t *core, call_t *call)
{
    const worker_t *worker = call->worker;
    const stream_t *stream = stream_of(call);
    if (worker->restating)
        return because(WHY_REJOIN, "its worker %.80s is back, and says what it has",
                       worker_text(core, worker));
    if (is_silent(core, worker))
        return silent(core, worker);
    if (call->cancelled)
        return because(WHY_CANCELLED, "its worker %.80s was told that it is called off",
                       worker_text(core, worker));
    if (!call_has_begun(call))
        return in_a_hand(core, call);
    if (stream && stream->made >= stream->credit)
        return because(WHY_CREDIT,
                       "has made %llu items, of which %llu were read: its body waits for %.64s",
                       (unsigned long long)stream->made, (unsigned long long)stream->given,
                       call->owner ? name_text(core, call->owner->name) : "its reader");
    return worker->blocked && worker->session ? blocked(core, call) : runs(core, call);
}

static why_t settled(core_t *core, call_t *call)
{
    (void)core;
    if (call->code)
        return because(WHY_SETTLED, "has ended: %s", mob_strerror((mob_err_t)call->code));
    return because(WHY_SETTLED, "has ended well; who waits for it is told within 2 s");
}

why_t why_call(core_t *core, call_t *call)
{
    static why_t (*const by_state[CALL_STATES])(core_t *, call_t *) = {
        [CALL_WAITING] = waiting, [CALL_DELAYED] = delayed, [CALL_READY] = ready,
        [CALL_SENT] = sent,       [CALL_FINAL] = settled,
    };
    return by_state[call->state](core, call);
}

// ---- An actor -----------------------------------------------------------------------------------

static why_t without_a_worker(core_t *core, actor_t *actor)
{
    call_t *making = actor->making;
    if (actor->waits)
        return why_shape(core, actor->shape);
    if (actor->state == ACTOR_RESTARTING)
        return because(WHY_RETRY, "incarnation %u begins in %lld ms, restart %u of %d",
                       actor->incarnation, ms_until(core, actor->deadline.at), actor->restarts,
                       actor->max_restarts);
    return waiting(core, making);
}

static why_t with_a_worker(core_t *core, const actor_t *actor)
{
    const worker_t *worker = actor->worker;
    const call_t *now = in_hand(actor, NULL);
    char text[WHY_TEXT];
    if (worker->restating)
        return because(WHY_REJOIN, "its worker %.80s is back, and says what it has",
                       worker_text(core, worker));
    if (is_silent(core, worker))
        return silent(core, worker);
    if (worker->state == WORKER_STARTING)
        return because(WHY_PROCESS, "a worker of %.64s starts", host_text(core, worker->host));
    if (!actor->made)
        return because(WHY_BEGINS, "its constructor runs on %.80s, incarnation %u",
                       worker_text(core, worker), actor->incarnation);
    if (actor->state == ACTOR_STOPPING)
        return behind(now ? now->id : (mob_ref_t){0, 0},
                      because(WHY_STOPPING, "ends (%s) behind %u calls",
                              cause_name(actor->stop_cause), actor->in_hand + actor->waiting));
    if (!now)
        return because(WHY_IDLE, "lives on %.80s and has no calls", worker_text(core, worker));
    return behind(now->id, because(WHY_RUNNING, "has %.80s in hand, and %u more wait",
                                   call_text(core, now, text), actor->waiting));
}

why_t why_actor(core_t *core, actor_t *actor)
{
    if (actor->state == ACTOR_DEAD)
        return because(WHY_DEAD, "%s", actor->epitaph ? actor->epitaph : "has ended");
    return actor->worker ? with_a_worker(core, actor) : without_a_worker(core, actor);
}

// ---- Of whom ------------------------------------------------------------------------------------

call_t *why_subject(core_t *core, mob_ref_t ref)
{
    call_t *call = call_find(core, ref);
    if (call && call->kind == CALL_PART && call->state != CALL_FINAL)
        return call_find(core, (mob_ref_t){ref.owner, ref.seq - call->part});
    actor_t *actor = call && call->kind == CALL_FIND ? actor_find(core, ref, call->space) : NULL;
    return actor ? actor->making : call;
}
