// Where small payloads are kept: copied, counted, used again, and not for ever.

#include <criterion/criterion.h>

#include <string.h>

#include "payload.h"

static const char text[PAYLOAD_CLASSES * PAYLOAD_STEP + 1] = "screws";

static void *place_of(payloads_t *payloads, size_t size)
{
    blob_t *blob = payload_keep(payloads, load_bytes(text, size));
    void *place = blob;
    cr_assert_not_null(blob);
    cr_expect_eq(blob->size, size);
    cr_expect_arr_eq(blob->data, text, size);
    blob_drop(&blob);
    cr_expect_null(blob);
    return place;
}

Test(payload, a_payload_is_copied_and_counted)
{
    payloads_t payloads = {0};
    blob_t *blob = payload_keep(&payloads, load_bytes(text, 6)), *again = blob_hold(blob);
    blob_drop(&blob);
    cr_expect_arr_eq(again->data, text, 6);
    blob_drop(&again);
    payloads_fini(&payloads);
}

#ifndef __SANITIZE_ADDRESS__
Test(payload, what_was_freed_is_used_for_a_payload_of_its_class)
{
    payloads_t payloads = {0};
    void *place = place_of(&payloads, 100);
    cr_expect_eq(place_of(&payloads, 112), place);
    cr_expect_eq(place_of(&payloads, 97), place);
    cr_expect_neq(place_of(&payloads, 113), place);
    cr_expect_neq(place_of(&payloads, 96), place);
    payloads_fini(&payloads);
}

Test(payload, only_so_many_are_spare)
{
    enum { MANY = PAYLOAD_SPARE + 10 };
    static blob_t *blobs[MANY];
    payloads_t payloads = {0};
    for (int i = 0; i < MANY; i++)
        blobs[i] = payload_keep(&payloads, load_bytes(text, 1));
    for (int i = 0; i < MANY; i++)
        blob_drop(&blobs[i]);
    cr_expect_eq(payloads.classes[0].spare, PAYLOAD_SPARE);
    payloads_fini(&payloads);
    cr_expect_null(payloads.classes[0].free);
}
#endif

Test(payload, every_size_has_a_place)
{
    payloads_t payloads = {0};
    for (size_t size = 0; size <= sizeof text; size++)
        place_of(&payloads, size);
    payloads_fini(&payloads);
}

Test(payload, a_counted_block_is_held_not_copied)
{
    payloads_t payloads = {0};
    blob_t *large = blob_new(text, 7), *kept = payload_keep(&payloads, load_of(large));
    cr_expect_eq(kept, large);
    blob_drop(&kept);
    blob_drop(&large);
    payloads_fini(&payloads);
}
