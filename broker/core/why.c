// why.c - what keeps ready work from running: told to who asks, and in time to who does not. Changes nothing
// but when it warned last.

#include "why.h"

#include <stdio.h>
#include <string.h>

#include "demand.h"
#include "name.h"
#include "place.h"
#include "shape.h"
#include "timeline.h"

enum { WARN_AGAIN_US = 60000000 };

// ---- The host that is nearest to taking it ------------------------------------------------------

typedef struct nearest {
    const host_t *host; // NULL: there is none
    fit_t fit;
} nearest_t;

static nearest_t nearest_host(core_t *core, shape_t *shape)
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

static uint32_t blocked_workers(const host_t *host)
{
    uint32_t count = 0;
    const worker_t *worker;
    DL_FOREACH(host->workers, worker) count += worker->blocked;
    return count;
}

static bool is_at_limit(const host_t *host)
{
    return host->worker_count >= host->procs;
}

// ---- Sentences ----------------------------------------------------------------------------------

static void say_no_process(const core_t *core, const host_t *host, char out[WHY_TEXT])
{
    const char *name = name_text(core, host->session->name);
    uint32_t blocked = blocked_workers(host);
    if (is_at_limit(host))
        snprintf(out, WHY_TEXT, "%.64s is at its limit of %u processes, %u of them wait in a body",
                 name, host->procs, blocked);
    else if (core->now < host->start_at)
        snprintf(out, WHY_TEXT, "workers of %.64s crash: the next one starts in %lld ms", name,
                 (long long)((host->start_at - core->now + 999) / 1000));
    else
        snprintf(out, WHY_TEXT, "a worker of %.64s starts", name);
}

const char *why_shape(core_t *core, shape_t *shape, char out[WHY_TEXT])
{
    char needs[DEMAND_TEXT], has[PLACE_TEXT];
    nearest_t near = nearest_host(core, shape);
    demand_print(core, shape->key.demand, needs);
    const char *name = near.host ? name_text(core, near.host->session->name) : "";
    if (near.host)
        place_print(core, near.host, has);
    if (!near.host || near.fit <= FIT_UNOFFERED)
        snprintf(out, WHY_TEXT, "no host offers it now");
    else if (near.fit == FIT_OTHER)
        snprintf(out, WHY_TEXT, "needs %.120s: no such host offers it", needs);
    else if (near.fit == FIT_SMALL)
        snprintf(out, WHY_TEXT, "needs %.90s: no host has that much; %.40s: %.90s", needs, name, has);
    else if (near.fit == FIT_TAKEN)
        snprintf(out, WHY_TEXT, "waits for %.90s; taken on %.40s: %.90s", needs, name, has);
    else if (near.fit == FIT_KEPT)
        snprintf(out, WHY_TEXT, "waits for %.90s; %.40s keeps room for who waits longer", needs,
                 name);
    else
        say_no_process(core, near.host, out);
    return out;
}

const char *why_call(core_t *core, call_t *call, char out[WHY_TEXT])
{
    shape_t *shape = call->kind == CALL_TASK ? shape_of_call(core, call) : NULL;
    out[0] = '\0';
    if (call->missing > 0)
        snprintf(out, WHY_TEXT, "waits for %u of its arguments", call->missing);
    else if (call->state == CALL_DELAYED)
        snprintf(out, WHY_TEXT, "begins in %lld ms",
                 (long long)((call->due_at - core->now + 999) / 1000));
    else if (call->state == CALL_READY && shape && shape->key.def->kind)
        why_shape(core, shape, out);
    else if (call->state == CALL_READY && call->kind == CALL_TASK)
        snprintf(out, WHY_TEXT, "no host has ever offered it");
    else if (call->state == CALL_READY && call->actor)
        why_actor(core, call->actor, out);
    return out;
}

const char *why_actor(core_t *core, actor_t *actor, char out[WHY_TEXT])
{
    out[0] = '\0';
    if (actor->waits)
        why_shape(core, actor->shape, out);
    return out;
}

// ---- Warnings -----------------------------------------------------------------------------------

// Nobody can run it, however long it waits: no host fits, or every process of the one that does is held by a body
// that waits itself.
static bool is_stuck(core_t *core, shape_t *shape)
{
    nearest_t near = nearest_host(core, shape);
    if (!near.host || near.fit <= FIT_SMALL)
        return true;
    const host_t *host = near.host;
    return near.fit == FIT_NOW && is_at_limit(host) && blocked_workers(host) > 0 &&
           place_is_all_blocked(host);
}

static void warn(core_t *core, shape_t *shape)
{
    if (core->warning_count == WARNINGS_MAX)
        return; // nobody has read those before
    core_warning_t *warning = &core->warnings[core->warning_count++];
    const call_t *call = shape_first(core, shape);
    char why[WHY_TEXT];
    why_shape(core, shape, why);
    *warning = (core_warning_t){.event = "MOB-UNPLACED"};
    snprintf(warning->what, sizeof warning->what, "%.*s", MOB_NAME_MAX,
             name_text(core, shape->key.def->name));
    snprintf(warning->why, sizeof warning->why, "%s", why);
    mob_ref_t ref = shape->actors ? shape->actors->id : call->id;
    timeline_note(core, EVENT_STUCK, shape->key.def->name, 0, ref, why);
    shape->warn_at = core->now + WARN_AGAIN_US;
}

static int64_t first_warning_at(const core_t *core)
{
    bool ever = core->config.warn_us < INT64_MAX - core->now;
    return ever ? core->now + core->config.warn_us : INT64_MAX;
}

void why_beat(core_t *core)
{
    shape_t *shape, *next;
    DL_FOREACH_SAFE(core->busy, shape, next)
    {
        bool was_stuck = shape->stuck, waits = shape_first(core, shape) || shape->actors;
        shape->stuck = waits && is_stuck(core, shape);
        if (shape->stuck && !was_stuck)
            shape->warn_at = first_warning_at(core);
        if (shape->stuck && core->now >= shape->warn_at)
            warn(core, shape);
    }
}

bool core_next_warning(core_t *self, core_warning_t *out)
{
    if (self->warning_count == 0)
        return false;
    *out = self->warnings[0];
    memmove(self->warnings, self->warnings + 1, --self->warning_count * sizeof *self->warnings);
    return true;
}
