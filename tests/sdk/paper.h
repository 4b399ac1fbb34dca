// paper.h - a broker made of paper: a ROUTER that says to one session what a test wants it to say,
// when it wants. The session is a real one: a client's, or a worker's (clerk.h).

#ifndef MOBULA_TESTS_PAPER_H
#define MOBULA_TESTS_PAPER_H

#include <zmq.h>

#include "janitor.h"
#include "limit.h"
#include "message.h"
#include "mobula/mobula.h"

typedef struct paper {
    char directory[64], address[128];
    janitor_t janitor;
    void *zmq, *calls, *notices;
    uint8_t route[MOB_ROUTE_SIZE], topic[MOB_TOPIC_SIZE];
    bool subscribed;
    batch_t out;
    struct { // the message that is being read
        zmq_msg_t frame;
        blob_t *blobs[MOB_BLOBS_MAX];
        uint32_t blob_count;
        bool open;
        batch_reader_t reader;
    } in;
    message_t message;
    uint64_t epoch;
    uint64_t floor;    // that the last HELLO named
    uint32_t greeting; // and its number
} paper_t;

paper_t *paper_open(void);
void paper_close(paper_t **self_p);
const msg_hello_t *paper_hear_hello(paper_t *self);
void paper_welcome(paper_t *self, uint64_t epoch); // sent with what was gathered before it
void paper_forget(paper_t *self);                  // a new broker that does not know the sender
void paper_move(paper_t *self);   // the connection breaks, and there is a place for another one
void paper_send(paper_t *self);   // as soon as the session is connected
void paper_notify(paper_t *self); // the same as a notice, as soon as the session has subscribed
const message_t *paper_hear(paper_t *self,
                            verb_t verb);       // skips heartbeats; another verb is a failure
void paper_hear_nothing(paper_t *self, int ms); // but heartbeats

// The session stands still, as if its process had been stopped, while its connections go on.
void paper_stall(mob_t *session);
void paper_wait_for_arrival(mob_t *session); // it is stalled: something waits to be read
void paper_go_on(mob_t *session);

// paper_say(paper, RUN, run, .ref = ...): gathers; paper_send() sends it all as one message.
#define paper_say(self, NAME, name, ...) \
    cr_assert(message_##NAME(&(self)->out, &(msg_##name##_t){__VA_ARGS__}))

static inline mob_bytes_t paper_text(const char *text)
{
    return (mob_bytes_t){text, __builtin_strlen(text)};
}

#endif
