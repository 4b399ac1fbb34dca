// histogram.h - how long things took: counts in buckets of about 1.6 %, percentiles out of them.

#ifndef MOBULA_TOOLS_HISTOGRAM_H
#define MOBULA_TOOLS_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_FINE = 64, HISTOGRAM_BUCKETS = 64 * 40 }; // up to 2^45 us

typedef struct histogram { // zeroed: empty
    uint64_t count, buckets[HISTOGRAM_BUCKETS];
    int64_t least, most;
} histogram_t;

void histogram_add(histogram_t *self, int64_t us);
void histogram_merge(histogram_t *self, const histogram_t *other);
int64_t histogram_at(const histogram_t *self,
                     double part); // 0.99: what 99 % did not exceed; 0 when empty

#endif
