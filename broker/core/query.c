// query.c - rows about what there is: one table of kinds, one function a kind that fills rows. Reads only.

#include "query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "attempt.h"
#include "call.h"
#include "filter.h"
#include "name.h"
#include "place.h"
#include "stream.h"
#include "timeline.h"
#include "why.h"

enum { ROW_FIELDS = 24, ANSWER_MAX = 96 * 1024 };

typedef struct field {
    const char *key, *text; // text NULL: number
    int64_t number;
} field_t;

typedef struct row {
    field_t fields[ROW_FIELDS];
    size_t count;
    char id[48]; // room for one printed id
} row_t;

typedef struct answer {
    core_t *core;
    const session_t *session;
    filter_t filter;
    pack_t rows;
    uint32_t count;
    int64_t cut;
} answer_t;

static void text(row_t *row, const char *key, const char *value)
{
    row->fields[row->count++] = (field_t){.key = key, .text = value ? value : ""};
}

static void number(row_t *row, const char *key, int64_t value)
{
    row->fields[row->count++] = (field_t){.key = key, .number = value};
}

static void id(row_t *row, mob_ref_t ref)
{
    snprintf(row->id, sizeof row->id, "%016llx.%llu", (unsigned long long)ref.owner,
             (unsigned long long)ref.seq);
    text(row, "id", row->id);
}

static filter_value_t look(void *arg, filter_key_t key)
{
    const row_t *row = arg;
    const char *name = filter_key_name(key);
    for (size_t i = 0; i < row->count; i++) {
        const field_t *field = &row->fields[i];
        if (strcmp(field->key, name) == 0)
            return field->text ? FILTER_TEXT(field->text, strlen(field->text))
                               : FILTER_NUMBER(field->number);
        if (key == FILTER_KEY_age && strcmp(field->key, "age_ms") == 0)
            return FILTER_NUMBER(field->number * 1000);
        if (key == FILTER_KEY_took && strcmp(field->key, "took_us") == 0)
            return FILTER_NUMBER(field->number);
    }
    return FILTER_NOTHING;
}

static bool is_wanted(answer_t *answer, row_t *row)
{
    bool wanted = filter_match(&answer->filter, look, row) != FILTER_NO;
    bool room = answer->rows.size <= ANSWER_MAX;
    answer->cut += wanted && !room;
    return wanted && room;
}

static void put(answer_t *answer, const row_t *row)
{
    pack_map(&answer->rows, (uint32_t)row->count);
    for (size_t i = 0; i < row->count; i++) {
        const field_t *field = &row->fields[i];
        pack_str(&answer->rows, field->key, strlen(field->key));
        if (field->text)
            pack_str(&answer->rows, field->text, strlen(field->text));
        else
            pack_i64(&answer->rows, field->number);
    }
    answer->count++;
}

static void emit(answer_t *answer, row_t *row)
{
    if (is_wanted(answer, row))
        put(answer, row);
}

static int64_t age_ms(const core_t *core, int64_t since)
{
    return (core->now - since) / 1000;
}

static const char *owner_name(const core_t *core, const call_t *call)
{
    return call->owner ? name_text(core, call->owner->name) : "";
}

// ---- Kinds --------------------------------------------------------------------------------------

static void one_actor(answer_t *answer, actor_t *actor)
{
    const core_t *core = answer->core;
    why_t why = why_actor(answer->core, actor);
    row_t row = {0};
    text(&row, "name", actor_display(core, actor));
    text(&row, "class", name_text(core, actor->cls));
    text(&row, "state", actor_state_name(actor));
    text(&row, "worker",
         actor->worker && actor->worker->session ? name_text(core, actor->worker->session->name)
                                                 : "");
    number(&row, "pid", actor->worker ? actor->worker->pid : 0);
    number(&row, "mailbox", actor->waiting);
    number(&row, "in_hand", actor->in_hand);
    number(&row, "restarts", actor->restarts);
    number(&row, "incarnation", actor->incarnation);
    text(&row, "space", name_text(core, actor->space));
    text(&row, "cause", cause_name(actor->cause));
    text(&row, "reason", why_waits(&why) || why.reason == WHY_DEAD ? why.text : "");
    id(&row, actor->id);
    emit(answer, &row);
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
    row_t row = {0};
    id(&row, call->id);
    text(&row, "name", name_text(core, call->target));
    text(&row, "kind", call->kind == CALL_TASK ? "task" : "method");
    text(&row, "state", call_state_name(call));
    text(&row, "owner", owner_name(core, call));
    text(&row, "worker",
         call->worker && call->worker->session ? name_text(core, call->worker->session->name) : "");
    number(&row, "attempt", call->attempt);
    number(&row, "missing", call->missing);
    if (stream_of(call))
        number(&row, "items", (int64_t)stream_of(call)->made);
    number(&row, "age_ms", age_ms(core, call->at));
    if (call->state == CALL_FINAL)
        text(&row, "error", call->code ? mob_strerror((mob_err_t)call->code) : "");
    if (!is_wanted(answer, &row))
        return;
    why_t why; // no key of filters: found out for those that are shown, there may be a million others
    if (call->state != CALL_FINAL) {
        why = why_call(answer->core, call);
        text(&row, "why", why_waits(&why) ? why.text : "");
    }
    put(answer, &row);
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
    row_t row = {0};
    id(&row, attempt->ref);
    text(&row, "name", name_text(core, attempt->name));
    number(&row, "attempt", attempt->number);
    text(&row, "state", attempt->state);
    text(&row, "worker", name_text(core, attempt->place));
    number(&row, "age_ms", age_ms(core, attempt->begun));
    if (attempt->ended)
        number(&row, "took_us", attempt->ended - attempt->begun);
    text(&row, "error", attempt->code ? mob_strerror(attempt->code) : "");
    emit(answer, &row);
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
        row_t row = {0};
        snprintf(row.id, sizeof row.id, "%016llx", (unsigned long long)host->session->owner);
        print_labels(answer->core, host, labels);
        text(&row, "name", name_text(answer->core, host->session->name));
        text(&row, "state", !host->open ? "joining" : host->draining ? "draining" : "alive");
        number(&row, "slots", host->slots);
        number(&row, "workers", host->worker_count);
        number(&row, "definitions", host->def_count);
        number(&row, "pid", host->session->peer ? host->session->peer->pid : 0);
        text(&row, "resources", place_print(answer->core, host, resources));
        text(&row, "labels", labels);
        number(&row, "procs", host->procs);
        text(&row, "space", name_text(answer->core, host->session->space));
        text(&row, "id", row.id);
        emit(answer, &row);
    }
}

static void workers(answer_t *answer)
{
    static const char *const kinds[] = {"", "tasks", "actor", "shared"};
    static const char *const states[] = {"starting", "alive", "ending"};
    for (const worker_t *worker = answer->core->workers; worker; worker = worker->hh.next) {
        row_t row = {0};
        text(&row, "name", worker->session ? name_text(answer->core, worker->session->name) : "");
        text(&row, "host", worker->host ? name_text(answer->core, worker->host->session->name) : "");
        text(&row, "kind", kinds[worker->kind]);
        text(&row, "state", worker->blocked ? "blocked" : states[worker->state]);
        number(&row, "pid", worker->pid);
        number(&row, "in_hand", worker->hand_count);
        number(&row, "window", worker->window);
        emit(answer, &row);
    }
}

static void sessions(answer_t *answer)
{
    static const char *const roles[] = {"gone", "client", "host", "worker"};
    for (const session_t *session = answer->core->sessions; session; session = session->hh.next) {
        row_t row = {0};
        text(&row, "name", name_text(answer->core, session->name));
        text(&row, "role", roles[session->role]);
        text(&row, "space", name_text(answer->core, session->space));
        text(&row, "state", session->peer ? "live" : "suspect");
        number(&row, "pid", session->peer ? session->peer->pid : 0);
        number(&row, "pending", session->pending);
        number(&row, "silent_ms", age_ms(answer->core, session->heard_at));
        emit(answer, &row);
    }
}

static void methods(answer_t *answer)
{
    const core_t *core = answer->core;
    for (const def_t *def = core->defs; def; def = def->all_next) {
        if (def->kind == 0)
            continue;
        row_t row = {0};
        text(&row, "name", name_text(core, def->name));
        text(&row, "usage", name_text(core, def->usage));
        text(&row, "kind", def->kind == DEF_TASK ? "task" : "class");
        number(&row, "hosts", def->host_count);
        text(&row, "space", name_text(core, def->space));
        emit(answer, &row);
        for (uint32_t i = 0; i < def->method_count; i++) {
            row = (row_t){0};
            text(&row, "name", name_text(core, def->methods[i].name));
            text(&row, "usage", name_text(core, def->methods[i].usage));
            text(&row, "kind", "method");
            text(&row, "class", name_text(core, def->name));
            number(&row, "hosts", def->host_count);
            text(&row, "space", name_text(core, def->space));
            emit(answer, &row);
        }
    }
}

static void one_object(answer_t *answer, const call_t *call)
{
    row_t row = {0};
    id(&row, call->id);
    text(&row, "state", call->code ? "failed" : "stored");
    number(&row, "bytes", call->load ? call->load->size : 0);
    text(&row, "owner", owner_name(answer->core, call));
    number(&row, "age_ms", age_ms(answer->core, call->at));
    emit(answer, &row);
}

static void objects(answer_t *answer)
{
    uint32_t at = 0;
    for (const call_t *call; (call = call_next(answer->core, &at)) != NULL;)
        if (call->state == CALL_FINAL && call->kind != CALL_MAKING) // that one stands for its actor
            one_object(answer, call);
}

static void status(answer_t *answer)
{
    core_count_t count = core_counts(answer->core);
    row_t row = {0};
    text(&row, "state",
         answer->core->draining    ? "draining"
         : answer->core->rejoin_at ? "starting"
                                   : "serving");
    number(&row, "epoch", (int64_t)answer->core->config.epoch);
    number(&row, "sessions", (int64_t)count.sessions);
    number(&row, "hosts", (int64_t)count.hosts);
    number(&row, "workers", (int64_t)count.workers);
    number(&row, "actors", (int64_t)count.actors);
    number(&row, "calls", (int64_t)count.calls);
    number(&row, "tasks", (int64_t)count.tasks);
    number(&row, "settled", (int64_t)count.settled);
    number(&row, "failed", (int64_t)count.failed);
    number(&row, "retries", (int64_t)count.retries);
    number(&row, "pending", (int64_t)count.pending);
    number(&row, "objects", (int64_t)count.objects);
    number(&row, "bytes", (int64_t)count.bytes);
    number(&row, "store_bytes", (int64_t)count.store_bytes);
    number(&row, "store_refused", (int64_t)count.store_refused);
    number(&row, "notices", (int64_t)count.notices);
    number(&row, "malformed", (int64_t)count.malformed);
    emit(answer, &row);
}

static const struct kind {
    const char *name;
    void (*fill)(answer_t *);
} kinds[] = {{"actors", actors},     {"tasks", tasks},     {"hosts", hosts},
             {"attempts", attempts}, {"workers", workers}, {"sessions", sessions},
             {"methods", methods},   {"objects", objects}, {"status", status}};

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

static bool parsed(mob_bytes_t given, filter_t *out, char *reason, size_t size)
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
    if (!parsed(given, &filter, reason, size))
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
    if (!parsed(given, &filter, reason, size))
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
    row_t row = {0};
    id(&row, call->id);
    text(&row, "name", actor ? actor_display(core, actor) : name_text(core, call->target));
    text(&row, "kind", kind_of(call));
    text(&row, "state", actor ? actor_state_name(actor) : call_state_name(call));
    number(&row, "age_ms", age_ms(core, call->at));
    number(&row, "left_ms", actor ? -1 : call_remaining_ms(core, call));
    text(&row, "reason", why_word(why->reason));
    text(&row, "why", why->text);
    text(&row, "asks", why->asks);
    text(&row, "held_by", why->held);
    emit(answer, &row);
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
    if (!parsed(given, &answer.filter, reason, size)) {
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
