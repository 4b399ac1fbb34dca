// session.c - a session from HELLO to its end. Owns the sequence of its requests, its symbols and what happens
// to its calls when it is gone.

#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "borrow.h"
#include "call.h"
#include "graph.h"
#include "internal.h"
#include "name.h"
#include "notice.h"
#include "outcome.h"
#include "text.h"
#include "prelude.h"
#include "rejoin.h"
#include "store.h"
#include "stream.h"
#include "timeline.h"
#include "unmet.h"
#include "warning.h"
#include "worker.h"

enum { SYMBOLS_MAX = 65536 };

session_t *session_find(const core_t *core, uint64_t owner)
{
    session_t *session;
    HASH_FIND(hh, core->sessions, &owner, sizeof owner, session);
    return session;
}

session_t *session_stub(core_t *core, uint64_t owner)
{
    session_t *session = session_find(core, owner);
    if (session)
        return session;
    session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    session->owner = owner;
    session->deadline.kind = DEADLINE_SESSION;
    session->heard_at = core->now;
    HASH_ADD(hh, core->sessions, owner, sizeof session->owner, session);
    core->count.sessions++;
    return session;
}

// ---- Messages about the session itself ----------------------------------------------------------

void session_error(core_t *core, peer_t *peer, mob_err_t code, const char *why, mob_ref_t ref,
                   const char *text)
{
    core->count.rejected++;
    batch_t *batch = outbox_bytes(&peer->calls) < NOTICE_BYTES_MAX ? outbox_open(&peer->calls) : NULL;
    if (!batch)
        return;
    message_ERROR(batch, &(msg_error_t){.code = code,
                                        .why = {why, strlen(why)},
                                        .ref = ref,
                                        .text = {text, strlen(text)}});
    peer_dirty(core, peer);
}

void session_goodbye(core_t *core, peer_t *peer, mob_err_t code, const char *text)
{
    batch_t *batch = outbox_open(&peer->calls);
    if (batch)
        message_GOODBYE(batch, &(msg_goodbye_t){.code = code, .text = {text, strlen(text)}});
    peer_dirty(core, peer);
}

static bool acceptable(core_t *core, peer_t *peer, const msg_hello_t *hello)
{
    const char *text = NULL;
    if (hello->major != MOB_WIRE_MAJOR)
        text = "this broker speaks version 1";
    else if (hello->owner == 0 || hello->topic.size != MOB_TOPIC_SIZE)
        text = "owner must not be 0, topic must have 16 bytes";
    else if (hello->role < ROLE_CLIENT || hello->role > ROLE_WORKER)
        text = "role is 1, 2 or 3";
    else if (hello->space.size > 0 && !text_is_name(hello->space.data, hello->space.size))
        text = "space has 1 to 128 letters, digits, dots, underlines and dashes";
    else if (hello->name.size > MOB_NAME_MAX || hello->space.size > MOB_NAME_MAX)
        text = "name and space have at most 128 bytes";
    if (text)
        session_goodbye(core, peer, hello->major != MOB_WIRE_MAJOR ? MOB_EPROTO : MOB_EARGS, text);
    return text == NULL;
}

// The newest connection wins. Two programs with one owner, or somebody who found it out: people should know.
static void replace(core_t *core, session_t *session)
{
    session_goodbye(core, session->peer, MOB_ECLOSED, "replaced by a newer connection");
    session->peer->session = NULL;
    warning_add(core, "MOB-TAKEOVER", name_text(core, session->name),
                "another connection said that it is this session, and has replaced the one before");
    timeline_note(core, EVENT_JOIN, session->name, 0, (mob_ref_t){session->owner, 0},
                  "replaced an older connection");
}

// The connection changes hands: what was said to the old one may never have arrived.
static void attach(core_t *core, session_t *session, peer_t *peer)
{
    if (session->peer && session->peer != peer)
        replace(core, session);
    if (peer->session && peer->session != session) {
        session_t *before = peer->session;
        before->peer = NULL;
        session_gone(core, before, CAUSE_EXIT);
    }
    session->peer = peer;
    peer->session = session;
    session->heard = false;
    session->taken = session->taken_told = 0;
    free(session->known);
    session->known = NULL;
    session->known_bytes = 0;
}

static void welcome(core_t *core, session_t *session, uint32_t greeting)
{
    batch_t *batch = outbox_open(&session->peer->calls);
    if (!batch)
        return;
    const core_config_t *config = &core->config;
    const char *name = name_text(core, session->name);
    session->told = session->last;
    message_WELCOME(batch, &(msg_welcome_t){.major = MOB_WIRE_MAJOR,
                                            .minor = MOB_WIRE_MINOR,
                                            .epoch = config->epoch,
                                            .note = session->note,
                                            .accepted = session->last,
                                            .window = config->pending_max,
                                            .heartbeat_ms = (uint32_t)(config->heartbeat_us / 1000),
                                            .notices = {config->notices, strlen(config->notices)},
                                            .feed = {config->feed, strlen(config->feed)},
                                            .name = {name, strlen(name)},
                                            .greeting = greeting});
    peer_dirty(core, session->peer);
    notice_hugz(core, session);
}

static void take_role(core_t *core, session_t *session, const msg_hello_t *hello)
{
    session->role = (enum wire_role)hello->role;
    if (session->role == ROLE_HOST && !session->host)
        host_new(core, session);
    if (session->role != ROLE_WORKER)
        return;
    worker_t *worker = worker_find(core, session->owner);
    if (!worker)
        worker = worker_adopt(core, session, hello->host);
    if (!worker)
        return;
    worker->pid = hello->pid;
    worker_joined(core, worker, session, hello->epoch == 0);
}

void session_hello(core_t *core, peer_t *peer, const msg_hello_t *hello)
{
    if (hello->role == ROLE_WORKER && hello->epoch == 0 && !worker_find(core, hello->owner)) {
        session_goodbye(core, peer, MOB_ECLOSED,
                        "nobody waits for this worker: who wanted it has ended");
        return;
    }
    session_t *session = acceptable(core, peer, hello) ? session_stub(core, hello->owner) : NULL;
    if (!session)
        return;
    bool fresh = session->name == 0;
    attach(core, session, peer);
    session->heard_at = core->now;
    session->gone = false;
    memcpy(session->topic, hello->topic.data, MOB_TOPIC_SIZE);
    size_t machine = hello->machine.size < sizeof peer->machine ? hello->machine.size : 0;
    memcpy(peer->machine, hello->machine.data, machine);
    peer->machine[machine] = '\0';
    peer->pid = hello->pid;
    if (hello->floor > session->last)
        session->last = session->floor = hello->floor;
    uint32_t space = name_of(core, hello->space);
    session->space = space ? space : name_of(core, (mob_bytes_t){"default", 7});
    session->store = store_of(core, session->space);
    session->name = hello->name.size ? name_of(core, hello->name)
                                     : name_print(core, "%08x", (unsigned)(session->owner >> 32));
    welcome(core, session, hello->greeting);
    take_role(core, session, hello);
    if (fresh && session->role != ROLE_HOST)
        timeline_note(core, EVENT_JOIN, session->name, 0, (mob_ref_t){session->owner, 0},
                      session->role == ROLE_WORKER ? "worker" : "client");
}

void session_ping(core_t *core, session_t *session, const msg_ping_t *ping)
{
    batch_t *batch = notice_batch(core, session);
    if (batch)
        message_PING(batch, &(msg_ping_t){.epoch = core->config.epoch});
    session->heard = ping->heard != 0;
    if (!session->heard)
        notice_hugz(core, session);
}

void session_symbol(core_t *core, session_t *session, const msg_name_t *name)
{
    if (name->symbol >= SYMBOLS_MAX) {
        session_error(core, session->peer, MOB_ELIMIT, "LIMIT", (mob_ref_t){0, 0},
                      "a symbol is below 65536");
        return;
    }
    if (name->symbol >= session->symbol_count) {
        uint32_t count = name->symbol + 16;
        uint32_t *symbols = realloc(session->symbols, count * sizeof *symbols);
        if (!symbols)
            return;
        memset(symbols + session->symbol_count, 0, (count - session->symbol_count) * sizeof *symbols);
        session->symbols = symbols;
        session->symbol_count = count;
    }
    session->symbols[name->symbol] = name_of(core, name->text);
}

uint32_t session_name_of(const session_t *session, uint32_t symbol)
{
    return symbol < session->symbol_count ? session->symbols[symbol] : 0;
}

// ---- What is told at the latest after a while ---------------------------------------------------

static void arm(core_t *core, session_t *session)
{
    if (session->deadline.place == 0)
        deadline_set(&core->deadlines, &session->deadline, core->now + core->config.accept_us);
}

void session_admitted(core_t *core, session_t *session, uint64_t seq)
{
    session->last = seq;
    arm(core, session);
}

void session_taken(core_t *core, session_t *session)
{
    session->taken++;
    arm(core, session);
}

void session_timer(core_t *core, session_t *session)
{
    if (session->told < session->last || session->taken_told < session->taken)
        notice_batch(core, session);
}

// ---- Silence and the end ------------------------------------------------------------------------

static bool expired(const core_t *core, const session_t *session)
{
    bool client = session->role == ROLE_CLIENT || session->role == 0;
    return core->now - session->heard_at > (client ? core->config.gone_us : core->config.lost_us);
}

// The end of one session may be the end of others: look again from the start.
static session_t *first_expired(const core_t *core)
{
    for (session_t *session = core->sessions; session; session = session->hh.next)
        if (expired(core, session))
            return session;
    return NULL;
}

void session_beat(core_t *core)
{
    for (session_t *session; (session = first_expired(core)) != NULL;)
        session_gone(core, session, CAUSE_SILENT);
    for (session_t *session = core->sessions; session; session = session->hh.next)
        if (session->peer && core->now - session->noted_at >= core->config.heartbeat_us)
            notice_hugz(core, session);
}

// Others may share the run of the first with a key: it goes on without its owner.
static bool is_shared(const call_t *call)
{
    return call->extra && call->extra->once;
}

static void end_call(core_t *core, session_t *session, call_t *call)
{
    if (is_shared(call)) {
        outcome_keep(core, call);
        return;
    }
    call->dropped = true;
    if (call->kind == CALL_MAKING) {
        if (call->actor->owner == session)
            actor_owner_gone(core, call->actor);
        else
            outcome_drop(core, call); // its handle went with the worker, unless it was given on
        return;
    }
    if (call->state == CALL_SENT)
        call_stop_body(core, call, 0);
    if (call->state != CALL_FINAL)
        outcome_fail(core, call, MOB_EGONE, "OWNER", "%s: its owner %s has ended",
                     name_text(core, call->target), name_text(core, session->name));
    else if (call->holds > 0)
        outcome_orphan(core, call, session);
    else if (!call->worker)
        call_free(core, call);
}

void session_hand_over(call_t *call, session_t *to)
{
    call_disown(call);
    if (to)
        call_own(call, to);
}

// Cut a call off from its session before the session goes; a making goes to whom its actor belongs.
static void disown(session_t *session, call_t *call)
{
    session_t *heir = call->kind == CALL_MAKING && call->actor ? call->actor->owner : NULL;
    session_hand_over(call, heir != session ? heir : NULL);
}

static bool can_be_kept(const call_t *call)
{
    bool kind = call->kind == CALL_TASK || call->kind == CALL_METHOD || call->kind == CALL_OBJECT ||
                call->kind == CALL_PART;
    return kind && !stream_of(call); // whose items nobody else may take
}

void session_leave(core_t *core, session_t *session)
{
    call_t *call, *next;
    DL_FOREACH_SAFE2(session->calls, call, next, own_next)
    {
        bool wanted = !call->dropped || call->holds > 0;
        if (!wanted || !can_be_kept(call))
            continue;
        disown(session, call);
        if (!call->dropped) // else only as long as what holds it
            outcome_keep(core, call);
    }
}

void session_let_go(core_t *core, call_t *call)
{
    if (call->owner && call->holds > 0 && !stream_of(call)) {
        session_hand_over(call, NULL);
        if (call->kind == CALL_MAKING)
            actor_belongs(call->actor, NULL);
    }
    outcome_drop(core, call);
}

// It never came to this broker, or went before all were back. Had an earlier one known it as the owner of what others
// hold, that would have ended with it there.
static void let_go_held(core_t *core, session_t *session)
{
    call_t *call, *next;
    DL_FOREACH_SAFE2(session->calls, call, next, own_next)
    {
        if (call->old_epoch && call->holds > 0)
            session_let_go(core, call);
    }
}

static call_t *first_to_end(const core_t *core, const session_t *session)
{
    call_t *call;
    DL_FOREACH2(session->calls, call, own_next)
    {
        if (!rejoin_awaits(core, call))
            return call;
    }
    return NULL;
}

// Known by name only, as one that never came, until all are back who may hold what it made.
static void leave_name(core_t *core, session_t *session)
{
    if (session->peer)
        session->peer->session = NULL;
    session->peer = NULL;
    session->role = 0;
    session->name = 0;
    session->gone = false;
    session->heard_at = core->rejoin_at - core->config.gone_us - 1;
}

void session_gone(core_t *core, session_t *session, enum wire_cause cause)
{
    if (session->gone)
        return;
    session->gone = true;
    if (session->name == 0)
        let_go_held(core, session);
    if (session->host)
        host_lost(core, session->host, cause);
    if (session->worker)
        worker_lost(core, session->worker, cause == CAUSE_EXIT ? CAUSE_STOP : cause, 0, 0,
                    (mob_bytes_t){0});
    for (call_t *call; (call = first_to_end(core, session)) != NULL;) {
        disown(session, call);
        end_call(core, session, call);
    }
    borrow_drop_all(core, session);
    if (core->unmet_count > 0 && !core->rejoin_at)
        unmet_forget(core, session);
    timeline_note(core, EVENT_LEAVE, session->name, 0, (mob_ref_t){session->owner, 0},
                  cause_name(cause));
    if (session->calls) {
        leave_name(core, session);
        return;
    }
    while (session->actors) // that bodies it asked for have made
        actor_owner_gone(core, session->actors);
    session_free(core, session);
}

void session_free(core_t *core, session_t *session)
{
    timeline_untail(core, session);
    if (session->peer)
        session->peer->session = NULL;
    deadline_clear(&core->deadlines, &session->deadline);
    HASH_DEL(core->sessions, session);
    core->count.sessions--;
    prelude_free(session);
    free(session->symbols);
    free(session->known);
    free(session);
}
