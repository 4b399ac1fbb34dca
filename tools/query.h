// query.h - asks the state API and reads its lists of maps into rows.

#ifndef MOBULA_TOOLS_QUERY_H
#define MOBULA_TOOLS_QUERY_H

#include "say.h"

// Ask for a kind, filtered at the broker. 0, or the exit code after the error was said. The rows
// live until the end of the program.
int query_rows(tool_t *tool, const char *what, const char *filter, rows_t *out);

// All -f of the line and the words from first on, each in parentheses; checked. 0 or the exit code.
int query_filter(tool_t *tool, unsigned first_word, char *out, size_t size);

// Rows of an opened reader; used where a value came some other way.
bool query_read(arena_t *memory, mob_reader_t *reader, rows_t *out);

// An id as typed, shortened or whole, to a ref. 0 or the exit code.
int query_ref(tool_t *tool, const char *text, mob_ref_t *ref);

// A target as typed: a name, CLASS/N or an id, to the actor and its class's signature. 0 or the
// code.
int query_actor(tool_t *tool, const char *text, mob_actor_t *actor, const char **cls);

#endif
