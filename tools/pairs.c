// pairs.c - see pairs.h. What has waited longest is given as it is when too many wait.

#include "pairs.h"

#include <stdlib.h>
#include <uthash.h>

enum { OPEN_MAX = 4096 };

struct pair {
    mob_ref_t ref;
    record_t call;
    UT_hash_handle hh; // in the order of their beginning
};

static bool begins(const record_t *record)
{
    return record->kind == EVENT_CALL || record->kind == EVENT_TELL || record->kind == EVENT_TASK;
}

// TIMEOUT, CANCEL and RETRY are followed by one of these, or by another run.
static bool ends(const record_t *record)
{
    return record->kind == EVENT_REPLY || record->kind == EVENT_FAIL;
}

pairs_t pairs_of(pairs_fn *each, void *arg)
{
    return (pairs_t){.each = each, .arg = arg};
}

static void close_pair(pairs_t *self, pair_t *pair)
{
    HASH_DEL(self->open, pair);
    self->each(self->arg, &pair->call);
    free(pair);
}

static void open_pair(pairs_t *self, const record_t *call)
{
    if (HASH_COUNT(self->open) >= OPEN_MAX)
        close_pair(self, self->open);
    pair_t *pair = calloc(1, sizeof *pair);
    if (!pair) {
        self->each(self->arg, call);
        return;
    }
    pair->ref = call->ref;
    pair->call = *call;
    HASH_ADD(hh, self->open, ref, sizeof pair->ref, pair);
}

// Another run of a task: where it is now.
static void move_pair(pair_t *pair, const record_t *again)
{
    memcpy(pair->call.dst, again->dst, sizeof pair->call.dst);
    pair->call.attempt = again->attempt;
}

void pairs_take(pairs_t *self, const record_t *record)
{
    pair_t *pair = NULL;
    if (begins(record) || ends(record))
        HASH_FIND(hh, self->open, &record->ref, sizeof record->ref, pair);
    if (pair && begins(record)) {
        move_pair(pair, record);
    } else if (pair) {
        record_join(&pair->call, record);
        close_pair(self, pair);
    } else if (begins(record)) {
        open_pair(self, record);
    } else {
        self->each(self->arg, record);
    }
}

void pairs_fini(pairs_t *self)
{
    while (self->open)
        close_pair(self, self->open);
}
