// route.h - the connections: which routing id of which gate is which peer of the core. Owns the
// waits of those whose queue is full and of those whose process has ended. Never sends, receives or
// calls the core.

#ifndef MOBULA_ROUTE_H
#define MOBULA_ROUTE_H

#include <uthash.h>

#include "core.h"
#include "watch.h"

typedef struct route_key {
    uint8_t id[MOB_ROUTE_SIZE];
    uint64_t gate; // index
} route_key_t;

typedef struct route {
    route_key_t key;
    peer_t *peer;
    int watched;      // handle of its process; WATCH_NONE
    int64_t retry_us; // its queue was full: the wait before retry_at; 0: not parked
    int64_t retry_at;
    int64_t parked_at;         // since then nothing has left
    int64_t ended_at;          // its process was seen to end; 0: as far as we know it lives
    int64_t gone_at;           // then the core is told
    bool lost;                 // no memory for its place in the table
    bool broken;               // by a fault: nothing passes until it says HELLO again
    struct route *prev, *next; // among the parked
    struct route *ended_prev, *ended_next; // among the ended
    UT_hash_handle hh;
} route_t;

typedef struct routes {
    route_t *table, *last; // last: the one found last, mostly the one wanted next
    route_t *parked, *ended;
    watch_t *watch;
    size_t max;
} routes_t;

bool routes_init(routes_t *self, size_t max); // false: no memory or no file
void routes_fini(routes_t *self);
size_t routes_count(const routes_t *self);

route_t *routes_find(routes_t *self, size_t gate, const uint8_t *id); // NULL: unknown
route_t *routes_add(routes_t *self, size_t gate, const uint8_t *id); // NULL: too many, or no memory
void routes_remove(routes_t *self, route_t **route_p);

// Its queue is full: try again at retry_at, each time a little later. It moves again: unpark.
void routes_park(routes_t *self, route_t *route, int64_t now);
void routes_unpark(routes_t *self, route_t *route);

// Watch its process. What it sent before it ended may still be on its way, so routes_ended() gives
// it only when it has been silent for a moment; routes_spoke() says that it was not.
void routes_watch(routes_t *self, route_t *route, uint32_t pid, int64_t now);
void routes_spoke(route_t *route, int64_t now);
route_t *routes_ended(routes_t *self, int64_t now); // the next to tell the core of; NULL: none

int64_t routes_deadline(const routes_t *self); // of the parked and the ended; INT64_MAX: none

#endif
