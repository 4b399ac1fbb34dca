// name.h - the intern table and the definitions that hang on it.

#ifndef MOBULA_NAME_H
#define MOBULA_NAME_H

#include "state.h"

enum { NAMES_MAX = 1000000 };

// The index of a text, made when new; 0 for "" and when the table is full or memory is out.
uint32_t name_of(core_t *core, mob_bytes_t text);
uint32_t name_print(core_t *core, const char *format, ...) MOB_PRINTF(2, 3);
const char *name_text(const core_t *core, uint32_t index);

// Say NAME(index, text) to a session once, before index is used in a message to it.
void name_tell(core_t *core, session_t *session, uint32_t index);

// What is offered under a signature in a space; made (kind 0) when it was never asked for. NULL: no memory.
def_t *def_of(core_t *core, uint32_t name, uint32_t space);
def_t *def_find(const core_t *core, uint32_t name, uint32_t space); // NULL: never asked for
const method_t *def_method(const def_t *def, uint32_t name); // NULL: the class has no such method

// The offered signature most like this one, for an error's text; "" when none is near.
const char *def_nearest(const core_t *core, const char *text, uint32_t kind);

void names_fini(core_t *core);

#endif
