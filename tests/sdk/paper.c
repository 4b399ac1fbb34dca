// paper.c - see paper.h.

#include "paper.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

enum { PATIENCE_MS = 10000, LOOK_MS = 5 };

static void *bind_one(paper_t *self, int type, const char *name)
{
    char at[128];
    int none = 0, yes = 1;
    void *socket = zmq_socket(self->zmq, type);
    snprintf(at, sizeof at, "ipc://%s/%s.sock", self->directory, name);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    if (type == ZMQ_ROUTER)
        zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &yes, sizeof yes);
    cr_assert_eq(zmq_bind(socket, at), 0, "%s", zmq_strerror(errno));
    return socket;
}

static void open_sockets(paper_t *self)
{
    self->zmq = zmq_ctx_new();
    self->calls = bind_one(self, ZMQ_ROUTER, "calls");
    self->notices = bind_one(self, ZMQ_XPUB, "notices");
    self->subscribed = false;
}

static void close_sockets(paper_t *self)
{
    zmq_close(self->calls);
    zmq_close(self->notices);
    zmq_ctx_term(self->zmq); // waits until their files are gone
}

void paper_move(paper_t *self)
{
    close_sockets(self);
    open_sockets(self);
}

paper_t *paper_open(void)
{
    paper_t *self = calloc(1, sizeof *self);
    self->janitor = janitor_start(self->directory, self->address);
    open_sockets(self);
    return self;
}

static void close_message(paper_t *self)
{
    while (self->in.blob_count > 0)
        blob_drop(&self->in.blobs[--self->in.blob_count]);
    if (self->in.open)
        zmq_msg_close(&self->in.frame);
    self->in.open = false;
}

void paper_close(paper_t **self_p)
{
    paper_t *self = *self_p;
    *self_p = NULL;
    close_message(self);
    batch_fini(&self->out);
    close_sockets(self);
    janitor_end(&self->janitor);
    free(self);
}

static bool look(paper_t *self, int ms)
{
    return zmq_poll(&(zmq_pollitem_t){.socket = self->calls, .events = ZMQ_POLLIN}, 1, ms) == 1;
}

static void address(paper_t *self)
{
    int tries = PATIENCE_MS / LOOK_MS;
    while (zmq_send(self->calls, self->route, MOB_ROUTE_SIZE, ZMQ_SNDMORE) < 0) {
        cr_assert_eq(errno, EHOSTUNREACH);
        cr_assert_gt(tries--, 0, "nobody connects");
        look(self, LOOK_MS);
    }
}

void paper_send(paper_t *self)
{
    address(self);
    int more = self->out.blob_count ? ZMQ_SNDMORE : 0;
    cr_assert_geq(zmq_send(self->calls, self->out.pack.data, self->out.pack.size, more), 0);
    for (uint32_t i = 0; i < self->out.blob_count; i++)
        zmq_send(self->calls, self->out.blobs[i]->data, self->out.blobs[i]->size,
                 i + 1 < self->out.blob_count ? ZMQ_SNDMORE : 0);
    batch_clear(&self->out);
}

static void wait_for_subscription(paper_t *self)
{
    zmq_pollitem_t item = {.socket = self->notices, .events = ZMQ_POLLIN};
    uint8_t said[1 + MOB_TOPIC_SIZE] = {0};
    while (!self->subscribed) {
        cr_assert_eq(zmq_poll(&item, 1, PATIENCE_MS), 1, "nobody subscribes");
        int size = zmq_recv(self->notices, said, sizeof said, 0);
        self->subscribed = size == sizeof said && said[0] == 1 &&
                           memcmp(said + 1, self->topic, MOB_TOPIC_SIZE) == 0;
    }
}

void paper_notify(paper_t *self)
{
    wait_for_subscription(self);
    cr_assert_eq(zmq_send(self->notices, self->topic, MOB_TOPIC_SIZE, ZMQ_SNDMORE), MOB_TOPIC_SIZE);
    cr_assert_geq(zmq_send(self->notices, self->out.pack.data, self->out.pack.size, 0), 0);
    batch_clear(&self->out);
}

static void receive_blobs(paper_t *self)
{
    zmq_msg_t frame;
    for (bool more = zmq_msg_more(&self->in.frame); more;) {
        zmq_msg_init(&frame);
        cr_assert_geq(zmq_msg_recv(&frame, self->calls, 0), 0);
        self->in.blobs[self->in.blob_count++] = blob_new(zmq_msg_data(&frame), zmq_msg_size(&frame));
        more = zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    }
}

static bool receive(paper_t *self, int ms)
{
    if (!look(self, ms))
        return false;
    close_message(self);
    cr_assert_eq(zmq_recv(self->calls, self->route, MOB_ROUTE_SIZE, 0), MOB_ROUTE_SIZE);
    zmq_msg_init(&self->in.frame);
    self->in.open = true;
    cr_assert_geq(zmq_msg_recv(&self->in.frame, self->calls, 0), 0);
    receive_blobs(self);
    self->in.reader = batch_open(zmq_msg_data(&self->in.frame), zmq_msg_size(&self->in.frame),
                                 self->in.blobs, self->in.blob_count);
    return true;
}

static bool next(paper_t *self, int ms)
{
    message_fault_t fault;
    for (;;) {
        message_state_t state =
            self->in.open ? message_next(&self->in.reader, &self->message, &fault) : MESSAGE_END;
        if (state == MESSAGE_OK && self->message.verb != VERB_PING)
            return true;
        if (state == MESSAGE_END && !receive(self, ms))
            return false;
        cr_assert_neq(state, MESSAGE_BROKEN);
    }
}

const message_t *paper_hear(paper_t *self, verb_t verb)
{
    cr_assert(next(self, PATIENCE_MS), "%s was not heard", verb_name(verb));
    cr_assert_eq(self->message.verb, verb, "%s, not %s", verb_name(self->message.verb),
                 verb_name(verb));
    return &self->message;
}

void paper_hear_nothing(paper_t *self, int ms)
{
    cr_assert_not(next(self, ms), "%s was heard", verb_name(self->message.verb));
}

const msg_hello_t *paper_hear_hello(paper_t *self)
{
    const msg_hello_t *hello = &paper_hear(self, VERB_HELLO)->hello;
    self->floor = hello->floor;
    self->greeting = hello->greeting;
    cr_assert_eq(hello->topic.size, MOB_TOPIC_SIZE);
    memcpy(self->topic, hello->topic.data, MOB_TOPIC_SIZE);
    return hello;
}

void paper_welcome(paper_t *self, uint64_t epoch)
{
    self->epoch = epoch;
    paper_say(self, WELCOME, welcome, .major = MOB_WIRE_MAJOR, .epoch = epoch,
              .accepted = self->floor, .window = 1000, .heartbeat_ms = 1000,
              .notices = paper_text(""), .feed = paper_text(""), .name = paper_text("paper"),
              .greeting = self->greeting);
    paper_send(self);
}

void paper_forget(paper_t *self)
{
    paper_say(self, ERROR, error, .code = MOB_EPROTO, .why = paper_text("HELLO"),
              .text = paper_text("who are you?"));
    paper_send(self);
}

void paper_stall(mob_t *session)
{
    session_lock(session);
}

void paper_wait_for_arrival(mob_t *session)
{
    io_t *io = &session->io;
    zmq_pollitem_t item = {.socket = io->sockets[IO_CALLS], .events = ZMQ_POLLIN};
    cr_assert_eq(zmq_poll(&item, 1, PATIENCE_MS), 1, "nothing has arrived");
    io->unread[IO_CALLS] = true; // we have taken away the news of it
}

void paper_go_on(mob_t *session)
{
    session_unlock(session);
    session_wake(session);
}
