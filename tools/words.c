// words.c - open addressing, doubled at three quarters.

#include "words.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash(const char *text, size_t size)
{
    uint64_t value = 1469598103934665603u;
    for (size_t i = 0; i < size; i++)
        value = (value ^ (unsigned char)text[i]) * 1099511628211u;
    return value ^ value >> 29;
}

static word_t *place(word_t *items, size_t room, const char *text, size_t size)
{
    size_t at = (size_t)hash(text, size) & (room - 1);
    while (items[at].text && !(items[at].size == size && memcmp(items[at].text, text, size) == 0))
        at = (at + 1) & (room - 1);
    return &items[at];
}

static bool grow(words_t *self)
{
    size_t room = self->room ? self->room * 2 : 256;
    word_t *items = calloc(room, sizeof *items);
    if (!items)
        return false;
    for (size_t i = 0; i < self->room; i++)
        if (self->items[i].text)
            *place(items, room, self->items[i].text, self->items[i].size) = self->items[i];
    free(self->items);
    self->items = items;
    self->room = room;
    return true;
}

bool words_add(words_t *self, const char *text, size_t size, uint64_t count)
{
    if (self->count + 1 > self->room / 4 * 3 && !grow(self))
        return false;
    word_t *word = place(self->items, self->room, text, size);
    if (!word->text) {
        word->text = malloc(size + 1);
        if (!word->text)
            return false;
        memcpy(word->text, text, size);
        word->text[size] = '\0';
        word->size = (uint32_t)size;
        self->count++;
    }
    word->count += count;
    return true;
}

static int by_count(const void *a, const void *b)
{
    const word_t *left = a, *right = b;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return strcmp(left->text, right->text);
}

void words_sort(words_t *self)
{
    size_t put = 0;
    for (size_t i = 0; i < self->room; i++)
        if (self->items[i].text)
            self->items[put++] = self->items[i];
    if (put > 1)
        qsort(self->items, put, sizeof *self->items, by_count);
    self->room = put;
}

void words_clear(words_t *self)
{
    for (size_t i = 0; i < self->room; i++)
        free(self->items[i].text);
    free(self->items);
    *self = (words_t){0};
}
