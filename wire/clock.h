// clock.h - the monotonic clock, the only one that decides anything.

#ifndef MOBULA_WIRE_CLOCK_H
#define MOBULA_WIRE_CLOCK_H

#include <stdint.h>

int64_t clock_us(void);      // monotonic microseconds
int64_t clock_wall_us(void); // since 1970, for display only

#endif
