// test_large.c - what does not fit into one message: payloads in pieces, fetched by who needs them; many
// dependencies; the room of the store.

#include "story.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

enum { CALLER, HOST, WORKER, OTHER, LATER };
enum { SIZE = 3 * 50000 + 17, PIECE = 50000, PIECES = 4 };

static char value[SIZE];

static void begin(const core_config_t *config)
{
    story = story_new(config);
    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (char)(i * 7 + i / 251);
    story_host(story, HOST, "echo bytes -> bytes", "box bytes", "get -> bytes", 1);
    story_worker(story, HOST, START_TASKS, WORKER);
    story_client(story, CALLER, "echo bytes -> bytes", "box bytes");
}

static void start(void)
{
    begin(NULL);
}

TestSuite(large, .init = start, .fini = story_end, .timeout = 20);

// ---- Words ------------------------------------------------------------------------------------------

static load_t pieces_from(uint64_t first)
{
    return (load_t){.form = LOAD_PIECES, .first = first, .size = PIECES};
}

static load_t piece_of(uint32_t i)
{
    return load_bytes(value + i * PIECE, i + 1 < PIECES ? PIECE : SIZE - (PIECES - 1) * PIECE);
}

static void say_pieces(int who, uint64_t first, uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++)
        say(story, who, PIECE, piece, .seq = first + i, .bytes = piece_of(i));
}

static void put_large(uint64_t first) // its seq is first + PIECES
{
    say_pieces(CALLER, first, 0, PIECES);
    say(story, CALLER, PUT, put, .seq = first + PIECES, .value = pieces_from(first));
}

static void fetch(int who, mob_ref_t of, uint32_t part, uint64_t offset)
{
    say(story, who, FETCH, fetch, .ref = of, .part = part, .offset = offset, .count = SIZE);
}

static void hears_value_from(int who, mob_ref_t of, uint32_t part, uint64_t offset)
{
    while (offset < SIZE) {
        const msg_data_t *data = hear(story, who, DATA, data);
        cr_assert(mob_same(data->ref, of) && data->part == part);
        cr_assert_eq(data->offset, offset);
        cr_assert_eq(memcmp(data->bytes.data, value + offset, data->bytes.size), 0);
        offset += data->bytes.size;
    }
    cr_assert_eq(offset, (uint64_t)SIZE);
    hear_nothing(story, who);
}

static void is_large(load_t load)
{
    cr_assert_eq(load.form, (uint32_t)LOAD_AWAY);
    cr_assert_eq(load.size, (uint32_t)SIZE);
}

static void fails_with(int who, mob_ref_t of, mob_err_t err, const char *why)
{
    const msg_answer_t *answer = hear(story, who, ANSWER, answer);
    arena_t arena = {0};
    failure_t failure = {0};
    cr_assert(mob_same(answer->ref, of));
    cr_assert_eq(answer->code, (uint32_t)err, "%s", mob_strerror((mob_err_t)answer->code));
    cr_assert(failure_unpack(answer->value, &arena, &failure));
    cr_assert_str_eq(failure.why, why);
    arena_clear(&arena);
}

static uint64_t stored(void)
{
    return core_counts(story->core).store_bytes;
}

static void later_worker(void)
{
    story_worker(story, HOST, START_ACTOR, LATER);
}

// ---- Payloads ---------------------------------------------------------------------------------------

Test(large, a_stored_value_is_told_by_its_size_and_fetched)
{
    put_large(1);
    const msg_done_t *done = hear(story, CALLER, DONE, done);
    cr_assert_eq(done->seq, (uint64_t)1 + PIECES);
    is_large(done->value);
    cr_assert_eq(stored(), (uint64_t)SIZE);
    fetch(CALLER, ref(1 + PIECES), PART_VALUE, 0);
    hears_value_from(CALLER, ref(1 + PIECES), PART_VALUE, 0);
    fetch(CALLER, ref(1 + PIECES), PART_VALUE, 2 * PIECE);
    hears_value_from(CALLER, ref(1 + PIECES), PART_VALUE, 2 * PIECE);
    say(story, CALLER, DROP, drop, .seq = 2 + PIECES, .ref = ref(1), .count = 1 + PIECES);
    cr_assert_eq(stored(), 0u);
    cr_assert_eq(core_counts(story->core).objects, 0u);
}

Test(large, a_fetch_is_answered_by_what_was_asked_for_and_not_more)
{
    put_large(1);
    hear(story, CALLER, DONE, done);
    say(story, CALLER, FETCH, fetch, .ref = ref(1 + PIECES), .offset = 0, .count = PIECE + 1);
    hear(story, CALLER, DATA, data);
    cr_assert_eq(hear(story, CALLER, DATA, data)->offset, (uint64_t)PIECE);
    hear_nothing(story, CALLER);
}

Test(large, a_fetch_may_begin_anywhere)
{
    static const uint64_t offsets[] = {1, PIECE - 1, PIECE + 1, 2 * PIECE, SIZE - 1};
    put_large(1);
    hear(story, CALLER, DONE, done);
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        fetch(CALLER, ref(5), PART_VALUE, offsets[i]);
        hears_value_from(CALLER, ref(5), PART_VALUE, offsets[i]);
    }
}

Test(large, an_argument_is_fetched_by_its_worker_only)
{
    say_pieces(CALLER, 1, 0, PIECES);
    say(story, CALLER, SUBMIT, submit, .seq = 5, .task = 1, .args = pieces_from(1));
    is_large(hear(story, WORKER, RUN, run)->args);
    fetch(WORKER, ref(5), PART_ARGS, 0);
    hears_value_from(WORKER, ref(5), PART_ARGS, 0);
    fetch(CALLER, ref(5), PART_ARGS, 0);
    cr_assert_eq(hear(story, CALLER, DATA, data)->bytes.size, 0u);
    say(story, WORKER, RESULT, result, .ref = ref(5), .value = text_load("ok"));
    hear(story, CALLER, DONE, done);
    cr_assert_eq(stored(), 0u);
    fetch(WORKER, ref(5), PART_ARGS, 0);
    cr_assert_eq(hear(story, WORKER, DATA, data)->bytes.size, 0u, "it has ended");
}

Test(large, a_result_is_told_by_its_size_and_goes_to_dependents)
{
    const mob_ref_t dep = ref(1);
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1);
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 1, .deps = {.items = &dep, .count = 1});
    hear(story, WORKER, RUN, run);
    say_pieces(WORKER, 1, 0, PIECES);
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = pieces_from(1));
    is_large(hear(story, CALLER, DONE, done)->value);
    const msg_run_t *run = hear(story, WORKER, RUN, run);
    loads_t deps = run->deps;
    is_large(loads_next(&deps));
    fetch(WORKER, ref(2), PART_DEPS, 0);
    hears_value_from(WORKER, ref(2), PART_DEPS, 0);
    say(story, CALLER, DROP, drop, .seq = 3, .ref = ref(1), .count = 1);
    cr_assert_eq(stored(), (uint64_t)SIZE, "the task has it yet");
    say(story, WORKER, RESULT, result, .ref = ref(2), .value = text_load("ok"));
    say(story, CALLER, DROP, drop, .seq = 4, .ref = ref(2), .count = 1);
    cr_assert_eq(stored(), 0u);
}

Test(large, an_actor_is_made_of_it_again_after_a_crash)
{
    say_pieces(CALLER, 1, 0, PIECES);
    say(story, CALLER, SPAWN, spawn, .seq = 5, .cls = 2, .args = pieces_from(1),
        .opts = {.set = &(opts_t){.max_restarts = 1, .backoff_ms = 1}});
    later_worker();
    is_large(hear(story, LATER, MAKE, make)->args);
    fetch(LATER, ref(5), PART_ARGS, 0);
    hears_value_from(LATER, ref(5), PART_ARGS, 0);
    say(story, LATER, RESULT, result, .ref = ref(5), .attempt = 1, .value = text_load("\xc0"));
    hear(story, CALLER, DONE, done);
    story_leave(story, LATER, CAUSE_CRASH);
    story->who[LATER].peer = NULL;
    story_pass(story, 500);
    later_worker();
    is_large(hear(story, LATER, MAKE, make)->args);
    fetch(LATER, ref(5), PART_ARGS, 0);
    hears_value_from(LATER, ref(5), PART_ARGS, 0);
}

Test(large, accept_comes_in_time_for_who_sends_many)
{
    uint64_t notes = core_counts(story->core).notices;
    for (uint64_t seq = 1; seq <= 64; seq++)
        say(story, CALLER, PIECE, piece, .seq = seq, .bytes = text_load("x"));
    outbox_t *box = peer_calls(story->who[CALLER].peer);
    cr_assert(outbox_empty(box), "all was sent");
    cr_assert_eq(core_counts(story->core).notices, notes);
    cr_assert_eq(story->who[CALLER].accepted, 64u);
}

// ---- Said again -------------------------------------------------------------------------------------

Test(large, pieces_that_come_twice_are_one)
{
    say_pieces(CALLER, 1, 0, 2);
    say_pieces(CALLER, 1, 0, PIECES);
    say_pieces(CALLER, 1, 1, 3);
    cr_assert_eq(stored(), (uint64_t)SIZE);
    say(story, CALLER, PUT, put, .seq = 5, .value = pieces_from(1));
    say_pieces(CALLER, 1, 0, PIECES);
    say(story, CALLER, PUT, put, .seq = 5, .value = pieces_from(1));
    is_large(hear(story, CALLER, DONE, done)->value);
    cr_assert_eq(hear(story, CALLER, ANSWER, answer)->code, (uint32_t)MOB_OK);
    fetch(CALLER, ref(5), PART_VALUE, 0);
    hears_value_from(CALLER, ref(5), PART_VALUE, 0);
    cr_assert_eq(stored(), (uint64_t)SIZE);
}

Test(large, a_result_that_comes_twice_is_one)
{
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1);
    hear(story, WORKER, RUN, run);
    say_pieces(WORKER, 1, 0, PIECES);
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = pieces_from(1));
    say_pieces(WORKER, 1, 0, PIECES);
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = pieces_from(1));
    is_large(hear(story, CALLER, DONE, done)->value);
    hear_nothing(story, CALLER);
    cr_assert_eq(stored(), (uint64_t)SIZE);
}

static void caller_returns(uint64_t floor) // to a broker that knows nothing
{
    char topic[MOB_TOPIC_SIZE] = "topic";
    story_destroy(&story);
    story = story_new(&(core_config_t){.epoch = 2});
    say(story, CALLER, HELLO, hello, .major = 1, .owner = 1000 + CALLER,
        .topic = {topic, sizeof topic}, .role = ROLE_CLIENT, .floor = floor, .epoch = 1);
    cr_assert_eq(hear(story, CALLER, WELCOME, welcome)->accepted, floor);
    say(story, CALLER, PING, ping, .epoch = 2, .heard = 1);
}

Test(large, a_new_broker_gets_all_pieces_from_one_who_names_its_floor_before_them)
{
    caller_returns(2);
    for (uint64_t seq = 3; seq <= 4; seq++)
        say(story, CALLER, FIND, find, .seq = seq, .name = {"nobody", 6});
    put_large(5);
    is_large(hear(story, CALLER, DONE, done)->value);
    fetch(CALLER, ref(9), PART_VALUE, 0);
    hears_value_from(CALLER, ref(9), PART_VALUE, 0);
    cr_assert_eq(stored(), (uint64_t)SIZE);
}

Test(large, a_new_broker_that_lacks_pieces_says_so)
{
    caller_returns(2);
    say_pieces(CALLER, 1, 0, PIECES); // two of them are below its floor
    say(story, CALLER, PUT, put, .seq = 5, .value = pieces_from(1));
    fails_with(CALLER, ref(5), MOB_EPROTO, "PIECES");
    cr_assert_eq(stored(), 0u);
}

// ---- Wrong ------------------------------------------------------------------------------------------

Test(large, pieces_must_be_those_that_are_named)
{
    say_pieces(CALLER, 1, 0, PIECES);
    say(story, CALLER, PUT, put, .seq = 5, .value = pieces_from(2));
    fails_with(CALLER, ref(5), MOB_EPROTO, "PIECES");
    say(story, CALLER, PUT, put, .seq = 6, .value = pieces_from(2));
    fails_with(CALLER, ref(6), MOB_EPROTO, "PIECES");
    say(story, CALLER, PUT, put, .seq = 7, .value = {.form = LOAD_AWAY, .size = 5});
    fails_with(CALLER, ref(7), MOB_EPROTO, "PIECES");
    say(story, CALLER, PIECE, piece, .seq = 8, .bytes = load_bytes(value, MOB_PIECE_MAX + 1));
    say(story, CALLER, PUT, put, .seq = 9, .value = {.form = LOAD_PIECES, .first = 8, .size = 1});
    fails_with(CALLER, ref(9), MOB_EPROTO, "PIECES");
    say(story, CALLER, PIECE, piece, .seq = 10);
    say(story, CALLER, SUBMIT, submit, .seq = 11, .task = 1);
    fails_with(CALLER, ref(11), MOB_EPROTO, "PIECES");
    hear_nothing(story, WORKER);
    cr_assert_eq(stored(), 0u);
}

Test(large, pieces_in_front_of_something_else_are_given_up)
{
    say_pieces(CALLER, 1, 0, PIECES);
    say(story, CALLER, FIND, find, .seq = 5, .name = {"nobody", 6});
    say(story, CALLER, PUT, put, .seq = 6, .value = pieces_from(1));
    fails_with(CALLER, ref(6), MOB_EPROTO, "PIECES");
    cr_assert_eq(stored(), 0u);
}

Test(large, pieces_that_nobody_uses_go_with_the_session)
{
    uint64_t before = core_counts(story->core).bytes;
    story_join(story, OTHER, ROLE_CLIENT, 77, 0);
    say_pieces(OTHER, 1, 0, PIECES);
    cr_assert_eq(stored(), (uint64_t)SIZE);
    story_leave(story, OTHER, CAUSE_CRASH);
    cr_assert_eq(stored(), 0u);
    cr_assert_eq(core_counts(story->core).bytes, before);
}

Test(large, an_object_has_a_largest_size)
{
    story_end();
    begin(&(core_config_t){.object_max = 2 * PIECE});
    put_large(1);
    fails_with(CALLER, ref(5), MOB_ELIMIT, "");
    cr_assert_eq(stored(), 0u, "nothing of it is kept");
    for (uint64_t seq = 6; seq <= 6 + MOB_PIECES_MAX; seq++)
        say(story, CALLER, PIECE, piece, .seq = seq, .bytes = text_load("x"));
    say(story, CALLER, PUT, put, .seq = 7 + MOB_PIECES_MAX,
        .value = {.form = LOAD_PIECES, .first = 6, .size = MOB_PIECES_MAX});
    fails_with(CALLER, ref(7 + MOB_PIECES_MAX), MOB_ELIMIT, "");
}

Test(large, a_fetch_out_of_range_is_an_error)
{
    put_large(1);
    hear(story, CALLER, DONE, done);
    fetch(CALLER, ref(5), PART_VALUE, SIZE);
    cr_assert_eq(hear(story, CALLER, ERROR, error)->code, (uint32_t)MOB_EARGS);
    fetch(CALLER, ref(5), PART_VALUE, UINT64_MAX);
    cr_assert_eq(hear(story, CALLER, ERROR, error)->code, (uint32_t)MOB_EARGS);
    say(story, CALLER, FETCH, fetch, .ref = ref(5), .offset = PIECE, .count = UINT64_MAX);
    hears_value_from(CALLER, ref(5), PART_VALUE, PIECE);
    fetch(CALLER, ref(6), PART_VALUE, 0);
    hear_nothing(story, CALLER); // it may come yet
    fetch(CALLER, (mob_ref_t){4711, 1}, PART_VALUE, 0);
    fails_with(CALLER, (mob_ref_t){4711, 1}, MOB_EGONE, "FREED");
    fetch(CALLER, ref(5), PART_DEPS + 7, 0);
    cr_assert_eq(hear(story, CALLER, DATA, data)->bytes.size, 0u);
}

// ---- Room -------------------------------------------------------------------------------------------

Test(large, a_full_store_refuses_what_is_new_and_keeps_what_it_has)
{
    story_end();
    begin(&(core_config_t){.store_max = 2 * SIZE + PIECE});
    put_large(1);
    hear(story, CALLER, DONE, done);
    put_large(6);
    hear(story, CALLER, DONE, done);
    put_large(11);
    fails_with(CALLER, ref(15), MOB_EFULL, "STORE");
    cr_assert_eq(stored(), 2u * SIZE);
    cr_assert_eq(core_counts(story->core).store_refused, 1u);
    fetch(CALLER, ref(5), PART_VALUE, 0);
    hears_value_from(CALLER, ref(5), PART_VALUE, 0);
    say(story, CALLER, DROP, drop, .seq = 16, .ref = ref(5), .count = 1);
    put_large(17);
    is_large(hear(story, CALLER, DONE, done)->value);
    hear_nothing(story, CALLER);
}

Test(large, a_result_that_finds_no_room_has_run)
{
    story_end();
    begin(&(core_config_t){.store_max = 2 * PIECE});
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1);
    hear(story, WORKER, RUN, run);
    say_pieces(WORKER, 1, 0, PIECES);
    say(story, WORKER, RESULT, result, .ref = ref(1), .value = pieces_from(1));
    const msg_answer_t *answer = hear(story, CALLER, ANSWER, answer);
    arena_t arena = {0};
    failure_t failure = {0};
    cr_assert_eq(answer->code, (uint32_t)MOB_EFULL);
    cr_assert(failure_unpack(answer->value, &arena, &failure));
    cr_assert_eq(failure.executed, (uint32_t)MOB_EXECUTED);
    cr_assert_eq(failure.attempts, 1u);
    cr_assert_str_eq(failure.why, "STORE");
    arena_clear(&arena);
    cr_assert_eq(stored(), 0u);
    say(story, CALLER, SUBMIT, submit, .seq = 2, .task = 1);
    hear(story, WORKER, RUN, run); // and the worker goes on
}

// ---- Many dependencies ------------------------------------------------------------------------------

static void put_small(uint64_t seq, load_t load)
{
    say(story, CALLER, PUT, put, .seq = seq, .value = load);
}

// DEPS of so many refs from 1 on, over and over, and a call behind them; gives its seq.
static uint64_t submit_with(uint64_t seq, uint32_t count, uint32_t there)
{
    mob_ref_t refs[MOB_REFS_MAX];
    for (uint32_t done = 0, some; done < count; done += some) {
        some = count - done < MOB_REFS_MAX ? count - done : MOB_REFS_MAX;
        for (uint32_t i = 0; i < some; i++)
            refs[i] = ref(1 + (done + i) % there);
        say(story, CALLER, DEPS, deps, .seq = seq++, .refs = {.items = refs, .count = some});
    }
    say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1);
    return seq;
}

Test(large, a_call_may_depend_on_16384_values)
{
    for (uint64_t seq = 1; seq <= 1000; seq++)
        put_small(seq, load_bytes(&value[seq], 9));
    submit_with(1001, MOB_DEPS_MAX, 1000);
    loads_t deps = hear(story, WORKER, RUN, run)->deps;
    cr_assert_eq(deps.count, (uint32_t)MOB_DEPS_MAX);
    uint32_t here = 0;
    for (uint32_t i = 0; deps.count > 0; i++) {
        load_t load = loads_next(&deps);
        cr_assert_eq(load.size, 9u);
        here += load.form == LOAD_HERE;
        if (load.form == LOAD_HERE)
            cr_assert_eq(memcmp(load.data, &value[1 + i % 1000], 9), 0);
    }
    cr_assert(here > 500 && here < MOB_DEPS_MAX, "%u are in the message", here);
    fetch(WORKER, ref(1017), PART_DEPS + MOB_DEPS_MAX - 1, 0);
    const msg_data_t *data = hear(story, WORKER, DATA, data);
    cr_assert_eq(memcmp(data->bytes.data, &value[1 + (MOB_DEPS_MAX - 1) % 1000], 9), 0);
}

Test(large, what_finds_no_place_in_the_message_is_fetched)
{
    for (uint64_t seq = 1; seq <= 40; seq++)
        put_small(seq, load_bytes(value, 5000));
    uint64_t seq = submit_with(41, 40, 40);
    loads_t deps = hear(story, WORKER, RUN, run)->deps;
    uint32_t away = 0;
    while (deps.count > 0)
        away += loads_next(&deps).form == LOAD_AWAY;
    cr_assert_geq(away, 40u - MOB_BLOBS_MAX);
    fetch(WORKER, ref(seq), PART_DEPS + 39, 0);
    cr_assert_eq(hear(story, WORKER, DATA, data)->bytes.size, 5000u);
    hear_nothing(story, WORKER);
}

Test(large, dependencies_that_were_said_ahead_come_first_and_are_used_once)
{
    const mob_ref_t last = ref(2);
    put_small(1, text_load("one"));
    put_small(2, text_load("two"));
    const mob_ref_t first = ref(1);
    say(story, CALLER, DEPS, deps, .seq = 3, .refs = {.items = &first, .count = 1});
    say(story, CALLER, SUBMIT, submit, .seq = 4, .task = 1, .deps = {.items = &last, .count = 1});
    loads_t deps = hear(story, WORKER, RUN, run)->deps;
    cr_assert_eq(deps.count, 2u);
    cr_assert_eq(memcmp(loads_next(&deps).data, "one", 3), 0);
    cr_assert_eq(memcmp(loads_next(&deps).data, "two", 3), 0);
    say(story, CALLER, SUBMIT, submit, .seq = 5, .task = 1);
    cr_assert_eq(hear(story, WORKER, RUN, run)->deps.count, 0u);
}

Test(large, more_than_16384_dependencies_are_refused)
{
    put_small(1, text_load("one"));
    uint64_t seq = submit_with(2, MOB_DEPS_MAX + 1, 1);
    fails_with(CALLER, ref(seq), MOB_ELIMIT, "");
    hear_nothing(story, WORKER);
    submit_with(seq + 1, MOB_DEPS_MAX, 1);
    hear(story, WORKER, RUN, run);
}

Test(large, a_diamond_of_10000)
{
    enum { WIDE = 10000 };
    const mob_ref_t top = ref(1);
    story_end();
    begin(&(core_config_t){.pending_max = 2 * WIDE});
    say(story, CALLER, SUBMIT, submit, .seq = 1, .task = 1);
    for (uint64_t seq = 2; seq <= WIDE + 1; seq++)
        say(story, CALLER, SUBMIT, submit, .seq = seq, .task = 1,
            .deps = {.items = &top, .count = 1});
    uint64_t last = submit_with(WIDE + 2, WIDE, WIDE + 1);
    for (uint64_t run = 1; run <= WIDE + 1; run++) {
        say(story, WORKER, RESULT, result, .ref = hear(story, WORKER, RUN, run)->ref,
            .value = text_load("v"));
        hear(story, CALLER, DONE, done);
        story_forget(story);
    }
    const msg_run_t *run = hear(story, WORKER, RUN, run);
    cr_assert_eq(run->ref.seq, last);
    cr_assert_eq(run->deps.count, (uint32_t)WIDE);
}
