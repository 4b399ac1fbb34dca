// ray_bodies.h - the contract of the bodies that `mobula bench ray` calls: they do what those of
// Ray's own microbenchmark do. Run by the hidden host mode of this program (demo_bodies.h).

#ifndef MOBULA_TOOLS_RAY_BODIES_H
#define MOBULA_TOOLS_RAY_BODIES_H

#include "mobula/contract.h"

MOB_TASK(ray_small, bytes); // nothing to do, two bytes to give
MOB_TASK(ray_put, i64, (i64, count));
MOB_TASK(ray_put_large, i64, (i64, count), (i64, size)); // one after the other, each until it is stored
MOB_TASK(ray_refs, any, (i64, count));                   // that many refs of stored ones, as a list
MOB_TASK(ray_spread, i64, (any, actors), (i64, count)); // that many calls, to each in turn

#define RAY_ACTOR(METHOD)           \
    METHOD(ray_actor, small, bytes) \
    METHOD(ray_actor, with, bytes, (i64, x))
MOB_ACTOR(ray_actor, RAY_ACTOR);

// One that calls others, and awaits all of it. Each gives how many calls it made.
#define RAY_CLIENT(METHOD)                                                         \
    METHOD(ray_client, tasks, i64, (i64, count))                                   \
    METHOD(ray_client, calls, i64, (any, actors), (i64, count))      /* to each */ \
    METHOD(ray_client, calls_with, i64, (actor, peer), (i64, count)) /* a stored 0 */
MOB_ACTOR(ray_client, RAY_CLIENT);

extern const mob_def_t ray_actor_def, ray_client_def;
#define RAY_DEFS                                                                         \
    mob_task(ray_small), mob_task(ray_put), mob_task(ray_put_large), mob_task(ray_refs), \
        mob_task(ray_spread), ray_actor_def, ray_client_def

// So many bytes, in values of 8 MiB at most; waits until each is stored, and lets go of it.
mob_err_t ray_store(mob_t *m, int64_t size);

#endif
