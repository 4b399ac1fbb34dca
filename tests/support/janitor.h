// janitor.h - a directory under /tmp for the broker of a test, and a process that removes it when the test has
// ended, also when it failed.

#ifndef MOBULA_TESTS_JANITOR_H
#define MOBULA_TESTS_JANITOR_H

#include <sys/types.h>

typedef struct janitor {
    pid_t pid;
    int alive; // its end is the sign
} janitor_t;

janitor_t janitor_start(char directory[64],
                        char address[128]); // made here; and what a broker there listens at
void janitor_leave(const janitor_t *self);  // in a child that must not hold the sign
void janitor_end(janitor_t *self);          // now, and wait until it is done

#endif
