// shape.h - ready work of one definition and one demand. Hosts are matched with shapes, not with calls.

#ifndef MOBULA_SHAPE_H
#define MOBULA_SHAPE_H

#include "state.h"

enum { SHAPES_MAX = 10000 }; // each costs the scheduler a look in every turn

// Takes the demand. NULL: no memory, or too many at once. Held by the caller.
shape_t *shape_of(core_t *core, def_t *def, demand_t **demand_p);
// The same from options; the definition fills up what they leave open. NULL: as demand_of(), or "" when too many.
shape_t *shape_for(core_t *core, def_t *def, const opts_t *opts, bool actor, char *wrong);
// It was made before its definition was known. The old one stays when there is no memory.
void shape_fill_up(core_t *core, shape_t **self_p, def_t *def);
shape_t *shape_hold(shape_t *self);
void shape_drop(core_t *core, shape_t **self_p);                // fine when it is NULL
shape_t *shape_of_call(const core_t *core, const call_t *call); // a task; NULL: never offered

void shape_add(core_t *core, shape_t *self, call_t *call, bool first); // READY
call_t *shape_first(core_t *core, shape_t *self);                      // NULL: nothing waits
void shape_move(core_t *core, shape_t *from, shape_t *to); // calls without wishes of their own

// Which call goes first: the higher level, then the older one. A call rises by a level each second that it waits.
int shape_level(const core_t *core, const call_t *call);
bool shape_before(const core_t *core, const call_t *a, const call_t *b);

void shape_wait(core_t *core, actor_t *actor); // it wants a place on a host
void shape_unwait(actor_t *actor); // it has one, or has ended; fine when it did not wait

#endif
