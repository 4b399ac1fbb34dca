// test_window.c - calls in hand: their order, what is given back, and when.

#include <criterion/criterion.h>
#include <string.h>

#include "value.h"
#include "window.h"

static window_t window;

static void close_window(void)
{
    window_fini(&window);
}

TestSuite(window, .fini = close_window, .timeout = 10);

enum { CALLER = 7, ACTOR = 9 };

static hand_t *add(enum hand_what what, uint64_t seq, uint64_t actor)
{
    hand_t *hand = window_place(&window);
    cr_assert_not_null(hand);
    hand->what = what;
    hand->ref = (mob_ref_t){CALLER, seq};
    hand->actor = (mob_ref_t){actor ? CALLER : 0, actor};
    window_push(&window, hand);
    return hand;
}

static uint64_t begin(void)
{
    hand_t *hand = window_begin(&window);
    return hand ? hand->ref.seq : 0;
}

static void done(void)
{
    window_done(&window, window.running.first);
}

Test(window, calls_begin_in_the_order_they_came)
{
    for (uint64_t seq = 1; seq <= 3; seq++)
        add(HAND_CALL, seq, 0);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        cr_assert_eq(begin(), seq);
        done();
    }
    cr_assert_eq(begin(), 0);
    cr_assert_eq(window.waiting, 0);
}

Test(window, one_taken_out_leaves_the_others_in_order)
{
    add(HAND_CALL, 1, 0);
    hand_t *second = add(HAND_CALL, 2, 0);
    hand_t *third = add(HAND_CALL, 3, 0);
    window_remove(&window, third);
    add(HAND_CALL, 4, 0);
    window_remove(&window, second);
    cr_assert_eq(begin(), 1);
    done();
    cr_assert_eq(begin(), 4);
    done();
    cr_assert_eq(begin(), 0);
}

Test(window, a_place_is_used_again)
{
    hand_t *first = add(HAND_CALL, 1, 0);
    begin();
    done();
    cr_assert_eq(add(HAND_CALL, 2, 0), first);
    cr_assert_eq(window.total, 1);
    cr_assert_not(first->cancelled);
}

Test(window, there_is_an_end_to_it)
{
    for (uint64_t seq = 1; seq <= WINDOW_CALLS_MAX; seq++)
        add(HAND_CALL, seq, 0);
    cr_assert_null(window_place(&window));
    begin();
    done();
    hand_t *place = window_place(&window);
    cr_assert_not_null(place, "one ended, one may come");
    window_return(&window, place);
}

Test(window, finds_what_waits_and_what_runs)
{
    add(HAND_CALL, 1, 0);
    add(HAND_CALL, 2, 0);
    begin();
    cr_assert_eq(window_find(&window, (mob_ref_t){CALLER, 1}), window.running.first);
    cr_assert_eq(window_find(&window, (mob_ref_t){CALLER, 2}), window.first);
    cr_assert_null(window_find(&window, (mob_ref_t){CALLER, 3}));
}

Test(window, one_whose_answer_was_put_off_stays_without_its_arguments)
{
    static uint8_t bytes[MOB_INLINE_MAX + 1];
    blob_t *blob = blob_new(bytes, sizeof bytes);
    hand_t *hands[3];
    for (uint64_t seq = 1; seq <= 3; seq++) {
        hands[seq - 1] = add(HAND_CALL, seq, ACTOR);
        cr_assert(hand_set_args(hands[seq - 1], load_of(blob), (loads_t){0}));
        cr_assert_eq(begin(), seq);
        hands[seq - 1]->promise = PROMISE_OPEN;
        done();
        cr_assert_eq(blob->refs, 1);
    }
    cr_assert_eq(window.open.count, 3);
    window_close(&window, hands[1]);
    cr_assert_null(window_find(&window, (mob_ref_t){CALLER, 2}));
    cr_assert_eq(window_find(&window, (mob_ref_t){CALLER, 3}), hands[2]);
    cr_assert_eq(window.open.first, hands[0]);
    window_close(&window, hands[0]);
    window_close(&window, hands[2]);
    cr_assert_null(window.open.first);
    cr_assert_eq(window.open.count, 0);
    blob_drop(&blob);
}

Test(window, those_that_were_put_off_leave_room_for_others)
{
    for (uint64_t seq = 1; seq <= 2; seq++) {
        add(HAND_CALL, seq, ACTOR)->promise = PROMISE_OPEN;
        begin();
        done();
    }
    for (uint64_t seq = 3; seq < 3 + WINDOW_CALLS_MAX; seq++)
        add(HAND_CALL, seq, ACTOR);
    cr_assert_null(window_place(&window));
}

// ---- Lanes --------------------------------------------------------------------------------------

static void add_in(uint8_t lane, uint64_t seq)
{
    add(HAND_CALL, seq, ACTOR)->lane = lane;
}

static void narrow(void) // a main lane and one beside it, each as wide as one body
{
    window.lanes[0].width = window.lanes[1].width = 1;
}

Test(window, a_full_lane_lets_others_pass)
{
    narrow();
    add_in(0, 1);
    add_in(0, 2);
    add_in(1, 3);
    cr_assert_eq(begin(), 1);
    cr_assert(window_has_next(&window));
    cr_assert_eq(begin(), 3);
    cr_assert_not(window_has_next(&window));
    cr_assert_eq(begin(), 0);
    done();
    cr_assert_eq(begin(), 2, "its lane is free");
}

Test(window, an_end_passes_no_lane)
{
    narrow();
    add_in(0, 1);
    cr_assert_eq(begin(), 1);
    add_in(0, 2);
    add(HAND_END, ACTOR, ACTOR);
    cr_assert_not(window_has_next(&window));
    cr_assert_eq(begin(), 0);
    done();
    cr_assert_eq(begin(), 2);
    done();
    cr_assert_eq(begin(), ACTOR);
}

// ---- Arguments ----------------------------------------------------------------------------------

Test(window, small_arguments_are_copied)
{
    char bytes[] = "\x01\x02";
    hand_t *hand = add(HAND_CALL, 1, 0);
    cr_assert(hand_set_args(hand, load_bytes(bytes, 2), (loads_t){0}));
    bytes[0] = 9;
    cr_assert_eq(hand->args.size, 2);
    cr_assert_eq(hand->args.data[0], 1);
}

Test(window, a_blob_is_held_until_the_call_is_done)
{
    static uint8_t bytes[MOB_INLINE_MAX + 1];
    blob_t *blob = blob_new(bytes, sizeof bytes);
    hand_t *hand = add(HAND_CALL, 1, 0);
    cr_assert(hand_set_args(hand, load_of(blob), (loads_t){0}));
    cr_assert_eq(blob->refs, 2);
    begin();
    done();
    cr_assert_eq(blob->refs, 1);
    blob_drop(&blob);
}

Test(window, values_of_dependencies_stand_in_their_places)
{
    batch_t batch = BATCH_INIT;
    load_t values[] = {load_bytes("\x05", 1)};
    msg_run_t run = {.ref = {1, 1},
                     .args = load_bytes("\xd5\x03\x00\x00\x07", 5),
                     .deps = {.items = values, .count = 1}};
    cr_assert(message_RUN(&batch, &run));
    batch_reader_t reader = batch_open(batch.pack.data, batch.pack.size, NULL, 0);
    message_t message;
    message_fault_t fault;
    cr_assert_eq(message_next(&reader, &message, &fault), MESSAGE_OK);
    hand_t *hand = add(HAND_CALL, 1, 0);
    cr_assert(hand_set_args(hand, message.run.args, message.run.deps));
    cr_assert_eq(hand->args.size, 2);
    cr_assert_eq(memcmp(hand->args.data, "\x05\x07", 2), 0);
    batch_fini(&batch);
}

// ---- Giving back --------------------------------------------------------------------------------

Test(window, gives_back_tasks_and_nothing_else)
{
    mob_ref_t refs[8];
    add(HAND_CALL, 1, 0);
    add(HAND_CALL, 2, 0);
    add(HAND_CALL, 3, ACTOR);
    add(HAND_END, 0, 0);
    begin();
    cr_assert_eq(window_give(&window, refs, 8), 1);
    cr_assert_eq(refs[0].seq, 2);
    cr_assert_eq(window.waiting, 2);
    cr_assert_eq(window.first->ref.seq, 3);
}

Test(window, gives_back_the_front_first_when_there_are_many)
{
    mob_ref_t refs[2];
    for (uint64_t seq = 1; seq <= 3; seq++)
        add(HAND_CALL, seq, 0);
    cr_assert_eq(window_give(&window, refs, 2), 2);
    cr_assert_eq(refs[0].seq, 1);
    cr_assert_eq(refs[1].seq, 2);
}

Test(window, a_body_is_slow_5_ms_after_it_was_found_running)
{
    bool slow;
    add(HAND_CALL, 1, 0);
    add(HAND_CALL, 2, 0);
    begin();
    int64_t due = window_slow(&window, 1000, &slow);
    cr_assert_not(slow);
    cr_assert_eq(due, 1000 + WINDOW_SLOW_US);
    window_slow(&window, due - 1, &slow);
    cr_assert_not(slow);
    cr_assert_eq(window_slow(&window, due, &slow), INT64_MAX);
    cr_assert(slow);
}

Test(window, the_next_body_has_its_own_5_ms)
{
    bool slow;
    for (uint64_t seq = 1; seq <= 3; seq++)
        add(HAND_CALL, seq, 0);
    begin();
    window_slow(&window, 1000, &slow);
    done();
    begin();
    cr_assert_eq(window_slow(&window, 1000 + WINDOW_SLOW_US, &slow), 1000 + 2 * WINDOW_SLOW_US);
    cr_assert_not(slow);
}

Test(window, tasks_that_come_behind_a_slow_body_are_given_back_at_once)
{
    bool slow;
    add(HAND_CALL, 1, 0);
    begin();
    cr_assert_eq(window_slow(&window, 1000, &slow), INT64_MAX, "nothing waits behind it");
    add(HAND_CALL, 2, 0);
    window_slow(&window, 1000 + WINDOW_SLOW_US, &slow);
    cr_assert(slow);
}

Test(window, knows_each_attempt_of_what_is_in_hand)
{
    add(HAND_CALL, 1, 0)->attempt = 2;
    cr_assert(window_holds(&window, (mob_ref_t){CALLER, 1}, 2));
    cr_assert_not(window_holds(&window, (mob_ref_t){CALLER, 1}, 1));
    begin();
    cr_assert(window_holds(&window, (mob_ref_t){CALLER, 1}, 2), "also while it runs");
    done();
    cr_assert_not(window_holds(&window, (mob_ref_t){CALLER, 1}, 2));
}

Test(window, finds_one_among_many_that_share_a_bucket)
{
    for (uint64_t seq = 1; seq <= 4 * WINDOW_BUCKETS; seq += WINDOW_BUCKETS)
        add(HAND_CALL, seq, 0);
    hand_t *third = window_find(&window, (mob_ref_t){CALLER, 1 + 2 * WINDOW_BUCKETS});
    cr_assert_eq(third->ref.seq, 1 + 2 * WINDOW_BUCKETS);
    window_remove(&window, third);
    cr_assert_null(window_find(&window, (mob_ref_t){CALLER, 1 + 2 * WINDOW_BUCKETS}));
    cr_assert_not_null(window_find(&window, (mob_ref_t){CALLER, 1}));
    cr_assert_not_null(window_find(&window, (mob_ref_t){CALLER, 1 + 3 * WINDOW_BUCKETS}));
}

// ---- Arguments that are late --------------------------------------------------------------------

static hand_t *add_late(enum hand_what what, uint64_t seq, uint64_t actor)
{
    hand_t *hand = add(what, seq, actor);
    hand->gather = calloc(1, sizeof *hand->gather);
    return hand;
}

static hand_t *add_of(uint64_t caller, uint64_t seq, uint64_t actor)
{
    hand_t *hand = window_place(&window);
    hand->what = HAND_CALL;
    hand->ref = (mob_ref_t){caller, seq};
    hand->actor = (mob_ref_t){CALLER, actor};
    window_push(&window, hand);
    return hand;
}

Test(window, tasks_pass_one_that_is_late)
{
    hand_t *late = add_late(HAND_CALL, 1, 0);
    add(HAND_CALL, 2, 0);
    add(HAND_CALL, 3, 0);
    cr_assert_eq(window_gathers(&window, late->ref), late);
    cr_assert_eq(begin(), 2);
    done();
    gather_free(&late->gather);
    cr_assert_null(window_gathers(&window, late->ref));
    cr_assert_eq(begin(), 1);
    done();
    cr_assert_eq(begin(), 3);
}

Test(window, a_call_waits_for_that_of_its_own_caller_to_its_actor)
{
    add_late(HAND_CALL, 1, ACTOR);
    add(HAND_CALL, 2, ACTOR);
    cr_assert_eq(begin(), 0);
    add_of(CALLER + 1, 3, ACTOR);
    cr_assert_eq(begin(), 3);
    done();
    add(HAND_CALL, 4, ACTOR + 1);
    cr_assert_eq(begin(), 4);
    done();
    cr_assert_eq(begin(), 0);
}

Test(window, nothing_passes_a_making_of_its_actor)
{
    add_late(HAND_MAKING, ACTOR, ACTOR);
    add_of(CALLER + 1, 3, ACTOR);
    cr_assert_eq(begin(), 0);
    add(HAND_MAKING, ACTOR + 1, ACTOR + 1);
    cr_assert_eq(begin(), ACTOR + 1);
}

Test(window, an_end_passes_nothing_of_its_actor)
{
    hand_t *late = add_late(HAND_CALL, 1, ACTOR);
    add(HAND_END, ACTOR, ACTOR);
    add(HAND_END, 0, 0);
    cr_assert_eq(begin(), 0);
    add(HAND_END, ACTOR + 1, ACTOR + 1);
    cr_assert_eq(begin(), ACTOR + 1);
    done();
    window_remove(&window, late);
    cr_assert_eq(begin(), ACTOR);
}
