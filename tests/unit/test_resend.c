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

// ---- In front of others -------------------------------------------------------------------------

static void piece(uint64_t seq)
{
    message_PIECE(&batch, &(msg_piece_t){.seq = seq, .bytes = load_bytes("p", 1)});
}

static parcel_t *shelve_run(uint64_t first, uint64_t last, uint64_t run, uint64_t until)
{
    parcel_t *parcel = shelve(first, last);
    parcel->run = run;
    parcel->until = until;
    parcel->sent = true;
    return parcel;
}

// Pieces 2 and 3, then 4, for request 5; all of it was sent.
static void a_run(void)
{
    call(1, 5);
    shelve(1, 1)->sent = true;
    piece(2);
    piece(3);
    shelve_run(2, 3, 2, 5);
    piece(4);
    call(5, 5);
    shelve_run(4, 5, 2, 5);
    queue.unsent = NULL;
    for (parcel_t *parcel = queue.first; parcel; parcel = parcel->next)
        queue.flying += parcel->bytes;
}

Test(resend, what_stands_in_front_is_kept_until_who_it_is_for_is_accepted)
{
    a_run();
    queue_accept(&queue, 3, 0);
    cr_assert_eq(queue.first->first, 4);
    cr_assert_eq(queue.kept->first, 2);
    cr_assert_eq(queue.bytes, queue.first->bytes, "what is accepted holds up nobody");
    cr_assert_eq(queue.flying, queue.first->bytes);
    queue_accept(&queue, 5, 0);
    cr_assert(queue_settled(&queue));
    cr_assert_null(queue.kept);
    cr_assert_eq(queue.bytes + queue.flying, 0);
}

Test(resend, to_the_same_broker_only_what_is_not_accepted_goes_again)
{
    a_run();
    queue_accept(&queue, 3, 0);
    queue_rewind(&queue, 5);
    cr_assert_eq(queue.unsent, queue.first);
    cr_assert_str_eq(content(queue.first), "PIECE CALL5@5 ");
}

Test(resend, a_new_broker_gets_a_run_from_its_start)
{
    a_run();
    cr_assert_eq(queue_floor(&queue), 0);
    queue_accept(&queue, 1, 0);
    cr_assert_eq(queue_floor(&queue), 1, "nothing of the run is accepted");
    queue_accept(&queue, 3, 0);
    cr_assert_eq(queue_floor(&queue), 1);
    queue_lower(&queue, 1);
    queue_rewind(&queue, 6);
    cr_assert_str_eq(content(queue.first), "PIECE PIECE ");
    cr_assert_str_eq(content(queue.first->next), "PIECE CALL5@5 ");
    cr_assert_null(queue.kept);
    cr_assert_eq(queue.bytes, queue.first->bytes + queue.last->bytes);
    queue_accept(&queue, 5, 0);
    cr_assert_eq(queue_floor(&queue), 5);
}

Test(resend, a_run_that_is_accepted_in_the_middle_of_a_parcel_is_whole)
{
    call(1, 5);
    piece(2);
    piece(3);
    shelve_run(1, 3, 2, 4);
    call(4, 5);
    shelve(4, 4)->sent = true;
    queue.unsent = NULL;
    queue_accept(&queue, 2, 0);
    queue_rewind(&queue, 5); // the same broker, which had piece 2
    cr_assert_str_eq(content(queue.first), "PIECE PIECE ");
    cr_assert_eq(queue_floor(&queue), 1);
}

Test(resend, an_answer_goes_again_with_its_last_piece)
{
    piece(1);
    message_RESULT(&batch, &(msg_result_t){.ref = {7, 1},
                                           .value = {.form = LOAD_PIECES, .first = 1, .size = 1}});
    shelve_run(1, 1, 1, 1)->bound = true;
    queue.unsent = NULL;
    queue_rewind(&queue, 5);
    cr_assert_str_eq(content(queue.first), "PIECE RESULT ");
    queue_accept(&queue, 1, 0);
    queue_rewind(&queue, 6);
}
