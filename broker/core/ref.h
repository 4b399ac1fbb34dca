// ref.h - what sessions do with the refs that they have.

#ifndef MOBULA_REF_H
#define MOBULA_REF_H

#include "state.h"

// What can be said of a ref that the table does not have; false: nothing yet.
bool ref_fate(const core_t *core, mob_ref_t ref, failure_t *out);

void ref_answer(core_t *core, session_t *session,
                mob_ref_t ref); // if it has settled, or cannot any more
void ref_ask(core_t *core, session_t *session, const message_t *message);
void ref_watch(core_t *core, session_t *session, const message_t *message);
void ref_cancel(core_t *core, session_t *session, const message_t *message);
void ref_drop(core_t *core, session_t *session, const message_t *message);

#endif
