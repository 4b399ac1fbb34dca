// test_refs.c - what keeps an object or an actor whose maker has let go of it: calls that wait, actors, values that
// contain it, programs that found it in a value. Told by the broker's own lists, over the ends of programs and brokers.

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

#include "crew.h"
#include "kin.h"
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
