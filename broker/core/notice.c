// notice.c - outcomes leave by PUB in numbered notices; by ROUTER while the session does not hear those.
// ACCEPT and TAKEN ride in front of whatever goes first.

#include "notice.h"

#include "refcount.h"
#include "internal.h"
#include "session.h"

void peer_dirty(core_t *core, peer_t *peer)
{
    if (peer->dirty || peer->closed)
        return;
    peer->dirty = true;
    peer->next_dirty = NULL;
    if (core->dirty_last)
        core->dirty_last->next_dirty = peer;
    else
        core->dirty_first = peer;
    core->dirty_last = peer;
}

static void ride(core_t *core, session_t *session, batch_t *batch)
{
    if (session->told < session->last) {
        message_ACCEPT(batch, &(msg_accept_t){.seq = session->last, .epoch = core->config.epoch});
        session->told = session->last;
    }
    if (session->taken_told < session->taken) {
        message_TAKEN(batch, &(msg_taken_t){.count = session->taken});
        session->taken_told = session->taken;
    }
}

static batch_t *open_box(core_t *core, session_t *session, outbox_t *box)
{
    batch_t *batch = outbox_open(box);
    if (batch)
        peer_dirty(core, session->peer);
    return batch;
}

batch_t *notice_order(core_t *core, session_t *session)
{
    if (!session->peer)
        return NULL;
    batch_t *batch = open_box(core, session, &session->peer->calls);
    if (batch && batch_empty(batch))
        ride(core, session, batch);
    return batch;
}

batch_t *notice_batch(core_t *core, session_t *session)
{
    bool stuck = session->peer && outbox_bytes(&session->peer->calls) > NOTICE_BYTES_MAX;
    return stuck ? NULL : notice_order(core, session);
}

static batch_t *note_batch(core_t *core, session_t *session)
{
    if (!session->peer)
        return NULL;
    bool hears = session->heard && session->blind < NOTICE_BLIND_MAX;
    if (!hears || core->draining) // soon there will be nobody to ask for what was lost
        return notice_batch(core, session);
    batch_t *batch = open_box(core, session, &session->peer->notes);
    if (batch && batch_empty(batch)) {
        session->noted_at = core->now;
        core->count.notices++;
        message_NOTE(batch, &(msg_note_t){.epoch = core->config.epoch, .n = ++session->note});
        ride(core, session, batch);
    }
    return batch;
}

static bool dropped(core_t *core) // a fault, for tests: announcements only hurry, asking must do
{
    bool hit = core->config.drop_notice > 0 && !core->draining &&
               core_random(core) % 100 < core->config.drop_notice;
    core->count.dropped_notices += hit;
    return hit;
}

// Larger values are the table's own as long as they wait.
static void count_blind(session_t *session, const blob_t *load)
{
    enum { AROUND = 32 }; // about so many bytes are an outcome's beside its value
    bool inlined = load && load->size <= MOB_INLINE_MAX;
    session->blind += AROUND + (inlined ? load->size : 0);
}

void notice_outcome(core_t *core, session_t *session, const call_t *call)
{
    batch_t *batch = dropped(core) ? NULL : note_batch(core, session);
    if (!batch)
        return;
    count_blind(session, call->load);
    bool plain = call->code == MOB_OK && call->attempt == 0 && !refcount_carries(call);
    if (plain && call->id.owner == session->owner)
        message_DONE(batch, &(msg_done_t){.seq = call->id.seq, .value = load_of(call->load)});
    else
        message_ANSWER(batch, &(msg_answer_t){.ref = call->id,
                                              .code = call->code,
                                              .value = load_of(call->load),
                                              .attempts = call->attempt + 1u,
                                              .inner = refcount_carries(call)});
}

void notice_watched(core_t *core, session_t *session, const wake_t *wake)
{
    batch_t *batch = dropped(core) ? NULL : note_batch(core, session);
    if (!batch)
        return;
    count_blind(session, wake->load);
    message_ANSWER(batch, &(msg_answer_t){.ref = wake->id,
                                          .code = wake->code,
                                          .value = load_of(wake->load),
                                          .inner = wake->value.count > 0});
}

void notice_hugz(core_t *core, session_t *session)
{
    if (!session->peer)
        return;
    batch_t *batch = outbox_open(&session->peer->notes);
    if (batch)
        message_HUGZ(batch, &(msg_hugz_t){.epoch = core->config.epoch, .n = session->note});
    peer_dirty(core, session->peer);
}
