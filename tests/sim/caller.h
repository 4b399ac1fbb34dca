// caller.h - a client: numbers its requests, keeps them until they are accepted, sends again, asks, and drops.

#ifndef MOBULA_SIM_CALLER_H
#define MOBULA_SIM_CALLER_H

#include "haul.h"
#include "ledger.h"
#include "link.h"

typedef struct caller {
    world_t *world;
    link_t link;
    uint64_t owner;
    uint8_t topic[MOB_TOPIC_SIZE];
    bool live; // WELCOME was heard on this connection
    bool dead;
    uint64_t epoch, accepted, note;
    uint64_t answered;          // the highest seq of a call that has an outcome
    int64_t heard_at;           // a note or HUGZ
    int64_t again_at, again_us; // what is not accepted is sent again
    deed_t **deeds;             // deeds[seq - 1]
    uint64_t count, room;
    uint64_t sent;       // the highest seq said on this connection
    uint64_t first_open; // all before are settled and dropped
    uint64_t ticks;
    uint32_t pending;
    haul_t *hauls;       // values on their way
    struct caller *next; // of the past ones
} caller_t;

caller_t *caller_new(world_t *world);
void caller_free(caller_t **self_p);
void caller_think(caller_t *self); // ask for something
void caller_die(caller_t *self, bool seen);
void caller_drop_actors(caller_t *self);
void caller_discard(caller_t *self);                  // every dead letter
void caller_leave(caller_t *self);                    // drop everything and say BYE
bool caller_settled(const caller_t *self, bool ends); // ends: also what settles only with an actor
deed_t *caller_actor(const caller_t *self);           // one of its actors; NULL: none

// For wish.c and reader.c.
deed_t *caller_plan(caller_t *self, deed_kind_t kind);
void caller_await(caller_t *self, deed_t *deed);
bool caller_waits_for(const deed_t *deed);
void caller_say_unsent(caller_t *self);
void caller_drop(caller_t *self, mob_ref_t ref, uint64_t count); // a request like others

// reader.c: the items of its streams.
void reader_begin(caller_t *self, deed_t *stream);
void reader_go_on(caller_t *self, deed_t *stream);
void reader_go_on_all(caller_t *self);

#endif
