// timeline.h - the flight recorder, and the monitors that watch it live.

#ifndef MOBULA_TIMELINE_H
#define MOBULA_TIMELINE_H

#include "filter.h"
#include "state.h"

void timeline_add(core_t *core, enum wire_event kind, const call_t *call, mob_err_t code);
void timeline_item(core_t *core, const call_t *call, uint32_t bytes); // of a stream
void timeline_note(core_t *core, enum wire_event kind, uint32_t from, uint32_t to, mob_ref_t ref,
                   const char *note);
// A session tails: what matches goes to the feed under the session's own topic, for 5 s unless asked again. NULL: no
// memory.
tail_t *timeline_tail(core_t *core, session_t *session, const filter_t *filter);
void timeline_untail(core_t *core, session_t *session);
void timeline_fini(core_t *core);

#endif
