// nats_req.c - the same load on NATS: requests with a reply subject each, answered by a responder process. One at a time
// it uses the library's own request call, and both ends send at once; in a window they let the library gather.
//   nats_req worker ADDRESS NUMBER WHAT          nats_req COUNT WINDOW ADDRESS NUMBER WHAT

#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../load.h"

enum { PATIENCE_MS = 20000 };

static natsConnection *dial(const char *address, bool at_once)
{
    natsOptions *options = NULL;
    natsConnection *connection = NULL;
    natsOptions_Create(&options);
    natsOptions_SetURL(options, address);
    natsOptions_SetSendAsap(options, at_once);
    natsOptions_SetMaxPendingMsgs(options, 10000000);
    if (natsConnection_Connect(&connection, options) != NATS_OK)
        connection = NULL;
    natsOptions_Destroy(options);
    return connection;
}

static void subject_of(char *out, size_t size, const char *what, uint64_t number)
{
    snprintf(out, size, "echo.%s.%llu", what, (unsigned long long)number);
}

// Pulled by the program's own thread: one thread and one hand-over less than with a callback.
static int worker(const char *address, const char *number, const char *what)
{
    char subject[64];
    natsSubscription *subscription;
    natsConnection *connection = dial(address, strcmp(what, "sync") == 0);
    subject_of(subject, sizeof subject, what, strtoull(number, NULL, 10));
    if (!connection || natsConnection_SubscribeSync(&subscription, connection, subject) != NATS_OK)
        return 1;
    natsSubscription_SetPendingLimits(subscription, -1, -1);
    natsConnection_Flush(connection);
    for (natsMsg *message; natsSubscription_NextMsg(&message, subscription, INT32_MAX) == NATS_OK; natsMsg_Destroy(message))
        natsConnection_Publish(connection, natsMsg_GetReply(message), natsMsg_GetData(message), natsMsg_GetDataLength(message));
    return 1;
}

typedef struct caller {
    natsConnection *connection;
    natsSubscription *subscription;
    char subject[64], inbox[64], payload[LOAD_PAYLOAD];
    uint64_t window;
    bool here[LOAD_WINDOW_MAX];
    bool good; // of the last one, one at a time
} caller_t;

static void *caller_open(const load_t *load)
{
    caller_t *self = calloc(1, sizeof *self);
    self->window = load->window;
    memset(self->payload, (int)('a' + load->number), sizeof self->payload);
    subject_of(self->subject, sizeof self->subject, load->what, load->number);
    self->connection = dial(load->address, load->window == 1);
    if (!self->connection)
        return NULL;
    snprintf(self->inbox, sizeof self->inbox, "inbox.%d.*", (int)getpid());
    natsConnection_SubscribeSync(&self->subscription, self->connection, self->inbox);
    natsSubscription_SetPendingLimits(self->subscription, -1, -1);
    natsConnection_Flush(self->connection);
    return self;
}

static void caller_send(void *arg, uint64_t i)
{
    caller_t *self = arg;
    if (self->window == 1) {
        natsMsg *reply = NULL;
        natsStatus status = natsConnection_Request(&reply, self->connection, self->subject, self->payload, LOAD_PAYLOAD, PATIENCE_MS);
        self->good = status == NATS_OK && natsMsg_GetDataLength(reply) == LOAD_PAYLOAD;
        natsMsg_Destroy(reply);
        return;
    }
    char reply[80];
    snprintf(reply, sizeof reply, "inbox.%d.%llu", (int)getpid(), (unsigned long long)i);
    natsConnection_PublishRequest(self->connection, self->subject, reply, self->payload, LOAD_PAYLOAD);
}

static bool receive(caller_t *self)
{
    natsMsg *message;
    if (natsSubscription_NextMsg(&message, self->subscription, PATIENCE_MS) != NATS_OK)
        return false;
    const char *number = strrchr(natsMsg_GetSubject(message), '.');
    bool good = natsMsg_GetDataLength(message) == LOAD_PAYLOAD && memcmp(natsMsg_GetData(message), self->payload, LOAD_PAYLOAD) == 0;
    self->here[strtoull(number + 1, NULL, 10) % self->window] = good;
    natsMsg_Destroy(message);
    return good;
}

static bool caller_take(void *arg, uint64_t i)
{
    caller_t *self = arg;
    if (self->window == 1)
        return self->good;
    while (!self->here[i % self->window])
        if (!receive(self))
            return false;
    self->here[i % self->window] = false;
    return true;
}

static void caller_close(void *arg)
{
    caller_t *self = arg;
    natsSubscription_Destroy(self->subscription);
    natsConnection_Destroy(self->connection);
    free(self);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "worker") == 0)
        return worker(argv[2], argv[3], argv[4]);
    return load_main(argc, argv, &(load_system_t){caller_open, caller_send, caller_take, caller_close});
}
