// session.h - peers that have said HELLO: sequence, symbols, heartbeat, end.

#ifndef MOBULA_CORE_SESSION_H
#define MOBULA_CORE_SESSION_H

#include "state.h"

session_t *session_find(const core_t *core, uint64_t owner);
session_t *session_stub(core_t *core,
                        uint64_t owner); // known by name only, until it says HELLO; NULL: no memory
void session_hello(core_t *core, peer_t *peer, const msg_hello_t *hello);
void session_ping(core_t *core, session_t *session, const msg_ping_t *ping);
void session_symbol(core_t *core, session_t *session, const msg_name_t *name);
uint32_t session_name_of(const session_t *session, uint32_t symbol); // 0: never bound
void session_leave(core_t *core,
                   session_t *session); // its calls and values are the broker's now, for a while
void session_hand_over(call_t *call, session_t *to); // from its owner to another one; NULL: to nobody
void session_let_go(core_t *core,
                    call_t *call); // its maker did: it lives as long as others hold it, whoever ends
void session_gone(core_t *core, session_t *session, enum wire_cause cause);
void session_timer(core_t *core, session_t *session); // ACCEPT alone
void session_beat(core_t *core);                      // once a heartbeat: HUGZ, silence
void session_error(core_t *core, peer_t *peer, mob_err_t code, const char *why, mob_ref_t ref,
                   const char *text);
void session_goodbye(core_t *core, peer_t *peer, mob_err_t code, const char *text);
void session_admitted(core_t *core, session_t *session, uint64_t seq);
void session_taken(core_t *core, session_t *session);
void session_free(core_t *core, session_t *session);

#endif
