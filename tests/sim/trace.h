// trace.h - what happened: a hash of everything, and the last lines to read. Lines are kept as numbers and
// become text only when somebody has to read them.

#ifndef MOBULA_SIM_TRACE_H
#define MOBULA_SIM_TRACE_H

#include <stdint.h>
#include <stdio.h>

enum { TRACE_LINES = 40, TRACE_NUMBERS = 4 };

typedef struct trace_line {
    int64_t at;
    const char *what; // a literal
    uint64_t numbers[TRACE_NUMBERS];
    uint64_t number;
} trace_line_t;

typedef struct trace {
    trace_line_t lines[TRACE_LINES];
    uint64_t count;
    uint64_t hash;
    FILE *live; // every line at once; NULL: none
} trace_t;

// what names the numbers, too: "RUN owner seq attempt".
void trace_add(trace_t *self, int64_t at, const char *what, uint64_t a, uint64_t b, uint64_t c,
               uint64_t d);
void trace_print(const trace_t *self, FILE *out);

#endif
