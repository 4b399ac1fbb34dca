// hold.c - mob_drop, mob_keep, mob_mark, mob_release, and what ends with the last hold.

#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "limit.h"

typedef struct line {
    future_t **newest, **oldest;
} line_t;

// Of a voice, or of all of them.
static line_t line_of(mob_t *self, uint32_t number)
{
    holds_t *holds = &self->holds;
    voice_t *voice = self->voices && number < HOLD_SHARED ? self->voices[number] : &self->own;
    return number == HOLD_SHARED ? (line_t){&holds->newest, &holds->oldest}
                                 : (line_t){&voice->newest, &voice->oldest};
}

static void enter_line(mob_t *self, future_t *future, uint32_t number)
{
    line_t line = line_of(self, number);
    future->held = true;
    future->line = (uint16_t)number;
    future->serial = ++self->holds.serial & ((UINT64_C(1) << 48) - 1);
    future->newer = NULL;
    future->older = *line.newest;
    *(*line.newest ? &(*line.newest)->newer : line.oldest) = future;
    *line.newest = future;
}

static void leave_line(mob_t *self, future_t *future)
{
    line_t line = line_of(self, future->line);
    *(future->newer ? &future->newer->older : line.newest) = future->older;
    *(future->older ? &future->older->newer : line.oldest) = future->newer;
    future->held = false;
}

static bool is_mine(const mob_t *self, const future_t *future)
{
    return future->line == self->voice->number;
}

void hold_touch(mob_t *self, future_t *future)
{
    if (!future->held || is_mine(self, future))
        return;
    leave_line(self, future);
    enter_line(self, future, HOLD_SHARED);
}

void hold_take(mob_t *self, future_t *future)
{
    if (future->held)
        hold_touch(self, future);
    else
        enter_line(self, future, self->voice->number);
}

// ---- DROP ---------------------------------------------------------------------------------------

static drop_run_t *new_run(holds_t *holds)
{
    if (holds->run_count == holds->run_room) {
        size_t room = holds->run_room ? 2 * holds->run_room : 4;
        drop_run_t *runs = realloc(holds->runs, room * sizeof *runs);
        if (!runs)
            return NULL; // the broker keeps it until this session ends
        holds->runs = runs;
        holds->run_room = room;
    }
    return &holds->runs[holds->run_count++];
}

static bool extend(drop_run_t *run, mob_ref_t ref, uint64_t after)
{
    if (run->first.owner != ref.owner || run->after != after || run->count == MOB_INNER_MAX)
        return false;
    if (ref.seq + 1 == run->first.seq)
        run->first.seq--;
    else if (ref.seq != run->first.seq + run->count)
        return false;
    run->count++;
    return true;
}

// Of one that the broker never heard of, or never from us, there is nothing to say.
static void drop_ref(mob_t *self, const future_t *future)
{
    holds_t *holds = &self->holds;
    if (future_is_local(future->ref) || (future->silent && !future->borrowed))
        return;
    bool more = holds->run_count > 0 &&
                extend(&holds->runs[holds->run_count - 1], future->ref, holds->answered);
    drop_run_t *run = more ? NULL : new_run(holds);
    if (run)
        *run = (drop_run_t){.first = future->ref, .count = 1, .after = holds->answered};
    session_appended(self);
}

static bool say_drop(mob_t *self, mob_ref_t ref, uint64_t count)
{
    const msg_drop_t drop = {.seq = self->seq + 1, .ref = ref, .count = count};
    bool ends_with_us = self->closing && !self->config.keep && ref.owner == self->owner;
    if (count == 0 || ends_with_us)
        return true;
    bool said = message_DROP(session_room(self), &drop);
    if (said)
        session_requested(self, 1);
    return said;
}

// An answer may be lost and said again: what is inside it must live until the broker has it.
void hold_write_drops(mob_t *self)
{
    holds_t *holds = &self->holds;
    size_t said = 0;
    if (holds->run_count == 0 || self->link.state == LINK_OVER)
        return;
    while (said < holds->run_count && holds->runs[said].after <= holds->taken &&
           say_drop(self, holds->runs[said].first, holds->runs[said].count))
        said++;
    holds->run_count -= said;
    memmove(holds->runs, holds->runs + said, holds->run_count * sizeof *holds->runs);
}

// What stood behind it in its run becomes a run of its own.
void hold_undrop(mob_t *self, mob_ref_t ref)
{
    holds_t *holds = &self->holds;
    for (size_t i = 0; i < holds->run_count; i++) {
        drop_run_t *run = &holds->runs[i];
        uint64_t before = ref.seq - run->first.seq;
        if (run->first.owner != ref.owner || before >= run->count)
            continue;
        drop_run_t rest = {mob_nth(ref, 1), run->count - before - 1, run->after};
        run->count = before;
        drop_run_t *place = rest.count > 0 ? new_run(holds) : NULL;
        if (place)
            *place = rest;
        return;
    }
}

void holds_fini(holds_t *self)
{
    free(self->runs);
    pack_fini(&self->kept);
}

// ---- Holds --------------------------------------------------------------------------------------

static void end_if_free(mob_t *self, future_t *future)
{
    if (future->held || future->kept > 0 || future->pins > 0)
        return;
    if (future->blob && future_is_away(future))
        fetch_cancel(self, future->ref);
    if (future->is_stream)
        stream_end(self, future);
    drop_ref(self, future);
    futures_remove(&self->futures, &future);
}

void hold_unpin(mob_t *self, future_t *future)
{
    future->pins--;
    end_if_free(self, future);
}

// Kept ones go first. Inside a body the last kept hold lasts until the body returns, so that the
// ref may still be its result.
void hold_give(mob_t *self, future_t *future)
{
    if (future->kept > 0) {
        future->kept--;
        if (!mob_is_none(self->voice->parent))
            hold_take(self, future);
    } else if (future->held && is_mine(self, future)) {
        leave_line(self, future);
    }
    end_if_free(self, future);
}

static int by_seq(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

// It knows nothing of what we dropped, and workers may tell it of calls that we gave up long ago. Dropped are the gaps
// between what is held.
void hold_restate(mob_t *self)
{
    size_t count = 0;
    uint64_t next = 1, end = self->queue.accepted + 1;
    uint64_t *seqs = malloc((self->futures.count + 1) * sizeof *seqs);
    if (!seqs)
        return; // it keeps them until this session ends
    future_t *future;
    for (size_t at = 0; (future = futures_next(&self->futures, &at));)
        if (!future->foreign && future->ref.seq < end)
            seqs[count++] = future->ref.seq;
    qsort(seqs, count, sizeof *seqs, by_seq);
    seqs[count] = end;
    for (size_t i = 0; i <= count; next = seqs[i++] + 1)
        say_drop(self, (mob_ref_t){self->owner, next}, seqs[i] - next);
    free(seqs);
}

void mob_drop(mob_t *self, mob_ref_t ref)
{
    session_lock(self);
    future_t *future = futures_find(&self->futures, ref);
    if (future)
        hold_give(self, future);
    session_unlock(self);
}

void mob_keep(mob_t *self, mob_ref_t ref)
{
    session_lock(self);
    future_t *future = futures_find(&self->futures, ref);
    if (!future && ref.owner != self->owner && !mob_is_none(ref))
        future = foreign_add(self, ref);
    if (future && future->kept < UINT16_MAX) {
        future->kept++;
        foreign_keep(self, future);
    }
    session_unlock(self);
}

uint64_t session_mark(mob_t *self)
{
    return self->voice->mark = self->holds.serial;
}

void session_answered(mob_t *self, uint64_t answer)
{
    self->holds.answered = answer;
}

void session_answers_taken(mob_t *self, uint64_t taken)
{
    holds_t *holds = &self->holds;
    bool waited = holds->run_count > 0 && holds->runs[0].after > holds->taken;
    holds->taken = taken;
    if (waited)
        session_appended(self); // some of it may be said now
}

static void release(mob_t *self, future_t *future)
{
    leave_line(self, future);
    end_if_free(self, future);
}

// Of what several voices held: that which no body that runs can have seen.
static void release_shared(mob_t *self)
{
    uint64_t oldest = UINT64_MAX;
    for (uint32_t i = 0; i < self->voice_count; i++)
        oldest = self->voices[i]->mark < oldest ? self->voices[i]->mark : oldest;
    while (self->holds.oldest && self->holds.oldest->serial <= oldest)
        release(self, self->holds.oldest);
}

static void release_to(mob_t *self, uint64_t mark)
{
    for (future_t *future; (future = self->voice->newest) && future->serial > mark;)
        release(self, future);
}

void session_release(mob_t *self, uint64_t mark)
{
    release_to(self, mark);
    self->voice->mark = UINT64_MAX;
    if (self->holds.oldest)
        release_shared(self);
}

uint64_t mob_mark(mob_t *self)
{
    session_lock(self);
    uint64_t serial = self->holds.serial;
    session_unlock(self);
    return serial;
}

void mob_release(mob_t *self, uint64_t mark)
{
    session_lock(self);
    release_to(self, mark);
    session_unlock(self);
}
