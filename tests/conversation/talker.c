// talker.c - see talker.h.

#include "talker.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "endpoint.h"
#include "quiet.h"

// ---- Stage --------------------------------------------------------------------------------------

stage_t *stage_new(void)
{
    stage_t *self = calloc(1, sizeof *self);
    self->janitor = janitor_start(self->directory, self->address);
    self->zmq = zmq_ctx_new();
    return self;
}

void stage_start(stage_t *self, const char *const settings[])
{
    config_t config;
    char why[512] = "";
    const char *const rejoin[] = {"server/rejoin", "0s", NULL};
    cr_assert_eq(quiet_config(&config, self->directory, self->address), MOB_OK);
    cr_assert_eq(quiet_set(&config, rejoin), MOB_OK);
    cr_assert_eq(quiet_set(&config, settings), MOB_OK);
    self->broker = broker_start(&config, why, sizeof why);
    cr_assert_not_null(self->broker, "%s", why);
    snprintf(self->address, sizeof self->address, "%s", broker_address(self->broker));
}

void stage_stop(stage_t *self)
{
    broker_stop(&self->broker);
}

void stage_destroy(stage_t **self_p)
{
    stage_t *self = *self_p;
    stage_stop(self);
    if (self->talkers == 0) // a test that failed left some open: its process ends them
        zmq_ctx_term(self->zmq);
    janitor_end(&self->janitor);
    free(self);
    *self_p = NULL;
}

// ---- Talker -------------------------------------------------------------------------------------

static void *dial(talker_t *self, int type)
{
    int wait = 0;
    char address[ENDPOINT_MAX];
    void *socket = zmq_socket(self->stage->zmq, type);
    snprintf(address, sizeof address, "%s", self->stage->address);
    if (type == ZMQ_SUB)
        cr_assert(endpoint_sibling(self->stage->address, "notices", 1, address, sizeof address));
    zmq_setsockopt(socket, ZMQ_LINGER, &wait, sizeof wait);
    if (type == ZMQ_SUB)
        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, self->topic, sizeof self->topic);
    else
        zmq_setsockopt(socket, ZMQ_ROUTING_ID, self->route, sizeof self->route);
    cr_assert_eq(zmq_connect(socket, address), 0);
    return socket;
}

talker_t *talker_new(stage_t *stage, uint64_t owner)
{
    talker_t *self = calloc(1, sizeof *self);
    self->stage = stage;
    stage->talkers++;
    self->owner = owner;
    cr_assert_eq(getrandom(self->route, sizeof self->route, 0), (ssize_t)sizeof self->route);
    cr_assert_eq(getrandom(self->topic, sizeof self->topic, 0), (ssize_t)sizeof self->topic);
    self->route[0] |= 1;
    self->sockets[BY_NOTICES] = dial(self, ZMQ_SUB);
    self->sockets[BY_CALLS] = dial(self, ZMQ_DEALER);
    for (way_t way = BY_CALLS; way <= BY_NOTICES; way++)
        self->in[way].reader = batch_open("", 0, NULL, 0);
    return self;
}

static void close_frames(talker_t *self, way_t way)
{
    while (self->in[way].count > 0)
        zmq_msg_close(&self->in[way].frames[--self->in[way].count]);
}

void talker_destroy(talker_t **self_p)
{
    talker_t *self = *self_p;
    for (way_t way = BY_CALLS; way <= BY_NOTICES; way++) {
        close_frames(self, way);
        zmq_close(self->sockets[way]);
    }
    batch_fini(&self->out);
    self->stage->talkers--;
    free(self);
    *self_p = NULL;
}

void talker_send(talker_t *self)
{
    uint32_t blobs = self->out.blob_count;
    void *calls = self->sockets[BY_CALLS];
    int rc = zmq_send(calls, self->out.pack.data, self->out.pack.size, blobs > 0 ? ZMQ_SNDMORE : 0);
    cr_assert_geq(rc, 0);
    for (uint32_t i = 0; i < blobs; i++) {
        const blob_t *blob = self->out.blobs[i];
        zmq_send(calls, blob->data, blob->size, i + 1 < blobs ? ZMQ_SNDMORE : 0);
    }
    batch_clear(&self->out);
}

void talker_hello(talker_t *self, enum wire_role role, uint64_t host)
{
    say(self, HELLO, hello, .major = MOB_WIRE_MAJOR, .owner = self->owner,
        .topic = {self->topic, sizeof self->topic}, .role = role, .name = str("talker"),
        .space = str(""), .machine = str(""), .host = host);
    talker_send(self);
    const msg_welcome_t *welcome = hear(self, BY_CALLS, WELCOME, welcome);
    cr_assert_gt(welcome->epoch, 0);
    self->epoch = welcome->epoch;
}

// ---- Hearing ------------------------------------------------------------------------------------

static void take_frames(talker_t *self, way_t way)
{
    zmq_msg_t *frames = self->in[way].frames;
    uint32_t count = 0;
    bool more = true;
    close_frames(self, way);
    if (way == BY_NOTICES) { // the topic
        char topic[MOB_TOPIC_SIZE];
        cr_assert_eq(zmq_recv(self->sockets[way], topic, sizeof topic, 0), (int)sizeof topic);
        cr_assert_eq(memcmp(topic, self->topic, sizeof topic), 0);
    }
    for (; more; count++) {
        cr_assert_leq(count, MOB_BLOBS_MAX);
        zmq_msg_init(&frames[count]);
        cr_assert_geq(zmq_msg_recv(&frames[count], self->sockets[way], 0), 0);
        more = zmq_msg_more(&frames[count]);
        if (count == 0)
            continue;
        self->in[way].heads[count - 1] = (blob_t){.refs = 1,
                                                  .size = (uint32_t)zmq_msg_size(&frames[count]),
                                                  .data = zmq_msg_data(&frames[count])};
        self->in[way].blobs[count - 1] = &self->in[way].heads[count - 1];
    }
    self->in[way].count = count;
    self->in[way].reader = batch_open(zmq_msg_data(&frames[0]), zmq_msg_size(&frames[0]),
                                      self->in[way].blobs, count - 1);
}

static bool next_envelope(talker_t *self, way_t way, int64_t until)
{
    message_fault_t fault;
    message_state_t state;
    while ((state = message_next(&self->in[way].reader, &self->message, &fault)) == MESSAGE_END) {
        int64_t wait = (until - clock_us() + 999) / 1000;
        zmq_pollitem_t item = {self->sockets[way], 0, ZMQ_POLLIN, 0};
        if (zmq_poll(&item, 1, wait > 0 ? (long)wait : 0) <= 0)
            return false;
        take_frames(self, way);
    }
    cr_assert_eq(state, MESSAGE_OK, "the broker said something wrong: %s", fault.wrong);
    return true;
}

static bool is_housekeeping(verb_t verb)
{
    return verb == VERB_ACCEPT || verb == VERB_TAKEN || verb == VERB_NAME || verb == VERB_NOTE ||
           verb == VERB_HUGZ || verb == VERB_PING;
}

const message_t *talker_hear(talker_t *self, way_t way, verb_t verb, int line)
{
    int64_t until = clock_us() + 5000000;
    do
        cr_assert(next_envelope(self, way, until), "line %d: %s was not heard", line,
                  verb_name(verb));
    while (self->message.verb != verb && is_housekeeping(self->message.verb));
    cr_assert_eq(self->message.verb, verb, "line %d: %s instead of %s", line,
                 verb_name(self->message.verb), verb_name(verb));
    return &self->message;
}

const message_t *talker_peek(talker_t *self, way_t way, int wait_ms)
{
    int64_t until = clock_us() + wait_ms * 1000;
    do
        if (!next_envelope(self, way, until))
            return NULL;
    while (is_housekeeping(self->message.verb));
    return &self->message;
}
