// test_worker_large.c - what is too large for a message, between a worker and a broker of paper: arguments that are
// fetched, answers in pieces, and what both become when the connection is made anew.

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "clerk.h"

enum { SIZE = 150000, PIECE = 50000, CALLER = 7, OTHER = 8 };
enum { LENGTH = 1, GROW, BOX }; // symbols

static paper_t *paper;
static clerk_t clerk;
static uint8_t data[SIZE]; // a payload: one value of bytes

// ---- Bodies -------------------------------------------------------------------------------------

static mob_err_t length(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)ctx, (void)state;
    mob_bytes_t bytes = mob_read(args, MOB_KIND_BYTES).bytes;
    mob_write(result, (mob_value_t){.kind = MOB_KIND_I64, .i64 = (int64_t)bytes.size});
    return args->err;
}

static mob_err_t grow(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)ctx, (void)state, (void)args;
    mob_write(result, (mob_value_t){.kind = MOB_KIND_BYTES, .bytes = {data + 5, SIZE - 5}});
    return MOB_OK;
}

static const mob_method_t methods[] = {{"length bytes -> i64", NULL, length}, {0}};
static const mob_def_t defs[] = {{.name = "length bytes -> i64", .invoke = length},
                                 {.name = "grow -> bytes", .invoke = grow},
                                 {.name = "box", .methods = methods, .state_size = 1},
                                 {0}};
static const mob_ref_t box = {CALLER, 1000};

static void open_paper(enum wire_start kind)
{
    static const char *const names[] = {"length bytes -> i64", "grow -> bytes", "box"};
    pack_head_at(data, PACK_BIN, SIZE - 5);
    for (size_t i = 5; i < SIZE; i++)
        data[i] = (uint8_t)(i * 7);
    paper = paper_open();
    clerk_begin(&clerk, paper, defs, kind);
    for (uint32_t i = 0; i < 3; i++)
        paper_say(paper, NAME, name, .symbol = i + 1, .text = paper_text(names[i]));
    paper_send(paper);
}

static void open_tasks(void)
{
    open_paper(START_TASKS);
}

static void open_actor(void)
{
    open_paper(START_ACTOR);
    paper_say(paper, MAKE, make, .actor = box, .incarnation = 1, .cls = BOX, .remaining_ms = -1,
              .epoch = paper->epoch);
    paper_send(paper);
    paper_hear(paper, VERB_RESULT);
}

static void close_paper(void)
{
    clerk_end(&clerk);
    paper_close(&paper);
}

TestSuite(tasks_large, .init = open_tasks, .fini = close_paper, .timeout = 20);
TestSuite(actor_large, .init = open_actor, .fini = close_paper, .timeout = 20);

// ---- Words --------------------------------------------------------------------------------------

static const load_t away = {.form = LOAD_AWAY, .size = SIZE};

static void run_on(mob_ref_t ref, mob_ref_t actor, load_t args)
{
    paper_say(paper, RUN, run, .ref = ref, .symbol = LENGTH, .actor = actor,
              .incarnation = !mob_is_none(actor), .remaining_ms = -1, .epoch = paper->epoch,
              .args = args);
}

static void run(uint64_t seq, load_t args)
{
    run_on((mob_ref_t){CALLER, seq}, (mob_ref_t){0, 0}, args);
    paper_send(paper);
}

// So much is asked for in all, from offset on, in a row.
static void hear_fetches(mob_ref_t ref, uint32_t part, uint64_t offset)
{
    while (offset < SIZE) {
        const msg_fetch_t *fetch = &paper_hear(paper, VERB_FETCH)->fetch;
        cr_assert(mob_same(fetch->ref, ref));
        cr_assert_eq(fetch->part, part);
        cr_assert_eq(fetch->offset, offset, "from %d, not %d", (int)fetch->offset, (int)offset);
        offset += fetch->count;
    }
    cr_assert_eq(offset, (uint64_t)SIZE);
}

static void give(mob_ref_t ref, uint32_t part, uint64_t from, uint64_t to)
{
    for (; from < to; from += PIECE) {
        paper_say(paper, DATA, data, .ref = ref, .part = part, .offset = from,
                  .bytes = load_bytes(data + from, to - from < PIECE ? to - from : PIECE));
        paper_send(paper);
    }
}

static mob_ref_t call(uint64_t seq)
{
    return (mob_ref_t){CALLER, seq};
}

static void hear_length(mob_ref_t ref, int64_t wanted)
{
    const msg_result_t *result = &paper_hear(paper, VERB_RESULT)->result;
    mob_reader_t reader = reader_of(result->value, NULL);
    cr_assert(mob_same(result->ref, ref), "%d", (int)result->ref.seq);
    cr_assert_eq(mob_read(&reader, MOB_KIND_I64).i64, wanted);
}

static load_t small(void)
{
    return load_bytes("\xc4\x02xy", 4);
}

static void same_broker(void) // after a break of the connection
{
    paper_forget(paper);
    paper_hear_hello(paper);
    paper_welcome(paper, paper->epoch);
}

static void hear_have(mob_ref_t ref, uint32_t state)
{
    const msg_have_t *have = &paper_hear(paper, VERB_HAVE)->have;
    cr_assert(mob_same(have->ref, ref));
    cr_assert_eq(have->state, state);
}

// ---- Arguments ----------------------------------------------------------------------------------

Test(tasks_large, arguments_are_fetched_before_the_body_begins)
{
    run(1, away);
    hear_fetches(call(1), PART_ARGS, 0);
    give(call(1), PART_ARGS, 0, SIZE);
    hear_length(call(1), SIZE - 5);
}

Test(tasks_large, pieces_of_any_size_and_doubled_ones_make_the_same)
{
    run(1, away);
    hear_fetches(call(1), PART_ARGS, 0);
    give(call(1), PART_ARGS, 0, PIECE + 1);
    give(call(1), PART_ARGS, 0, 2 * PIECE);
    give(call(1), PART_ARGS, 7, SIZE);
    hear_length(call(1), SIZE - 5);
}

Test(tasks_large, a_dependency_is_fetched_like_arguments)
{
    paper_say(paper, RUN, run, .ref = call(1), .symbol = LENGTH, .remaining_ms = -1,
              .epoch = paper->epoch, .args = load_bytes("\xd5\x03\x00\x00", 4),
              .deps = {.items = &away, .count = 1});
    paper_send(paper);
    hear_fetches(call(1), PART_DEPS, 0);
    give(call(1), PART_DEPS, 0, SIZE);
    hear_length(call(1), SIZE - 5);
}

// Semantics 7.27.
Test(tasks_large, after_a_break_it_goes_on_at_the_missing_byte)
{
    run(1, away);
    hear_fetches(call(1), PART_ARGS, 0);
    give(call(1), PART_ARGS, 0, 2 * PIECE);
    same_broker();
    hear_have(call(1), HAND_WAITING);
    paper_hear(paper, VERB_OPEN);
    hear_fetches(call(1), PART_ARGS, 2 * PIECE);
    give(call(1), PART_ARGS, 2 * PIECE, SIZE);
    hear_length(call(1), SIZE - 5);
}

Test(tasks_large, after_silence_it_asks_again)
{
    run(1, away);
    hear_fetches(call(1), PART_ARGS, 0);
    give(call(1), PART_ARGS, 0, PIECE);
    hear_fetches(call(1), PART_ARGS, PIECE);
    give(call(1), PART_ARGS, PIECE, SIZE);
    hear_length(call(1), SIZE - 5);
}

Test(tasks_large, what_is_not_kept_any_more_is_not_run)
{
    run(1, away);
    hear_fetches(call(1), PART_ARGS, 0);
    give(call(1), PART_ARGS, 0, PIECE);
    paper_say(paper, DATA, data, .ref = call(1), .part = PART_ARGS, .offset = PIECE);
    paper_send(paper);
    const msg_fail_t *fail = &paper_hear(paper, VERB_FAIL)->fail;
    cr_assert_eq(fail->code, (uint32_t)MOB_EBROKER);
    cr_assert_eq(fail->executed, (uint32_t)MOB_NOT_EXECUTED);
}

Test(tasks_large, one_that_is_called_off_is_fetched_no_more)
{
    run(1, away);
    hear_fetches(call(1), PART_ARGS, 0);
    paper_say(paper, CANCEL, cancel, .ref = call(1));
    paper_send(paper);
    cr_assert_eq(paper_hear(paper, VERB_FAIL)->fail.code, (uint32_t)MOB_ECANCELLED);
    give(call(1), PART_ARGS, 0, SIZE); // it was on its way: nobody waits for it
    same_broker();
    paper_hear(paper, VERB_FAIL);
    paper_hear(paper, VERB_OPEN);
    paper_hear_nothing(paper, 50);
}

Test(tasks_large, a_task_passes_one_whose_arguments_are_late)
{
    run(1, away);
    hear_fetches(call(1), PART_ARGS, 0);
    run(2, small());
    hear_length(call(2), 2);
    give(call(1), PART_ARGS, 0, SIZE);
    hear_length(call(1), SIZE - 5);
}

Test(actor_large, a_call_passes_that_of_another_caller_only)
{
    const mob_ref_t others = {OTHER, 1};
    run_on(call(1), box, away);
    run_on(call(2), box, small());
    run_on(others, box, small());
    paper_say(paper, STOP, stop, .actor = box);
    paper_send(paper);
    hear_fetches(call(1), PART_ARGS, 0);
    hear_length(others, 2);
    give(call(1), PART_ARGS, 0, SIZE);
    hear_length(call(1), SIZE - 5);
    hear_length(call(2), 2);
    paper_hear(paper, VERB_STOP);
}

// ---- Answers ------------------------------------------------------------------------------------

// The pieces of an answer, and RESULT behind them; gives the seq of the last.
static uint64_t hear_answer(uint64_t seq)
{
    uint64_t first = 0, last = 0;
    size_t size = 0;
    while (size < SIZE) {
        const msg_piece_t *piece = &paper_hear(paper, VERB_PIECE)->piece;
        first = first ? first : piece->seq;
        last = piece->seq;
        cr_assert_eq(memcmp(piece->bytes.data, data + size, piece->bytes.size), 0);
        size += piece->bytes.size;
    }
    cr_assert_eq(size, (size_t)SIZE);
    const msg_result_t *result = &paper_hear(paper, VERB_RESULT)->result;
    cr_assert_eq(result->ref.seq, seq);
    cr_assert(result->value.form == LOAD_PIECES && result->value.first == first);
    cr_assert_eq(result->value.size, last - first + 1);
    return last;
}

static void run_grow(uint64_t seq)
{
    paper_say(paper, RUN, run, .ref = call(seq), .symbol = GROW, .remaining_ms = -1,
              .epoch = paper->epoch);
    paper_send(paper);
}

static void accept(uint64_t seq)
{
    paper_say(paper, ACCEPT, accept, .seq = seq, .epoch = paper->epoch);
    paper_send(paper);
}

Test(tasks_large, an_answer_in_pieces_comes_again_until_it_is_accepted)
{
    run_grow(1);
    uint64_t last = hear_answer(1);
    same_broker();
    hear_have(call(1), HAND_DONE);
    paper_hear(paper, VERB_OPEN);
    hear_answer(1);
    accept(last);
    same_broker();
    paper_hear(paper, VERB_OPEN);
    paper_hear_nothing(paper, 50);
}

Test(tasks_large, a_new_broker_gets_all_of_an_answer_that_the_old_one_had_in_part)
{
    run_grow(1);
    uint64_t last = hear_answer(1);
    accept(last - 1);
    paper_forget(paper);
    paper_hear_hello(paper);
    paper_welcome(paper, paper->epoch + 1);
    cr_assert_eq(paper->floor, 0u);
    hear_have(call(1), HAND_DONE);
    paper_hear(paper, VERB_OPEN);
    cr_assert_eq(hear_answer(1), last);
}

Test(tasks_large, one_that_was_answered_in_pieces_does_not_run_again)
{
    run_grow(1);
    accept(hear_answer(1));
    run_grow(1);
    uint64_t again = hear_answer(1);
    run_grow(1); // it is on its way
    paper_hear_nothing(paper, 50);
    accept(again);
}
