// test_canary_mpack.c - what libmpack 1.0.5 does that wire/pack.c guards against. When one of these
// fails, the library has changed: read pack.c again, its guards may be simpler or may not suffice.

#include <criterion/criterion.h>
#include <stdbool.h> // before <mpack.h>
#include <mpack.h>
#include <stdint.h>
#include <string.h>

static int read_one(const char *bytes, size_t *left, mpack_token_t *token)
{
    mpack_tokbuf_t fresh = MPACK_TOKBUF_INITIAL_VALUE;
    return mpack_read(&fresh, &bytes, left, token);
}

Test(canary_mpack, no_input_is_read_as_if_there_were_some)
{
    const char behind[] = "\x05\x06"; // not part of the input of 0 bytes
    size_t left = 0;
    mpack_token_t token;
    cr_assert_eq(read_one(behind, &left, &token), MPACK_OK);
    cr_assert_eq(token.data.value.lo, 5);
    cr_assert_eq(left, SIZE_MAX, "the length wraps");
}

Test(canary_mpack, negative_integers_are_written_wrong)
{
    mpack_tokbuf_t fresh = MPACK_TOKBUF_INITIAL_VALUE;
    char room[16], *at = room;
    size_t left = sizeof room;
    mpack_token_t token = mpack_pack_sint(-129);
    cr_assert_eq(mpack_write(&fresh, &at, &left, &token), MPACK_OK);
    left = (size_t)(at - room);
    read_one(room, &left, &token);
    cr_assert_neq(mpack_unpack_sint(token), -129);
}

Test(canary_mpack, a_positive_number_is_not_to_be_read_as_a_signed_one)
{
    size_t left = 1;
    mpack_token_t token;
    read_one("\x07", &left, &token);
    cr_assert_eq(token.type, MPACK_TOKEN_UINT);
    cr_assert_neq(mpack_unpack_sint(token), 7);
}

Test(canary_mpack, claims_are_believed)
{
    size_t left = 5;
    mpack_token_t token;
    cr_assert_eq(read_one("\xdd\xff\xff\xff\xff", &left, &token), MPACK_OK);
    cr_assert_eq(token.length, UINT32_MAX);
}

Test(canary_mpack, half_a_token_is_remembered)
{
    mpack_tokbuf_t buffer = MPACK_TOKBUF_INITIAL_VALUE;
    mpack_token_t token;
    const char *at = "\xcd\x01";
    size_t left = 2;
    cr_assert_eq(mpack_read(&buffer, &at, &left, &token), MPACK_EOF);
    at = "\xa1x"; // another message: a text
    left = 2;
    cr_assert_eq(mpack_read(&buffer, &at, &left, &token), MPACK_OK);
    cr_assert_eq(token.type, MPACK_TOKEN_UINT, "misread as the rest of a number");
}

Test(canary_mpack, half_a_token_written_comes_out_with_the_next)
{
    mpack_tokbuf_t buffer = MPACK_TOKBUF_INITIAL_VALUE;
    char room[16], *at = room;
    size_t left = 3;
    mpack_token_t token = mpack_pack_uint(0x123456789);
    cr_assert_eq(mpack_write(&buffer, &at, &left, &token), MPACK_EOF);
    at = room;
    left = sizeof room;
    token = mpack_pack_nil();
    mpack_write(&buffer, &at, &left, &token);
    cr_assert_gt(at - room, 1, "a nil is one byte");
}

Test(canary_mpack, an_ext_type_below_zero_is_read_as_above)
{
    size_t left = 3;
    mpack_token_t token;
    read_one("\xd4\xffx", &left, &token);
    cr_assert_eq(token.data.ext_type, 255);
}

Test(canary_mpack, a_float_that_fits_is_written_in_32_bits)
{
    cr_assert_eq(mpack_pack_float(0.5).length, 4);
    cr_assert_eq(mpack_pack_float(0.1).length, 8);
}

Test(canary_mpack, the_byte_that_means_nothing_is_an_error)
{
    size_t left = 1;
    mpack_token_t token;
    cr_assert_eq(read_one("\xc1", &left, &token), MPACK_ERROR);
}
