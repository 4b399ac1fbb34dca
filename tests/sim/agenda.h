// agenda.h - what is to happen, in the order of its time; of the same time, in the order it was put down.

#ifndef MOBULA_SIM_AGENDA_H
#define MOBULA_SIM_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void agenda_action_t(void *arg, uint64_t mark);

typedef struct agenda_item {
    int64_t at;
    uint64_t order;
    agenda_action_t *action;
    void *arg;
    uint64_t mark; // handed back: lets the action see that it is out of date
} agenda_item_t;

typedef struct agenda {
    agenda_item_t *heap;
    size_t count, room;
    uint64_t order;
} agenda_t;

void agenda_add(agenda_t *self, int64_t at, agenda_action_t *action, void *arg, uint64_t mark);
int64_t agenda_next(const agenda_t *self);            // INT64_MAX: nothing
bool agenda_take(agenda_t *self, agenda_item_t *out); // the earliest
void agenda_fini(agenda_t *self);

#endif
