// chance.c - xorshift128+, seeded by splitmix so that neighbours differ.

#include "chance.h"

static uint64_t split(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

void chance_init(chance_t *self, uint64_t seed)
{
    self->state[0] = split(&seed);
    self->state[1] = split(&seed);
}

uint64_t chance_next(chance_t *self)
{
    uint64_t a = self->state[0], b = self->state[1];
    self->state[0] = b;
    a ^= a << 23;
    self->state[1] = a ^ b ^ a >> 17 ^ b >> 26;
    return self->state[1] + b;
}

uint32_t chance_below(chance_t *self, uint32_t n)
{
    return (uint32_t)((chance_next(self) >> 32) * n >> 32);
}

int64_t chance_between(chance_t *self, int64_t low, int64_t high)
{
    return low + (int64_t)(chance_next(self) % (uint64_t)(high - low + 1));
}

bool chance_hit(chance_t *self, uint32_t of_10000)
{
    return chance_below(self, 10000) < of_10000;
}
