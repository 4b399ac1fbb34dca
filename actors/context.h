// context.h - the running call as its body sees it, and what the body says about how it ends. One a
// thread, used again for each call: its memory stays.

#ifndef MOBULA_ACTORS_CONTEXT_H
#define MOBULA_ACTORS_CONTEXT_H

#include "mobula/worker.h"
#include "offer.h"
#include "session.h"
#include "sink.h"
#include "value.h"
#include "window.h"

enum { CONTEXT_MEMORY = 4096, CONTEXT_TEXT = 512 };

struct worker;

typedef struct context {
    mob_ctx_t ctx; // first: bodies get a pointer to it
    struct worker *worker;
    struct context *next; // of the worker's other threads
    pthread_t thread;     // of these
    voice_t voice;        // of these, too: the first one speaks by the session's own
    hand_t *hand;         // NULL: no call runs (fini)
    const offer_body_t *body;
    mob_writer_t writer; // the result, or the next one of several
    sink_t sink;         // the ones before
    arena_t arena;       // strings of arguments, and what does not fit memory
    char *memory;        // CONTEXT_MEMORY bytes, made when first asked for
    size_t used;
    bool no_memory;          // mob_alloc() gave NULL
    bool leaves;             // mob_leave()
    int64_t code;            // mob_fail(): 0 when it did not
    const char *refused;     // a function that is not in this version was called
    char text[CONTEXT_TEXT]; // of mob_fail()
    char trace[CONTEXT_TEXT];
    uint64_t caller_owner; // whose name caller is
    char caller[24];
    char host[MOB_NAME_MAX + 1], worker_name[MOB_NAME_MAX + 1], space[MOB_NAME_MAX + 1];
} context_t;

void context_init(context_t *self, struct worker *worker, const char *host_name);
void context_fini(context_t *self);

// Before a body and after its answer has been written. body is NULL while fini runs.
void context_begin(context_t *self, hand_t *hand, const offer_body_t *body);
void context_end(context_t *self);

#endif
