// holders.h - who keeps what: one walk over all that does, for the lists of people and for check.c.

#ifndef MOBULA_HOLDERS_H
#define MOBULA_HOLDERS_H

#include "state.h"

typedef enum holder_kind {
    HOLDER_OWNER,     // a session that has not dropped what it made
    HOLDER_BROKER,    // a session left it to the broker, for a while
    HOLDER_SESSION,   // that borrowed it. From here on each is one of call->holds
    HOLDER_ARGUMENT,  // of a call without an outcome, or of an actor that may be made again
    HOLDER_CONTAINED, // in the value of call; NULL: in one that is kept for its key
    HOLDER_STREAM,    // in an item of call that nobody has taken
    HOLDER_LETTER     // of a dead letter, as an argument or inside one
} holder_kind_t;

typedef struct holder {
    holder_kind_t kind;
    const call_t *held;
    const session_t *session; // OWNER, SESSION
    const call_t *call;       // ARGUMENT, CONTAINED, STREAM
    const letter_t *letter;   // LETTER
} holder_t;

static inline bool holder_is_counted(const holder_t *self)
{
    return self->kind >= HOLDER_SESSION;
}

// What is in a list twice is held twice.
void holders_each(const core_t *core, void (*each)(void *arg, const holder_t *holder), void *arg);

#endif
