// link.h - the connections: which routing id of which gate is which peer of the core. Owns the
// waits of those whose queue is full and of those whose process has ended. Never sends, receives or
// calls the core.

#ifndef MOBULA_LINK_H
#define MOBULA_LINK_H

#include <uthash.h>

#include "core.h"
#include "watch.h"

typedef struct link_key {
    uint8_t route[MOB_ROUTE_SIZE];
    uint64_t gate; // index
} link_key_t;

typedef struct link {
    link_key_t key;
    peer_t *peer;
    int watched;      // handle of its process; WATCH_NONE
    int64_t retry_us; // its queue was full: the wait before retry_at; 0: not parked
    int64_t retry_at;
    int64_t ended_at;         // its process was seen to end; 0: as far as we know it lives
    int64_t gone_at;          // then the core is told
    bool lost;                // no memory for its place in the table
    struct link *prev, *next; // among the parked
    struct link *ended_prev, *ended_next; // among the ended
    UT_hash_handle hh;
} link_t;

typedef struct links {
    link_t *table, *last; // last: the one found last, mostly the one wanted next
    link_t *parked, *ended;
    watch_t *watch;
    size_t max;
} links_t;

bool links_init(links_t *self, size_t max); // false: no memory or no file
void links_fini(links_t *self);
size_t links_count(const links_t *self);

link_t *links_find(links_t *self, size_t gate, const uint8_t *route); // NULL: unknown
link_t *links_add(links_t *self, size_t gate, const uint8_t *route); // NULL: too many, or no memory
void links_remove(links_t *self, link_t **link_p);

// Its queue is full: try again at retry_at, each time a little later. It moves again: unpark.
void links_park(links_t *self, link_t *link, int64_t now);
void links_unpark(links_t *self, link_t *link);

// Watch its process. What it sent before it ended may still be on its way, so links_ended() gives
// it only when it has been silent for a moment; links_spoke() says that it was not.
void links_watch(links_t *self, link_t *link, uint32_t pid, int64_t now);
void links_spoke(link_t *link, int64_t now);
link_t *links_ended(links_t *self, int64_t now); // the next to tell the core of; NULL: none

int64_t links_deadline(const links_t *self); // of the parked and the ended; INT64_MAX: none

#endif
