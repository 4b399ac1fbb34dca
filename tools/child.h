// child.h - programs that a command starts for itself: this one again, as a broker or as a host.
// They die with it.

#ifndef MOBULA_TOOLS_CHILD_H
#define MOBULA_TOOLS_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "mobula/types.h"

enum { CHILDREN_MAX = 16, PLACE_MAX = 160 };

typedef struct crew { // a broker of one's own and hosts beside it
    pid_t pids[CHILDREN_MAX];
    unsigned count;
    char address[PLACE_MAX];   // where its broker answers
    char directory[PLACE_MAX]; // made for it; "": the usual one
} crew_t;

// A broker on the usual local socket, or in a private directory when somebody has that. Waits until
// it answers.
bool crew_broker(crew_t *self);
// A host of the demo's bodies with so many slots.
bool crew_host(crew_t *self, const char *name, unsigned slots);
void crew_end(crew_t *self); // hosts first, then the broker; within about a second

#endif
