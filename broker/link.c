// link.c - see link.h.

// uthash marks what it had no memory for instead of ending the process.
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(link) ((link)->lost = true)
#include "link.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    RETRY_MIN_US =
        1000, // a full queue is tried again after this, twice as long each time: libzmq does
    RETRY_MAX_US = 50000,  // not wake a ROUTER for one queue among many
    LAST_WORDS_US = 10000, // of silence after the end of a process
    LAST_WORDS_MAX_US = 150000
};

bool links_init(links_t *self, size_t max)
{
    *self = (links_t){.watch = watch_new(), .max = max};
    return self->watch != NULL;
}

void links_fini(links_t *self)
{
    link_t *link, *next;
    HASH_ITER(hh, self->table, link, next)
    links_remove(self, &link);
    watch_destroy(&self->watch);
}

size_t links_count(const links_t *self)
{
    return HASH_COUNT(self->table);
}

static link_key_t key_of(size_t gate, const uint8_t *route)
{
    link_key_t key = {.gate = gate};
    memcpy(key.route, route, sizeof key.route);
    return key;
}

link_t *links_find(links_t *self, size_t gate, const uint8_t *route)
{
    link_key_t key = key_of(gate, route);
    link_t *link = self->last;
    if (link == NULL || memcmp(&link->key, &key, sizeof key) != 0)
        HASH_FIND(hh, self->table, &key, sizeof key, link);
    return self->last = link;
}

link_t *links_add(links_t *self, size_t gate, const uint8_t *route)
{
    if (links_count(self) >= self->max)
        return NULL;
    link_t *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    link->key = key_of(gate, route);
    link->watched = WATCH_NONE;
    HASH_ADD(hh, self->table, key, sizeof link->key, link);
    if (!link->lost)
        return self->last = link;
    free(link);
    return NULL;
}

void links_remove(links_t *self, link_t **link_p)
{
    link_t *link = *link_p;
    if (self->last == link)
        self->last = NULL;
    links_unpark(self, link);
    if (link->ended_at != 0)
        DL_DELETE2(self->ended, link, ended_prev, ended_next);
    watch_drop(self->watch, &link->watched);
    HASH_DEL(self->table, link);
    free(link);
    *link_p = NULL;
}

void links_park(links_t *self, link_t *link, int64_t now)
{
    if (link->retry_us == 0)
        DL_APPEND(self->parked, link);
    link->retry_us = link->retry_us == 0 ? RETRY_MIN_US : 2 * link->retry_us;
    if (link->retry_us > RETRY_MAX_US)
        link->retry_us = RETRY_MAX_US;
    link->retry_at = now + link->retry_us;
}

void links_unpark(links_t *self, link_t *link)
{
    if (link->retry_us != 0)
        DL_DELETE(self->parked, link);
    link->retry_us = 0;
}

static void note_end(links_t *self, link_t *link, int64_t now)
{
    watch_drop(self->watch, &link->watched);
    if (link->ended_at != 0)
        return;
    link->ended_at = now;
    link->gone_at = now + LAST_WORDS_US;
    DL_APPEND2(self->ended, link, ended_prev, ended_next);
}

void links_watch(links_t *self, link_t *link, uint32_t pid, int64_t now)
{
    if (link->watched == WATCH_NONE)
        link->watched = watch_add(self->watch, pid, link);
    if (link->watched == WATCH_ENDED)
        note_end(self, link, now);
}

void links_spoke(link_t *link, int64_t now)
{
    if (link->ended_at != 0 && now + LAST_WORDS_US <= link->ended_at + LAST_WORDS_MAX_US)
        link->gone_at = now + LAST_WORDS_US;
}

link_t *links_ended(links_t *self, int64_t now)
{
    link_t *link;
    while ((link = watch_next(self->watch)) != NULL)
        note_end(self, link, now);
    DL_FOREACH2(self->ended, link, ended_next)
    if (link->gone_at <= now)
        break;
    if (link != NULL) {
        DL_DELETE2(self->ended, link, ended_prev, ended_next);
        link->ended_at = 0;
    }
    return link;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t links_deadline(const links_t *self)
{
    int64_t next = INT64_MAX;
    const link_t *link;
    DL_FOREACH(self->parked, link)
    next = earlier(next, link->retry_at);
    DL_FOREACH2(self->ended, link, ended_next)
    next = earlier(next, link->gone_at);
    return next;
}
