// trace.c - see trace.h.

#include "trace.h"

static void mix(trace_t *self, uint64_t number)
{
    uint64_t x = (self->hash ^ number) * 0x9e3779b97f4a7c15u;
    self->hash = x ^ x >> 29;
}

static void print_line(const trace_line_t *line, FILE *out)
{
    fprintf(out, "%6llu %12.6f  %-34s", (unsigned long long)line->number, (double)line->at / 1e6,
            line->what);
    for (int i = 0; i < TRACE_NUMBERS; i++)
        fprintf(out, " %llx", (unsigned long long)line->numbers[i]);
    fputc('\n', out);
}

void trace_add(trace_t *self, int64_t at, const char *what, uint64_t a, uint64_t b, uint64_t c,
               uint64_t d)
{
    trace_line_t *line = &self->lines[self->count % TRACE_LINES];
    *line = (trace_line_t){.at = at, .what = what, .numbers = {a, b, c, d}, .number = self->count++};
    mix(self, (uint64_t)at);
    for (const char *byte = what; *byte; byte++)
        self->hash = self->hash * 31 + (uint8_t)*byte;
    for (int i = 0; i < TRACE_NUMBERS; i++)
        mix(self, line->numbers[i]);
    if (self->live)
        print_line(line, self->live);
}

void trace_print(const trace_t *self, FILE *out)
{
    uint64_t first = self->count > TRACE_LINES ? self->count - TRACE_LINES : 0;
    for (uint64_t i = first; i < self->count; i++)
        print_line(&self->lines[i % TRACE_LINES], out);
}
