// chance.h - the one source of what is random in a simulated world. The same seed, the same world.

#ifndef MOBULA_SIM_CHANCE_H
#define MOBULA_SIM_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct chance {
    uint64_t state[2];
} chance_t;

void chance_init(chance_t *self, uint64_t seed);
uint64_t chance_next(chance_t *self);
uint32_t chance_below(chance_t *self, uint32_t n);                 // 0 .. n-1
int64_t chance_between(chance_t *self, int64_t low, int64_t high); // both included
bool chance_hit(chance_t *self, uint32_t of_10000);                // so often in ten thousand

#endif
