// zmq_router.c - the same load on bare libzmq, as one would write it at first: callers and workers are DEALERs of one
// ROUTER, which passes message by message and knows nobody but by routing id.
//   zmq_router broker ADDRESS        zmq_router worker ADDRESS NUMBER        zmq_router COUNT WINDOW ADDRESS NUMBER WHAT

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "../load.h"

enum { HIGH_WATER = 100000 };

typedef struct header { // in front of the payload; from: who gets the reply
    uint32_t to, from;
    uint64_t id;
} header_t;

static void *open_socket(void *context, int type, const char *name)
{
    void *socket = zmq_socket(context, type);
    int high_water = HIGH_WATER, mandatory = 1, linger = 0;
    zmq_setsockopt(socket, ZMQ_SNDHWM, &high_water, sizeof high_water);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &high_water, sizeof high_water);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    if (type == ZMQ_ROUTER)
        zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof mandatory);
    else
        zmq_setsockopt(socket, ZMQ_ROUTING_ID, name, strlen(name));
    return socket;
}

// Names are made of numbers, so that a message tells its receiver in four bytes.
static void name_of(uint32_t number, char name[5])
{
    snprintf(name, 5, "%c%03u", number >= 500 ? 'w' : 'c', (unsigned)(number % 500));
}

static int broker(const char *address)
{
    void *context = zmq_ctx_new(), *router = open_socket(context, ZMQ_ROUTER, NULL);
    if (zmq_bind(router, address) != 0)
        return 1;
    for (;;) {
        zmq_msg_t id, body;
        zmq_msg_init(&id);
        zmq_msg_init(&body);
        if (zmq_msg_recv(&id, router, 0) < 0 || zmq_msg_recv(&body, router, 0) < 0)
            return 0;
        if (zmq_msg_size(&body) >= sizeof(header_t)) {
            char name[5];
            name_of(((header_t *)zmq_msg_data(&body))->to, name);
            if (zmq_send(router, name, 4, ZMQ_SNDMORE) == 4)
                zmq_msg_send(&body, router, 0);
        }
        zmq_msg_close(&id);
        zmq_msg_close(&body);
    }
}

static int worker(const char *address, uint32_t number)
{
    char name[5];
    name_of(500 + number, name);
    void *context = zmq_ctx_new(), *dealer = open_socket(context, ZMQ_DEALER, name);
    if (zmq_connect(dealer, address) != 0)
        return 1;
    zmq_send(dealer, "", 1, 0); // so that the router knows the name
    for (;;) {
        zmq_msg_t message;
        zmq_msg_init(&message);
        if (zmq_msg_recv(&message, dealer, 0) < 0)
            return 0;
        header_t *header = zmq_msg_data(&message);
        uint32_t from = header->from;
        header->from = header->to;
        header->to = from;
        zmq_msg_send(&message, dealer, 0);
    }
}

typedef struct caller {
    void *context, *dealer;
    uint32_t number;
    uint64_t window;
    bool here[LOAD_WINDOW_MAX];
    char payload[LOAD_PAYLOAD];
} caller_t;

static void *caller_open(const load_t *load)
{
    caller_t *self = calloc(1, sizeof *self);
    char name[5];
    self->number = (uint32_t)load->number;
    self->window = load->window;
    memset(self->payload, (int)('a' + load->number), sizeof self->payload);
    name_of(self->number, name);
    self->context = zmq_ctx_new();
    self->dealer = open_socket(self->context, ZMQ_DEALER, name);
    return zmq_connect(self->dealer, load->address) == 0 ? self : NULL;
}

static void caller_send(void *arg, uint64_t i)
{
    caller_t *self = arg;
    zmq_msg_t message;
    zmq_msg_init_size(&message, sizeof(header_t) + sizeof self->payload);
    *(header_t *)zmq_msg_data(&message) = (header_t){.to = 500 + self->number, .from = self->number, .id = i};
    memcpy((char *)zmq_msg_data(&message) + sizeof(header_t), self->payload, sizeof self->payload);
    zmq_msg_send(&message, self->dealer, 0);
}

static bool receive(caller_t *self)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    bool good = zmq_msg_recv(&message, self->dealer, 0) == (int)(sizeof(header_t) + sizeof self->payload);
    header_t *header = zmq_msg_data(&message);
    good = good && memcmp(header + 1, self->payload, sizeof self->payload) == 0;
    if (good)
        self->here[header->id % self->window] = true;
    zmq_msg_close(&message);
    return good;
}

static bool caller_take(void *arg, uint64_t i)
{
    caller_t *self = arg;
    while (!self->here[i % self->window])
        if (!receive(self))
            return false;
    self->here[i % self->window] = false;
    return true;
}

static void caller_close(void *arg)
{
    caller_t *self = arg;
    zmq_close(self->dealer);
    zmq_ctx_term(self->context);
    free(self);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "broker") == 0)
        return broker(argv[2]);
    if (argc == 4 && strcmp(argv[1], "worker") == 0)
        return worker(argv[2], (uint32_t)atoi(argv[3]));
    return load_main(argc, argv, &(load_system_t){caller_open, caller_send, caller_take, caller_close});
}
