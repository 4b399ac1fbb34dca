// nats_req.c - the same load on NATS, as quick as its library lets a user be. One at a time it uses
// the library's own request call, and both ends send at once. In a window all requests of a caller
// name one inbox, subscribed once, so that the server finds it in its cache (a subject for each
// request costs it nearly half its speed); a reply is matched by the number it carries, and both
// ends let the library gather. Messages are pulled: with callbacks it is slower.
//   nats_req worker ADDRESS NUMBER WHAT          nats_req COUNT WINDOW ADDRESS NUMBER WHAT

#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../load.h"

enum { PATIENCE_MS = 20000 };

static natsConnection *dial(const char *address, bool at_once)
{
    natsOptions *options = NULL;
    natsConnection *connection = NULL;
    natsOptions_Create(&options);
    natsOptions_SetURL(options, address);
    natsOptions_SetSendAsap(options, at_once);
    if (natsConnection_Connect(&connection, options) != NATS_OK)
        connection = NULL;
    natsOptions_Destroy(options);
    return connection;
}

static natsSubscription *listen_to(natsConnection *connection, const char *subject)
{
    natsSubscription *subscription;
    if (natsConnection_SubscribeSync(&subscription, connection, subject) != NATS_OK)
        return NULL;
    natsSubscription_SetPendingLimits(subscription, -1, -1);
    return natsConnection_Flush(connection) == NATS_OK ? subscription : NULL;
}

static void subject_of(char *out, size_t size, const char *what, uint64_t number)
{
    snprintf(out, size, "echo.%s.%llu", what, (unsigned long long)number);
}

static int worker(const char *address, const char *number, const char *what)
{
    char subject[64];
    natsConnection *connection = dial(address, strcmp(what, "sync") == 0);
    subject_of(subject, sizeof subject, what, strtoull(number, NULL, 10));
    natsSubscription *subscription = connection ? listen_to(connection, subject) : NULL;
    natsMsg *message;
    if (!subscription)
        return 1;
    puts("ready");
    fflush(stdout);
    while (natsSubscription_NextMsg(&message, subscription, INT32_MAX) == NATS_OK) {
        natsConnection_Publish(connection, natsMsg_GetReply(message), natsMsg_GetData(message),
                               natsMsg_GetDataLength(message));
        natsMsg_Destroy(message);
    }
    return 1;
}

typedef struct caller {
    natsConnection *connection;
    natsSubscription *subscription;
    natsInbox *inbox;
    char subject[64], payload[LOAD_PAYLOAD];
    uint64_t window;
    bool here[LOAD_WINDOW_MAX];
} caller_t;

static void *caller_open(const load_t *load)
{
    caller_t *self = calloc(1, sizeof *self);
    self->window = load->window;
    load_make(self->payload, load);
    subject_of(self->subject, sizeof self->subject, load->what, load->number);
    self->connection = dial(load->address, load->window == 1);
    if (!self->connection || natsInbox_Create(&self->inbox) != NATS_OK)
        return NULL;
    self->subscription = listen_to(self->connection, self->inbox);
    return self->subscription ? self : NULL;
}

static bool keep(caller_t *self, natsMsg *reply)
{
    uint64_t i;
    bool good =
        load_check(self->payload, natsMsg_GetData(reply), (size_t)natsMsg_GetDataLength(reply), &i);
    if (good)
        self->here[i % self->window] = true;
    natsMsg_Destroy(reply);
    return good;
}

static void caller_send(void *arg, uint64_t i)
{
    caller_t *self = arg;
    natsMsg *reply;
    load_mark(self->payload, i);
    if (self->window > 1)
        natsConnection_PublishRequest(self->connection, self->subject, self->inbox, self->payload,
                                      LOAD_PAYLOAD);
    else if (natsConnection_Request(&reply, self->connection, self->subject, self->payload,
                                    LOAD_PAYLOAD, PATIENCE_MS) == NATS_OK)
        keep(self, reply);
}

static bool caller_take(void *arg, uint64_t i)
{
    caller_t *self = arg;
    bool *here = &self->here[i % self->window];
    natsMsg *reply;
    while (!*here) {
        if (self->window == 1)
            return false; // the request call has waited already
        if (natsSubscription_NextMsg(&reply, self->subscription, PATIENCE_MS) != NATS_OK)
            return false;
        if (!keep(self, reply))
            return false;
    }
    *here = false;
    return true;
}

static void caller_close(void *arg)
{
    caller_t *self = arg;
    natsSubscription_Destroy(self->subscription);
    natsInbox_Destroy(self->inbox);
    natsConnection_Destroy(self->connection);
    free(self);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "worker") == 0)
        return worker(argv[2], argv[3], argv[4]);
    return load_main(argc, argv,
                     &(load_system_t){caller_open, caller_send, caller_take, caller_close});
}
