// gather.h - the arguments of a call in hand that were too large to come with it: the parts that are here, and
// those that are on their way. Owns both; who fetches is the session.

#ifndef MOBULA_ACTORS_GATHER_H
#define MOBULA_ACTORS_GATHER_H

#include "session.h"

typedef struct gather {
    uint32_t missing;
    uint32_t count;  // arguments, and each dependency
    blob_t *parts[]; // by number of the part, from PART_ARGS on; NULL: not here yet
} gather_t;

bool gather_is_due(load_t args, loads_t deps); // something is not with them

// Keeps what is here and fetches the rest as parts of ref. NULL: no memory.
gather_t *gather_new(mob_t *session, mob_ref_t ref, load_t args, loads_t deps);
void gather_free(gather_t **self_p); // NULL inside is fine

bool gather_put(gather_t *self, uint32_t part, blob_t *blob); // true: now all is here
// The arguments with the values of dependencies in their places, the caller's. NULL: broken, too large, or no memory.
blob_t *gather_args(gather_t *self);

#endif
