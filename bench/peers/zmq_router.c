// zmq_router.c - the same load on bare libzmq, as one would write it at first: callers and workers
// are DEALERs of one ROUTER, which passes message by message. The first four bytes of a message are
// the routing id of its receiver, so the broker looks nothing up. Replies go by the ROUTER
// ("calls") or by a PUB socket beside it ("pub"): there the same four bytes are the topic.
//   zmq_router broker ADDRESS PUB_ADDRESS        zmq_router worker ADDRESS NUMBER
//   zmq_router COUNT WINDOW ADDRESS[,PUB_ADDRESS] NUMBER calls|pub

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "../load.h"

enum { HIGH_WATER = 100000, ADDRESS_SIZE = 384, PATIENCE_MS = 20000 };

typedef struct name { // a routing id: never begins with a zero byte
    char kind;        // 'c' or 'w'
    unsigned char number, unused[2];
} name_t;

typedef struct header { // in front of the payload
    name_t to, from;    // from: who gets the reply
    uint64_t published; // the reply goes by PUB
} header_t;

static name_t name_of(char kind, uint64_t number)
{
    return (name_t){.kind = kind, .number = (unsigned char)number};
}

static void *open_socket(void *context, int type, const name_t *name)
{
    void *socket = zmq_socket(context, type);
    int high_water = HIGH_WATER, linger = 0, patience = PATIENCE_MS;
    zmq_setsockopt(socket, ZMQ_SNDHWM, &high_water, sizeof high_water);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &high_water, sizeof high_water);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    if (type == ZMQ_DEALER)
        zmq_setsockopt(socket, ZMQ_ROUTING_ID, name, sizeof *name);
    if (type == ZMQ_SUB)
        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, name, sizeof *name);
    if (name && name->kind == 'c')
        zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    return socket;
}

static void pass(zmq_msg_t *body, void *router, void *publisher)
{
    const header_t *header = zmq_msg_data(body);
    if (zmq_msg_size(body) < sizeof *header)
        return; // a worker's first word
    if (header->published && header->to.kind == 'c')
        zmq_msg_send(body, publisher, 0);
    else if (zmq_send(router, &header->to, sizeof header->to, ZMQ_SNDMORE) > 0)
        zmq_msg_send(body, router, 0);
}

static int broker(const char *address, const char *pub_address)
{
    void *context = zmq_ctx_new(), *router = open_socket(context, ZMQ_ROUTER, NULL);
    void *publisher = open_socket(context, ZMQ_PUB, NULL);
    if (zmq_bind(publisher, pub_address) != 0 || zmq_bind(router, address) != 0)
        return 1;
    puts("ready");
    fflush(stdout);
    zmq_msg_t from, body;
    zmq_msg_init(&from);
    zmq_msg_init(&body);
    while (zmq_msg_recv(&from, router, 0) >= 0 && zmq_msg_recv(&body, router, 0) >= 0)
        pass(&body, router, publisher);
    return 1;
}

static int worker(const char *address, uint64_t number)
{
    name_t name = name_of('w', number);
    void *context = zmq_ctx_new(), *dealer = open_socket(context, ZMQ_DEALER, &name);
    if (zmq_connect(dealer, address) != 0 || zmq_send(dealer, "", 1, 0) != 1)
        return 1; // that byte tells the router our name
    puts("ready");
    fflush(stdout);
    zmq_msg_t message;
    zmq_msg_init(&message);
    while (zmq_msg_recv(&message, dealer, 0) >= 0) {
        header_t *header = zmq_msg_data(&message);
        header->to = header->from;
        header->from = name;
        zmq_msg_send(&message, dealer, 0);
    }
    return 1;
}

typedef struct caller {
    void *context, *dealer;
    void *replies; // the same dealer, or the SUB
    header_t header;
    uint64_t window;
    bool here[LOAD_WINDOW_MAX];
    char payload[LOAD_PAYLOAD];
} caller_t;

static void *caller_open(const load_t *load)
{
    char address[ADDRESS_SIZE];
    snprintf(address, sizeof address, "%s", load->address);
    char *pub_address = strchr(address, ',');
    if (!pub_address)
        return NULL;
    *pub_address++ = '\0';
    caller_t *self = calloc(1, sizeof *self);
    self->header = (header_t){.to = name_of('w', load->number), .from = name_of('c', load->number)};
    self->header.published = strcmp(load->what, "pub") == 0;
    self->window = load->window;
    load_make(self->payload, load);
    self->context = zmq_ctx_new();
    self->dealer = self->replies = open_socket(self->context, ZMQ_DEALER, &self->header.from);
    if (zmq_connect(self->dealer, address) != 0)
        return NULL;
    if (!self->header.published)
        return self;
    self->replies = open_socket(self->context, ZMQ_SUB, &self->header.from);
    if (zmq_connect(self->replies, pub_address) != 0)
        return NULL;
    zmq_poll(NULL, 0, 200); // a SUB is not told when its subscription has arrived
    return self;
}

static void caller_send(void *arg, uint64_t i)
{
    caller_t *self = arg;
    zmq_msg_t message;
    zmq_msg_init_size(&message, sizeof self->header + sizeof self->payload);
    char *data = zmq_msg_data(&message);
    load_mark(self->payload, i);
    memcpy(data, &self->header, sizeof self->header);
    memcpy(data + sizeof self->header, self->payload, sizeof self->payload);
    zmq_msg_send(&message, self->dealer, 0);
}

static bool receive(caller_t *self)
{
    zmq_msg_t message;
    uint64_t i;
    zmq_msg_init(&message);
    int size = zmq_msg_recv(&message, self->replies, 0);
    bool good = size > (int)sizeof(header_t) &&
                load_check(self->payload, (char *)zmq_msg_data(&message) + sizeof(header_t),
                           (size_t)size - sizeof(header_t), &i);
    if (good)
        self->here[i % self->window] = true;
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
    if (self->replies != self->dealer)
        zmq_close(self->replies);
    zmq_close(self->dealer);
    zmq_ctx_term(self->context);
    free(self);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "broker") == 0)
        return broker(argv[2], argv[3]);
    if (argc == 4 && strcmp(argv[1], "worker") == 0)
        return worker(argv[2], strtoull(argv[3], NULL, 10));
    return load_main(argc, argv,
                     &(load_system_t){caller_open, caller_send, caller_take, caller_close});
}
