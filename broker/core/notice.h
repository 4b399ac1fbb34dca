// notice.h - outcomes on their way to sessions: numbered notices, or the calls socket while the session does
// not hear notices yet.

#ifndef MOBULA_NOTICE_H
#define MOBULA_NOTICE_H

#include "state.h"

// For one session, behind what libzmq has taken; more stays in the table until it asks.
enum {
    NOTICE_BYTES_MAX = 16 * 1024 * 1024, // waits for the calls socket
    NOTICE_BLIND_MAX =
        4 * 1024 * 1024 // as notices since it said anything: PUB does not tell when it is full
};

void peer_dirty(core_t *core, peer_t *peer); // something waits to be sent to it

// A batch of the calls socket, ACCEPT in front, for what can be asked for again. NULL: not connected, stuck, no memory.
batch_t *notice_batch(core_t *core, session_t *session);
// For what is said once, and is few: a window of RUNs, and what is about these. NULL: not connected, no memory.
batch_t *notice_order(core_t *core, session_t *session);
void notice_outcome(core_t *core, session_t *session, const call_t *call);
void notice_watched(core_t *core, session_t *session, const wake_t *wake);
void notice_hugz(core_t *core, session_t *session);

#endif
