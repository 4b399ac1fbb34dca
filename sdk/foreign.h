// foreign.h - refs that this connection did not make: found in values, received by bodies, come by other ways.
// Wants the session's lock.

#ifndef MOBULA_FOREIGN_H
#define MOBULA_FOREIGN_H

#include "future.h"

// Hold the refs inside its value from now on: the value was opened for the first time.
void foreign_open(mob_t *self, future_t *future);

// One more mob_keep() of it. What a body keeps is told with its answer, so that neither comes without the other.
void foreign_keep(mob_t *self, future_t *future);

// A future of a ref that is not known here, silent and not held. NULL: no memory, or ours and gone.
future_t *foreign_add(mob_t *self, mob_ref_t ref);

void foreign_restate(mob_t *self); // to a new broker: what we borrowed

#endif
