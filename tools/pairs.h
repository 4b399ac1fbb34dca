// pairs.h - calls joined with their replies: what was asked waits here until its end comes.

#ifndef MOBULA_TOOLS_PAIRS_H
#define MOBULA_TOOLS_PAIRS_H

#include "record.h"

typedef void(pairs_fn)(void *arg, const record_t *record);

typedef struct pair pair_t;
typedef struct pairs {
    pair_t *open; // oldest first
    pairs_fn *each;
    void *arg;
} pairs_t;

pairs_t pairs_of(pairs_fn *each, void *arg); // it is given whole calls, and what is no part of one

void pairs_take(pairs_t *self, const record_t *record);
void pairs_fini(pairs_t *self); // gives what has had no end

#endif
