// schedule.h - ready tasks and who runs them.

#ifndef MOBULA_SCHEDULE_H
#define MOBULA_SCHEDULE_H

#include "state.h"

void schedule_add(core_t *core, call_t *call, bool first); // a READY task
void schedule_actors(core_t *core); // those that wait and have room get their places
void schedule_run(core_t *core);    // once a turn: hand out what there is room for
void schedule_unresolved(core_t *core, call_t *call); // its definition was never offered in time
void schedule_offered(core_t *core, def_t *def); // a host offers it now: what waited for it goes on

#endif
