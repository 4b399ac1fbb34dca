// stream.h - calls that give item by item: what was made and not given, who waits for the next one, and how far the
// body may run ahead.

#ifndef MOBULA_STREAM_H
#define MOBULA_STREAM_H

#include "state.h"

static inline stream_t *stream_of(const call_t *call) // NULL: it is none
{
    return call->extra ? call->extra->stream : NULL;
}

bool stream_open(call_t *call); // false: no memory
void stream_next(core_t *core, session_t *session, const message_t *message);

// An item that its body gave, made by from; taken. NULL: it was refused. False: it was there before, or never can be.
bool stream_item(core_t *core, session_t *from, call_t *call, const msg_item_t *item,
                 blob_t **value_p, refusal_t refusal);

uint64_t stream_credit(core_t *core, call_t *call); // for RUN: how many items it may make in all
void stream_say_credit(core_t *core, const call_t *call); // again: it may have been lost
void stream_settle(core_t *core, call_t *call); // its outcome is stored: those who wait hear of it
void stream_drop(core_t *core, call_t *call);   // nobody wants its items any more
void stream_free(core_t *core, call_t *call);

#endif
