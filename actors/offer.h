// offer.h - the definitions of this process: a copy of what mob_offer_defs() was given, and the
// envelopes that announce it. Never changes once made; counted, so that workers in threads may
// outlive their host.

#ifndef MOBULA_ACTORS_OFFER_H
#define MOBULA_ACTORS_OFFER_H

#include <stdatomic.h>

#include "batch.h"
#include "mobula/worker.h"
#include "option.h"

typedef struct offer_body {
    char *signature; // on the wire: "add i64 -> i64"
    char *usage;     // for people
    char *name;      // its first word; of a method "counter.add"
    mob_invoke_fn *invoke;
} offer_body_t;

typedef struct offer_def {
    offer_body_t body; // of a task, or of a class the constructor; invoke may be NULL there
    bool is_class, shared;
    int width;   // bodies of one actor at once, unless it says otherwise
    char *lanes; // likewise: lane.h
    size_t state_size;
    void (*fini)(void *state);
    offer_body_t *methods;
    uint32_t method_count;
} offer_def_t;

typedef struct offer {
    atomic_uint holders;
    offer_def_t *defs;
    uint32_t count, tasks, classes;
    batch_t said;   // OFFER and METHOD envelopes
    uint32_t *ends; // of each of them in said
    uint32_t end_count;
    char why[OPTION_TEXT]; // of a refused one: what was wrong
} offer_t;

// defs ends with a NULL name. shared: every class is. NULL: no memory. A wrong definition gives an
// offer with *err set and a sentence in why: good for nothing but to be dropped.
offer_t *offer_new(const mob_def_t *defs, bool shared, mob_err_t *err);
offer_t *offer_hold(offer_t *self);
void offer_drop(offer_t **self_p);

void offer_announce(const offer_t *self, mob_t *session); // all envelopes into its open batch

const offer_def_t *offer_find(const offer_t *self, const char *signature,
                              bool is_class); // NULL: not here
const offer_body_t *offer_method(const offer_def_t *cls, const char *signature);

#endif
