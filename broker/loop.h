// loop.h - one turn: receive many, let the core step, send what it left. Owns the connections
// (routing id to peer). Knows no rule of the protocol: those are in core/.

#ifndef MOBULA_LOOP_H
#define MOBULA_LOOP_H

#include "core.h"
#include "fault.h"
#include "gate.h"
#include "log.h"

typedef struct loop loop_t;

typedef struct loop_config { // all borrowed
    core_t *core;
    gate_t *gates;
    size_t gate_count;
    log_t *log;
    fault_t *fault;
    int64_t stuck_us;  // who reads nothing for so long is gone
    size_t routes_max; // connections
    int control;       // a file: when it is readable, loop_turn() says so; -1: none
} loop_config_t;

loop_t *loop_new(const loop_config_t *config); // NULL: no memory or no file
void loop_destroy(loop_t **self_p);

// Waits until something comes, the core's next deadline or until_us at the latest. True: control is
// readable.
bool loop_turn(loop_t *self, int64_t until_us);

bool loop_idle(const loop_t *self); // nothing waits to be sent

typedef struct loop_count {
    uint64_t received, envelopes, sent, noted; // messages; noted: of the notices socket
    uint64_t unroutable;                       // messages for connections that had ended
    uint64_t parks;                            // times that a peer's queue was full
    uint64_t refused;                          // messages of strangers and above routes_max
    uint64_t ended;                            // processes seen to end
    uint64_t routes;
} loop_count_t;
loop_count_t loop_counts(const loop_t *self);

#endif
