// say.h - everything that is printed: errors in one shape, rows in many formats. Data goes to
// stdout, all else to stderr.

#ifndef MOBULA_TOOLS_SAY_H
#define MOBULA_TOOLS_SAY_H

#include <stdio.h>

#include "tool.h"

// ---- Errors -------------------------------------------------------------------------------------

enum { TROUBLE_TEXT_MAX = 1024, TROUBLE_TRIES_MAX = 4 };

typedef struct trouble {
    const char *code; // "ENOTFOUND"
    int exit;
    const char *executed; // "no", "maybe", "yes"
    char reason[64];      // one word, or ""
    char message[TROUBLE_TEXT_MAX], cause[TROUBLE_TEXT_MAX];
    char tries[TROUBLE_TRIES_MAX][256];
    unsigned try_count;
} trouble_t;

MOB_PRINTF(2, 3) trouble_t trouble(mob_err_t err, const char *format, ...);
MOB_PRINTF(1, 2) trouble_t trouble_usage(const char *format, ...);  // EUSAGE
MOB_PRINTF(1, 2) trouble_t trouble_config(const char *format, ...); // ECONFIG
MOB_PRINTF(2, 3) void trouble_cause(trouble_t *self, const char *format, ...);
MOB_PRINTF(2, 3) void trouble_try(trouble_t *self, const char *format, ...);

int say_trouble(const tool_t *tool, const trouble_t *self); // gives its exit code
int say_failure(tool_t *tool, mob_ref_t ref, mob_err_t err,
                const char *what); // of a ref that was awaited

// A line of commentary on stderr, unless -q.
MOB_PRINTF(2, 3) void say_note(const tool_t *tool, const char *format, ...);

// "VERB what? [y/N]" on a terminal; true where nobody can be asked, or -y.
bool say_sure(const tool_t *tool, const char *what);

// ---- Rows ---------------------------------------------------------------------------------------

typedef struct cell {
    const char *key;
    const char *text; // NULL: number
    int64_t number;
} cell_t;

typedef struct row {
    const cell_t *cells;
    size_t count;
} row_t;

typedef struct rows {
    row_t *items;
    size_t count;
    int64_t cut; // left out by the broker
} rows_t;

const cell_t *row_cell(const row_t *row, const char *key); // NULL: none
const char *row_text(const row_t *row, const char *key);   // "" when there is none
int64_t row_number(const row_t *row, const char *key);

typedef struct column {
    const char *key, *title;
    char type; // t text, n number, a age in ms, d duration in us, b bytes, s signature (its first word), i id
    bool wide; // only with -o wide
} column_t;

enum { SAY_CELL_MAX = 512 };
const char *say_cell(char out[SAY_CELL_MAX], const row_t *row, const column_t *column); // for people

// In the format of -o; name_key: what -o name prints. columns ends with a NULL key.
void say_rows(const tool_t *tool, const rows_t *rows, const column_t *columns, const char *name_key);

// ---- JSON ---------------------------------------------------------------------------------------

void say_json_text(FILE *to, const char *text);
void say_json_row(FILE *to, const row_t *row);

// ---- Ids ----------------------------------------------------------------------------------------

enum { ID_TEXT_MAX = 40 };
const char *say_id(char out[ID_TEXT_MAX], mob_ref_t ref);    // whole: OWNER.SEQ
bool read_id(const char *text, mob_ref_t *ref, bool *whole); // whole: not a shortened one

#endif
