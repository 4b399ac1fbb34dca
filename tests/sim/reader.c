// reader.c - a caller takes the items of its streams: so many NEXTs at a time, until one brings the end.

#include <stdlib.h>

#include "caller.h"
#include "flow.h"
#include "world.h"

enum { ITEMS_MAX = 9, READERS_MAX = 4 };

static uint32_t ends(const deed_t *stream)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < stream->next_count; i++)
        count += stream->nexts[i]->settled && stream->nexts[i]->code != MOB_OK;
    return count;
}

static void ask(caller_t *self, deed_t *stream)
{
    uint32_t count = stream->next_count;
    deed_t **nexts = realloc(stream->nexts, (count + 1) * sizeof *nexts);
    if (!nexts)
        abort();
    stream->nexts = nexts;
    deed_t *next = caller_plan(self, DEED_NEXT);
    next->source = stream;
    next->place = count;
    next->pulled = flow_taken(stream);
    stream->nexts[stream->next_count++] = next;
    caller_await(self, next);
}

void reader_begin(caller_t *self, deed_t *stream)
{
    static const int32_t aheads[] = {0, 1, 1, 2, 4, -1};
    chance_t *chance = &self->world->chance;
    stream->streams = true;
    stream->forget = false;
    stream->items = chance_below(chance, ITEMS_MAX + 1);
    stream->ahead = aheads[chance_below(chance, 6)];
    stream->readers = 1 + chance_below(chance, READERS_MAX);
    caller_await(self, stream);
    for (uint32_t first = chance_below(chance, stream->readers + 1); first > 0; first--)
        ask(self, stream);
}

// Each that comes back is followed by another one: it tells what was taken. Some ask once more behind the end.
void reader_go_on(caller_t *self, deed_t *stream)
{
    uint32_t enough = 1 + stream->ref.seq % 2;
    while (!stream->dropped && ends(stream) < enough &&
           stream->next_count - flow_taken(stream) < stream->readers)
        ask(self, stream);
}

void reader_go_on_all(caller_t *self)
{
    for (uint64_t i = self->first_open, end = self->count; i < end; i++)
        if (self->deeds[i]->streams)
            reader_go_on(self, self->deeds[i]);
    caller_say_unsent(self);
}
