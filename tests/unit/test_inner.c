// test_inner.c - the refs inside a payload: what a writer notes beside it, and what is found in it again.

#include <criterion/criterion.h>

#include "inner.h"
#include "limit.h"
#include "value.h"

static mob_writer_t writer;
static pack_t found;

static void begin(void)
{
    writer_init(&writer);
    found = PACK_INIT;
}

static void end(void)
{
    writer_fini(&writer);
    pack_fini(&found);
}

TestSuite(inner, .init = begin, .fini = end);

static const mob_ref_t ONE = {1, 2}, OTHER = {UINT64_MAX, UINT64_MAX};
static const mob_actor_t ACTOR = {7, 8, 9};

static mob_value_t ref_of(mob_ref_t ref)
{
    return (mob_value_t){.kind = MOB_KIND_REF, .ref = ref};
}

static load_t written(void)
{
    return load_bytes(writer.pack.data, writer.pack.size);
}

static load_t noted(void)
{
    return load_bytes(writer.inner.data, writer.inner.size);
}

static void write_some(void)
{
    const mob_value_t items[] = {
        {.kind = MOB_KIND_I64, .i64 = 3}, ref_of(OTHER), {.kind = MOB_KIND_ACTOR, .actor = ACTOR}};
    mob_write(&writer, ref_of(ONE));
    mob_write(&writer, (mob_value_t){.kind = MOB_KIND_LIST, .list = {items, 3}});
    mob_write(&writer, (mob_value_t){.kind = MOB_KIND_DEP, .ref = {5, 6}});
    mob_write(&writer, ref_of((mob_ref_t){0, 0}));
}

static void must_be_these(load_t refs)
{
    cr_assert_eq(inner_count(refs), 3u);
    cr_assert(mob_same(inner_at(refs, 0), ONE));
    cr_assert(mob_same(inner_at(refs, 1), OTHER));
    cr_assert(mob_same(inner_at(refs, 2), mob_ready(ACTOR)));
}

Test(inner, a_writer_notes_refs_and_handles_wherever_they_stand)
{
    write_some();
    cr_assert_eq(writer.err, MOB_OK);
    must_be_these(noted());
}

Test(inner, a_cleared_writer_has_none)
{
    write_some();
    writer_clear(&writer);
    cr_assert_eq(noted().size, 0u);
}

Test(inner, they_are_found_again_in_the_values)
{
    write_some();
    cr_assert(inner_find(written(), &found));
    must_be_these(load_bytes(found.data, found.size));
}

Test(inner, encoded_values_handed_on_are_looked_through)
{
    write_some();
    mob_writer_t copy;
    writer_init(&copy);
    mob_write(&copy, (mob_value_t){.kind = MOB_KIND_RAW,
                                   .bytes = {writer.pack.data, writer.pack.size - 4 - 18}});
    cr_assert_eq(copy.err, MOB_OK);
    must_be_these(load_bytes(copy.inner.data, copy.inner.size));
    writer_fini(&copy);
}

Test(inner, what_is_no_value_holds_none)
{
    cr_assert_not(inner_find(load_bytes("\xc7\x10", 2), &found));
}

Test(inner, more_than_the_limit_are_refused_by_name)
{
    for (int i = 0; i <= MOB_INNER_MAX && !writer.err; i++) {
        writer.pack.size = 0; // else the size of the values would be the first limit
        mob_write(&writer, ref_of(ONE));
    }
    cr_assert_eq(writer.err, MOB_ELIMIT);
    cr_assert_eq(inner_count(noted()), MOB_INNER_MAX + 1u);
}

Test(inner, a_field_splits_what_one_frame_cannot_take)
{
    const uint32_t count = MOB_INNER_MAX;
    for (uint32_t i = 0; i < count; i++)
        inner_put(&found, (mob_ref_t){7, i + 1});
    load_t loads[INNER_LOADS_MAX];
    const uint8_t kept[INNER_SIZE] = {1};
    loads_t inner =
        inner_of(loads, load_bytes(found.data, found.size), load_bytes(kept, sizeof kept));
    cr_assert_eq(inner.count, (uint32_t)INNER_LOADS_MAX);
    cr_assert_eq(inner_total(inner), count);
    cr_assert_eq(inner_count(inner_kept(inner)), 1u);
    mob_ref_t ref;
    uint32_t met = 0;
    for (inner_walk_t walk = inner_walk(inner); inner_next(&walk, &ref);)
        cr_assert_eq(ref.seq, ++met);
    cr_assert_eq(met, count);
}

Test(inner, no_refs_are_no_field)
{
    load_t loads[INNER_LOADS_MAX];
    loads_t inner = inner_of(loads, (load_t){0}, (load_t){0});
    mob_ref_t ref;
    inner_walk_t walk = inner_walk(inner);
    cr_assert_eq(inner.count, 0u);
    cr_assert_eq(inner_kept(inner).size, 0u);
    cr_assert_not(inner_next(&walk, &ref));
}
