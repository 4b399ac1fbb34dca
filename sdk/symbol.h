// symbol.h - small integers for signatures, in both directions. Ours are bound by NAME before their
// first use and again after each WELCOME; the broker's are kept as they come. Wants the session's
// lock.

#ifndef MOBULA_SYMBOL_H
#define MOBULA_SYMBOL_H

#include "mobula/types.h"

enum { SYMBOLS_MAX = 65535, SYMBOLS_RECENT = 64 };

typedef struct symbols {
    char **texts; // by symbol; 0 is none
    uint32_t count, room;
    uint32_t *index; // by hash of the text; twice the room
    struct {
        const char *text; // the caller's pointer: nearly always a constant of its program
        uint32_t symbol;
    } recent[SYMBOLS_RECENT];
} symbols_t;

// The symbol of text, new_p tells whether it is a new one. 0: too many, or no memory.
uint32_t symbols_of(symbols_t *self, const char *text, bool *new_p);
void symbols_fini(symbols_t *self);

typedef struct texts { // what the broker bound
    char **items;
    uint32_t room;
} texts_t;

bool texts_bind(texts_t *self, uint32_t symbol, mob_bytes_t text);
const char *texts_of(const texts_t *self, uint32_t symbol); // NULL: never bound
void texts_fini(texts_t *self);

#endif
