// unplaced.h - work that nobody can run, however long it waits.

#ifndef MOBULA_UNPLACED_H
#define MOBULA_UNPLACED_H

#include "state.h"

void unplaced_beat(core_t *core); // once a heartbeat

#endif
