// tool.h - one run of the command: what was typed, where output goes, the connection. Every verb
// gets it.

#ifndef MOBULA_TOOLS_TOOL_H
#define MOBULA_TOOLS_TOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoint.h"
#include "mobula/contract.h"
#include "term.h"
#include "value.h"

enum { TOOL_WORDS_MAX = 64, TOOL_FLAGS_MAX = 64 };

typedef enum output { // of -o
    OUTPUT_AUTO,
    OUTPUT_TABLE,
    OUTPUT_PLAIN,
    OUTPUT_WIDE,
    OUTPUT_JSON,
    OUTPUT_JSONL,
    OUTPUT_CSV,
    OUTPUT_NAME
} output_t;

struct command;
struct flag;

typedef struct given { // a flag as typed; value "": bare
    const struct flag *flag;
    const char *value;
} given_t;

typedef struct tool {
    const struct command *verb;
    const char *program; // argv[0]
    const char *words[TOOL_WORDS_MAX];
    unsigned word_count;
    given_t given[TOOL_FLAGS_MAX];
    unsigned given_count;
    output_t output;
    term_t term;
    bool quiet;
    bool keep;          // what this command leaves is for others to get
    int64_t timeout_us; // of the whole command; UNIT_FOREVER
    int64_t started_us, deadline_us;
    mob_t *client;              // NULL until tool_connect()
    arena_t memory;             // of what was read and is shown; ends with the command
    char address[ENDPOINT_MAX]; // what it is connected to
} tool_t;

// A flag's value, the last one typed; NULL: not given. The typed ones give their default instead;
// what they read was checked when the line was parsed.
const char *tool_flag(const tool_t *self, const char *name);
const char *tool_flag_nth(const tool_t *self, const char *name, unsigned nth);
bool tool_has(const tool_t *self, const char *name);
int64_t tool_count(const tool_t *self, const char *name, int64_t fallback);
int64_t tool_duration(const tool_t *self, const char *name, int64_t fallback_us);
double tool_number(const tool_t *self, const char *name, double fallback);
double tool_rate(const tool_t *self, const char *name, double fallback);

static inline bool tool_json(const tool_t *self)
{
    return self->output == OUTPUT_JSON || self->output == OUTPUT_JSONL;
}

// ---- The connection (dial.c) --------------------------------------------------------------------

// Find a broker that listens and connect. 0, or the exit code after the error was said.
int tool_connect(tool_t *self);
void tool_close(tool_t *self);
bool tool_listens(const char *address); // somebody accepts connections there
int tool_left_ms(const tool_t *self);   // until the deadline; MOB_FOREVER
mob_err_t tool_await(tool_t *self, mob_ref_t ref, mob_reader_t *reader);

// SIGINT or SIGTERM that came since the start; 0: none. They interrupt waits of the connection.
int tool_signal(void);
void tool_catch_signals(tool_t *self);

#endif
