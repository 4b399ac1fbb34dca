// quiet.h - the configuration of a test's broker: no file, a directory of its own, and only errors are logged.

#ifndef MOBULA_TESTS_QUIET_H
#define MOBULA_TESTS_QUIET_H

#include "config.h"

// Both give MOB_OK, or the error of what was wrong; it is printed.
mob_err_t quiet_config(config_t *config, const char *directory, const char *address);
mob_err_t quiet_set(config_t *config,
                    const char *const settings[]); // "key", "value", ..., NULL. NULL: none

#endif
