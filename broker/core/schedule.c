// schedule.c - which worker runs which ready task. Oldest first; one each in turn, so that a burst spreads over
// all workers before any of them gets a second.

#include "schedule.h"

#include "actor.h"
#include "admit.h"
#include "call.h"
#include "name.h"
#include "outcome.h"
#include "request.h"
#include "worker.h"

enum { IDLE_US = 1000000 }; // an extra worker beyond the slots ends after so long without work

static def_t *def_of_call(core_t *core,
                          const call_t *call) // found: it was made when the call was admitted
{
    return def_of(core, call->target, call->space);
}

void schedule_add(core_t *core, call_t *call, bool first)
{
    def_t *def = def_of_call(core, call);
    if (def->kind == 0) {
        call_enlist(call, &def->unresolved);
        int64_t at = core->now + core->config.resolve_us;
        deadline_set(&core->deadlines, &call->deadline,
                     call->ends_at && call->ends_at < at ? call->ends_at : at);
    } else if (first) {
        call_enlist_first(call, &def->ready);
    } else {
        call_enlist(call, &def->ready);
    }
    core->schedule = true;
}

static void say_unresolved(core_t *core, call_t *call, const char *what, uint32_t kind)
{
    const char *text = name_text(core, call->target), *near = def_nearest(core, text, kind);
    outcome_fail(core, call, MOB_ENOTFOUND, "", "no host offers the %s \"%s\"%s%s%s", what, text,
                 *near ? "; nearest: \"" : "", near, *near ? "\"" : "");
}

void schedule_unresolved(core_t *core, call_t *call)
{
    def_t *def = def_of_call(core, call);
    if (!def || def->kind != 0)
        return;
    if (call->kind == CALL_MAKING)
        actor_unresolved(core, call->actor);
    else
        say_unresolved(core, call, "task", DEF_TASK);
}

// Actors that wait for a host; of one class, or of all.
static void place_actors(core_t *core, const def_t *def)
{
    core->unplaced = core->room = false; // set again by those that still find none
    actor_t *actor, *next;
    DL_FOREACH_SAFE(core->actors, actor, next)
    {
        bool backs_off = actor->deadline.place != 0 &&
                         actor->state != ACTOR_STOPPING; // one that stops has calls to run first
        bool waits = !actor->worker && !backs_off && actor->making->state != CALL_WAITING;
        if (waits && (!def || actor->def == def))
            actor_place(core, actor);
        else
            core->unplaced |= waits;
    }
}

void schedule_offered(core_t *core, def_t *def)
{
    while (def->unresolved) {
        call_t *call = def->unresolved;
        call_unlist(call);
        deadline_clear(&core->deadlines, &call->deadline);
        admit_defaults(call, def);
        if (call->ends_at)
            deadline_set(&core->deadlines, &call->deadline, call->ends_at);
        if (def->kind == DEF_TASK)
            call_enlist(call, &def->ready);
        else
            say_unresolved(core, call, "task", DEF_TASK); // a class of that name came up
    }
    place_actors(core, def);
}

// ---- Handing out --------------------------------------------------------------------------------

static call_t *oldest_ready(const host_t *host)
{
    call_t *oldest = NULL;
    for (uint32_t i = 0; i < host->def_count; i++) {
        call_t *call = host->defs[i]->ready;
        if (call && (!oldest || call->at < oldest->at))
            oldest = call;
    }
    return oldest;
}

static void share_workers(core_t *core, host_t *host)
{
    worker_t *worker;
    DL_FOREACH(host->workers, worker) worker_share(core, worker);
}

static uint32_t busy_workers(const host_t *host)
{
    uint32_t busy = 0;
    const worker_t *worker;
    DL_FOREACH(host->workers, worker)
    busy += worker->kind == START_TASKS && worker->state == WORKER_ALIVE && !worker->blocked &&
            worker->hand_count > 0;
    return busy;
}

static bool takes_task(const worker_t *worker, const host_t *host, uint32_t busy)
{
    return worker->kind == START_TASKS && worker_ready(worker) && !worker->blocked &&
           worker->hand_count < worker->window && !worker->forced_at &&
           (worker->hand_count > 0 || busy < host->slots);
}

// One round: a task for each worker that has room. False: nothing was handed out.
static bool round_of(core_t *core, host_t *host, uint32_t *busy)
{
    bool any = false;
    worker_t *worker;
    DL_FOREACH(host->workers, worker)
    {
        if (!takes_task(worker, host, *busy))
            continue;
        call_t *call = oldest_ready(host);
        if (!call)
            return false;
        *busy += worker->hand_count == 0;
        worker_run(core, worker, call);
        any = true;
    }
    return any;
}

// Workers for work that has none: as many at once as there are slots; blocked ones do not count.
static void start_more(core_t *core, host_t *host)
{
    if (core->now < host->start_at)
        return;
    uint32_t able = 0;
    const worker_t *worker;
    DL_FOREACH(host->workers, worker)
    able += worker->kind == START_TASKS && worker->state != WORKER_ENDING && !worker->blocked;
    for (; able < host->slots; able++)
        if (!worker_start(core, host, START_TASKS))
            return;
}

static void end_extra(core_t *core, host_t *host)
{
    uint32_t able = 0;
    worker_t *worker;
    DL_FOREACH(host->workers, worker)
    {
        bool free = worker->kind == START_TASKS && worker->state == WORKER_ALIVE && !worker->blocked;
        able += free;
        if (able <= host->slots || !free || worker->hand_count > 0 ||
            core->now - worker->idle_at < IDLE_US)
            continue;
        worker->state = WORKER_ENDING;
        worker_stop(core, worker, (mob_ref_t){0, 0});
    }
}

void schedule_run(core_t *core)
{
    core->schedule = false;
    if (core->room)
        place_actors(core, NULL);
    host_t *host;
    DL_FOREACH(core->hosts, host)
    {
        share_workers(core, host);
        if (!host->open || host->draining)
            continue;
        uint32_t busy = busy_workers(host);
        while (round_of(core, host, &busy))
            ;
        if (oldest_ready(host))
            start_more(core, host);
        else if (host->worker_count > host->slots)
            end_extra(core, host);
    }
}
