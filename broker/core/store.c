// store.c - see store.h. Owns the numbers, not the bytes: those are rope.c's.

#include "store.h"

#include <stdlib.h>

#include "letter.h"

store_t *store_of(core_t *core, uint32_t space)
{
    store_t *store = core->stores;
    while (store && store->space != space)
        store = store->next;
    if (store)
        return store;
    store = calloc(1, sizeof *store);
    if (!store)
        return NULL;
    *store = (store_t){.next = core->stores, .core = core, .space = space};
    return core->stores = store;
}

// What lives goes before what is dead.
bool store_take(store_t *self, uint32_t bytes)
{
    uint64_t most = self->core->config.store_max;
    while (self->bytes + bytes > most && letter_yield(self->core))
        ;
    if (self->bytes + bytes > most) {
        self->refused++;
        return false;
    }
    self->bytes += bytes;
    self->core->count.bytes += bytes;
    return true;
}

void store_asked(store_t *self, bool there)
{
    if (!self)
        return;
    self->gets++;
    self->hits += there;
}

void store_give(store_t *self, uint64_t bytes)
{
    self->bytes -= bytes;
    self->core->count.bytes -= bytes;
}

void stores_count(const core_t *core, core_count_t *count)
{
    for (const store_t *store = core->stores; store; store = store->next) {
        count->store_bytes += store->bytes;
        count->store_refused += store->refused;
    }
}

void stores_fini(core_t *core)
{
    for (store_t *store; (store = core->stores); free(store))
        core->stores = store->next;
}
