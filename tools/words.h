// words.h - a table of words and how often each was met.

#ifndef MOBULA_TOOLS_WORDS_H
#define MOBULA_TOOLS_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct word {
    char *text;
    uint32_t size;
    uint64_t count;
} word_t;

typedef struct words { // zeroed: empty
    word_t *items;
    size_t count, room; // room: a power of two, or 0
} words_t;

bool words_add(words_t *self, const char *text, size_t size, uint64_t count); // false: no memory
void words_sort(words_t *self); // packed to the front, most frequent first; nothing may be added after
void words_clear(words_t *self);

#endif
