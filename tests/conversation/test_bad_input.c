// test_bad_input.c - what a peer must not be able to do: whatever bytes come to the calls socket, an honest session goes on,
// the sender gets a named error or is counted, and the broker does not grow.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "talker.h"

static stage_t *stage;
static talker_t *honest;
static uint64_t asked;

static void start(void)
{
    stage = stage_new();
    stage_start(stage, NULL);
    honest = talker_new(stage, 4711);
    talker_hello(honest, ROLE_CLIENT, 0);
    asked = 0;
}

static void end(void)
{
    talker_destroy(&honest);
    stage_destroy(&stage);
}

TestSuite(bad_input, .init = start, .fini = end, .timeout = 60);

// A round trip of somebody who does nothing wrong.
static void honest_goes_on(void)
{
    say(honest, QUERY, query, .seq = ++asked, .what = str("status"));
    talker_send(honest);
    const message_t *answer = talker_hear(honest, BY_CALLS, VERB_DONE, __LINE__);
    cr_assert_eq(answer->done.seq, asked);
}

static talker_t *stranger(bool hello)
{
    static uint64_t owner = 100;
    talker_t *talker = talker_new(stage, ++owner);
    if (hello)
        talker_hello(talker, ROLE_CLIENT, 0);
    return talker;
}

static void throw(talker_t * talker, const void *bytes, size_t size)
{
    cr_assert_geq(zmq_send(talker->sockets[BY_CALLS], bytes, size, 0), 0);
}

// The ERROR; a request whose seq could be read is settled by an ANSWER first, so that later ones pass.
static const msg_error_t *hear_error(talker_t *talker, int line)
{
    const message_t *message = talker_peek(talker, BY_CALLS, 5000); // takes it
    if (message && message->verb == VERB_ANSWER)
        message = talker_hear(talker, BY_CALLS, VERB_ERROR, line);
    cr_assert(message && message->verb == VERB_ERROR, "line %d: %s instead of ERROR", line,
              message ? verb_name(message->verb) : "silence");
    return &message->error;
}

static long resident_kib(void)
{
    long total = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert_eq(fscanf(file, "%ld %ld", &total, &pages), 2);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void must_not_have_grown(long before)
{
#ifndef __SANITIZE_ADDRESS__ // which keeps freed memory for a while
    cr_assert_lt(resident_kib() - before, 5 * 1024L, "it grew by %ld KiB", resident_kib() - before);
#else
    (void)before;
#endif
}

// What is whole MessagePack but wrong is answered by its name.
typedef struct wrong {
    const char *name, *bytes;
    size_t size;
    const char *why;
    bool takes_seq; // its seq could be read
} wrong_t;

#define WRONG(name, bytes, why)                    \
    {                                              \
        name, bytes, sizeof(bytes) - 1, why, false \
    }
#define WRONG_SEQ(name, bytes, why)               \
    {                                             \
        name, bytes, sizeof(bytes) - 1, why, true \
    }

static const wrong_t wrongs[] = {
    WRONG("not an array", "\x05", "PROTO"),
    WRONG("an empty array", "\x90", "PROTO"),
    WRONG("a verb that is a string", "\x92\xa1x\x01", "PROTO"),
    WRONG("a verb that does not exist", "\x92\xcd\x03\xe7\x01", "PROTO"),
    WRONG("a negative verb", "\x92\xff\x01", "PROTO"),
    WRONG_SEQ("a missing field", "\x92\x03\x01", "FIELD"),
    WRONG("a field of another type", "\x93\x0e\xa1x\x01", "TYPE"),
    WRONG("a string for a number", "\x93\x02\xa1s\xa1t", "TYPE"),
    WRONG("a seq of zero", "\x93\x06\x00\xc4\x01x", "RANGE"),
    WRONG("a number that is too large", "\x93\x02\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa1t", "RANGE"),
    WRONG("a float", "\x93\x06\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\xc4\x01x", "TYPE"),
};

Test(bad_input, wrong_envelopes_are_named_and_the_rest_of_the_message_counts)
{
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        talker_t *talker = stranger(true);
        char bytes[256];
        batch_t after = BATCH_INIT;
        message_QUERY(&after,
                      &(msg_query_t){.seq = wrongs[i].takes_seq ? 2 : 1, .what = str("status")});
        memcpy(bytes, wrongs[i].bytes, wrongs[i].size);
        memcpy(bytes + wrongs[i].size, after.pack.data, after.pack.size);
        throw(talker, bytes, wrongs[i].size + after.pack.size);
        batch_fini(&after);
        mob_bytes_t why = hear_error(talker, __LINE__)->why;
        cr_assert(why.size == strlen(wrongs[i].why) && memcmp(why.data, wrongs[i].why, why.size) == 0,
                  "%s: %.*s, not %s", wrongs[i].name, (int)why.size, (const char *)why.data,
                  wrongs[i].why);
        talker_hear(talker, BY_CALLS, VERB_DONE, __LINE__);
        talker_destroy(&talker);
    }
    honest_goes_on();
}

Test(bad_input, Z15_one_wrong_envelope_of_ten_costs_itself_alone)
{
    talker_t *talker = stranger(true);
    for (uint64_t seq = 1; seq <= 9; seq++) {
        say(talker, QUERY, query, .seq = seq, .what = str("status"));
        if (seq == 4) {
            pack_array(&talker->out.pack, 2);
            pack_u64(&talker->out.pack, 999);
            pack_u64(&talker->out.pack, 1);
        }
    }
    talker_send(talker);
    int errors = 0;
    for (uint64_t seq = 1; seq <= 9;) {
        const message_t *message = talker_peek(talker, BY_CALLS, 5000);
        cr_assert_not_null(message);
        if (message->verb == VERB_ERROR)
            errors++;
        else
            cr_assert(message->verb == VERB_DONE && message->done.seq == seq++);
    }
    cr_assert_eq(errors, 1);
    talker_destroy(&talker);
    honest_goes_on();
}

static const wrong_t broken[] = {
    WRONG("a type that does not exist", "\xc1", "MSGPACK"),
    WRONG("an array of four thousand millions", "\xdd\xff\xff\xff\xff", "MSGPACK"),
    WRONG("a map of four thousand millions", "\xdf\xff\xff\xff\xff", "MSGPACK"),
    WRONG("a text of four thousand millions", "\x92\x02\xdb\xff\xff\xff\xff", "MSGPACK"),
    WRONG("bytes of four thousand millions", "\x93\x06\x01\xc6\xff\xff\xff\xff", "MSGPACK"),
    WRONG("half an envelope", "\x93\x06\x01", "MSGPACK"),
};

Test(bad_input, undecodable_bytes_are_answered_and_cost_nothing)
{
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        talker_t *talker = stranger(true);
        throw(talker, broken[i].bytes, broken[i].size);
        hear_error(talker, __LINE__);
        talker_destroy(&talker);
        honest_goes_on();
    }
}

Test(bad_input, deep_nesting_is_refused_without_recursion)
{
    talker_t *talker = stranger(true);
    size_t size = MOB_FRAME_MAX - 16;
    char *bytes = malloc(size);
    memset(bytes, '\x91', size);
    throw(talker, bytes, size);
    hear_error(talker, __LINE__);
    free(bytes);
    talker_destroy(&talker);
    honest_goes_on();
}

Test(bad_input, a_message_truncated_at_every_byte)
{
    batch_t whole = BATCH_INIT;
    opts_t opts = {.timeout_ms = 5, .name = str("n")};
    mob_ref_t deps[] = {{1, 2}, {3, 4}};
    message_SUBMIT(&whole, &(msg_submit_t){.seq = 1,
                                           .epoch = 1,
                                           .task = 1,
                                           .opts = {.set = &opts},
                                           .args = bytes_of("arguments"),
                                           .deps = {.items = deps, .count = 2}});
    for (size_t cut = 1; cut < whole.pack.size; cut++) {
        talker_t *talker = stranger(true);
        throw(talker, whole.pack.data, cut);
        hear_error(talker, __LINE__);
        talker_destroy(&talker);
    }
    batch_fini(&whole);
    honest_goes_on();
}

Test(bad_input, random_bytes_for_a_while)
{
    long before = resident_kib();
    unsigned seed = 20261124;
    for (int i = 0; i < 3000; i++) {
        talker_t *talker = i % 50 == 0 ? stranger(i % 100 == 0) : NULL;
        static talker_t *last;
        if (talker) {
            if (last)
                talker_destroy(&last);
            last = talker;
        }
        unsigned char bytes[600];
        size_t size = 1 + (size_t)rand_r(&seed) % sizeof bytes;
        for (size_t b = 0; b < size; b++)
            bytes[b] = (unsigned char)rand_r(&seed);
        if (i % 3 == 0)
            bytes[0] = (unsigned char)(0x90 | (bytes[0] & 15)),
            bytes[1] = (unsigned char)(bytes[1] % 64);
        throw(last, bytes, size);
        if (i == 2999)
            talker_destroy(&last);
    }
    honest_goes_on();
    must_not_have_grown(before);
}

// Not even ZeroMQ: what comes before and below its messages. The last one greets well, and then announces 2 GiB.
#define BELOW(text)            \
    {                          \
        text, sizeof(text) - 1 \
    }
#define NULS_8 "\0\0\0\0\0\0\0\0"
#define GREETING \
    "\xff" NULS_8 "\x7f\x03\0NULL" NULS_8 NULS_8 NULS_8 NULS_8 NULS_8 "\0\0\0\0\0\0\0\0"

static const struct {
    const char *bytes;
    size_t size;
} below[] = {
    BELOW("GET / HTTP/1.1\r\nHost: mobula\r\n\r\n"),
    BELOW("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
    BELOW("\xff" NULS_8 "\x7f"), // a greeting cut short
    BELOW(GREETING "\x02\0\0\0\0\x7f\xff\xff\xff"),
};
_Static_assert(sizeof GREETING - 1 == 64, "as ZMTP 3 has it");

// A connection of plain bytes; the broker may end it at any of them.
static void scribble(const char *socket_name, const void *bytes, size_t size)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int written =
        snprintf(to.sun_path, sizeof to.sun_path, "%s/%s.sock", stage->directory, socket_name);
    cr_assert_lt(written, (int)sizeof to.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0, "%s", to.sun_path);
    (void)!send(fd, bytes, size, MSG_NOSIGNAL);
    close(fd);
}

Test(bad_input, C120_garbage_on_every_socket_is_dropped_and_nothing_grows)
{
    static const char *const names[] = {"calls", "notices", "feed"};
    long before = resident_kib();
    unsigned seed = 20261124;
    for (int i = 0; i < 1500; i++) {
        const char *name = names[i % 3];
        size_t count = sizeof below / sizeof *below, which = (size_t)i / 3 % (count + 1);
        unsigned char noise[4096];
        for (size_t b = 0; b < sizeof noise; b++)
            noise[b] = (unsigned char)rand_r(&seed);
        if (which < count)
            scribble(name, below[which].bytes, below[which].size);
        else
            scribble(name, noise, 1 + (size_t)rand_r(&seed) % sizeof noise);
        if (i % 50 == 0)
            honest_goes_on();
    }
    honest_goes_on();
    must_not_have_grown(before);
}

// A client that speaks as a worker, a host or a broker is simply none.
Test(bad_input, words_of_others_change_nothing)
{
    talker_t *talker = stranger(true);
    mob_ref_t ref = {4711, 1};
    say(talker, RESULT, result, .ref = ref, .value = bytes_of("forged"));
    say(talker, FAIL, fail, .ref = ref, .code = MOB_ETASK);
    say(talker, ENDED, ended, .worker = 1);
    say(talker, OPEN, open, .slots = 1000);
    say(talker, GIVE, give, .refs = {.items = &ref, .count = 1});
    say(talker, WELCOME, welcome, .epoch = 99);
    say(talker, RUN, run, .ref = ref);
    say(talker, STOP, stop, .actor = ref, .how = 1);
    say(talker, DROP, drop, .seq = 1, .ref = ref, .count = UINT64_MAX);
    say(talker, CANCEL, cancel, .ref = ref);
    talker_send(talker);
    talker_hear(talker, BY_CALLS, VERB_ERROR, __LINE__); // WELCOME
    talker_hear(talker, BY_CALLS, VERB_ERROR, __LINE__); // RUN
    talker_destroy(&talker);
    honest_goes_on();
}

Test(bad_input, hello_of_another_version_is_told_so)
{
    for (uint32_t major = 0; major < 256; major += major == 0 ? 2 : 253) {
        talker_t *talker = stranger(false);
        say(talker, HELLO, hello, .major = major, .owner = 5,
            .topic = {talker->topic, MOB_TOPIC_SIZE}, .role = ROLE_CLIENT);
        talker_send(talker);
        const message_t *goodbye = talker_hear(talker, BY_CALLS, VERB_GOODBYE, __LINE__);
        cr_assert_eq(goodbye->goodbye.code, (uint32_t)MOB_EPROTO);
        talker_destroy(&talker);
    }
    honest_goes_on();
}

Test(bad_input, questions_about_more_refs_than_allowed)
{
    talker_t *talker = stranger(true);
    pack_t bytes = PACK_INIT;
    pack_array(&bytes, 2);
    pack_u64(&bytes, VERB_ASK);
    pack_array(&bytes, 2 * (MOB_REFS_MAX + 1));
    for (int i = 0; i < 2 * (MOB_REFS_MAX + 1); i++)
        pack_u64(&bytes, (uint64_t)i);
    throw(talker, bytes.data, bytes.size);
    hear_error(talker, __LINE__);
    pack_fini(&bytes);
    talker_destroy(&talker);
    honest_goes_on();
}
