// test_seen.c - the memory of answers: what is said again, what is forgotten, and what is never run
// twice.

#include <criterion/criterion.h>
#include <string.h>

#include "seen.h"

static seen_t seen;

static void close_seen(void)
{
    seen_fini(&seen);
}

TestSuite(seen, .fini = close_seen, .timeout = 10);

static const mob_ref_t task = {0, 0};

static mob_ref_t ref_of(uint64_t seq)
{
    return (mob_ref_t){7, seq};
}

static void answer(uint64_t seq, uint32_t attempt, const char *bytes)
{
    mob_ref_t ref = ref_of(seq);
    cr_assert(seen_add(&seen, &(seen_answer_t){.ref = ref,
                                               .attempt = attempt,
                                               .key = seen_key(ref, task),
                                               .bytes = bytes,
                                               .size = strlen(bytes)}));
}

static bool is_there(uint64_t seq, uint32_t attempt)
{
    uint64_t first, last;
    return seen_find(&seen, ref_of(seq), attempt, &first, &last);
}

static void expect(uint64_t seq, uint32_t attempt, const char *bytes)
{
    uint64_t first, last;
    cr_assert(seen_find(&seen, ref_of(seq), attempt, &first, &last));
    const seen_record_t *record = seen_at(&seen, last);
    cr_assert_eq(first, last);
    cr_assert_eq(record->size, strlen(bytes));
    cr_assert_eq(memcmp(seen_bytes(record), bytes, record->size), 0);
}

static uint64_t count_unacknowledged(void)
{
    uint64_t at = 0, count = 0;
    while (seen_unacknowledged(&seen, &at))
        count++;
    return count;
}

Test(seen, repeats_an_answer_byte_for_byte)
{
    answer(1, 0, "one");
    answer(2, 0, "an answer that is longer than a record holds in itself");
    expect(1, 0, "one");
    expect(2, 0, "an answer that is longer than a record holds in itself");
    cr_assert_not(is_there(3, 0));
}

Test(seen, an_attempt_is_a_run_of_its_own)
{
    answer(1, 0, "failed");
    cr_assert_not(is_there(1, 1));
    answer(1, 1, "well");
    expect(1, 0, "failed");
    expect(1, 1, "well");
}

Test(seen, a_large_value_is_held_as_the_frame_that_it_is)
{
    static uint8_t bytes[MOB_INLINE_MAX + 1];
    blob_t *blob = blob_new(bytes, sizeof bytes);
    mob_ref_t ref = ref_of(1);
    uint64_t first, last;
    cr_assert(seen_add(&seen, &(seen_answer_t){.ref = ref, .key = seen_key(ref, task), .blob = blob}));
    cr_assert_eq(blob->refs, 2);
    cr_assert(seen_find(&seen, ref, 0, &first, &last));
    cr_assert_eq(seen_at(&seen, last)->blob, blob);
    seen_fini(&seen);
    cr_assert_eq(blob->refs, 1);
    blob_drop(&blob);
}

// ---- Acknowledged or not ------------------------------------------------------------------------

Test(seen, what_is_not_acknowledged_is_said_again_in_order)
{
    for (uint64_t seq = 1; seq <= 5; seq++)
        answer(seq, 0, "x");
    seen_taken(&seen, 3);
    uint64_t at = 0;
    cr_assert_eq(seen_unacknowledged(&seen, &at)->ref.seq, 4);
    cr_assert_eq(seen_unacknowledged(&seen, &at)->ref.seq, 5);
    cr_assert_null(seen_unacknowledged(&seen, &at));
}

Test(seen, acknowledgements_count_from_each_hello)
{
    for (uint64_t seq = 1; seq <= 5; seq++)
        answer(seq, 0, "x");
    seen_taken(&seen, 3);
    seen_restart(&seen, true); // 4 and 5 are said again: they are the first two now
    seen_taken(&seen, 1);
    cr_assert_eq(count_unacknowledged(), 1);
    answer(6, 0, "x");
    seen_taken(&seen, 3);
    cr_assert_eq(count_unacknowledged(), 0);
    expect(4, 0, "x");
}

Test(seen, an_acknowledgement_of_more_than_was_said_is_no_harm)
{
    answer(1, 0, "x");
    seen_taken(&seen, 1000);
    cr_assert_eq(count_unacknowledged(), 0);
    answer(2, 0, "x");
    cr_assert_eq(count_unacknowledged(), 1);
}

Test(seen, a_repetition_waits_for_an_acknowledgement_of_its_own)
{
    answer(1, 0, "one");
    seen_taken(&seen, 1);
    seen_again(&seen, 0);
    cr_assert_eq(count_unacknowledged(), 1);
    expect(1, 0, "one");
}

// ---- Answers of several envelopes ---------------------------------------------------------------

static void answer_in_parts(uint64_t seq, int parts)
{
    mob_ref_t ref = ref_of(seq);
    for (int i = 0; i < parts; i++)
        cr_assert(seen_add(&seen, &(seen_answer_t){.ref = ref,
                                                   .key = seen_key(ref, task),
                                                   .bytes = "part",
                                                   .size = 4,
                                                   .item = i<parts - 1, .behind = i> 0}));
}

Test(seen, an_answer_in_parts_is_found_from_its_beginning)
{
    uint64_t first, last;
    answer(1, 0, "one");
    answer_in_parts(2, 4);
    answer(3, 0, "three");
    cr_assert(seen_find(&seen, ref_of(2), 0, &first, &last));
    cr_assert_eq(first, 1);
    cr_assert_eq(last, 4);
    expect(1, 0, "one");
    expect(3, 0, "three");
}

Test(seen, an_answer_in_parts_is_acknowledged_whole)
{
    answer(1, 0, "one");
    answer_in_parts(2, 3);
    seen_taken(&seen, 3);
    cr_assert_eq(count_unacknowledged(), 3);
    seen_restart(&seen, false);
    seen_taken(&seen, 2);
    cr_assert_eq(count_unacknowledged(), 3);
    seen_taken(&seen, 3);
    cr_assert_eq(count_unacknowledged(), 0);
}

Test(seen, an_answer_in_parts_without_its_beginning_is_forgotten)
{
    enum { PARTS = SEEN_KEPT_MAX / 2 };
    answer_in_parts(1, PARTS);
    seen_taken(&seen, PARTS);
    for (uint64_t i = 1; i <= SEEN_KEPT_MAX - PARTS; i++) {
        cr_assert(is_there(1, 0));
        answer(1 + i, 0, "x");
        seen_taken(&seen, PARTS + i);
    }
    cr_assert(is_there(1, 0));
    answer(SEEN_KEPT_MAX, 0, "x");
    cr_assert_not(is_there(1, 0));
    seen_restart(&seen, true);
    cr_assert(seen_forgot(&seen, ref_of(1), seen_key(ref_of(1), task)));
}

Test(seen, an_answer_in_parts_is_repeated_even_as_it_is_forgotten)
{
    enum { PARTS = SEEN_KEPT_MAX / 2 + 100 };
    uint64_t first, last;
    answer_in_parts(1, PARTS);
    seen_taken(&seen, PARTS);
    cr_assert(seen_find(&seen, ref_of(1), 0, &first, &last));
    for (uint64_t at = first; at <= last; at++) {
        cr_assert(mob_same(seen_at(&seen, at)->ref, ref_of(1)));
        seen_again(&seen, at);
    }
    cr_assert(seen_find(&seen, ref_of(1), 0, &first, &last));
    cr_assert_eq(last - first, PARTS - 1);
    cr_assert_eq(count_unacknowledged(), PARTS);
}

// ---- Bounds -------------------------------------------------------------------------------------

Test(seen, acknowledged_answers_are_forgotten_the_oldest_first)
{
    for (uint64_t seq = 1; seq <= 2 * SEEN_KEPT_MAX; seq++) {
        answer(seq, 0, "x");
        seen_taken(&seen, seq);
    }
    cr_assert_eq(seen.next - seen.first, SEEN_KEPT_MAX);
    cr_assert_not(is_there(SEEN_KEPT_MAX, 0));
    expect(SEEN_KEPT_MAX + 1, 0, "x");
    expect(2 * SEEN_KEPT_MAX, 0, "x");
    cr_assert_eq(seen.lost, 0);
}

Test(seen, an_answer_nobody_acknowledged_is_not_forgotten)
{
    for (uint64_t seq = 1; seq <= 4 * SEEN_KEPT_MAX; seq++)
        answer(seq, 0, "x");
    cr_assert_eq(count_unacknowledged(), 4 * SEEN_KEPT_MAX);
    expect(1, 0, "x");
}

Test(seen, beyond_all_bounds_the_oldest_is_lost_and_counted)
{
    for (uint64_t seq = 1; seq <= SEEN_RECORDS_MAX + 10; seq++)
        answer(seq, 0, "x");
    cr_assert_eq(seen.lost, 10);
    cr_assert_eq(count_unacknowledged(), SEEN_RECORDS_MAX);
}

Test(seen, memory_of_an_answer_is_used_for_the_next_one_in_its_place)
{
    const char *text = "an answer that is longer than a record holds in itself";
    for (uint64_t seq = 1; seq <= 3 * SEEN_KEPT_MAX; seq++) {
        answer(seq, 0, seq % 2 ? text : "short");
        seen_taken(&seen, seq);
    }
    expect(3 * SEEN_KEPT_MAX, 0, "short");
    expect(3 * SEEN_KEPT_MAX - 1, 0, text);
}

// ---- At most once over a broker that forgets ----------------------------------------------------

static void answer_and_forget(uint64_t count)
{
    for (uint64_t seq = 1; seq <= count; seq++) {
        answer(seq, 0, "x");
        seen_taken(&seen, seq);
    }
}

Test(seen, only_a_new_broker_can_ask_for_what_was_forgotten)
{
    mob_ref_t old = ref_of(5);
    answer_and_forget(SEEN_KEPT_MAX + 10);
    cr_assert_not(seen_forgot(&seen, old, seen_key(old, task)),
                  "this broker knows that it has run");
    seen_restart(&seen, true);
    cr_assert(seen_forgot(&seen, old, seen_key(old, task)));
    cr_assert_not(seen_forgot(&seen, ref_of(11), seen_key(ref_of(11), task)),
                  "that one is still here");
}

Test(seen, other_callers_and_other_actors_have_numbers_of_their_own)
{
    answer_and_forget(SEEN_KEPT_MAX + 10);
    seen_restart(&seen, true);
    mob_ref_t other = {8, 5}, actor = {1, 2};
    cr_assert_not(seen_forgot(&seen, other, seen_key(other, task)));
    cr_assert_not(seen_forgot(&seen, ref_of(5), seen_key(ref_of(5), actor)));
}

Test(seen, with_too_many_callers_more_is_refused_and_nothing_runs_twice)
{
    for (uint64_t i = 1; i <= SEEN_KEPT_MAX + SEEN_CALLERS_MAX + 100; i++) {
        mob_ref_t ref = {100 + i, 3};
        cr_assert(seen_add(
            &seen, &(seen_answer_t){.ref = ref, .key = seen_key(ref, task), .bytes = "x", .size = 1}));
        seen_taken(&seen, i);
    }
    seen_restart(&seen, true);
    mob_ref_t late = {100 + SEEN_CALLERS_MAX + 50, 3};
    uint64_t first, last;
    cr_assert_not(seen_find(&seen, late, 0, &first, &last));
    cr_assert(seen_forgot(&seen, late, seen_key(late, task)));
}
