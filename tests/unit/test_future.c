// The table of futures: found, settled once, gone; its values and failures.

#include "future.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

enum { OURS = 7 };

static mob_ref_t ours(uint64_t seq)
{
    return (mob_ref_t){OURS, seq};
}

static futures_t table_of(uint64_t first, uint64_t count)
{
    futures_t table;
    cr_assert(futures_init(&table, OURS));
    for (uint64_t i = 0; i < count; i++)
        cr_assert_not_null(futures_add(&table, ours(first + i)));
    return table;
}

static void forget(futures_t *table, mob_ref_t ref)
{
    future_t *future = futures_find(table, ref);
    cr_assert_not_null(future);
    futures_remove(table, &future);
    cr_assert_null(future);
}

Test(future, found_while_the_table_grows)
{
    futures_t table = table_of(1, 5000);
    cr_assert_eq(table.pending, 5000);
    for (uint64_t seq = 1; seq <= 5000; seq++)
        cr_assert_eq(futures_find(&table, ours(seq))->ref.seq, seq);
    cr_assert_null(futures_find(&table, ours(5001)));
    futures_fini(&table);
}

Test(future, gone_in_any_order)
{
    futures_t table = table_of(1, 3000);
    bool there[3001];
    memset(there, true, sizeof there);
    srand(1);
    for (int i = 0; i < 20000; i++) {
        uint64_t seq = 1 + (uint64_t)rand() % 3000;
        if (there[seq])
            forget(&table, ours(seq));
        else
            futures_add(&table, ours(seq));
        there[seq] = !there[seq];
    }
    size_t count = 0;
    for (uint64_t seq = 1; seq <= 3000; seq++) {
        cr_assert_eq(futures_find(&table, ours(seq)) != NULL, there[seq], "seq %lu",
                     (unsigned long)seq);
        count += there[seq];
    }
    cr_assert_eq(table.count, count);
    futures_fini(&table);
}

Test(future, others_share_the_table)
{
    futures_t table = table_of(1, 200);
    for (uint64_t owner = 100; owner < 110; owner++)
        for (uint64_t seq = 1; seq < 50; seq++)
            cr_assert(futures_add(&table, (mob_ref_t){owner, seq})->foreign);
    for (uint64_t seq = 1; seq <= 200; seq++)
        forget(&table, ours(seq));
    for (uint64_t owner = 100; owner < 110; owner++)
        for (uint64_t seq = 1; seq < 50; seq++)
            cr_assert_not_null(futures_find(&table, (mob_ref_t){owner, seq}));
    futures_fini(&table);
}

Test(future, a_row_that_moves_on_stays_cheap)
{
    futures_t table = table_of(1, 100);
    for (uint64_t seq = 101; seq < 100000; seq++) {
        forget(&table, ours(seq - 100));
        futures_add(&table, ours(seq));
    }
    cr_assert_eq(table.count, 100);
    cr_assert_eq(table.mask, 255); // it did not grow
    futures_fini(&table);
}

Test(future, a_small_value_is_copied_a_large_one_viewed)
{
    futures_t table = table_of(1, 2);
    blob_t *frame = blob_new("0123456789012345678901234567890123456789", 40);
    future_t *small = futures_find(&table, ours(1)), *large = futures_find(&table, ours(2));
    future_settle(&table, small, MOB_OK, load_bytes(frame->data + 1, 5), frame);
    future_settle(&table, large, MOB_OK, load_bytes(frame->data + 2, 30), frame);
    cr_assert_eq(frame->refs, 2);
    cr_assert_eq(memcmp(future_load(small).data, "12345", 5), 0);
    cr_assert_eq(future_load(large).data, frame->data + 2);
    cr_assert_eq(table.pending, 0);
    blob_drop(&frame);
    cr_assert_eq(memcmp(future_load(large).data, "234567", 6), 0,
                 "the view lasts as long as the future");
    futures_fini(&table);
}

Test(future, a_failure_made_here_keeps_its_texts)
{
    futures_t table = table_of(1, 1);
    future_t *future = futures_find(&table, ours(1));
    char reason[] = "no room";
    future_fail(&table, future, &(failure_t){.err = MOB_EFULL, .why = "PENDING", .reason = reason});
    memset(reason, 'x', sizeof reason - 1);
    const failure_t *failure = future_failure(future);
    cr_assert_eq(failure->root, MOB_EFULL);
    cr_assert_str_eq(failure->reason, "no room");
    cr_assert_str_eq(failure->why, "PENDING");
    cr_assert_str_eq(failure->log, "");
    futures_fini(&table);
}

Test(future, a_failure_that_came_is_read_when_asked_for)
{
    futures_t table = table_of(1, 1);
    future_t *future = futures_find(&table, ours(1));
    pack_t pack = PACK_INIT;
    cr_assert(failure_pack(
        &pack,
        &(failure_t){.err = MOB_ETASK, .code = 42, .executed = 2, .reason = "not a url: gopher"}));
    blob_t *frame = blob_new(pack.data, pack.size);
    future_settle(&table, future, MOB_ETASK, load_of(frame), NULL);
    blob_drop(&frame);
    pack_fini(&pack);
    cr_assert_eq(future_failure(future)->code, 42);
    cr_assert_str_eq(future_failure(future)->reason, "not a url: gopher");
    futures_fini(&table);
}

Test(future, a_failure_that_cannot_be_read_is_one_all_the_same)
{
    futures_t table = table_of(1, 1);
    future_t *future = futures_find(&table, ours(1));
    future_settle(&table, future, MOB_EDEAD, load_bytes("\xc1", 1), NULL);
    cr_assert_eq(future_failure(future)->err, MOB_EDEAD);
    cr_assert_gt(strlen(future_failure(future)->reason), 0);
    cr_assert_str_eq(future_failure(future)->trace, "");
    futures_fini(&table);
}

// ---- Values that are elsewhere ------------------------------------------------------------------

static const load_t elsewhere = {.form = LOAD_AWAY, .size = 200000};

Test(future, one_that_is_elsewhere_has_settled_and_comes_later)
{
    futures_t table = table_of(1, 1);
    future_t *future = futures_find(&table, ours(1));
    future->mark = ++table.mark;
    future_settle(&table, future, MOB_OK, elsewhere, NULL);
    cr_assert(future->settled && future_is_away(future));
    cr_assert_eq(table.pending, 0);
    cr_assert_eq(table.marked, 0);
    future->blob = blob_room(elsewhere.size);
    future_arrive(&table, future);
    cr_assert_not(future_is_away(future));
    cr_assert_eq(future_load(future).data, future->blob->data);
    cr_assert_eq(table.marked, 1);
    futures_fini(&table);
}

Test(future, what_was_stored_here_is_read_from_here)
{
    futures_t table = table_of(1, 2);
    future_t *good = futures_find(&table, ours(1)), *bad = futures_find(&table, ours(2));
    blob_t *own = blob_room(elsewhere.size);
    good->blob = blob_hold(own);
    bad->blob = blob_hold(own);
    future_settle(&table, good, MOB_OK, elsewhere, NULL);
    cr_assert_not(future_is_away(good));
    cr_assert_eq(good->data, own->data);
    future_settle(&table, bad, MOB_EFULL, load_bytes("no", 2), NULL);
    cr_assert_not(future_is_away(bad));
    cr_assert_eq(bad->err, MOB_EFULL);
    futures_fini(&table);
    cr_assert_eq(own->refs, 1);
    blob_drop(&own);
}

Test(future, one_that_is_lost_on_the_way_settles_anew)
{
    futures_t table = table_of(1, 1);
    future_t *future = futures_find(&table, ours(1));
    future_settle(&table, future, MOB_OK, elsewhere, NULL);
    future->blob = blob_room(elsewhere.size);
    future_reopen(&table, future);
    cr_assert_eq(table.pending, 1);
    future_fail(&table, future, &(failure_t){.err = MOB_EGONE, .reason = "lost"});
    cr_assert_not(future_is_away(future));
    cr_assert_eq(future->err, MOB_EGONE);
    cr_assert_str_eq(future_failure(future)->reason, "lost");
    futures_fini(&table);
}

Test(future, those_that_a_wait_marked_are_counted_as_they_come)
{
    futures_t table = table_of(1, 4);
    table.mark++;
    for (uint64_t seq = 1; seq <= 3; seq++)
        futures_find(&table, ours(seq))->mark = table.mark;
    future_settle(&table, futures_find(&table, ours(4)), MOB_OK, load_bytes("x", 1), NULL);
    cr_assert_eq(table.marked, 0);
    future_settle(&table, futures_find(&table, ours(1)), MOB_OK, load_bytes("x", 1), NULL);
    future_settle(&table, futures_find(&table, ours(2)), MOB_ETASK, load_bytes("x", 1), NULL);
    cr_assert_eq(table.marked, 2);
    cr_assert_eq(table.marked_failures, 1);
    table.mark++;
    future_settle(&table, futures_find(&table, ours(3)), MOB_OK, load_bytes("x", 1), NULL);
    cr_assert_eq(table.marked, 2, "of an earlier wait");
    futures_fini(&table);
}
