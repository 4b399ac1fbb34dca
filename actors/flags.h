// flags.h - what a worker program is told on its command line and in its environment: one table of
// flags. Reads them, prints the help that is made from them; opens nothing.

#ifndef MOBULA_ACTORS_FLAGS_H
#define MOBULA_ACTORS_FLAGS_H

#include "mobula/worker.h"

enum { FLAGS_GO = -1 }; // go on: no exit code yet

typedef struct flags {
    const char *broker, *key, *name;
    int slots, procs, drain_ms, connect_ms; // connect_ms MOB_FOREVER: for ever
    bool shared, list, help, version;
    mob_resource_t resources[MOB_RESOURCES_MAX];
    int resource_count;
    char labels[1024]; // "zone=a disk=ssd"
    char texts[512];   // names of resources
    size_t text_size;
    int rest; // index of the first word after --
} flags_t;

// FLAGS_GO, or 2 after a sentence on stderr.
int flags_read(flags_t *self, int argc, char **argv, const mob_program_t *program);
void flags_help(const char *program_name, const mob_program_t *program);

// "250ms", "1.5s", "2m", "1h", "3d", "forever" in milliseconds. False: no such duration.
bool flags_duration(const char *text, int *ms);

#endif
