// schedule.c - which worker runs which ready task, and which host an actor lives on. A worker without work leases
// what a task needs from its host; more of the same demand may follow behind the first, one each in turn, so that a
// burst spreads over all workers before any of them gets a second.

#include "schedule.h"

#include "actor.h"
#include "admit.h"
#include "call.h"
#include "name.h"
#include "outcome.h"
#include "place.h"
#include "shape.h"
#include "worker.h"

enum { IDLE_US = 1000000 }; // an extra worker beyond the slots ends after so long without work

// ---- What waits ---------------------------------------------------------------------------------

static void say_unresolved(core_t *core, call_t *call)
{
    const char *text = name_text(core, call->target), *near = def_nearest(core, text, DEF_TASK);
    outcome_fail(core, call, MOB_ENOTFOUND, "", "no host offers the task \"%s\"%s%s%s", text,
                 *near ? "; nearest: \"" : "", near, *near ? "\"" : "");
}

void schedule_add(core_t *core, call_t *call, bool first)
{
    core->schedule = true;
    def_t *def = def_find(core, call->target, call->space); // made when the call was admitted
    // A worker announced it, and gives it back. Its arguments went with the broker before, its caller keeps none of what
    // was accepted, and the worker may not keep it either: the body before it may wait for just this one.
    if (!def) {
        outcome_fail(core, call, MOB_EBROKER, "LOST",
                     "given back, not begun, to a broker that was never told its arguments");
    } else if (def->kind == DEF_TASK) {
        shape_add(core, shape_of_call(core, call), call, first);
    } else if (def->kind == DEF_CLASS) {
        say_unresolved(core, call);
    } else {
        call_enlist(call, &def->unresolved);
        int64_t at = core->now + core->config.resolve_us;
        deadline_set(&core->deadlines, &call->deadline,
                     call->ends_at && call->ends_at < at ? call->ends_at : at);
    }
}

void schedule_unresolved(core_t *core, call_t *call)
{
    const def_t *def = def_find(core, call->target, call->space);
    if (!def || def->kind != 0)
        return;
    if (call->kind == CALL_MAKING)
        actor_unresolved(core, call->actor);
    else
        say_unresolved(core, call);
}

void schedule_offered(core_t *core, def_t *def)
{
    actor_t *actor;
    DL_FOREACH(core->actors, actor)
    {
        if (actor->def == def)
            actor_fill_up(core, actor);
    }
    while (def->unresolved) {
        call_t *call = def->unresolved;
        call_unlist(call);
        deadline_clear(&core->deadlines, &call->deadline);
        admit_defaults(core, call, def);
        if (call->ends_at)
            deadline_set(&core->deadlines, &call->deadline, call->ends_at);
        schedule_add(core, call, false);
    }
    core->schedule = true;
}

// ---- Nowhere ------------------------------------------------------------------------------------

// One that must run on a host that is no more. One at a time: what ends may take others with it.
static bool give_up_one(core_t *core)
{
    shape_t *shape, *next;
    DL_FOREACH_SAFE(core->busy, shape, next)
    {
        const demand_t *demand = shape->key.demand;
        if (!place_demanded_is_gone(core, demand))
            continue;
        call_t *call = shape_first(core, shape);
        if (shape->actors)
            actor_homeless(core, shape->actors);
        else if (call)
            outcome_fail(core, call, MOB_EPLACE, "HOST",
                         "%s: host \"%s\" is gone, or never was (affinity is hard)",
                         name_text(core, call->target), name_text(core, demand->host));
        if (shape->actors || call)
            return true;
    }
    return false;
}

// ---- Actors -------------------------------------------------------------------------------------

static bool takes_actor(core_t *core, host_t *host, shape_t *shape)
{
    bool shared = shape->key.def->opts.shared && host->shared && host->shared->state != WORKER_ENDING;
    bool process = shared || host->worker_count < host->procs;
    return process && place_fit(core, host, shape) == FIT_NOW;
}

static bool place_one(core_t *core)
{
    shape_t *shape;
    DL_FOREACH(core->busy, shape)
    {
        actor_t *actor = shape->actors;
        host_t *host = actor ? place_choose(core, shape, actor->owner, takes_actor) : NULL;
        if (host && actor_place(core, actor, host))
            return true;
    }
    return false;
}

void schedule_actors(core_t *core)
{
    while (place_one(core))
        ;
}

// ---- Tasks: a worker without work ---------------------------------------------------------------

static bool is_able(const worker_t *worker) // to take tasks, now or soon
{
    return worker->kind == START_TASKS && worker->state != WORKER_ENDING && !worker->blocked &&
           !worker->forced_at;
}

static worker_t *idle_worker(const host_t *host)
{
    worker_t *worker;
    DL_FOREACH(host->workers, worker)
    {
        if (is_able(worker) && worker_ready(worker) && !worker->lease)
            return worker;
    }
    return NULL;
}

static bool takes_task(core_t *core, host_t *host, shape_t *shape)
{
    return place_fit(core, host, shape) == FIT_NOW && idle_worker(host);
}

static bool waits_there(core_t *core, host_t *host, shape_t *shape)
{
    fit_t fit = place_fit(core, host, shape);
    return fit == FIT_TAKEN || fit == FIT_KEPT;
}

static host_t *first_that(core_t *core, shape_t *shape, place_fits_fn *fits)
{
    host_t *host;
    DL_FOREACH(core->hosts, host)
    {
        if (fits(core, host, shape))
            break;
    }
    return host;
}

// Keeps room for it on a host, always the same one.
static void set_turn(core_t *core, shape_t *shape)
{
    turn_t *next = &core->next;
    bool same = next->shape == shape && shape;
    if (same && waits_there(core, (host_t *)(uintptr_t)next->host, shape))
        return;
    *next = (turn_t){0};
    const host_t *host = shape ? place_choose(core, shape, NULL, waits_there) : NULL;
    if (host)
        *next = (turn_t){shape, host};
}

typedef struct pick {
    shape_t *shape; // of the call that begins next
    call_t *call;
    host_t *host;   // one that takes it
    shape_t *waits; // one before it that would fit if others ended: actors, then by level and age
    call_t *waits_call;
} pick_t;

static void look_at(core_t *core, shape_t *shape, pick_t *pick)
{
    call_t *call = shape_first(core, shape);
    if (shape->actors) {
        if (!(pick->waits && pick->waits->actors) && first_that(core, shape, waits_there))
            pick->waits = shape;
        return;
    }
    if (!call || (pick->call && !shape_before(core, call, pick->call)))
        return;
    host_t *host = first_that(core, shape, takes_task);
    if (host) {
        pick->shape = shape;
        pick->call = call;
        pick->host = host;
    } else if (!(pick->waits && pick->waits->actors) &&
               (!pick->waits_call || shape_before(core, call, pick->waits_call)) &&
               first_that(core, shape, waits_there)) {
        pick->waits = shape;
        pick->waits_call = call;
    }
}

static pick_t pick_next(core_t *core)
{
    pick_t pick = {0};
    shape_t *shape, *next;
    DL_FOREACH_SAFE(core->busy, shape, next) look_at(core, shape, &pick);
    return pick;
}

static void run_on(core_t *core, worker_t *worker, call_t *call)
{
    worker_run(core, worker, call);
    if (worker->hand_count == 0)
        place_release(core, worker); // it was too large for a message
}

static void lease_all(core_t *core)
{
    for (pick_t pick; core->busy;) {
        pick = pick_next(core);
        if (!pick.call) {
            set_turn(core, pick.waits);
            return;
        }
        if (core->hosts->next) // there is a choice
            pick.host = place_choose(core, pick.shape, pick.call->owner, takes_task);
        worker_t *worker = idle_worker(pick.host);
        place_lease(worker, pick.shape->key.demand);
        run_on(core, worker, pick.call);
    }
}

// ---- Tasks: more behind the first ---------------------------------------------------------------

static uint64_t mark_offered(core_t *core, const host_t *host)
{
    shape_t *shape;
    core->marks++;
    DL_FOREACH(core->busy, shape)
    {
        if (host_offers(host, shape->key.def))
            shape->mark = core->marks;
    }
    return core->marks;
}

static call_t *next_for(core_t *core, const worker_t *worker, uint64_t mark)
{
    call_t *best = NULL;
    shape_t *shape, *next;
    DL_FOREACH_SAFE(core->busy, shape, next)
    {
        if (shape->mark != mark || shape->key.demand != worker->lease)
            continue;
        call_t *call = shape_first(core, shape);
        if (call && (!best || shape_before(core, call, best)) &&
            place_goes_on(core, worker->host, shape))
            best = call;
    }
    return best;
}

// One round: a task for each worker that has room. False: nothing was handed out.
static bool round_of(core_t *core, const host_t *host, uint64_t mark)
{
    bool any = false;
    worker_t *worker;
    DL_FOREACH(host->workers, worker)
    {
        bool takes =
            is_able(worker) && worker_ready(worker) && worker->lease && worker_has_room(worker);
        call_t *call = takes ? next_for(core, worker, mark) : NULL;
        if (call)
            run_on(core, worker, call);
        any |= call != NULL;
    }
    return any;
}

// ---- Workers ------------------------------------------------------------------------------------

static uint32_t count_ready(const shape_t *shape, uint32_t most)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < LEVELS; i++)
        for (const call_t *call = shape->ready[i]; call && count < most; call = call->next)
            count++;
    return count;
}

// So many more of its workers could begin something now.
static uint32_t count_wanted(core_t *core, const host_t *host)
{
    uint32_t wanted = 0, most = host->procs - host->worker_count;
    shape_t *shape, *next;
    DL_FOREACH_SAFE(core->busy, shape, next)
    {
        if (!shape_first(core, shape) || place_fit(core, host, shape) != FIT_NOW)
            continue;
        uint32_t count = count_ready(shape, place_times(host, shape->key.demand, most));
        wanted = count > wanted ? count : wanted;
    }
    return wanted;
}

// Workers for work that has none: one a slot, and as many more as can run at once.
static void start_more(core_t *core, host_t *host)
{
    if (core->now < host->start_at || host->worker_count >= host->procs)
        return;
    uint32_t wanted = count_wanted(core, host), idle = 0, leased = 0;
    const worker_t *worker;
    DL_FOREACH(host->workers, worker)
    {
        leased += worker->lease && !worker->blocked;
        idle += is_able(worker) && !worker->lease;
    }
    if (wanted > 0 && leased + wanted < host->slots)
        wanted = host->slots - leased;
    while (idle < wanted && worker_start(core, host, START_TASKS))
        idle++;
}

// It has nothing to do, and would take nothing with it: a session's objects end with it.
static bool is_idle(const core_t *core, const worker_t *worker)
{
    return !worker->lease && !worker->session->calls && core->now - worker->idle_at >= IDLE_US;
}

static void end_extra(core_t *core, host_t *host)
{
    uint32_t able = 0;
    worker_t *worker;
    DL_FOREACH(host->workers, worker)
    {
        bool free = is_able(worker) && worker->state == WORKER_ALIVE;
        able += free;
        if (able <= host->slots || !free || !is_idle(core, worker))
            continue;
        worker->state = WORKER_ENDING;
        worker_stop(core, worker, (mob_ref_t){0, 0});
    }
}

static void share_workers(core_t *core, host_t *host)
{
    worker_t *worker;
    DL_FOREACH(host->workers, worker) worker_share(core, worker);
}

static void serve_host(core_t *core, host_t *host)
{
    share_workers(core, host);
    if (!host->open || host->draining)
        return;
    uint64_t mark = core->busy ? mark_offered(core, host) : 0;
    while (core->busy && round_of(core, host, mark))
        ;
    if (core->busy)
        start_more(core, host);
    if (host->worker_count > host->slots)
        end_extra(core, host);
}

void schedule_run(core_t *core)
{
    core->schedule = false;
    while (core->bound_demands && give_up_one(core))
        ;
    schedule_actors(core);
    lease_all(core);
    host_t *host;
    DL_FOREACH(core->hosts, host) serve_host(core, host);
}
