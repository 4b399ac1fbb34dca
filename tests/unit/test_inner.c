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
