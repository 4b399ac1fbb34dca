// What a connection survives: no broker yet, none any more, another one, notices that never come.

#include "stage.h"
#include "story.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "client.h"

TestSuite(connection, .fini = close_stage, .timeout = 40);

Test(connection, without_a_broker_waits_say_offline)
{
    m = mob_connect(&(mob_config_t){.endpoint = "ipc:///tmp/mobula-nowhere/calls.sock",
                                    .connect_timeout_ms = 200});
    int64_t from = now_ms();
    mob_ref_i64 ref = mob_run(m, inc, 1);
    is_err(mob_done(m, ref, 50), MOB_EOFFLINE);
    is_err(mob_done(m, ref, MOB_FOREVER), MOB_EOFFLINE);
    cr_assert_lt(now_ms() - from, 2000);
    cr_assert_eq(mob_info(m, ref.ref).state, MOB_PENDING);
    from = now_ms();
    mob_close(&m); // two seconds for what waits to be sent, no more
    cr_assert_lt(now_ms() - from, 4000);
}

Test(connection, a_bad_endpoint_is_one_without_a_broker)
{
    m = mob_connect(&(mob_config_t){.endpoint = "pgm://nowhere", .connect_timeout_ms = 100});
    is_err(mob_done(m, mob_run(m, inc, 1), 1000), MOB_EOFFLINE);
    mob_close(&m);
}

Test(connection, calls_made_before_the_broker_came)
{
    stage = stage_open(NULL);
    stage_kill(stage);
    m = stage_connect(stage);
    mob_ref_i64 ref = mob_run(m, inc, 1);
    is_err(mob_done(m, ref, 100), MOB_EOFFLINE);
    stage_start(stage);
    stage_host(stage, stage_defs);
    int64_t value = 0;
    is_err(mob_get(m, ref, &value, 10000), MOB_OK);
    cr_assert_eq(value, 2);
}

Test(connection, calls_made_while_the_broker_is_away)
{
    stage = stage_open(NULL);
    stage_host(stage, stage_defs);
    m = stage_connect(stage);
    int64_t value = 0;
    is_err(mob_get(m, mob_run(m, inc, 1), &value, 5000), MOB_OK);
    stage_kill(stage);
    mob_ref_i64 refs[20];
    for (int i = 0; i < 20; i++)
        refs[i] = mob_run(m, inc, i);
    int64_t from = now_ms();
    is_err(mob_done(m, refs[0], 300), MOB_EOFFLINE);
    cr_assert_geq(now_ms() - from, 299);
    stage_start(stage);
    for (int i = 0; i < 20; i++) {
        is_err(mob_get(m, refs[i], &value, 10000), MOB_OK);
        cr_assert_eq(value, i + 1);
    }
}

// A call to an actor that no worker speaks of waits until the broker waits for workers no more.
static void wait_until_rejoined(mob_t *client)
{
    counter_h nobody = {.actor = {4711, 1, 0}};
    is_err(mob_done(client, mob_call(client, nobody, counter_add, 0), 10000), MOB_EDEAD);
}

Test(connection, an_actor_given_up_while_the_broker_is_away_ends)
{
    stage = stage_open((const char *const[]){"server/rejoin", "2s", NULL});
    stage_host(stage, stage_defs);
    m = stage_connect(stage);
    mob_t *other = stage_connect(stage);
    counter_h kept = mob_new_with(m, MOB_ACTOR_OPTS(.name = "kept"), counter, 0);
    counter_h given_up = mob_new_with(m, MOB_ACTOR_OPTS(.name = "given-up"), counter, 0);
    is_err(mob_await(m, mob_ready(kept.actor), NULL, 5000), MOB_OK);
    is_err(mob_await(m, mob_ready(given_up.actor), NULL, 5000), MOB_OK);
    stage_kill(stage);
    is_err(mob_done(m, mob_run(m, inc, 1), 300), MOB_EOFFLINE); // so it knows
    mob_drop(m, mob_ready(given_up.actor));
    stage_start(stage);
    wait_until_rejoined(other);
    is_err(mob_done(other, mob_call(other, mob_find_as(other, counter, "kept"), counter_add, 1), 5000),
           MOB_OK);
    mob_err_t err = mob_done(
        other, mob_call(other, mob_find_as(other, counter, "given-up"), counter_add, 1), 5000);
    cr_assert(err == MOB_EDEAD || err == MOB_ENOTFOUND, "%s", mob_strerror(err));
    mob_close(&other);
}

Test(connection, the_next_endpoint_is_tried)
{
    stage = stage_open(NULL);
    stage_host(stage, stage_defs);
    char both[300];
    snprintf(both, sizeof both, "ipc:///tmp/mobula-nowhere/calls.sock,%s", stage->address);
    m = mob_connect(&(mob_config_t){.endpoint = both});
    int64_t value = 0;
    is_err(mob_get(m, mob_run(m, inc, 1), &value, 3000), MOB_OK);
}

// Unsubscribed behind the library's back: the broker believes that its notices are heard.
static void deafen(mob_t *client)
{
    session_lock(client);
    zmq_setsockopt(client->io.sockets[IO_NOTICES], ZMQ_UNSUBSCRIBE, client->io.topic,
                   sizeof client->io.topic);
    session_unlock(client);
}

static void wait_until_heard(mob_t *client)
{
    bool heard = false;
    for (int64_t until = now_ms() + 3000; !heard && now_ms() < until;) {
        is_err(mob_done(client, mob_run(client, inc, 1), 5000), MOB_OK);
        session_lock(client);
        heard = client->link.told_heard && client->link.note > 0;
        session_unlock(client);
    }
    cr_assert(heard, "no notice ever came");
}

Test(connection, lost_notices_only_cost_time)
{
    needs_notices("it waits for the first notice before it loses the others");
    stage = stage_open(NULL);
    stage_host(stage, stage_defs);
    m = stage_connect(stage);
    wait_until_heard(m);
    deafen(m);
    int64_t from = now_ms();
    mob_ref_i64 refs[300];
    for (int i = 0; i < 300; i++)
        refs[i] = mob_run(m, inc, i);
    is_err(mob_all(m, mob_refs(refs), 300, 10000), MOB_OK);
    cr_assert_lt(now_ms() - from, 2500);
}

Test(connection, deaf_from_the_start_is_served_by_the_calls_socket)
{
    needs_notices("it measures the calls socket, whose announcements the fault drops, too");
    stage = stage_open(NULL);
    stage_host(stage, stage_defs);
    m = stage_connect(stage);
    deafen(m);
    int64_t from = now_ms(), value = 0;
    for (int i = 0; i < 20; i++)
        is_err(mob_get(m, mob_run(m, inc, i), &value, 5000), MOB_OK);
    cr_assert_lt(now_ms() - from, 2500);
}

static void wait_until_live(mob_t *client)
{
    bool live = false;
    for (int64_t until = now_ms() + 5000; !live && now_ms() < until;) {
        session_lock(client);
        live = client->link.state == LINK_LIVE;
        session_unlock(client);
    }
    cr_assert(live, "no broker has answered");
}

Test(connection, Z09_the_same_session_twice_ends_the_first)
{
    stage = stage_open(NULL);
    stage_host(stage, stage_defs);
    mob_t *first = stage_connect(stage);
    is_err(mob_done(first, mob_run(first, inc, 1), 5000), MOB_OK);
    mob_ref_i64 slow = mob_run(first, nap, 5000);
    mob_t *second =
        session_new(&(mob_config_t){.endpoint = stage->address},
                    &(session_role_t){.role = ROLE_CLIENT, .owner = session_owner(first)});
    is_err(mob_done(first, slow, 5000), MOB_ECLOSED);
    is_err(mob_done(first, mob_run(first, inc, 1), 0), MOB_ECLOSED);
    wait_until_live(second); // it goes on counting behind what was asked for before
    is_err(mob_done(second, mob_run(second, inc, 1), 5000), MOB_OK);
    mob_close(&first);
    is_err(mob_done(second, mob_run(second, inc, 1), 5000), MOB_OK); // nobody's BYE but its own
    mob_close(&second);
    stage_close(&stage);
}

Test(connection, an_idle_one_is_kept_alive)
{
    stage = stage_open(
        (const char *const[]){"server/heartbeat", "100ms", "server/lost_after", "500ms", NULL});
    stage_host(stage, stage_defs);
    m = stage_connect(stage);
    counter_h counter = mob_new(m, counter, 7);
    int64_t value = 0;
    is_err(mob_get(m, mob_call(m, counter, counter_add, 1), &value, 5000), MOB_OK);
    mob_t *other = stage_connect(stage); // the program is busy elsewhere: only the keeper of m speaks
    is_err(mob_done(other, mob_run(other, nap, 1500), 10000), MOB_OK);
    mob_close(&other);
    is_err(mob_get(m, mob_call(m, counter, counter_add, 1), &value, 5000), MOB_OK);
    cr_assert_eq(value, 9);
}

Test(connection, what_was_appended_leaves_by_itself)
{
    stage = stage_open(NULL);
    stage_host(stage, stage_defs);
    m = stage_connect(stage);
    mob_t *other = stage_connect(stage);
    counter_h counter = mob_new_with(m, MOB_ACTOR_OPTS(.name = "told"), counter, 0);
    is_err(mob_await(m, mob_ready(counter.actor), NULL, 5000), MOB_OK);
    mob_tell(m, counter, counter_add, 5); // and m is not touched again
    int64_t value = 0;
    for (int64_t until = now_ms() + 3000; value != 5 && now_ms() < until;)
        is_err(mob_get(other, mob_call(other, mob_find_as(other, counter, "told"), counter_add, 0),
                       &value, 5000),
               MOB_OK);
    cr_assert_eq(value, 5);
    mob_close(&other);
}
