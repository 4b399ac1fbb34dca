// store.h - what each namespace keeps: a limit for what is too large for one message, and counters of all values.
// What is kept is refused when there is no room for it, never thrown out for something newer.

#ifndef MOBULA_STORE_H
#define MOBULA_STORE_H

#include "state.h"

struct store { // of a namespace; lives as long as the core
    store_t *next;
    core_t *core;
    uint32_t space;
    uint64_t bytes, loads; // kept now, pieces on their way included; whole ones
    uint64_t refused;      // pieces that found no room
    uint64_t puts;         // values stored by who had them
    uint64_t gets, hits;   // refs asked for; of these the value was there
};

store_t *store_of(core_t *core, uint32_t space); // made when first asked for; NULL: no memory
bool store_take(store_t *self, uint32_t bytes);  // false: it would be more than is allowed
void store_asked(store_t *self, bool there);     // NULL: nobody counts
void store_give(store_t *self, uint64_t bytes);
void stores_count(const core_t *core, core_count_t *count);
void stores_fini(core_t *core);

#endif
