// bulk.h - answers that are too large for one message: said in pieces, kept until the broker has accepted the
// last of them, and a few of them longer, should their calls come again. What seen.h is for the small ones.
// Wants the session's lock.

#ifndef MOBULA_ACTORS_BULK_H
#define MOBULA_ACTORS_BULK_H

#include "block.h"
#include "seen.h"
#include "session.h"

enum { BULK_KEPT = 16 * 1024 * 1024 }; // bytes of accepted ones

typedef struct bulk_answer {
    mob_ref_t ref, actor;
    uint32_t attempt;
    uint32_t items;       // of several results; 0: one
    const uint32_t *ends; // of each item, among the values back to back
    bool inner;           // there are refs in them
} bulk_answer_t;

typedef struct bulk_record {
    struct bulk_record *next;
    bulk_answer_t answer; // its ends are ours
    uint64_t last;        // seq of the last piece
    block_t *block;
    uint32_t ends[]; // of the items, and of what RESULT carries
} bulk_record_t;

typedef struct bulk {
    bulk_record_t *first, *newest;
    size_t bytes; // of all
} bulk_t;

// Takes the values. False: no memory.
bool bulk_say(bulk_t *self, mob_t *session, const bulk_answer_t *answer, pack_t *values);
bool bulk_again(bulk_t *self, mob_t *session, mob_ref_t ref,
                uint32_t attempt); // false: it is none of them
// Those that are not accepted, in order; at begins with NULL. NULL: no more.
const bulk_record_t *bulk_open(const bulk_t *self, const mob_t *session, const bulk_record_t *at);
void bulk_forget(bulk_t *self, const mob_t *session, seen_t *seen); // what there is no room for
void bulk_fini(bulk_t *self);

#endif
