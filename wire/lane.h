// lane.h - the lanes of an actor as its options say them: "io=2 compute=1", widths behind names.

#ifndef MOBULA_WIRE_LANE_H
#define MOBULA_WIRE_LANE_H

#include "mobula/types.h"

enum { LANES_MAX = 8, LANE_WIDTH_MAX = 256 };

typedef struct lanes {
    uint32_t count;
    struct {
        mob_bytes_t name; // a view into the text
        uint32_t width;   // bodies at once
    } at[LANES_MAX];
} lanes_t;

// False: not such a text, too many, or one twice.
bool lanes_read(mob_bytes_t text, lanes_t *out);
uint32_t lanes_find(const lanes_t *self, mob_bytes_t name); // from 1; 0: none of them

#endif
