// label.h - what a host is, and what is asked of it: "zone=a tier!=slow", pairs with blanks between.

#ifndef MOBULA_WIRE_LABEL_H
#define MOBULA_WIRE_LABEL_H

#include "mobula/types.h"

typedef struct label {
    mob_bytes_t key, value; // views into the list
    bool differs;           // "!=": a condition only; also true of who has no such key
} label_t;

typedef enum label_got { LABEL_END, LABEL_GOT, LABEL_WRONG } label_got_t;

// Takes the first pair out. Keys are letters, digits, dot, underline, dash; values whatever has no blank.
label_got_t label_next(mob_bytes_t *list, label_t *out);

#endif
