// parts.h - a call with several results: their refs stand in a row, from the call's own on, a record each. The
// values stay hidden until its body has ended well.

#ifndef MOBULA_PARTS_H
#define MOBULA_PARTS_H

#include "state.h"

bool parts_open(core_t *core, call_t *call, uint32_t count); // false: no memory

// Value number index, made by from; taken. NULL: it was refused. False: there is no such place.
bool parts_item(core_t *core, session_t *from, call_t *call, const msg_item_t *item,
                blob_t **value_p, refusal_t refusal);
void parts_end(core_t *core,
               call_t *call); // its body ended well: MOB_ERESULT unless all values are here
void parts_settle(core_t *core, call_t *call); // its outcome is stored: that of the other refs, too
void parts_catch_up(core_t *core, call_t *call,
                    uint32_t count); // a worker announced it; now its caller says how many refs it has
void parts_free(core_t *core, call_t *call);

call_t *parts_call(const core_t *core, call_t *one); // the call that gives this ref its value

#endif
