// quiet.h - a test's broker: no file of settings, a directory of its own, and only errors are logged.

#ifndef MOBULA_TESTS_QUIET_H
#define MOBULA_TESTS_QUIET_H

#include <sys/types.h>

#include "config.h"
#include "janitor.h"

// Both give MOB_OK, or the error of what was wrong; it is printed.
mob_err_t quiet_config(config_t *config, const char *directory, const char *address);
mob_err_t quiet_set(config_t *config,
                    const char *const settings[]); // "key", "value", ..., NULL. NULL: none

// A broker in a process of its own: the program that MOBULA_BIN names. A test that starts one again has threads by then, and
// a fork of such a process may do nothing but become another program: what its threads held locked stays so. Settings: as
// above, both. Gives its pid; -1 with a word on stderr.
pid_t quiet_start(const char *directory, const char *address, const janitor_t *janitor,
                  const char *const defaults[], const char *const settings[]);

#endif
