// talker.h - a raw peer of a real broker: its own sockets, real frames, nothing of the SDK. A stage
// is a broker in a directory of its own.

#ifndef MOBULA_TESTS_TALKER_H
#define MOBULA_TESTS_TALKER_H

#include <zmq.h>

#include "broker.h"
#include "janitor.h"
#include "message.h"

typedef struct stage {
    char directory[64];
    char address[128]; // of the calls socket: to bind, then as bound
    broker_t *broker;
    void *zmq;
    int talkers; // open
    janitor_t janitor;
} stage_t;

stage_t *stage_new(void);
void stage_start(stage_t *self,
                 const char *const settings[]); // "key", "value", ..., NULL; NULL: none
void stage_stop(stage_t *self);                 // the broker drains
void stage_destroy(stage_t **self_p);

typedef enum { BY_CALLS, BY_NOTICES } way_t;

typedef struct talker {
    stage_t *stage;
    void *sockets[2];
    uint8_t route[MOB_ROUTE_SIZE], topic[MOB_TOPIC_SIZE];
    uint64_t owner, epoch; // epoch: of the last WELCOME
    batch_t out;
    struct {
        zmq_msg_t frames[1 + MOB_BLOBS_MAX];
        blob_t heads[MOB_BLOBS_MAX], *blobs[MOB_BLOBS_MAX];
        uint32_t count;
        batch_reader_t reader;
    } in[2];
    message_t message;
} talker_t;

talker_t *talker_new(stage_t *stage, uint64_t owner);
void talker_destroy(talker_t **self_p);
void talker_hello(talker_t *self, enum wire_role role, uint64_t host); // and hears WELCOME
void talker_send(talker_t *self); // what was said, as one message

#define say(talker, VERB, name, ...) message_##VERB(&(talker)->out, &(msg_##name##_t){__VA_ARGS__})
#define str(text) ((mob_bytes_t){(text), __builtin_strlen(text)})
#define bytes_of(text) load_bytes((text), __builtin_strlen(text))

// The next envelope that is not housekeeping (ACCEPT, TAKEN, NAME, NOTE, HUGZ, PING unless asked
// for) must be this verb, within 5 s. Good until the next hear() of that way.
const message_t *talker_hear(talker_t *self, way_t way, verb_t verb, int line);
const message_t *talker_peek(talker_t *self, way_t way, int wait_ms); // NULL: silence

#define hear(talker, way, VERB, name) \
    talker_msg_##name(talker_hear((talker), (way), VERB_##VERB, __LINE__))
#define V(NAME, name, number)                                                       \
    static inline const msg_##name##_t *talker_msg_##name(const message_t *message) \
    {                                                                               \
        return &message->name;                                                      \
    }
MOB_VERBS(V)
#undef V

#endif
