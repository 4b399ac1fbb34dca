// haul.h - payloads that do not come with what names them: which piece of one goes first, and how one is fetched.
// The payloads are small here, and so are the pieces; the core cannot tell.

#ifndef MOBULA_SIM_HAUL_H
#define MOBULA_SIM_HAUL_H

#include "ledger.h"
#include "message.h"

enum { HAUL_PIECES = 3 }; // at most

typedef struct haul { // a payload on its way here
    struct haul *next;
    mob_ref_t ref;
    uint32_t part, have;
    uint8_t bytes[DEED_PAYLOAD];
} haul_t;

haul_t *haul_add(haul_t **list, mob_ref_t ref, uint32_t part); // or the one that is there
void haul_ask(const haul_t *self, batch_t *out);
haul_t *haul_data(haul_t *list, const msg_data_t *data); // the one that is whole now; NULL: none
void haul_end(haul_t **list, haul_t **haul_p);
void hauls_free(haul_t **list);

// Piece number index of count.
void haul_say_piece(batch_t *out, uint64_t seq, load_t payload, uint32_t index, uint32_t count);

#endif
