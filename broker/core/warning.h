// warning.h - what the log should say of the state: a few, until the driver has read them (core_next_warning).

#ifndef MOBULA_WARNING_H
#define MOBULA_WARNING_H

#include "state.h"

bool warning_add(core_t *core, const char *event, const char *what, const char *why, ...)
    MOB_PRINTF(4, 5); // false: nobody has read those before

#endif
