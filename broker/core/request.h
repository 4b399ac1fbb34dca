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
void request_end(core_t *core, session_t *session, const message_t *message);
void request_ask(core_t *core, session_t *session, const message_t *message);
void request_watch(core_t *core, session_t *session, const message_t *message);
void request_cancel(core_t *core, session_t *session, const message_t *message);
void request_stop(core_t *core, session_t *session, const message_t *message);
void request_drop(core_t *core, session_t *session, const message_t *message);

void request_defaults(call_t *call,
                      const def_t *def); // of a task that was sent before its definition was known

// A request whose fields are wrong is admitted and settled as failed, so that later ones pass.
void request_malformed(core_t *core, session_t *session, uint64_t seq, mob_err_t code,
                       const char *text);
void request_unpark(core_t *core,
                    actor_t *actor); // it is known now: calls to it that came before enter, in order
void request_rejoin_over(core_t *core); // who has not come back by now does not come
void request_drain(core_t *core);       // answer what has not begun

#endif
