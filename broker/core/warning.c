// warning.c - see warning.h.

#include "warning.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool warning_add(core_t *core, const char *event, const char *what, const char *why, ...)
{
    if (core->warning_count == WARNINGS_MAX)
        return false;
    core_warning_t *warning = &core->warnings[core->warning_count++];
    *warning = (core_warning_t){.event = event};
    snprintf(warning->what, sizeof warning->what, "%.*s", MOB_NAME_MAX, what);
    va_list args;
    va_start(args, why);
    vsnprintf(warning->why, sizeof warning->why, why, args);
    va_end(args);
    return true;
}

bool core_next_warning(core_t *self, core_warning_t *out)
{
    if (self->warning_count == 0)
        return false;
    *out = self->warnings[0];
    memmove(self->warnings, self->warnings + 1, --self->warning_count * sizeof *self->warnings);
    return true;
}
