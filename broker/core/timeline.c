// timeline.c - what happened, in a ring of fixed records; and the monitors that see it live. Watched by nobody it
// costs one store; a filter runs here, before anything is copied.

#include "timeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "call.h"
#include "error.h"
#include "filter.h"
#include "internal.h"
#include "name.h"
#include "notice.h"

enum {
    TAIL_SILENCE_US = 5000000,
    TAIL_BYTES_MAX = 8 * 1024 * 1024,
    TAIL_RECORDS_MAX =
        500000, // each time it asks: one that stands still costs nothing before it is silent for long
    PAST_RECORDS_MAX = 16384, // looked at for one page: about a millisecond of the loop
    PAST_BYTES_MAX = 64 * 1024,
    NOTES = 512
};

// Sentences of records, the youngest NOTES of them: they are all different, and a name stays for ever.
struct notes {
    char text[NOTES][2 * MOB_NAME_MAX];
    uint32_t last; // its number, from 1
};

struct tail {
    tail_t *next; // of all
    session_t *session;
    filter_t filter;
    uint64_t n, first; // records that matched; number of the first one it could see
    uint32_t room;     // records it may be sent before it asks again
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

static uint32_t keep_note(core_t *core, const char *text)
{
    if (!core->notes)
        core->notes = calloc(1, sizeof *core->notes);
    if (!core->notes || !*text)
        return 0;
    uint32_t number = ++core->notes->last;
    snprintf(core->notes->text[number % NOTES], sizeof core->notes->text[0], "%s", text);
    return number;
}

static mob_bytes_t note_of(const core_t *core, uint32_t number)
{
    bool kept = number && core->notes->last - number < NOTES;
    const char *text = kept ? core->notes->text[number % NOTES] : "";
    return (mob_bytes_t){text, strlen(text)};
}

static void show(core_t *core, const record_t *record); // to the monitors

static uint32_t place_of(const call_t *call)
{
    if (!call->actor)
        return call->place;
    return call->actor->name ? call->actor->name : call->actor->label;
}

static bool goes_back(unsigned kind) // from who was asked to who asked
{
    return kind == EVENT_REPLY || kind == EVENT_FAIL || kind == EVENT_ITEM;
}

static void add(core_t *core, enum wire_event kind, const call_t *call, mob_err_t code, uint32_t note)
{
    record_t *record = next_record(core);
    uint32_t caller = call->owner ? call->owner->name : 0, place = place_of(call);
    bool back = goes_back(kind);
    *record = (record_t){.time = core->now,
                         .ref = call->id,
                         .kind = (uint16_t)kind,
                         .ran = call->place != 0,
                         .from = back ? place : caller,
                         .to = back ? caller : place,
                         .method = call->target,
                         .bytes = call->load ? call->load->size : 0,
                         .note = note,
                         .took = back ? (int32_t)(core->now - call->at) : -1,
                         .attempt = call->attempt,
                         .code = (uint16_t)code};
    if (core->tails)
        show(core, record);
}

void timeline_add(core_t *core, enum wire_event kind, const call_t *call, mob_err_t code)
{
    add(core, kind, call, code, 0);
}

void timeline_letter(core_t *core, const call_t *call, mob_err_t code, const char *name)
{
    add(core, EVENT_DEAD, call, code, keep_note(core, name));
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
    *record = (record_t){.time = core->now,
                         .ref = ref,
                         .kind = (uint16_t)kind,
                         .from = from,
                         .to = to,
                         .note = keep_note(core, note),
                         .took = -1};
    if (core->tails)
        show(core, record);
}

// ---- Monitors -----------------------------------------------------------------------------------

typedef struct lens { // what the filter looks through
    const core_t *core;
    const record_t *record;
    char id[48];
} lens_t;

static filter_value_t name_value(const lens_t *lens, uint32_t name)
{
    const core_t *core = lens->core;
    if (name == 0 || name >= core->name_count)
        return FILTER_NOTHING;
    return FILTER_TEXT(core->names[name]->text, core->names[name]->size);
}

static filter_value_t text_value(mob_bytes_t text)
{
    return text.size ? FILTER_TEXT(text.data, text.size) : FILTER_NOTHING;
}

static filter_value_t id_value(lens_t *lens)
{
    mob_ref_t ref = lens->record->ref;
    int size = snprintf(lens->id, sizeof lens->id, "%016" PRIx64 ".%" PRIu64, ref.owner, ref.seq);
    return mob_is_none(ref) ? FILTER_NOTHING : FILTER_TEXT(lens->id, (size_t)size);
}

static filter_value_t look(void *arg, filter_key_t key)
{
    lens_t *lens = arg;
    const record_t *record = lens->record;
    const char *status;
    switch (key) {
    case FILTER_KEY_ev:
        return FILTER_TEXT(event_names[record->kind], strlen(event_names[record->kind]));
    case FILTER_KEY_src:
        return name_value(lens, record->from);
    case FILTER_KEY_dst:
        return name_value(lens, record->to);
    case FILTER_KEY_actor: // which way the record goes or not
        return name_value(lens, goes_back(record->kind) ? record->from : record->to);
    case FILTER_KEY_method:
    case FILTER_KEY_task:
        return name_value(lens, record->method);
    case FILTER_KEY_status:
    case FILTER_KEY_error:
        status = record->code == MOB_OK ? "ok" : error_name((mob_err_t)record->code);
        return FILTER_TEXT(status, strlen(status));
    case FILTER_KEY_bytes:
        return FILTER_NUMBER(record->bytes);
    case FILTER_KEY_took:
        return record->took < 0 ? FILTER_NOTHING : FILTER_NUMBER(record->took);
    case FILTER_KEY_attempt:
        return FILTER_NUMBER(record->attempt);
    case FILTER_KEY_age:
        return FILTER_NUMBER(lens->core->now - record->time);
    case FILTER_KEY_note:
    case FILTER_KEY_reason:
        return text_value(note_of(lens->core, record->note));
    case FILTER_KEY_sample:
        return FILTER_NUMBER(filter_sample(record->ref.owner, record->ref.seq));
    case FILTER_KEY_id:
        return id_value(lens);
    default:
        return FILTER_NOTHING;
    }
}

static bool passes(core_t *core, const filter_t *filter, const record_t *record)
{
    lens_t lens;
    lens.core = core;
    lens.record = record;
    return filter_is_empty(filter) || filter_match(filter, look, &lens) != FILTER_NO;
}

static mob_bytes_t bytes_of(const core_t *core, uint32_t name)
{
    if (name == 0 || name >= core->name_count)
        return (mob_bytes_t){"", 0};
    return (mob_bytes_t){core->names[name]->text, core->names[name]->size};
}

static void write_record(const core_t *core, batch_t *batch, uint64_t n, const record_t *record)
{
    message_EVENT(batch, &(msg_event_t){.n = n,
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
                                        .note = note_of(core, record->note)});
}

static void show_one(core_t *core, tail_t *tail, const record_t *record)
{
    tail->n++; // counted also when it does not fit: a gap is what the monitor sees of a loss
    peer_t *peer = tail->session->peer;
    batch_t *batch = peer && tail->room && outbox_bytes(&peer->feed) < TAIL_BYTES_MAX
                         ? outbox_open(&peer->feed)
                         : NULL;
    if (!batch)
        return;
    tail->room--;
    write_record(core, batch, tail->n, record);
    peer_dirty(core, peer);
}

static void show(core_t *core, const record_t *record)
{
    for (tail_t *tail = core->tails, *next; tail; tail = next) {
        next = tail->next;
        if (core->now - tail->asked_at > TAIL_SILENCE_US)
            timeline_untail(core, tail->session);
        else if (passes(core, &tail->filter, record))
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
        tail->first = core->ring_next;
        tail->next = core->tails;
        core->tails = session->tails = tail;
    }
    tail->filter = *filter;
    tail->asked_at = core->now;
    tail->room = TAIL_RECORDS_MAX;
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

tail_count_t timeline_count(const tail_t *tail)
{
    return tail ? (tail_count_t){tail->first, tail->n} : (tail_count_t){0};
}

// ---- The past -----------------------------------------------------------------------------------

uint64_t timeline_oldest(const core_t *core)
{
    return core->ring_next > core->ring_size ? core->ring_next - core->ring_size : 0;
}

int64_t timeline_since(const core_t *core)
{
    int64_t first =
        core->ring_next ? core->ring[timeline_oldest(core) % core->ring_size].time : core->now;
    return first + core->config.wall_us;
}

uint64_t timeline_past(core_t *core, uint64_t from, const filter_t *filter, batch_t *out)
{
    uint64_t at = from;
    for (unsigned looked = 0; at < core->ring_next && looked < PAST_RECORDS_MAX; at++, looked++) {
        const record_t *record = &core->ring[at % core->ring_size];
        if (out->pack.size >= PAST_BYTES_MAX)
            break;
        if (passes(core, filter, record))
            write_record(core, out, 0, record);
    }
    return at < core->ring_next ? at : core->ring_next;
}

void timeline_fini(core_t *core)
{
    free(core->notes);
    free(core->ring);
    core->notes = NULL;
    core->ring = NULL;
}
