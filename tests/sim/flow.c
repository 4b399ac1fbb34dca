// flow.c - see flow.h. Rules hold for the NEXTs of one stream in the order in which they were asked for, whatever
// is lost: what was given to one of them is given to no other.

#include "flow.h"

#include <string.h>

enum { INDEX_SHIFT = 40, AHEAD_DEFAULT = 16 };

static uint64_t mark_in(const uint8_t *payload)
{
    uint64_t mark;
    memcpy(&mark, payload + 8, 8);
    return mark;
}

static uint64_t run_in(const uint8_t *payload)
{
    return mark_in(payload) & ((UINT64_C(1) << INDEX_SHIFT) - 1);
}

load_t flow_payload(uint8_t room[DEED_PAYLOAD], const deed_t *stream, uint64_t run, uint32_t index)
{
    return ledger_payload(room, stream->number, (uint64_t)index << INDEX_SHIFT | run);
}

bool flow_is_item(const ledger_t *self, const deed_t *next, load_t payload)
{
    return ledger_deed(self, payload) == next->source &&
           mark_in(payload.data) >> INDEX_SHIFT == next->place;
}

uint32_t flow_taken(const deed_t *stream)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < stream->next_count; i++)
        count += stream->nexts[i]->settled || stream->nexts[i]->dropped;
    return count;
}

void flow_made(ledger_t *self, uint64_t run, uint32_t index)
{
    const deed_t *stream = self->runs[run].deed;
    uint64_t ahead = stream->ahead < 0 ? UINT32_MAX
                     : stream->ahead   ? (uint64_t)stream->ahead
                                       : AHEAD_DEFAULT;
    self->runs[run].made = index + 1;
    if (index >= flow_taken(stream) + ahead)
        ledger_break(self, stream, "streams: its body ran farther ahead than it may");
}

// ---- Rules ------------------------------------------------------------------------------------------

static bool has_item(const deed_t *next)
{
    return next->settled && next->code == MOB_OK;
}

// EBROKER may be that of this one alone: its item was given, and lost on its way.
static bool has_end(const deed_t *next)
{
    return next->settled && next->code != MOB_OK && next->code != MOB_EBROKER;
}

// The failure of the body, or that of the stream: told once. EGONE: it was dropped.
static bool has_failure(const deed_t *next)
{
    return has_end(next) && next->code != MOB_EEND && next->code != MOB_EGONE;
}

static void check_item(ledger_t *self, const deed_t *next)
{
    load_t payload = load_bytes(next->result, DEED_PAYLOAD);
    const ledger_run_t *run = ledger_run(self, run_in(next->result));
    if (!flow_is_item(self, next, payload))
        ledger_break(self, next, "streams: an item that is not the next one");
    else if (!run || run->deed != next->source || run->made <= next->place)
        ledger_break(self, next, "streams: an item that no body of it gave");
}

static void check_pair(ledger_t *self, const deed_t *before, const deed_t *next)
{
    if (has_end(before) && has_item(next))
        ledger_break(self, next, "streams: an item behind the end");
    if (has_item(before) && has_item(next) && run_in(before->result) > run_in(next->result))
        ledger_break(self, next, "streams: an item of an earlier run behind one of a later");
    if (has_failure(before) && has_failure(next) && before->settled_epoch == next->settled_epoch)
        ledger_break(self, next, "streams: its failure was told twice");
    if (before->settled && before->code == MOB_EEND && has_failure(next))
        ledger_break(self, next, "streams: a failure behind the end");
}

// All before have an item: then this is the end, and it is where the body ended.
static void check_first_end(ledger_t *self, const deed_t *next)
{
    const deed_t *stream = next->source;
    if (next->code == MOB_EEND && (stream->body != BODY_OK || next->place != stream->items))
        ledger_break(self, next, "streams: it ended, and its body did not end there");
    if (next->code == MOB_ETASK && (stream->body != BODY_FAILS || next->place != stream->items))
        ledger_break(self, next, "streams: it failed, and its body did not fail there");
}

void flow_outcome(ledger_t *self, const deed_t *next)
{
    const deed_t *stream = next->source;
    bool first = true;
    if (has_item(next))
        check_item(self, next);
    self->items += has_item(next);
    for (uint32_t i = 0; i < stream->next_count; i++) {
        const deed_t *other = stream->nexts[i];
        if (i < next->place)
            check_pair(self, other, next);
        else if (i > next->place)
            check_pair(self, next, other);
        first &= i >= next->place || has_item(other);
    }
    if (first && has_end(next))
        check_first_end(self, next);
}
