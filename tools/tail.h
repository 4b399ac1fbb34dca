// tail.h - follows the broker's records: those of the past first, then as they happen; counts what was lost.
//
// The feed may lose its first records (before the subscription arrives) and, to a slow reader, any. Each
// has a number: a gap at the beginning is filled from the flight recorder, a later one is told as a loss.

#ifndef MOBULA_TOOLS_TAIL_H
#define MOBULA_TOOLS_TAIL_H

#include "message.h"
#include "tool.h"

typedef struct tail_reader {
    void (*record)(void *arg, const msg_event_t *event);
    void (*lost)(void *arg, uint64_t count);
    bool (*enough)(void *arg); // no more of either
    void *arg;
} tail_reader_t;

typedef struct tail {
    tool_t *tool;
    tail_reader_t reader;
    const char *filter;
    void *context, *feed;
    mob_ref_t asked; // the question that keeps the tail alive
    int64_t ask_at;
    bool live;            // a record came by the feed
    uint64_t last;        // number of the newest record given
    uint64_t shown, seen; // as the broker said last: records that matched, and all of them
    uint64_t first;       // number in the flight recorder at which it began to count
    uint64_t cursor;      // there: where a gap is filled from
    uint64_t skip;        // of these, given already
} tail_t;

int tail_open(tail_t *self, tool_t *tool, const char *filter,
              tail_reader_t reader); // 0 or the exit code
void tail_close(tail_t *self);

// Give what the flight recorder has of the last age_us. reach_us: how far back it goes. 0 or the exit code.
int tail_past(tail_t *self, int64_t age_us, int64_t *reach_us);

void tail_turn(tail_t *self, int64_t until_us); // give what comes; returns then, or earlier

#endif
