// test_batch.c - many envelopes and their blob frames in one message.

#include <criterion/criterion.h>
#include <stdlib.h>

#include "batch.h"
#include "message.h"

static uint8_t payload[MOB_BLOB_MAX + 1];

static int freed;

static void count_free(blob_t *blob)
{
    free(blob);
    freed++;
}

static blob_t *foreign_blob(size_t size)
{
    blob_t *blob = malloc(sizeof *blob);
    *blob = (blob_t){.refs = 1, .size = (uint32_t)size, .data = payload, .free = count_free};
    return blob;
}

Test(batch, a_small_payload_stands_in_its_envelope)
{
    batch_t batch = BATCH_INIT;
    cr_assert(batch_load(&batch, load_bytes(payload, MOB_INLINE_MAX)));
    cr_assert_eq(batch.blob_count, 0);
    cr_assert_eq(batch.pack.size, MOB_INLINE_MAX + 3);
    batch_fini(&batch);
}

Test(batch, a_large_payload_is_held_and_not_copied)
{
    batch_t batch = BATCH_INIT;
    blob_t *blob = foreign_blob(MOB_INLINE_MAX + 1);
    cr_assert(batch_load(&batch, load_of(blob)));
    cr_assert_eq(batch.blobs[0], blob);
    cr_assert_eq(batch.pack.size, 1);
    blob_drop(&blob);
    cr_assert_null(blob);
    cr_assert_eq(freed, 0, "the batch holds it");
    batch_clear(&batch);
    cr_assert_eq(freed, 1);
    batch_fini(&batch);
}

Test(batch, a_part_of_a_blob_travels_as_a_copy)
{
    batch_t batch = BATCH_INIT;
    blob_t *blob = blob_new(payload, 10000);
    load_t part = {.data = blob->data + 1, .size = 9000, .blob = blob};
    cr_assert(batch_load(&batch, part));
    cr_assert_neq(batch.blobs[0], blob);
    cr_assert_eq(batch.blobs[0]->size, 9000);
    cr_assert_eq(blob->refs, 1);
    blob_drop(&blob);
    batch_fini(&batch);
}

Test(batch, the_limits_of_blobs_are_refusals)
{
    batch_t batch = BATCH_INIT;
    cr_assert_not(batch_load(&batch, load_bytes(payload, MOB_BLOB_MAX + 1)));
    for (int i = 0; i < MOB_BLOBS_MAX; i++)
        cr_assert(batch_load(&batch, load_bytes(payload, MOB_BLOB_MAX)));
    cr_assert(batch_full(&batch));
    cr_assert_not(batch_load(&batch, load_bytes(payload, MOB_BLOB_MAX)));
    cr_assert_eq(batch.blob_count, MOB_BLOBS_MAX);
    batch_fini(&batch);
}

Test(batch, it_is_full_at_its_target_and_room_is_kept_when_cleared)
{
    batch_t batch = BATCH_INIT;
    cr_assert(batch_empty(&batch));
    while (!batch_full(&batch))
        cr_assert(message_DONE(&batch, &(msg_done_t){.seq = 1, .value = load_bytes(payload, 1000)}));
    cr_assert_geq(batch.pack.size, MOB_BATCH_TARGET);
    cr_assert_leq(batch.pack.size, MOB_FRAME_MAX);
    size_t room = batch.pack.room;
    batch_clear(&batch);
    cr_assert(batch_empty(&batch) && !batch_full(&batch));
    cr_assert_eq(batch.pack.room, room);
    batch_fini(&batch);
}

Test(batch, blobs_are_counted)
{
    blob_t *blob = blob_new("abc", 3);
    blob_t *again = blob_hold(blob);
    blob_t *kept = load_keep(load_of(blob));
    cr_assert_eq(blob->refs, 3);
    blob_drop(&again);
    blob_drop(&kept);
    cr_assert_eq(blob->refs, 1);
    blob_drop(&blob);
    blob_drop(&blob);
    cr_assert_null(blob_hold(NULL));
    cr_assert_eq(load_of(NULL).size, 0);
}

Test(batch, a_payload_without_a_blob_is_kept_as_a_copy)
{
    blob_t *kept = load_keep(load_bytes("abc", 3));
    cr_assert_eq(kept->size, 3);
    cr_assert_arr_eq(kept->data, "abc", 3);
    blob_drop(&kept);
}
