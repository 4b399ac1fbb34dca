// seen.h - what this worker has answered: the memory behind "a body runs at most once for one ref
// and attempt". A RUN of something answered is answered again from here, and what the broker has
// not acknowledged is said again after a reconnect. Several results are one answer of several
// envelopes, repeated and acknowledged whole. Bounded: the oldest acknowledged answers are
// forgotten. Never talks to the broker; wants the session's lock.

#ifndef MOBULA_ACTORS_SEEN_H
#define MOBULA_ACTORS_SEEN_H

#include "batch.h"

enum {
    SEEN_SMALL = 24,          // bytes of an answer that its record holds itself
    SEEN_FIRST = 64,          // records to begin with; twice as many whenever they do not suffice
    SEEN_KEPT_MAX = 4096,     // acknowledged ones are kept up to this
    SEEN_RECORDS_MAX = 65536, // unacknowledged ones as well; then the oldest are lost, and counted
    SEEN_ENVELOPE_MAX = 4 * MOB_TEXT_MAX, // bytes of one: a FAIL with its texts, a RESULT inline
    SEEN_CALLERS_MAX = 4096,              // whose forgotten answers are remembered as a number
};

typedef struct seen_record { // one RESULT, FAIL or ITEM as it was said
    mob_ref_t ref;
    uint32_t attempt;
    uint16_t size;   // of the envelope's bytes; 0: it holds a blob
    bool item : 1;   // an ITEM: not looked for, it goes with what stands behind it
    bool behind : 1; // the rest of an answer that begins with a record before it
    bool stream : 1; // of a stream: of no use to a broker that does not have its first items
    uint64_t key;    // whose number is remembered when this is forgotten
    uint32_t chain;  // the next one of the same bucket, by place + 1; 0: none
    uint32_t room;   // of large; 0: the bytes are in small
    union {
        uint8_t small[SEEN_SMALL];
        uint8_t *large; // kept for the next one in this place
        struct {
            blob_t *blob;   // the value, when that is a blob frame; held
            uint64_t index; // of an ITEM: which one it is
            uint32_t count; // and of how many
        };
    };
} seen_record_t;

typedef struct seen_answer { // one to remember
    mob_ref_t ref;
    uint32_t attempt;
    uint64_t key;
    const void *bytes; // of the envelope
    size_t size;
    blob_t *blob; // or this, as in a record
    bool item, behind, stream;
    uint64_t index;
    uint32_t count;
} seen_answer_t;

typedef struct seen_caller { // of one caller and actor
    uint64_t key;            // 0: empty
    uint64_t forgotten;      // highest seq whose answer is not here any more
    uint64_t before;         // the same, as it was when the broker last changed
} seen_caller_t;

typedef struct seen {
    seen_record_t *records; // a ring
    uint32_t *buckets;      // place + 1 of the newest
    uint32_t mask;          // of both
    uint64_t first,
        next;       // numbers of the oldest kept and of the next to come: place is number & mask
    uint64_t taken; // acknowledged below this
    uint64_t base;  // number of the first one said since HELLO
    uint64_t lost;  // forgotten without acknowledgement
    seen_caller_t *callers; // open addressing
    uint32_t caller_mask, caller_count;
    seen_caller_t others; // of those that found no place among them
    bool any_before;      // some caller's before is not 0
} seen_t;

void seen_fini(seen_t *self);

// Whose answers a ref's are: one caller to one actor (or to tasks).
static inline uint64_t seen_key(mob_ref_t ref, mob_ref_t actor)
{
    uint64_t key = ref.owner ^ (actor.owner + actor.seq) * 0x9e3779b97f4a7c15u;
    return key ? key : 1;
}

// Remember an answer. False: no memory; then it cannot be repeated, and that is counted as lost.
bool seen_add(seen_t *self, const seen_answer_t *answer);

// An answer that stands elsewhere (bulk.h) is kept no more.
void seen_forget(seen_t *self, mob_ref_t ref, uint64_t key);

// One of them was said again: it waits for one more acknowledgement.
void seen_again(seen_t *self, uint64_t number);

// The newest answer of this ref and attempt: the numbers of its first and last record. False: there
// is none, or it is forgotten.
bool seen_find(const seen_t *self, mob_ref_t ref, uint32_t attempt, uint64_t *first, uint64_t *last);
const seen_record_t *seen_at(const seen_t *self, uint64_t number);
// It may have been answered to an earlier broker, and the answer is forgotten.
bool seen_forgot(const seen_t *self, mob_ref_t ref, uint64_t key);

void seen_taken(seen_t *self, uint64_t count); // the broker has so many of those said since HELLO
static inline bool seen_all_taken(const seen_t *self)
{
    return self->taken == self->next;
}
// HELLO was said: what is not acknowledged counts from 1 again. fresh: to a broker that knows
// nothing.
void seen_restart(seen_t *self, bool fresh);
// Unacknowledged ones in order: *at begins with 0. NULL: no more.
const seen_record_t *seen_unacknowledged(const seen_t *self, uint64_t *at);

static inline const uint8_t *seen_bytes(const seen_record_t *record) // size of them
{
    return record->room ? record->large : record->small;
}

#endif
