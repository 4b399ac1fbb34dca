// internal.h - small things of core.c that every noun needs.

#ifndef MOBULA_INTERNAL_H
#define MOBULA_INTERNAL_H

#include "state.h"

uint64_t core_random(core_t *core);
void core_weigh(core_t *core, const blob_t *blob, int sign); // bytes of state: +1 it is held, -1 no more
bool core_heavy(const core_t *core); // above 80 % of the budget: refuse new work
bool core_full(const core_t *core);  // above 90 %: refuse what is large, results too

#endif
