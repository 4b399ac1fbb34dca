// outcome.h - the one write-once end of a call, and who is told.

#ifndef MOBULA_OUTCOME_H
#define MOBULA_OUTCOME_H

#include "state.h"

// Store the outcome: value is taken (NULL: an empty one). Tells the owner and those who watch, wakes those
// who need the value, lets go of the arguments. The record may be freed by this: do not touch it again.
void outcome_value(core_t *core, call_t *call, blob_t *value);
void outcome_failure(core_t *core, call_t *call, const failure_t *failure);
void outcome_store(core_t *core, call_t *call, mob_err_t code,
                   blob_t *load); // load: the value, or an encoded failure

// Whether a body of it may have begun: in this run, in an earlier one, under an earlier broker.
bool outcome_may_have_run(const call_t *call);

// A failure with a sentence: executed as the state of the call tells.
void outcome_fail(core_t *core, call_t *call, mob_err_t err, const char *why, const char *format,
                  ...) MOB_PRINTF(5, 6);

// A dependency failed: MOB_EDEP that names it and the root of the chain. load: its failure; NULL: it is gone.
void outcome_dependency(core_t *core, call_t *call, mob_ref_t dep, uint32_t code, blob_t *load);

// A body handed on what a ref of its failed with: root and origin as that record tells them.
void outcome_follow(core_t *core, failure_t *failure, mob_ref_t cause);

// Encode a failure; NULL: no memory.
blob_t *outcome_encode(core_t *core, const failure_t *failure);

// Answer one session about a settled call, over the calls socket.
void outcome_answer(core_t *core, session_t *session, const call_t *call);
void outcome_answer_failure(core_t *core, session_t *session, mob_ref_t ref,
                            const failure_t *failure);

// Nobody owns it any more, but it is kept: until a while after it has settled.
void outcome_keep(core_t *core, call_t *call);

// The owner's hold has ended, or the last of another: free the record when nothing needs it any more.
void outcome_drop(core_t *core, call_t *call);

// A value whose owner has ended goes at once; for those who still hold it its record says why.
void outcome_orphan(core_t *core, call_t *call, const session_t *owner);

#endif
