// refset.c - see refset.h. Open addressing over the items, at most half full.

#include "refset.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 16 };

static uint32_t *place_of(const refset_t *self, mob_ref_t ref) // where it is noted, or is to be
{
    uint64_t hash = (ref.seq ^ ref.owner >> 17) * 0x9e3779b97f4a7c15u;
    uint32_t i = (uint32_t)(hash >> 32) & self->mask;
    while (self->places[i] && !mob_same(self->items[self->places[i] - 1], ref))
        i = (i + 1) & self->mask;
    return &self->places[i];
}

static bool note_all(refset_t *self, uint32_t room)
{
    uint32_t *places = calloc(2 * (size_t)room, sizeof *places);
    if (!places)
        return false;
    free(self->places);
    self->places = places;
    self->mask = 2 * room - 1;
    for (uint32_t i = 0; i < self->count; i++)
        *place_of(self, self->items[i]) = i + 1;
    return true;
}

static bool grow(refset_t *self)
{
    uint32_t room = self->room ? 2 * self->room : FEW;
    mob_ref_t *items = realloc(self->items, room * sizeof *items);
    if (items)
        self->items = items;
    if (!items || (room > FEW && !note_all(self, room)))
        return false;
    self->room = room;
    return true;
}

static uint32_t find(const refset_t *self, mob_ref_t ref)
{
    uint32_t i = 0;
    if (self->places) {
        uint32_t place = *place_of(self, ref);
        return place ? place - 1 : self->count;
    }
    while (i < self->count && !mob_same(self->items[i], ref))
        i++;
    return i;
}

uint32_t refset_add(refset_t *self, mob_ref_t ref)
{
    uint32_t i = find(self, ref);
    if (i < self->count || (self->count == self->room && !grow(self)))
        return i;
    self->items[self->count++] = ref;
    if (self->places)
        *place_of(self, ref) = self->count;
    return i;
}

void refset_clear(refset_t *self)
{
    self->count = 0;
    if (!self->places)
        return;
    free(self->places); // to wipe it would cost the many of one call in each call after it
    free(self->items);
    *self = (refset_t){0};
}

void refset_fini(refset_t *self)
{
    refset_clear(self);
    free(self->items);
    *self = (refset_t){0};
}
