// reflist.c - see reflist.h.

#include "reflist.h"

#include <stdlib.h>

bool reflist_reserve(reflist_t *self, uint32_t more)
{
    if (more <= self->room - self->count)
        return true;
    uint32_t room = self->count + more;
    if (room < 2 * self->room)
        room = 2 * self->room;
    mob_ref_t *refs = realloc(self->refs, room * sizeof *refs);
    if (!refs)
        return false;
    self->refs = refs;
    self->room = room;
    return true;
}

bool reflist_add(reflist_t *self, mob_ref_t ref)
{
    if (!reflist_reserve(self, 1))
        return false;
    self->refs[self->count++] = ref;
    return true;
}

void reflist_fini(reflist_t *self)
{
    free(self->refs);
    *self = (reflist_t){0};
}
