// test_names.c - names and namespaces of actors, and how long actors live: by clients in processes of their own.

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "crew.h"
#include "kin.h"
#include "story.h"

static void begin(void)
{
    raise_crew(kin_defs, NULL);
}

TestSuite(names, .init = begin, .fini = close_crew, .timeout = 40);

static mob_t *in_space(const char *space)
{
    mob_t *client = mob_connect(&(mob_config_t){.endpoint = crew.address, .space = space});
    cr_assert_not_null(client);
    return client;
}

static mob_err_t end_of(mob_t *client, mob_ref_i64 ref)
{
    return mob_done(client, ref, SOON);
}

static kin_h named(mob_t *client, const char *name)
{
    return mob_new_with(client, MOB_ACTOR_OPTS(.name = name), kin, 0, 0);
}

static kin_h find(mob_t *client, const char *name)
{
    return mob_find_as(client, kin, name);
}

// ---- Names --------------------------------------------------------------------------------------

Test(names, C42_an_actor_is_found_in_its_namespace)
{
    m = crew_client(&crew);
    mob_t *same = crew_client(&crew), *other = in_space("elsewhere");
    kin_h a = named(m, "a");
    cr_assert_eq(value_of(mob_call(m, a, kin_add, 5)), 5);
    cr_assert_eq(value_at(same, mob_call(same, find(same, "a"), kin_add, 1)), 6);
    cr_assert_eq(end_of(other, mob_call(other, find(other, "a"), kin_add, 1)), MOB_ENOTFOUND);
    cr_assert_eq(value_at(other, mob_call(other, find(other, "default:a"), kin_add, 1)), 7);
    mob_close(&same);
    mob_close(&other);
}

Test(names, C43_a_name_that_is_taken_makes_no_second_one)
{
    m = crew_client(&crew);
    kin_h first = named(m, "hits"), second = named(m, "hits");
    mob_ref_i64 refused = mob_call(m, second, kin_add, 1);
    cr_assert_eq(end_of(m, refused), MOB_EEXISTS);
    cr_assert_not_null(strstr(mob_reason(m, refused.ref), "\"hits\" is taken in default"));
    cr_assert_eq(value_of(mob_call(m, first, kin_add, 1)), 1);
    cr_assert_eq(value_of(mob_call(m, find(m, "hits"), kin_add, 1)), 2);
}

static void make_and_leave(const crew_t *self)
{
    int64_t value = 0;
    mob_t *client = crew_client(self);
    kin_h kin = mob_new_with(client, MOB_ACTOR_OPTS(.name = "kept", .detached = true), kin, 0, 0);
    if (mob_get(client, mob_call(client, kin, kin_add, 3), &value, SOON) || value != 3)
        _exit(1);
    mob_close(&client);
}

static void ended_well(pid_t pid)
{
    int status = -1;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0);
}

Test(names, C44_a_detached_one_outlives_who_made_it)
{
    ended_well(crew_visit(&crew, make_and_leave));
    m = crew_client(&crew);
    kin_h kin = find(m, "kept");
    int64_t pid = value_of(mob_call(m, kin, kin_pid));
    cr_assert_eq(value_of(mob_call(m, kin, kin_add, 1)), 4);
    mob_t *other = crew_client(&crew);
    cr_assert_eq(value_at(other, mob_call(other, find(other, "kept"), kin_pid)), pid);
    mob_close(&other);
    mob_stop(m, kin.actor, MOB_STOP_NOW);
}

static void make_and_end(const crew_t *self, bool close)
{
    int64_t value = 0;
    mob_t *client = crew_client(self);
    kin_h kin = mob_new_with(client, MOB_ACTOR_OPTS(.name = "mine"), kin, 0, 0);
    if (mob_get(client, mob_call(client, kin, kin_pid), &value, SOON) ||
        write(self->begun[1], &(pid_t){(pid_t)value}, sizeof(pid_t)) != sizeof(pid_t))
        _exit(1);
    if (close)
        mob_close(&client);
}

static void make_and_close(const crew_t *self)
{
    make_and_end(self, true);
}

static void make_and_exit(const crew_t *self)
{
    make_and_end(self, false);
}

Test(names, C45_others_end_with_who_made_them)
{
    void (*const ways[])(const crew_t *) = {make_and_close, make_and_exit};
    pid_t visitors[2], actor;
    for (int i = 0; i < 2; i++) {
        visitors[i] = crew_visit(&crew, ways[i]);
        cr_assert_eq(read(crew.begun[0], &actor, sizeof actor), sizeof actor);
        ended_well(visitors[i]);
        int64_t from = clock_us();
        crew_wait_for_end(actor);
        cr_assert_lt(clock_us() - from, 5000000);
    }
    m = crew_client(&crew);
    cr_assert_eq(end_of(m, mob_call(m, find(m, "mine"), kin_pid)), MOB_ENOTFOUND);
    cr_assert_eq(value_of(mob_call(m, named(m, "mine"), kin_add, 1)), 1, "the name is free");
}

Test(names, C47_if_there_is_one_take_that)
{
    const mob_actor_opts_t *opts = MOB_ACTOR_OPTS(.name = "one", .get_if_exists = true);
    m = crew_client(&crew);
    kin_h first = mob_new_with(m, opts, kin, 10, 0), again = mob_new_with(m, opts, kin, 20, 0);
    cr_assert_eq(value_of(mob_call(m, first, kin_add, 1)), 11);
    cr_assert_eq(value_of(mob_call(m, again, kin_add, 1)), 12, "its arguments are ignored");
    cr_assert_eq(value_of(mob_call(m, again, kin_pid)), value_of(mob_call(m, first, kin_pid)));
    kin_h none = mob_new_with(m, MOB_ACTOR_OPTS(.get_if_exists = true), kin, 0, 0);
    cr_assert_neq(end_of(m, mob_call(m, none, kin_add, 1)), MOB_OK);
    cr_assert_eq(mob_await(m, mob_ready(none.actor), NULL, SOON), MOB_EARGS);
}

static void take_the_one(const crew_t *self)
{
    int64_t value = 0;
    char byte;
    mob_t *client = crew_client(self);
    kin_h kin = mob_new_with(
        client, MOB_ACTOR_OPTS(.name = "one", .get_if_exists = true, .detached = true), kin, 0, 0);
    if (mob_get(client, mob_call(client, kin, kin_pid), &value, SOON) ||
        write(self->begun[1], &(pid_t){(pid_t)value}, sizeof(pid_t)) != sizeof(pid_t))
        _exit(1);
    if (read(self->ended[0], &byte, 1) < 0) // until all have told
        _exit(2);
    mob_close(&client);
}

Test(names, C47_eight_processes_at_once_get_one)
{
    enum { EIGHT = 8 };
    pid_t visitors[EIGHT], first = 0, pid;
    for (int i = 0; i < EIGHT; i++)
        visitors[i] = crew_visit(&crew, take_the_one);
    for (int i = 0; i < EIGHT; i++) {
        cr_assert_eq(read(crew.begun[0], &pid, sizeof pid), sizeof pid);
        first = first ? first : pid;
        cr_assert_eq(pid, first);
    }
    cr_assert_eq(write(crew.ended[1], "........", EIGHT), EIGHT);
    for (int i = 0; i < EIGHT; i++)
        ended_well(visitors[i]);
}

// ---- Namespaces ---------------------------------------------------------------------------------

// Definitions are offered to a namespace: each anonymous one brings its own host along.
static mob_t *anonymous(void)
{
    mob_t *client = in_space(MOB_ANON);
    cr_assert_eq(mob_offer_defs(client, kin_defs), MOB_OK);
    return client;
}

Test(names, C46_anonymous_namespaces_differ)
{
    mob_t *one = anonymous(), *other = anonymous();
    const mob_actor_opts_t *opts = MOB_ACTOR_OPTS(.name = "same", .detached = true);
    kin_h mine = mob_new_with(one, opts, kin, 10, 0), theirs = mob_new_with(other, opts, kin, 20, 0);
    cr_assert_eq(value_at(one, mob_call(one, mine, kin_add, 1)), 11);
    cr_assert_eq(value_at(other, mob_call(other, theirs, kin_add, 1)), 21);
    cr_assert_eq(value_at(one, mob_call(one, find(one, "same"), kin_add, 1)), 12);
    cr_assert_eq(value_at(other, mob_call(other, find(other, "same"), kin_add, 1)), 22);
    mob_close(&one);
    mob_close(&other);
}

Test(names, C50_a_bad_namespace_refuses_every_call)
{
    char longer[130];
    memset(longer, 'x', 129);
    longer[129] = '\0';
    const char *bad[] = {"", longer, "a b"};
    for (int i = 0; i < 3; i++) {
        mob_t *client = in_space(bad[i]);
        cr_assert_eq(end_of(client, mob_run(client, add, 1, 1)), MOB_EARGS);
        cr_assert_eq(end_of(client, mob_call(client, named(client, "n"), kin_add, 1)), MOB_EARGS);
        cr_assert_eq(end_of(client, mob_call(client, find(client, "n"), kin_add, 1)), MOB_EARGS);
        cr_assert_eq(end_of(client, mob_run(client, add, 1, 1)), MOB_EARGS);
        mob_close(&client);
    }
}

// ---- Lives --------------------------------------------------------------------------------------

Test(names, C48_an_actor_that_dies_takes_its_own_along_but_not_the_detached)
{
    m = crew_client(&crew);
    kin_h elder = mob_new(m, kin, 0, 0);
    kin_h own, detached;
    cr_assert_eq(mob_get(m, mob_call(m, elder, kin_bear, false), &own.actor, SOON), MOB_OK);
    cr_assert_eq(mob_get(m, mob_call(m, elder, kin_bear, true), &detached.actor, SOON), MOB_OK);
    pid_t elder_pid = (pid_t)value_of(mob_call(m, elder, kin_pid));
    pid_t own_pid = (pid_t)value_of(mob_call(m, own, kin_pid));
    cr_assert_eq(value_of(mob_call(m, detached, kin_add, 7)), 7);
    int64_t from = clock_us();
    kill(elder_pid, SIGKILL);
    crew_wait_for_end(own_pid);
    cr_assert_lt(clock_us() - from, 5000000);
    cr_assert_eq(end_of(m, mob_call(m, own, kin_add, 1)), MOB_EDEAD);
    mob_reader_t end;
    cr_assert_eq(mob_await(m, mob_watch(m, own.actor), &end, SOON), MOB_OK);
    cr_assert_str_eq(mob_read_str(&end), "OWNER");
    cr_assert_eq(mob_done(m, mob_run(m, until_told, 2000), SOON), MOB_OK);
    cr_assert_eq(value_of(mob_call(m, detached, kin_add, 1)), 8, "two seconds later");
    mob_stop(m, detached.actor, MOB_STOP_NOW);
}

Test(names, C49_one_whose_handle_is_dropped_ends_after_its_calls)
{
    m = crew_client(&crew);
    kin_h kin = mob_new(m, kin, 0, 0);
    pid_t pid = (pid_t)value_of(mob_call(m, kin, kin_pid));
    mob_ref_i64 naps[3];
    for (int i = 0; i < 3; i++)
        naps[i] = mob_call(m, kin, kin_until_told, 200);
    mob_drop_actor(m, kin.actor);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(value_of(naps[i]), 200);
    crew_hear(crew.ended[0]); // fini
    crew_wait_for_end(pid);
    struct pollfd more = {.fd = crew.ended[0], .events = POLLIN};
    cr_assert_eq(poll(&more, 1, 0), 0, "fini ran once");
}
