// epoch.h - the number of this broker's life: larger at each start, written down before anybody
// hears it.

#ifndef MOBULA_EPOCH_H
#define MOBULA_EPOCH_H

#include <stddef.h>
#include <stdint.h>

#include "mobula/types.h"

typedef struct epoch {
    uint64_t value;
    int lock;   // holds the data directory for this broker; -1: none
    bool fresh; // no counter was there
} epoch_t;

// directory: made if it is not there; ":memory:" writes nothing. Never below the wall clock's
// milliseconds, so that a lost or changed directory does not take the number back. A sentence in
// why: MOB_EDENIED another broker has the directory, or it cannot be written; MOB_EARGS a damaged
// counter, which is left as it is.
mob_err_t epoch_begin(epoch_t *self, const char *directory, char *why, size_t size);
void epoch_end(epoch_t *self);

#endif
