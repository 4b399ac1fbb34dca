// test_client_wire.c - what a caller says to a broker, message by message, when that one is
// replaced by another: what is asked for again, and what must not be.

#include <criterion/criterion.h>

#include "failure.h"
#include "mobula/contract.h"
#include "paper.h"

static paper_t *paper;
static mob_t *m;

static void open_client(void)
{
    paper = paper_open();
    m = mob_connect(&(mob_config_t){.endpoint = paper->address, .name = "caller"});
    paper_hear_hello(paper);
    paper_welcome(paper, 1);
}

static void close_client(void)
{
    paper_say(paper, GOODBYE, goodbye, .code = MOB_ECLOSED, .text = paper_text("the story is over"));
    paper_send(paper);
    mob_close(&m);
    paper_close(&paper);
}

TestSuite(client_wire, .init = open_client, .fini = close_client, .timeout = 20);

static mob_ref_t submit(void)
{
    return mob_submit(m, "work -> i64", NULL, NULL, 0);
}

static void hear_submit(uint64_t seq)
{
    const msg_submit_t *heard = &paper_hear(paper, VERB_SUBMIT)->submit;
    cr_assert_eq(heard->seq, seq);
    cr_assert_eq(heard->epoch, 1, "when it was sent first");
}

static void hear_put(uint64_t seq)
{
    cr_assert_eq(paper_hear(paper, VERB_PUT)->put.seq, seq);
}

static void hear_drop(uint64_t seq)
{
    const msg_drop_t *drop = &paper_hear(paper, VERB_DROP)->drop;
    cr_assert_eq(drop->ref.seq, seq);
    cr_assert_eq(drop->count, 1);
}

static void say_done(uint64_t seq)
{
    paper_say(paper, DONE, done, .seq = seq, .value = load_bytes("\x07", 1));
    paper_send(paper);
}

static void say_refused(mob_ref_t ref)
{
    pack_t pack = PACK_INIT;
    cr_assert(failure_pack(&pack, &(failure_t){.err = MOB_EFULL, .executed = MOB_NOT_EXECUTED}));
    paper_say(paper, ANSWER, answer, .ref = ref, .code = MOB_EFULL,
              .value = load_bytes(pack.data, pack.size));
    paper_send(paper);
    pack_fini(&pack);
}

static void another_broker(uint64_t floor)
{
    paper_forget(paper);
    paper_hear_hello(paper);
    cr_assert_eq(paper->floor, floor, "%d", (int)paper->floor);
    paper_welcome(paper, paper->epoch + 1);
}

// ---- Asked for again ----------------------------------------------------------------------------

Test(client_wire, what_was_not_accepted_is_asked_for_again)
{
    submit();
    submit();
    paper_hear(paper, VERB_NAME);
    hear_submit(1);
    hear_submit(2);
    another_broker(0);
    paper_hear(paper, VERB_NAME);
    hear_submit(1);
    hear_submit(2);
}

Test(client_wire, what_a_broker_has_no_memory_for_stays_pending_and_is_asked_for_again)
{
    mob_ref_t ref = submit();
    paper_hear(paper, VERB_NAME);
    hear_submit(1);
    paper_say(paper, ERROR, error, .code = MOB_ENOMEM, .why = paper_text("LIMIT"), .ref = ref,
              .text = paper_text("the broker is out of memory"));
    paper_send(paper);
    paper_hear(paper, VERB_NAME); // it may have been lost as well
    hear_submit(1);
    say_done(1);
    cr_assert_eq(mob_await(m, ref, NULL, 5000), MOB_OK);
}

Test(client_wire, what_was_refused_and_never_accepted_is_not)
{
    mob_ref_t refused = submit();
    submit();
    paper_hear(paper, VERB_NAME);
    hear_submit(1);
    hear_submit(2);
    say_refused(refused);
    cr_assert_eq(mob_await(m, refused, NULL, 5000), MOB_EFULL);
    cr_assert_eq(mob_info(m, refused).executed, MOB_NOT_EXECUTED, "so its caller may try elsewhere");
    another_broker(1);
    paper_hear(paper, VERB_NAME);
    hear_submit(2);
}

Test(client_wire, nor_is_what_was_done_and_dropped)
{
    mob_ref_t done = submit();
    paper_hear(paper, VERB_NAME);
    hear_submit(1);
    say_done(1);
    cr_assert_eq(mob_await(m, done, NULL, 5000), MOB_OK);
    mob_drop(m, done);
    hear_drop(1);
    another_broker(1);
    paper_hear(paper, VERB_NAME);
    hear_drop(1);
}

Test(client_wire, what_came_before_an_outcome_was_admitted_too)
{
    submit();
    mob_ref_t done = submit();
    paper_hear(paper, VERB_NAME);
    hear_submit(1);
    hear_submit(2);
    say_done(2);
    cr_assert_eq(mob_await(m, done, NULL, 5000), MOB_OK);
    another_broker(2);
    paper_hear(paper, VERB_NAME);
    refs_t refs = paper_hear(paper, VERB_ASK)->ask.refs;
    cr_assert_eq(refs.count, 1);
    cr_assert_eq(refs_next(&refs).seq, 1);
}

Test(client_wire, one_of_several_results_speaks_for_all_of_its_call)
{
    mob_ref_t first = mob_submit(m, "work -> i64", &(mob_opts_t){.num_returns = 3}, NULL, 0);
    submit();
    paper_hear(paper, VERB_NAME);
    hear_submit(1);
    hear_submit(4);
    say_done(2);
    cr_assert_eq(mob_await(m, mob_nth(first, 1), NULL, 5000), MOB_OK);
    another_broker(3);
    paper_hear(paper, VERB_NAME);
    hear_submit(4);
}

Test(client_wire, a_stored_value_is_known_here_but_not_there)
{
    mob_ref_t value = mob_store(m, MOB_VALUE(7));
    cr_assert_eq(mob_await(m, value, NULL, 0), MOB_OK);
    hear_put(1);
    another_broker(0);
    hear_put(1);
}

// ---- Given up again -----------------------------------------------------------------------------

Test(client_wire, a_drop_goes_behind_what_is_asked_for_again)
{
    mob_drop(m, mob_store(m, MOB_VALUE(7)));
    hear_put(1);
    hear_drop(1);
    another_broker(0);
    hear_put(1);
    hear_drop(1);
}

Test(client_wire, another_broker_hears_what_is_not_held_any_more)
{
    mob_store(m, MOB_VALUE(1));
    mob_drop(m, mob_store(m, MOB_VALUE(2)));
    mob_store(m, MOB_VALUE(3));
    hear_put(1);
    hear_put(2);
    hear_put(3);
    hear_drop(2);
    paper_say(paper, ACCEPT, accept, .seq = 3, .epoch = 1);
    paper_send(paper);
    another_broker(3);
    hear_drop(2);
}

// ---- Notices ------------------------------------------------------------------------------------

static void say_accept(uint64_t seq)
{
    paper_say(paper, ACCEPT, accept, .epoch = paper->epoch, .seq = seq);
    paper_send(paper);
}

Test(client_wire, Z04_the_last_notice_is_missed_when_the_next_beat_counts_it)
{
    mob_ref_t ref = submit();
    paper_hear(paper, VERB_NAME);
    hear_submit(1);
    say_accept(1);
    paper_say(paper, HUGZ, hugz, .epoch = paper->epoch, .n = 1); // and number 1 never came
    paper_notify(paper);
    refs_t refs = paper_hear(paper, VERB_ASK)->ask.refs;
    cr_assert_eq(refs.count, 1);
    cr_assert(mob_same(refs_next(&refs), ref));
    say_done(1);
    cr_assert_eq(mob_await(m, ref, NULL, 2000), MOB_OK);
}

Test(client_wire, Z14_a_notice_of_a_deposed_broker_is_not_believed)
{
    mob_ref_t ref = submit();
    paper_hear(paper, VERB_NAME);
    hear_submit(1);
    another_broker(0);
    paper_hear(paper, VERB_NAME);
    hear_submit(1);
    paper_say(paper, NOTE, note, .epoch = paper->epoch - 1, .n = 1);
    paper_say(paper, DONE, done, .seq = 1, .value = load_bytes("\x08", 1));
    paper_notify(paper);
    paper_say(paper, NOTE, note, .epoch = paper->epoch, .n = 1);
    paper_say(paper, DONE, done, .seq = 1, .value = load_bytes("\x07", 1));
    paper_notify(paper);
    mob_reader_t reader;
    cr_assert_eq(mob_await(m, ref, &reader, 5000), MOB_OK);
    cr_assert_eq(mob_read_i64(&reader), 7);
}
