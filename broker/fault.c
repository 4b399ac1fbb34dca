// fault.c - see fault.h. Owns the dice, which MOBULA_FAULT_SEED fixes.

#include "fault.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef MOB_FAULTS

mob_err_t fault_load(fault_t *self, char *why, size_t size)
{
    *self = (fault_t){0};
    if (getenv("MOBULA_FAULT") == NULL)
        return MOB_OK;
    snprintf(why, size, "MOBULA_FAULT is set, but this build has no faults: unset it");
    return MOB_EARGS;
}

#else

static uint32_t *percent_of(fault_t *self, const char *name, size_t length)
{
    const struct {
        const char *name;
        uint32_t *percent;
    } kinds[] = {{"drop_notice", &self->drop_notice},
                 {"drop", &self->drop},
                 {"double", &self->doubled},
                 {"break", &self->breaks}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strlen(kinds[i].name) == length && memcmp(kinds[i].name, name, length) == 0)
            return kinds[i].percent;
    return NULL;
}

static bool parse(fault_t *self, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "=");
        uint32_t *percent = percent_of(self, text, length);
        char *end;
        if (percent == NULL || text[length] != '=')
            return false;
        unsigned long value = strtoul(text + length + 1, &end, 10);
        if (end == text + length + 1 || *end != '%' || value > 100 ||
            (end[1] != ',' && end[1] != '\0'))
            return false;
        *percent = (uint32_t)value;
        text = end + (end[1] == ',' ? 2 : 1);
    }
    return true;
}

mob_err_t fault_load(fault_t *self, char *why, size_t size)
{
    const char *text = getenv("MOBULA_FAULT"), *seed = getenv("MOBULA_FAULT_SEED");
    *self = (fault_t){.seed = seed != NULL ? strtoull(seed, NULL, 10) : 1};
    if (text == NULL || parse(self, text))
        return MOB_OK;
    snprintf(why, size,
             "MOBULA_FAULT=%s is not like drop_notice=100%%,drop=1%%,double=1%%,break=1%%", text);
    return MOB_EARGS;
}

bool fault_hits(fault_t *self, uint32_t percent)
{
    if (percent == 0)
        return false;
    self->seed = self->seed * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX
    return (self->seed >> 33) % 100 < percent;
}

void fault_tally(const fault_t *self)
{
    const char *path = getenv("MOBULA_FAULT_TALLY");
    FILE *file = path != NULL ? fopen(path, "ae") : NULL; // brokers end at the same time
    if (file == NULL)
        return;
    fprintf(file,
            "untold=%" PRIu64 " dropped_notices=%" PRIu64 " dropped=%" PRIu64 " doubles=%" PRIu64
            " broken=%" PRIu64 "\n",
            self->untold, self->dropped_notices, self->dropped, self->doubles, self->broken);
    fclose(file);
}

#endif
