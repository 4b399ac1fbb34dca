// symbol.c - signatures to integers and back.

#include "symbol.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return hash;
}

static void insert(symbols_t *self, uint32_t symbol)
{
    uint32_t mask = self->room * 2 - 1, i = hash_of(self->texts[symbol]) & mask;
    while (self->index[i])
        i = (i + 1) & mask;
    self->index[i] = symbol;
}

static bool grow(symbols_t *self)
{
    uint32_t room = self->room ? self->room * 2 : 64;
    char **texts = realloc(self->texts, room * sizeof *texts);
    if (!texts)
        return false;
    self->texts = texts;
    uint32_t *index = calloc((size_t)room * 2, sizeof *index);
    if (!index)
        return false;
    free(self->index);
    self->index = index;
    self->room = room;
    for (uint32_t symbol = 1; symbol <= self->count; symbol++)
        insert(self, symbol);
    return true;
}

static uint32_t find(const symbols_t *self, const char *text)
{
    if (!self->room)
        return 0;
    uint32_t mask = self->room * 2 - 1;
    for (uint32_t i = hash_of(text) & mask; self->index[i]; i = (i + 1) & mask)
        if (strcmp(self->texts[self->index[i]], text) == 0)
            return self->index[i];
    return 0;
}

static uint32_t add(symbols_t *self, const char *text)
{
    if (self->count == SYMBOLS_MAX || (self->count + 1 >= self->room && !grow(self)))
        return 0;
    char *copy = strdup(text);
    if (!copy)
        return 0;
    self->texts[++self->count] = copy;
    insert(self, self->count);
    return self->count;
}

// The same pointer most likely means the same text; the text decides, as a caller may write another
// one to the same place.
uint32_t symbols_of(symbols_t *self, const char *text, bool *new_p)
{
    size_t at = ((uintptr_t)text >> 4 ^ (uintptr_t)text >> 10) % SYMBOLS_RECENT;
    uint32_t symbol = self->recent[at].text == text ? self->recent[at].symbol : 0;
    *new_p = false;
    if (symbol && strcmp(self->texts[symbol], text) == 0)
        return symbol;
    symbol = find(self, text);
    if (!symbol) {
        symbol = add(self, text);
        *new_p = symbol != 0;
    }
    if (symbol) {
        self->recent[at].text = text;
        self->recent[at].symbol = symbol;
    }
    return symbol;
}

void symbols_fini(symbols_t *self)
{
    for (uint32_t symbol = 1; symbol <= self->count; symbol++)
        free(self->texts[symbol]);
    free(self->texts);
    free(self->index);
    *self = (symbols_t){0};
}

bool texts_bind(texts_t *self, uint32_t symbol, mob_bytes_t text)
{
    if (symbol > SYMBOLS_MAX)
        return false;
    if (symbol >= self->room) {
        uint32_t room = symbol + 64;
        char **items = realloc(self->items, room * sizeof *items);
        if (!items)
            return false;
        memset(items + self->room, 0, (room - self->room) * sizeof *items);
        self->items = items;
        self->room = room;
    }
    char *copy = strndup(text.data, text.size);
    if (!copy)
        return false;
    free(self->items[symbol]);
    self->items[symbol] = copy;
    return true;
}

const char *texts_of(const texts_t *self, uint32_t symbol)
{
    return symbol < self->room ? self->items[symbol] : NULL;
}

void texts_fini(texts_t *self)
{
    for (uint32_t i = 0; i < self->room; i++)
        free(self->items[i]);
    free(self->items);
    *self = (texts_t){0};
}
