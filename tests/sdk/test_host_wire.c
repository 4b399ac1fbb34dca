// test_host_wire.c - what a host answers to what a broker says, message by message.

#include <criterion/criterion.h>
#include <stdatomic.h>

#include "host.h"
#include "paper.h"

enum { WORKER = 4711 };

static paper_t *paper;
static offer_t *offer;
static host_t *host;
static atomic_int starts, kills;

static mob_err_t nothing(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)ctx, (void)state, (void)args, (void)result;
    return MOB_OK;
}

static const mob_def_t defs[] = {{.name = "nothing -> nil", .invoke = nothing}, {0}};

static bool start(void *arg, uint64_t worker, enum wire_start kind)
{
    (void)arg, (void)worker, (void)kind;
    atomic_fetch_add(&starts, 1);
    return true;
}

static bool end(void *arg, uint64_t worker)
{
    (void)arg, (void)worker;
    atomic_fetch_add(&kills, 1);
    return true; // nothing more will be heard of it
}

static void drain(void *arg, bool hurry)
{
    (void)arg, (void)hurry;
}

static void hear_offer(void)
{
    paper_hear(paper, VERB_OFFER);
    paper_hear(paper, VERB_OPEN);
}

static void open_host(void)
{
    mob_err_t err = MOB_OK;
    paper = paper_open();
    offer = offer_new(defs, false, &err);
    host = host_make(
        &(host_config_t){.client = &(mob_config_t){.endpoint = paper->address, .name = "desk"},
                         .offer = offer,
                         .means = {start, end, drain, NULL},
                         .slots = 1});
    cr_assert(host && host_begin(host));
    cr_assert_eq(paper_hear_hello(paper)->role, ROLE_HOST);
    paper_welcome(paper, 1);
    hear_offer();
}

static void close_host(void)
{
    host_destroy(&host);
    paper_close(&paper);
    offer_drop(&offer);
}

TestSuite(host_wire, .init = open_host, .fini = close_host, .timeout = 20);

static void hear_killed(void)
{
    const msg_ended_t *ended = &paper_hear(paper, VERB_ENDED)->ended;
    cr_assert_eq(ended->worker, WORKER);
    cr_assert_eq(ended->cause, CAUSE_KILL);
}

Test(host_wire, a_kill_is_answered_by_the_end)
{
    paper_say(paper, START, start, .worker = WORKER, .kind = START_TASKS);
    paper_say(paper, KILL, kill, .worker = WORKER);
    paper_send(paper);
    hear_killed();
    cr_assert_eq(starts, 1);
    cr_assert_eq(kills, 1);
}

Test(host_wire, also_of_one_that_it_does_not_have)
{
    paper_say(paper, KILL, kill, .worker = WORKER);
    paper_send(paper);
    hear_killed();
}

Test(host_wire, nothing_is_started_before_welcome)
{
    paper_forget(paper);
    paper_hear_hello(paper);
    paper_say(paper, START, start, .worker = WORKER, .kind = START_TASKS);
    paper_welcome(paper, 1);
    hear_offer();
    cr_assert_eq(starts, 0);
}
