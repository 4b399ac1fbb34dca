// place.c - accounts of hosts, in steps of 0.0001, and the choice among them. Every sum here can be made anew from
// the workers and actors of a host: check.c does.

#include "place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amount.h"
#include "demand.h"
#include "internal.h"
#include "label.h"
#include "name.h"
#include "shape.h"
#include "worker.h"

enum { LOCAL_USE = 500, BEST_OF = 5 }; // per mille; a fifth of the hosts

// ---- What a host has ----------------------------------------------------------------------------

static bool add_label(host_t *host, uint32_t key, uint32_t value)
{
    pair_t *labels = realloc(host->labels, (host->label_count + 1) * sizeof *labels);
    if (!labels)
        return false;
    host->labels = labels;
    labels[host->label_count++] = (pair_t){key, value};
    return true;
}

static bool add_text(core_t *core, host_t *host, const char *key, const char *value)
{
    return add_label(host, name_of(core, (mob_bytes_t){key, strlen(key)}),
                     name_of(core, (mob_bytes_t){value, strlen(value)}));
}

static const char *read_labels(core_t *core, host_t *host, mob_bytes_t rest)
{
    const char *wrong = "labels are no list of KEY=VALUE";
    const peer_t *peer = host->session->peer;
    label_t one;
    bool room = add_text(core, host, "host", name_text(core, host->session->name)) &&
                add_text(core, host, "machine", peer ? peer->machine : "");
    for (label_got_t got; room && (got = label_next(&rest, &one)) != LABEL_END;) {
        if (got == LABEL_WRONG || one.differs)
            return wrong;
        if (host->label_count == LABELS_MAX)
            return "too many labels";
        room = add_label(host, name_of(core, one.key), name_of(core, one.value));
    }
    return room ? NULL : "the broker is out of memory";
}

static resource_t *resource_of(host_t *host, uint32_t name)
{
    for (uint32_t i = 0; i < host->resource_count; i++)
        if (host->resources[i].name == name)
            return &host->resources[i];
    return NULL;
}

static const char *read_resources(core_t *core, host_t *host, mob_bytes_t rest)
{
    mob_bytes_t name;
    int64_t steps;
    host->cpus = (int64_t)host->slots * AMOUNT_ONE;
    for (amount_got_t got; (got = amount_next(&rest, &name, &steps)) != AMOUNT_END;) {
        if (got == AMOUNT_WRONG)
            return "resources are no list of NAME=NUMBER";
        if (name.size == 3 && memcmp(name.data, "cpu", 3) == 0) {
            host->cpus = steps;
            continue;
        }
        if (host->resource_count == AMOUNTS_MAX || resource_of(host, name_of(core, name)))
            return "too many resources, or one twice";
        host->resources[host->resource_count++] =
            (resource_t){.name = name_of(core, name), .has = steps};
    }
    return NULL;
}

const char *place_open(core_t *core, host_t *host, const msg_open_t *open)
{
    if (host->labels)
        return NULL; // said again, after a reconnect: it may not change
    const char *wrong = read_resources(core, host, open->resources);
    if (!wrong)
        wrong = read_labels(core, host, open->labels);
    if (wrong) {
        host->resource_count = 0;
        place_close(host);
    }
    place_count(host);
    return wrong;
}

void place_close(host_t *host)
{
    free(host->labels);
    host->labels = NULL;
    host->label_count = 0;
}

const char *place_print(const core_t *core, const host_t *host, char out[PLACE_TEXT])
{
    char taken[AMOUNT_TEXT_MAX], has[AMOUNT_TEXT_MAX];
    size_t used =
        (size_t)snprintf(out, PLACE_TEXT, "cpu=%s/%s", amount_print(taken, host->cpus_taken),
                         amount_print(has, host->cpus));
    for (uint32_t i = 0; i < host->resource_count && used < PLACE_TEXT; i++)
        used += (size_t)snprintf(out + used, PLACE_TEXT - used, " %s=%s/%s",
                                 name_text(core, host->resources[i].name),
                                 amount_print(taken, host->resources[i].taken),
                                 amount_print(has, host->resources[i].has));
    return out;
}

uint32_t place_blocked(const host_t *host)
{
    uint32_t count = 0;
    const worker_t *worker;
    DL_FOREACH(host->workers, worker) count += worker->blocked;
    return count;
}

bool place_is_all_blocked(const host_t *host)
{
    const worker_t *worker;
    DL_FOREACH(host->workers, worker)
    {
        if (worker->kind == START_TASKS && !worker->blocked)
            return false;
    }
    return true;
}

// ---- Taken and given back -----------------------------------------------------------------------

static void account(host_t *host, const demand_t *demand, int64_t cpus, int sign)
{
    host->cpus_taken += cpus * sign;
    host->bodies += (uint32_t)sign;
    for (uint32_t i = 0; i < demand->amount_count; i++) {
        resource_t *resource = resource_of(host, demand->amounts[i].name);
        if (resource)
            resource->taken += demand->amounts[i].steps * sign;
    }
}

static int64_t cpus_of(const worker_t *worker)
{
    return worker->blocked ? 0 : worker->lease->cpus_held;
}

void place_count(host_t *host)
{
    host->cpus_taken = 0;
    host->bodies = 0;
    for (uint32_t i = 0; i < host->resource_count; i++)
        host->resources[i].taken = 0;
    const worker_t *worker;
    DL_FOREACH(host->workers, worker)
    {
        if (worker->lease)
            account(host, worker->lease, cpus_of(worker), 1);
        for (const actor_t *actor = worker->actors; actor; actor = actor->worker_next)
            account(host, actor->shape->key.demand, actor->shape->key.demand->cpus_held, 1);
    }
}

void place_lease(worker_t *worker, demand_t *demand)
{
    worker->lease = demand_hold(demand);
    worker->lent = false;
    if (worker->host)
        account(worker->host, demand, cpus_of(worker), 1);
}

void place_release(core_t *core, worker_t *worker)
{
    if (!worker->lease)
        return;
    if (worker->host)
        account(worker->host, worker->lease, cpus_of(worker), -1);
    demand_drop(core, &worker->lease);
    worker->claimed = false;
    core->schedule = true;
}

void place_block(worker_t *worker)
{
    if (worker->lease && worker->host && !worker->blocked)
        worker->host->cpus_taken -= worker->lease->cpus_held;
    worker->lent = worker->lease != NULL;
    worker->blocked = true;
}

void place_unblock(worker_t *worker)
{
    if (worker->lease && worker->host && worker->blocked)
        worker->host->cpus_taken += worker->lease->cpus_held;
    worker->blocked = false;
}

void place_settle(actor_t *actor)
{
    const demand_t *demand = actor->shape->key.demand;
    if (actor->worker->host)
        account(actor->worker->host, demand, demand->cpus_held, 1);
}

void place_leave(core_t *core, actor_t *actor)
{
    const demand_t *demand = actor->shape->key.demand;
    if (actor->worker->host)
        account(actor->worker->host, demand, demand->cpus_held, -1);
    core->schedule = true;
}

// ---- Whether it fits ----------------------------------------------------------------------------

static bool is_named(const core_t *core, const host_t *host, uint32_t name)
{
    char id[24];
    if (host->session->name == name)
        return true;
    snprintf(id, sizeof id, "%016llx", (unsigned long long)host->session->owner);
    return strcmp(name_text(core, name), id) == 0;
}

static bool has_label(const host_t *host, const condition_t *condition)
{
    for (uint32_t i = 0; i < host->label_count; i++)
        if (host->labels[i].key == condition->key && host->labels[i].value == condition->value)
            return true;
    return false;
}

bool place_suits(const core_t *core, const host_t *host, const demand_t *demand)
{
    if (demand->host && !is_named(core, host, demand->host))
        return false;
    for (uint32_t i = 0; i < demand->condition_count; i++)
        if (has_label(host, &demand->conditions[i]) == demand->conditions[i].differs)
            return false;
    return true;
}

static int64_t steps_of(const demand_t *demand, uint32_t name)
{
    for (uint32_t i = 0; demand && i < demand->amount_count; i++)
        if (demand->amounts[i].name == name)
            return demand->amounts[i].steps;
    return 0;
}

static bool is_large_enough(const host_t *host, const demand_t *demand)
{
    if (demand->cpus > host->cpus)
        return false;
    for (uint32_t i = 0; i < demand->amount_count; i++) {
        const resource_t *resource = resource_of((host_t *)(uintptr_t)host, demand->amounts[i].name);
        if (demand->amounts[i].steps > (resource ? resource->has : 0))
            return false;
    }
    return true;
}

// Of what it takes so much stays free as kept needs, if taken are so many steps of 0.0001 more.
static bool leaves(const host_t *host, const demand_t *demand, const demand_t *kept, bool takes)
{
    int64_t free = host->cpus - host->cpus_taken - (takes ? demand->cpus : 0);
    if (demand->cpus > 0 && free < (kept ? kept->cpus : 0))
        return false;
    for (uint32_t i = 0; i < host->resource_count; i++) {
        const resource_t *resource = &host->resources[i];
        int64_t steps = steps_of(demand, resource->name);
        if (steps > 0 &&
            resource->has - resource->taken - (takes ? steps : 0) < steps_of(kept, resource->name))
            return false;
    }
    return true;
}

// For whom something is kept on this host, before this one: who ranks higher, or waits longer at the top. Who is
// just as high may pass as long as there is a higher level to come.
static const demand_t *kept_before(core_t *core, const host_t *host, shape_t *shape)
{
    shape_t *next = core->next.host == host ? core->next.shape : NULL;
    if (!next || next == shape)
        return NULL;
    const call_t *ours = shape_first(core, shape), *theirs = shape_first(core, next);
    if (next->actors || !ours || !theirs)
        return next->actors || theirs ? next->key.demand : NULL;
    int level = shape_level(core, theirs);
    bool passes = shape_before(core, ours, theirs) ||
                  (level < LEVEL_HIGH && shape_level(core, ours) == level);
    return passes ? NULL : next->key.demand;
}

fit_t place_fit(core_t *core, const host_t *host, shape_t *shape)
{
    const demand_t *demand = shape->key.demand;
    if (!host->open || host->draining)
        return FIT_CLOSED;
    if (!host_offers(host, shape->key.def))
        return FIT_UNOFFERED;
    if (!demand->soft && !place_suits(core, host, demand))
        return FIT_OTHER;
    if (!is_large_enough(host, demand))
        return FIT_SMALL;
    if (!leaves(host, demand, NULL, true))
        return FIT_TAKEN;
    const demand_t *kept = kept_before(core, host, shape);
    return kept && !leaves(host, demand, kept, true) ? FIT_KEPT : FIT_NOW;
}

bool place_goes_on(core_t *core, const host_t *host, shape_t *shape)
{
    return leaves(host, shape->key.demand, kept_before(core, host, shape), false);
}

uint32_t place_times(const host_t *host, const demand_t *demand, uint32_t most)
{
    int64_t times = demand->cpus > 0 ? (host->cpus - host->cpus_taken) / demand->cpus : most;
    for (uint32_t i = 0; i < host->resource_count; i++) {
        const resource_t *resource = &host->resources[i];
        int64_t steps = steps_of(demand, resource->name);
        int64_t here = steps > 0 ? (resource->has - resource->taken) / steps : most;
        times = here < times ? here : times;
    }
    return times < 0 ? 0 : times > most ? most : (uint32_t)times;
}

bool place_demanded_is_gone(const core_t *core, const demand_t *demand)
{
    if (!demand->host || demand->soft || core->rejoin_at)
        return false; // after a restart of the broker it may come back
    const host_t *host;
    DL_FOREACH(core->hosts, host)
    {
        if (is_named(core, host, demand->host))
            return false;
    }
    return true;
}

// ---- The choice ---------------------------------------------------------------------------------

static int64_t share(int64_t taken, int64_t has)
{
    return has > 0 ? (int64_t)(1000.0 * (double)taken / (double)has) : 0;
}

// The scarcest of what it has, per mille of it.
static int64_t use_of(const host_t *host)
{
    int64_t use = share(host->cpus_taken, host->cpus);
    for (uint32_t i = 0; i < host->resource_count; i++) {
        int64_t here = share(host->resources[i].taken, host->resources[i].has);
        use = here > use ? here : use;
    }
    return use;
}

// Those that fit, in core->choice; of a wish that somebody grants, these alone.
static uint32_t list_fitting(core_t *core, shape_t *shape, place_fits_fn *fits)
{
    const demand_t *demand = shape->key.demand;
    uint32_t count = 0, suiting = 0;
    host_t *host;
    DL_FOREACH(core->hosts, host)
    {
        if (!fits(core, host, shape))
            continue;
        bool suits = demand->soft && place_suits(core, host, demand);
        if (suits && suiting++ == 0)
            count = 0;
        if (suits || suiting == 0)
            core->choice[count++] = host;
    }
    return count;
}

static host_t *fewest_bodies(const core_t *core, uint32_t count)
{
    host_t *best = core->choice[0];
    for (uint32_t i = 1; i < count; i++) {
        host_t *host = core->choice[i];
        if (host->bodies < best->bodies ||
            (host->bodies == best->bodies && host->chosen < best->chosen))
            best = host;
    }
    return best;
}

static host_t *least_used(const core_t *core, uint32_t count, const char *machine)
{
    host_t *best = NULL;
    for (uint32_t i = 0; i < count; i++) {
        host_t *host = core->choice[i];
        const peer_t *peer = host->session->peer;
        if (machine && (!peer || strcmp(peer->machine, machine) != 0 || use_of(host) >= LOCAL_USE))
            continue;
        if (!best || use_of(host) < use_of(best))
            best = host;
    }
    return best;
}

// Any of the best fifth: so that many callers do not all choose the same.
static host_t *one_of_the_best(core_t *core, uint32_t count)
{
    uint32_t best = count / BEST_OF, skip = best > 1 ? (uint32_t)(core_random(core) % best) : 0;
    host_t *host = least_used(core, count, NULL);
    while (skip-- > 0) {
        for (uint32_t i = 0; i < count; i++)
            if (core->choice[i] == host)
                core->choice[i] = core->choice[--count];
        host = least_used(core, count, NULL);
    }
    return host;
}

host_t *place_choose(core_t *core, shape_t *shape, const session_t *caller, place_fits_fn *fits)
{
    uint32_t count = list_fitting(core, shape, fits);
    if (count == 0)
        return NULL;
    const char *machine = caller && caller->peer ? caller->peer->machine : "";
    host_t *host = core->choice[0];
    if (count > 1 && shape->key.demand->spread) {
        host = fewest_bodies(core, count);
    } else if (count > 1) {
        host_t *local = *machine ? least_used(core, count, machine) : NULL;
        host = local ? local : one_of_the_best(core, count);
    }
    host->chosen = ++core->choices;
    return host;
}

bool place_make_room(core_t *core, uint32_t hosts)
{
    if (hosts <= core->choice_room)
        return true;
    host_t **choice = realloc(core->choice, 2 * hosts * sizeof(host_t *));
    if (!choice)
        return false;
    core->choice = choice;
    core->choice_room = 2 * hosts;
    return true;
}
