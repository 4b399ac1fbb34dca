// answer.c - RESULT and FAIL. The bytes that went into the batch are what is remembered: a
// repetition is a copy.

#include "answer.h"

#include <stdio.h>
#include <string.h>

static uint64_t key_of(const hand_t *hand)
{
    return seen_key(hand->ref, hand->actor);
}

static void remember(worker_t *worker, const hand_t *hand, const batch_t *batch, size_t from,
                     blob_t *blob)
{
    seen_add(&worker->seen, hand->ref, hand->attempt, key_of(hand), batch->pack.data + from,
             batch->pack.size - from, blob);
}

static bool put_value(worker_t *worker, const hand_t *hand, load_t value)
{
    batch_t *batch = session_out(worker->session);
    size_t from = batch->pack.size;
    msg_result_t result = {.ref = hand->ref, .attempt = hand->attempt, .value = value};
    if (!message_RESULT(batch, &result))
        return false;
    remember(worker, hand, batch, from, value.blob);
    return true;
}

static void refuse_size(worker_t *worker, const hand_t *hand, uint32_t size)
{
    char text[96];
    snprintf(text, sizeof text, "the result of %u bytes does not fit a message (%d)", size,
             MOB_BLOB_MAX);
    answer_failure(worker, hand,
                   &(answer_failure_t){.err = MOB_ELIMIT, .executed = MOB_EXECUTED, .text = text});
}

void answer_value(worker_t *worker, const hand_t *hand, load_t value)
{
    if (value.size > MOB_BLOB_MAX) {
        refuse_size(worker, hand, value.size);
        return;
    }
    blob_t *blob = NULL;
    if (value.size > MOB_INLINE_MAX) // a frame of its own, which seen.h holds, too
        value = load_of(blob = blob_new(value.data, value.size));
    if (!put_value(worker, hand, value)) {
        session_flush(worker->session); // an empty batch has room for any one answer
        if (!put_value(worker, hand, value))
            answer_failure(worker, hand,
                           &(answer_failure_t){.err = MOB_ENOMEM, .executed = MOB_EXECUTED});
    }
    blob_drop(&blob);
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
    remember(worker, hand, batch, from, NULL);
}

static void put_again(worker_t *worker, const seen_record_t *record)
{
    batch_t *batch = session_out(worker->session);
    if (record->size) {
        pack_raw(&batch->pack, seen_bytes(record), record->size);
        batch->count++;
        return;
    }
    msg_result_t result = {
        .ref = record->ref, .attempt = record->attempt, .value = load_of(record->blob)};
    if (!message_RESULT(batch, &result)) {
        session_flush(worker->session);
        message_RESULT(session_out(worker->session), &result);
    }
}

void answer_again(worker_t *worker, const seen_record_t *record)
{
    put_again(worker, record);
    seen_again(&worker->seen, record);
}

void answer_repeat_all(worker_t *worker)
{
    uint64_t at = 0;
    const seen_record_t *record;
    while ((record = seen_unacknowledged(&worker->seen, &at)))
        put_again(worker, record);
}
