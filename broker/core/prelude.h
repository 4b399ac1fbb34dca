// prelude.h - what a session sends in front of a request that is too large for one message: PIECEs of its
// payload, DEPS of its dependencies. Requests themselves, so that they are accepted and said again like others.

#ifndef MOBULA_PRELUDE_H
#define MOBULA_PRELUDE_H

#include "state.h"

void prelude_piece(core_t *core, session_t *session, const message_t *message);
void prelude_deps(core_t *core, session_t *session, const message_t *message);

// Request seq has come: what does not stand directly in front of it is given up, and of what does this says
// whether it was refused. Only while session->prelude is there.
refusal_t prelude_meets(session_t *session, uint64_t seq);

// A payload that a session says, whatever its form; the caller owns it. NULL: refusal says why.
blob_t *prelude_load(core_t *core, session_t *session, load_t load, refusal_t *refusal);

refs_t prelude_refs(const session_t *session); // the dependencies; they stay the session's
void prelude_end(session_t *session);          // whoever it was for has it
void prelude_free(session_t *session);

#endif
