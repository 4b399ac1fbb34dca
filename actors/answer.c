// answer.c - RESULT, FAIL and ITEM. The bytes that went into the batch are what is remembered: a
// repetition is a copy.

#include "answer.h"

#include <string.h>

typedef struct reply { // a RESULT, or an ITEM of one
    load_t value;
    bool item, behind;
    uint64_t index;
    uint32_t count;
} reply_t;

typedef struct open_item { // of a stream
    const hand_t *hand;
    uint64_t index;
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

static bool write_item(batch_t *batch, mob_ref_t ref, uint32_t attempt, uint64_t index,
                       uint32_t count, load_t value)
{
    return message_ITEM(
        batch, &(msg_item_t){
                   .ref = ref, .attempt = attempt, .index = index, .value = value, .count = count});
}

static bool write_result(batch_t *batch, mob_ref_t ref, uint32_t attempt, load_t value)
{
    return message_RESULT(batch, &(msg_result_t){.ref = ref, .attempt = attempt, .value = value});
}

static bool put(worker_t *worker, const hand_t *hand, const reply_t *reply)
{
    batch_t *batch = session_out(worker->session);
    size_t from = batch->pack.size;
    bool written = reply->item ? write_item(batch, hand->ref, hand->attempt, reply->index,
                                            reply->count, reply->value)
                               : write_result(batch, hand->ref, hand->attempt, reply->value);
    if (written)
        remember(worker, hand, reply, batch, from);
    return written;
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
    bool said = put(worker, hand, &reply);
    if (!said) {
        session_flush(worker->session); // an empty batch has room for any one answer
        said = put(worker, hand, &reply);
    }
    blob_drop(&blob);
    return said;
}

static void refuse_memory(worker_t *worker, const hand_t *hand)
{
    answer_failure(worker, hand, &(answer_failure_t){.err = MOB_ENOMEM, .executed = MOB_EXECUTED});
}

// In pieces: of several values all, once one of them is too large.
static void say_bulk(worker_t *worker, const hand_t *hand, pack_t *values, const uint32_t *ends,
                     uint32_t items)
{
    const bulk_answer_t answer = {
        .ref = hand->ref, .actor = hand->actor, .attempt = hand->attempt, .items = items, .ends = ends};
    if (!bulk_say(&worker->bulk, worker->session, &answer, values))
        refuse_memory(worker, hand);
}

void answer_value(worker_t *worker, const hand_t *hand, pack_t *value)
{
    if (value->size > MOB_BLOB_MAX)
        say_bulk(worker, hand, value, NULL, 0);
    else if (!say(worker, hand, (reply_t){.value = load_bytes(value->data, value->size)}))
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
                             .index = i,
                             .count = count});
    if (!said || !say(worker, hand, (reply_t){.behind = true}))
        refuse_memory(worker, hand);
}

void answer_values(worker_t *worker, const hand_t *hand, sink_t *sink)
{
    if (any_is_large(sink))
        say_bulk(worker, hand, &sink->values, sink->ends, (uint32_t)sink->made);
    else
        say_items(worker, hand, sink);
}

// One ITEM, in pieces.
static bool write_large(batch_t *batch, const void *arg, uint32_t index, load_t value)
{
    const open_item_t *item = arg;
    (void)index;
    return write_item(batch, item->hand->ref, item->hand->attempt, item->index, 0, value);
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

mob_err_t answer_item(worker_t *worker, const hand_t *hand, uint64_t index, pack_t *value,
                      uint64_t *last)
{
    *last = 0;
    if (value->size > MOB_BLOB_MAX)
        return say_large(worker, &(open_item_t){hand, index}, value, last);
    load_t load = load_bytes(value->data, value->size);
    bool said = say(worker, hand, (reply_t){.value = load, .item = true, .index = index});
    return said ? MOB_OK : MOB_ENOMEM;
}

static mob_bytes_t text_of(const char *text)
{
    return (mob_bytes_t){text, strlen(text)};
}

void answer_failure(worker_t *worker, const hand_t *hand, const answer_failure_t *failure)
{
    batch_t *batch = session_out(worker->session);
    size_t from = batch->pack.size;
    msg_fail_t fail = {.ref = hand->ref,
                       .attempt = hand->attempt,
                       .code = failure->err,
                       .app_code = failure->code,
                       .executed = failure->executed,
                       .text = text_of(failure->text ? failure->text : mob_strerror(failure->err)),
                       .trace = text_of(failure->trace ? failure->trace : ""),
                       .cause = failure->cause};
    if (!message_FAIL(batch, &fail)) {
        session_flush(worker->session);
        batch = session_out(worker->session);
        from = batch->pack.size;
        if (!message_FAIL(batch, &fail))
            return; // no memory at all: the broker hears of it when this process ends
    }
    remember(worker, hand, &(reply_t){0}, batch, from);
}

static const char LOST[] = "its items were lost with the broker that had them";

void answer_lost(worker_t *worker, const hand_t *hand)
{
    answer_failure(
        worker, hand,
        &(answer_failure_t){.err = MOB_EBROKER, .executed = MOB_MAYBE_EXECUTED, .text = LOST});
}

static bool write_again(batch_t *batch, const seen_record_t *record)
{
    load_t value = load_of(record->blob);
    return record->item
               ? write_item(batch, record->ref, record->attempt, record->index, record->count, value)
               : write_result(batch, record->ref, record->attempt, value);
}

static void put_again(worker_t *worker, const seen_record_t *record)
{
    batch_t *batch = session_out(worker->session);
    if (record->size) {
        pack_raw(&batch->pack, seen_bytes(record), record->size);
        batch->count++;
    } else if (!write_again(batch, record)) {
        session_flush(worker->session);
        write_again(session_out(worker->session), record);
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
        answer_lost(worker, like);
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
