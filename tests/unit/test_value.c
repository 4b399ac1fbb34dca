// test_value.c - values of the API: every kind comes back, readers and writers are sticky, and
// dependencies are put into their places.

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "limit.h"
#include "value.h"

static mob_writer_t writer;
static arena_t arena;

static void begin(void)
{
    writer_init(&writer);
}

static void end(void)
{
    writer_fini(&writer);
    arena_clear(&arena);
}

TestSuite(value, .init = begin, .fini = end);

#define PUT(K, field, ...) \
    mob_write(&writer, (mob_value_t){.kind = MOB_KIND_##K, .field = __VA_ARGS__})
#define TEXT(text) ((mob_bytes_t){text, sizeof text - 1})

static load_t written(void)
{
    return load_bytes(writer.pack.data, writer.pack.size);
}

static mob_reader_t reader(void)
{
    return reader_of(written(), &arena);
}

Test(value, every_kind_comes_back)
{
    PUT(NIL, i64, 0);
    PUT(FLAG, flag, true);
    PUT(I64, i64, INT64_MIN);
    PUT(F64, f64, 0.1);
    PUT(STR, bytes, TEXT("h\xc3\xa9llo"));
    PUT(BYTES, bytes, TEXT("\0\1"));
    PUT(REF, ref, {1, UINT64_MAX});
    PUT(ACTOR, actor, {UINT64_MAX, 2, 3});
    cr_assert_eq(writer.err, MOB_OK);
    mob_reader_t r = reader();
    cr_assert_eq(mob_read(&r, MOB_KIND_NIL).kind, MOB_KIND_NIL);
    cr_assert_eq(mob_read(&r, MOB_KIND_FLAG).flag, true);
    cr_assert_eq(mob_read(&r, MOB_KIND_I64).i64, INT64_MIN);
    cr_assert_eq(mob_read(&r, MOB_KIND_F64).f64, 0.1);
    mob_value_t text = mob_read(&r, MOB_KIND_STR);
    cr_assert_eq(text.bytes.size, 6);
    cr_assert_str_eq(text.bytes.data, "h\xc3\xa9llo");
    cr_assert_arr_eq(mob_read(&r, MOB_KIND_BYTES).bytes.data, "\0\1", 2);
    cr_assert(mob_same(mob_read(&r, MOB_KIND_REF).ref, (mob_ref_t){1, UINT64_MAX}));
    mob_actor_t actor = mob_read(&r, MOB_KIND_ACTOR).actor;
    cr_assert(actor.owner == UINT64_MAX && actor.seq == 2 && actor.incarnation == 3);
    cr_assert(r.err == MOB_OK && r.next == r.end);
}

Test(value, a_tree_is_written_at_once_and_read_one_by_one)
{
    const mob_value_t inner[] = {{.kind = MOB_KIND_I64, .i64 = 1}, {.kind = MOB_KIND_I64, .i64 = -2}};
    const mob_value_t pairs[] = {{.kind = MOB_KIND_STR, .bytes = TEXT("list")},
                                 {.kind = MOB_KIND_LIST, .list = {inner, 2}}};
    PUT(MAP, list, {pairs, 1});
    mob_reader_t r = reader();
    cr_assert_eq(mob_read(&r, MOB_KIND_MAP).list.count, 1);
    cr_assert_str_eq(mob_read(&r, MOB_KIND_STR).bytes.data, "list");
    cr_assert_eq(mob_read(&r, MOB_KIND_LIST).list.count, 2);
    cr_assert_eq(mob_read(&r, MOB_KIND_I64).i64, 1);
    cr_assert_eq(mob_read(&r, MOB_KIND_I64).i64, -2);
    cr_assert(r.err == MOB_OK && r.next == r.end);
}

Test(value, any_takes_what_comes)
{
    PUT(I64, i64, 5);
    PUT(ACTOR, actor, {1, 2, 3});
    PUT(STR, bytes, TEXT("x"));
    mob_reader_t r = reader();
    cr_assert_eq(mob_read(&r, MOB_KIND_ANY).kind, MOB_KIND_I64);
    cr_assert_eq(mob_read(&r, MOB_KIND_ANY).kind, MOB_KIND_ACTOR);
    cr_assert_eq(mob_read(&r, MOB_KIND_ANY).kind, MOB_KIND_STR);
}

Test(value, flags_take_0_and_1_and_floats_any_integer)
{
    PUT(I64, i64, 1);
    PUT(I64, i64, 0);
    PUT(I64, i64, -7);
    pack_u64(&writer.pack, UINT64_MAX);
    PUT(I64, i64, 2);
    mob_reader_t r = reader();
    cr_assert_eq(mob_read(&r, MOB_KIND_FLAG).flag, true);
    cr_assert_eq(mob_read(&r, MOB_KIND_FLAG).flag, false);
    cr_assert_eq(mob_read(&r, MOB_KIND_F64).f64, -7.0);
    cr_assert_eq(mob_read(&r, MOB_KIND_F64).f64, 18446744073709551616.0);
    cr_assert_eq(r.err, MOB_OK);
    cr_assert_eq(mob_read(&r, MOB_KIND_FLAG).flag, false);
    cr_assert_eq(r.err, MOB_EARGS, "2 is no flag");
}

Test(value, another_kind_is_an_error_that_stays)
{
    PUT(I64, i64, 5);
    mob_reader_t r = reader();
    mob_value_t text = mob_read(&r, MOB_KIND_STR);
    cr_assert_str_eq(text.bytes.data, "");
    cr_assert_eq(r.err, MOB_EARGS);
    cr_assert_eq(mob_read(&r, MOB_KIND_I64).i64, 0, "sticky");
    cr_assert_eq(mob_read(&r, MOB_KIND_LIST).list.count, 0);
    cr_assert_null(mob_read(&r, MOB_KIND_RAW).bytes.data);
}

Test(value, reading_past_the_end_is_an_error)
{
    mob_reader_t r = reader_of((load_t){0}, &arena);
    cr_assert_eq(mob_read(&r, MOB_KIND_I64).i64, 0);
    cr_assert_eq(r.err, MOB_EARGS);
}

Test(value, an_integer_above_the_range_is_an_error)
{
    pack_u64(&writer.pack, (uint64_t)INT64_MAX + 1);
    mob_reader_t r = reader();
    mob_read(&r, MOB_KIND_I64);
    cr_assert_eq(r.err, MOB_EARGS);
}

Test(value, exts_of_a_wrong_size_or_type_are_errors)
{
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {{"\xd4\x01x", 3}, {"\xd4\x02x", 3}, {"\xd5\x03\x00\x00", 4}, {"\xd4\xffx", 3}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (mob_kind_t kind = MOB_KIND_NIL; kind <= MOB_KIND_ANY; kind++) {
            mob_reader_t r = reader_of(load_bytes(bad[i].bytes, bad[i].size), &arena);
            mob_read(&r, kind);
            cr_assert(r.err == MOB_EARGS || kind == MOB_KIND_RAW, "row %zu, kind %d", i, (int)kind);
        }
}

Test(value, raw_carries_a_value_unread)
{
    const mob_value_t items[] = {{.kind = MOB_KIND_I64, .i64 = 300}, {.kind = MOB_KIND_NIL}};
    PUT(LIST, list, {items, 2});
    PUT(I64, i64, 9);
    mob_reader_t r = reader();
    mob_bytes_t raw = mob_read(&r, MOB_KIND_RAW).bytes;
    cr_assert_eq(raw.size, 5);
    cr_assert_eq(mob_read(&r, MOB_KIND_I64).i64, 9);
    mob_writer_t again;
    writer_init(&again);
    mob_write(&again, (mob_value_t){.kind = MOB_KIND_RAW, .bytes = raw});
    cr_assert_eq(again.pack.size, 5);
    cr_assert_arr_eq(again.pack.data, writer.pack.data, 5);
    writer_fini(&again);
}

Test(value, raw_of_nothing_writes_nothing_and_raw_of_half_a_value_is_an_error)
{
    PUT(RAW, bytes, {NULL, 0});
    cr_assert(writer.err == MOB_OK && writer.pack.size == 0);
    PUT(RAW, bytes, TEXT("\x92\x01"));
    cr_assert(writer.err == MOB_EARGS && writer.pack.size == 0);
}

Test(value, raw_inside_a_list_is_one_item)
{
    const mob_value_t two[] = {{.kind = MOB_KIND_RAW, .bytes = TEXT("\x01\x02")}};
    PUT(LIST, list, {two, 1});
    cr_assert_eq(writer.err, MOB_EARGS);
}

typedef struct point {
    double x, y;
} point_t;

static void pack_point(mob_writer_t *to, const void *from)
{
    const point_t *point = from;
    const mob_value_t fields[] = {{.kind = MOB_KIND_F64, .f64 = point->x},
                                  {.kind = MOB_KIND_F64, .f64 = point->y}};
    mob_write(to, (mob_value_t){.kind = MOB_KIND_LIST, .list = {fields, 2}});
}

Test(value, a_record_packs_itself)
{
    const point_t point = {1.5, -2};
    PUT(RECORD, record, {&point, pack_point});
    mob_reader_t r = reader();
    cr_assert_eq(mob_read(&r, MOB_KIND_LIST).list.count, 2);
    cr_assert_eq(mob_read(&r, MOB_KIND_F64).f64, 1.5);
    cr_assert_eq(mob_read(&r, MOB_KIND_F64).f64, -2.0);
}

// A list in a list, so many levels deep.
static void write_deep(size_t levels)
{
    mob_value_t values[64] = {{.kind = MOB_KIND_NIL}};
    for (size_t i = 1; i <= levels; i++)
        values[i] = (mob_value_t){.kind = MOB_KIND_LIST, .list = {&values[i - 1], 1}};
    mob_write(&writer, values[levels]);
}

Test(value, sixteen_levels_and_no_more)
{
    write_deep(MOB_DEPTH_MAX);
    cr_assert_eq(writer.err, MOB_OK);
    cr_assert(value_check(written(), NULL));
    writer_clear(&writer);
    write_deep(MOB_DEPTH_MAX + 1);
    cr_assert_eq(writer.err, MOB_ELIMIT);
}

Test(value, a_payload_above_its_limit_is_refused)
{
    static char big[MOB_OBJECT_MAX + 1];
    PUT(BYTES, bytes, {big, MOB_OBJECT_MAX});
    cr_assert_eq(writer.err, MOB_OK);
    cr_assert_leq(writer.pack.size, (size_t)MOB_LOAD_MAX);
    PUT(BYTES, bytes, {big, MOB_HEADS_MAX});
    cr_assert_eq(writer.err, MOB_ELIMIT);
    writer_clear(&writer);
    PUT(BYTES, bytes, {big, sizeof big});
    cr_assert_eq(writer.err, MOB_ELIMIT);
    PUT(NIL, i64, 0);
    cr_assert_eq(writer.pack.size, 0, "sticky");
}

Test(value, kinds_that_cannot_be_written_are_errors)
{
    PUT(ANY, i64, 0);
    cr_assert_eq(writer.err, MOB_EARGS);
    writer_clear(&writer);
    PUT(LIST, list, {NULL, 3});
    cr_assert_eq(writer.err, MOB_EARGS);
    writer_clear(&writer);
    PUT(STR, bytes, {NULL, 0});
    cr_assert_eq(writer.err, MOB_OK, "a text that is not there is empty");
}

// ---- Dependencies -------------------------------------------------------------------------------

Test(value, dependencies_are_listed_once_in_the_order_met)
{
    const mob_value_t items[] = {{.kind = MOB_KIND_DEP, .ref = {1, 5}},
                                 {.kind = MOB_KIND_DEP, .ref = {1, 4}},
                                 {.kind = MOB_KIND_DEP, .ref = {1, 5}}};
    PUT(LIST, list, {items, 3});
    cr_assert_eq(writer.deps.count, 2);
    cr_assert(mob_same(writer.deps.items[0], (mob_ref_t){1, 5}));
    cr_assert(mob_same(writer.deps.items[1], (mob_ref_t){1, 4}));
}

Test(value, dependencies_are_replaced_by_their_values)
{
    const mob_value_t items[] = {{.kind = MOB_KIND_DEP, .ref = {1, 5}},
                                 {.kind = MOB_KIND_I64, .i64 = 2},
                                 {.kind = MOB_KIND_DEP, .ref = {1, 4}}};
    PUT(LIST, list, {items, 3});
    PUT(DEP, ref, {1, 5});
    const load_t deps[] = {load_bytes("\xa1x", 2), load_bytes("\x92\x07\x08", 3)};
    pack_t out = PACK_INIT;
    cr_assert(value_splice(&out, written(), deps, 2));
    cr_assert_eq(out.size, 9);
    cr_assert_arr_eq(out.data, "\x93\xa1x\x02\x92\x07\x08\xa1x", 9);
    pack_fini(&out);
}

Test(value, arguments_without_dependencies_are_copied)
{
    PUT(I64, i64, 5);
    pack_t out = PACK_INIT;
    cr_assert(value_splice(&out, written(), NULL, 0));
    cr_assert(out.size == 1 && out.data[0] == 5);
    cr_assert(value_splice(&out, (load_t){0}, NULL, 0));
    cr_assert_eq(out.size, 1);
    pack_fini(&out);
}

static bool splices(const char *args, size_t size, load_t dep)
{
    pack_t out = PACK_INIT;
    bool done = value_splice(&out, load_bytes(args, size), &dep, 1);
    pack_fini(&out);
    return done;
}

Test(value, a_splice_refuses_what_would_shift_the_arguments)
{
    const load_t one = load_bytes("\x01", 1);
    cr_assert(splices("\xd5\x03\x00\x00", 4, one));
    cr_assert(splices("\xd5\x03\x00\x00", 4, (load_t){0}), "no bytes at all are nil");
    cr_assert_not(splices("\xd5\x03\x00\x01", 4, one), "index out of range");
    cr_assert_not(splices("\xd4\x03\x00", 3, one), "index of one byte");
    cr_assert_not(splices("\xd5\x03\x00\x00", 4, load_bytes("\x01\x02", 2)), "two values");
    cr_assert_not(splices("\xd5\x03\x00\x00", 4, load_bytes("\x92\x02", 2)), "half a value");
    cr_assert_not(splices("\x92\xd5\x03\x00\x00", 5, one), "half the arguments");
    cr_assert_not(splices("\xc1", 1, one));
}

// Found among many as among few, and each time the writer is used again.
Test(value, dependencies_are_found_among_many)
{
    for (uint64_t count = 1; count <= 100; count++) {
        writer_clear(&writer);
        for (uint64_t i = 0; i < 3 * count; i++)
            PUT(DEP, ref, {1 + i % count % 2, 1 + i % count});
        cr_assert_eq(writer.deps.count, count);
        const uint8_t last[] = {0xd5, 3, 0, (uint8_t)(count - 1)};
        cr_assert_arr_eq(writer.pack.data + writer.pack.size - 4, last, 4);
    }
}

Test(value, at_most_16384_dependencies)
{
    for (uint64_t i = 0; i < MOB_DEPS_MAX; i++)
        PUT(DEP, ref, {1, i + 1});
    PUT(DEP, ref, {1, 1});
    cr_assert_eq(writer.err, MOB_OK, "the last one is one of them");
    cr_assert_eq(writer.deps.count, MOB_DEPS_MAX);
    PUT(DEP, ref, {1, MOB_DEPS_MAX + 1});
    cr_assert_eq(writer.err, MOB_ELIMIT);
}

// ---- Bad bytes, memory, JSON --------------------------------------------------------------------

Test(value, no_bytes_do_harm_to_a_reader)
{
    uint64_t state = 7;
    uint8_t bytes[24];
    for (int round = 0; round < 200000; round++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = (uint8_t)(state >> 56);
        }
        mob_reader_t r = reader_of(load_bytes(bytes, sizeof bytes), &arena);
        for (size_t i = 0; !r.err; i++) {
            mob_read(&r, round % 2 ? MOB_KIND_ANY : MOB_KIND_RAW);
            cr_assert_leq(i, sizeof bytes);
        }
        if (round % 1000 == 0)
            arena_clear(&arena);
    }
}

Test(value, pieces_of_an_arena_are_zeroed_and_aligned)
{
    size_t sizes[] = {1, 17, 5000, 16, 0, 900, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *piece = arena_alloc(&arena, sizes[i]);
        cr_assert_not_null(piece);
        cr_assert_eq((uintptr_t)piece % 16, 0);
        for (size_t at = 0; at < sizes[i]; at++)
            cr_assert_eq(piece[at], 0);
        memset(piece, 0xff, sizes[i]);
    }
    cr_assert_null(arena_alloc(&arena, SIZE_MAX));
    arena_clear(&arena);
    cr_assert_null(arena.first);
}

static void expect_json(const char *wanted)
{
    char *text = NULL;
    cr_assert(value_json(written(), &text), "%s", wanted);
    cr_assert_str_eq(text, wanted);
    free(text);
    writer_clear(&writer);
}

Test(value, json_of_every_kind)
{
    expect_json("null");
    PUT(NIL, i64, 0);
    expect_json("null");
    PUT(FLAG, flag, true);
    expect_json("true");
    PUT(I64, i64, INT64_MIN);
    expect_json("-9223372036854775808");
    PUT(F64, f64, 0.1);
    expect_json("0.1");
    PUT(F64, f64, 1.0 / 3);
    expect_json("0.33333333333333331");
    PUT(F64, f64, NAN);
    expect_json("null");
    PUT(STR, bytes, TEXT("a\"\\\n\x01\xc3\xa9\xff"));
    expect_json("\"a\\\"\\\\\\n\\u0001\xc3\xa9\\ufffd\"");
    PUT(BYTES, bytes, TEXT("foob"));
    expect_json("\"Zm9vYg==\"");
    PUT(BYTES, bytes, TEXT("fooba"));
    expect_json("\"Zm9vYmE=\"");
    PUT(BYTES, bytes, TEXT("foobar"));
    expect_json("\"Zm9vYmFy\"");
    PUT(REF, ref, {0x9f3ac41b22d0e871, 17});
    expect_json("\"9f3ac41b22d0e871.17\"");
    PUT(ACTOR, actor, {1, 2, 3});
    expect_json("\"0000000000000001.2\"");
}

Test(value, json_of_containers)
{
    const mob_value_t list[] = {{.kind = MOB_KIND_I64, .i64 = 1},
                                {.kind = MOB_KIND_STR, .bytes = TEXT("x")}};
    const mob_value_t pairs[] = {
        {.kind = MOB_KIND_STR, .bytes = TEXT("a")}, {.kind = MOB_KIND_LIST, .list = {list, 2}},
        {.kind = MOB_KIND_I64, .i64 = 7},           {.kind = MOB_KIND_MAP, .list = {NULL, 0}},
        {.kind = MOB_KIND_LIST, .list = {list, 2}}, {.kind = MOB_KIND_NIL}};
    PUT(MAP, list, {pairs, 3});
    expect_json("{\"a\":[1,\"x\"],\"7\":{},\"[1,\\\"x\\\"]\":null}");
}

Test(value, json_refuses_what_is_not_one_value)
{
    char *text = NULL;
    cr_assert_not(value_json(load_bytes("\x01\x02", 2), &text));
    cr_assert_not(value_json(load_bytes("\x92\x02", 2), &text));
    cr_assert_not(value_json(load_bytes("\xd5\x03\x00\x00", 4), &text));
    cr_assert_null(text);
}
