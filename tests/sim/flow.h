// flow.h - the judge of streams: what one NEXT got must fit to what the others of its stream got.

#ifndef MOBULA_SIM_FLOW_H
#define MOBULA_SIM_FLOW_H

#include "ledger.h"

// Its payload carries the deed, the run that made it, and which one it is.
load_t flow_payload(uint8_t room[DEED_PAYLOAD], const deed_t *stream, uint64_t run, uint32_t index);
bool flow_is_item(const ledger_t *self, const deed_t *next, load_t payload);

uint32_t flow_taken(
    const deed_t *stream); // NEXTs that came back, with whatever it was, or are not wanted any more
void flow_made(ledger_t *self, uint64_t run, uint32_t index); // a body gives it
void flow_outcome(ledger_t *self, const deed_t *next); // settled: its code and result are there

#endif
