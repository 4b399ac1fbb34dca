// histogram.c - logarithmic buckets, each power of two in HISTOGRAM_FINE steps.

#include "histogram.h"

static unsigned bucket_of(int64_t us)
{
    uint64_t value = us > 0 ? (uint64_t)us : 0;
    if (value < HISTOGRAM_FINE)
        return (unsigned)value;
    unsigned power = 63u - (unsigned)__builtin_clzll(value) - 6; // of two above the first row
    unsigned at = (power + 1) * HISTOGRAM_FINE + (unsigned)((value >> power) - HISTOGRAM_FINE);
    return at < HISTOGRAM_BUCKETS ? at : HISTOGRAM_BUCKETS - 1;
}

// The middle of a bucket.
static int64_t value_of(unsigned bucket)
{
    if (bucket < HISTOGRAM_FINE)
        return bucket;
    unsigned power = bucket / HISTOGRAM_FINE - 1;
    int64_t low = (int64_t)(bucket % HISTOGRAM_FINE + HISTOGRAM_FINE) << power;
    return low + (((int64_t)1 << power) - 1) / 2;
}

void histogram_add(histogram_t *self, int64_t us)
{
    self->buckets[bucket_of(us)]++;
    self->least = self->count == 0 || us < self->least ? us : self->least;
    self->most = us > self->most ? us : self->most;
    self->count++;
}

void histogram_merge(histogram_t *self, const histogram_t *other)
{
    if (other->count == 0)
        return;
    self->least = self->count == 0 || other->least < self->least ? other->least : self->least;
    self->most = other->most > self->most ? other->most : self->most;
    self->count += other->count;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        self->buckets[i] += other->buckets[i];
}

int64_t histogram_at(const histogram_t *self, double part)
{
    uint64_t want = (uint64_t)((double)self->count * part), seen = 0;
    for (unsigned i = 0; self->count && i < HISTOGRAM_BUCKETS; i++) {
        seen += self->buckets[i];
        if (seen > want) {
            int64_t value = value_of(i);
            return value > self->most ? self->most : value < self->least ? self->least : value;
        }
    }
    return self->most;
}
