// outcome.c - the write-once end of a call. The first outcome stored is the one for everybody.

#include "outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actor.h"
#include "call.h"
#include "graph.h"
#include "refcount.h"
#include "internal.h"
#include "letter.h"
#include "name.h"
#include "notice.h"
#include "once.h"
#include "parts.h"
#include "rope.h"
#include "stream.h"
#include "timeline.h"

enum { CHAIN_TEXT = 1024 };

static bool needed(const call_t *call)
{
    return !call->dropped || call->worker || call->holds > 0 || call->kind == CALL_MAKING;
}

// What it needed it needs no more; and a failure contains nothing.
static void let_go(core_t *core, call_t *call, mob_err_t code)
{
    if (call->kind != CALL_MAKING || code != MOB_OK) // an actor needs them again for each incarnation
        refcount_end_arguments(core, call);
    if (code != MOB_OK)
        refcount_let_go(core, &call->extra->value);
}

void outcome_store(core_t *core, call_t *call, mob_err_t code, blob_t *load)
{
    if (!call_move(core, call, CALL_ENDED)) {
        blob_drop(&load);
        return;
    }
    deadline_clear(&core->deadlines, &call->deadline);
    core_weigh(core, call->load, -1);
    blob_drop(&call->load);
    call->load = load;
    core_weigh(core, load, 1);
    call->code = (uint16_t)code;
    if (call->extra)
        let_go(core, call, code);
    core->count.pending--;
    core->count.settled++;
    core->count.failed += code != MOB_OK;
    if (call->owner)
        call->owner->pending--;
    if (call->kind <= CALL_METHOD)
        timeline_add(core, code == MOB_OK ? EVENT_REPLY : EVENT_FAIL, call, code);
    if (!call->worker && call->kind == CALL_METHOD)
        call->actor = NULL; // it may go before this record does
    bool stored =
        call->kind == CALL_OBJECT && !rope_is(load); // of a large one there was no room, perhaps
    bool told = !stored && call->kind != CALL_FIND;  // these the owner knows by itself
    if (told && !call->dropped && call->owner)
        notice_outcome(core, call->owner, call);
    if (call->waiters)
        graph_wake(core, call);
    if (call->extra && call->extra->parts)
        parts_settle(core, call);
    if (call->extra && call->extra->once)
        once_settled(core, call);
    if (stream_of(call))
        stream_settle(core, call);
    if (!needed(call))
        call_free(core, call);
    else if (call->kept)
        outcome_keep(core, call);
}

void outcome_value(core_t *core, call_t *call, blob_t *value)
{
    outcome_store(core, call, MOB_OK, value);
}

blob_t *outcome_encode(core_t *core, const failure_t *failure)
{
    core->scratch.size = 0;
    core->scratch.failed = false;
    if (!failure_pack(&core->scratch, failure))
        return NULL;
    return blob_new(core->scratch.data, core->scratch.size);
}

void outcome_failure(core_t *core, call_t *call, const failure_t *failure)
{
    failure_t record = *failure;
    const actor_t *actor = call->actor;
    record.retry_after_ms = failure->err == MOB_EFULL ? FAILURE_FULL_MS : 0;
    if (failure->executed == MOB_NOT_EXECUTED && call->extra && call->extra->once)
        once_forget(core, call); // nothing came of it: the next one with its key may run
    if (actor)
        record.actor = (mob_actor_t){actor->id.owner, actor->id.seq, actor->incarnation};
    if (letter_is_due(call, failure->err))
        letter_write(core, call, failure);
    outcome_store(core, call, failure->err, outcome_encode(core, &record));
}

bool outcome_may_have_run(const call_t *call)
{
    return call->state == CALL_SENT || call->attempt > 0 || call->old_epoch ||
           (call->extra && call->extra->shares);
}

void outcome_fail(core_t *core, call_t *call, mob_err_t err, const char *why, const char *format, ...)
{
    char text[MOB_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bool sent = call->state == CALL_SENT;
    failure_t failure = {.err = err,
                         .root = err,
                         .why = why,
                         .reason = text,
                         .executed =
                             outcome_may_have_run(call) ? MOB_MAYBE_EXECUTED : MOB_NOT_EXECUTED,
                         .attempts = call->attempt + (sent ? 1u : 0u)};
    outcome_failure(core, call, &failure);
}

// A long chain keeps its own end and the far one: its sentences must not grow with its length.
static void tell_chain(char text[CHAIN_TEXT], const char *target, const char *reason)
{
    static const char link[] = "dependency failed: ";
    const char *far = reason;
    for (const char *at = reason; (at = strstr(at, link)) != NULL;)
        far = at += sizeof link - 1;
    bool cut = strlen(reason) > CHAIN_TEXT / 2 && far > reason;
    bool dots = cut && strncmp(far, "... ", 4) != 0;
    snprintf(text, CHAIN_TEXT, "%.*s: %s%s%s", CHAIN_TEXT / 4, target, link, dots ? "... " : "",
             cut ? far : reason);
}

void outcome_dependency(core_t *core, call_t *call, mob_ref_t dep, uint32_t code, blob_t *load)
{
    arena_t arena = {0};
    failure_t cause = {.err = (mob_err_t)code, .reason = "the value is gone, or was never there"};
    if (load && !failure_unpack(load_of(load), &arena, &cause))
        cause.reason = "";
    char text[CHAIN_TEXT];
    tell_chain(text, name_text(core, call->target),
               *cause.reason ? cause.reason : mob_strerror((mob_err_t)code));
    failure_t failure = {.err = MOB_EDEP,
                         .code = cause.code,
                         .reason = text,
                         .attempts = call->attempt,
                         .executed =
                             outcome_may_have_run(call) ? MOB_MAYBE_EXECUTED : MOB_NOT_EXECUTED,
                         .trace = cause.trace};
    failure_follow(&failure, dep, &cause);
    outcome_failure(core, call, &failure);
    arena_clear(&arena);
}

void outcome_follow(core_t *core, failure_t *failure, mob_ref_t cause)
{
    const call_t *call = mob_is_none(cause) ? NULL : call_find(core, cause);
    arena_t arena = {0};
    failure_t read;
    if (call && call->state == CALL_FINAL && call->code &&
        failure_unpack(load_of(call->load), &arena, &read))
        failure_follow(failure, cause, &read);
    arena_clear(&arena);
}

void outcome_answer(core_t *core, session_t *session, const call_t *call)
{
    batch_t *batch = notice_batch(core, session);
    if (!batch)
        return;
    message_ANSWER(batch, &(msg_answer_t){.ref = call->id,
                                          .code = call->code,
                                          .value = load_of(call->load),
                                          .attempts = call->attempt + 1u,
                                          .inner = refcount_carries(call)});
}

void outcome_answer_failure(core_t *core, session_t *session, mob_ref_t ref, const failure_t *failure)
{
    batch_t *batch = notice_batch(core, session);
    blob_t *load = batch ? outcome_encode(core, failure) : NULL;
    if (load)
        message_ANSWER(batch,
                       &(msg_answer_t){.ref = ref, .code = failure->err, .value = load_of(load)});
    blob_drop(&load);
}

void outcome_keep(core_t *core, call_t *call)
{
    call->kept = true;
    if (call->state == CALL_FINAL)
        deadline_set(&core->deadlines, &call->deadline, core->now + core->config.kept_us);
}

void outcome_drop(core_t *core, call_t *call)
{
    call->dropped = true;
    if (stream_of(call))
        stream_drop(core, call);
    if (call->kind == CALL_MAKING) {
        if (call->holds == 0)
            actor_dropped(core, call->actor);
    } else if (call->state == CALL_FINAL && !needed(call)) {
        call_free(core, call);
    } else if (stream_of(call) && call->owner) { // its body would wait for ever
        call_cancel(core, call, 0, call->owner);
    }
}

void outcome_orphan(core_t *core, call_t *call, const session_t *owner)
{
    char text[MOB_TEXT_MAX];
    snprintf(text, sizeof text, "its owner %s has ended", name_text(core, owner->name));
    core_weigh(core, call->load, -1);
    blob_drop(&call->load);
    call->code = MOB_EGONE;
    call->load = outcome_encode(core, &(failure_t){.err = MOB_EGONE,
                                                   .root = MOB_EGONE,
                                                   .executed = MOB_EXECUTED,
                                                   .why = "OWNER",
                                                   .reason = text});
    core_weigh(core, call->load, 1);
    if (call->extra)
        refcount_let_go(core, &call->extra->value);
}
