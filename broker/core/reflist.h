// reflist.h - a list of refs that grows.

#ifndef MOBULA_REFLIST_H
#define MOBULA_REFLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "mobula/types.h"

typedef struct reflist { // zero: empty
    mob_ref_t *refs;
    uint32_t count, room;
} reflist_t;

bool reflist_reserve(reflist_t *self, uint32_t more); // false: no memory
bool reflist_add(reflist_t *self, mob_ref_t ref);
void reflist_fini(reflist_t *self); // empty again, memory freed

#endif
