// fetch.h - payloads that are too large to go along with what names them: which those are, and how they are
// given to whoever asks.

#ifndef MOBULA_FETCH_H
#define MOBULA_FETCH_H

#include "state.h"

void fetch_request(core_t *core, session_t *session, const message_t *message);

// The values that a call depends on, for RUN and MAKE: those for which there is no room in one message are
// named by their size. Good until the next one is asked for; count 0 and a dependency: no memory.
loads_t fetch_deps(core_t *core, const call_extra_t *extra, load_t args);

#endif
