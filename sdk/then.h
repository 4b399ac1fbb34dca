// then.h - callbacks: they wait at their future, then in a line until mob_step() runs them. Wants
// the session's lock, which is never held while a callback runs.

#ifndef MOBULA_THEN_H
#define MOBULA_THEN_H

#include "mobula/mobula.h"

struct future;

typedef struct then {
    struct then *next;         // at the same future, or in the line of due ones
    struct then *left, *right; // all that wait: mob_close() runs those, too
    struct future *future;     // pinned; NULL: the ref was unknown
    mob_ref_t ref, actor;      // actor: whose body gave it
    mob_then_fn *fn;
    void *arg;
} then_t;

typedef struct thens {
    then_t *waiting; // all of them
    then_t *due, *due_last;
    int fd; // eventfd for the user's own loop; -1: never asked for
} thens_t;

void thens_ready(mob_t *self, struct future *future); // it has settled
void thens_end(mob_t *self);                          // run what is left; lock not held

#endif
