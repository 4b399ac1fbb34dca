// test_message.c - envelopes: what we write others read, and nothing a peer can send is believed,
// crashes, or keeps the loop from coming to an end.

#include <criterion/criterion.h>
#include <stdlib.h>

#include "edge.h"
#include "sample.h"

#include "../wire/vectors.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static batch_reader_t reader(const batch_t *batch)
{
    return batch_open(batch->pack.data, batch->pack.size, batch->blobs, batch->blob_count);
}

static batch_reader_t reader_of_bytes(const void *bytes, size_t size)
{
    return batch_open(bytes, size, NULL, 0);
}

// Read to the end whatever it is; how many messages were good.
static size_t read_all(batch_reader_t in)
{
    message_t message;
    message_fault_t fault;
    size_t good = 0, left = (size_t)(in.in.end - in.in.next) + 2;
    for (;;) {
        cr_assert_gt(left--, 0, "more messages than bytes: it does not end");
        message_state_t state = message_next(&in, &message, &fault);
        if (state == MESSAGE_END)
            return good;
        good += state == MESSAGE_OK;
    }
}

// What the next envelope of these bytes is found to be.
static message_fault_t fault_of(const void *bytes, size_t size, message_state_t wanted)
{
    message_t message;
    message_fault_t fault = {0};
    batch_reader_t in = reader_of_bytes(bytes, size);
    cr_assert_eq(message_next(&in, &message, &fault), wanted);
    return fault;
}

#define FAULT(fault, verb_, field_, wrong_, seq_) \
    do {                                          \
        message_fault_t is = (fault);             \
        cr_assert_eq(is.verb, (uint32_t)(verb_)); \
        cr_assert_str_eq(is.field, field_);       \
        cr_assert_str_eq(is.wrong, wrong_);       \
        cr_assert_eq(is.seq, (uint64_t)(seq_));   \
    } while (0)

// ---- What is written can be read ----------------------------------------------------------------

Test(message, every_verb_is_written_as_the_protocol_says)
{
    cr_assert_eq(COUNT(vector_verbs), SAMPLE_VERBS, "run tests/wire/make_vectors.py");
    for (size_t i = 0; i < SAMPLE_VERBS; i++) {
        batch_t batch = BATCH_INIT;
        sample_append(&batch, sample_verbs[i]);
        cr_assert_str_eq(verb_name(sample_verbs[i]), vector_verbs[i].name);
        cr_assert_eq(batch.pack.size, vector_verbs[i].size, "%s", vector_verbs[i].name);
        cr_assert_arr_eq(batch.pack.data, vector_verbs[i].bytes, batch.pack.size, "%s",
                         vector_verbs[i].name);
        batch_fini(&batch);
    }
}

Test(message, what_was_read_can_be_handed_on)
{
    for (size_t i = 0; i < SAMPLE_VERBS; i++) {
        batch_t batch = BATCH_INIT, again = BATCH_INIT;
        message_t message;
        message_fault_t fault;
        sample_append(&batch, sample_verbs[i]);
        batch_reader_t in = reader(&batch);
        cr_assert_eq(message_next(&in, &message, &fault), MESSAGE_OK, "%s",
                     verb_name(sample_verbs[i]));
        cr_assert_eq(message.verb, sample_verbs[i]);
        cr_assert(message_append(&again, &message));
        cr_assert_eq(again.pack.size, batch.pack.size);
        cr_assert_arr_eq(again.pack.data, batch.pack.data, batch.pack.size);
        cr_assert_eq(message_next(&in, &message, &fault), MESSAGE_END);
        batch_fini(&batch);
        batch_fini(&again);
    }
}

Test(message, a_batch_of_all_verbs_is_read_in_order)
{
    batch_t batch = BATCH_INIT;
    for (size_t i = 0; i < SAMPLE_VERBS; i++)
        sample_append(&batch, sample_verbs[i]);
    cr_assert_eq(batch.count, SAMPLE_VERBS);
    cr_assert_eq(read_all(reader(&batch)), SAMPLE_VERBS);
    batch_fini(&batch);
}

Test(message, refs_and_options_come_back)
{
    batch_t batch = BATCH_INIT;
    const mob_ref_t deps[] = {{1, 2}, {UINT64_MAX, UINT64_MAX}};
    const opts_t set = {.timeout_ms = -1, .name = {"counter", 7}, .space = {"demo", 4}};
    const msg_submit_t submit = {.seq = 1, .deps = {.items = deps, .count = 2}, .opts = {.set = &set}};
    cr_assert(message_SUBMIT(&batch, &submit));
    message_t message;
    message_fault_t fault;
    batch_reader_t in = reader(&batch);
    cr_assert_eq(message_next(&in, &message, &fault), MESSAGE_OK);
    opts_t opts = opts_read(message.submit.opts);
    cr_assert(opts.timeout_ms == -1 && opts.max_retries == 0 && opts.key.size == 0);
    cr_assert_eq(opts.name.size, 7);
    cr_assert_arr_eq(opts.name.data, "counter", 7);
    cr_assert_eq(message.submit.deps.count, 2);
    cr_assert(mob_same(refs_next(&message.submit.deps), deps[0]));
    cr_assert(mob_same(refs_next(&message.submit.deps), deps[1]));
    cr_assert_eq(message.submit.deps.count, 0);
    batch_fini(&batch);
}

Test(message, payloads_come_back_inline_and_as_blobs)
{
    static uint8_t big[MOB_BLOB_MAX];
    big[0] = 7;
    const load_t deps[] = {load_bytes("x", 1), load_bytes(big, sizeof big), load_bytes("", 0)};
    batch_t batch = BATCH_INIT;
    message_NOTE(&batch, &(msg_note_t){.epoch = 1, .n = 2});
    cr_assert(message_RUN(&batch, &(msg_run_t){.ref = {1, 1}, .deps = {.items = deps, .count = 3}}));
    cr_assert_eq(batch.blob_count, 1);
    message_t message;
    message_fault_t fault;
    batch_reader_t in = reader(&batch);
    message_next(&in, &message, &fault);
    cr_assert_eq(message_next(&in, &message, &fault), MESSAGE_OK);
    loads_t loads = message.run.deps;
    cr_assert_eq(loads_next(&loads).size, 1);
    load_t load = loads_next(&loads);
    cr_assert(load.size == MOB_BLOB_MAX && load.data[0] == 7 && load.blob == batch.blobs[0]);
    cr_assert_eq(loads_next(&loads).size, 0);
    cr_assert_eq(loads.count, 0);
    batch_fini(&batch);
}

Test(message, a_payload_may_be_elsewhere_or_have_come_in_pieces)
{
    static load_t deps[MOB_DEPS_MAX];
    batch_t batch = BATCH_INIT;
    const load_t pieces = {.form = LOAD_PIECES, .first = 7, .size = MOB_PIECES_MAX};
    for (size_t i = 0; i < COUNT(deps); i++)
        deps[i] = (load_t){.form = LOAD_AWAY, .size = MOB_LOAD_MAX};
    cr_assert(message_PUT(&batch, &(msg_put_t){.seq = 1200, .value = pieces}));
    cr_assert(message_RUN(&batch, &(msg_run_t){.deps = {.items = deps, .count = COUNT(deps)}}),
              "all that a call may depend on fits into one frame");
    message_t message;
    message_fault_t fault;
    batch_reader_t in = reader(&batch);
    cr_assert_eq(message_next(&in, &message, &fault), MESSAGE_OK);
    load_t load = message.put.value;
    cr_assert(load.form == LOAD_PIECES && load.first == 7 && load.size == MOB_PIECES_MAX);
    cr_assert_null(load.data);
    cr_assert_eq(message_next(&in, &message, &fault), MESSAGE_OK);
    cr_assert_eq(message.run.deps.count, COUNT(deps));
    load = loads_next(&message.run.deps);
    cr_assert(load.form == LOAD_AWAY && load.size == MOB_LOAD_MAX);
    cr_assert_null(load.data);
    batch_fini(&batch);
}

// A PUT of seq 7 with this value.
static message_fault_t put_of(const char *value, size_t size)
{
    pack_t out = PACK_INIT;
    pack_raw(&out, "\x93\x06\x07", 3);
    pack_raw(&out, value, size);
    message_fault_t fault = fault_of(out.data, out.size, MESSAGE_BAD);
    pack_fini(&out);
    return fault;
}

Test(message, what_is_said_of_an_absent_payload_is_checked)
{
    FAULT(put_of("\x90", 1), VERB_PUT, "value", "RANGE", 7);
    FAULT(put_of("\x93\x01\x02\x03", 4), VERB_PUT, "value", "RANGE", 7);
    FAULT(put_of("\x91\x00", 2), VERB_PUT, "value", "RANGE", 7);
    FAULT(put_of("\x92\x00\x01", 3), VERB_PUT, "value", "RANGE", 7);
    FAULT(put_of("\x92\x01\x00", 3), VERB_PUT, "value", "RANGE", 7);
    FAULT(put_of("\x92\x01\xcd\x04\x02", 5), VERB_PUT, "value", "LIMIT", 7); // 1026 pieces
    FAULT(put_of("\x91\xce\x04\x00\x00\x41", 6), VERB_PUT, "value", "LIMIT", 7);
    FAULT(put_of("\x91\xa1x", 3), VERB_PUT, "value", "TYPE", 7);
}

Test(message, an_ask_of_1024_refs_fits_and_one_more_does_not)
{
    static mob_ref_t many[MOB_REFS_MAX + 1];
    batch_t batch = BATCH_INIT;
    memset(many, 0xff, sizeof many);
    cr_assert(message_ASK(&batch, &(msg_ask_t){{.items = many, .count = MOB_REFS_MAX}}));
    cr_assert_eq(read_all(reader(&batch)), 1);
    cr_assert_not(message_ASK(&batch, &(msg_ask_t){{.items = many, .count = MOB_REFS_MAX + 1}}));
    cr_assert_eq(batch.count, 1);
    batch_fini(&batch);
}

Test(message, what_fails_leaves_no_trace)
{
    static uint8_t big[MOB_BLOB_MAX + 1];
    static load_t deps[MOB_DEPS_MAX];
    batch_t batch = BATCH_INIT;
    message_BYE(&batch, &(msg_bye_t){0});
    size_t size = batch.pack.size;
    cr_assert_not(message_PUT(&batch, &(msg_put_t){.seq = 1, .value = load_bytes(big, sizeof big)}));
    for (size_t i = 0; i < COUNT(deps); i++)
        deps[i] = load_bytes(big, MOB_INLINE_MAX);
    const msg_run_t wide = {.deps = {.items = deps, .count = COUNT(deps)}};
    cr_assert_not(message_RUN(&batch, &wide), "above the frame");
    for (size_t i = 0; i <= MOB_BLOBS_MAX; i++)
        deps[i] = load_bytes(big, MOB_INLINE_MAX + 1);
    const msg_run_t many = {.deps = {.items = deps, .count = MOB_BLOBS_MAX + 1}};
    cr_assert_not(message_RUN(&batch, &many), "a blob too many");
    cr_assert(batch.count == 1 && batch.pack.size == size && batch.blob_count == 0);
    cr_assert(message_BYE(&batch, &(msg_bye_t){0}));
    cr_assert_eq(read_all(reader(&batch)), 2);
    batch_fini(&batch);
}

Test(message, texts_are_put_in_order_when_written)
{
    static char text[MOB_TEXT_MAX + 10];
    memset(text, 'a', sizeof text);
    memcpy(text + MOB_TEXT_MAX - 1, "\xc3\xbc", 2);
    batch_t batch = BATCH_INIT;
    message_GOODBYE(&batch, &(msg_goodbye_t){.text = {text, sizeof text}});
    message_GOODBYE(&batch, &(msg_goodbye_t){.text = {"a\xff\0b", 4}});
    message_t message;
    message_fault_t fault;
    batch_reader_t in = reader(&batch);
    cr_assert_eq(message_next(&in, &message, &fault), MESSAGE_OK);
    cr_assert_eq(message.goodbye.text.size, MOB_TEXT_MAX - 1, "no half character");
    cr_assert_eq(message_next(&in, &message, &fault), MESSAGE_OK);
    cr_assert_arr_eq(message.goodbye.text.data, "a??b", 4);
    batch_fini(&batch);
}

// ---- What peers may send ------------------------------------------------------------------------

Test(message, no_proper_prefix_is_a_message)
{
    edge_t edge = edge_open();
    for (size_t i = 0; i < COUNT(vector_verbs); i++)
        for (size_t cut = 0; cut < vector_verbs[i].size; cut++) {
            batch_reader_t in = reader_of_bytes(edge_put(&edge, vector_verbs[i].bytes, cut), cut);
            message_t message;
            message_fault_t fault;
            message_state_t state = message_next(&in, &message, &fault);
            cr_assert_eq(state, cut ? MESSAGE_BROKEN : MESSAGE_END, "%s, %zu bytes",
                         vector_verbs[i].name, cut);
            cr_assert_eq(message_next(&in, &message, &fault), MESSAGE_END);
        }
    edge_close(&edge);
}

Test(message, no_changed_byte_does_harm, .timeout = 60)
{
    edge_t edge = edge_open();
    for (size_t i = 0; i < COUNT(vector_verbs); i++) {
        size_t size = vector_verbs[i].size;
        uint8_t *bytes = edge.page + EDGE_SIZE - size;
        edge_put(&edge, vector_verbs[i].bytes, size);
        for (size_t at = 0; at < size; at++) {
            uint8_t before = bytes[at];
            for (int value = 0; value < 256; value++) {
                bytes[at] = (uint8_t)value;
                read_all(reader_of_bytes(bytes, size));
            }
            bytes[at] = before;
        }
    }
    edge_close(&edge);
}

Test(message, the_byte_that_means_nothing_breaks_the_rest)
{
    FAULT(fault_of("\xc1", 1, MESSAGE_BROKEN), 0, "", "MSGPACK", 0);
    FAULT(fault_of("\x92\x0f\xc1", 3, MESSAGE_BROKEN), VERB_BYE, "reason", "MSGPACK", 0);
}

Test(message, what_is_no_envelope_is_named)
{
    FAULT(fault_of("\x0f", 1, MESSAGE_BAD), 0, "", "PROTO", 0);          // no array
    FAULT(fault_of("\x90", 1, MESSAGE_BAD), 0, "", "PROTO", 0);          // no verb
    FAULT(fault_of("\x92\x00\x00", 3, MESSAGE_BAD), 0, "", "PROTO", 0);  // verb 0
    FAULT(fault_of("\x92\x7f\x00", 3, MESSAGE_BAD), 0, "", "PROTO", 0);  // unknown
    FAULT(fault_of("\x92\xff\x00", 3, MESSAGE_BAD), 0, "", "PROTO", 0);  // negative
    FAULT(fault_of("\x92\xa1x\x00", 4, MESSAGE_BAD), 0, "", "PROTO", 0); // a text
    FAULT(fault_of("\x92\xcf\0\0\0\1\0\0\0\x0f\0", 11, MESSAGE_BAD), 0, "", "PROTO", 0);
}

Test(message, a_wrong_field_is_named_with_the_seq_of_its_request)
{
    // PUT(seq, value), FIND(seq, name), BYE(reason), PING(epoch, heard)
    FAULT(fault_of("\x92\x06\x07", 3, MESSAGE_BAD), VERB_PUT, "value", "FIELD", 7);
    FAULT(fault_of("\x91\x06", 2, MESSAGE_BAD), VERB_PUT, "seq", "FIELD", 0);
    FAULT(fault_of("\x93\x06\x07\xa0", 4, MESSAGE_BAD), VERB_PUT, "value", "TYPE", 7);
    FAULT(fault_of("\x93\x06\x07\x00", 4, MESSAGE_BAD), VERB_PUT, "value", "RANGE", 7);
    FAULT(fault_of("\x93\x06\xa1x\xc4\x00", 6, MESSAGE_BAD), VERB_PUT, "seq", "TYPE", 0);
    FAULT(fault_of("\x93\x06\xff\xc4\x00", 5, MESSAGE_BAD), VERB_PUT, "seq", "RANGE", 0);
    FAULT(fault_of("\x93\x07\x09\xa1\xff", 5, MESSAGE_BAD), VERB_FIND, "name", "RANGE", 9);
    FAULT(fault_of("\x93\x07\x09\xa1\x00", 5, MESSAGE_BAD), VERB_FIND, "name", "RANGE", 9);
    FAULT(fault_of("\x92\x0f\xca\x3f\x80\x00\x00", 7, MESSAGE_BAD), VERB_BYE, "reason", "TYPE", 0);
    FAULT(fault_of("\x92\x0f\xcf\0\0\0\1\0\0\0\0", 11, MESSAGE_BAD), VERB_BYE, "reason", "RANGE", 0);
}

Test(message, seq_0_and_the_last_number_are_refused)
{
    FAULT(fault_of("\x93\x06\x00\xc4\x00", 5, MESSAGE_BAD), VERB_PUT, "seq", "RANGE", 0);
    FAULT(fault_of("\x93\x06\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xc4\x00", 13, MESSAGE_BAD),
          VERB_PUT, "seq", "RANGE", 0);
}

Test(message, newer_fields_are_skipped)
{
    cr_assert_eq(read_all(reader_of_bytes("\x94\x0f\x00\x92\x01\x02\xa1x", 8)), 1);
    FAULT(fault_of("\x93\x0f\x00\xc1", 4, MESSAGE_BROKEN), VERB_BYE, "", "MSGPACK", 0);
}

// RESULT(ref, attempt, value, inner)
Test(message, refs_inside_a_value_may_be_left_out)
{
    static const char result[] = "\x95\x17\x01\x02\x00\xc4\x00";
    cr_assert_eq(read_all(reader_of_bytes(result, sizeof result - 1)), 1);
    FAULT(fault_of("\x94\x17\x01\x02\x00", 5, MESSAGE_BAD), VERB_RESULT, "value", "FIELD", 0);
}

Test(message, refs_inside_a_value_are_whole_and_not_too_many)
{
    static uint8_t many[INNER_SIZE];
    pack_t out = PACK_INIT;
    pack_raw(&out, "\x96\x17\x01\x02\x00\xc4\x00\x91", 8);
    pack_bin(&out, many, INNER_SIZE - 1);
    FAULT(fault_of(out.data, out.size, MESSAGE_BAD), VERB_RESULT, "inner", "RANGE", 0);
    static const char five[] =
        "\x96\x17\x01\x02\x00\xc4\x00\x95\xc4\x00\xc4\x00\xc4\x00\xc4\x00\xc4\x00";
    FAULT(fault_of(five, sizeof five - 1, MESSAGE_BAD), VERB_RESULT, "inner", "LIMIT", 0);
    pack_fini(&out);
}

Test(message, more_refs_than_the_limit_are_refused_however_they_are_split)
{
    static uint8_t many[MOB_BLOB_MAX];
    const load_t loads[] = {{0},
                            load_bytes(many, sizeof many),
                            load_bytes(many, sizeof many),
                            load_bytes(many, sizeof many)};
    batch_t batch = BATCH_INIT;
    message_RESULT(&batch, &(msg_result_t){.ref = {1, 2}, .inner = {.items = loads, .count = 4}});
    batch_reader_t in = reader(&batch);
    message_t message;
    message_fault_t fault;
    cr_assert_eq(message_next(&in, &message, &fault), MESSAGE_BAD);
    cr_assert_str_eq(fault.wrong, "LIMIT");
    batch_fini(&batch);
}

Test(message, the_fifth_of_ten_is_wrong_and_nine_are_served)
{
    batch_t batch = BATCH_INIT;
    for (int i = 0; i < 10; i++) {
        if (i == 4)
            pack_raw(&batch.pack, "\x92\x0f\xa4oops", 7);
        else
            message_BYE(&batch, &(msg_bye_t){0});
    }
    cr_assert_eq(read_all(reader(&batch)), 9);
    batch_fini(&batch);
}

Test(message, half_an_envelope_loses_only_itself)
{
    batch_t batch = BATCH_INIT;
    message_BYE(&batch, &(msg_bye_t){0});
    pack_raw(&batch.pack, "\x92\x0f", 2);
    cr_assert_eq(read_all(reader(&batch)), 1);
    batch_fini(&batch);
}

Test(message, an_empty_frame_is_the_end)
{
    cr_assert_eq(read_all(reader_of_bytes("", 0)), 0);
    cr_assert_eq(read_all(reader_of_bytes(NULL, 0)), 0);
}

// An ASK of so many numbers, then a BYE.
static batch_t ask_of(uint32_t numbers)
{
    batch_t batch = BATCH_INIT;
    pack_array(&batch.pack, 2);
    pack_u64(&batch.pack, VERB_ASK);
    pack_array(&batch.pack, numbers);
    for (uint32_t i = 0; i < numbers; i++)
        pack_u64(&batch.pack, i);
    message_BYE(&batch, &(msg_bye_t){0});
    return batch;
}

Test(message, refs_are_pairs_and_at_most_1024)
{
    batch_t odd = ask_of(3), many = ask_of(2 * MOB_REFS_MAX + 2), fine = ask_of(2 * MOB_REFS_MAX);
    FAULT(fault_of(odd.pack.data, odd.pack.size, MESSAGE_BAD), VERB_ASK, "refs", "RANGE", 0);
    FAULT(fault_of(many.pack.data, many.pack.size, MESSAGE_BAD), VERB_ASK, "refs", "LIMIT", 0);
    cr_assert_eq(read_all(reader(&fine)), 2);
    batch_fini(&odd);
    batch_fini(&many);
    batch_fini(&fine);
}

Test(message, an_envelope_of_too_many_tokens_ends_the_message)
{
    batch_t batch = ask_of(MOB_TOKENS_MAX - 2);
    FAULT(fault_of(batch.pack.data, batch.pack.size, MESSAGE_BROKEN), VERB_ASK, "refs", "LIMIT", 0);
    batch_fini(&batch);
}

Test(message, payloads_above_their_limits_are_refused)
{
    static uint8_t big[MOB_BLOB_MAX + 1];
    pack_t out = PACK_INIT;
    pack_raw(&out, "\x93\x06\x07", 3);
    pack_bin(&out, big, MOB_INLINE_MAX + 1);
    FAULT(fault_of(out.data, out.size, MESSAGE_BAD), VERB_PUT, "value", "LIMIT", 7);
    pack_fini(&out);

    blob_t *blob = blob_new(big, sizeof big);
    message_t message;
    message_fault_t fault;
    batch_reader_t in = batch_open("\x93\x06\x07\x00", 4, &blob, 1);
    cr_assert_eq(message_next(&in, &message, &fault), MESSAGE_BAD);
    cr_assert_str_eq(fault.wrong, "LIMIT");
    in = batch_open("\x93\x06\x07\x01", 4, &blob, 1);
    cr_assert_eq(message_next(&in, &message, &fault), MESSAGE_BAD);
    cr_assert_str_eq(fault.wrong, "RANGE");
    blob_drop(&blob);
}

// ---- Options ------------------------------------------------------------------------------------

// An OFFER whose opts are these bytes.
static message_fault_t offer_with(const char *opts, size_t size, message_state_t wanted)
{
    pack_t out = PACK_INIT;
    pack_raw(&out, "\x95\x14\xa0\xa0\x01", 5);
    pack_raw(&out, opts, size);
    message_fault_t fault = fault_of(out.data, out.size, wanted);
    pack_fini(&out);
    return fault;
}

Test(message, unknown_options_are_skipped_whatever_they_are)
{
    offer_with("\x82\x32\x92\x01\x02\xcd\x03\xe8\xc0", 9, MESSAGE_OK); // 50: [1, 2], 1000: nil
}

Test(message, an_option_twice_is_refused)
{
    FAULT(offer_with("\x82\x01\x05\x01\x05", 5, MESSAGE_BAD), VERB_OFFER, "opts", "MSGPACK", 0);
    FAULT(offer_with("\x82\xcd\x03\xe8\x05\xcd\x03\xe8\x05", 9, MESSAGE_BAD), VERB_OFFER, "opts",
          "MSGPACK", 0);
}

Test(message, options_of_a_wrong_kind_are_refused)
{
    FAULT(offer_with("\x81\x01\xa1x", 4, MESSAGE_BAD), VERB_OFFER, "opts", "TYPE", 0);
    FAULT(offer_with("\x81\x09\x05", 3, MESSAGE_BAD), VERB_OFFER, "opts", "TYPE", 0);
    FAULT(offer_with("\x81\xa1x\x05", 4, MESSAGE_BAD), VERB_OFFER, "opts", "TYPE", 0);
    FAULT(offer_with("\x81\x01\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 11, MESSAGE_BAD), VERB_OFFER,
          "opts", "RANGE", 0);
    FAULT(offer_with("\x90", 1, MESSAGE_BAD), VERB_OFFER, "opts", "TYPE", 0);
}

Test(message, sixty_five_options_are_refused)
{
    pack_t out = PACK_INIT;
    pack_map(&out, MOB_OPTIONS_MAX);
    for (uint32_t i = 0; i < MOB_OPTIONS_MAX; i++) {
        pack_u64(&out, 1000 + i);
        pack_nil(&out);
    }
    offer_with((const char *)out.data, out.size, MESSAGE_OK);
    out.size = 0;
    pack_map(&out, MOB_OPTIONS_MAX + 1);
    for (uint32_t i = 0; i <= MOB_OPTIONS_MAX; i++) {
        pack_u64(&out, 1000 + i);
        pack_nil(&out);
    }
    FAULT(offer_with((const char *)out.data, out.size, MESSAGE_BAD), VERB_OFFER, "opts", "LIMIT", 0);
    pack_fini(&out);
}

Test(message, a_number_that_is_no_verb_has_a_name_for_people)
{
    cr_assert_str_eq(verb_name(VERB_CALL), "CALL");
    cr_assert_str_eq(verb_name(0), "?");
    cr_assert_str_eq(verb_name(59), "?");
    cr_assert_str_eq(verb_name(UINT32_MAX), "?");
}
