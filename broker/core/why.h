// why.h - what keeps work from running, in a sentence.

#ifndef MOBULA_WHY_H
#define MOBULA_WHY_H

#include "state.h"

enum { WHY_TEXT = 256 };

const char *why_shape(core_t *core, shape_t *shape, char out[WHY_TEXT]); // it has work that waits
const char *why_call(core_t *core, call_t *call, char out[WHY_TEXT]);    // "": it does not wait
const char *why_actor(core_t *core, actor_t *actor, char out[WHY_TEXT]);

// Once a heartbeat: what nobody can run is told to monitors and to the log after 10 s, then each minute.
void why_beat(core_t *core);

#endif
