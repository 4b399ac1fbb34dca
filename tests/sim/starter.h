// starter.h - a host: offers what there is, starts and ends workers as it is told.

#ifndef MOBULA_SIM_STARTER_H
#define MOBULA_SIM_STARTER_H

#include "link.h"

typedef struct starter {
    world_t *world;
    link_t link;
    uint64_t owner;
    uint8_t topic[MOB_TOPIC_SIZE];
    uint32_t slots, disks; // disks: that its bodies take now
    bool live, dead;
    uint64_t epoch;
    int64_t heard_at;
    struct starter *next; // of the past ones
} starter_t;

starter_t *starter_new(world_t *world, uint32_t slots);
void starter_free(starter_t **self_p);
void starter_die(starter_t *self, bool seen); // and its workers with it
void starter_reap(starter_t *self, uint64_t worker, enum wire_cause cause); // one of them ended

#endif
