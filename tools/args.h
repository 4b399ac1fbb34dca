// args.h - words of the command line to values, by the signature of what is called, and back to
// text.

#ifndef MOBULA_TOOLS_ARGS_H
#define MOBULA_TOOLS_ARGS_H

#include "query.h"
#include "value.h"

enum { ARGS_MAX = 16, ARGS_TYPE_MAX = 64 };

typedef struct signature {
    const char *wire;  // "add i64 -> i64"
    const char *usage; // "add n:i64 -> i64"
    char names[ARGS_MAX][ARGS_TYPE_MAX], types[ARGS_MAX][ARGS_TYPE_MAX];
    unsigned count;
    char result[256]; // "i64", "stream(str)", "tuple i64 i64"; "": a class
} signature_t;

// Of a row of "methods".
signature_t signature_of(const char *wire, const char *usage);
unsigned signature_results(const signature_t *self); // of a tuple; else 1
bool signature_streams(const signature_t *self);

// What hosts offer under a name: kind "task", "class" or "method" (then of cls). 0 or the exit code
// after the nearest ones were named.
int args_find(tool_t *tool, const char *kind, const char *cls, const char *name, signature_t *out);

// Convert words[0..count) for it; memory in arena. 0, or the exit code after EARGS was said.
int args_read(tool_t *tool, const signature_t *signature, const char *const *words, unsigned count,
              arena_t *arena, mob_value_t out[ARGS_MAX]);

// One value on stdout: scalars as text, str as it is, the rest as JSON; raw: bytes as they are.
void args_print(const tool_t *tool, mob_reader_t *reader, bool raw);

#endif
