// host.c - programs that offer definitions and start worker processes when told. Never runs anything.

#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "demand.h"
#include "internal.h"
#include "name.h"
#include "notice.h"
#include "place.h"
#include "schedule.h"
#include "session.h"
#include "shape.h"
#include "timeline.h"
#include "worker.h"

enum { PROCS_DEFAULT = 256, CRASHES_FREE = 3 };

host_t *host_new(core_t *core, session_t *session)
{
    host_t *host = calloc(1, sizeof *host);
    if (!host)
        return NULL;
    host->session = session;
    host->deadline.kind = DEADLINE_HOST;
    session->host = host;
    DL_APPEND(core->hosts, host);
    core->count.hosts++;
    worker_t *worker, *next;
    HASH_ITER(hh, core->workers, worker, next) // workers that came back before their host did
    {
        if (!worker->host && worker->session && worker->orphan_of == session->owner) {
            worker->host = host;
            DL_APPEND(host->workers, worker);
            host->worker_count++;
        }
    }
    place_count(host);
    return host;
}

// ---- Offers -------------------------------------------------------------------------------------

bool host_offers(const host_t *host, const def_t *def)
{
    for (uint32_t i = 0; i < host->def_count; i++)
        if (host->defs[i] == def)
            return true;
    return false;
}

static bool add_def(host_t *host, def_t *def)
{
    def_t **defs = realloc(host->defs, (host->def_count + 1) * sizeof *defs);
    if (!defs)
        return false;
    host->defs = defs;
    defs[host->def_count++] = def;
    def->host_count++;
    return true;
}

// What its bodies need unless a call says otherwise. Calls that wait for the old default wait for the new one.
static bool demand_by_default(core_t *core, const host_t *host, def_t *def, const msg_offer_t *offer)
{
    char wrong[DEMAND_TEXT];
    opts_t opts = opts_read(offer->opts);
    demand_t *before = def->demand;
    def->demand = NULL; // else it would fill up what is not said
    shape_t *shape = shape_for(core, def, &opts, offer->kind == DEF_CLASS, wrong);
    def->demand = before;
    if (!shape) {
        session_error(core, host->session->peer, MOB_EARGS, "FIELD", (mob_ref_t){0, 0},
                      *wrong ? wrong : "too many different demands at once");
        return false;
    }
    if (def->shape && def->shape != shape)
        shape_move(core, def->shape, shape);
    shape_drop(core, &def->shape);
    demand_drop(core, &def->demand);
    def->shape = shape;
    def->demand = demand_hold(shape->key.demand);
    return true;
}

void host_offer(core_t *core, host_t *host, const msg_offer_t *offer)
{
    uint32_t name = name_of(core, offer->name);
    def_t *def = name ? def_of(core, name, host->session->space) : NULL;
    if (!def || (offer->kind != DEF_TASK && offer->kind != DEF_CLASS))
        return;
    host->offering = NULL;
    if (!demand_by_default(core, host, def, offer))
        return;
    def->kind = offer->kind;
    def->usage = name_of(core, offer->usage);
    def->opts = opts_read(offer->opts);
    def->lanes = name_of(core, def->opts.lanes);
    host->offering = def;
    if (!host_offers(host, def) && !add_def(host, def))
        host->offering = NULL;
}

void host_method(core_t *core, host_t *host, const msg_method_t *method)
{
    def_t *def = host->offering;
    uint32_t name = name_of(core, method->name);
    if (!def || !name || def_method(def, name))
        return;
    method_t *methods = realloc(def->methods, (def->method_count + 1) * sizeof *methods);
    if (!methods)
        return;
    def->methods = methods;
    opts_t opts = opts_read(method->opts);
    def->laned |= opts.lane.size > 0;
    methods[def->method_count++] = (method_t){.name = name,
                                              .usage = name_of(core, method->usage),
                                              .lane = name_of(core, opts.lane),
                                              .opts = opts};
}

static bool offers_tasks(const host_t *host)
{
    for (uint32_t i = 0; i < host->def_count; i++)
        if (host->defs[i]->kind == DEF_TASK)
            return true;
    return false;
}

static uint32_t task_workers(const host_t *host)
{
    uint32_t count = 0;
    const worker_t *worker;
    DL_FOREACH(host->workers, worker) count += worker->kind == START_TASKS;
    return count;
}

// It is connected anew: what was said before may not have arrived. It knows which workers it has.
static void say_again(core_t *core, host_t *host)
{
    worker_t *worker;
    DL_FOREACH(host->workers, worker)
    {
        batch_t *batch = notice_order(core, host->session);
        if (batch && worker->killed)
            message_KILL(batch, &(msg_kill_t){.worker = worker->owner});
        else if (batch && worker->state == WORKER_STARTING && !worker->adopted)
            message_START(batch, &(msg_start_t){.worker = worker->owner, .kind = worker->kind});
    }
}

void host_open(core_t *core, host_t *host, const msg_open_t *open)
{
    host->slots = open->slots ? open->slots : 1;
    host->procs = open->procs ? open->procs : PROCS_DEFAULT;
    host->offering = NULL;
    const char *wrong = place_open(core, host, open);
    if (wrong || !place_make_room(core, (uint32_t)core->count.hosts)) {
        session_error(core, host->session->peer, MOB_EARGS, "FIELD", (mob_ref_t){0, 0},
                      wrong ? wrong : "the broker is out of memory");
        return;
    }
    host->open = true;
    timeline_note(core, EVENT_JOIN, host->session->name, 0, (mob_ref_t){host->session->owner, 0},
                  "host");
    say_again(core, host);
    while (offers_tasks(host) && task_workers(host) < host->slots &&
           worker_start(core, host, START_TASKS))
        ;
    for (uint32_t i = 0; i < host->def_count; i++)
        schedule_offered(core, host->defs[i]);
    core->schedule = true;
}

// ---- Ends ---------------------------------------------------------------------------------------

void host_retire(core_t *core, host_t *host)
{
    if (host->draining)
        return;
    host->draining = true;
    worker_t *worker, *next;
    DL_FOREACH_SAFE(host->workers, worker, next)
    {
        for (actor_t *actor = worker->actors, *after; actor; actor = after) {
            after = actor->worker_next;
            actor_stop(core, actor, MOB_STOP_DRAIN, CAUSE_DRAIN);
        }
        if (worker->state != WORKER_ALIVE || (worker->kind != START_TASKS && worker->actors))
            continue;
        worker->state = WORKER_ENDING;
        worker_stop(core, worker, (mob_ref_t){0, 0});
    }
    core->schedule = true;
}

void host_lost(core_t *core, host_t *host, enum wire_cause cause)
{
    (void)cause;
    host->open = false;
    timeline_note(core, EVENT_LEAVE, host->session->name, 0, (mob_ref_t){host->session->owner, 0},
                  "host");
    while (host->workers)
        worker_lost(core, host->workers, CAUSE_HOST, 0, 0, (mob_bytes_t){0});
    for (uint32_t i = 0; i < host->def_count; i++)
        host->defs[i]->host_count--;
    free(host->defs);
    place_close(host);
    if (core->next.host == host)
        core->next = (turn_t){0};
    core->schedule = true;
    deadline_clear(&core->deadlines, &host->deadline);
    host->session->host = NULL;
    DL_DELETE(core->hosts, host);
    core->count.hosts--;
    free(host);
}

// Too many task workers that crash at once are started again more slowly.
static void back_off(core_t *core, host_t *host)
{
    if (++host->crashes < CRASHES_FREE)
        return;
    uint32_t step = host->crashes - CRASHES_FREE < 6 ? host->crashes - CRASHES_FREE : 6;
    host->start_at = core->now + (INT64_C(50000) << step);
    deadline_set(&core->deadlines, &host->deadline, host->start_at);
}

void host_ended(core_t *core, host_t *host, const msg_ended_t *ended)
{
    worker_t *worker = worker_find(core, ended->worker);
    if (!worker || worker->host != host)
        return;
    bool asked = worker->state == WORKER_ENDING;
    bool early = worker->state == WORKER_STARTING;
    if (worker->kind == START_TASKS && !asked && ended->cause != CAUSE_STOP && early)
        back_off(core, host);
    worker_lost(core, worker, (enum wire_cause)ended->cause, ended->pid, ended->status, ended->log);
}

void host_timer(core_t *core, host_t *host)
{
    host->start_at = 0;
    host->crashes = 0;
    core->schedule = true;
}
