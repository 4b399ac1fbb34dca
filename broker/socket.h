// socket.h - the broker's kinds of ZeroMQ socket and their options, one table. Never binds, sends
// or reads.

#ifndef MOBULA_SOCKET_H
#define MOBULA_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zmq.h>

#include "limit.h"

typedef enum socket_kind {
    SOCKET_CALLS,   // ROUTER
    SOCKET_NOTICES, // PUB
    SOCKET_FEED,    // PUB
    SOCKET_KINDS
} socket_kind_t;

// Why each: libzmq is silent or waits unless told otherwise. HEARTBEAT_* stay unset: with a full
// pipe they abort a process (libzmq #3937). PUB is plain, without XPUB_NODROP and XPUB_MANUAL.
// clang-format off
#define SOCKET_OPTIONS(O) /* socket type, option, C type, value, readable: libzmq gives it back */            \
    O(ZMQ_ROUTER, ZMQ_ROUTER_MANDATORY,   int,     1,             false) /* no message vanishes unseen */     \
    O(ZMQ_ROUTER, ZMQ_ROUTER_HANDOVER,    int,     1,             false) /* a peer that returns is let in */  \
    O(ZMQ_ROUTER, ZMQ_MAXMSGSIZE,         int64_t, MOB_FRAME_MAX, true)  /* of a frame */                     \
    O(ZMQ_ROUTER, ZMQ_SNDHWM,             int,     100,           true)  /* messages; the rest waits here */  \
    O(ZMQ_ROUTER, ZMQ_RCVHWM,             int,     100,           true)                                       \
    O(ZMQ_ROUTER, ZMQ_HANDSHAKE_IVL,      int,     2000,          true)  /* silent connections end, ms */     \
    O(ZMQ_ROUTER, ZMQ_BACKLOG,            int,     4096,          true)  /* all come back after a restart */  \
    O(ZMQ_ROUTER, ZMQ_LINGER,             int,     1000,          true)  /* the last GOODBYE leaves, ms */    \
    O(ZMQ_ROUTER, ZMQ_TCP_KEEPALIVE,      int,     1,             true)                                       \
    O(ZMQ_ROUTER, ZMQ_TCP_KEEPALIVE_IDLE, int,     10,            true)                                       \
    O(ZMQ_ROUTER, ZMQ_TCP_KEEPALIVE_INTVL, int,    3,             true)                                       \
    O(ZMQ_ROUTER, ZMQ_TCP_KEEPALIVE_CNT,  int,     3,             true)                                       \
    O(ZMQ_ROUTER, ZMQ_TCP_MAXRT,          int,     10000,         true)  /* unacknowledged data ends it, ms */ \
    O(ZMQ_PUB,    ZMQ_SNDHWM,             int,     1000,          true)                                       \
    O(ZMQ_PUB,    ZMQ_LINGER,             int,     0,             true)                                       \
    O(ZMQ_PUB,    ZMQ_MAXMSGSIZE,         int64_t, 4096,          true)  /* subscriptions are short */        \
    O(ZMQ_PUB,    ZMQ_HANDSHAKE_IVL,      int,     2000,          true)                                       \
    O(ZMQ_PUB,    ZMQ_BACKLOG,            int,     4096,          true)                                       \
    O(ZMQ_PUB,    ZMQ_TCP_KEEPALIVE,      int,     1,             true)                                       \
    O(ZMQ_PUB,    ZMQ_TCP_KEEPALIVE_IDLE, int,     10,            true)                                       \
    O(ZMQ_PUB,    ZMQ_TCP_KEEPALIVE_INTVL, int,    3,             true)                                       \
    O(ZMQ_PUB,    ZMQ_TCP_KEEPALIVE_CNT,  int,     3,             true)
// clang-format on

// Seed libzmq's generator, which makes the routing ids it gives out, from the kernel. After
// zsys_init(), which seeds it by the clock, and before the first socket. False: the kernel has no
// entropy.
bool socket_seed(void);

// A socket with all its options set and read back; NULL with a sentence in why.
void *socket_new(void *zmq, socket_kind_t kind, char *why, size_t size);
void socket_close(void **self_p, bool at_once); // at once: what it holds is lost

#endif
