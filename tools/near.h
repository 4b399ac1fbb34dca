// near.h - the words nearest to a mistyped one, for «did you mean».

#ifndef MOBULA_TOOLS_NEAR_H
#define MOBULA_TOOLS_NEAR_H

enum { NEAR_MAX = 3 };

typedef struct near {
    const char *word; // borrowed, like all that is added
    const char *best[NEAR_MAX];
    unsigned distance[NEAR_MAX], count;
} near_t;

static inline near_t near_of(const char *word)
{
    return (near_t){.word = word};
}

void near_add(near_t *self, const char *candidate); // kept when it is among the nearest three
unsigned near_distance(const char *a, const char *b);

#endif
