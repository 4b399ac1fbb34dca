// request.h - what sessions ask for. Each handler checks, reserves, then changes.

#ifndef MOBULA_REQUEST_H
#define MOBULA_REQUEST_H

#include "state.h"

void request_submit(core_t *core, session_t *session, const message_t *message);
void request_call(core_t *core, session_t *session, const message_t *message);
void request_spawn(core_t *core, session_t *session, const message_t *message);
void request_put(core_t *core, session_t *session, const message_t *message);
void request_find(core_t *core, session_t *session, const message_t *message);
void request_query(core_t *core, session_t *session, const message_t *message);
void request_retry(core_t *core, session_t *session, const message_t *message);
void request_discard(core_t *core, session_t *session, const message_t *message);
void request_end(core_t *core, session_t *session, const message_t *message);
void request_stop(core_t *core, session_t *session, const message_t *message);

void request_enter(core_t *core, actor_t *actor,
                   call_t *call);                // a method's call: into the mailbox, or refused
void request_resume(core_t *core, call_t *call); // it was parked, and no worker has spoken of it
void request_drain(core_t *core);                // answer what has not begun

#endif
