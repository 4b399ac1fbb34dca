// agenda.c - a binary heap.

#include "agenda.h"

#include <stdlib.h>

static bool before(const agenda_item_t *a, const agenda_item_t *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void agenda_add(agenda_t *self, int64_t at, agenda_action_t *action, void *arg, uint64_t mark)
{
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 1024;
        self->heap = realloc(self->heap, self->room * sizeof *self->heap);
        if (!self->heap)
            abort();
    }
    agenda_item_t item = {
        .at = at, .order = self->order++, .action = action, .arg = arg, .mark = mark};
    size_t i = self->count++;
    for (; i > 0 && before(&item, &self->heap[(i - 1) / 2]); i = (i - 1) / 2)
        self->heap[i] = self->heap[(i - 1) / 2];
    self->heap[i] = item;
}

int64_t agenda_next(const agenda_t *self)
{
    return self->count ? self->heap[0].at : INT64_MAX;
}

bool agenda_take(agenda_t *self, agenda_item_t *out)
{
    if (self->count == 0)
        return false;
    *out = self->heap[0];
    agenda_item_t last = self->heap[--self->count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < self->count; i = child) {
        if (child + 1 < self->count && before(&self->heap[child + 1], &self->heap[child]))
            child++;
        if (!before(&self->heap[child], &last))
            break;
        self->heap[i] = self->heap[child];
    }
    self->heap[i] = last;
    return true;
}

void agenda_fini(agenda_t *self)
{
    free(self->heap);
    *self = (agenda_t){0};
}
