// timeline.h - the flight recorder, and the monitors that watch it live.

#ifndef MOBULA_TIMELINE_H
#define MOBULA_TIMELINE_H

#include "filter.h"
#include "state.h"

void timeline_add(core_t *core, enum wire_event kind, const call_t *call, mob_err_t code);
void timeline_letter(core_t *core, const call_t *call, mob_err_t code, const char *name);
void timeline_item(core_t *core, const call_t *call, uint32_t bytes); // of a stream
void timeline_note(core_t *core, enum wire_event kind, uint32_t from, uint32_t to, mob_ref_t ref,
                   const char *note);
// A session tails: what matches goes to the feed under the session's own topic, for 5 s unless asked again. NULL: no
// memory.
tail_t *timeline_tail(core_t *core, session_t *session, const filter_t *filter);
void timeline_untail(core_t *core, session_t *session);
typedef struct tail_count {
    uint64_t first,
        n; // number in the recorder of the first record that it could see; those that matched
} tail_count_t;
tail_count_t timeline_count(const tail_t *tail); // NULL: zeros

// A page of what is remembered: EVENTs, n 0, of the matching records from the one of that number on, which is not
// older than the oldest. Gives the number to go on with, core->ring_next at the end.
uint64_t timeline_past(core_t *core, uint64_t from, const filter_t *filter, batch_t *out);
uint64_t timeline_oldest(const core_t *core); // its number
int64_t timeline_since(const core_t *core);   // its time of day
void timeline_fini(core_t *core);

#endif
