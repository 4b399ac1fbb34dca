// ray.h - the rows of Ray's own microbenchmark (python/ray/_private/ray_perf.py), by its
// definitions, and what Ray has published for them.

#ifndef MOBULA_TOOLS_RAY_H
#define MOBULA_TOOLS_RAY_H

#include "ray_bodies.h"

enum { RAY_ACTORS_MAX = 32, RAY_REFS_MAX = 10000 };

typedef struct ray {  // what the rows share
    mob_t *m, *other; // other: a second session, whose refs m has to ask for
    unsigned n;       // actors of the rows with many: half the cores, as there
    ray_actor_h actors[RAY_ACTORS_MAX];
    ray_client_h clients[RAY_ACTORS_MAX];
    mob_value_t handles[RAY_ACTORS_MAX]; // the first n actors, as an argument
    mob_ref_i64 own, foreign;            // stored zeros
    mob_ref_t full;                      // a value of another session with 10,000 refs in it
    mob_ref_t refs[RAY_REFS_MAX];
} ray_t;

typedef struct ray_row {
    const char *name; // Ray's
    const char *does; // in our words
    double multiplier;
    double ray, newest, best; // of Ray: last complete file, newest, best ever; per second. 0: none
    bool fair;                // one or two busy processes there as well
    mob_err_t (*step)(ray_t *self);
    double (*width)(const ray_t *self); // a further multiplier: how many take part; NULL: 1
    const char *missing;                // why it cannot be run; NULL: it can
} ray_row_t;

extern const ray_row_t ray_rows[]; // up to one without a name

mob_err_t ray_begin(ray_t *self, unsigned cores); // makes the actors, stores the zeros

#endif
