// answer.c - RESULT, FAIL and ITEM. The bytes that went into the batch are what is remembered: a
// repetition is a copy.

#include "answer.h"

#include <string.h>

#include "inner.h"

typedef struct reply { // a RESULT, or an ITEM of one
    load_t value;
    bool item, behind;
    bool inner; // there are refs in the value
    uint64_t index;
    uint32_t count;
} reply_t;

typedef struct open_item { // of a stream
    const hand_t *hand;
    uint64_t index;
    loads_t inner;
} open_item_t;

// What went into the batch from there on; of a large value the value itself.
static void remember(worker_t *worker, const hand_t *hand, const reply_t *reply,
                     const batch_t *batch, size_t from)
{
    seen_add(&worker->seen, &(seen_answer_t){.ref = hand->ref,
                                             .attempt = hand->attempt,
                                             .key = seen_key(hand->ref, hand->actor),
                                             .bytes = batch->pack.data + from,
                                             .size = batch->pack.size - from,
                                             .blob = reply->value.blob,
                                             .item = reply->item,
                                             .behind = reply->behind,
                                             .stream = hand_streams(hand),
                                             .index = reply->index,
                                             .count = reply->count});
}

// ---- Refs that are told with it -----------------------------------------------------------------

typedef struct told {
    pack_t refs; // inside the value
    load_t kept; // by bodies, from now on
    load_t loads[INNER_LOADS_MAX];
    loads_t inner;
} told_t;

static void told_begin(told_t *self, load_t value, bool look, load_t kept)
{
    self->refs = PACK_INIT;
    self->kept = kept;
    if (look)
        inner_find(value, &self->refs);
    self->inner = inner_of(self->loads, load_bytes(self->refs.data, self->refs.size), kept);
}

// What was told must not be dropped before the broker has the answer.
static void told_end(told_t *self, worker_t *worker, bool said)
{
    if (said && self->inner.count > 0)
        session_answered(worker->session, worker->seen.next);
    if (said && self->kept.size > 0)
        session_kept_told(worker->session);
    pack_fini(&self->refs);
}

// ---- RESULT and ITEM ----------------------------------------------------------------------------

static bool write(batch_t *batch, const hand_t *hand, const reply_t *reply, loads_t inner)
{
    if (reply->item)
        return message_ITEM(batch, &(msg_item_t){.ref = hand->ref,
                                                 .attempt = hand->attempt,
                                                 .index = reply->index,
                                                 .value = reply->value,
                                                 .count = reply->count,
                                                 .inner = inner});
    return message_RESULT(batch, &(msg_result_t){.ref = hand->ref,
                                                 .attempt = hand->attempt,
                                                 .value = reply->value,
                                                 .inner = inner});
}

static bool put(worker_t *worker, const hand_t *hand, const reply_t *reply, loads_t inner)
{
    batch_t *batch = session_out(worker->session);
    size_t from = batch->pack.size;
    bool written = write(batch, hand, reply, inner);
    if (written)
        remember(worker, hand, reply, batch, from);
    return written;
}

// An empty batch has room for any one answer.
static bool put_or_flush(worker_t *worker, const hand_t *hand, const reply_t *reply)
{
    told_t told;
    told_begin(&told, reply->value, reply->inner,
               reply->item ? (load_t){0} : session_kept(worker->session));
    bool said = put(worker, hand, reply, told.inner);
    if (!said) {
        session_flush(worker->session);
        said = put(worker, hand, reply, told.inner);
    }
    told_end(&told, worker, said);
    return said;
}

// False: no memory.
static bool say(worker_t *worker, const hand_t *hand, reply_t reply)
{
    blob_t *blob = NULL;
    if (reply.value.size > MOB_INLINE_MAX) { // a frame of its own, which seen.h holds, too
        blob = blob_new(reply.value.data, reply.value.size);
        if (!blob)
            return false;
        reply.value = load_of(blob);
    }
    bool said = put_or_flush(worker, hand, &reply);
    blob_drop(&blob);
    return said;
}

static void refuse_memory(worker_t *worker, const hand_t *hand)
{
    answer_failure(worker, hand, &(answer_failure_t){.err = MOB_ENOMEM, .executed = MOB_EXECUTED});
}

// In pieces: of several values all, once one of them is too large.
static void say_bulk(worker_t *worker, const hand_t *hand, pack_t *values, const uint32_t *ends,
                     uint32_t items, bool inner)
{
    const bulk_answer_t answer = {.ref = hand->ref,
                                  .actor = hand->actor,
                                  .attempt = hand->attempt,
                                  .items = items,
                                  .ends = ends,
                                  .inner = inner};
    if (!bulk_say(&worker->bulk, worker->session, &answer, values))
        refuse_memory(worker, hand);
}

void answer_value(worker_t *worker, const hand_t *hand, pack_t *value, bool inner)
{
    reply_t reply = {.value = load_bytes(value->data, value->size), .inner = inner};
    if (value->size > MOB_BLOB_MAX)
        say_bulk(worker, hand, value, NULL, 0, inner);
    else if (!say(worker, hand, reply))
        refuse_memory(worker, hand);
}

static bool any_is_large(const sink_t *sink)
{
    for (uint32_t i = 0; i < sink->made; i++)
        if (sink_value(sink, i).size > MOB_BLOB_MAX)
            return true;
    return false;
}

static void say_items(worker_t *worker, const hand_t *hand, const sink_t *sink)
{
    uint32_t count = (uint32_t)sink->made;
    bool said = true;
    for (uint32_t i = 0; i < count && said; i++)
        said = say(worker, hand,
                   (reply_t){.value = sink_value(sink, i),
                             .item = true,
                             .behind = i > 0,
                             .inner = sink->inner,
                             .index = i,
                             .count = count});
    if (!said || !say(worker, hand, (reply_t){.behind = true}))
        refuse_memory(worker, hand);
}

void answer_values(worker_t *worker, const hand_t *hand, sink_t *sink)
{
    if (any_is_large(sink))
        say_bulk(worker, hand, &sink->values, sink->ends, (uint32_t)sink->made, sink->inner);
    else
        say_items(worker, hand, sink);
}

// One ITEM, in pieces.
static bool write_large(batch_t *batch, const void *arg, uint32_t index, load_t value)
{
    const open_item_t *item = arg;
    (void)index;
    const reply_t reply = {.value = value, .item = true, .index = item->index};
    return write(batch, item->hand, &reply, item->inner);
}

// Nobody has to remember it: it is kept with its pieces until it is accepted.
static mob_err_t say_large(worker_t *worker, const open_item_t *item, pack_t *value, uint64_t *last)
{
    block_t *block = block_new(value);
    uint32_t size = block ? (uint32_t)block_size(block) : 0;
    const session_answer_t parts = {
        .block = block, .ends = &size, .count = 1, .write = write_large, .arg = item};
    *last = block ? session_answer(worker->session, &parts) : 0;
    block_drop(&block);
    return *last ? MOB_OK : MOB_ENOMEM;
}

mob_err_t answer_item(worker_t *worker, const hand_t *hand, uint64_t index, mob_writer_t *value,
                      uint64_t *last)
{
    const load_t here = load_bytes(value->pack.data, value->pack.size);
    load_t loads[INNER_LOADS_MAX], refs = load_bytes(value->inner.data, value->inner.size);
    const open_item_t item = {hand, index, inner_of(loads, refs, (load_t){0})};
    *last = 0;
    if (value->pack.size > MOB_BLOB_MAX)
        return say_large(worker, &item, &value->pack, last);
    reply_t reply = {.value = here, .item = true, .inner = refs.size > 0, .index = index};
    return say(worker, hand, reply) ? MOB_OK : MOB_ENOMEM;
}

// ---- FAIL ---------------------------------------------------------------------------------------

static mob_bytes_t text_of(const char *text)
{
    return (mob_bytes_t){text, strlen(text)};
}

void answer_failure(worker_t *worker, const hand_t *hand, const answer_failure_t *failure)
{
    batch_t *batch = session_out(worker->session);
    size_t from = batch->pack.size;
    told_t told;
    told_begin(&told, (load_t){0}, false, session_kept(worker->session));
    msg_fail_t fail = {.ref = hand->ref,
                       .attempt = hand->attempt,
                       .code = failure->err,
                       .app_code = failure->code,
                       .executed = failure->executed,
                       .text = text_of(failure->text ? failure->text : mob_strerror(failure->err)),
                       .trace = text_of(failure->trace ? failure->trace : ""),
                       .cause = failure->cause,
                       .inner = told.inner};
    if (!message_FAIL(batch, &fail)) {
        session_flush(worker->session);
        batch = session_out(worker->session);
        from = batch->pack.size;
        if (!message_FAIL(batch, &fail))
            return; // no memory at all: the broker hears of it when this process ends
    }
    remember(worker, hand, &(reply_t){0}, batch, from);
    told_end(&told, worker, true);
}

static const char LOST[] = "its items were lost with the broker that had them";

void answer_lost(worker_t *worker, const hand_t *hand, mob_executed_t executed)
{
    answer_failure(worker, hand,
                   &(answer_failure_t){.err = MOB_EBROKER, .executed = executed, .text = LOST});
}

// ---- Later --------------------------------------------------------------------------------------

void answer_later(worker_t *worker, const hand_t *hand)
{
    message_BEGUN(session_out(worker->session),
                  &(msg_begun_t){.ref = hand->ref, .attempt = hand->attempt});
}

// ---- Again --------------------------------------------------------------------------------------

// Its envelope is made anew: with the refs found in the value, and with all that bodies keep.
static void write_again(worker_t *worker, const seen_record_t *record)
{
    const hand_t hand = {.ref = record->ref, .attempt = record->attempt};
    const reply_t reply = {.value = load_of(record->blob),
                           .item = record->item,
                           .index = record->index,
                           .count = record->count};
    told_t told;
    told_begin(&told, reply.value, true,
               record->item ? (load_t){0} : session_kept_all(worker->session));
    if (!write(session_out(worker->session), &hand, &reply, told.inner)) {
        session_flush(worker->session);
        write(session_out(worker->session), &hand, &reply, told.inner);
    }
    pack_fini(&told.refs);
}

static void put_again(worker_t *worker, const seen_record_t *record)
{
    if (record->size) {
        batch_t *batch = session_out(worker->session);
        pack_raw(&batch->pack, seen_bytes(record), record->size);
        batch->count++;
    } else {
        write_again(worker, record);
    }
}

static void write_lost(worker_t *worker, const seen_record_t *record)
{
    message_FAIL(session_out(worker->session), &(msg_fail_t){.ref = record->ref,
                                                             .attempt = record->attempt,
                                                             .code = MOB_EBROKER,
                                                             .executed = MOB_MAYBE_EXECUTED,
                                                             .text = text_of(LOST)});
}

bool answer_again(worker_t *worker, const hand_t *like)
{
    uint64_t first, last;
    if (!seen_find(&worker->seen, like->ref, like->attempt, &first, &last))
        return worker->bulk.first &&
               bulk_again(&worker->bulk, worker->session, like->ref, like->attempt);
    if (seen_at(&worker->seen, last)->stream) {
        answer_lost(worker, like, MOB_MAYBE_EXECUTED);
        return true;
    }
    for (uint64_t at = first; at <= last; at++) {
        put_again(worker, seen_at(&worker->seen, at));
        seen_again(&worker->seen, at);
    }
    return true;
}

// Each record once, whatever is said for it: the broker counts.
void answer_repeat_all(worker_t *worker, bool fresh)
{
    uint64_t at = 0;
    const seen_record_t *record;
    while ((record = seen_unacknowledged(&worker->seen, &at))) {
        if (fresh && record->stream && !record->item)
            write_lost(worker, record);
        else
            put_again(worker, record);
    }
}
