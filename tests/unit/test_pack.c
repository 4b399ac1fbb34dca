// test_pack.c - MessagePack by tokens: against vectors of another implementation, and against input
// that libmpack by itself would misread.

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "edge.h"
#include "limit.h"
#include "pack.h"

#include "../wire/vectors.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define WRONG(in, what) cr_assert_str_eq((in).wrong ? (in).wrong : "nothing", what)

static uint64_t next_random(uint64_t *state) // xorshift: the same numbers in every run
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

Test(pack, integers_are_written_as_others_write_them)
{
    for (size_t i = 0; i < COUNT(vector_integers); i++) {
        pack_t out = PACK_INIT;
        if (vector_integers[i].negative)
            pack_i64(&out, (int64_t)vector_integers[i].bits);
        else
            pack_u64(&out, vector_integers[i].bits);
        cr_assert_eq(out.size, vector_integers[i].size, "row %zu", i);
        cr_assert_arr_eq(out.data, vector_integers[i].bytes, out.size, "row %zu", i);
        pack_fini(&out);
    }
}

Test(pack, integers_of_others_are_read)
{
    for (size_t i = 0; i < COUNT(vector_integers); i++) {
        bool negative = vector_integers[i].negative;
        unpack_t in = unpack_of(vector_integers[i].bytes, vector_integers[i].size);
        pack_token_t token = unpack_token(&in);
        cr_assert_eq(token.type, negative ? PACK_SINT : PACK_UINT, "row %zu", i);
        cr_assert_eq(negative ? (uint64_t)token.i64 : token.u64, vector_integers[i].bits, "row %zu",
                     i);
        cr_assert_null(in.wrong);
        cr_assert_eq(in.next, in.end);
    }
}

Test(pack, a_million_random_integers_survive)
{
    uint64_t state = 42;
    uint8_t room[64];
    for (int i = 0; i < 1000000; i++) {
        int64_t value = (int64_t)next_random(&state) >> (next_random(&state) % 64);
        pack_t out = {.data = room, .room = sizeof room, .fixed = true};
        pack_i64(&out, value);
        unpack_t in = unpack_of(room, out.size);
        int64_t back = unpack_i64(&in);
        cr_assert(back == value && !in.wrong && in.next == in.end, "%lld", (long long)value);
    }
}

Test(pack, floats_survive_with_every_bit)
{
    for (size_t i = 0; i < COUNT(vector_floats); i++) {
        double value;
        memcpy(&value, &vector_floats[i].bits, sizeof value);
        pack_t out = PACK_INIT;
        pack_f64(&out, value);
        cr_assert_eq(out.size, vector_floats[i].size);
        cr_assert_arr_eq(out.data, vector_floats[i].bytes, out.size, "row %zu", i);
        unpack_t in = unpack_of(out.data, out.size);
        pack_token_t token = unpack_token(&in);
        cr_assert_eq(token.type, PACK_FLOAT);
        cr_assert_arr_eq(&token.f64, &value, sizeof value, "row %zu", i);
        pack_fini(&out);
    }
}

Test(pack, a_float_of_32_bits_and_nan_are_read)
{
    unpack_t in = unpack_of("\xca\x3f\x80\x00\x00", 5);
    cr_assert_eq(unpack_token(&in).f64, 1.0);
    in = unpack_of("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", 9);
    cr_assert(isnan(unpack_token(&in).f64));
}

Test(pack, texts_are_written_as_others_write_them)
{
    for (size_t i = 0; i < COUNT(vector_texts); i++) {
        unpack_t in = unpack_of(vector_texts[i].bytes, vector_texts[i].size);
        mob_bytes_t text = unpack_str(&in, 4096);
        cr_assert_eq(text.size, vector_texts[i].length);
        pack_t out = PACK_INIT;
        pack_str(&out, text.data, text.size);
        cr_assert_eq(out.size, vector_texts[i].size);
        cr_assert_arr_eq(out.data, vector_texts[i].bytes, out.size, "row %zu", i);
        pack_fini(&out);
    }
}

Test(pack, every_type_comes_back)
{
    pack_t out = PACK_INIT;
    pack_nil(&out);
    pack_flag(&out, true);
    pack_flag(&out, false);
    pack_bin(&out, "ab", 2);
    pack_ext(&out, 1, "0123456789abcdef", 16);
    pack_ext(&out, 2, "0123456789abcdef0123", 20);
    pack_array(&out, 1);
    pack_map(&out, 0);
    unpack_t in = unpack_of(out.data, out.size);
    cr_assert_eq(unpack_token(&in).type, PACK_NIL);
    cr_assert_eq(unpack_token(&in).flag, true);
    cr_assert_eq(unpack_token(&in).flag, false);
    cr_assert_eq(unpack_bin(&in, 2).size, 2);
    cr_assert_eq(unpack_token(&in).ext, 1);
    pack_token_t ext = unpack_token(&in);
    cr_assert(ext.type == PACK_EXT && ext.ext == 2 && ext.bytes.size == 20);
    cr_assert_eq(unpack_array(&in), 1);
    cr_assert_eq(unpack_map(&in), 0);
    cr_assert(!in.wrong && in.next == in.end);
    pack_fini(&out);
}

Test(pack, no_input_is_an_error_and_not_foreign_memory)
{
    edge_t edge = edge_open();
    unpack_t in = unpack_of(edge_put(&edge, "", 0), 0);
    cr_assert_eq(unpack_token(&in).type, PACK_BAD);
    WRONG(in, "msgpack");
    in = unpack_of(NULL, 0);
    cr_assert_eq(unpack_u64(&in), 0);
    WRONG(in, "msgpack");
    edge_close(&edge);
}

// Every vector and every proper prefix of it, flush against the end of memory.
static void check_prefixes(edge_t *edge, const char *bytes, size_t size)
{
    for (size_t cut = 0; cut <= size; cut++) {
        unpack_t in = unpack_of(edge_put(edge, bytes, cut), cut);
        unpack_skip(&in);
        cr_assert_eq(in.wrong == NULL, cut == size, "%zu of %zu bytes", cut, size);
    }
}

Test(pack, no_proper_prefix_is_a_value)
{
    edge_t edge = edge_open();
    for (size_t i = 0; i < COUNT(vector_integers); i++)
        check_prefixes(&edge, vector_integers[i].bytes, vector_integers[i].size);
    for (size_t i = 0; i < COUNT(vector_floats); i++)
        check_prefixes(&edge, vector_floats[i].bytes, vector_floats[i].size);
    for (size_t i = 0; i < COUNT(vector_texts); i++)
        check_prefixes(&edge, vector_texts[i].bytes, vector_texts[i].size);
    edge_close(&edge);
}

Test(pack, claims_of_4_g_are_refused_at_once)
{
    static const char *const claims[] = {
        "\xdd\xff\xff\xff\xff\x01\x02", "\xdf\xff\xff\xff\xff\x01\x02",
        "\xdb\xff\xff\xff\xff\x61\x62", "\xc6\xff\xff\xff\xff\x61\x62",
        "\xc9\xff\xff\xff\xff\x01\x62",
    };
    for (size_t i = 0; i < COUNT(claims); i++) {
        unpack_t in = unpack_of(claims[i], 7);
        cr_assert_eq(unpack_token(&in).type, PACK_BAD, "claim %zu", i);
        WRONG(in, "msgpack");
    }
}

Test(pack, the_one_byte_that_means_nothing_is_refused)
{
    unpack_t in = unpack_of("\xc1\x01", 2);
    cr_assert_eq(unpack_token(&in).type, PACK_BAD);
    WRONG(in, "msgpack");
}

Test(pack, sixteen_levels_are_a_value_and_seventeen_are_not)
{
    uint8_t deep[20];
    memset(deep, 0x91, sizeof deep);
    deep[16] = 0xc0;
    unpack_t in = unpack_of(deep, 17);
    unpack_skip(&in);
    cr_assert_null(in.wrong);
    deep[16] = 0x91;
    deep[17] = 0xc0;
    in = unpack_of(deep, 18);
    unpack_skip(&in);
    WRONG(in, "msgpack");
}

Test(pack, a_million_levels_end_quickly)
{
    size_t size = 1000000;
    uint8_t *deep = malloc(size);
    memset(deep, 0x91, size);
    unpack_t in = unpack_of(deep, size);
    unpack_skip(&in);
    WRONG(in, "msgpack");
    free(deep);
}

Test(pack, an_empty_container_at_the_last_level_is_fine)
{
    uint8_t deep[16];
    memset(deep, 0x91, sizeof deep);
    deep[15] = 0x90;
    unpack_t in = unpack_of(deep, sizeof deep);
    unpack_skip(&in);
    cr_assert_null(in.wrong);
}

Test(pack, the_budget_of_tokens_ends_a_long_envelope)
{
    uint8_t many[MOB_TOKENS_MAX + 8];
    memset(many, 0, sizeof many);
    pack_t head = {.data = many, .room = sizeof many, .fixed = true};
    pack_array(&head, MOB_TOKENS_MAX - 1);
    unpack_t in = unpack_of(many, sizeof many);
    unpack_skip(&in);
    cr_assert_null(in.wrong);
    head.size = 0;
    pack_array(&head, MOB_TOKENS_MAX);
    in = unpack_of(many, sizeof many);
    unpack_skip(&in);
    WRONG(in, "limit");
}

Test(pack, numbers_are_never_truncated_or_coerced)
{
    unpack_t in = unpack_of("\xce\xff\xff\xff\xff", 5);
    cr_assert_eq(unpack_u32(&in), UINT32_MAX);
    in = unpack_of("\xcf\x00\x00\x00\x01\x00\x00\x00\x00", 9);
    cr_assert_eq(unpack_u32(&in), 0);
    WRONG(in, "range");
    in = unpack_of("\xff", 1);
    cr_assert_eq(unpack_u64(&in), 0);
    WRONG(in, "range");
    in = unpack_of("\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9);
    cr_assert_eq(unpack_i64(&in), 0);
    WRONG(in, "range");
    in = unpack_of("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", 9);
    cr_assert_eq(unpack_u64(&in), 0);
    WRONG(in, "type");
    in = unpack_of("\xa1"
                   "7",
                   2);
    cr_assert_eq(unpack_i64(&in), 0);
    WRONG(in, "type");
}

Test(pack, the_first_error_stays_and_all_after_it_is_zero)
{
    unpack_t in = unpack_of("\xc0\x05\xa1x", 4);
    cr_assert_eq(unpack_u64(&in), 0);
    cr_assert_eq(unpack_u64(&in), 0);
    cr_assert_eq(unpack_str(&in, 9).size, 0);
    cr_assert_eq(unpack_array(&in), 0);
    WRONG(in, "type");
}

Test(pack, a_text_above_its_limit_is_refused)
{
    unpack_t in = unpack_of("\xa3"
                            "abc",
                            4);
    cr_assert_eq(unpack_str(&in, 2).size, 0);
    WRONG(in, "limit");
}

Test(pack, memory_that_is_not_ours_never_grows)
{
    uint8_t room[12];
    pack_t out = {.data = room, .room = sizeof room, .fixed = true};
    pack_u64(&out, 1);
    cr_assert_not(out.failed);
    pack_str(&out, "does not fit", 12);
    cr_assert(out.failed);
    size_t size = out.size;
    pack_u64(&out, 2);
    cr_assert_eq(out.size, size, "what comes after a failure is ignored");
}

Test(pack, a_length_above_32_bits_fails)
{
    pack_t out = PACK_INIT;
    pack_bin(&out, "", (size_t)UINT32_MAX + 1);
    cr_assert(out.failed);
    pack_fini(&out);
}
