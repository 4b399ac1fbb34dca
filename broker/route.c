// route.c - see route.h.

// uthash marks what it had no memory for instead of ending the process.
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(route) ((route)->lost = true)
#include "route.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    RETRY_MIN_US = 1000, // a full queue is tried again after this, twice as long each time: libzmq does
    RETRY_MAX_US = 50000,  // not wake a ROUTER for one queue among many
    LAST_WORDS_US = 50000, // of silence after the end of a process: a busy machine brings them late
    LAST_WORDS_MAX_US = 150000
};

bool routes_init(routes_t *self, size_t max)
{
    *self = (routes_t){.watch = watch_new(), .max = max};
    return self->watch != NULL;
}

void routes_fini(routes_t *self)
{
    route_t *route, *next;
    HASH_ITER(hh, self->table, route, next)
    routes_remove(self, &route);
    watch_destroy(&self->watch);
}

size_t routes_count(const routes_t *self)
{
    return HASH_COUNT(self->table);
}

static route_key_t key_of(size_t gate, const uint8_t *id)
{
    route_key_t key = {.gate = gate};
    memcpy(key.id, id, sizeof key.id);
    return key;
}

route_t *routes_find(routes_t *self, size_t gate, const uint8_t *id)
{
    route_key_t key = key_of(gate, id);
    route_t *route = self->last;
    if (route == NULL || memcmp(&route->key, &key, sizeof key) != 0)
        HASH_FIND(hh, self->table, &key, sizeof key, route);
    return self->last = route;
}

route_t *routes_add(routes_t *self, size_t gate, const uint8_t *id)
{
    if (routes_count(self) >= self->max)
        return NULL;
    route_t *route = calloc(1, sizeof *route);
    if (route == NULL)
        return NULL;
    route->key = key_of(gate, id);
    route->watched = WATCH_NONE;
    HASH_ADD(hh, self->table, key, sizeof route->key, route);
    if (!route->lost)
        return self->last = route;
    free(route);
    return NULL;
}

void routes_remove(routes_t *self, route_t **route_p)
{
    route_t *route = *route_p;
    if (self->last == route)
        self->last = NULL;
    routes_unpark(self, route);
    if (route->ended_at != 0)
        DL_DELETE2(self->ended, route, ended_prev, ended_next);
    watch_drop(self->watch, &route->watched);
    HASH_DEL(self->table, route);
    free(route);
    *route_p = NULL;
}

void routes_park(routes_t *self, route_t *route, int64_t now)
{
    if (route->retry_us == 0) {
        DL_APPEND(self->parked, route);
        route->parked_at = now;
    }
    route->retry_us = route->retry_us == 0 ? RETRY_MIN_US : 2 * route->retry_us;
    if (route->retry_us > RETRY_MAX_US)
        route->retry_us = RETRY_MAX_US;
    route->retry_at = now + route->retry_us;
}

void routes_unpark(routes_t *self, route_t *route)
{
    if (route->retry_us != 0)
        DL_DELETE(self->parked, route);
    route->retry_us = 0;
}

static void note_end(routes_t *self, route_t *route, int64_t now)
{
    watch_drop(self->watch, &route->watched);
    if (route->ended_at != 0)
        return;
    route->ended_at = now;
    route->gone_at = now + LAST_WORDS_US;
    DL_APPEND2(self->ended, route, ended_prev, ended_next);
}

void routes_watch(routes_t *self, route_t *route, uint32_t pid, int64_t now)
{
    if (route->watched == WATCH_NONE)
        route->watched = watch_add(self->watch, pid, route);
    if (route->watched == WATCH_ENDED)
        note_end(self, route, now);
}

void routes_spoke(route_t *route, int64_t now)
{
    if (route->ended_at != 0 && now + LAST_WORDS_US <= route->ended_at + LAST_WORDS_MAX_US)
        route->gone_at = now + LAST_WORDS_US;
}

route_t *routes_ended(routes_t *self, int64_t now)
{
    route_t *route;
    while ((route = watch_next(self->watch)) != NULL)
        note_end(self, route, now);
    DL_FOREACH2(self->ended, route, ended_next)
    if (route->gone_at <= now)
        break;
    if (route != NULL) {
        DL_DELETE2(self->ended, route, ended_prev, ended_next);
        route->ended_at = 0;
    }
    return route;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t routes_deadline(const routes_t *self)
{
    int64_t next = INT64_MAX;
    const route_t *route;
    DL_FOREACH(self->parked, route)
    next = earlier(next, route->retry_at);
    DL_FOREACH2(self->ended, route, ended_next)
    next = earlier(next, route->gone_at);
    return next;
}
