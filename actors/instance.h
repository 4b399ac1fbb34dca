// instance.h - the actors that live in this worker: state, constructor's arguments, how they end. A
// worker has one, or many when their class is shared. Never talks to the broker; wants the
// session's lock, but for instance_fini_state(), which runs a body.

#ifndef MOBULA_ACTORS_INSTANCE_H
#define MOBULA_ACTORS_INSTANCE_H

#include "offer.h"
#include "window.h"

typedef struct instance {
    struct instance *next; // of the same bucket
    mob_ref_t actor;
    uint32_t incarnation;
    const offer_def_t *cls;
    void *state;   // state_size bytes, zeroed before the constructor
    blob_t *args;  // of the constructor, spliced; for HOLD
    uint8_t *opts; // its options as the broker gave them; for HOLD
    uint32_t opts_size;
    bool alive; // the constructor has ended well
} instance_t;

typedef struct instances {
    instance_t **buckets;
    uint32_t mask, count;
    instance_t *last; // found last: most workers have one
} instances_t;

// A place for the actor of this making, state zeroed, not alive yet. NULL: no memory.
instance_t *instance_add(instances_t *self, const hand_t *making, const offer_def_t *cls);
instance_t *instance_find(instances_t *self, mob_ref_t actor); // NULL: none
void instance_remove(instances_t *self,
                     instance_t **instance_p);     // frees its memory; fini is the caller's
instance_t *instance_any(const instances_t *self); // NULL: there is none
void instances_fini(instances_t *self);            // frees all, runs nothing

// Walk over all, in no order: *at begins with NULL, *bucket with 0.
instance_t *instance_next(const instances_t *self, instance_t *at, uint32_t *bucket);

#endif
