// Waiting: for one, some, all, whichever is next; callbacks; holds.

#include "notices.h"
#include "stage.h"
#include "story.h"

#include <criterion/criterion.h>

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

static void begin(void)
{
    open_stage(stage_defs, NULL);
}

TestSuite(waits, .init = begin, .fini = close_stage, .timeout = 30);

Test(waits, C16_zero_looks_and_returns)
{
    mob_ref_i64 slow = mob_run(m, nap, 300);
    int64_t from = now_ms(), value = 0;
    is_err(mob_get(m, slow, &value, 0), MOB_ETIMEDOUT);
    cr_assert_lt(now_ms() - from, 100);
    is_err(mob_get(m, slow, &value, 5000), MOB_OK);
    is_err(mob_get(m, slow, &value, 0), MOB_OK); // as often as one likes
}

Test(waits, C15_a_timeout_leaves_the_call_running)
{
    mob_ref_i64 slow = mob_run(m, nap, 400);
    int64_t from = now_ms();
    is_err(mob_done(m, slow, 100), MOB_ETIMEDOUT);
    cr_assert_geq(now_ms() - from, 99);
    cr_assert_lt(now_ms() - from, 300);
    cr_assert_eq(mob_info(m, slow.ref).state, MOB_PENDING);
    is_err(mob_done(m, slow, 5000), MOB_OK);
}

static int64_t took(int64_t from, int64_t least, int64_t most)
{
    int64_t ms = now_ms() - from;
    cr_assert(ms >= least && ms <= most, "%d ms, not %d to %d", (int)ms, (int)least, (int)most);
    return ms;
}

Test(waits, C13_values_come_in_the_order_asked_for)
{
    enum { NAPS = 5 };
    mob_ref_i64 naps[NAPS];
    for (int i = 0; i < NAPS; i++)
        naps[i] = mob_run(m, nap, 100 - 20 * i);
    is_err(mob_all(m, mob_refs(naps), NAPS, 5000), MOB_OK);
    for (int i = 0; i < NAPS; i++) {
        int64_t value = 0;
        is_err(mob_get(m, naps[i], &value, 0), MOB_OK);
        cr_assert_eq(value, 100 - 20 * i);
    }
}

Test(waits, C14_the_same_ref_twice_is_its_value_twice)
{
    mob_ref_i64 a = mob_run(m, inc, 1), b = mob_run(m, nap, 50), again[] = {a, b, a};
    const int64_t wanted[] = {2, 50, 2};
    bool ready[3];
    is_err(mob_all(m, mob_refs(again), 3, 5000), MOB_OK);
    cr_assert_eq(mob_wait(m, mob_refs(again), 3, 3, 0, ready), 3);
    for (int i = 0; i < 3; i++) {
        int64_t value = 0;
        is_err(mob_get(m, again[i], &value, 0), MOB_OK);
        cr_assert(ready[i] && value == wanted[i]);
    }
}

Test(waits, C17_as_many_as_are_wanted)
{
    mob_ref_t refs[4];
    bool ready[4];
    for (int i = 0; i < 4; i++)
        refs[i] = mob_run(m, inc, i).ref;
    size_t have = mob_wait(m, refs, 4, 1, 5000, ready), flagged = 0;
    for (int i = 0; i < 4; i++) {
        flagged += ready[i];
        cr_assert_eq(ready[i], mob_info(m, refs[i]).state == MOB_READY);
    }
    cr_assert(have >= 1 && have == flagged);
    cr_assert_eq(mob_wait(m, refs, 4, 4, 5000, NULL), 4);
}

Test(waits, C18_a_wait_whose_time_is_over_says_what_is_there)
{
    needs_notices("it has half a second for an outcome that is asked for after one");
    mob_ref_t naps[] = {mob_run(m, nap, 0).ref, mob_run(m, nap, 2000).ref};
    bool ready[2];
    int64_t from = now_ms();
    cr_assert_eq(mob_wait(m, naps, 2, 2, 500, ready), 1);
    took(from, 500, 800);
    cr_assert(ready[0] && !ready[1]);
    mob_cancel(m, naps[1], 0);
}

Test(waits, C19_a_wait_lasts_as_long_as_it_says)
{
    mob_ref_t slow = mob_run(m, nap, 1000).ref;
    int64_t from = now_ms();
    cr_assert_eq(mob_wait(m, &slow, 1, 1, 200, NULL), 0);
    took(from, 200, 300);
    mob_cancel(m, slow, 0);
}

Test(waits, C20_a_wait_for_nothing_is_over)
{
    int64_t from = now_ms();
    cr_assert_eq(mob_wait(m, NULL, 0, 0, MOB_FOREVER, NULL), 0);
    cr_assert_eq(mob_wait(m, NULL, 0, 5, MOB_FOREVER, NULL), 0);
    is_err(mob_all(m, NULL, 0, MOB_FOREVER), MOB_OK);
    took(from, 0, 50);
}

Test(waits, C21_a_failed_one_counts)
{
    mob_ref_t refs[] = {mob_run(m, nap, 2000).ref, mob_run(m, fail, 3, "oops").ref};
    bool ready[2];
    cr_assert_eq(mob_wait(m, refs, 2, 1, 5000, ready), 1);
    cr_assert(!ready[0] && ready[1]);
    is_err(mob_await(m, refs[1], NULL, 0), MOB_ETASK);
    mob_cancel(m, refs[0], 0);
}

Test(waits, more_than_there_are_means_all_of_them)
{
    mob_ref_t refs[] = {mob_run(m, inc, 1).ref, mob_run(m, nap, 2000).ref};
    bool ready[2];
    cr_assert_eq(mob_wait(m, refs, 2, 1, 5000, ready), 1);
    cr_assert(ready[0] && !ready[1]);
    int64_t from = now_ms();
    cr_assert_eq(mob_wait(m, refs, 2, 2, 200, ready), 1);
    cr_assert_geq(now_ms() - from, 199);
    mob_cancel(m, refs[1], 0);
    cr_assert_eq(mob_wait(m, refs, 2, 9, 5000, NULL), 2);
}

Test(waits, all_or_the_first_failure_at_once)
{
    mob_ref_i64 good[] = {mob_run(m, inc, 1), mob_run(m, nap, 50), mob_run(m, inc, 2)};
    is_err(mob_all(m, mob_refs(good), 3, 5000), MOB_OK);
    mob_ref_i64 bad[] = {mob_run(m, nap, 3000), mob_run(m, fail, 1, "oops")};
    int64_t from = now_ms();
    is_err(mob_all(m, mob_refs(bad), 2, 5000), MOB_ETASK);
    cr_assert_lt(now_ms() - from, 2000); // also when it has to be asked for
    mob_cancel(m, bad[0].ref, 0);
}

Test(waits, whichever_is_next)
{
    mob_ref_t refs[40];
    size_t count = 40;
    int64_t sum = 0;
    for (int i = 0; i < 40; i++)
        refs[i] = mob_run(m, inc, i).ref;
    while (count > 0) {
        int64_t value = 0;
        mob_ref_t next = mob_take(m, refs, &count, 5000);
        is_err(mob_get(m, mob_as(i64, next), &value, 0), MOB_OK);
        sum += value;
    }
    cr_assert_eq(sum, 40 * 41 / 2);
    cr_assert(mob_is_none(mob_take(m, refs, &count, 0)));
}

// Each needs the one behind it: they settle from the last to the first.
static void run_backwards(mob_ref_t *refs, size_t count)
{
    mob_ref_i64 last = mob_run(m, inc, 0);
    for (size_t i = count; i > 0; i--) {
        refs[i - 1] = last.ref;
        last = mob_run(m, inc, last);
    }
    is_err(mob_done(m, last, 5000), MOB_OK);
}

Test(waits, the_first_that_settled_is_taken_first)
{
    enum { COUNT = 12 };
    needs_notices("what is asked for settles in the order of the answers");
    mob_ref_t refs[COUNT], copy[COUNT];
    size_t count = COUNT;
    run_backwards(refs, COUNT);
    memcpy(copy, refs, sizeof copy);
    for (size_t i = COUNT; i > 0; i--)
        cr_assert(mob_same(mob_take(m, refs, &count, 5000), copy[i - 1]), "%zu", i);
}

Test(waits, also_when_others_are_put_in_their_place)
{
    needs_notices("what is asked for settles in the order of the answers");
    mob_ref_t refs[5], copy[5], few[3];
    size_t count = 3;
    run_backwards(refs, 5);
    memcpy(copy, refs, sizeof copy);
    memcpy(few, copy, sizeof few); // 3 and 4 settled before all of these
    cr_assert(mob_same(mob_take(m, few, &count, 0), copy[2]));
    few[count++] = copy[4];
    cr_assert(mob_same(mob_take(m, few, &count, 0), copy[4]));
    few[count++] = copy[3];
    for (int next = 3; count > 0; next = next == 3 ? 1 : 0)
        cr_assert(mob_same(mob_take(m, few, &count, 0), copy[next]));
}

Test(waits, a_ref_of_another_connection)
{
    mob_t *other = stage_connect(stage);
    mob_ref_i64 slow = mob_run(m, nap, 200), quick = mob_run(m, inc, 1);
    int64_t value = 0;
    is_err(mob_done(m, quick, 5000), MOB_OK);
    is_err(mob_get(other, quick, &value, 5000), MOB_OK);
    is_err(mob_get(other, slow, &value, 5000), MOB_OK);
    cr_assert_eq(value, 200);
    mob_close(&other);
}

// ---- Many threads, many sessions ----------------------------------------------------------------

enum { SUBMITS = 500 };

static void *submit_many(void *right)
{
    mob_t *client = stage_connect(stage);
    mob_ref_i64 refs[SUBMITS];
    for (int i = 0; i < SUBMITS; i++)
        refs[i] = mob_run(client, inc, i);
    for (int64_t i = 0, value = 0; i < SUBMITS; i++)
        *(int *)right += mob_get(client, refs[i], &value, 10000) == MOB_OK && value == i + 1;
    mob_close(&client);
    return NULL;
}

Test(waits, C12_threads_with_a_connection_each)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    int right[THREADS] = {0}, sum = 0;
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, submit_many, &right[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += right[i];
    }
    cr_assert_eq(sum, THREADS * SUBMITS, "%d right ones", sum);
}

// A body of 0 to 2 ms; another session asks after 0 to 2 ms.
Test(waits, Z01_whenever_one_asks_one_hears)
{
    mob_t *other = stage_live(stage);
    unsigned seed = 1;
    int rounds = without_notices() ? 5 : 500; // each takes two questions then
    for (int i = 0; i < rounds; i++) {
        mob_ref_i64 ref = mob_run(m, stir, rand_r(&seed) % 2000);
        mob_step(m, 0); // it leaves
        int64_t value = 0, from = now_ms();
        for (int64_t at = clock_us() + rand_r(&seed) % 2000; clock_us() < at;)
            sched_yield(); // awake: the moment is meant, to the microsecond
        mob_t *late = i % 50 == 0 ? stage_connect(stage) : NULL;
        is_err(mob_get(late ? late : other, ref, &value, 2000), MOB_OK);
        is_err(mob_get(m, ref, &value, 2000), MOB_OK);
        took(from, 0, 2000);
        mob_drop(other, ref.ref);
        mob_drop(m, ref.ref);
        mob_close(&late);
    }
    mob_close(&other);
}

// Once the thread of the test, which is its process, sleeps: in its wait.
static void *interrupt_the_sleeper(void *client)
{
    char path[64], state = 'R';
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)getpid());
    while (state != 'S') {
        FILE *file = fopen(path, "r");
        if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            abort();
        fclose(file);
    }
    mob_interrupt(client);
    return NULL;
}

Test(waits, interrupted_once_by_another_thread)
{
    pthread_t thread;
    mob_ref_i64 slow = mob_run(m, nap, 300);
    cr_assert_eq(pthread_create(&thread, NULL, interrupt_the_sleeper, m), 0);
    is_err(mob_done(m, slow, MOB_FOREVER), MOB_EINTERRUPTED);
    is_err(mob_done(m, slow, MOB_FOREVER), MOB_OK);
    pthread_join(thread, NULL);
}

// ---- Callbacks ----------------------------------------------------------------------------------

typedef struct tally {
    int ran;
    mob_ref_t last;
} tally_t;

static void count_it(mob_t *client, mob_ref_t ref, void *arg)
{
    (void)client;
    tally_t *tally = arg;
    tally->ran++;
    tally->last = ref;
}

Test(waits, C23_callbacks_run_in_step_and_only_once)
{
    tally_t tally = {0};
    mob_ref_i64 quick = mob_run(m, inc, 1);
    is_err(mob_done(m, quick, 5000), MOB_OK);
    mob_ref_i64 slow = mob_run(m, nap, 100);
    mob_then(m, slow.ref, count_it, &tally);
    cr_assert_eq(mob_step(m, 0), 0);
    mob_then(m, quick.ref, count_it, &tally);
    cr_assert_eq(tally.ran, 0);
    cr_assert_eq(mob_step(m, 0), 1);
    cr_assert(mob_same(tally.last, quick.ref));
    cr_assert_eq(mob_step(m, 5000), 1);
    cr_assert(mob_same(tally.last, slow.ref));
    cr_assert_eq(mob_step(m, 0), 0);
}

Test(waits, a_loop_of_ones_own_polls_the_descriptor)
{
    tally_t tally = {0};
    struct pollfd fd = {.fd = mob_fd(m), .events = POLLIN};
    mob_then(m, mob_run(m, nap, 60).ref, count_it, &tally);
    mob_then(m, mob_run(m, nap, 20).ref, count_it, &tally);
    while (tally.ran < 2) {
        cr_assert_eq(poll(&fd, 1, 5000), 1);
        mob_step(m, 0);
    }
    cr_assert_eq(poll(&fd, 1, 0), 0);
}

Test(waits, what_never_came_is_called_by_close)
{
    tally_t tally = {0};
    mob_t *other = stage_connect(stage);
    mob_then(other, mob_run(other, nap, 5000).ref, count_it, &tally);
    mob_close(&other);
    cr_assert_eq(tally.ran, 1);
}

static void call_again(mob_t *client, mob_ref_t ref, void *arg)
{
    (void)ref;
    mob_err_t *err = arg;
    *err = mob_done(client, mob_run(client, inc, 1), 0);
}

Test(waits, a_closing_connection_takes_no_calls)
{
    mob_err_t err = MOB_OK;
    mob_t *other = stage_connect(stage);
    mob_then(other, mob_run(other, nap, 5000).ref, call_again, &err);
    mob_close(&other);
    is_err(err, MOB_ECLOSED);
}

// ---- Holds --------------------------------------------------------------------------------------

// Each time by a connection of its own, as an answer that was just dropped may count, too.
static size_t objects(void)
{
    mob_t *watcher = stage_connect(stage);
    size_t count = rows_of(watcher, "objects", NULL);
    mob_close(&watcher);
    return count;
}

static void wait_for_objects(size_t wanted)
{
    size_t count = 0;
    for (int64_t until = now_ms() + 5000; now_ms() < until && (count = objects()) != wanted;)
        ;
    cr_assert_eq(count, wanted, "%zu objects, not %zu", count, wanted);
}

Test(waits, what_is_released_goes_what_is_kept_stays)
{
    size_t before = objects();
    uint64_t mark = mob_mark(m);
    mob_ref_t refs[20];
    for (int i = 0; i < 20; i++)
        refs[i] = mob_run(m, inc, i).ref;
    is_err(mob_all(m, refs, 20, 5000), MOB_OK);
    mob_keep(m, refs[3]);
    mob_release(m, mark);
    is_err(mob_await(m, refs[3], NULL, 0), MOB_OK);
    is_err(mob_await(m, refs[4], NULL, 0), MOB_EGONE);
    cr_assert_eq(mob_info(m, refs[4]).err, MOB_EGONE);
    wait_for_objects(before + 1);
    mob_drop(m, refs[3]);
    is_err(mob_await(m, refs[3], NULL, 0), MOB_EGONE);
    wait_for_objects(before);
}

Test(waits, a_dropped_handle_ends_its_actor)
{
    counter_h counter = mob_new(m, counter, 1);
    mob_ref_t ended = mob_watch(m, counter.actor);
    mob_ref_i64 last = mob_call(m, counter, counter_add, 1);
    mob_drop_actor(m, counter.actor);
    is_err(mob_done(m, last, 5000), MOB_OK);
    is_err(mob_await(m, ended, NULL, 5000), MOB_OK);
}

Test(waits, an_interrupt_is_not_lost_on_the_keeper)
{
    mob_ref_i64 slow = mob_run(m, nap, 20000);
    is_err(mob_done(m, slow, 50), MOB_ETIMEDOUT);
    mob_interrupt(m);
    mob_t *other = stage_connect(stage);
    is_err(mob_done(other, mob_run(m, inc, 1), 5000), MOB_OK); // its call left: the keeper had turns
    int64_t from = now_ms();
    is_err(mob_done(m, slow, 2000), MOB_EINTERRUPTED);
    cr_assert_lt(now_ms() - from, 100);
    mob_cancel(m, slow.ref, 0);
    mob_close(&other);
}
