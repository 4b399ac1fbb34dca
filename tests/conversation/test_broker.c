// A real broker over real sockets, talked to in raw frames: what PROTOCOL.md promises of messages.

#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "failure.h"
#include "talker.h"
#include "watch.h"

enum { CALLER = 101, HOST = 102 };

static stage_t *stage;

static void open_stage(void)
{
    stage = stage_new();
    stage_start(stage, NULL);
}

static void close_stage(void)
{
    stage_destroy(&stage);
}

TestSuite(broker, .init = open_stage, .fini = close_stage, .timeout = 20);

// A host of one task, its worker, and a caller that knows it as symbol 1.
typedef struct cast {
    talker_t *host, *worker, *caller;
} cast_t;

static cast_t cast_in(void)
{
    cast_t self = {.host = talker_new(stage, HOST), .caller = talker_new(stage, CALLER)};
    talker_hello(self.host, ROLE_HOST, 0);
    say(self.host, OFFER, offer, .name = str("echo any -> any"), .usage = str("echo any -> any"),
        .kind = DEF_TASK);
    say(self.host, OPEN, open, .slots = 1, .labels = str(""));
    talker_send(self.host);
    const msg_start_t *start = hear(self.host, BY_CALLS, START, start);
    self.worker = talker_new(stage, start->worker);
    talker_hello(self.worker, ROLE_WORKER, HOST);
    talker_hello(self.caller, ROLE_CLIENT, 0);
    say(self.caller, NAME, name, .symbol = 1, .text = str("echo any -> any"));
    return self;
}

static void cast_out(cast_t *self)
{
    talker_destroy(&self->host);
    talker_destroy(&self->worker);
    talker_destroy(&self->caller);
}

static void echo(talker_t *worker) // one RUN
{
    const msg_run_t *run = hear(worker, BY_CALLS, RUN, run);
    blob_t *value = load_keep(run->args);
    say(worker, RESULT, result, .ref = run->ref, .attempt = run->attempt, .value = load_of(value));
    talker_send(worker);
    blob_drop(&value);
}

Test(broker, says_welcome_and_publishes_hugz)
{
    talker_t *caller = talker_new(stage, CALLER);
    talker_hello(caller, ROLE_CLIENT, 0);
    for (bool heard = false; !heard;) { // a subscription may come late; each PING is answered by a HUGZ
        say(caller, PING, ping, .epoch = 1);
        talker_send(caller);
        zmq_pollitem_t item = {caller->sockets[BY_NOTICES], 0, ZMQ_POLLIN, 0};
        heard = zmq_poll(&item, 1, 100) == 1;
    }
    talker_destroy(&caller);
}

Test(broker, does_not_know_who_said_no_hello)
{
    talker_t *caller = talker_new(stage, CALLER);
    say(caller, PING, ping, .epoch = 1);
    talker_send(caller);
    const msg_error_t *error = hear(caller, BY_CALLS, ERROR, error);
    cr_expect_eq(error->code, MOB_EPROTO);
    cr_expect(error->why.size == 5 && memcmp(error->why.data, "HELLO", 5) == 0);
    talker_destroy(&caller);
}

static void expect_frames_error(talker_t *caller)
{
    const msg_error_t *error = hear(caller, BY_CALLS, ERROR, error);
    cr_expect(error->why.size == 6 && memcmp(error->why.data, "FRAMES", 6) == 0, "%.*s",
              (int)error->why.size, (const char *)error->why.data);
}

Test(broker, refuses_an_empty_frame)
{
    talker_t *caller = talker_new(stage, CALLER);
    talker_hello(caller, ROLE_CLIENT, 0);
    zmq_send(caller->sockets[BY_CALLS], "", 0, 0);
    expect_frames_error(caller);
    talker_destroy(&caller);
}

Test(broker, refuses_an_empty_blob_frame)
{
    talker_t *caller = talker_new(stage, CALLER);
    talker_hello(caller, ROLE_CLIENT, 0);
    zmq_send(caller->sockets[BY_CALLS], "\x92\x0e\x01", 3, ZMQ_SNDMORE);
    zmq_send(caller->sockets[BY_CALLS], "", 0, 0);
    expect_frames_error(caller);
    talker_destroy(&caller);
}

Test(broker, refuses_a_frame_too_many_and_hears_the_next_message)
{
    talker_t *caller = talker_new(stage, CALLER);
    talker_hello(caller, ROLE_CLIENT, 0);
    for (int i = 0; i < 200; i++)
        zmq_send(caller->sockets[BY_CALLS], "x", 1, ZMQ_SNDMORE);
    zmq_send(caller->sockets[BY_CALLS], "x", 1, 0);
    expect_frames_error(caller);
    say(caller, PUT, put, .seq = 1, .value = bytes_of("kept"));
    say(caller, ASK, ask, .refs = {.items = &(mob_ref_t){CALLER, 1}, .count = 1});
    talker_send(caller);
    cr_expect_eq(hear(caller, BY_CALLS, ANSWER, answer)->code, MOB_OK);
    talker_destroy(&caller);
}

Test(broker, ends_a_session_that_speaks_in_tongues)
{
    talker_t *caller = talker_new(stage, CALLER);
    talker_hello(caller, ROLE_CLIENT, 0);
    for (int i = 0; i < 3; i++) {
        zmq_send(caller->sockets[BY_CALLS], "\xc1", 1, 0);
        hear(caller, BY_CALLS, ERROR, error);
    }
    cr_expect_eq(hear(caller, BY_CALLS, GOODBYE, goodbye)->code, MOB_EPROTO);
    talker_destroy(&caller);
}

Test(broker, lets_a_stranger_without_routing_id_alone)
{
    void *stranger = zmq_socket(stage->zmq, ZMQ_DEALER); // libzmq gives it one of 5 bytes
    cr_assert_eq(zmq_connect(stranger, stage->address), 0);
    zmq_send(stranger, "\x91\x0e", 2, 0);
    cast_t cast = cast_in();
    say(cast.caller, SUBMIT, submit, .epoch = cast.caller->epoch, .seq = 1, .task = 1,
        .args = bytes_of("\xc0"));
    talker_send(cast.caller);
    echo(cast.worker);
    cr_expect_eq(hear(cast.caller, BY_CALLS, DONE, done)->seq, 1);
    cast_out(&cast);
    zmq_close(stranger);
}

Test(broker, carries_outcomes_over_calls_until_notices_are_heard)
{
    cast_t cast = cast_in();
    say(cast.caller, SUBMIT, submit, .epoch = cast.caller->epoch, .seq = 1, .task = 1,
        .args = bytes_of("\xa3one"));
    talker_send(cast.caller);
    echo(cast.worker);
    const msg_done_t *done = hear(cast.caller, BY_CALLS, DONE, done);
    cr_expect(done->value.size == 4 && memcmp(done->value.data, "\xa3one", 4) == 0);

    say(cast.caller, PING, ping, .heard = 1);
    say(cast.caller, SUBMIT, submit, .epoch = cast.caller->epoch, .seq = 2, .task = 1,
        .args = bytes_of("\xa3two"));
    talker_send(cast.caller);
    echo(cast.worker);
    done = hear(cast.caller, BY_NOTICES, DONE, done);
    cr_expect(done->seq == 2 && memcmp(done->value.data, "\xa3two", 4) == 0);
    cast_out(&cast);
}

// Said by nobody else: what it hears next answers what it has just said.
static void expect_put_aside(talker_t *talker)
{
    cr_expect_eq(hear(talker, BY_CALLS, GOODBYE, goodbye)->code, MOB_ECLOSED);
    say(talker, PUT, put, .seq = 2, .value = bytes_of("forged"));
    talker_send(talker);
    const msg_error_t *error = hear(talker, BY_CALLS, ERROR, error);
    cr_expect(error->why.size == 5 && memcmp(error->why.data, "HELLO", 5) == 0);
}

Test(broker, Z09_the_newest_connection_of_a_session_wins)
{
    cast_t cast = cast_in();
    talker_t *newer = talker_new(stage, CALLER);
    say(cast.caller, SUBMIT, submit, .epoch = cast.caller->epoch, .seq = 1, .task = 1,
        .args = bytes_of("\xa3one"));
    talker_send(cast.caller);
    const msg_run_t *run = hear(cast.worker, BY_CALLS, RUN, run);
    talker_hello(newer, ROLE_CLIENT, 0);
    expect_put_aside(cast.caller);
    say(cast.worker, RESULT, result, .ref = run->ref, .attempt = run->attempt,
        .value = bytes_of("\xa3one"));
    talker_send(cast.worker);
    cr_expect_eq(hear(newer, BY_CALLS, DONE, done)->seq, 1u);
    say(newer, PUT, put, .seq = 2, .value = bytes_of("kept"));
    say(newer, ASK, ask, .refs = {.items = &(mob_ref_t){CALLER, 2}, .count = 1});
    talker_send(newer);
    cr_expect_eq(hear(newer, BY_CALLS, ANSWER, answer)->value.size, 4u, "not what was forged");

    talker_hello(cast.caller, ROLE_CLIENT, 0); // now it is the newest
    expect_put_aside(newer);
    cr_expect_null(talker_peek(cast.caller, BY_CALLS, 100));
    talker_destroy(&newer);
    cast_out(&cast);
}

Test(broker, hands_a_big_value_through)
{
    enum { SIZE = 100000 };
    char *big = malloc(SIZE);
    for (int i = 0; i < SIZE; i++)
        big[i] = (char)(i * 7);
    cast_t cast = cast_in();
    blob_t *blob = blob_new(big, SIZE);
    say(cast.caller, SUBMIT, submit, .epoch = cast.caller->epoch, .seq = 1, .task = 1,
        .args = load_of(blob));
    say(cast.caller, SUBMIT, submit, .epoch = cast.caller->epoch, .seq = 2, .task = 1,
        .args = load_of(blob));
    talker_send(cast.caller);
    echo(cast.worker);
    echo(cast.worker);
    for (uint64_t seq = 1; seq <= 2; seq++) {
        const msg_done_t *done = hear(cast.caller, BY_CALLS, DONE, done);
        cr_expect_eq(done->seq, seq);
        cr_expect(done->value.size == SIZE && memcmp(done->value.data, big, SIZE) == 0);
    }
    blob_drop(&blob);
    free(big);
    cast_out(&cast);
}

Test(broker, waits_for_one_who_does_not_read_and_serves_the_others)
{
    enum { BIG = 90000, COUNT = 600 }; // 54 MB: more than every queue between holds
    cast_t cast = cast_in();
    talker_t *deaf = talker_new(stage, 7);
    char *big = calloc(1, BIG);
    blob_t *blob = blob_new(big, BIG);
    talker_hello(deaf, ROLE_CLIENT, 0);
    for (uint64_t seq = 1; seq <= COUNT; seq++) { // never reads: each value comes back to it
        say(deaf, PUT, put, .seq = seq, .value = load_of(blob));
        say(deaf, ASK, ask, .refs = {.items = &(mob_ref_t){7, seq}, .count = 1});
        talker_send(deaf);
    }
    for (uint64_t seq = 1; seq <= 100; seq++) {
        int64_t begun = clock_us();
        say(cast.caller, SUBMIT, submit, .epoch = cast.caller->epoch, .seq = seq, .task = 1,
            .args = bytes_of("\xc0"));
        talker_send(cast.caller);
        echo(cast.worker);
        hear(cast.caller, BY_CALLS, DONE, done);
        cr_expect_lt(clock_us() - begun, 1000000);
    }
    bool settled[COUNT + 1] = {false};
    for (uint64_t count = 0; count < COUNT;) { // now it reads: nothing was lost
        const message_t *message = talker_peek(deaf, BY_CALLS, 5000);
        cr_assert_not_null(message, "silence after %d", (int)count);
        uint64_t seq = message->verb == VERB_DONE ? message->done.seq : message->answer.ref.seq;
        cr_assert(message->verb == VERB_DONE || message->verb == VERB_ANSWER);
        count += !settled[seq];
        settled[seq] = true;
    }
    blob_drop(&blob);
    free(big);
    talker_destroy(&deaf);
    cast_out(&cast);
}

Test(broker, Z16_one_who_reads_nothing_for_long_is_gone)
{
    enum { BIG = 90000, DEAF = 7 };
    stage_stop(stage);
    stage_start(stage, (const char *const[]){"limits/stuck", "300ms", NULL});
    cast_t cast = cast_in();
    talker_t *deaf = talker_new(stage, DEAF);
    char *big = calloc(1, BIG);
    blob_t *blob = blob_new(big, BIG);
    talker_hello(deaf, ROLE_CLIENT, 0);
    say(deaf, NAME, name, .symbol = 1, .text = str("echo any -> any"));
    say(deaf, SUBMIT, submit, .epoch = deaf->epoch, .seq = 1, .task = 1, .args = bytes_of("\xc0"));
    talker_send(deaf);
    hear(cast.worker, BY_CALLS, RUN, run);
    say(cast.caller, WATCH, watch, .refs = {.items = &(mob_ref_t){DEAF, 1}, .count = 1});
    talker_send(cast.caller);
    for (uint64_t seq = 2; talker_peek(cast.caller, BY_CALLS, 1) == NULL; seq++) { // it speaks on
        say(deaf, PUT, put, .seq = seq, .value = load_of(blob));
        say(deaf, ASK, ask, .refs = {.items = &(mob_ref_t){DEAF, seq}, .count = 1});
        talker_send(deaf);
    }
    cr_expect_eq(cast.caller->message.verb, VERB_ANSWER);
    cr_expect_eq(cast.caller->message.answer.code, MOB_EGONE);
    say(deaf, PING, ping, .heard = 0);
    talker_send(deaf);
    const message_t *last = talker_peek(deaf, BY_CALLS, 5000);
    while (last != NULL && last->verb != VERB_ERROR) // behind what libzmq had taken
        last = talker_peek(deaf, BY_CALLS, 5000);
    cr_assert_not_null(last, "it never hears that it is gone");
    cr_expect_eq(last->error.why.size, 5u); // HELLO
    blob_drop(&blob);
    free(big);
    talker_destroy(&deaf);
    cast_out(&cast);
}

Test(broker, is_younger_after_each_start)
{
    talker_t *caller = talker_new(stage, CALLER);
    uint64_t last = 0;
    for (int i = 0; i < 3; i++) {
        talker_hello(caller, ROLE_CLIENT, 0);
        cr_expect_gt(caller->epoch, last);
        last = caller->epoch;
        talker_destroy(&caller);
        stage_stop(stage);
        stage_start(stage, NULL);
        caller = talker_new(stage, CALLER);
    }
    talker_destroy(&caller);
}

// A worker in a process of its own, that says its pid and takes one task and does nothing.
static void be_a_stuck_worker(uint64_t owner, int told)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    janitor_leave(&stage->janitor);
    stage_t there = *stage;
    there.zmq = zmq_ctx_new();
    talker_t *self = talker_new(&there, owner);
    watch_t *watch = watch_new();
    say(self, HELLO, hello, .major = MOB_WIRE_MAJOR, .owner = owner,
        .topic = {self->topic, sizeof self->topic}, .role = ROLE_WORKER, .name = str(""),
        .space = str(""), .pid = (uint32_t)getpid(), .machine = watch_machine(watch), .host = HOST);
    talker_send(self);
    hear(self, BY_CALLS, WELCOME, welcome);
    hear(self, BY_CALLS, RUN, run);
    (void)!write(told, "r", 1);
    pause();
}

Test(broker, sees_a_process_end_at_once)
{
    int told[2];
    char byte;
    talker_t *host = talker_new(stage, HOST), *caller = talker_new(stage, CALLER);
    watch_t *watch = watch_new();
    if (watch_machine(watch).size == 0)
        cr_skip_test("this machine has no boot id");
    watch_destroy(&watch);
    talker_hello(host, ROLE_HOST, 0);
    say(host, OFFER, offer, .name = str("stuck -> nil"), .usage = str("stuck -> nil"),
        .kind = DEF_TASK);
    say(host, OPEN, open, .slots = 1, .labels = str(""));
    talker_send(host);
    uint64_t worker = hear(host, BY_CALLS, START, start)->worker;

    cr_assert_eq(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        be_a_stuck_worker(worker, told[1]);
        _exit(0);
    }
    talker_hello(caller, ROLE_CLIENT, 0);
    say(caller, NAME, name, .symbol = 1, .text = str("stuck -> nil"));
    say(caller, SUBMIT, submit, .epoch = caller->epoch, .seq = 1, .task = 1, .args = bytes_of(""),
        .opts = {.set = &(opts_t){.max_retries = -2}}); // MOB_NONE
    talker_send(caller);
    cr_assert_eq(read(told[0], &byte, 1), 1);
    int64_t killed = clock_us();
    kill(child, SIGKILL);
    const msg_answer_t *answer = hear(caller, BY_CALLS, ANSWER, answer);
    cr_expect_eq(answer->code, MOB_ELOST);
    cr_expect_lt(clock_us() - killed, 200000);
    waitpid(child, NULL, 0);
    close(told[0]);
    close(told[1]);
    talker_destroy(&host);
    talker_destroy(&caller);
}

Test(broker, speaks_tcp_on_loopback)
{
    stage_stop(stage);
    strcpy(stage->address, "tcp://127.0.0.1:*");
    stage_start(stage, (const char *const[]){"security/insecure", "loopback", NULL});
    cr_assert_eq(strncmp(stage->address, "tcp://127.0.0.1:", 16), 0, "%s", stage->address);
    cast_t cast = cast_in();
    say(cast.caller, PING, ping, .heard = 1);
    say(cast.caller, SUBMIT, submit, .epoch = cast.caller->epoch, .seq = 1, .task = 1,
        .args = bytes_of("\xc0"));
    talker_send(cast.caller);
    echo(cast.worker);
    cr_expect_eq(hear(cast.caller, BY_NOTICES, DONE, done)->seq, 1);
    cast_out(&cast);
}

Test(broker, brings_together_who_came_in_by_two_gates)
{
    char second[128];
    stage_stop(stage);
    snprintf(second, sizeof second, "ipc://%s/second/calls.sock", stage->directory);
    stage_start(stage, (const char *const[]){"server/bind", second, NULL}); // a list: it grows
    stage_t there = *stage;
    snprintf(there.address, sizeof there.address, "%s", second);
    cast_t cast = cast_in();
    talker_t *other = talker_new(&there, 9);
    talker_hello(other, ROLE_CLIENT, 0);
    say(other, NAME, name, .symbol = 1, .text = str("echo any -> any"));
    say(other, PING, ping, .heard = 1);
    say(other, SUBMIT, submit, .epoch = other->epoch, .seq = 1, .task = 1, .args = bytes_of("\xc0"));
    talker_send(other);
    echo(cast.worker);
    cr_expect_eq(hear(other, BY_NOTICES, DONE, done)->seq, 1);
    talker_destroy(&other);
    cast_out(&cast);
}
