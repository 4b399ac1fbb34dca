// near.c - edit distance with exchanged neighbours; a candidate that begins with the word is near,
// too.

#include "near.h"

#include <string.h>

enum { WORD_MAX = 64 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned near_distance(const char *a, const char *b)
{
    unsigned rows[3][WORD_MAX + 1];
    size_t a_size = strlen(a), b_size = strlen(b);
    if (a_size > WORD_MAX || b_size > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_size; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            row[j] =
                least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[a_size % 3][b_size];
}

void near_add(near_t *self, const char *candidate)
{
    size_t size = strlen(self->word);
    unsigned distance = near_distance(self->word, candidate);
    if (size >= 2 && strncmp(candidate, self->word, size) == 0)
        distance = 1;
    unsigned at = self->count;
    while (at > 0 && self->distance[at - 1] > distance)
        at--;
    if (at == NEAR_MAX)
        return;
    if (self->count < NEAR_MAX)
        self->count++;
    for (unsigned i = self->count - 1; i > at; i--)
        self->best[i] = self->best[i - 1], self->distance[i] = self->distance[i - 1];
    self->best[at] = candidate;
    self->distance[at] = distance;
}
