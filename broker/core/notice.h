// notice.h - outcomes on their way to sessions: numbered notices, or the calls socket while the session does
// not hear notices yet.

#ifndef MOBULA_NOTICE_H
#define MOBULA_NOTICE_H

#include "state.h"

enum {
    NOTICE_BYTES_MAX = 16 * 1024 * 1024
}; // waiting for one session; more stays in the table until it asks

void peer_dirty(core_t *core, peer_t *peer); // something waits to be sent to it
batch_t *notice_batch(core_t *core,
                      session_t *session); // calls socket, ACCEPT in front; NULL: not connected, stuck, no memory
void notice_outcome(core_t *core, session_t *session, const call_t *call);
void notice_watched(core_t *core, session_t *session, const wake_t *wake);
void notice_hugz(core_t *core, session_t *session);

#endif
