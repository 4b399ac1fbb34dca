// Calls as a program makes them: values there and back, failures, dependencies, what is refused
// here.

#include "stage.h"
#include "story.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "limit.h"

static void begin(void)
{
    open_stage(stage_defs, NULL);
}

TestSuite(calls, .init = begin, .fini = close_stage, .timeout = 30);

Test(calls, a_task_gives_its_value)
{
    int64_t value = 0;
    is_err(mob_get(m, mob_run(m, inc, 41), &value, 5000), MOB_OK);
    cr_assert_eq(value, 42);
}

Test(calls, C24_one_counts_ten_count_apart)
{
    counter_h one = mob_new(m, counter, 0), ten[10];
    mob_ref_i64 sums[15];
    for (int i = 0; i < 10; i++)
        ten[i] = mob_new(m, counter, 0);
    for (int i = 0; i < 15; i++)
        sums[i] = mob_call(m, i < 5 ? one : ten[i - 5], counter_add, 1);
    for (int i = 0; i < 15; i++) {
        int64_t value = 0;
        is_err(mob_get(m, sums[i], &value, 5000), MOB_OK);
        cr_assert_eq(value, i < 5 ? i + 1 : 1);
    }
}

Test(calls, an_actor_counts_in_order)
{
    counter_h counter = mob_new(m, counter, 10);
    mob_ref_i64 sums[50];
    for (int i = 0; i < 50; i++)
        sums[i] = mob_call(m, counter, counter_add, 1);
    for (int i = 0; i < 50; i++) {
        int64_t value = 0;
        is_err(mob_get(m, sums[i], &value, 5000), MOB_OK);
        cr_assert_eq(value, 11 + i);
    }
}

Test(calls, bytes_of_every_size_come_back)
{
    static const size_t sizes[] = {
        0, 1, MOB_INLINE_MAX - 4, MOB_INLINE_MAX, MOB_INLINE_MAX + 1, 50000, MOB_BLOB_MAX - 16};
    char *data = malloc(MOB_BLOB_MAX);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(data, (int)('a' + i), sizes[i]);
        mob_bytes_t sent = {data, sizes[i]}, back = {0};
        mob_ref_bytes ref = mob_run(m, mirror, sent);
        memset(data, '#', sizes[i]); // copied before the call returned
        is_err(mob_get(m, ref, &back, 5000), MOB_OK);
        cr_assert_eq(back.size, sizes[i]);
        for (size_t at = 0; at < back.size; at++)
            cr_assert_eq(((const char *)back.data)[at], (char)('a' + i));
    }
    free(data);
}

Test(calls, Z26_a_value_that_looks_like_an_error_is_a_value)
{
    pack_t error = PACK_INIT;
    cr_assert(failure_pack(&error, &(failure_t){.err = MOB_ETASK, .reason = "no error at all"}));
    mob_bytes_t sent = {error.data, error.size}, back = {0};
    is_err(mob_get(m, mob_run(m, mirror, sent), &back, SOON), MOB_OK);
    cr_assert(back.size == sent.size && memcmp(back.data, sent.data, sent.size) == 0);
    pack_fini(&error);
}

Test(calls, a_failing_body_tells_code_and_text)
{
    mob_ref_i64 ref = mob_run(m, fail, 42, "not a url: gopher");
    is_err(mob_done(m, ref, 5000), MOB_ETASK);
    mob_info_t info = mob_info(m, ref.ref);
    cr_assert_eq(info.state, MOB_FAILED);
    cr_assert_eq(info.code, 42);
    cr_assert_eq(info.executed, MOB_EXECUTED);
    cr_assert(strstr(info.reason, "not a url: gopher"), "%s", info.reason);
    cr_assert_str_eq(mob_reason(m, ref.ref), info.reason);
}

Test(calls, C02_a_chain_of_futures)
{
    mob_ref_i64 slow = mob_run(m, nap, 300), ref = mob_run(m, inc, slow);
    int64_t from = now_ms(), value = -300;
    for (int i = 0; i < 99; i++)
        ref = mob_run(m, inc, ref);
    cr_assert_lt(now_ms() - from, 250, "no submit blocks");
    is_err(mob_get(m, ref, &value, 10000), MOB_OK);
    cr_assert_eq(value, 400);
}

Test(calls, a_failed_argument_fails_the_call)
{
    mob_ref_i64 bad = mob_run(m, fail, 7, "oops");
    mob_ref_i64 next = mob_run(m, inc, mob_run(m, inc, bad));
    is_err(mob_done(m, next, 5000), MOB_EDEP);
    mob_info_t info = mob_info(m, next.ref);
    cr_assert_eq(info.root, MOB_ETASK);
    cr_assert(strstr(info.reason, "oops"), "%s", info.reason);
}

Test(calls, what_was_refused_here_fails_what_needs_it)
{
    mob_ref_i64 bad = mob_run_with(m, MOB_OPTS(.max_retries = -3), inc, 1);
    is_err(mob_done(m, bad, 0), MOB_EARGS);
    cr_assert(strstr(mob_reason(m, bad.ref), "max_retries"), "%s", mob_reason(m, bad.ref));
    mob_ref_i64 next = mob_run(m, inc, bad);
    is_err(mob_done(m, next, 0), MOB_EDEP);
    cr_assert(mob_same(mob_info(m, next.ref).cause, bad.ref));
    cr_assert_eq(mob_info(m, next.ref).root, MOB_EARGS);
    counter_h counter =
        mob_new_with(m, MOB_ACTOR_OPTS(.ordered = true, .max_concurrency = 2), counter, 1);
    is_err(mob_await(m, mob_ready(counter.actor), NULL, 0), MOB_EARGS);
    mob_ref_i64 sum = mob_call(m, counter, counter_add, 1);
    is_err(mob_done(m, sum, 0), MOB_EDEAD);
    cr_assert_eq(mob_info(m, sum.ref).root, MOB_EARGS);
    int64_t value = 0;
    is_err(mob_get(m, mob_run(m, inc, 1), &value, 5000), MOB_OK); // and nothing else is held up
}

Test(calls, reservations_say_that_they_are_to_come)
{
    mob_group_t group = mob_reserve(m, NULL, &(mob_bundle_t){.cpus = 1}, 1);
    is_err(mob_await(m, group.ready, NULL, 0), MOB_EARGS);
    mob_unreserve(m, group);
}

Test(calls, C08_what_nobody_offers_is_named)
{
    mob_ref_t refs[10];
    int64_t from = now_ms(), value = 0;
    for (int i = 0; i < 10; i++)
        refs[i] = mob_submit(m, "imc i64 -> i64", NULL, NULL, 0);
    for (int i = 0; i < 10; i++) {
        is_err(mob_await(m, refs[i], NULL, 5000), MOB_ENOTFOUND);
        cr_assert_eq(mob_info(m, refs[i]).executed, MOB_NOT_EXECUTED);
        cr_assert(strstr(mob_reason(m, refs[i]), "nearest: \"inc i64 -> i64\""));
    }
    cr_assert_lt(now_ms() - from, 5000);
    is_err(mob_get(m, mob_run(m, inc, 1), &value, 5000), MOB_OK);
}

Test(calls, C31_an_unknown_method_is_not_found_and_the_actor_lives)
{
    counter_h counter = mob_new(m, counter, 1);
    is_err(mob_await(m, mob_send(m, counter.actor, "sub i64 -> i64", NULL, NULL, 0), NULL, 5000),
           MOB_ENOTFOUND);
    int64_t value = 0;
    is_err(mob_get(m, mob_call(m, counter, counter_add, 1), &value, 5000), MOB_OK);
}

Test(calls, C32_a_failure_keeps_the_state)
{
    counter_h counter = mob_new(m, counter, 0);
    int64_t value = 0;
    is_err(mob_get(m, mob_call(m, counter, counter_add, 1), &value, 5000), MOB_OK);
    is_err(mob_done(m, mob_call(m, counter, counter_fail, "oops"), 5000), MOB_ETASK);
    is_err(mob_get(m, mob_call(m, counter, counter_add, 0), &value, 5000), MOB_OK);
    cr_assert_eq(value, 1);
}

Test(calls, a_named_actor_is_found_by_others)
{
    mob_t *other = stage_connect(stage);
    counter_h made = mob_new_with(m, MOB_ACTOR_OPTS(.name = "hits"), counter, 5);
    is_err(mob_await(m, mob_ready(made.actor), NULL, 5000), MOB_OK);
    counter_h found = mob_find_as(other, counter, "hits");
    int64_t value = 0;
    is_err(mob_get(other, mob_call(other, found, counter_add, 1), &value, 5000), MOB_OK);
    cr_assert_eq(value, 6);
    mob_ref_i64 none = mob_call(other, mob_find_as(other, counter, "nobody"), counter_add, 1);
    is_err(mob_done(other, none, 5000), MOB_ENOTFOUND);
    mob_close(&other);
}

Test(calls, a_constructor_that_fails_speaks_through_its_calls)
{
    counter_h counter = mob_new(m, counter, -1);
    mob_ref_i64 sum = mob_call(m, counter, counter_add, 1);
    is_err(mob_done(m, sum, 5000), MOB_EDEAD);
    cr_assert(strstr(mob_reason(m, sum.ref), "oops"), "%s", mob_reason(m, sum.ref));
}

Test(calls, a_stopped_actor_settles_its_watch)
{
    counter_h counter = mob_new(m, counter, 1);
    mob_ref_t ended = mob_watch(m, counter.actor);
    mob_ref_i64 sum = mob_call(m, counter, counter_add, 1);
    mob_stop(m, counter.actor, MOB_STOP_DRAIN);
    int64_t value = 0;
    is_err(mob_get(m, sum, &value, 5000), MOB_OK);
    is_err(mob_await(m, ended, NULL, 5000), MOB_OK);
    is_err(mob_done(m, mob_call(m, counter, counter_add, 1), 5000), MOB_EDEAD);
}

Test(calls, cancelled_before_and_while_it_runs)
{
    mob_ref_i64 running = mob_run(m, nap, 5000);
    is_err(mob_done(m, running, 100), MOB_ETIMEDOUT);
    is_err(mob_cancel(m, running.ref, 0), MOB_OK);
    is_err(mob_done(m, running, 5000), MOB_ECANCELLED);
    is_err(mob_cancel(m, running.ref, 0), MOB_OK); // it is over: nothing
    counter_h counter = mob_new(m, counter, 1);
    mob_ref_i64 sum = mob_call(m, counter, counter_add, 1);
    is_err(mob_cancel(m, sum.ref, MOB_CANCEL_FORCE), MOB_EARGS);
    is_err(mob_done(m, sum, 5000), MOB_OK);
}

Test(calls, a_deadline_is_an_outcome)
{
    mob_ref_i64 late = mob_run_with(m, MOB_OPTS(.timeout_ms = 100), nap, 5000);
    is_err(mob_done(m, late, 10), MOB_ETIMEDOUT);
    is_err(mob_done(m, late, 5000), MOB_EDEADLINE);
}

Test(calls, a_stored_value_is_there_at_once)
{
    int64_t value = 0;
    mob_ref_i64 stored = mob_put(m, 99);
    is_err(mob_get(m, stored, &value, 0), MOB_OK);
    cr_assert_eq(value, 99);
    is_err(mob_get(m, mob_run(m, inc, stored), &value, 5000), MOB_OK);
    cr_assert_eq(value, 100);
    char text[3000];
    memset(text, 'x', sizeof text);
    mob_bytes_t back = {0};
    is_err(mob_get(m, mob_put(m, ((mob_bytes_t){text, sizeof text})), &back, 0), MOB_OK);
    cr_assert_eq(back.size, sizeof text);
}

Test(calls, bodies_call_bodies)
{
    int64_t depth = 0;
    is_err(mob_get(m, mob_run(m, nest, 3), &depth, 10000), MOB_OK);
    cr_assert_eq(depth, 3);
}

Test(calls, nobody_hears_of_what_is_told)
{
    counter_h counter = mob_new(m, counter, 0);
    for (int i = 0; i < 500; i++)
        mob_tell(m, counter, counter_add, 1);
    int64_t value = 0;
    is_err(mob_get(m, mob_call(m, counter, counter_add, 1), &value, 5000), MOB_OK);
    cr_assert_eq(value, 501);
}

Test(calls, more_pending_than_allowed_is_an_answer)
{
    counter_h counter = mob_new(m, counter, 0);
    mob_ref_i64 first = mob_call(m, counter, counter_nap, 300), last = first;
    for (int i = 0; i < 10001; i++)
        last = mob_call_with(m, counter, MOB_OPTS(.timeout_ms = 2000), counter_add, 1);
    is_err(mob_done(m, last, 5000), MOB_EFULL);
    cr_assert_eq(mob_info(m, last.ref).executed, MOB_NOT_EXECUTED);
    is_err(mob_done(m, first, 5000), MOB_OK);
}

Test(calls, block_waits_for_room_in_the_mailbox)
{
    counter_h counter = mob_new_with(m, MOB_ACTOR_OPTS(.mailbox_max = 5), counter, 0);
    is_err(mob_await(m, mob_ready(counter.actor), NULL, 5000), MOB_OK);
    mob_ref_i64 calls[60];
    for (int i = 0; i < 60; i++)
        calls[i] = mob_call_with(m, counter, MOB_OPTS(.block = true), counter_nap, 2);
    is_err(mob_all(m, mob_refs(calls), 60, 10000), MOB_OK);
}

Test(calls, the_state_api_answers)
{
    counter_h counter = mob_new_with(m, MOB_ACTOR_OPTS(.name = "seen"), counter, 0);
    is_err(mob_await(m, mob_ready(counter.actor), NULL, 5000), MOB_OK);
    mob_reader_t rows = {0};
    is_err(mob_await(m, mob_query(m, "actors", NULL), &rows, 5000), MOB_OK);
    cr_assert_eq(mob_read_list(&rows), 1);
}
