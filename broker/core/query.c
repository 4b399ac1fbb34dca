// query.c - rows about what there is: one table of kinds, one function a kind that fills rows. Reads only.

#include "query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "attempt.h"
#include "call.h"
#include "filter.h"
#include "letter.h"
#include "name.h"
#include "place.h"
#include "query_refs.h"
#include "entry.h"
#include "stream.h"
#include "timeline.h"
#include "why.h"

// ---- Kinds --------------------------------------------------------------------------------------

static void one_actor(answer_t *answer, actor_t *actor)
{
    const core_t *core = answer->core;
    why_t why = why_actor(answer->core, actor);
    entry_t row = {0};
    entry_text(&row, "name", actor_display(core, actor));
    entry_text(&row, "class", name_text(core, actor->cls));
    entry_text(&row, "state", actor_state_name(actor));
    entry_text(&row, "worker",
               actor->worker && actor->worker->session ? name_text(core, actor->worker->session->name)
                                                       : "");
    entry_number(&row, "pid", actor->worker ? actor->worker->pid : 0);
    entry_number(&row, "mailbox", actor->waiting);
    entry_number(&row, "in_hand", actor->in_hand);
    entry_number(&row, "restarts", actor->restarts);
    entry_number(&row, "incarnation", actor->incarnation);
    entry_text(&row, "space", name_text(core, actor->space));
    entry_text(&row, "cause", cause_name(actor->cause));
    entry_text(&row, "reason", why_waits(&why) || why.reason == WHY_DEAD ? why.text : "");
    entry_id(&row, actor->id);
    entry_emit(answer, &row);
}

static void actors(answer_t *answer)
{
    actor_t *actor;
    DL_FOREACH(answer->core->actors, actor) one_actor(answer, actor);
    DL_FOREACH(answer->core->graves, actor) one_actor(answer, actor);
}

static void one_task(answer_t *answer, call_t *call)
{
    const core_t *core = answer->core;
    entry_t row = {0};
    entry_id(&row, call->id);
    entry_text(&row, "name", name_text(core, call->target));
    entry_text(&row, "kind", call->kind == CALL_TASK ? "task" : "method");
    entry_text(&row, "state", call_state_name(call));
    entry_text(&row, "owner", entry_owner(core, call));
    entry_text(&row, "worker",
               call->worker && call->worker->session ? name_text(core, call->worker->session->name)
                                                     : "");
    entry_number(&row, "attempt", call->attempt);
    entry_number(&row, "missing", call->missing);
    if (stream_of(call))
        entry_number(&row, "items", (int64_t)stream_of(call)->made);
    entry_number(&row, "age_ms", entry_age_ms(core, call->at));
    if (call->state == CALL_FINAL)
        entry_text(&row, "error", call->code ? mob_strerror((mob_err_t)call->code) : "");
    if (!entry_is_wanted(answer, &row))
        return;
    why_t why; // no key of filters: found out for those that are shown, there may be a million others
    if (call->state != CALL_FINAL) {
        why = why_call(answer->core, call);
        entry_text(&row, "why", why_waits(&why) ? why.text : "");
    }
    entry_put(answer, &row);
}

static void tasks(answer_t *answer)
{
    uint32_t at = 0;
    for (call_t *call; (call = call_next(answer->core, &at)) != NULL;)
        if (call->kind <= CALL_METHOD)
            one_task(answer, call);
}

static void one_attempt(void *arg, const attempt_t *attempt)
{
    answer_t *answer = arg;
    const core_t *core = answer->core;
    entry_t row = {0};
    entry_id(&row, attempt->ref);
    entry_text(&row, "name", name_text(core, attempt->name));
    entry_number(&row, "attempt", attempt->number);
    entry_text(&row, "state", attempt->state);
    entry_text(&row, "worker", name_text(core, attempt->place));
    entry_number(&row, "age_ms", entry_age_ms(core, attempt->begun));
    if (attempt->ended)
        entry_number(&row, "took_us", attempt->ended - attempt->begun);
    entry_text(&row, "error", attempt->code ? mob_strerror(attempt->code) : "");
    entry_emit(answer, &row);
}

static void attempts(answer_t *answer)
{
    answer->rows.failed |= !attempt_each(answer->core, one_attempt, answer);
}

static void print_labels(const core_t *core, const host_t *host, char out[MOB_TEXT_MAX])
{
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < host->label_count && used < MOB_TEXT_MAX; i++)
        used += (size_t)snprintf(out + used, MOB_TEXT_MAX - used, "%s%s=%s", used ? " " : "",
                                 name_text(core, host->labels[i].key),
                                 name_text(core, host->labels[i].value));
}

static void hosts(answer_t *answer)
{
    char resources[PLACE_TEXT], labels[MOB_TEXT_MAX];
    const host_t *host;
    DL_FOREACH(answer->core->hosts, host)
    {
        entry_t row = {0};
        snprintf(row.id, sizeof row.id, "%016llx", (unsigned long long)host->session->owner);
        print_labels(answer->core, host, labels);
        entry_text(&row, "name", name_text(answer->core, host->session->name));
        entry_text(&row, "state", !host->open ? "joining" : host->draining ? "draining" : "alive");
        entry_number(&row, "slots", host->slots);
        entry_number(&row, "workers", host->worker_count);
        entry_number(&row, "definitions", host->def_count);
        entry_number(&row, "pid", host->session->peer ? host->session->peer->pid : 0);
        entry_text(&row, "resources", place_print(answer->core, host, resources));
        entry_text(&row, "labels", labels);
        entry_number(&row, "procs", host->procs);
        entry_text(&row, "space", name_text(answer->core, host->session->space));
        entry_text(&row, "id", row.id);
        entry_emit(answer, &row);
    }
}

static void workers(answer_t *answer)
{
    static const char *const kinds[] = {"", "tasks", "actor", "shared"};
    static const char *const states[] = {"starting", "alive", "ending"};
    for (const worker_t *worker = answer->core->workers; worker; worker = worker->hh.next) {
        entry_t row = {0};
        entry_text(&row, "name",
                   worker->session ? name_text(answer->core, worker->session->name) : "");
        entry_text(&row, "host",
                   worker->host ? name_text(answer->core, worker->host->session->name) : "");
        entry_text(&row, "kind", kinds[worker->kind]);
        entry_text(&row, "state", worker->blocked ? "blocked" : states[worker->state]);
        entry_number(&row, "pid", worker->pid);
        entry_number(&row, "in_hand", worker->hand_count);
        entry_number(&row, "window", worker->window);
        entry_emit(answer, &row);
    }
}

static void sessions(answer_t *answer)
{
    static const char *const roles[] = {"gone", "client", "host", "worker"};
    for (const session_t *session = answer->core->sessions; session; session = session->hh.next) {
        entry_t row = {0};
        entry_text(&row, "name", name_text(answer->core, session->name));
        entry_text(&row, "role", roles[session->role]);
        entry_text(&row, "space", name_text(answer->core, session->space));
        entry_text(&row, "state", session->peer ? "live" : "suspect");
        entry_number(&row, "pid", session->peer ? session->peer->pid : 0);
        entry_number(&row, "pending", session->pending);
        entry_number(&row, "silent_ms", entry_age_ms(answer->core, session->heard_at));
        entry_emit(answer, &row);
    }
}

static void methods(answer_t *answer)
{
    const core_t *core = answer->core;
    for (const def_t *def = core->defs; def; def = def->all_next) {
        if (def->kind == 0)
            continue;
        entry_t row = {0};
        entry_text(&row, "name", name_text(core, def->name));
        entry_text(&row, "usage", name_text(core, def->usage));
        entry_text(&row, "kind", def->kind == DEF_TASK ? "task" : "class");
        entry_number(&row, "hosts", def->host_count);
        entry_text(&row, "space", name_text(core, def->space));
        entry_emit(answer, &row);
        for (uint32_t i = 0; i < def->method_count; i++) {
            row = (entry_t){0};
            entry_text(&row, "name", name_text(core, def->methods[i].name));
            entry_text(&row, "usage", name_text(core, def->methods[i].usage));
            entry_text(&row, "kind", "method");
            entry_text(&row, "class", name_text(core, def->name));
            entry_number(&row, "hosts", def->host_count);
            entry_text(&row, "space", name_text(core, def->space));
            entry_emit(answer, &row);
        }
    }
}

static void status(answer_t *answer)
{
    core_count_t count = core_counts(answer->core);
    entry_t row = {0};
    entry_text(&row, "state",
               answer->core->draining    ? "draining"
               : answer->core->rejoin_at ? "starting"
                                         : "serving");
    entry_number(&row, "epoch", (int64_t)answer->core->config.epoch);
    entry_number(&row, "sessions", (int64_t)count.sessions);
    entry_number(&row, "hosts", (int64_t)count.hosts);
    entry_number(&row, "workers", (int64_t)count.workers);
    entry_number(&row, "actors", (int64_t)count.actors);
    entry_number(&row, "calls", (int64_t)count.calls);
    entry_number(&row, "tasks", (int64_t)count.tasks);
    entry_number(&row, "settled", (int64_t)count.settled);
    entry_number(&row, "failed", (int64_t)count.failed);
    entry_number(&row, "retries", (int64_t)count.retries);
    entry_number(&row, "pending", (int64_t)count.pending);
    entry_number(&row, "objects", (int64_t)count.objects);
    entry_number(&row, "bytes", (int64_t)count.bytes);
    entry_number(&row, "store_bytes", (int64_t)count.store_bytes);
    entry_number(&row, "store_refused", (int64_t)count.store_refused);
    entry_number(&row, "notices", (int64_t)count.notices);
    entry_number(&row, "malformed", (int64_t)count.malformed);
    entry_number(&row, "letters", (int64_t)count.letters);
    entry_number(&row, "letters_lost", (int64_t)count.letters_lost);
    entry_emit(answer, &row);
}

static const struct kind {
    const char *name;
    void (*fill)(answer_t *);
} kinds[] = {{"actors", actors},       {"tasks", tasks},           {"hosts", hosts},
             {"attempts", attempts},   {"workers", workers},       {"sessions", sessions},
             {"methods", methods},     {"objects", query_objects}, {"refs", query_refs},
             {"stores", query_stores}, {"letters", letter_rows},   {"status", status}};

// ---- The answer ---------------------------------------------------------------------------------

static blob_t *packed(const pack_t *out)
{
    return out->failed ? NULL : blob_new(out->data, out->size);
}

blob_t *query_text(const char *value)
{
    pack_t out = PACK_INIT;
    pack_str(&out, value, strlen(value));
    blob_t *blob = packed(&out);
    pack_fini(&out);
    return blob;
}

blob_t *query_number(int64_t value)
{
    pack_t out = PACK_INIT;
    pack_i64(&out, value);
    blob_t *blob = packed(&out);
    pack_fini(&out);
    return blob;
}

static blob_t *finished(answer_t *answer)
{
    pack_t out = PACK_INIT;
    pack_array(&out, answer->count + (answer->cut ? 1u : 0u));
    pack_raw(&out, answer->rows.data, answer->rows.size);
    if (answer->cut) {
        pack_map(&out, 1);
        pack_str(&out, "cut", 3);
        pack_i64(&out, answer->cut);
    }
    blob_t *blob = answer->rows.failed ? NULL : packed(&out);
    pack_fini(&out);
    pack_fini(&answer->rows);
    return blob;
}

static bool is(mob_bytes_t what, const char *name)
{
    return what.size == strlen(name) && memcmp(what.data, name, what.size) == 0;
}

bool query_parse(mob_bytes_t given, filter_t *out, char *reason, size_t size)
{
    char copy[MOB_TEXT_MAX + 1];
    unsigned column = 0;
    memcpy(copy, given.size ? given.data : "", given.size);
    copy[given.size] = '\0';
    if (filter_parse(copy, out, &column))
        return true;
    snprintf(reason, size, "filter, column %u: %s", column, out->wrong);
    return false;
}

static void say_u64(pack_t *out, const char *key, uint64_t value)
{
    pack_str(out, key, strlen(key));
    pack_u64(out, value);
}

static blob_t *tail(core_t *core, session_t *session, mob_bytes_t given, mob_err_t *err,
                    char *reason, size_t size)
{
    filter_t filter;
    *err = MOB_EARGS;
    if (!query_parse(given, &filter, reason, size))
        return NULL;
    *err = MOB_ENOMEM;
    const tail_t *tail = timeline_tail(core, session, &filter);
    if (!tail)
        return NULL;
    pack_t out = PACK_INIT;
    pack_map(&out, 5);
    pack_str(&out, "topic", 5);
    pack_bin(&out, session->topic, sizeof session->topic);
    pack_str(&out, "endpoint", 8);
    pack_str(&out, core->config.feed, strlen(core->config.feed));
    say_u64(&out, "n", timeline_count(tail).n);
    say_u64(&out, "first", timeline_count(tail).first);
    say_u64(&out, "next", core->ring_next);
    blob_t *blob = packed(&out);
    pack_fini(&out);
    return blob;
}

// "NUMBER FILTER": so that a long past comes page by page.
static bool read_page(mob_bytes_t given, uint64_t *from, mob_bytes_t *filter)
{
    size_t digits = 0;
    const char *text = given.data;
    for (*from = 0;
         digits < given.size && digits < 19 && text[digits] >= '0' && text[digits] <= '9'; digits++)
        *from = *from * 10 + (uint64_t)(text[digits] - '0');
    *filter = (mob_bytes_t){text + digits, given.size - digits};
    return digits > 0 && (filter->size == 0 || text[digits] == ' ');
}

static blob_t *past(core_t *core, session_t *session, mob_bytes_t given, mob_err_t *err,
                    char *reason, size_t size)
{
    filter_t filter;
    uint64_t from;
    *err = MOB_EARGS;
    if (!read_page(given, &from, &given)) {
        snprintf(reason, size, "a number is wanted, and a filter behind a blank");
        return NULL;
    }
    if (!query_parse(given, &filter, reason, size))
        return NULL;
    *err = MOB_ENOMEM;
    batch_t events = BATCH_INIT;
    pack_t out = PACK_INIT;
    from = from < timeline_oldest(core) ? timeline_oldest(core) : from;
    uint64_t next = timeline_past(core, from, &filter, &events);
    pack_map(&out, 6);
    say_u64(&out, "first", from);
    say_u64(&out, "next", next);
    say_u64(&out, "left", core->ring_next - next);
    say_u64(&out, "n", timeline_count(session->tails).n);
    pack_str(&out, "since_us", 8);
    pack_i64(&out, timeline_since(core));
    pack_str(&out, "events", 6);
    pack_bin(&out, events.pack.data, events.pack.size);
    blob_t *blob = events.pack.failed ? NULL : packed(&out);
    batch_fini(&events);
    pack_fini(&out);
    return blob;
}

// ---- Why ----------------------------------------------------------------------------------------

enum { CHAIN_MAX = 16 }; // so far back reasons are told

typedef struct chain {
    mob_ref_t seen[CHAIN_MAX];
    uint32_t count;
} chain_t;

static bool was_seen(const chain_t *chain, mob_ref_t ref)
{
    for (uint32_t i = 0; i < chain->count; i++)
        if (mob_same(chain->seen[i], ref))
            return true;
    return false;
}

static actor_t *actor_of(const call_t *call)
{
    return call->kind == CALL_MAKING ? call->actor : NULL;
}

static const char *kind_of(const call_t *call)
{
    return actor_of(call)              ? "actor"
           : call->kind == CALL_TASK   ? "task"
           : call->kind == CALL_METHOD ? "method"
                                       : "value";
}

static void one_reason(answer_t *answer, const call_t *call, const why_t *why)
{
    const core_t *core = answer->core;
    const actor_t *actor = actor_of(call);
    entry_t row = {0};
    entry_id(&row, call->id);
    entry_text(&row, "name", actor ? actor_display(core, actor) : name_text(core, call->target));
    entry_text(&row, "kind", kind_of(call));
    entry_text(&row, "state", actor ? actor_state_name(actor) : call_state_name(call));
    entry_number(&row, "age_ms", entry_age_ms(core, call->at));
    entry_number(&row, "left_ms", actor ? -1 : call_remaining_ms(core, call));
    entry_text(&row, "reason", why_word(why->reason));
    entry_text(&row, "why", why->text);
    entry_text(&row, "asks", why->asks);
    entry_text(&row, "held_by", why->held);
    entry_emit(answer, &row);
}

// A reason, and what that waits for in turn, until somebody runs or waits for nobody.
static void tell_chain(answer_t *answer, call_t *call)
{
    chain_t chain = {.count = 0};
    while (call && chain.count < CHAIN_MAX) {
        actor_t *actor = actor_of(call);
        why_t why = actor ? why_actor(answer->core, actor) : why_call(answer->core, call);
        if (was_seen(&chain, call->id))
            why = (why_t){.reason = WHY_CYCLE, .text = "waits for itself, by way of those above"};
        one_reason(answer, call, &why);
        chain.seen[chain.count++] = call->id;
        call = mob_is_none(why.next) ? NULL : why_subject(answer->core, why.next);
    }
}

static bool read_id(mob_bytes_t given, mob_ref_t *out)
{
    char copy[64] = "", *end = copy;
    memcpy(copy, given.size ? given.data : "", given.size < sizeof copy ? given.size : 0);
    out->owner = strtoull(copy, &end, 16);
    if (end != copy + 16 || *end != '.')
        return false;
    out->seq = strtoull(end + 1, &end, 10);
    return *end == '\0';
}

static blob_t *why(core_t *core, session_t *session, mob_bytes_t given, mob_err_t *err,
                   char *reason, size_t size)
{
    mob_ref_t ref;
    answer_t answer = {.core = core, .session = session};
    bool is_id = read_id(given, &ref);
    call_t *call = is_id ? why_subject(core, ref) : NULL;
    if (call) {
        tell_chain(&answer, call);
        return finished(&answer);
    }
    *err = is_id ? MOB_ENOTFOUND : MOB_EARGS;
    if (!is_id)
        snprintf(reason, size, "an id is 16 hexadecimal digits, a dot and a number");
    else if (core->rejoin_at)
        snprintf(reason, size, "nobody has named it yet to this broker, which is young");
    else
        snprintf(reason, size, "it was dropped, or never was");
    return NULL;
}

// What is asked otherwise than for rows by a filter.
static const struct question {
    const char *name;
    blob_t *(*answer)(core_t *, session_t *, mob_bytes_t, mob_err_t *, char *, size_t);
} questions[] = {{"tail", tail}, {"past", past}, {"why", why}};

blob_t *query_answer(core_t *core, session_t *session, mob_bytes_t what, mob_bytes_t given,
                     mob_err_t *err, char *reason, size_t size)
{
    *err = MOB_ENOMEM;
    snprintf(reason, size, "the broker is out of memory");
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        if (is(what, questions[i].name))
            return questions[i].answer(core, session, given, err, reason, size);
    answer_t answer = {.core = core, .session = session};
    if (!query_parse(given, &answer.filter, reason, size)) {
        *err = MOB_EARGS;
        return NULL;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!is(what, kinds[i].name))
            continue;
        kinds[i].fill(&answer);
        return finished(&answer);
    }
    *err = MOB_ENOTFOUND;
    snprintf(reason, size, "nothing to list under \"%.*s\"", (int)(what.size < 64 ? what.size : 64),
             (const char *)what.data);
    return NULL;
}
