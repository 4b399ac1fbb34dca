// test_streams.c - streams through a real broker and real worker processes: items as they come, never
// more ahead than asked for, and every kind of end.

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>

#include "crew.h"
#include "notices.h"
#include "givers.h"
#include "story.h"

static void begin(void)
{
    open_crew(giver_defs, NULL);
}

TestSuite(streams, .init = begin, .fini = close_crew, .timeout = 40);

static void expect_item(mob_stream_i64 stream, int64_t expected)
{
    int64_t value = -1;
    mob_err_t err = mob_next(m, stream, &value, SOON);
    cr_assert_eq(err, MOB_OK, "%s instead of %d", mob_strerror(err), (int)expected);
    cr_assert_eq(value, expected, "%d instead of %d", (int)value, (int)expected);
}

static void expect_items(mob_stream_i64 stream, int64_t from, int64_t to)
{
    while (from < to)
        expect_item(stream, from++);
}

// The next pull fails with this; its reason is good until the pull behind it.
static const char *expect_failure(mob_stream_i64 stream, mob_err_t expected)
{
    mob_ref_t item;
    mob_err_t err = mob_pull(m, stream.ref, &item, SOON);
    cr_assert_eq(err, expected, "%s: %s", mob_strerror(err), mob_reason(m, item));
    return mob_reason(m, item);
}

static void expect_the_end(mob_stream_i64 stream)
{
    for (int i = 0; i < 3; i++) // and again, for ever
        expect_failure(stream, MOB_EEND);
}

// How many items bodies have made since the last time.
static int made(void)
{
    int count = 0;
    cr_assert_eq(ioctl(crew.begun[0], FIONREAD, &count), 0);
    return count;
}

// Until a row of this kind is there.
static void wait_for(const char *what, const char *filter)
{
    while (rows_of(m, what, filter) == 0) // or the test is out of time
        ;
}

// ---- Items --------------------------------------------------------------------------------------

Test(streams, C81_items_come_in_order_before_the_body_has_ended)
{
    mob_stream_i64 stream = mob_run(m, count, 10, 50);
    expect_item(stream, 0);
    cr_assert_lt(made(), 10, "the body goes on");
    expect_items(stream, 1, 10);
    cr_assert_str_eq(expect_failure(stream, MOB_EEND), "stream ended after 10 items");
    expect_the_end(stream);
    cr_assert_eq(made(), 10);
}

Test(streams, C82_a_failure_comes_behind_the_items_before_it)
{
    mob_stream_i64 stream = mob_run(m, broken, 2);
    expect_items(stream, 0, 2);
    cr_assert(strstr(expect_failure(stream, MOB_ETASK), "no more than 2"));
    expect_the_end(stream);
}

Test(streams, none_at_all)
{
    expect_the_end(mob_run(m, numbers, 0));
    mob_stream_i64 stream = mob_run(m, broken, 0);
    expect_failure(stream, MOB_ETASK);
    expect_the_end(stream);
}

Test(streams, many)
{
    needs_notices("its items come some at a time, a second each");
    enum { MANY = 20000 };
    expect_items(mob_run(m, numbers, MANY), 0, MANY);
    mob_stream_i64 stream = mob_run_with(m, MOB_OPTS(.stream_ahead = MOB_UNLIMITED), numbers, MANY);
    expect_items(stream, 0, MANY);
    expect_the_end(stream);
}

static void expect_lump(mob_stream_bytes stream, int64_t i, size_t size)
{
    mob_bytes_t lump = {NULL, 0};
    cr_assert_eq(mob_next(m, stream, &lump, SOON), MOB_OK, "lump %d", (int)i);
    cr_assert_eq(lump.size, i % 3 ? 5 : size);
    const char *bytes = lump.data;
    cr_assert(bytes[0] == 'a' + i % 26 && bytes[lump.size - 1] == bytes[0]);
}

Test(streams, large_items_keep_their_place)
{
    mob_stream_bytes stream = mob_run(m, lumps, 20, 1500000);
    for (int64_t i = 0; i < 20; i++)
        expect_lump(stream, i, 1500000);
    mob_ref_t item;
    cr_assert_eq(mob_pull(m, stream.ref, &item, SOON), MOB_EEND);
}

Test(streams, a_large_item_is_waited_for)
{
    bool ready = false;
    mob_stream_bytes stream = mob_run(m, lumps, 1, 30000000);
    cr_assert_eq(mob_wait(m, &stream.ref, 1, 1, SOON, &ready), 1u);
    mob_ref_t item;
    mob_reader_t reader;
    cr_assert_eq(mob_pull(m, stream.ref, &item, 0), MOB_OK);
    cr_assert_eq(mob_await(m, item, &reader, 0), MOB_OK, "it is here");
    cr_assert_eq(mob_read_bytes(&reader).size, 30000000u);
    mob_drop(m, stream.ref);
}

Test(streams, of_methods_and_in_bodies)
{
    mob_stream_i64 stream = mob_call(m, mob_new(m, pairs), pairs_pids, 3);
    int64_t first = 0, value = 0;
    cr_assert_eq(mob_next(m, stream, &first, SOON), MOB_OK);
    expect_item(stream, first);
    expect_item(stream, first);
    expect_the_end(stream);
    cr_assert_eq(mob_get(m, mob_run(m, sum_of, 100), &value, SOON), MOB_OK);
    cr_assert_eq(value, 4950);
}

Test(streams, an_item_is_a_ref_that_goes_where_others_go)
{
    int64_t value = 0;
    mob_ref_t first, second;
    mob_stream_i64 stream = mob_run(m, numbers, 10);
    cr_assert_eq(mob_pull(m, stream.ref, &first, SOON), MOB_OK);
    cr_assert_eq(mob_pull(m, stream.ref, &first, SOON), MOB_OK);
    cr_assert_eq(mob_get(m, mob_run(m, slot, mob_as(i64, first)), &value, SOON), MOB_OK);
    cr_assert_eq(value, 1);
    mob_keep(m, first);
    cr_assert_eq(mob_pull(m, stream.ref, &second, SOON), MOB_OK);
    cr_assert_eq(mob_get(m, mob_as(i64, first), &value, 0), MOB_OK, "kept");
    mob_drop(m, first);
    cr_assert_eq(mob_pull(m, stream.ref, &first, SOON), MOB_OK);
    cr_assert_eq(mob_get(m, mob_as(i64, second), &value, 0), MOB_EGONE, "held until the next pull");
}

Test(streams, what_a_release_cuts_off_are_not_its_items)
{
    mob_stream_i64 stream = mob_run(m, numbers, 100);
    for (int64_t i = 0; i < 100; i++) {
        uint64_t mark = mob_mark(m);
        expect_item(stream, i);
        mob_release(m, mark);
    }
    expect_the_end(stream);
}

// ---- Running ahead ------------------------------------------------------------------------------

static void never_more_than(int ahead)
{
    int total = made();
    mob_stream_i64 stream = mob_run_with(m, MOB_OPTS(.stream_ahead = ahead), count, 8, 0);
    for (int pulled = 0; pulled < 8; pulled++) {
        while (made() < (pulled + ahead < 8 ? pulled + ahead : 8))
            ; // it makes as many as it may
        mob_ref_t none = mob_query(m, "status", NULL);
        cr_assert_eq(mob_await(m, none, NULL, SOON), MOB_OK);
        cr_assert_leq(made(), pulled + ahead);
        expect_item(stream, pulled);
    }
    expect_the_end(stream);
    for (int left = made(); left > total; left--)
        crew_hear(crew.begun[0]);
}

Test(streams, C83_no_more_is_made_than_may_lie_about)
{
    never_more_than(1);
    never_more_than(4);
    mob_stream_i64 stream = mob_run(m, count, 100, 0); // as its definition says: 4
    while (made() < 4)
        ;
    wait_for("workers", "state=blocked");
    cr_assert_eq(made(), 4);
    mob_drop(m, stream.ref);
}

Test(streams, the_slot_of_a_body_that_waits_is_free)
{
    crew_end_host(&crew, SIGTERM);
    crew_start_host(&crew, (const char *[]){"--slots", "1", NULL});
    mob_stream_i64 stream = mob_run_with(m, MOB_OPTS(.stream_ahead = 1), numbers, 3);
    expect_item(stream, 0);
    int64_t value = 0;
    cr_assert_eq(mob_get(m, mob_run(m, slot, 7), &value, SOON), MOB_OK);
    cr_assert_eq(value, 7);
    expect_items(stream, 1, 3);
}

Test(streams, C86_an_invalid_bound_is_refused)
{
    mob_stream_i64 stream = mob_run_with(m, MOB_OPTS(.stream_ahead = -3), numbers, 3);
    cr_assert(strstr(expect_failure(stream, MOB_EARGS), "stream_ahead"));
    stream = mob_run_with(m, MOB_OPTS(.stream_ahead = MOB_NONE), numbers, 3);
    cr_assert(strstr(expect_failure(stream, MOB_EARGS), "stream_ahead"));
    stream = mob_run_with(m, MOB_OPTS(.forget = true), numbers, 3);
    int64_t value;
    cr_assert_eq(mob_next(m, stream, &value, 0), MOB_EARGS);
}

// ---- Waiting ------------------------------------------------------------------------------------

Test(streams, C84_the_one_that_has_an_item_is_ready_first)
{
    bool ready[2];
    mob_stream_i64 slow = mob_run(m, count, 2, 30000), fast = mob_run(m, count, 100, 10);
    expect_item(slow, 0);
    for (int64_t i = 0; i < 5; i++) {
        mob_ref_t both[] = {slow.ref, fast.ref};
        cr_assert_eq(mob_wait(m, both, 2, 1, SOON, ready), 1u);
        cr_assert(!ready[0] && ready[1]);
        expect_item(fast, i);
    }
    size_t count = 2;
    mob_ref_t both[] = {slow.ref, fast.ref};
    cr_assert(mob_same(mob_take(m, both, &count, SOON), fast.ref));
    mob_drop(m, slow.ref);
    mob_drop(m, fast.ref);
}

Test(streams, one_that_has_ended_is_ready)
{
    bool ready = false;
    mob_stream_i64 stream = mob_run(m, numbers, 1);
    expect_item(stream, 0);
    cr_assert_eq(mob_wait(m, &stream.ref, 1, 1, SOON, &ready), 1u);
    expect_the_end(stream);
    cr_assert_eq(mob_wait(m, &stream.ref, 1, 1, 0, &ready), 1u);
}

Test(streams, to_await_one_is_to_await_the_end_of_its_body)
{
    mob_stream_i64 stream = mob_run(m, numbers, 5);
    cr_assert_eq(mob_done(m, stream, SOON), MOB_OK);
    cr_assert_eq(mob_all(m, &stream.ref, 1, SOON), MOB_OK);
    expect_items(stream, 0, 5);
    expect_the_end(stream);
    mob_stream_i64 held = mob_run_with(m, MOB_OPTS(.stream_ahead = 1), numbers, 5);
    cr_assert_eq(mob_done(m, held, 100), MOB_ETIMEDOUT, "its body waits to be pulled from");
    expect_items(held, 0, 5);
    cr_assert_eq(mob_done(m, held, SOON), MOB_OK);
    stream = mob_run(m, broken, 1);
    cr_assert_eq(mob_done(m, stream, SOON), MOB_ETASK);
    expect_item(stream, 0);
}

Test(streams, zero_looks_and_returns)
{
    mob_ref_t item;
    mob_stream_i64 stream = mob_run(m, count, 2, 30000);
    expect_item(stream, 0);
    int64_t from = now_ms();
    cr_assert_eq(mob_pull(m, stream.ref, &item, 0), MOB_ETIMEDOUT);
    cr_assert_eq(mob_pull(m, stream.ref, &item, 50), MOB_ETIMEDOUT);
    cr_assert_lt(now_ms() - from, 5000);
    mob_drop(m, stream.ref);
}

typedef struct reader {
    mob_stream_i64 stream;
    int64_t next;
    unsigned calls;
    mob_err_t end;
} reader_t;

static void read_all(mob_t *self, mob_ref_t ref, void *arg)
{
    reader_t *reader = arg;
    int64_t value = -1;
    reader->calls++;
    cr_assert(mob_same(ref, reader->stream.ref));
    while ((reader->end = mob_next(self, reader->stream, &value, 0)) == MOB_OK)
        cr_assert_eq(value, reader->next++);
    if (reader->end == MOB_ETIMEDOUT)
        mob_then(self, ref, read_all, arg);
}

Test(streams, a_callback_for_each_time_that_there_is_something)
{
    needs_notices("six items that are asked for each second come at once");
    reader_t reader = {.stream = mob_run(m, count, 6, 20)};
    mob_then(m, reader.stream.ref, read_all, &reader);
    while (reader.end != MOB_EEND)
        mob_step(m, SOON);
    cr_assert_eq(reader.next, 6);
    cr_assert_gt(reader.calls, 2u);
    mob_then(m, reader.stream.ref, read_all, &reader); // at once: it has ended
    cr_assert_eq(mob_step(m, 0), 1u);
}

// ---- Ends ---------------------------------------------------------------------------------------

static void dies_behind_three(mob_stream_i64 stream, mob_err_t expected)
{
    int64_t pid = 0;
    cr_assert_eq(mob_next(m, stream, &pid, SOON), MOB_OK);
    wait_for("tasks", "items=3 state=running");
    kill((pid_t)pid, SIGKILL);
    cr_assert_eq(mob_done(m, stream, SOON), expected);
    expect_item(stream, pid);
    expect_item(stream, pid);
    cr_assert(strstr(expect_failure(stream, expected), "pid"));
    expect_the_end(stream);
}

Test(streams, C85_items_outlive_the_process_that_made_them)
{
    const mob_opts_t *ahead = MOB_OPTS(.stream_ahead = 2);
    dies_behind_three(mob_run_with(m, ahead, pids, 100), MOB_ELOST);
    dies_behind_three(mob_call_with(m, mob_new(m, pairs), ahead, pairs_pids, 100), MOB_EDEAD);
}

Test(streams, a_second_run_repeats_nothing)
{
    mob_stream_i64 stream = mob_run(m, stumbling, 50, 20);
    expect_items(stream, 0, 50);
    expect_the_end(stream);
    cr_assert_eq(mob_info(m, stream.ref).attempts, 2u);
}

Test(streams, to_drop_one_calls_its_body_home)
{
    mob_stream_i64 stream = mob_run(m, endless);
    expect_items(stream, 0, 3);
    mob_drop(m, stream.ref);
    crew_hear(crew.begun[0]);
    int64_t value;
    cr_assert_eq(mob_next(m, stream, &value, 0), MOB_EARGS, "it is not held any more");
    stream = mob_call(m, mob_new(m, pairs), pairs_endless);
    wait_for("tasks", "items=16 state=running");
    mob_drop(m, stream.ref); // not one item was looked at
    crew_hear(crew.begun[0]);
}

Test(streams, of_a_cancelled_one_what_was_not_pulled_is_gone)
{
    mob_stream_i64 stream = mob_run(m, endless);
    expect_items(stream, 0, 2);
    cr_assert_eq(mob_cancel(m, stream.ref, 0), MOB_OK);
    expect_failure(stream, MOB_ECANCELLED);
    expect_the_end(stream);
    crew_hear(crew.begun[0]);
    stream = mob_run(m, numbers, 3);
    cr_assert_eq(mob_done(m, stream, SOON), MOB_OK);
    mob_cancel(m, stream.ref, 0); // too late
    expect_items(stream, 0, 3);
}

Test(streams, whatever_has_come_of_a_cancelled_one)
{
    mob_stream_i64 stream = mob_run(m, numbers, 100);
    expect_item(stream, 0);
    wait_for("tasks", "items=17 state=running");
    cr_assert_eq(mob_cancel(m, stream.ref, 0), MOB_OK);
    expect_failure(stream, MOB_ECANCELLED);
    expect_the_end(stream);
}

Test(streams, its_owner_goes_and_its_body_comes_home)
{
    mob_t *other = crew_client(&crew);
    int64_t value = -1;
    mob_stream_i64 stream = mob_run(other, endless);
    cr_assert_eq(mob_next(other, stream, &value, SOON), MOB_OK);
    mob_err_t err = mob_next(m, stream, &value, 0);
    cr_assert_eq(err, MOB_EARGS, "one consumer: %s", mob_strerror(err));
    mob_close(&other);
    crew_hear(crew.begun[0]);
}

Test(streams, a_stream_is_no_argument)
{
    mob_stream_i64 stream = mob_run(m, numbers, 3);
    mob_value_t args[] = {{.kind = MOB_KIND_DEP, .ref = stream.ref}};
    mob_ref_t refused = mob_submit(m, slot_signature, NULL, args, 1);
    cr_assert_eq(mob_await(m, refused, NULL, SOON), MOB_EARGS);
    cr_assert(strstr(mob_reason(m, refused), "stream"), "%s", mob_reason(m, refused));
    mob_ref_t item;
    cr_assert_eq(mob_pull(m, mob_run(m, slot, 1).ref, &item, 0), MOB_EARGS);
}

Test(streams, its_deadline_is_an_end_like_others)
{
    mob_stream_i64 stream =
        mob_run_with(m, MOB_OPTS(.timeout_ms = 300, .stream_ahead = 2), numbers, 100);
    cr_assert_eq(mob_done(m, stream, SOON), MOB_EDEADLINE);
    expect_items(stream, 0, 2);
    expect_failure(stream, MOB_EDEADLINE);
    expect_the_end(stream);
}

Test(streams, with_the_broker_its_items_are_lost_by_name)
{
    mob_stream_i64 stream = mob_run(m, endless);
    pairs_h pairs = mob_new(m, pairs);
    mob_stream_i64 other = mob_call(m, pairs, pairs_endless);
    expect_items(stream, 0, 3);
    expect_items(other, 0, 3);
    crew_kill_broker(&crew);
    crew_start_broker(&crew);
    crew_hear(crew.begun[0]); // both bodies come home
    crew_hear(crew.begun[0]);
    mob_err_t err;
    int64_t value;
    for (int64_t i = 3; (err = mob_next(m, stream, &value, SOON)) == MOB_OK; i++)
        cr_assert_eq(value, i); // had come before
    cr_assert_eq(err, MOB_EBROKER, "%s", mob_strerror(err));
    expect_the_end(stream);
    while ((err = mob_next(m, other, &value, SOON)) == MOB_OK)
        ;
    cr_assert_eq(err, MOB_EBROKER, "%s", mob_strerror(err));
    mob_stream_i64 after = mob_run(m, numbers, 3);
    expect_items(after, 0, 3);
}

Test(streams, begun_while_the_broker_is_away)
{
    expect_the_end(mob_run(m, numbers, 0));
    crew_kill_broker(&crew);
    mob_stream_i64 stream = mob_run(m, numbers, 30);
    mob_ref_t item;
    cr_assert_neq(mob_pull(m, stream.ref, &item, 50), MOB_OK);
    crew_start_broker(&crew);
    expect_items(stream, 0, 30);
    expect_the_end(stream);
}

// ---- The in-process form ------------------------------------------------------------------------

Test(streams, of_bodies_in_this_process)
{
    needs_notices("its items come one by one, a second each");
    crew_end_host(&crew, SIGTERM);
    crew_here(&crew);
    cr_assert_eq(mob_offer_defs(m, giver_defs), MOB_OK);
    mob_stream_i64 stream = mob_run_with(m, MOB_OPTS(.stream_ahead = 2), numbers, 200);
    expect_items(stream, 0, 200);
    expect_the_end(stream);
    mob_stream_i64 dropped = mob_run(m, endless);
    expect_items(dropped, 0, 2);
    mob_drop(m, dropped.ref);
    crew_hear(crew.begun[0]);
}
