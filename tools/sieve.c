// sieve.c - see sieve.h.

#include "sieve.h"

#include "say.h"

static bool run_regex(void *arg, unsigned number, const char *pattern, const char *text, size_t size)
{
    sieve_t *self = arg;
    if (!self->ready[number]) {
        self->ready[number] = true;
        self->usable[number] =
            regcomp(&self->compiled[number], pattern, REG_EXTENDED | REG_NOSUB) == 0;
    }
    regmatch_t range = {0, (regoff_t)size};
    return self->usable[number] &&
           regexec(&self->compiled[number], text, 0, &range, REG_STARTEND) == 0;
}

int sieve_init(sieve_t *self, const tool_t *tool, const char *text)
{
    unsigned column;
    self->given = text != NULL;
    if (!filter_parse(text, &self->filter, &column)) {
        trouble_t out = trouble_usage("filter: %s", self->filter.wrong);
        trouble_cause(&out, "column %u\n%s\n%*s^", column, text, (int)column - 1, "");
        trouble_try(&out, "mobula help filter");
        return say_trouble(tool, &out);
    }
    self->filter.regex = run_regex;
    self->filter.regex_arg = self;
    return 0;
}

void sieve_fini(sieve_t *self)
{
    for (size_t i = 0; i < FILTER_TERMS_MAX; i++)
        if (self->usable[i])
            regfree(&self->compiled[i]);
}

bool sieve_passes(const sieve_t *self, record_t *record)
{
    return self->given && filter_match(&self->filter, record_look, record) == FILTER_YES;
}
