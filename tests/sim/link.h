// link.h - the connection of one player with the broker: what is on its way, and what happens to it there.
// In order within one direction and socket; between links, and between calls and notices, in any order.

#ifndef MOBULA_SIM_LINK_H
#define MOBULA_SIM_LINK_H

#include "agenda.h"
#include "core.h"

typedef struct world world_t;

typedef struct player { // whose link it is
    void (*hear)(void *arg, const message_t *message);
    void (*greet)(void *arg); // a connection is there: say HELLO
} player_t;

typedef struct link {
    world_t *world;
    const player_t *player;
    void *arg;
    uint32_t number;     // for the trace
    peer_t *peer;        // of the broker that runs now; NULL: it has heard nothing from here yet
    uint32_t generation; // what was sent in an earlier one is lost
    uint32_t flying;     // messages on their way
    bool up;             // connected
    bool closed;         // for good
    int64_t up_at, calls_at, notes_at; // when the last one of a direction arrives
    int64_t greeted_at;                // by the player, the last time
    batch_t out;                       // what is said, until link_flush()
    struct link *next;                 // of all
} link_t;

void link_init(link_t *self, world_t *world, const player_t *player,
               void *arg);                    // connects after a moment
void link_flush(link_t *self, bool requests); // requests: it may come twice
void link_collect(world_t *world);            // what the core wants to send
void link_greet_again(link_t *self); // no WELCOME came: HELLO or the answer was lost with a broker
void link_break(link_t *self); // all that is on its way is lost; connects again after a moment
void link_broker_gone(link_t *self,
                      bool seen); // likewise, and the broker has forgotten; not seen: it finds out by ERROR
void link_discard(const agenda_item_t *item); // the world ends: free what was on its way
void link_leave(link_t *self);                // closed behind what was sent
void link_close(link_t *self);                // and that is lost, too

#endif
