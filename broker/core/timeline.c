// timeline.c - what happened, in a ring of fixed records; and the monitors that see it live. Watched by nobody it
// costs one store; a filter runs here, before anything is copied.

#include "timeline.h"

#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "call.h"
#include "error.h"
#include "filter.h"
#include "internal.h"
#include "name.h"
#include "notice.h"

enum { TAIL_SILENCE_US = 5000000, TAIL_BYTES_MAX = 8 * 1024 * 1024 };

struct tail {
    tail_t *next; // of all
    session_t *session;
    filter_t filter;
    uint64_t n;
    int64_t asked_at;
};

static const char *const event_names[] = {"",      "call",  "reply",   "tell",   "task",  "done",
                                          "fail",  "retry", "timeout", "cancel", "dead",  "reject",
                                          "spawn", "exit",  "restart", "join",   "leave", "put",
                                          "lost",  "stuck", "item"};

// ---- The ring -----------------------------------------------------------------------------------

static record_t *next_record(core_t *core)
{
    if (!core->ring) {
        core->ring_size = core->config.ring_bytes / sizeof *core->ring;
        core->ring = core->ring_size ? malloc(core->ring_size * sizeof *core->ring) : NULL;
        if (!core->ring)
            core->ring_size = 0;
    }
    static record_t nowhere;
    return core->ring_size ? &core->ring[core->ring_next++ % core->ring_size] : &nowhere;
}

static void show(core_t *core, const record_t *record); // to the monitors

static uint32_t place_of(const call_t *call)
{
    if (!call->actor)
        return call->place;
    return call->actor->name ? call->actor->name : call->actor->label;
}

void timeline_add(core_t *core, enum wire_event kind, const call_t *call, mob_err_t code)
{
    record_t *record = next_record(core);
    uint32_t caller = call->owner ? call->owner->name : 0, place = place_of(call);
    bool back = kind == EVENT_REPLY || kind == EVENT_FAIL;
    *record = (record_t){.time = core->now,
                         .ref = call->id,
                         .kind = (uint16_t)kind,
                         .ran = call->place != 0,
                         .from = back ? place : caller,
                         .to = back ? caller : place,
                         .method = call->target,
                         .bytes = call->load ? call->load->size : 0,
                         .took = back ? (int32_t)(core->now - call->at) : -1,
                         .attempt = call->attempt,
                         .code = (uint16_t)code};
    if (core->tails)
        show(core, record);
}

void timeline_item(core_t *core, const call_t *call, uint32_t bytes)
{
    record_t *record = next_record(core);
    *record = (record_t){.time = core->now,
                         .ref = call->id,
                         .kind = EVENT_ITEM,
                         .from = place_of(call),
                         .to = call->owner ? call->owner->name : 0,
                         .method = call->target,
                         .bytes = bytes,
                         .took = -1,
                         .attempt = call->attempt};
    if (core->tails)
        show(core, record);
}

void timeline_note(core_t *core, enum wire_event kind, uint32_t from, uint32_t to, mob_ref_t ref,
                   const char *note)
{
    record_t *record = next_record(core);
    *record = (record_t){
        .time = core->now, .ref = ref, .kind = (uint16_t)kind, .from = from, .to = to, .took = -1};
    if (core->tails) {
        record->note = name_of(
            core, (mob_bytes_t){note, strlen(note) < MOB_NAME_MAX ? strlen(note) : MOB_NAME_MAX});
        show(core, record);
    }
}

// ---- Monitors -----------------------------------------------------------------------------------

typedef struct lens { // what the filter looks through
    const core_t *core;
    const record_t *record;
} lens_t;

static filter_value_t name_value(const lens_t *lens, uint32_t name)
{
    const char *text = name_text(lens->core, name);
    return *text ? FILTER_TEXT(text, strlen(text)) : FILTER_NOTHING;
}

static filter_value_t look(void *arg, filter_key_t key)
{
    const lens_t *lens = arg;
    const record_t *record = lens->record;
    const char *status = record->code == MOB_OK ? "ok" : error_name((mob_err_t)record->code);
    switch (key) {
    case FILTER_KEY_ev:
        return FILTER_TEXT(event_names[record->kind], strlen(event_names[record->kind]));
    case FILTER_KEY_src:
        return name_value(lens, record->from);
    case FILTER_KEY_dst:
        return name_value(lens, record->to);
    case FILTER_KEY_method:
    case FILTER_KEY_task:
        return name_value(lens, record->method);
    case FILTER_KEY_status:
    case FILTER_KEY_error:
        return FILTER_TEXT(status, strlen(status));
    case FILTER_KEY_bytes:
        return FILTER_NUMBER(record->bytes);
    case FILTER_KEY_took:
        return record->took < 0 ? FILTER_NOTHING : FILTER_NUMBER(record->took);
    case FILTER_KEY_attempt:
        return FILTER_NUMBER(record->attempt);
    default:
        return FILTER_NOTHING;
    }
}

static mob_bytes_t bytes_of(const core_t *core, uint32_t name)
{
    const char *text = name_text(core, name);
    return (mob_bytes_t){text, strlen(text)};
}

static void show_one(core_t *core, tail_t *tail, const record_t *record)
{
    tail->n++; // counted also when it does not fit: a gap is what the monitor sees of a loss
    peer_t *peer = tail->session->peer;
    batch_t *batch =
        peer && outbox_bytes(&peer->feed) < TAIL_BYTES_MAX ? outbox_open(&peer->feed) : NULL;
    if (!batch)
        return;
    message_EVENT(batch, &(msg_event_t){.n = tail->n,
                                        .time_us = record->time + core->config.wall_us,
                                        .kind = record->kind,
                                        .from = bytes_of(core, record->from),
                                        .to = bytes_of(core, record->to),
                                        .method = bytes_of(core, record->method),
                                        .bytes = record->bytes,
                                        .took_us = record->took,
                                        .ref = record->ref,
                                        .attempt = record->attempt,
                                        .code = record->code,
                                        .note = bytes_of(core, record->note)});
    peer_dirty(core, peer);
}

static void show(core_t *core, const record_t *record)
{
    lens_t lens = {core, record};
    for (tail_t *tail = core->tails, *next; tail; tail = next) {
        next = tail->next;
        if (core->now - tail->asked_at > TAIL_SILENCE_US)
            timeline_untail(core, tail->session);
        else if (filter_is_empty(&tail->filter) ||
                 filter_match(&tail->filter, look, &lens) != FILTER_NO)
            show_one(core, tail, record);
    }
}

tail_t *timeline_tail(core_t *core, session_t *session, const filter_t *filter)
{
    tail_t *tail = session->tails;
    if (!tail) {
        tail = calloc(1, sizeof *tail);
        if (!tail)
            return NULL;
        tail->session = session;
        tail->next = core->tails;
        core->tails = session->tails = tail;
    }
    tail->filter = *filter;
    tail->asked_at = core->now;
    return tail;
}

void timeline_untail(core_t *core, session_t *session)
{
    tail_t *tail = session->tails;
    if (!tail)
        return;
    tail_t **tail_p = &core->tails;
    while (*tail_p != tail)
        tail_p = &(*tail_p)->next;
    *tail_p = tail->next;
    session->tails = NULL;
    free(tail);
}

void timeline_fini(core_t *core)
{
    free(core->ring);
    core->ring = NULL;
}
