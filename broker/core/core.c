// core.c - the door: a table from verb to handler, the handlers of requests, time, and what is to be sent. No state
// of its own but the core's; each noun's file does the work.

#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "borrow.h"
#include "admit.h"
#include "call.h"
#include "fetch.h"
#include "graph.h"
#include "letter.h"
#include "refcount.h"
#include "internal.h"
#include "mailbox.h"
#include "name.h"
#include "notice.h"
#include "once.h"
#include "outcome.h"
#include "prelude.h"
#include "query.h"
#include "ref.h"
#include "rejoin.h"
#include "request.h"
#include "result.h"
#include "schedule.h"
#include "session.h"
#include "state.h"
#include "store.h"
#include "stream.h"
#include "timeline.h"
#include "unmet.h"
#include "unplaced.h"
#include "warning.h"
#include "worker.h"

// ---- Coming and going ---------------------------------------------------------------------------

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value ? value : otherwise;
}

static core_config_t completed(const core_config_t *given)
{
    core_config_t config = *given;
    config.epoch = config.epoch ? config.epoch : 1;
    config.notices = config.notices ? config.notices : "";
    config.feed = config.feed ? config.feed : "";
    config.heartbeat_us = or_default(config.heartbeat_us, 1000000);
    config.lost_us = or_default(config.lost_us, 5000000);
    config.gone_us = or_default(config.gone_us, 30000000);
    config.rejoin_us = or_default(config.rejoin_us, 3000000);
    config.resolve_us = or_default(config.resolve_us, 3000000);
    config.kept_us = or_default(config.kept_us, 600000000);
    config.retry_us = or_default(config.retry_us, 50000);
    config.warn_us = or_default(config.warn_us, 10000000);
    config.accept_us = or_default(config.accept_us, 20000);
    config.poison = config.poison ? config.poison : 20;
    config.pending_max = config.pending_max ? config.pending_max : 10000;
    config.mailbox_max = config.mailbox_max ? config.mailbox_max : 1000;
    config.memory_max = config.memory_max ? config.memory_max : UINT64_C(512) << 20;
    config.store_max = config.store_max ? config.store_max : UINT64_C(256) << 20;
    config.object_max = config.object_max ? config.object_max : MOB_OBJECT_MAX;
    config.letters_max = config.letters_max ? config.letters_max : 10000;
    config.letter_bytes_max = config.letter_bytes_max ? config.letter_bytes_max : UINT64_C(256) << 20;
    config.ring_bytes = config.ring_bytes ? config.ring_bytes : 16u << 20;
    return config;
}

core_t *core_new(const core_config_t *config)
{
    core_t *core = calloc(1, sizeof *core);
    if (!core)
        return NULL;
    core->config = completed(config);
    core->random[0] = core->config.seed ^ 0x9e3779b97f4a7c15u;
    core->random[1] = core->config.seed * 0xd6e8feb86659fd93u + 1;
    core->wakes_end = &core->wakes;
    core->beat.kind = DEADLINE_CORE;
    slab_init(&core->calls, sizeof(call_t));
    reftable_init(&core->refs, &core->calls);
    name_of(core, (mob_bytes_t){"default", 7}); // also makes index 0
    return core;
}

static void peer_free(core_t *core, peer_t *peer)
{
    (void)core;
    outbox_fini(&peer->calls);
    outbox_fini(&peer->notes);
    outbox_fini(&peer->feed);
    free(peer);
}

void core_destroy(core_t **self_p)
{
    core_t *core = *self_p;
    if (!core)
        return;
    *self_p = NULL;
    core->rejoin_at = 0; // nobody waits for who may come back
    while (core->sessions)
        session_gone(core, core->sessions, CAUSE_EXIT);
    while (core->workers)
        worker_lost(core, core->workers, CAUSE_STOP, 0, 0, (mob_bytes_t){0});
    while (core->actors)
        actor_free(core, core->actors);
    while (core->graves)
        actor_free(core, core->graves);
    letters_fini(core);
    uint32_t at = 0;
    for (call_t *call; (call = call_next(core, &at)) != NULL;)
        call_free(core, call);
    for (peer_t *peer = core->peers, *next; peer; peer = next) {
        next = peer->next;
        peer_free(core, peer);
    }
    free(core->dropped);
    once_fini(core);
    free(core->unmet);
    reflist_fini(&core->loose);
    timeline_fini(core);
    free(core->choice);
    names_fini(core);
    reftable_fini(&core->refs);
    slab_fini(&core->calls);
    payloads_fini(&core->payloads);
    deadlines_fini(&core->deadlines);
    pack_fini(&core->scratch);
    stores_fini(core);
    free(core->loads);
    free(core);
}

// Time starts with the first event: the core never looks at a clock.
static void at(core_t *core, int64_t now)
{
    if (core->now == 0) {
        core->rejoin_at = core->config.rejoin_us > 0 ? now + core->config.rejoin_us : 0;
        deadline_set(&core->deadlines, &core->beat, now + core->config.heartbeat_us);
    }
    core->now = now > core->now ? now : core->now;
}

peer_t *core_open(core_t *self, int64_t now, void *link)
{
    at(self, now);
    peer_t *peer = calloc(1, sizeof *peer);
    if (!peer)
        return NULL;
    peer->link = link;
    peer->opened_at = self->now;
    DL_APPEND(self->peers, peer);
    return peer;
}

// ---- Verbs --------------------------------------------------------------------------------------

static void on_name(core_t *core, session_t *session, const message_t *message)
{
    session_symbol(core, session, &message->name);
}

static void on_ping(core_t *core, session_t *session, const message_t *message)
{
    session_ping(core, session, &message->ping);
}

static void on_bye(core_t *core, session_t *session, const message_t *message)
{
    if (message->bye.reason == BYE_KEEP)
        session_leave(core, session);
    session_gone(core, session, CAUSE_EXIT);
}

static void on_offer(core_t *core, session_t *session, const message_t *message)
{
    if (session->host)
        host_offer(core, session->host, &message->offer);
}

static void on_method(core_t *core, session_t *session, const message_t *message)
{
    if (session->host)
        host_method(core, session->host, &message->method);
}

static void on_open(core_t *core, session_t *session, const message_t *message)
{
    if (session->host)
        host_open(core, session->host, &message->open);
    else if (session->worker)
        rejoin_said_all(core, session->worker);
}

static void on_ended(core_t *core, session_t *session, const message_t *message)
{
    if (session->host)
        host_ended(core, session->host, &message->ended);
}

static void on_result(core_t *core, session_t *session, const message_t *message)
{
    if (session->worker)
        result_value(core, session->worker, &message->result);
}

static void on_item(core_t *core, session_t *session, const message_t *message)
{
    if (session->worker)
        result_item(core, session->worker, &message->item);
}

static void on_fail(core_t *core, session_t *session, const message_t *message)
{
    if (session->worker)
        result_failure(core, session->worker, &message->fail);
}

static void on_give(core_t *core, session_t *session, const message_t *message)
{
    if (session->worker)
        worker_give(core, session->worker, message->give.refs);
}

static void on_blocked(core_t *core, session_t *session, const message_t *message)
{
    if (session->worker)
        worker_blocked(core, session->worker, message->blocked.refs);
}

static void on_resumed(core_t *core, session_t *session, const message_t *message)
{
    (void)message;
    if (session->worker)
        worker_resumed(core, session->worker);
}

static void on_begun(core_t *core, session_t *session, const message_t *message)
{
    if (session->worker)
        worker_begun(core, session->worker, &message->begun);
}

static void on_hold(core_t *core, session_t *session, const message_t *message)
{
    if (session->worker)
        rejoin_hold(core, session->worker, &message->hold);
}

static void on_have(core_t *core, session_t *session, const message_t *message)
{
    if (session->worker)
        rejoin_have(core, session->worker, &message->have);
}

typedef void(handler_t)(core_t *, session_t *, const message_t *);

// Who may say it is checked by the handler: a client that says RESULT is simply not a worker.
static handler_t *const handlers[VERB_MAX] = {
    [VERB_NAME] = on_name,
    [VERB_SUBMIT] = request_submit,
    [VERB_CALL] = request_call,
    [VERB_SPAWN] = request_spawn,
    [VERB_PUT] = request_put,
    [VERB_FIND] = request_find,
    [VERB_QUERY] = request_query,
    [VERB_END] = request_end,
    [VERB_ASK] = ref_ask,
    [VERB_WATCH] = ref_watch,
    [VERB_CANCEL] = ref_cancel,
    [VERB_STOP] = request_stop,
    [VERB_DROP] = ref_drop,
    [VERB_PING] = on_ping,
    [VERB_BYE] = on_bye,
    [VERB_OFFER] = on_offer,
    [VERB_METHOD] = on_method,
    [VERB_OPEN] = on_open,
    [VERB_RESULT] = on_result,
    [VERB_FAIL] = on_fail,
    [VERB_GIVE] = on_give,
    [VERB_BLOCKED] = on_blocked,
    [VERB_RESUMED] = on_resumed,
    [VERB_ENDED] = on_ended,
    [VERB_HOLD] = on_hold,
    [VERB_HAVE] = on_have,
    [VERB_BEGUN] = on_begun,
    [VERB_PIECE] = prelude_piece,
    [VERB_DEPS] = prelude_deps,
    [VERB_FETCH] = fetch_request,
    [VERB_ITEM] = on_item,
    [VERB_NEXT] = stream_next,
    [VERB_KEEP] = borrow_keep,
    [VERB_RETRY] = request_retry,
    [VERB_DISCARD] = request_discard,
};

static void handle(core_t *core, session_t *session, const message_t *message)
{
    uint64_t last = session->last;
    handlers[message->verb](core, session, message);
    if (core->unmet_count > 0 && verb_is_request(message->verb))
        unmet_met(core, session, last);
}

void core_message(core_t *self, int64_t now, peer_t *peer, const message_t *message)
{
    at(self, now);
    if (peer->closed)
        return;
    if (message->verb == VERB_HELLO) {
        session_hello(self, peer, &message->hello);
        return;
    }
    session_t *session = peer->session;
    if (!session) {
        session_error(self, peer, MOB_EPROTO, "HELLO", (mob_ref_t){0, 0}, "say HELLO first");
        return;
    }
    session->heard_at = self->now;
    session->blind = 0;
    if (handlers[message->verb])
        handle(self, session, message);
    else
        session_error(self, peer, MOB_EPROTO, "PROTO", (mob_ref_t){0, 0}, verb_name(message->verb));
}

enum { BAD_MAX = 3, BAD_WITHIN_US = 10000000 };

void core_fault_of(core_t *self, int64_t now, peer_t *peer, const message_fault_t *fault)
{
    at(self, now);
    self->count.malformed++;
    if (peer->closed)
        return;
    bool broken = strcmp(fault->wrong, "MSGPACK") == 0 || strcmp(fault->wrong, "FRAMES") == 0;
    char text[MOB_NAME_MAX];
    snprintf(text, sizeof text, "%s: %s %s", verb_name(fault->verb), fault->wrong, fault->field);
    mob_ref_t ref = {peer->session && fault->seq ? peer->session->owner : 0, fault->seq};
    mob_err_t code = strcmp(fault->wrong, "LIMIT") == 0 ? MOB_ELIMIT : MOB_EPROTO;
    if (peer->session && fault->seq == peer->session->last + 1)
        admit_malformed(self, peer->session, fault->seq, code, text);
    session_error(self, peer, code, fault->wrong, ref, text);
    if (self->now - peer->bad_at > BAD_WITHIN_US)
        peer->bad_count = 0;
    if (peer->bad_count == 0)
        peer->bad_at = self->now;
    if (!broken || ++peer->bad_count < BAD_MAX)
        return;
    session_goodbye(self, peer, MOB_EPROTO, "too many undecodable messages");
    if (peer->session)
        session_gone(self, peer->session, CAUSE_EXIT);
}

void core_gone(core_t *self, int64_t now, peer_t *peer, enum wire_cause cause)
{
    at(self, now);
    if (peer->session)
        session_gone(self, peer->session, cause);
}

// What waits for it goes at once: that is why its session ends.
void core_stuck(core_t *self, int64_t now, peer_t *peer)
{
    at(self, now);
    if (!peer->session)
        return;
    warning_add(self, "MOB-STUCK", name_text(self, peer->session->name),
                "%zu bytes wait for it, and it reads none", outbox_bytes(&peer->calls));
    session_gone(self, peer->session, CAUSE_SILENT);
    outbox_fini(&peer->calls);
}

// ---- Time ---------------------------------------------------------------------------------------

static void beat(core_t *core)
{
    if (core->rejoin_at && core->now >= core->rejoin_at) {
        core->rejoin_at = 0;
        rejoin_over(core);
    }
    session_beat(core);
    unplaced_beat(core);
    worker_beat(core);
    once_beat(core);
    core->sweep = true;
    core->schedule = true; // extra workers end, back-offs pass
    int64_t next = core->now + core->config.heartbeat_us;
    if (core->rejoin_at && core->rejoin_at < next)
        next = core->rejoin_at;
    deadline_set(&core->deadlines, &core->beat, next);
}

#define RECORD_OF(type, one) ((type *)(void *)((char *)(one)-offsetof(type, deadline)))

void core_tick(core_t *self, int64_t now)
{
    at(self, now);
    for (deadline_t *one; (one = deadline_due(&self->deadlines, self->now)) != NULL;) {
        switch ((deadline_kind_t)one->kind) {
        case DEADLINE_CALL:
            call_timer(self, RECORD_OF(call_t, one));
            break;
        case DEADLINE_SESSION:
            session_timer(self, RECORD_OF(session_t, one));
            break;
        case DEADLINE_ACTOR:
            actor_timer(self, RECORD_OF(actor_t, one));
            break;
        case DEADLINE_HOST:
            host_timer(self, RECORD_OF(host_t, one));
            break;
        case DEADLINE_CORE:
            beat(self);
            break;
        }
    }
}

int64_t core_next_deadline(const core_t *self)
{
    return self->schedule ? self->now : deadline_next(&self->deadlines);
}

void core_drain(core_t *self, int64_t now)
{
    at(self, now);
    self->draining = true;
    request_drain(self);
}

bool core_drained(const core_t *self)
{
    return self->draining && self->count.pending == 0;
}

// ---- What is to be sent -------------------------------------------------------------------------

peer_t *core_next_dirty(core_t *self)
{
    if (self->loose.count > 0)
        refcount_sweep(self);
    if (self->schedule)
        schedule_run(self);
    peer_t *peer = self->dirty_first;
    if (!peer)
        return NULL;
    self->dirty_first = peer->next_dirty;
    if (!self->dirty_first)
        self->dirty_last = NULL;
    peer->dirty = false;
    return peer;
}

outbox_t *peer_calls(peer_t *self)
{
    return &self->calls;
}

outbox_t *peer_notes(peer_t *self)
{
    return &self->notes;
}

outbox_t *peer_feed(peer_t *self)
{
    return &self->feed;
}

const uint8_t *peer_topic(const peer_t *self)
{
    static const uint8_t none[MOB_TOPIC_SIZE];
    return self->session ? self->session->topic : none;
}

void *peer_link(const peer_t *self)
{
    return self->link;
}

uint32_t peer_pid(const peer_t *self)
{
    return self->pid;
}

bool peer_same_machine(const peer_t *self, mob_bytes_t machine)
{
    return machine.size > 0 && strlen(self->machine) == machine.size &&
           memcmp(self->machine, machine.data, machine.size) == 0;
}

peer_t *core_next_closed(core_t *self, void **link_p)
{
    for (peer_t *peer = self->sweep ? self->peers : NULL; peer; peer = peer->next) {
        bool old = self->now - peer->opened_at > self->config.lost_us;
        if (peer->session || peer->dirty || !old)
            continue;
        DL_DELETE(self->peers, peer);
        *link_p = peer->link;
        peer_free(self, peer);
        return peer;
    }
    self->sweep = false;
    return NULL;
}

// ---- Small things -------------------------------------------------------------------------------

uint64_t core_random(core_t *core) // xorshift128+
{
    uint64_t a = core->random[0], b = core->random[1];
    core->random[0] = b;
    a ^= a << 23;
    core->random[1] = a ^ b ^ a >> 17 ^ b >> 26;
    return core->random[1] + b;
}

void core_weigh(core_t *core, const blob_t *blob, int sign)
{
    if (blob && blob->data) // else the store counts it
        core->count.bytes += (uint64_t)((int64_t)(blob->size + sizeof *blob) * sign);
}

static uint64_t weight(const core_t *core)
{
    return core->count.bytes + (uint64_t)core->calls.used * (sizeof(call_t) + 16);
}

bool core_heavy(const core_t *core)
{
    return weight(core) > core->config.memory_max / 5 * 4;
}

bool core_full(const core_t *core)
{
    return weight(core) > core->config.memory_max / 10 * 9;
}

core_count_t core_counts(const core_t *self)
{
    core_count_t count = self->count;
    count.objects = self->calls.used;
    count.graves = self->grave_count;
    count.letters = HASH_COUNT(self->letters.first);
    stores_count(self, &count);
    count.bytes = weight(self);
    return count;
}
