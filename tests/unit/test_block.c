// test_block.c - bytes that are shared by those who hold them, libzmq's frames among them.

#include <criterion/criterion.h>
#include <string.h>

#include "block.h"

static block_t *block_of(const char *text)
{
    pack_t pack = PACK_INIT;
    pack_raw(&pack, text, strlen(text));
    block_t *block = block_new(&pack);
    cr_assert_not_null(block);
    cr_assert_null(pack.data, "it was taken");
    return block;
}

Test(block, parts_outlive_it)
{
    block_t *block = block_of("one two");
    blob_t *part = block_part(block, 4, 3);
    block_drop(&block);
    cr_assert_null(block);
    cr_assert_eq(part->size, 3);
    cr_assert_arr_eq(part->data, "two", 3);
    blob_drop(&part);
}

Test(block, a_frame_of_a_part_shares_its_bytes)
{
    block_t *block = block_of("one two");
    blob_t *part = block_part(block, 4, 3);
    zmq_msg_t frame, copy;
    cr_assert(block_frame(&frame, part));
    cr_assert_eq((const void *)zmq_msg_data(&frame), (const void *)part->data);
    zmq_msg_init(&copy);
    zmq_msg_copy(&copy, &frame);
    blob_drop(&part);
    block_drop(&block);
    zmq_msg_close(&frame);
    cr_assert_arr_eq(zmq_msg_data(&copy), "two", 3);
    zmq_msg_close(&copy);
}

Test(block, a_frame_of_other_bytes_is_a_copy)
{
    blob_t *blob = blob_new("three", 5);
    zmq_msg_t frame;
    cr_assert(block_frame(&frame, blob));
    cr_assert_neq((const void *)zmq_msg_data(&frame), (const void *)blob->data);
    blob_drop(&blob);
    cr_assert_arr_eq(zmq_msg_data(&frame), "three", 5);
    zmq_msg_close(&frame);
}

Test(block, a_copy_of_a_blob_is_its_own)
{
    blob_t *blob = blob_new("four", 4);
    block_t *block = block_copy(blob);
    blob_drop(&blob);
    cr_assert_eq(block_size(block), 4);
    blob = block_part(block, 0, 4);
    cr_assert_arr_eq(blob->data, "four", 4);
    blob_drop(&blob);
    block_drop(&block);
}
