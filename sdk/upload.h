// upload.h - what goes to the broker in front of a request that is too large for one message: its payload in
// PIECEs, its dependencies in DEPS. Requests like others, kept until the one behind them is accepted.
// Wants the session's lock.

#ifndef MOBULA_UPLOAD_H
#define MOBULA_UPLOAD_H

#include "session.h"

enum { UPLOAD_DEPS = 256 }; // so many dependencies stand in the request itself

// Puts them into the batch. payload becomes the load that names the pieces of block (NULL: there is none);
// deps empty, when they were too many for the request itself. False: no memory.
bool upload_ahead(mob_t *self, block_t *block, load_t *payload, refs_t *deps);

uint64_t upload_answer(mob_t *self, const session_answer_t *answer); // as session_answer()

#endif
