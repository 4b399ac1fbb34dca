// deadline.c - a binary heap whose members know their place.

#include "deadline.h"

#include <stdlib.h>

static void settle(deadlines_t *self, uint32_t i, deadline_t *one)
{
    self->heap[i] = one;
    one->place = i + 1;
}

static void rise(deadlines_t *self, uint32_t i, deadline_t *one)
{
    for (; i > 0 && self->heap[(i - 1) / 2]->at > one->at; i = (i - 1) / 2)
        settle(self, i, self->heap[(i - 1) / 2]);
    settle(self, i, one);
}

static void sink(deadlines_t *self, uint32_t i, deadline_t *one)
{
    for (uint32_t child; (child = 2 * i + 1) < self->count; i = child) {
        if (child + 1 < self->count && self->heap[child + 1]->at < self->heap[child]->at)
            child++;
        if (self->heap[child]->at >= one->at)
            break;
        settle(self, i, self->heap[child]);
    }
    settle(self, i, one);
}

static void place(deadlines_t *self, uint32_t i, deadline_t *one)
{
    if (i > 0 && self->heap[(i - 1) / 2]->at > one->at)
        rise(self, i, one);
    else
        sink(self, i, one);
}

bool deadline_set(deadlines_t *self, deadline_t *one, int64_t at)
{
    one->at = at;
    if (one->place) {
        place(self, one->place - 1, one);
        return true;
    }
    if (self->count == self->room) {
        uint32_t room = self->room ? self->room * 2 : 256;
        deadline_t **heap = realloc(self->heap, room * sizeof *heap);
        if (!heap)
            return false;
        self->heap = heap;
        self->room = room;
    }
    self->count++;
    rise(self, self->count - 1, one);
    return true;
}

void deadline_clear(deadlines_t *self, deadline_t *one)
{
    if (!one->place)
        return;
    uint32_t i = one->place - 1;
    one->place = 0;
    deadline_t *last = self->heap[--self->count];
    if (last != one)
        place(self, i, last);
}

deadline_t *deadline_due(deadlines_t *self, int64_t now)
{
    if (self->count == 0 || self->heap[0]->at > now)
        return NULL;
    deadline_t *first = self->heap[0];
    deadline_clear(self, first);
    return first;
}

int64_t deadline_next(const deadlines_t *self)
{
    return self->count ? self->heap[0]->at : INT64_MAX;
}

void deadlines_fini(deadlines_t *self)
{
    free(self->heap);
    *self = (deadlines_t){0};
}
