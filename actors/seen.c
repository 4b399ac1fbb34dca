// seen.c - a ring of answers with a hash over it. A place keeps the memory of the answer that it
// held before, so that the steady state allocates nothing.

#include "seen.h"

#include <stdlib.h>
#include <string.h>

// Calls of one caller come numbered in a row: they stand in a row, where the processor finds them
// soonest.
static uint32_t bucket_of(const seen_t *self, mob_ref_t ref)
{
    return (uint32_t)((ref.owner >> 32) + ref.seq) & self->mask;
}

static seen_record_t *record_at(const seen_t *self, uint64_t number)
{
    return &self->records[number & self->mask];
}

static bool holds_blob(const seen_record_t *record)
{
    return record->size == 0;
}

static void record_fini(seen_record_t *record)
{
    if (record->room)
        free(record->large);
    else if (holds_blob(record))
        blob_drop(&record->blob);
}

void seen_fini(seen_t *self)
{
    for (uint64_t i = self->first; i < self->next; i++)
        record_fini(record_at(self, i));
    // Places that were left keep memory only while room says so.
    for (uint64_t i = self->next; self->records && i <= self->first + self->mask; i++)
        if (record_at(self, i)->room)
            free(record_at(self, i)->large);
    free(self->records);
    free(self->buckets);
    free(self->callers);
    *self = (seen_t){0};
}

// ---- What is forgotten --------------------------------------------------------------------------

static seen_caller_t *caller_slot(const seen_t *self, uint64_t key)
{
    uint32_t i = (uint32_t)(key >> 17 ^ key) & self->caller_mask;
    while (self->callers[i].key && self->callers[i].key != key)
        i = (i + 1) & self->caller_mask;
    return &self->callers[i];
}

static bool callers_grow(seen_t *self)
{
    uint32_t size = self->callers ? 2 * (self->caller_mask + 1) : 16;
    seen_caller_t *old = self->callers;
    uint32_t old_size = old ? self->caller_mask + 1 : 0;
    seen_caller_t *callers = calloc(size, sizeof *callers);
    if (!callers)
        return false;
    self->callers = callers;
    self->caller_mask = size - 1;
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i].key)
            *caller_slot(self, old[i].key) = old[i];
    free(old);
    return true;
}

// The number of this caller; above the bound, or without memory, the one that all others share:
// then more is refused than must be, and nothing runs twice.
static seen_caller_t *caller_of(seen_t *self, uint64_t key)
{
    if (2 * self->caller_count >= self->caller_mask && self->caller_count < SEEN_CALLERS_MAX &&
        !callers_grow(self))
        return &self->others;
    seen_caller_t *caller = caller_slot(self, key);
    if (!caller->key) {
        if (self->caller_count == SEEN_CALLERS_MAX)
            return &self->others;
        caller->key = key;
        self->caller_count++;
    }
    return caller;
}

void seen_forget(seen_t *self, mob_ref_t ref, uint64_t key)
{
    seen_caller_t *caller = caller_of(self, key);
    if (ref.seq > caller->forgotten)
        caller->forgotten = ref.seq;
}

bool seen_forgot(const seen_t *self, mob_ref_t ref, uint64_t key)
{
    if (!self->any_before)
        return false;
    const seen_caller_t *caller = self->callers ? caller_slot(self, key) : &self->others;
    return ref.seq <= (caller->key ? caller->before : self->others.before);
}

// ---- The ring -----------------------------------------------------------------------------------

static void unchain(seen_t *self, uint64_t number)
{
    uint32_t place = (uint32_t)(number & self->mask);
    uint32_t *link = &self->buckets[bucket_of(self, self->records[place].ref)];
    while (*link != place + 1)
        link = &self->records[*link - 1].chain;
    *link = self->records[place].chain;
}

static void drop_oldest(seen_t *self)
{
    seen_record_t *record = record_at(self, self->first);
    if (self->first >= self->taken) {
        self->lost++;
        self->taken = self->first + 1;
    }
    seen_forget(self, record->ref, record->key);
    if (!record->item)
        unchain(self, self->first);
    if (!record->room && holds_blob(record))
        blob_drop(&record->blob);
    self->first++;
}

static void chain(seen_t *self, uint64_t number)
{
    uint32_t place = (uint32_t)(number & self->mask);
    uint32_t *bucket = &self->buckets[bucket_of(self, self->records[place].ref)];
    self->records[place].chain = *bucket;
    *bucket = place + 1;
}

static bool grow(seen_t *self)
{
    uint32_t size = self->records ? 2 * (self->mask + 1) : SEEN_FIRST;
    seen_record_t *records = calloc(size, sizeof *records);
    uint32_t *buckets = calloc(size, sizeof *buckets);
    if (!records || !buckets) {
        free(records);
        free(buckets);
        return false;
    }
    for (uint64_t i = self->first; i < self->next; i++)
        records[i & (size - 1)] = *record_at(self, i);
    free(self->records);
    free(self->buckets);
    self->records = records;
    self->buckets = buckets;
    self->mask = size - 1;
    for (uint64_t i = self->first; i < self->next; i++)
        if (!record_at(self, i)->item)
            chain(self, i);
    return true;
}

static bool make_room(seen_t *self)
{
    uint64_t count = self->next - self->first;
    if (self->records && count <= self->mask)
        return true;
    uint64_t limit = self->first < self->taken ? SEEN_KEPT_MAX : SEEN_RECORDS_MAX;
    if (count < limit && grow(self))
        return true;
    if (!self->records)
        return false;
    drop_oldest(self);
    return true;
}

static bool set_bytes(seen_record_t *record, const void *bytes, size_t size)
{
    if (record->room < size && (record->room || size > SEEN_SMALL)) {
        uint8_t *large = realloc(record->room ? record->large : NULL, size);
        if (!large)
            return false;
        record->large = large;
        record->room = (uint32_t)size;
    }
    memcpy(record->room ? record->large : record->small, bytes, size);
    return true;
}

static void set_blob(seen_record_t *record, const seen_answer_t *answer)
{
    if (record->room)
        free(record->large);
    record->room = 0;
    record->blob = blob_hold(answer->blob);
    record->index = answer->index;
    record->count = answer->count;
}

bool seen_add(seen_t *self, const seen_answer_t *answer)
{
    if (answer->size > SEEN_ENVELOPE_MAX || !make_room(self)) {
        self->lost++;
        return false;
    }
    seen_record_t *record = record_at(self, self->next);
    if (answer->blob) {
        set_blob(record, answer);
    } else if (!set_bytes(record, answer->bytes, answer->size)) {
        self->lost++;
        return false;
    }
    record->ref = answer->ref;
    record->attempt = answer->attempt;
    record->key = answer->key;
    record->size = answer->blob ? 0 : (uint16_t)answer->size;
    record->item = answer->item;
    record->behind = answer->behind;
    record->stream = answer->stream;
    if (!record->item)
        chain(self, self->next);
    self->next++;
    return true;
}

static const seen_record_t *newest(const seen_t *self, mob_ref_t ref, uint32_t attempt)
{
    uint32_t place = self->records ? self->buckets[bucket_of(self, ref)] : 0;
    for (; place; place = self->records[place - 1].chain) {
        const seen_record_t *record = &self->records[place - 1];
        if (mob_same(record->ref, ref) && record->attempt == attempt)
            return record;
    }
    return NULL;
}

// The ring has no two records with the same low bits.
static uint64_t number_of(const seen_t *self, const seen_record_t *record)
{
    uint64_t place = (uint64_t)(record - self->records);
    return self->next - 1 - ((self->next - 1 - place) & self->mask);
}

bool seen_find(const seen_t *self, mob_ref_t ref, uint32_t attempt, uint64_t *first, uint64_t *last)
{
    const seen_record_t *record = newest(self, ref, attempt);
    if (!record)
        return false;
    *first = *last = number_of(self, record);
    while (*first > self->first && record_at(self, *first)->behind)
        --*first;
    return !record_at(self, *first)->behind; // else its beginning is forgotten
}

const seen_record_t *seen_at(const seen_t *self, uint64_t number)
{
    return record_at(self, number);
}

// By a copy: the ring may move, or forget this very record, while it takes the new one.
void seen_again(seen_t *self, uint64_t number)
{
    uint8_t bytes[SEEN_ENVELOPE_MAX];
    const seen_record_t *record = record_at(self, number);
    seen_answer_t copy = {.ref = record->ref,
                          .attempt = record->attempt,
                          .key = record->key,
                          .bytes = bytes,
                          .size = record->size,
                          .item = record->item,
                          .behind = record->behind,
                          .stream = record->stream};
    if (holds_blob(record)) {
        copy.blob = blob_hold(record->blob);
        copy.index = record->index;
        copy.count = record->count;
    } else {
        memcpy(bytes, seen_bytes(record), record->size);
    }
    seen_add(self, &copy);
    blob_drop(&copy.blob);
}

// ---- Acknowledgement ----------------------------------------------------------------------------

void seen_taken(seen_t *self, uint64_t count)
{
    uint64_t taken = self->base + count;
    if (taken > self->next)
        taken = self->next;
    while (taken > self->taken && taken < self->next && record_at(self, taken)->behind)
        taken--; // an answer is acknowledged whole
    if (taken > self->taken)
        self->taken = taken;
}

void seen_restart(seen_t *self, bool fresh)
{
    self->base = self->taken;
    if (!fresh)
        return;
    self->others.before = self->others.forgotten;
    self->any_before = self->others.before > 0;
    for (uint32_t i = 0; self->callers && i <= self->caller_mask; i++) {
        self->callers[i].before = self->callers[i].forgotten;
        self->any_before |= self->callers[i].key != 0;
    }
}

const seen_record_t *seen_unacknowledged(const seen_t *self, uint64_t *at)
{
    if (*at < self->taken)
        *at = self->taken;
    return *at < self->next ? record_at(self, (*at)++) : NULL;
}
