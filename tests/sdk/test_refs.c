// test_refs.c - what keeps an object or an actor whose maker has let go of it: calls that wait, actors, values that
// contain it, programs that found it in a value. Told by the broker's own lists, over the ends of programs and brokers.

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "crew.h"
#include "kin.h"
#include "notices.h"
#include "story.h"

enum { MIB = 1024 * 1024, LONG = 30000 };

static void begin(void)
{
    open_crew(kin_defs, (const char *[]){"--slots", "4", NULL});
}

TestSuite(refs, .init = begin, .fini = close_crew, .timeout = 60);

static mob_actor_t actor_in(mob_t *client, mob_ref_t box)
{
    mob_reader_t found;
    mob_err_t err = mob_await(client, box, &found, SOON);
    cr_assert_eq(err, MOB_OK, "%s: %s", mob_strerror(err), mob_reason(client, box));
    return mob_read_actor(&found);
}

static mob_ref_t ref_in(mob_t *client, mob_ref_t box)
{
    mob_reader_t found;
    mob_err_t err = mob_await(client, box, &found, SOON);
    cr_assert_eq(err, MOB_OK, "%s: %s", mob_strerror(err), mob_reason(client, box));
    return mob_read_ref(&found);
}

static mob_ref_bytes store(int64_t size)
{
    char *letters = calloc(1, (size_t)size);
    mob_ref_bytes ref = mob_put(m, ((mob_bytes_t){letters, (size_t)size}));
    free(letters);
    return ref;
}

// How many rows of a list tell of this ref, and are like that.
static size_t rows_about(const char *list, mob_ref_t ref, const char *like)
{
    char filter[128];
    snprintf(filter, sizeof filter, "id=%016" PRIx64 ".%" PRIu64 " %s", ref.owner, ref.seq, like);
    return rows_of(m, list, filter);
}

static void drop(mob_ref_t ref)
{
    mob_drop(m, ref);
    count_of(m, "sessions"); // DROP goes with the question
}

static bool is_there(mob_ref_t ref)
{
    return rows_about("objects", ref, "") == 1;
}

// What a worker had of it goes when its answer has been taken.
static void wait_until_gone(mob_ref_t ref)
{
    int64_t until = now_ms() + 5000;
    while (is_there(ref))
        cr_assert_lt(now_ms(), until, "it stays");
}

// ---- What keeps an object -----------------------------------------------------------------------

Test(refs, C88_kept_by_a_task_that_waits)
{
    kin_h kin = mob_new(m, kin, 0, 0);
    mob_ref_i64 first = mob_call(m, kin, kin_until_told, LONG), late = mob_call(m, kin, kin_add, 1);
    mob_ref_bytes large = store(MIB);
    mob_ref_i64 task = mob_run(m, size_of, large.ref, late);
    drop(large.ref);
    cr_assert_eq(rows_about("refs", large.ref, ""), 1);
    cr_assert_eq(rows_about("refs", large.ref, "kind=argument"), 1);
    cr_assert(is_there(large.ref));
    crew_hear(crew.begun[0]);
    cr_assert_eq(mob_cancel(m, first.ref, 0), MOB_OK);
    cr_assert_eq(value_of(task), MIB);
    wait_until_gone(large.ref);
    cr_assert_eq(count_of(m, "store_bytes"), 0);
}

Test(refs, C89_kept_by_an_actor)
{
    kin_h keeper = mob_new(m, kin, 0, 0);
    mob_ref_bytes large = store(MIB);
    value_of(mob_call(m, keeper, kin_keep, large.ref));
    drop(large.ref);
    cr_assert_eq(value_of(mob_call(m, keeper, kin_look)), MIB);
    cr_assert_eq(rows_about("refs", large.ref, ""), 1);
    cr_assert_eq(rows_about("refs", large.ref, "kind=session"), 1);
    cr_assert_eq(rows_of(m, "refs", "name~kin/*"), 1, "by the name of the actor");
    value_of(mob_call(m, keeper, kin_let_go));
    wait_until_gone(large.ref);
}

Test(refs, C90_a_task_that_fails_lets_go)
{
    mob_ref_bytes large = store(MIB);
    mob_ref_i64 task = mob_run(m, refuse, large);
    failure_of(task.ref, MOB_ETASK);
    cr_assert_eq(rows_about("refs", large.ref, ""), 1, "its owner");
    drop(large.ref);
    cr_assert_not(is_there(large.ref));
    cr_assert_eq(count_of(m, "store_bytes"), 0);
}

Test(refs, C93_the_owner_of_a_put_dies)
{
    kin_h owner = mob_new(m, kin, 0, 0);
    pid_t pid = (pid_t)value_of(mob_call(m, owner, kin_pid));
    mob_ref_t box = mob_call(m, owner, kin_hoard, MIB).ref;
    mob_ref_t large = ref_in(m, box);
    drop(box);
    cr_assert_eq(rows_about("refs", large, "kind=session name=tester"), 1);
    int64_t from = now_ms();
    kill(pid, SIGKILL);
    cr_assert_eq(mob_await(m, mob_watch(m, owner.actor), NULL, SOON), MOB_OK);
    cr_assert_str_eq(failure_of(large, MOB_EGONE).why, "OWNER");
    cr_assert_leq(now_ms() - from, 5000);
    cr_assert_eq(count_of(m, "store_bytes"), 0);
}

Test(refs, an_object_that_a_program_found_in_a_value)
{
    mob_ref_bytes large = store(MIB);
    mob_ref_t box = mob_store(m, MOB_VALUE(large.ref));
    mob_t *other = crew_client(&crew);
    mob_ref_t same = ref_in(other, box);
    cr_assert(mob_same(same, large.ref));
    drop(large.ref);
    cr_assert_eq(value_at(other, mob_run(other, size_of, same, 0)), MIB); // behind KEEP
    drop(box);
    cr_assert_eq(rows_about("refs", same, ""), 1);
    cr_assert_eq(rows_about("refs", same, "kind=session"), 1);
    mob_bytes_t bytes;
    cr_assert_eq(mob_get(other, mob_as(bytes, same), &bytes, SOON), MOB_OK);
    cr_assert_eq(bytes.size, MIB);
    mob_close(&other);
}

// ---- Over a broker that knows nothing -----------------------------------------------------------

// The broker is replaced, and the time in which what was there before may come back is over.
static void replace_broker(void)
{
    kin_h ghost = mob_new(m, kin, 0, 0);
    int64_t pid = value_of(mob_call(m, ghost, kin_pid));
    crew_kill_broker(&crew);
    kill((pid_t)pid, SIGKILL);
    crew_start_broker(&crew);
    failure_of(mob_call(m, ghost, kin_add, 1).ref, MOB_EDEAD);
}

// Its body runs on over the broker: what had ended before would be lost with it.
Test(refs, a_result_to_come_that_a_program_found_in_a_value)
{
    needs_notices("a body must run longer than all that is asked before");
    kin_h kin = mob_new(m, kin, 0, 0);
    mob_ref_i64 slow = mob_call(m, kin, kin_until_told, 6000);
    mob_ref_t box = mob_store(m, MOB_VALUE(slow.ref));
    mob_t *other = crew_client(&crew);
    mob_ref_i64 same = mob_as(i64, ref_in(other, box));
    cr_assert_eq(value_at(other, mob_run(other, add, 1, 1)), 2); // behind KEEP
    drop(slow.ref);
    drop(box);
    crew_hear(crew.begun[0]);
    replace_broker();
    cr_assert_eq(value_of(mob_call(m, kin, kin_add, 1)), 1); // behind its end
    cr_assert_eq(value_at(other, same), 6000);
    mob_close(&other);
}

Test(refs, C26_an_actor_that_another_made_in_a_task)
{
    mob_ref_t box = mob_run(m, family).ref;
    kin_h kin = mob_handle(kin, actor_in(m, box));
    mob_drop(m, box);
    crew_hear(crew.ended[0]); // who made it, with the task that made that one
    cr_assert_eq(value_of(mob_call(m, kin, kin_add, 1)), 1);
    replace_broker();
    cr_assert_eq(value_of(mob_call(m, kin, kin_add, 1)), 2);
}

Test(refs, an_actor_that_a_program_found_in_a_value)
{
    kin_h kin = mob_new(m, kin, 0, 0);
    mob_ref_t box = mob_store(m, MOB_VALUE(kin.actor));
    mob_t *other = crew_client(&crew);
    kin_h found = mob_handle(kin, actor_in(other, box));
    cr_assert_eq(value_at(other, mob_call(other, found, kin_add, 1)), 1); // behind KEEP
    mob_drop_actor(m, kin.actor);
    mob_drop(m, box);
    cr_assert_eq(value_of(mob_run(m, add, 1, 1)), 2); // behind DROP
    cr_assert_eq(value_at(other, mob_call(other, found, kin_add, 1)), 2);
    replace_broker();
    cr_assert_eq(value_at(other, mob_call(other, found, kin_add, 1)), 3);
    mob_drop_actor(other, found.actor);
    crew_hear(crew.ended[0]);
    mob_close(&other);
}

Test(refs, an_actor_that_another_found_in_a_value)
{
    kin_h kin = mob_new(m, kin, 0, 0), friend = mob_new(m, kin, 0, 0);
    mob_ref_t box = mob_store(m, MOB_VALUE(kin.actor));
    value_of(mob_call(m, friend, kin_befriend, box));
    mob_drop_actor(m, kin.actor);
    mob_drop(m, box);
    cr_assert_eq(value_of(mob_call(m, friend, kin_ask, 1)), 1);
    replace_broker();
    cr_assert_eq(value_of(mob_call(m, friend, kin_ask, 1)), 2);
    mob_drop_actor(m, friend.actor);
    crew_hear(crew.ended[0]);
    crew_hear(crew.ended[0]); // both
}

// Who made it lives on over the broker, and ends then.
Test(refs, an_actor_that_came_with_a_result)
{
    kin_h parent = mob_new(m, kin, 0, 0);
    mob_ref_t box = mob_call(m, parent, kin_send_out).ref;
    kin_h kin = mob_handle(kin, actor_in(m, box));
    mob_drop(m, box);
    cr_assert_eq(value_of(mob_call(m, kin, kin_add, 1)), 1);
    replace_broker();
    mob_drop_actor(m, parent.actor);
    crew_hear(crew.ended[0]);
    cr_assert_eq(value_of(mob_call(m, kin, kin_add, 1)), 2);
    mob_drop_actor(m, kin.actor);
    crew_hear(crew.ended[0]);
}
