// core.h - the one door to the broker's state machine. Pure: no socket, clock, file, thread or log; the
// same events in give the same bytes out. Three drivers run it: broker/loop.c, the tests, the simulator.
//
// A driver calls core_open() for each new routing id, core_message() for each decoded envelope, core_tick()
// when core_next_deadline() is due, and then empties the outboxes of core_next_dirty(), one by one.
// now is monotonic microseconds and never goes back.

#ifndef MOBULA_CORE_H
#define MOBULA_CORE_H

#include "message.h"
#include "outbox.h"

typedef struct core core_t;
typedef struct peer peer_t; // a connection; becomes a session with HELLO

typedef struct core_config {    // 0 or NULL takes the default
    uint64_t epoch;             // this broker's; larger than any before
    int64_t wall_us;            // what to add to now for the time of day, in records for people
    uint64_t seed;              // of the core's own generator: worker ids, jitter
    const char *notices, *feed; // addresses named in WELCOME; "": siblings of the calls socket
    int64_t heartbeat_us;       // 1 s
    int64_t lost_us;            // silent workers and hosts are dead; clients suspect: 5 s
    int64_t gone_us;            // silent clients are gone: 30 s
    int64_t rejoin_us;    // after start: who was there before may come back; 0: 3 s, negative: none
    int64_t resolve_us;   // an unknown definition is waited for: 3 s
    int64_t kept_us;      // what a session left to the broker is kept, once settled: 10 min
    int64_t retry_us;     // first delay before a task runs again: 50 ms
    uint32_t poison;      // workers that a call may end, whatever its retries: 20
    int64_t warn_us;      // work that nobody can run is warned of after: 10 s; negative: at once
    int64_t accept_us;    // ACCEPT travels alone after: 20 ms
    uint32_t pending_max; // unsettled calls of one session: 10 000
    uint32_t mailbox_max; // waiting calls of one actor: 1 000
    uint64_t memory_max;  // bytes of state: 512 MiB
    uint64_t store_max;   // of these in large values, a namespace: 256 MiB
    uint64_t object_max;  // bytes of one value: 64 MiB
    uint32_t ring_bytes;  // flight recorder: 16 MiB
    uint64_t letters_max, letter_bytes_max; // dead letters, and what they keep: 10 000, 256 MiB
    uint32_t drop_notice; // per cent of outcomes that nobody is told of unless he asks: tests only
} core_config_t;

core_t *core_new(const core_config_t *config); // NULL: no memory
void core_destroy(core_t **self_p);

// link is the driver's own: handed back by peer_link(). The peer lives until the driver sees it in
// core_next_closed().
peer_t *core_open(core_t *self, int64_t now, void *link);
void core_message(core_t *self, int64_t now, peer_t *peer, const message_t *message);
void core_fault_of(core_t *self, int64_t now, peer_t *peer,
                   const message_fault_t *fault); // answers ERROR
void core_gone(core_t *self, int64_t now, peer_t *peer,
               enum wire_cause cause);                    // the driver saw its process end
void core_stuck(core_t *self, int64_t now, peer_t *peer); // it has read nothing for too long
void core_tick(core_t *self, int64_t now);
int64_t core_next_deadline(const core_t *self); // INT64_MAX: none
void core_drain(core_t *self,
                int64_t now); // SIGTERM: refuse new work; core_drained() when all is settled
bool core_drained(const core_t *self);

// Once a heartbeat, and cheap: connections that nobody uses any more. The driver forgets their links.
peer_t *core_next_closed(core_t *self, void **link_p);

// What is to be sent. Each peer is given once a turn; the driver empties its boxes (or leaves a box that
// would block: the peer is then given again after outbox_park() ended).
peer_t *core_next_dirty(core_t *self); // NULL: all done
outbox_t *peer_calls(peer_t *self);    // by ROUTER
outbox_t *peer_notes(peer_t *self);    // by PUB notices, under peer_topic()
outbox_t *peer_feed(peer_t *self);     // by PUB feed, under the same topic
const uint8_t *peer_topic(const peer_t *self);
void *peer_link(const peer_t *self);
uint32_t peer_pid(const peer_t *self); // 0: unknown or on another machine
bool peer_same_machine(const peer_t *self, mob_bytes_t machine);

// What the log should say: work that waits and that nobody can run, actors for which many calls wait, sessions that
// change hands or do not read. The core keeps a few until they are read.
typedef struct core_warning {
    const char *event;
    char what[MOB_NAME_MAX + 1]; // the signature; the actor; the session
    char why[256];
} core_warning_t;
bool core_next_warning(core_t *self, core_warning_t *out); // false: no more

typedef struct core_count { // counters for tests, health and the end of demo
    uint64_t calls, tasks, settled, failed, retries, late_results, stale_epoch, notices, malformed,
        rejected;
    uint64_t dropped_notices; // by the fault
    uint64_t sessions, hosts, workers, actors, pending, objects, bytes;
    uint64_t store_bytes, store_refused; // large values and their pieces; pieces that found no room
    uint64_t letters, letters_lost;      // dead letters; those that went for newer ones
    uint64_t graves; // records of dead actors that are kept for who may still call them; also objects
} core_count_t;
core_count_t core_counts(const core_t *self);

// Invariants of every table; a sentence when one is broken, else NULL. For tests and the simulator.
const char *core_check(const core_t *self);

#endif
