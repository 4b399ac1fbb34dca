// admit.c - whether a request may enter: in sequence, seen before, with room, well formed. Decides nothing
// about what it asks for.

#include "admit.h"

#include <string.h>

#include "call.h"
#include "demand.h"
#include "graph.h"
#include "refcount.h"
#include "internal.h"
#include "name.h"
#include "outcome.h"
#include "parts.h"
#include "prelude.h"
#include "ref.h"
#include "session.h"
#include "shape.h"
#include "stream.h"

enum { SHORT_MAX = INT16_MAX };

// ---- In sequence --------------------------------------------------------------------------------

static void answer_again(core_t *core, session_t *session, call_t *call, const load_t *load)
{
    if (!call)
        return; // dropped meanwhile
    bool other =
        call->state != CALL_FINAL && load && load->data && call->load &&
        (call->load->size != load->size || memcmp(call->load->data, load->data, load->size) != 0);
    if (other)
        session_error(core, session->peer, MOB_ESTALE, "DUP_MISMATCH", call->id,
                      "this id was used with other arguments");
    else if (call->state == CALL_FINAL)
        outcome_answer(core, session, call);
}

// Its payload, and whether what was sent in front of it is whole. False: it is not, and the call is settled.
static bool keep_load(core_t *core, session_t *session, call_t *call, const load_t *load)
{
    refusal_t refusal = {0};
    if (session->prelude)
        refusal = prelude_meets(session, call->id.seq);
    if (load && load->size && !refusal.err) {
        call->load = prelude_load(core, session, *load, &refusal);
        core_weigh(core, call->load, 1);
    }
    if (!refusal.err)
        return true;
    call->kind = CALL_QUERY; // whatever it was to be, nothing comes of it
    outcome_fail(core, call, refusal.err, refusal.why, "%s", refusal.reason);
    return false;
}

static bool is_next(core_t *core, session_t *session, uint64_t seq)
{
    if (seq == session->last + 1)
        return true;
    session->told = 0; // say ACCEPT again: the last one may have been lost
    session_admitted(core, session, session->last);
    return false;
}

bool admit_next(core_t *core, session_t *session, uint64_t seq)
{
    bool next = is_next(core, session, seq);
    if (next)
        session_admitted(core, session, seq);
    return next;
}

// Whether it is the next one. One that was seen before is answered as far as it has settled.
static bool in_turn(core_t *core, session_t *session, mob_ref_t id, const load_t *load)
{
    if (is_next(core, session, id.seq))
        return true;
    if (id.seq <= session->last)
        answer_again(core, session, call_find(core, id), load);
    return false;
}

// By a worker, before its caller came back, who knows how many refs it has.
static bool was_announced(core_t *core, session_t *session, mob_ref_t id, uint32_t count)
{
    call_t *call = core->announced ? call_find(core, id) : NULL;
    if (!call)
        return false;
    session_admitted(core, session, id.seq + count - 1);
    parts_catch_up(core, call, count);
    answer_again(core, session, call, NULL);
    return true;
}

typedef struct claim { // what a request wants to be
    call_kind_t kind;
    uint64_t seq;
    uint32_t count; // refs
    const load_t *load;
    bool forget; // nobody wants the result
    bool stream;
} claim_t;

// What it needs even when it is refused: all its refs, and who takes its items, are told.
static bool make_room(core_t *core, call_t *call, const claim_t *claim)
{
    if ((claim->count == 1 || parts_open(core, call, claim->count)) &&
        (!claim->stream || stream_open(call)))
        return true;
    outcome_fail(core, call, MOB_ENOMEM, "", "the broker is out of memory");
    return false;
}

static call_t *enter(core_t *core, session_t *session, const claim_t *claim)
{
    mob_ref_t id = {session->owner, claim->seq};
    if (!in_turn(core, session, id, claim->load) || was_announced(core, session, id, claim->count))
        return NULL;
    call_t *call = call_new(core, session, id, claim->kind);
    if (!call) {
        session_error(core, session->peer, MOB_ENOMEM, "LIMIT", id, "the broker is out of memory");
        return NULL;
    }
    session_admitted(core, session, claim->seq + claim->count - 1);
    call->space = session->space;
    call->forget = call->dropped = claim->forget;
    if (!make_room(core, call, claim) || !keep_load(core, session, call, claim->load))
        return NULL;
    return call;
}

// A body that was called off while its request was on the way.
static bool parent_is_off(const core_t *core, const session_t *session, mob_ref_t parent)
{
    const call_t *call = session->worker && session->worker->cancels ? call_find(core, parent) : NULL;
    return call && call->worker == session->worker && call->cancelled &&
           !(call->cancel_flags & MOB_CANCEL_ALONE);
}

call_t *admit(core_t *core, session_t *session, uint64_t seq, call_kind_t kind, const load_t *load)
{
    return enter(core, session, &(claim_t){.kind = kind, .seq = seq, .count = 1, .load = load});
}

// Of several results, or of a stream; false: the call is settled.
static bool may_wish(core_t *core, call_t *call, opts_field_t wishes, const opts_t *own)
{
    int64_t returns = own->num_returns, ahead = own->stream_ahead;
    bool none = ahead == 0 && opts_say(wishes, OPT_stream_ahead);
    if (returns < MOB_STREAM || returns == MOB_FOREVER || returns > MOB_RETURNS_MAX)
        outcome_fail(core, call, MOB_EARGS, "", "num_returns is %lld", (long long)returns);
    else if (returns == MOB_STREAM && own->forget)
        outcome_fail(core, call, MOB_EARGS, "", "nobody would take the items of this stream");
    else if (returns == MOB_STREAM && (ahead < MOB_FOREVER || none))
        outcome_fail(core, call, MOB_EARGS, "", "stream_ahead is %lld", (long long)ahead);
    else if (own->key.size && (returns > 1 || returns == MOB_STREAM))
        outcome_fail(core, call, MOB_EARGS, "", "a key fits one result");
    else
        return true;
    return false;
}

call_t *admit_call(core_t *core, session_t *session, uint64_t seq, call_kind_t kind,
                   const load_t *load, opts_field_t wishes, opts_t *own)
{
    static const opts_t none;
    *own = none;
    if (wishes.size)
        *own = opts_read(wishes);
    int64_t returns = own->num_returns;
    bool several = returns > 1 && returns <= MOB_RETURNS_MAX;
    call_t *call = enter(core, session,
                         &(claim_t){.kind = kind,
                                    .seq = seq,
                                    .count = several ? (uint32_t)returns : 1,
                                    .load = load,
                                    .forget = own->forget || returns == MOB_NONE,
                                    .stream = returns == MOB_STREAM});
    return !call || !wishes.size || may_wish(core, call, wishes, own) ? call : NULL;
}

// Why new work may not enter now; false: it was refused and settled.
bool admit_work(core_t *core, session_t *session, call_t *call, mob_ref_t parent)
{
    if (parent_is_off(core, session, parent))
        outcome_fail(core, call, MOB_ECANCELLED, "", "the body that asked for it was cancelled");
    else if (core->draining)
        outcome_fail(core, call, MOB_EBROKER, "DRAIN", "the broker is stopping");
    else if (core_heavy(core))
        outcome_fail(core, call, MOB_EFULL, "MEMORY", "the broker is above 80 %% of its memory");
    else if (session->pending > core->config.pending_max)
        outcome_fail(core, call, MOB_EFULL, "PENDING",
                     "more than %u unsettled calls of this session", core->config.pending_max);
    else if (call->target == 0)
        outcome_fail(core, call, MOB_EARGS, "", "a symbol that NAME never bound");
    else
        return true;
    return false;
}

// ---- What it wishes -----------------------------------------------------------------------------

static int64_t either(int64_t own, int64_t defaults)
{
    return own ? own : defaults;
}

static int16_t retries_of(int64_t wish, int64_t otherwise)
{
    int64_t count = wish == 0 ? otherwise : wish == MOB_NONE ? 0 : wish;
    return (int16_t)(count > SHORT_MAX ? SHORT_MAX : count);
}

static int8_t level_of(int64_t priority)
{
    return (int8_t)(priority < LEVEL_LOW    ? LEVEL_LOW
                    : priority > LEVEL_HIGH ? LEVEL_HIGH
                                            : priority);
}

static bool keep_retry_codes(call_t *call, const opts_t *opts)
{
    if (!opts->retry_1)
        return true;
    call_extra_t *extra = call_extra(call);
    if (!extra)
        return false;
    const int64_t codes[] = {opts->retry_1, opts->retry_2, opts->retry_3, opts->retry_4};
    for (int i = 0; i < MOB_RETRY_MAX; i++)
        extra->retry_on[i] = codes[i];
    return true;
}

void admit_options(core_t *core, call_t *call, const opts_t *own, const opts_t *defaults,
                   int64_t retries)
{
    int64_t timeout_ms = either(own->timeout_ms, defaults->timeout_ms);
    int64_t delay_us = own->delay_ms > 0 ? own->delay_ms * 1000 : 0;
    call->due_at = delay_us ? core->now + delay_us : 0;
    call->ends_at = timeout_ms > 0 ? core->now + delay_us + timeout_ms * 1000 : 0;
    call->retries = retries_of(either(own->max_retries, defaults->max_retries), retries);
    call->own_retries = own->max_retries != 0;
    call->own_timeout = own->timeout_ms != 0;
    call->priority = level_of(either(own->priority, defaults->priority));
    call->unordered = own->unordered || defaults->unordered;
    if (call->ends_at)
        deadline_set(&core->deadlines, &call->deadline, call->ends_at);
    keep_retry_codes(call, own->retry_1 ? own : defaults);
    if (own->lane.size && call_extra(call))
        call->extra->lane = strndup(own->lane.data, own->lane.size);
    if (stream_of(call))
        stream_of(call)->ahead = either(own->stream_ahead, defaults->stream_ahead);
}

void admit_defaults(core_t *core, call_t *call, def_t *def)
{
    if (call->extra && call->extra->shape)
        shape_fill_up(core, &call->extra->shape, def);
    if (!call->own_retries)
        call->retries = retries_of(def->opts.max_retries, RETRIES_TASK);
    if (!call->own_timeout && def->opts.timeout_ms > 0)
        call->ends_at = call->at + def->opts.timeout_ms * 1000;
    if (stream_of(call) && stream_of(call)->ahead == 0)
        stream_of(call)->ahead = def->opts.stream_ahead;
}

bool admit_place(core_t *core, call_t *call, const opts_t *own, def_t *def)
{
    char wrong[DEMAND_TEXT];
    if (!demand_wished(own))
        return true;
    call_extra_t *extra = call_extra(call);
    if (extra)
        extra->shape = shape_for(core, def, own, false, wrong);
    if (extra && extra->shape)
        return true;
    bool bad = extra && *wrong;
    outcome_fail(core, call, bad ? MOB_EARGS : MOB_EFULL, bad ? "" : "PENDING", "%s: %s",
                 name_text(core, call->target), bad ? wrong : "too many different demands at once");
    return false;
}

bool admit_parent(call_t *call, mob_ref_t parent)
{
    if (mob_is_none(parent))
        return true;
    call_extra_t *extra = call_extra(call);
    if (extra)
        extra->parent = parent;
    return extra != NULL;
}

bool admit_is_old(const core_t *core, uint64_t epoch)
{
    return epoch != 0 && epoch != core->config.epoch;
}

// What it needs has failed, or is not here.
static void fail_with(core_t *core, call_t *call, mob_ref_t dep)
{
    const call_t *there = call_find(core, dep);
    failure_t fate = {.err = MOB_EGONE};
    if (there && there->state == CALL_FINAL) {
        outcome_dependency(core, call, dep, there->code, there->load);
        return;
    }
    blob_t *load = !there && ref_fate(core, dep, &fate) ? outcome_encode(core, &fate) : NULL;
    outcome_dependency(core, call, dep, fate.err, load);
    blob_drop(&load);
}

// Dependencies; false: one failed, and the call is settled.
bool admit_deps(core_t *core, call_t *call, refs_t deps)
{
    mob_ref_t failed;
    const session_t *session = call->owner;
    refs_t ahead = session->prelude ? prelude_refs(session) : (refs_t){0};
    mob_err_t err =
        deps.count + ahead.count > 0 ? graph_add(core, call, ahead, deps, &failed) : MOB_OK;
    if (err == MOB_OK)
        return true;
    call->missing = 0;
    if (err == MOB_EDEP)
        fail_with(core, call, failed);
    else
        outcome_fail(core, call, err, "", "%s: its dependencies%s", name_text(core, call->target),
                     err == MOB_EARGS ? ": a stream is none, its items are" : "");
    return false;
}

bool admit_inner(core_t *core, call_t *call, loads_t inner)
{
    bool good = refcount_arguments(core, call, inner);
    if (!good)
        outcome_fail(core, call, MOB_ENOMEM, "", "the broker is out of memory");
    return good;
}

void admit_malformed(core_t *core, session_t *session, uint64_t seq, mob_err_t code, const char *text)
{
    call_t *call = admit(core, session, seq, CALL_QUERY, NULL);
    if (call)
        outcome_fail(core, call, code, "", "%s", text);
}
