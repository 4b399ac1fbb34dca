// unmet.h - refs that are held, by name, before what they name is here: workers may announce calls of an earlier
// broker yet, and a request may be said again behind an answer that names it.

#ifndef MOBULA_UNMET_H
#define MOBULA_UNMET_H

#include "state.h"

// A ref that names nothing: noted, if what it names may still come. holder: a call, or with seq 0 a session that
// borrows it; from: who made the value of holder that contains it, 0: it is in the arguments. False: not noted.
bool unmet_note(core_t *core, unmet_t unmet);
// What requests of this session above that number are for is here now, whole: or not at all.
void unmet_met(core_t *core, const session_t *session, uint64_t above);
void unmet_over(core_t *core);                             // what has not come by now does not come
void unmet_forget(core_t *core, const session_t *session); // nor what this one would have made

#endif
