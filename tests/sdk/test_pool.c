// Actors that share the work.

#include <criterion/criterion.h>

#include "crew.h"
#include "mobula/pool.h"
#include "story.h"

static mob_pool_t pool;
static tally_h members[4];

static void begin(void)
{
    open_crew(crew_defs, NULL);
}

static void end(void)
{
    mob_pool_clear(m, &pool);
    close_crew();
}

TestSuite(pool, .init = begin, .fini = end, .timeout = 40);

// Each adds to its own sum, which begins at 100 times its number.
static void fill(int count)
{
    for (int i = 0; i < count; i++) {
        members[i] = mob_new(m, tally, 100 * i);
        cr_assert(mob_pool_push(m, &pool, members[i].actor));
    }
}

static mob_ref_t square(mob_t *client, mob_actor_t member,
                        void *number) // by a task: equal for all members
{
    int64_t n = *(int64_t *)number;
    (void)member;
    return mob_run(client, add, n * n, 0).ref;
}

static mob_ref_t inc(mob_t *client, mob_actor_t member, void *by)
{
    return mob_call(client, (tally_h){member}, tally_inc, *(int64_t *)by).ref;
}

static mob_ref_t hold(mob_t *client, mob_actor_t member, void *ms)
{
    return mob_call(client, (tally_h){member}, tally_until_told, *(int64_t *)ms).ref;
}

static mob_ref_t failing(mob_t *client, mob_actor_t member, void *code)
{
    return mob_call(client, (tally_h){member}, tally_fail, *(int64_t *)code, "no").ref;
}

static int64_t taken(mob_err_t err, mob_ref_t ref)
{
    cr_assert_eq(err, MOB_OK, "%s", mob_strerror(err));
    int64_t value = value_of(mob_as(i64, ref));
    mob_drop(m, ref);
    return value;
}

static int64_t next(void)
{
    mob_ref_t ref = {0, 0};
    return taken(mob_pool_next(m, &pool, &ref, SOON), ref);
}

static int64_t next_any(void)
{
    mob_ref_t ref = {0, 0};
    return taken(mob_pool_next_any(m, &pool, &ref, SOON), ref);
}

static int64_t numbers[] = {1, 2, 3, 4, 5};
enum { NUMBERS = 5 };
static int64_t long_time = 20000;

Test(pool, C116_results_come_in_the_order_of_the_items)
{
    mob_ref_t none;
    fill(4);
    cr_assert_eq(mob_pool_map(m, &pool, square, numbers, NUMBERS, sizeof *numbers), MOB_OK);
    for (int64_t i = 1; i <= NUMBERS; i++)
        cr_assert_eq(next(), i * i);
    cr_assert_eq(mob_pool_next(m, &pool, &none, SOON), MOB_EEND);
}

Test(pool, C116_or_as_they_settle_each_once)
{
    int64_t seen = 0;
    mob_ref_t none;
    fill(4);
    cr_assert_eq(mob_pool_map(m, &pool, square, numbers, NUMBERS, sizeof *numbers), MOB_OK);
    for (int i = 0; i < NUMBERS; i++) {
        seen |= 1 << next_any();
        if (i < NUMBERS - 1)
            cr_assert_eq(mob_pool_next(m, &pool, &none, SOON), MOB_EARGS, "not in order any more");
    }
    cr_assert_eq(seen, 1 << 1 | 1 << 4 | 1 << 9 | 1 << 16 | 1 << 25);
    cr_assert_eq(mob_pool_next_any(m, &pool, &none, SOON), MOB_EEND);
    cr_assert_eq(mob_pool_submit(m, &pool, square, &numbers[1]), MOB_OK);
    cr_assert_eq(next(), 4, "a fresh start");
}

Test(pool, C116_who_is_in_it_and_who_is_free)
{
    fill(2);
    cr_assert_not(mob_pool_push(m, &pool, members[1].actor), "a member already");
    mob_pool_submit(m, &pool, hold, &long_time);
    mob_pool_submit(m, &pool, hold, &long_time);
    cr_assert(mob_is_none(mob_ready(mob_pool_pop(m, &pool))), "all are busy");
    cr_assert_eq(pool.count, 2);
    mob_cancel(m, pool.member[1].work, 0);
    while (mob_is_none(mob_ready(mob_pool_pop(m, &pool))))
        ;
    cr_assert_eq(pool.count, 1);
}

Test(pool, C117_who_is_pushed_takes_what_waited_longest)
{
    fill(1);
    mob_ref_t held;
    mob_pool_submit(m, &pool, hold, &long_time);
    mob_pool_submit(m, &pool, inc, &numbers[4]);
    mob_pool_submit(m, &pool, inc, &numbers[0]);
    cr_assert_eq(mob_pool_next(m, &pool, &held, 0), MOB_ETIMEDOUT);
    tally_h late = mob_new(m, tally, 1000);
    cr_assert(mob_pool_push(m, &pool, late.actor));
    cr_assert_eq(pool.begun, 2, "at once");
    cr_assert_eq(next_any(), 1005);
    cr_assert_eq(next_any(), 1006);
    cr_assert_eq(mob_pool_next_any(m, &pool, &held, 50), MOB_ETIMEDOUT);
}

Test(pool, each_has_one_piece_of_work_at_a_time)
{
    fill(2);
    int64_t began = now_ms();
    int64_t naps[] = {200, 200, 200, 200};
    mob_pool_map(m, &pool, hold, naps, 4, sizeof *naps);
    for (int i = 0; i < 4; i++)
        next();
    cr_assert_geq(now_ms() - began, 400);
}

Test(pool, a_failed_piece_of_work_is_a_failed_ref_and_its_member_stays)
{
    int64_t code = 42;
    mob_ref_t ref;
    fill(1);
    mob_pool_submit(m, &pool, failing, &code);
    mob_pool_submit(m, &pool, inc, &numbers[2]);
    cr_assert_eq(mob_pool_next(m, &pool, &ref, SOON), MOB_OK);
    cr_assert_eq(failure_of(ref, MOB_ETASK).code, 42);
    cr_assert_eq(next(), 3);
}

Test(pool, calls_go_to_who_is_free_and_nothing_is_held_at_the_end)
{
    fill(3);
    int64_t sum = 0;
    mob_ref_i64 calls[30];
    for (int i = 0; i < 30; i++)
        calls[i] = mob_pool_call(m, &pool, tally, inc, 1);
    for (int i = 0; i < 30; i++) {
        sum += value_of(calls[i]);
        mob_drop(m, calls[i].ref);
    }
    cr_assert_gt(sum, 0);
    mob_pool_map(m, &pool, inc, numbers, NUMBERS, sizeof *numbers);
    mob_pool_clear(m, &pool);
    for (int i = 0; i < 3; i++)
        value_of(mob_call(m, members[i], tally_inc, 0)); // behind what had begun
    for (int i = 0; i < 3; i++)
        mob_drop_actor(m, members[i].actor);
    while (rows_of(m, "objects", "") > 3) // the last answers
        ;
}
