// janitor.h - a process that removes a test's directory when the test has ended, also when it
// failed.

#ifndef MOBULA_TESTS_JANITOR_H
#define MOBULA_TESTS_JANITOR_H

#include <sys/types.h>

typedef struct janitor {
    pid_t pid;
    int alive; // its end is the sign
} janitor_t;

janitor_t janitor_start(char *directory);  // a template of mkdtemp(); made here
void janitor_leave(const janitor_t *self); // in a child that must not hold the sign
void janitor_end(janitor_t *self);         // now, and wait until it is done

#endif
