// borrow.h - refs that a session references though it does not own what they name: received, got out of a value,
// or kept by the bodies that it runs.

#ifndef MOBULA_BORROW_H
#define MOBULA_BORROW_H

#include "state.h"

void borrow_keep(core_t *core, session_t *session, const message_t *message); // KEEP
void borrow_kept(core_t *core, session_t *session, loads_t inner);            // said with a result
bool borrow_drop(core_t *core, session_t *session, mob_ref_t ref); // false: it did not borrow it
void borrow_drop_among(core_t *core, session_t *session, mob_ref_t first, uint64_t count);
void borrow_drop_all(core_t *core, session_t *session);
void borrow_met(core_t *core, session_t *session, mob_ref_t ref); // it is here by now, or never will be

bool borrow_is_kept(const session_t *session, mob_ref_t ref); // by a body, beyond its call

// Whether the session references it: owns, borrows, or runs a call that has it as an argument.
bool borrow_references(const core_t *core, const session_t *session, const call_t *call);

#endif
