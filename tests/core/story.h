// story.h - tests of the core as stories: somebody says a message, somebody hears one. Real envelopes both
// ways, so that the codec is in every story; time moves only when the story says so.

#ifndef MOBULA_TESTS_STORY_H
#define MOBULA_TESTS_STORY_H

#include "core.h"
#include "failure.h"
#include "options.h"

enum { STORY_PEERS = 16, STORY_QUEUE = 8192 };

typedef struct heard {
    batch_t batch;     // keeps the bytes
    message_t message; // views into it
} heard_t;

typedef struct story {
    core_t *core;
    int64_t now;
    struct {
        peer_t *peer;
        heard_t *queue[STORY_QUEUE]; // by ROUTER and PUB, in the order sent
        size_t first, count;
        uint64_t accepted; // what the last ACCEPT to it said
    } who[STORY_PEERS];
    arena_t told; // of story_failure()
} story_t;

extern story_t *story; // the one that is told

story_t *story_new(const core_config_t *config);
void story_destroy(story_t **self_p);
void story_end(void);                       // the one that is told
void story_pass(story_t *self, int64_t ms); // let time go by, in steps of the core's deadlines

// Say HELLO as this peer: owner is 1000 + who. Hears WELCOME away, and says that it hears notices.
void story_join(story_t *self, int who, enum wire_role role, uint64_t owner, uint64_t host);
void story_name(story_t *self, int who, uint32_t symbol, const char *text);
void story_leave(story_t *self, int who, enum wire_cause cause); // its process was seen to end

void story_say(story_t *self, int who, const batch_t *batch); // every envelope of it

#define say(story, who, VERB, name, ...)                               \
    do {                                                               \
        batch_t story__batch = BATCH_INIT;                             \
        message_##VERB(&story__batch, &(msg_##name##_t){__VA_ARGS__}); \
        story_say((story), (who), &story__batch);                      \
        batch_fini(&story__batch);                                     \
    } while (0)

// The next message to who that is not housekeeping (ACCEPT, TAKEN, NAME, NOTE, HUGZ, PING) must be this verb.
// The result is valid until the story ends.
const message_t *story_hear(story_t *self, int who, verb_t verb, const char *file, int line);
void story_hear_nothing(story_t *self, int who, const char *file, int line);
const message_t *story_peek(story_t *self, int who); // NULL: nothing

#define hear(story, who, VERB, name) \
    story_msg_##name(story_hear((story), (who), VERB_##VERB, __FILE__, __LINE__))
#define V(NAME, name, number)                                                      \
    static inline const msg_##name##_t *story_msg_##name(const message_t *message) \
    {                                                                              \
        return &message->name;                                                     \
    }
MOB_VERBS(V)
#undef V
#define hear_nothing(story, who) story_hear_nothing((story), (who), __FILE__, __LINE__)

// The next message to who must be DONE or ANSWER of this call, with this value or failure, whose texts are valid
// until the story ends.
void story_value(story_t *self, int who, uint64_t seq, const char *value);
failure_t story_failure(story_t *self, int who, uint64_t seq, mob_err_t err);

void story_drain(story_t *self); // SIGTERM

// The rows of the state API as who is told them, a line each: "key=value, key=value\n". Until the next question.
const char *story_rows(story_t *self, int who, uint64_t seq, const char *what, const char *filter);

void story_forget(story_t *self); // what was heard until now: a long story makes room

// A host (peer `host`) that offers a task and a class, with slots; its workers are joined as they are started.
void story_host(story_t *self, int host, const char *task, const char *cls, const char *method,
                uint32_t slots);
uint64_t story_started(story_t *self, int host,
                       uint32_t kind); // hears START, gives the worker's owner id
uint64_t story_worker(story_t *self, int host, uint32_t kind, int who); // and it joins, as this peer

// A client joins; its symbols 1, 2 and so on are these texts.
#define story_client(self, who, ...) \
    story_client_of((self), (who), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
void story_client_of(story_t *self, int who, const char *const *texts);

// What this peer asked for by its request seq.
static inline mob_ref_t ref_of(int who, uint64_t seq)
{
    return (mob_ref_t){1000 + (uint64_t)who, seq};
}

static inline mob_ref_t ref(uint64_t seq) // of the caller, who is the first peer in every story
{
    return ref_of(0, seq);
}

static inline load_t text_load(const char *text)
{
    return load_bytes(text, __builtin_strlen(text));
}

#endif
