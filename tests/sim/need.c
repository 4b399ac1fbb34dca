// need.c - see need.h. Every host has what makes each kind feasible, so that all of them settle.

#include "need.h"

#include <string.h>

#include "options.h"

typedef struct need {
    int64_t cpus;
    const char *resources, *labels;
    bool soft, spread;
    uint32_t disks;
} need_t;

static const need_t of_tasks[NEED_TASKS] = {
    [6] = {.resources = "disk=1", .disks = 1},
    [7] = {.cpus = 20000, .resources = "disk=2", .disks = 2},
    [8] = {.cpus = 5000, .spread = true},
    [9] = {.cpus = MOB_NONE, .resources = "disk=1 net=0.25", .disks = 1},
    [10] = {.labels = "kind=host zone!=none", .cpus = 2500},
    [11] = {.labels = "zone=none", .soft = true, .cpus = 20000},
};

static const need_t of_actors[NEED_ACTORS] = {
    [1] = {.cpus = 1, .resources = "net=0.01"}, [2] = {.spread = true, .cpus = MOB_NONE}};

static mob_bytes_t text_of(const char *text)
{
    return (mob_bytes_t){text ? text : "", text ? strlen(text) : 0};
}

static void set(const need_t *need, opts_t *out)
{
    out->cpus_e4 = need->cpus;
    out->resources = text_of(need->resources);
    out->labels = text_of(need->labels);
    out->soft = need->soft;
    out->spread = need->spread;
}

void need_of_task(uint32_t kind, opts_t *out)
{
    set(&of_tasks[kind], out);
}

void need_of_actor(uint32_t kind, opts_t *out)
{
    set(&of_actors[kind], out);
}

uint32_t need_disks(uint32_t kind)
{
    return of_tasks[kind].disks;
}

mob_bytes_t need_resources(uint32_t slots)
{
    return text_of(slots % 2 ? "disk=2 net=10" : "disk=2 net=10 gpu=1 cpu=3.5");
}

mob_bytes_t need_labels(uint32_t slots)
{
    return text_of(slots % 2 ? "kind=host zone=a" : "kind=host zone=b");
}
