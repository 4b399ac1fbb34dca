// redis.h - Redis beside us: how many SETs a second, alone and with one MONITOR.

#ifndef MOBULA_BENCH_REDIS_H
#define MOBULA_BENCH_REDIS_H

#include <stdbool.h>

#include "party.h"

bool redis_is_here(void);        // Debian package redis-tools
bool redis_start(party_t *self); // the server
double redis_rate(bool watched); // 0: could not be measured

#endif
