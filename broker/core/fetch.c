// fetch.c - see fetch.h. Answers a window at a time: whoever fetches asks for the next one, and again when
// nothing comes, so that nothing here waits and no outbox grows with the size of a payload.

#include "fetch.h"

#include <stdlib.h>

#include "call.h"
#include "notice.h"
#include "outcome.h"
#include "ref.h"
#include "rope.h"
#include "session.h"
#include "worker.h"

enum {
    FETCH_MAX = 1024 * 1024, // bytes for one request
    HEADS_MAX = 16 * 1024,   // of a RUN or MAKE without its payloads
    AWAY_BYTES = 6           // a payload that is named by its size
};

// ---- What goes along ----------------------------------------------------------------------------

static load_t *room_for(core_t *core, uint32_t count)
{
    if (count <= core->load_room)
        return core->loads;
    load_t *loads = realloc(core->loads, count * sizeof *loads);
    if (!loads)
        return NULL;
    core->loads = loads;
    core->load_room = count;
    return loads;
}

typedef struct room { // of one message
    size_t bytes;     // for payloads that stand in it
    uint32_t blobs;
} room_t;

static bool goes_along(room_t *room, load_t load)
{
    if (load.form != LOAD_HERE)
        return false;
    if (load.size > MOB_INLINE_MAX)
        return room->blobs > 0 && room->blobs--;
    if (load.size > room->bytes)
        return false;
    room->bytes -= load.size;
    return true;
}

loads_t fetch_deps(core_t *core, const call_extra_t *extra, load_t args)
{
    uint32_t count = extra ? extra->dep_count : 0;
    load_t *loads = count ? room_for(core, count) : NULL;
    if (!loads)
        return (loads_t){0};
    room_t room = {.bytes = MOB_FRAME_MAX - HEADS_MAX - count * AWAY_BYTES,
                   .blobs = MOB_BLOBS_MAX - 1};
    if (args.form == LOAD_HERE && args.size <= MOB_INLINE_MAX)
        room.bytes -= args.size < room.bytes ? args.size : room.bytes;
    for (uint32_t i = 0; i < count; i++) {
        loads[i] = load_of(extra->values[i]);
        if (!goes_along(&room, loads[i]) && loads[i].size > 0)
            loads[i].form = LOAD_AWAY;
    }
    return (loads_t){.items = loads, .count = count};
}

// ---- What is asked for --------------------------------------------------------------------------

static blob_t *value_of(const call_t *call)
{
    return call && call->state == CALL_FINAL && call->code == MOB_OK ? call->load : NULL;
}

// The arguments of a call in the hand of this worker, or of an actor that it makes, or what they depend on.
static blob_t *part_of_run(const worker_t *worker, const call_t *call, uint32_t part)
{
    const actor_t *actor = worker && call ? worker_makes(worker, call) : NULL;
    bool in_hand = worker && call && call->worker == worker && call->state == CALL_SENT;
    if (!actor && !in_hand)
        return NULL;
    if (part == PART_ARGS)
        return actor ? actor->args : call->load;
    uint32_t index = part - PART_DEPS;
    bool there = call->extra && index < call->extra->dep_count;
    return there ? call->extra->values[index] : NULL;
}

static bool say_data(core_t *core, session_t *session, const msg_fetch_t *fetch, uint64_t offset,
                     load_t bytes)
{
    batch_t *batch = notice_batch(core, session);
    return batch && message_DATA(batch, &(msg_data_t){.ref = fetch->ref,
                                                      .part = fetch->part,
                                                      .offset = offset,
                                                      .bytes = bytes});
}

// Until enough was said, or there is no room for more. Pieces leave as they came; only of the first one a
// part may be wanted.
static void give(core_t *core, session_t *session, const msg_fetch_t *fetch, blob_t *blob)
{
    if (fetch->offset >= blob->size) {
        session_error(core, session->peer, MOB_EARGS, "RANGE", fetch->ref, "it is not so large");
        return;
    }
    uint64_t offset = fetch->offset, most = fetch->count < FETCH_MAX ? fetch->count : FETCH_MAX;
    uint64_t end = offset + most < blob->size ? offset + most : blob->size;
    while (offset < end) {
        load_t bytes = rope_at(blob, (uint32_t)offset);
        if (!say_data(core, session, fetch, offset, bytes))
            return;
        offset += bytes.size;
    }
}

static void fetch_value(core_t *core, session_t *session, const msg_fetch_t *fetch)
{
    call_t *call = call_find(core, fetch->ref);
    blob_t *value = value_of(call);
    if (value)
        give(core, session, fetch, value);
    else
        ref_answer(core, session, fetch->ref); // what there is to say instead
}

void fetch_request(core_t *core, session_t *session, const message_t *message)
{
    const msg_fetch_t *fetch = &message->fetch;
    if (fetch->part == PART_VALUE) {
        fetch_value(core, session, fetch);
        return;
    }
    blob_t *blob = part_of_run(session->worker, call_find(core, fetch->ref), fetch->part);
    if (blob && blob->size > 0)
        give(core, session, fetch, blob);
    else if (!core->rejoin_at) // else who called may come back with it
        say_data(core, session, fetch, fetch->offset, (load_t){0});
}
