// sieve.h - a filter with the engine for regular expressions that the broker lacks.

#ifndef MOBULA_TOOLS_SIEVE_H
#define MOBULA_TOOLS_SIEVE_H

#include <regex.h>

#include "record.h"
#include "tool.h"

typedef struct sieve {
    filter_t filter;
    regex_t compiled[FILTER_TERMS_MAX];
    bool ready[FILTER_TERMS_MAX], usable[FILTER_TERMS_MAX];
    bool given;
} sieve_t;

int sieve_init(sieve_t *self, const tool_t *tool,
               const char *text); // NULL: not given. 0 or the exit code
void sieve_fini(sieve_t *self);
bool sieve_passes(const sieve_t *self, record_t *record); // false when it was not given

#endif
