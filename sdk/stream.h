// stream.h - the streams of this connection, from the consumer's side: a few NEXTs are out for each, and
// the application takes their items one by one. Wants the session's lock.

#ifndef MOBULA_SDK_STREAM_H
#define MOBULA_SDK_STREAM_H

#include "future.h"

enum { STREAM_HEADS = 16 };

typedef struct stream {            // of a future that is one; its memory goes with that
    future_t *heads[STREAM_HEADS]; // NEXTs that are out, a ring in their order; pinned
    uint32_t first, count, want;   // so many at once
    uint64_t pulled;
    future_t *item; // what the last pull gave; pinned until the next one
    bool ended;     // it gave the failure, or the end
} stream_t;

stream_t *stream_new(int ahead);                // as in mob_opts_t; NULL: no memory
void stream_end(mob_t *self, future_t *future); // it is dropped: so is all that belongs to it
future_t *stream_awaits(mob_t *self, future_t *future); // what a pull would wait for; NULL: it would not
const future_t *stream_heard(const future_t *future); // what a pull gives that does not wait
future_t *stream_head(mob_t *self, future_t *future); // and what a callback can wait for

#endif
