// Where small payloads are kept: copied, counted, used again, and not for ever.

#include <criterion/criterion.h>

#include <string.h>

#include "pool.h"

static const char text[POOL_CLASSES * POOL_STEP + 1] = "screws";

static void *place_of(pool_t *pool, size_t size)
{
    blob_t *blob = pool_keep(pool, load_bytes(text, size));
    void *place = blob;
    cr_assert_not_null(blob);
    cr_expect_eq(blob->size, size);
    cr_expect_arr_eq(blob->data, text, size);
    blob_drop(&blob);
    cr_expect_null(blob);
    return place;
}

Test(pool, a_payload_is_copied_and_counted)
{
    pool_t pool = {0};
    blob_t *blob = pool_keep(&pool, load_bytes(text, 6)), *again = blob_hold(blob);
    blob_drop(&blob);
    cr_expect_arr_eq(again->data, text, 6);
    blob_drop(&again);
    pool_fini(&pool);
}

#ifndef __SANITIZE_ADDRESS__
Test(pool, what_was_freed_is_used_for_a_payload_of_its_class)
{
    pool_t pool = {0};
    void *place = place_of(&pool, 100);
    cr_expect_eq(place_of(&pool, 112), place);
    cr_expect_eq(place_of(&pool, 97), place);
    cr_expect_neq(place_of(&pool, 113), place);
    cr_expect_neq(place_of(&pool, 96), place);
    pool_fini(&pool);
}

Test(pool, only_so_many_are_spare)
{
    enum { MANY = POOL_SPARE + 10 };
    static blob_t *blobs[MANY];
    pool_t pool = {0};
    for (int i = 0; i < MANY; i++)
        blobs[i] = pool_keep(&pool, load_bytes(text, 1));
    for (int i = 0; i < MANY; i++)
        blob_drop(&blobs[i]);
    cr_expect_eq(pool.classes[0].spare, POOL_SPARE);
    pool_fini(&pool);
    cr_expect_null(pool.classes[0].free);
}
#endif

Test(pool, every_size_has_a_place)
{
    pool_t pool = {0};
    for (size_t size = 0; size <= sizeof text; size++)
        place_of(&pool, size);
    pool_fini(&pool);
}

Test(pool, a_counted_block_is_held_not_copied)
{
    pool_t pool = {0};
    blob_t *large = blob_new(text, 7), *kept = pool_keep(&pool, load_of(large));
    cr_expect_eq(kept, large);
    blob_drop(&kept);
    blob_drop(&large);
    pool_fini(&pool);
}
