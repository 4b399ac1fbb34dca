// sink.h - what the running body has given so far: of a stream, how many items; of a call with
// several results the values, back to back, kept until it ends. One a worker, its memory stays.

#ifndef MOBULA_ACTORS_SINK_H
#define MOBULA_ACTORS_SINK_H

#include "value.h"

typedef struct sink {
    uint64_t made;  // items, or values; of these beyond MOB_RETURNS_MAX are counted only
    bool inner;     // there are refs in them
    pack_t values;  // back to back
    uint32_t *ends; // of each of them
    uint32_t room;  // of ends
    uint64_t last;  // of the pieces of a large item: nothing follows before it is accepted
} sink_t;

void sink_clear(sink_t *self); // empty again
void sink_fini(sink_t *self);
mob_err_t sink_add(sink_t *self, mob_writer_t *value); // takes it out of the writer; empty: nil
load_t sink_value(const sink_t *self, uint32_t index);

struct context;
mob_err_t sink_last(struct context *context); // of a stream: what was written and not given, if anything

#endif
