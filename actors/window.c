// window.c - calls in hand. Places are used again, so that a call costs no allocation once the
// worker is warm.

#include "window.h"

#include <stdlib.h>
#include <string.h>

#include "value.h"

static void hand_clear(hand_t *self)
{
    blob_drop(&self->args.blob);
    blob_drop(&self->saved);
    gather_free(&self->gather);
    if (self->pack.room > WINDOW_KEEP_BYTES)
        pack_fini(&self->pack);
    self->pack.size = 0;
    self->pack.failed = false;
}

static void free_list(hand_t *hand)
{
    while (hand) {
        hand_t *next = hand->next;
        blob_drop(&hand->args.blob);
        blob_drop(&hand->saved);
        gather_free(&hand->gather);
        pack_fini(&hand->pack);
        free(hand);
        hand = next;
    }
}

void window_fini(window_t *self)
{
    free_list(self->first);
    free_list(self->free);
    free_list(self->running.first);
    free_list(self->open.first);
    memset(self, 0, sizeof *self);
}

static void enter(hands_t *self, hand_t *hand)
{
    hand->next = NULL;
    hand->before = self->last;
    *(hand->before ? &hand->before->next : &self->first) = hand;
    self->last = hand;
    self->count++;
}

static void leave(hands_t *self, hand_t *hand)
{
    *(hand->before ? &hand->before->next : &self->first) = hand->next;
    *(hand->next ? &hand->next->before : &self->last) = hand->before;
    self->count--;
}

// Calls of one caller come numbered in a row, so that buckets hold one each.
static uint32_t bucket_of(mob_ref_t ref)
{
    return (uint32_t)((ref.owner >> 32) + ref.seq) % WINDOW_BUCKETS;
}

static void list(window_t *self, hand_t *hand)
{
    hand_t **bucket = &self->buckets[bucket_of(hand->ref)];
    hand->chain = *bucket;
    hand->listed = true;
    *bucket = hand;
}

static void unlist(window_t *self, hand_t *hand)
{
    hand_t **link = &self->buckets[bucket_of(hand->ref)];
    while (*link != hand)
        link = &(*link)->chain;
    *link = hand->chain;
    hand->listed = false;
}

static hand_t *place_of(window_t *self)
{
    hand_t *hand = self->free;
    if (hand) {
        self->free = hand->next;
        return hand;
    }
    uint32_t open = self->open.count;
    if (self->total == WINDOW_CALLS_MAX + open || open > WINDOW_OPEN_MAX)
        return NULL;
    hand = calloc(1, sizeof *hand);
    if (hand)
        self->total++;
    return hand;
}

hand_t *window_place(window_t *self)
{
    hand_t *hand = place_of(self);
    if (!hand)
        return NULL;
    hand->args = (load_t){0};
    hand->deadline_at = INT64_MAX;
    hand->cls = NULL;
    hand->body = NULL;
    hand->opts_at = 0;
    hand->returns = 1;
    hand->lost = false;
    hand->listed = false;
    hand->lane = 0;
    hand->promise = PROMISE_NONE;
    atomic_store_explicit(&hand->cancelled, false, memory_order_relaxed);
    return hand;
}

void window_push(window_t *self, hand_t *hand)
{
    hand->next = NULL;
    if (self->last)
        self->last->next = hand;
    else
        self->first = hand;
    self->last = hand;
    self->waiting++;
    if (hand->what != HAND_END)
        list(self, hand);
}

static bool splice(hand_t *self, load_t args, loads_t deps)
{
    load_t few[16], *values = few;
    uint32_t count = 0;
    if (deps.count > sizeof few / sizeof *few)
        values = malloc(deps.count * sizeof *values);
    while (values && deps.count > 0)
        values[count++] = loads_next(&deps);
    bool good = values && value_splice(&self->pack, args, values, count);
    if (values != few)
        free(values);
    self->args = load_bytes(self->pack.data, self->pack.size);
    return good;
}

bool hand_set_args(hand_t *self, load_t args, loads_t deps)
{
    if (deps.count > 0)
        return splice(self, args, deps);
    if (args.blob) {
        self->args = args;
        blob_hold(args.blob);
        return true;
    }
    pack_raw(&self->pack, args.data, args.size);
    self->args = load_bytes(self->pack.data, self->pack.size);
    return !self->pack.failed;
}

bool hand_gathered(hand_t *self)
{
    blob_t *args = gather_args(self->gather);
    gather_free(&self->gather);
    self->args = load_of(args); // the hand's from now on
    return args != NULL;
}

bool hand_set_opts(hand_t *self, opts_field_t opts, load_t saved)
{
    self->opts_at = (uint32_t)self->pack.size;
    pack_raw(&self->pack, opts.wire, opts.size);
    if (!self->args.blob) // the memory may have moved
        self->args = load_bytes(self->pack.data, self->opts_at);
    if (saved.size)
        self->saved = load_keep(saved);
    return !self->pack.failed && (!saved.size || self->saved);
}

void hand_wish(hand_t *self, opts_field_t opts, const lanes_t *lanes)
{
    opts_t wishes = opts_read(opts);
    int64_t returns = wishes.num_returns;
    if (returns > 1 && returns <= MOB_RETURNS_MAX)
        self->returns = (uint32_t)returns;
    if (returns == MOB_STREAM)
        self->returns = 0;
    self->credit = (uint64_t)wishes.stream_ahead;
    self->lane = (uint8_t)lanes_find(lanes, wishes.lane);
}

static void to_free(window_t *self, hand_t *hand)
{
    if (hand->listed)
        unlist(self, hand);
    hand_clear(hand);
    hand->next = self->free;
    self->free = hand;
}

void window_return(window_t *self, hand_t *hand)
{
    to_free(self, hand);
}

static void take_out(window_t *self, hand_t *before, hand_t *hand)
{
    *(before ? &before->next : &self->first) = hand->next;
    if (self->last == hand)
        self->last = before;
    hand->next = NULL;
    self->waiting--;
}

static bool is_full(const window_t *self, const hand_t *hand)
{
    const window_lane_t *lane = &self->lanes[hand->lane];
    return lane->width > 0 && lane->running >= lane->width && hand->what != HAND_END;
}

// Tasks have no order, and an actor keeps that of each caller in each lane; nothing passes a making, and no end anything.
static bool may_pass(const window_t *window, const hand_t *self, const hand_t *late)
{
    bool all = self->what == HAND_END && mob_is_none(self->actor);
    if (all || (self->what == HAND_END && mob_same(self->actor, late->actor)))
        return false;
    return mob_is_none(late->actor) || !mob_same(self->actor, late->actor) ||
           (late->what == HAND_CALL &&
            (self->lane != late->lane || window->lanes[self->lane].width > 1 ||
             self->ref.owner != late->ref.owner));
}

static bool may_begin(const window_t *self, const hand_t *hand)
{
    bool may = !hand->gather && !is_full(self, hand);
    for (const hand_t *late = self->first; may && late != hand; late = late->next)
        may = !late->gather || may_pass(self, hand, late);
    return may;
}

static hand_t *first_that_may(const window_t *self, hand_t **before)
{
    hand_t *hand = self->first;
    for (*before = NULL; hand && !may_begin(self, hand); hand = hand->next)
        *before = hand;
    return hand;
}

static hand_t *next_one(const window_t *self, hand_t **before)
{
    hand_t *hand = self->first;
    *before = NULL;
    if (hand && (hand->gather || is_full(self, hand)))
        hand = first_that_may(self, before);
    bool waits = hand && hand->what == HAND_END && self->running.count + self->calling > 0;
    return waits ? NULL : hand;
}

bool window_has_next(const window_t *self)
{
    hand_t *before;
    return next_one(self, &before) != NULL;
}

hand_t *window_begin(window_t *self)
{
    hand_t *before, *hand = next_one(self, &before);
    if (!hand)
        return NULL;
    take_out(self, before, hand);
    self->begun++;
    self->lanes[hand->lane].running++;
    hand->running = true;
    enter(&self->running, hand);
    return hand;
}

// It may stay for long, and there may be many: all but its options goes now.
static void shed(hand_t *self)
{
    const opts_field_t opts = hand_opts(self);
    pack_t rest = PACK_INIT;
    pack_raw(&rest, opts.wire, opts.size);
    hand_clear(self);
    pack_fini(&self->pack);
    self->pack = rest;
    self->opts_at = 0;
    self->args = (load_t){0};
}

void window_done(window_t *self, hand_t *hand)
{
    leave(&self->running, hand);
    self->lanes[hand->lane].running--;
    hand->running = false;
    if (hand->promise == PROMISE_OPEN) {
        shed(hand);
        enter(&self->open, hand);
    } else {
        to_free(self, hand);
    }
}

void window_close(window_t *self, hand_t *hand)
{
    leave(&self->open, hand);
    to_free(self, hand);
}

void window_remove(window_t *self, hand_t *hand)
{
    hand_t *before = NULL;
    for (hand_t *at = self->first; at != hand; at = at->next)
        before = at;
    take_out(self, before, hand);
    to_free(self, hand);
}

hand_t *window_find(const window_t *self, mob_ref_t ref)
{
    hand_t *hand = self->buckets[bucket_of(ref)];
    while (hand && !mob_same(hand->ref, ref))
        hand = hand->chain;
    return hand;
}

hand_t *window_gathers(const window_t *self, mob_ref_t ref)
{
    hand_t *hand = self->buckets[bucket_of(ref)];
    while (hand && !(hand->gather && mob_same(hand->ref, ref)))
        hand = hand->chain;
    return hand;
}

bool window_holds(const window_t *self, mob_ref_t ref, uint32_t attempt)
{
    const hand_t *hand = self->buckets[bucket_of(ref)];
    while (hand && !(mob_same(hand->ref, ref) && hand->attempt == attempt))
        hand = hand->chain;
    return hand != NULL;
}

uint32_t window_give(window_t *self, mob_ref_t *refs, uint32_t max)
{
    uint32_t count = 0;
    for (hand_t *hand = self->first, *next; hand && count < max; hand = next) {
        next = hand->next;
        if (hand->what != HAND_CALL || !mob_is_none(hand->actor))
            continue;
        refs[count++] = hand->ref;
        window_remove(self, hand);
    }
    return count;
}

int64_t window_slow(window_t *self, int64_t now, bool *slow)
{
    *slow = false;
    if (self->running.count == 0)
        return self->waiting ? now + WINDOW_SLOW_US : INT64_MAX;
    if (self->noticed != self->begun) {
        self->noticed = self->begun;
        self->noticed_at = now;
    }
    if (self->waiting == 0)
        return INT64_MAX;
    int64_t due = self->noticed_at + WINDOW_SLOW_US;
    *slow = now >= due;
    return *slow ? INT64_MAX : due;
}
