// What waits to leave: order, bytes, and a driver that takes the memory away.

#include <criterion/criterion.h>

#include <stdlib.h>

#include "message.h"
#include "outbox.h"

static char payload[3000];

static void add(outbox_t *box, uint64_t seq)
{
    batch_t *batch = outbox_open(box);
    cr_assert_not_null(batch);
    cr_assert(message_DONE(batch,
                           &(msg_done_t){.seq = seq, .value = load_bytes(payload, sizeof payload)}));
}

static uint64_t first_seq(batch_t *batch)
{
    batch_reader_t reader =
        batch_open(batch->pack.data, batch->pack.size, batch->blobs, batch->blob_count);
    message_t message;
    message_fault_t fault;
    cr_assert_eq(message_next(&reader, &message, &fault), MESSAGE_OK);
    cr_assert_eq(message.verb, VERB_DONE);
    return message.done.seq;
}

Test(outbox, empty_has_nothing_to_send)
{
    outbox_t box = {0};
    cr_expect(outbox_empty(&box));
    cr_expect_null(outbox_first(&box));
    cr_expect_eq(outbox_bytes(&box), 0);
    outbox_open(&box); // opened, and nothing written
    cr_expect(outbox_empty(&box));
    cr_expect_null(outbox_first(&box));
    outbox_fini(&box);
}

Test(outbox, many_envelopes_leave_in_order_as_few_messages)
{
    outbox_t box = {0};
    for (uint64_t seq = 1; seq <= 100; seq++)
        add(&box, seq);
    cr_expect_gt(outbox_bytes(&box), 100 * sizeof payload);

    uint64_t seen = 0, messages = 0;
    batch_t *batch;
    while ((batch = outbox_first(&box)) != NULL) {
        cr_expect_eq(first_seq(batch), seen + 1);
        cr_expect_leq(batch->pack.size, MOB_FRAME_MAX);
        seen += batch->count;
        messages++;
        outbox_sent(&box);
    }
    cr_expect_eq(seen, 100);
    cr_expect_leq(messages, 100 * sizeof payload / MOB_BATCH_TARGET + 2);
    cr_expect(outbox_empty(&box));
    cr_expect_eq(outbox_bytes(&box), 0);
    outbox_fini(&box);
}

Test(outbox, the_driver_may_take_the_memory)
{
    outbox_t box = {0};
    for (uint64_t seq = 1; seq <= 50; seq++)
        add(&box, seq);
    batch_t *batch;
    while ((batch = outbox_first(&box)) != NULL) {
        free(batch->pack.data); // as libzmq will
        batch->pack = PACK_INIT;
        outbox_sent(&box);
    }
    cr_expect_eq(outbox_bytes(&box), 0);
    add(&box, 51);
    cr_expect_eq(first_seq(outbox_first(&box)), 51);
    outbox_fini(&box);
}

Test(outbox, a_blob_is_held_until_its_message_has_left)
{
    outbox_t box = {0};
    char big[MOB_INLINE_MAX + 1] = "";
    blob_t *blob = blob_new(big, sizeof big);
    for (uint64_t seq = 1; seq <= MOB_BLOBS_MAX + 1; seq++) // one more than a message takes
        cr_assert(message_DONE(outbox_open(&box), &(msg_done_t){.seq = seq, .value = load_of(blob)}));
    cr_expect_eq(outbox_bytes(&box) / sizeof big, MOB_BLOBS_MAX + 1);
    cr_expect_eq(blob->refs, 1 + MOB_BLOBS_MAX + 1);
    cr_expect_eq(outbox_first(&box)->blob_count, MOB_BLOBS_MAX);
    outbox_sent(&box);
    cr_expect_eq(outbox_first(&box)->blob_count, 1);
    outbox_sent(&box);
    cr_expect_eq(blob->refs, 1);
    blob_drop(&blob);
    outbox_fini(&box);
}

Test(outbox, what_never_left_is_freed)
{
    outbox_t box = {0};
    for (uint64_t seq = 1; seq <= 100; seq++)
        add(&box, seq);
    outbox_fini(&box);
    cr_expect(outbox_empty(&box));
    cr_expect_eq(outbox_bytes(&box), 0);
}
