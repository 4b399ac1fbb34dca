// groups.h - records counted by some of their fields: how many, how often, how long, how many failed.

#ifndef MOBULA_TOOLS_GROUPS_H
#define MOBULA_TOOLS_GROUPS_H

#include "record.h"
#include "tool.h"

enum { GROUPS_KEYS_MAX = 4, GROUPS_MAX = 1000 };

typedef struct group group_t;
typedef struct groups {
    filter_key_t keys[GROUPS_KEYS_MAX];
    unsigned key_count;
    group_t *items;
    int64_t first_us; // time of day of the oldest record
} groups_t;

int groups_init(groups_t *self, const tool_t *tool,
                const char *keys); // "dst,method"; 0 or the exit code
void groups_fini(groups_t *self);

void groups_add(groups_t *self, record_t record);

// The table in the format of -o, the greatest count first; at most so many rows. until_us: of the time of day.
void groups_say(groups_t *self, tool_t *tool, size_t most, int64_t until_us);

#endif
