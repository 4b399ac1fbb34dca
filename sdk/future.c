// future.c - the table of futures: find, add, remove, settle once. Futures come from slabs and
// never move, so that views into them stay good while the table grows.

#include "future.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 256, BLOCK_FUTURES = 64 };

typedef struct future_block {
    struct future_block *next;
    _Alignas(64) future_t futures[BLOCK_FUTURES];
} future_block_t;

_Static_assert(sizeof(future_t) == 128, "two cache lines a future");

bool futures_init(futures_t *self, uint64_t owner)
{
    *self = (futures_t){.owner = owner, .mask = SLOTS_MIN - 1, .mark = 1};
    self->slots = calloc(SLOTS_MIN, sizeof *self->slots);
    return self->slots != NULL;
}

static void future_clear(future_t *self)
{
    if (self->is_stream)
        free(self->stream);
    blob_drop(&self->blob);
    if (self->arena.first)
        arena_clear(&self->arena);
}

void futures_fini(futures_t *self)
{
    future_t *future;
    for (size_t at = 0; (future = futures_next(self, &at));)
        future_clear(future);
    for (future_block_t *block; (block = self->blocks); free(block))
        self->blocks = block->next;
    free(self->slots);
    *self = (futures_t){0};
}

// How far the one in slot i stands from its home.
static size_t distance(const futures_t *self, size_t i)
{
    return (i - (size_t)self->slots[i].hash) & self->mask;
}

// Who is farther from home takes the slot, the other goes on: so a gap is closed by the next few.
static void insert(futures_t *self, future_slot_t slot)
{
    size_t i = (size_t)slot.hash & self->mask;
    for (size_t far = 0; self->slots[i].future; far++, i = (i + 1) & self->mask) {
        size_t other = distance(self, i);
        if (other >= far)
            continue;
        future_slot_t moved = self->slots[i];
        self->slots[i] = slot;
        slot = moved;
        far = other;
    }
    self->slots[i] = slot;
}

// At most half full: then a search ends soon.
static bool grow(futures_t *self)
{
    size_t count = self->mask + 1;
    future_slot_t *old = self->slots, *slots = calloc(count * 2, sizeof *slots);
    if (!slots)
        return false;
    self->slots = slots;
    self->mask = count * 2 - 1;
    for (size_t i = 0; i < count; i++)
        if (old[i].future)
            insert(self, old[i]);
    free(old);
    return true;
}

static bool add_block(futures_t *self)
{
    future_block_t *block = aligned_alloc(64, sizeof *block);
    if (!block)
        return false;
    block->next = self->blocks;
    self->blocks = block;
    for (size_t i = BLOCK_FUTURES; i-- > 0;) {
        block->futures[i].older = self->free;
        self->free = &block->futures[i];
    }
    return true;
}

future_t *futures_add(futures_t *self, mob_ref_t ref)
{
    if (self->count * 2 > self->mask && !grow(self))
        return NULL;
    if (!self->free && !add_block(self))
        return NULL;
    future_t *future = self->free;
    self->free = future->older;
    memset(future, 0, offsetof(future_t, small));
    future->mark = 0;
    future->ref = ref;
    future->foreign = ref.owner != self->owner;
    insert(self, (future_slot_t){futures_hash(self, ref), future});
    self->count++;
    self->pending++;
    return future;
}

// Those behind the gap move up until one stands at home.
static void close_gap(futures_t *self, size_t gap)
{
    for (size_t i = (gap + 1) & self->mask; self->slots[i].future && distance(self, i) > 0;
         i = (i + 1) & self->mask) {
        self->slots[gap] = self->slots[i];
        gap = i;
    }
    self->slots[gap] = (future_slot_t){0};
}

void futures_remove(futures_t *self, future_t **future_p)
{
    future_t *future = *future_p;
    *future_p = NULL;
    size_t i = (size_t)futures_hash(self, future->ref) & self->mask;
    while (self->slots[i].future != future)
        i = (i + 1) & self->mask;
    close_gap(self, i);
    self->count--;
    self->pending -= !future->settled && !future->silent;
    future_clear(future);
    future->older = self->free;
    self->free = future;
}

// It can be read, or says why not: whoever waits for it among many need not look at the others.
static void arrived(futures_t *self, future_t *future)
{
    bool marked = future->mark == self->mark;
    future->came = ++self->came;
    self->marked += marked;
    self->marked_failures += marked && future->err;
}

static void settled(futures_t *self, future_t *future, mob_err_t err)
{
    future->settled = true;
    future->err = (uint8_t)err;
    self->pending -= !future->silent;
    future->silent = false;
}

// What we stored ourselves need not be fetched.
static void settle_away(futures_t *self, future_t *future, load_t load)
{
    const blob_t *own = future->blob;
    future->data = own && own->size == load.size ? own->data : NULL;
    if (future->data)
        arrived(self, future);
    else
        blob_drop(&future->blob);
}

// The mark is in the way of a small value: it is looked at before.
static void settle_here(futures_t *self, future_t *future, load_t load, blob_t *frame)
{
    arrived(self, future);
    future->data = load.data;
    if (load.size > FUTURE_INLINE) {
        blob_drop(&future->blob);
        future->blob = blob_hold(load.blob ? load.blob : frame);
        return;
    }
    if (load.size)
        memcpy(future->small, load.data, load.size);
    future->data = future->small;
}

void future_settle(futures_t *self, future_t *future, mob_err_t err, load_t load, blob_t *frame)
{
    settled(self, future, err);
    future->size = load.size;
    if (load.form == LOAD_HERE)
        settle_here(self, future, load, frame);
    else
        settle_away(self, future, load);
}

void future_arrive(futures_t *self, future_t *future)
{
    future->data = future->blob->data;
    arrived(self, future);
}

void future_reopen(futures_t *self, future_t *future)
{
    blob_drop(&future->blob);
    future->behind = 0; // what an outcome says of its request was said by the first
    future->settled = false;
    self->pending++;
}

// Texts of a failure made here lie in the future's arena like those of one that came.
static const char *copy_text(arena_t *arena, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    char *copy = size ? arena_alloc(arena, size + 1) : NULL;
    return copy ? memcpy(copy, text, size) : "";
}

void future_fail(futures_t *self, future_t *future, const failure_t *failure)
{
    failure_t *copy = arena_alloc(&future->arena, sizeof *copy);
    if (copy) {
        *copy = *failure;
        copy->why = copy_text(&future->arena, failure->why);
        copy->host = copy_text(&future->arena, failure->host);
        copy->reason = copy_text(&future->arena, failure->reason);
        copy->trace = copy_text(&future->arena, failure->trace);
        copy->log = copy_text(&future->arena, failure->log);
        if (!copy->root)
            copy->root = copy->err;
    }
    future->failure = copy;
    settled(self, future, failure->err);
    arrived(self, future);
}

static const failure_t NO_MEMORY = {.err = MOB_ENOMEM,
                                    .executed = MOB_MAYBE_EXECUTED,
                                    .root = MOB_ENOMEM,
                                    .why = "",
                                    .host = "",
                                    .reason = "out of memory",
                                    .trace = "",
                                    .log = ""};

static void text_never_null(const char **text)
{
    *text = *text ? *text : "";
}

const failure_t *future_failure(future_t *self)
{
    if (self->failure)
        return self->failure;
    failure_t *out = arena_alloc(&self->arena, sizeof *out);
    if (!out)
        return &NO_MEMORY;
    if (!failure_unpack(future_load(self), &self->arena, out))
        *out = (failure_t){.executed = MOB_MAYBE_EXECUTED,
                           .reason = "the broker's record of it cannot be read"};
    out->err = (mob_err_t)self->err;
    out->root = out->root ? out->root : out->err;
    text_never_null(&out->why);
    text_never_null(&out->host);
    text_never_null(&out->reason);
    text_never_null(&out->trace);
    text_never_null(&out->log);
    return self->failure = out;
}

future_t *futures_next(const futures_t *self, size_t *at)
{
    while (*at <= self->mask) {
        future_t *future = self->slots[(*at)++].future;
        if (future)
            return future;
    }
    return NULL;
}
