// usage.h - processor time of processes and of all their descendants, read from /proc.

#ifndef MOBULA_BENCH_USAGE_H
#define MOBULA_BENCH_USAGE_H

#include <sys/types.h>

// Seconds used so far by roots and everything below them that still runs, user and kernel, in steps
// of a clock tick.
double usage_seconds(const pid_t *roots, int count);

#endif
