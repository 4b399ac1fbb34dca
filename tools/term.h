// term.h - what the terminal can do, and the few things done only on one: colour, a bar, a footer.

#ifndef MOBULA_TOOLS_TERM_H
#define MOBULA_TOOLS_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct term {
    bool out, err;               // stdout, stderr are terminals
    bool colour_out, colour_err; // --color, NO_COLOR, CLICOLOR_FORCE
    bool utf8;                   // else ASCII stands in
    unsigned width;              // columns of stdout
} term_t;

typedef enum term_colour {
    TERM_PLAIN,
    TERM_BOLD,
    TERM_RED,
    TERM_GREEN,
    TERM_YELLOW,
    TERM_BLUE,
    TERM_DIM
} term_colour_t;

// when: "auto", "always", "never".
term_t term_look(const char *when);

const char *term_on(bool colour, term_colour_t which); // "" without colour
const char *term_off(bool colour);
const char *term_arrow(const term_t *self); // → or ->

size_t term_columns(const char *text); // that text takes on the screen

// A line on stderr that the next call replaces: label [####....] 42%. Nothing off a terminal.
void term_bar(const term_t *self, const char *label, uint64_t done, uint64_t all);
void term_wipe(const term_t *self); // remove such a line

#endif
