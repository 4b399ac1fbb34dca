// test_gather.c - arguments that come in parts, put together in any order.

#include <criterion/criterion.h>
#include <string.h>

#include "gather.h"
#include "value.h"

static mob_t *session;

static void open_session(void)
{
    session = session_new(&(mob_config_t){.endpoint = "ipc:///tmp/mobula-nobody/calls.sock"},
                          &(session_role_t){.role = ROLE_WORKER});
    session_lock(session);
}

static void close_session(void)
{
    session_unlock(session);
    session_close(&session, 0);
}

TestSuite(gather, .init = open_session, .fini = close_session, .timeout = 10);

static const mob_ref_t call = {7, 1};
static const load_t away = {.form = LOAD_AWAY, .size = 200000};

static gather_t *gather_of(load_t args, const load_t *deps, uint32_t count)
{
    gather_t *gather = gather_new(session, call, args, (loads_t){.items = deps, .count = count});
    cr_assert_not_null(gather);
    return gather;
}

static bool put(gather_t *gather, uint32_t part, const char *bytes, size_t size)
{
    blob_t *blob = blob_new(bytes, size);
    bool whole = gather_put(gather, part, blob);
    blob_drop(&blob);
    return whole;
}

static void is(gather_t *gather, const char *bytes, size_t size)
{
    blob_t *args = gather_args(gather);
    cr_assert_not_null(args);
    cr_assert_eq(args->size, size);
    cr_assert_arr_eq(args->data, bytes, size);
    blob_drop(&args);
    session_unfetch(session, call);
    gather_free(&gather);
}

Test(gather, only_what_is_elsewhere_is_waited_for)
{
    const load_t here[] = {load_bytes("\x05", 1)}, both[] = {here[0], away};
    cr_assert_not(gather_is_due(load_bytes("x", 1), (loads_t){.items = here, .count = 1}));
    cr_assert(gather_is_due(away, (loads_t){0}));
    cr_assert(gather_is_due(load_bytes("x", 1), (loads_t){.items = both, .count = 2}));
}

Test(gather, arguments_alone_are_what_came)
{
    gather_t *gather = gather_of(away, NULL, 0);
    cr_assert(put(gather, PART_ARGS, "\x01\x02", 2));
    is(gather, "\x01\x02", 2);
}

Test(gather, dependencies_stand_in_their_places)
{
    const load_t deps[] = {away, load_bytes("\x05", 1), away};
    gather_t *gather =
        gather_of(load_bytes("\x93\xd5\x03\x00\x02\xd5\x03\x00\x01\xd5\x03\x00\x00", 13), deps, 3);
    cr_assert_eq(gather->missing, 2);
    cr_assert_not(put(gather, PART_DEPS + 2, "\x07", 1));
    cr_assert_not(put(gather, PART_DEPS + 2, "\x08", 1), "the first one counts");
    cr_assert_not(put(gather, PART_DEPS + 9, "\x08", 1));
    cr_assert(put(gather, PART_DEPS, "\x03", 1));
    is(gather, "\x93\x07\x05\x03", 4);
}

Test(gather, a_dependency_that_is_all_is_not_copied)
{
    gather_t *gather = gather_of(load_bytes("\xd5\x03\x00\x00", 4), &away, 1);
    blob_t *value = blob_new("\x09", 1);
    cr_assert(gather_put(gather, PART_DEPS, value));
    blob_t *args = gather_args(gather);
    cr_assert_eq(args, value);
    blob_drop(&args);
    blob_drop(&value);
    session_unfetch(session, call);
    gather_free(&gather);
}

Test(gather, broken_values_are_no_arguments)
{
    static const char *const broken[] = {"\x01\x02", "\x92\x01"}; // two; half a one
    for (size_t i = 0; i < 2; i++) {
        gather_t *gather = gather_of(load_bytes("\xd5\x03\x00\x00", 4), &away, 1);
        cr_assert(put(gather, PART_DEPS, broken[i], 2));
        cr_assert_null(gather_args(gather));
        session_unfetch(session, call);
        gather_free(&gather);
    }
}
