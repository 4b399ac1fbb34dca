// gate.h - a place where peers come in: a calls socket with its notices and feed beside it, all of
// one transport and mechanism. Owns the sockets, the lock of an ipc directory, and the rules for
// addresses.

#ifndef MOBULA_GATE_H
#define MOBULA_GATE_H

#include "endpoint.h"
#include "socket.h"

typedef struct gate {
    void *sockets[SOCKET_KINDS];
    char addresses[SOCKET_KINDS][ENDPOINT_MAX]; // as bound
    int lock;                                   // of broker.lock; -1: tcp
    bool fresh_port;                            // a wildcard was bound
} gate_t;

enum { GATES_MAX = 8 };
#define GATE_INIT ((gate_t){.lock = -1})

// Bind by text: "ipc", "ipc:///path/calls.sock", "tcp://127.0.0.1:7770", "tcp://127.0.0.1:*".
// insecure is the setting security/insecure. A sentence in why: MOB_EARGS an address that is not
// taken, MOB_EDENIED the directory or another broker, MOB_EINTERNAL libzmq.
mob_err_t gate_open(gate_t *self, void *zmq, const char *text, unsigned insecure, char *why,
                    size_t size);
void gate_close(gate_t *self, bool at_once);

#endif
