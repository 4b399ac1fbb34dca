// deadline.h - one heap for everything that has a time: calls, sessions, actors, workers, the core itself.

#ifndef MOBULA_DEADLINE_H
#define MOBULA_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum deadline_kind {
    DEADLINE_CALL,
    DEADLINE_SESSION,
    DEADLINE_ACTOR,
    DEADLINE_HOST,
    DEADLINE_CORE
} deadline_kind_t;

typedef struct deadline { // embedded in the record it belongs to
    int64_t at;           // microseconds; valid while place is not 0
    uint32_t place;       // 1 + index in the heap; 0: not in it
    uint32_t kind;
} deadline_t;

typedef struct deadlines {
    deadline_t **heap;
    uint32_t count, room;
} deadlines_t;

bool deadline_set(deadlines_t *self, deadline_t *one,
                  int64_t at);                           // moves it when it is in; false: no memory
void deadline_clear(deadlines_t *self, deadline_t *one); // fine when it is not in
deadline_t *deadline_due(deadlines_t *self, int64_t now); // takes out the earliest that is due; NULL
int64_t deadline_next(const deadlines_t *self);           // INT64_MAX: none
void deadlines_fini(deadlines_t *self);

#endif
