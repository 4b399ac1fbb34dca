// Requests are kept until they are accepted, and sent again as they were.

#include "resend.h"

#include <criterion/criterion.h>

#include <string.h>

#include "message.h"

static batch_t batch; // the parcel in the making
static queue_t queue;

static void open_queue(void)
{
    batch = BATCH_INIT;
    queue_init(&queue);
}

static void close_queue(void)
{
    batch_fini(&batch);
    queue_fini(&queue);
}

static void call(uint64_t seq, uint64_t epoch)
{
    message_CALL(
        &batch,
        &(msg_call_t){
            .seq = seq, .epoch = epoch, .actor = {9, 1}, .method = 1, .args = load_bytes("\x07", 1)});
}

static parcel_t *shelve(uint64_t first, uint64_t last)
{
    parcel_t *parcel = parcel_new(batch.pack.data, batch.pack.size, batch.blobs, batch.blob_count),
             *kept = parcel;
    parcel->first = first;
    parcel->last = last;
    queue_append(&queue, &parcel);
    cr_assert_null(parcel);
    batch_clear(&batch);
    return kept;
}

// What is in the first frame of a parcel, as "CALL3@5 " for a call with seq 3 of epoch 5.
static const char *content(const parcel_t *parcel)
{
    static char text[256];
    message_t message;
    message_fault_t fault;
    zmq_msg_t *frame = (zmq_msg_t *)&parcel->frames[0];
    batch_reader_t reader = batch_open(zmq_msg_data(frame), zmq_msg_size(frame), NULL, 0);
    text[0] = '\0';
    while (message_next(&reader, &message, &fault) == MESSAGE_OK) {
        size_t at = strlen(text);
        if (message.verb == VERB_CALL)
            snprintf(text + at, sizeof text - at, "CALL%lu@%lu ", (unsigned long)message.call.seq,
                     (unsigned long)message.call.epoch);
        else
            snprintf(text + at, sizeof text - at, "%s ", verb_name(message.verb));
    }
    return text;
}

TestSuite(resend, .init = open_queue, .fini = close_queue);

Test(resend, what_is_accepted_is_forgotten)
{
    call(1, 5);
    shelve(1, 1)->sent = true;
    call(2, 5);
    call(3, 5);
    shelve(2, 3)->sent = true;
    queue.unsent = NULL;
    queue_accept(&queue, 2, 0);
    cr_assert_eq(queue.first->last, 3);
    queue_accept(&queue, 1, 0); // an old one changes nothing
    cr_assert_eq(queue.accepted, 2);
    queue_accept(&queue, 3, 0);
    cr_assert(queue_settled(&queue));
    cr_assert_eq(queue.bytes, 0);
}

Test(resend, only_what_is_above_accepted_goes_again)
{
    for (uint64_t seq = 1; seq <= 4; seq++)
        call(seq, 5);
    shelve(1, 4)->sent = true;
    queue.unsent = NULL;
    queue_accept(&queue, 2, 0);
    queue_rewind(&queue, 6);
    cr_assert_str_eq(content(queue.first), "CALL3@5 CALL4@5 ");
    cr_assert_eq(queue.first->first, 3);
    cr_assert_eq(queue.unsent, queue.first);
}

Test(resend, what_never_left_gets_the_epoch_in_which_it_leaves)
{
    call(1, 0);
    shelve(1, 1);
    queue_rewind(&queue, 6);
    cr_assert_str_eq(content(queue.first), "CALL1@6 ");
}

Test(resend, of_the_rest_only_what_never_left_and_still_matters_goes)
{
    call(1, 5);
    message_PING(&batch, &(msg_ping_t){.epoch = 5});
    message_STOP(&batch, &(msg_stop_t){.actor = {9, 1}});
    shelve(1, 1)->sent = true;
    call(2, 5);
    message_PING(&batch, &(msg_ping_t){.epoch = 5});
    message_CANCEL(&batch, &(msg_cancel_t){.ref = {7, 1}});
    shelve(2, 2);
    message_ASK(&batch, &(msg_ask_t){0});
    shelve(0, 0);
    queue_rewind(&queue, 6);
    cr_assert_str_eq(content(queue.first), "CALL1@5 ");
    cr_assert_str_eq(content(queue.first->next), "CALL2@6 CANCEL ");
    cr_assert_eq(queue.last, queue.first->next);
}

Test(resend, payloads_go_along)
{
    char large[5000] = {0};
    blob_t *blob = blob_new(large, sizeof large);
    message_CALL(&batch, &(msg_call_t){.seq = 1, .actor = {9, 1}, .args = load_of(blob)});
    blob_drop(&blob);
    shelve(1, 1);
    queue_rewind(&queue, 6);
    cr_assert_eq(queue.first->count, 2);
    cr_assert_eq(zmq_msg_size(&queue.first->frames[1]), sizeof large);
}

Test(resend, without_progress_it_waits_twice_as_long_each_time)
{
    call(1, 5);
    shelve(1, 1)->sent = true;
    queue.unsent = NULL;
    cr_assert(queue_again(&queue, 1000000));
    int64_t first = queue.again_at - 1000000;
    queue.unsent = NULL;
    queue_again(&queue, 2000000);
    cr_assert_eq(queue.again_at - 2000000, 2 * first);
    queue.unsent = NULL;
    queue_accept(&queue, 1, 0);
    cr_assert_eq(queue.again_at, INT64_MAX);
}
