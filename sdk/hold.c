// hold.c - mob_drop, mob_keep, mob_mark, mob_release, and what ends with the last hold.

#include "client.h"

#include <stdlib.h>

void hold_take(mob_t *self, future_t *future)
{
    holds_t *holds = &self->holds;
    if (future->held)
        return;
    future->held = true;
    future->serial = ++holds->serial;
    future->newer = NULL;
    future->older = holds->newest;
    *(holds->newest ? &holds->newest->newer : &holds->oldest) = future;
    holds->newest = future;
}

static void leave_line(holds_t *holds, future_t *future)
{
    *(future->newer ? &future->newer->older : &holds->newest) = future->older;
    *(future->older ? &future->older->newer : &holds->oldest) = future->newer;
    future->held = false;
}

static void drop_ref(mob_t *self, mob_ref_t ref)
{
    holds_t *holds = &self->holds;
    if (future_is_local(ref))
        return; // the broker never heard of it
    bool same = holds->dropped_count > 0 && holds->dropped.owner == ref.owner;
    if (same && ref.seq == holds->dropped.seq + holds->dropped_count) {
        holds->dropped_count++;
    } else if (same && ref.seq + 1 == holds->dropped.seq) {
        holds->dropped.seq--;
        holds->dropped_count++;
    } else {
        hold_write_drops(self);
        holds->dropped = ref;
        holds->dropped_count = 1;
        session_appended(self);
    }
}

static void end_if_free(mob_t *self, future_t *future)
{
    if (future->held || future->kept > 0 || future->pins > 0)
        return;
    if (future->blob && future_is_away(future))
        fetch_cancel(self, future->ref);
    if (future->is_stream)
        stream_end(self, future);
    drop_ref(self, future->ref);
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
        if (!mob_is_none(self->parent))
            hold_take(self, future);
    } else if (future->held) {
        leave_line(&self->holds, future);
    }
    end_if_free(self, future);
}

void hold_write_drops(mob_t *self)
{
    holds_t *holds = &self->holds;
    if (holds->dropped_count == 0)
        return;
    const msg_drop_t drop = {.ref = holds->dropped, .count = holds->dropped_count};
    holds->dropped_count = 0;
    message_DROP(session_room(self), &drop);
}

static int by_seq(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

// A DROP may have been lost with the connection, or with a broker, and then workers say again what
// it was about. What is dropped are the gaps between what is held, also among the requests that go
// before this; to say it twice does no harm.
void hold_restate(mob_t *self)
{
    size_t count = 0;
    uint64_t next = 1, *seqs = malloc((self->futures.count + 1) * sizeof *seqs);
    if (!seqs)
        return; // the broker keeps them until this session ends
    future_t *future;
    for (size_t at = 0; (future = futures_next(&self->futures, &at));)
        if (!future->foreign && !future_is_local(future->ref))
            seqs[count++] = future->ref.seq;
    qsort(seqs, count, sizeof *seqs, by_seq);
    seqs[count] = self->seq + 1;
    for (size_t i = 0; i <= count; next = seqs[i++] + 1) {
        const msg_drop_t drop = {.ref = {self->owner, next}, .count = seqs[i] - next};
        if (drop.count > 0)
            message_DROP(session_room(self), &drop);
    }
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
    future_t *future = future_known(self, ref);
    if (future && future->kept < UINT16_MAX)
        future->kept++;
    session_unlock(self);
}

uint64_t session_mark(mob_t *self)
{
    return self->holds.serial;
}

void session_release(mob_t *self, uint64_t mark)
{
    for (future_t *future; (future = self->holds.newest) && future->serial > mark;) {
        leave_line(&self->holds, future);
        end_if_free(self, future);
    }
}

uint64_t mob_mark(mob_t *self)
{
    session_lock(self);
    uint64_t serial = session_mark(self);
    session_unlock(self);
    return serial;
}

void mob_release(mob_t *self, uint64_t mark)
{
    session_lock(self);
    session_release(self, mark);
    session_unlock(self);
}
