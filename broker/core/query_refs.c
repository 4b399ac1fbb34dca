// query_refs.c - see query_refs.h. Reads only.

#include "query_refs.h"

#include "actor.h"
#include "call.h"
#include "holders.h"
#include "letter.h"
#include "name.h"
#include "rope.h"
#include "store.h"

// Questions and handles are none; the record behind an actor stands for the actor.
static bool is_object(const call_t *call)
{
    return call->state == CALL_FINAL && call->kind != CALL_MAKING && call->kind != CALL_FIND &&
           call->kind != CALL_QUERY;
}

static const char *name_of_call(const core_t *core, const call_t *call)
{
    if (call->kind == CALL_MAKING)
        return actor_display(core, call->actor);
    return call->kind == CALL_OBJECT ? "" : name_text(core, call->target);
}

static int64_t bytes_of(const call_t *call)
{
    return call->load ? call->load->size : 0;
}

// ---- Objects ------------------------------------------------------------------------------------

static void one_object(answer_t *answer, const call_t *call)
{
    const core_t *core = answer->core;
    entry_t row = {0};
    entry_id(&row, call->id);
    entry_text(&row, "name", name_of_call(core, call));
    entry_text(&row, "state", call->code ? "failed" : "stored");
    entry_number(&row, "bytes", bytes_of(call));
    entry_text(&row, "where", rope_is(call->load) ? "store" : "record");
    entry_number(&row, "holds", call->holds + (call->owner ? !call->dropped : call->kept));
    entry_text(&row, "owner", entry_owner(core, call));
    entry_text(&row, "space", name_text(core, call->space));
    entry_number(&row, "age_ms", entry_age_ms(core, call->at));
    entry_emit(answer, &row);
}

void query_objects(answer_t *answer)
{
    uint32_t at = 0;
    for (const call_t *call; (call = call_next(answer->core, &at)) != NULL;)
        if (is_object(call))
            one_object(answer, call);
}

// ---- Stores -------------------------------------------------------------------------------------

typedef struct tally { // of the objects of a namespace
    uint64_t objects, bytes, held;
    uint64_t sizes[4]; // how many up to each of the bounds below, and above them
} tally_t;

static const int64_t bounds[] = {MOB_INLINE_MAX, MOB_BLOB_MAX, 1 << 20};

static void count(tally_t *self, const call_t *call)
{
    int64_t bytes = bytes_of(call);
    size_t size = 0;
    while (size < sizeof bounds / sizeof *bounds && bytes > bounds[size])
        size++;
    self->objects++;
    self->bytes += (uint64_t)bytes;
    self->held += call->holds > 0 || (call->owner && !call->dropped) ? (uint64_t)bytes : 0;
    self->sizes[size]++;
}

static tally_t tally_of(core_t *core, uint32_t space)
{
    tally_t tally = {0};
    uint32_t at = 0;
    for (const call_t *call; (call = call_next(core, &at)) != NULL;)
        if (call->space == space && is_object(call) && !call->code)
            count(&tally, call);
    return tally;
}

static void one_store(answer_t *answer, const store_t *store)
{
    const core_t *core = answer->core;
    tally_t tally = tally_of(answer->core, store->space);
    entry_t row = {0};
    entry_text(&row, "space", name_text(core, store->space));
    entry_number(&row, "objects", (int64_t)tally.objects);
    entry_number(&row, "bytes", (int64_t)tally.bytes);
    entry_number(&row, "held_bytes", (int64_t)tally.held);
    entry_number(&row, "puts", (int64_t)store->puts);
    entry_number(&row, "gets", (int64_t)store->gets);
    entry_number(&row, "hits", (int64_t)store->hits);
    entry_number(&row, "upto_4k", (int64_t)tally.sizes[0]);
    entry_number(&row, "upto_100k", (int64_t)tally.sizes[1]);
    entry_number(&row, "upto_1m", (int64_t)tally.sizes[2]);
    entry_number(&row, "larger", (int64_t)tally.sizes[3]);
    entry_number(&row, "store_bytes", (int64_t)store->bytes);
    entry_number(&row, "store_max", (int64_t)core->config.store_max);
    entry_number(&row, "refused", (int64_t)store->refused);
    entry_emit(answer, &row);
}

// One that was never used, as of an anonymous namespace, is none.
void query_stores(answer_t *answer)
{
    for (const store_t *store = answer->core->stores; store; store = store->next)
        if (store->puts + store->gets + store->bytes + store->refused > 0)
            one_store(answer, store);
}

// ---- Holders ------------------------------------------------------------------------------------

static const char *const kinds[] = {
    [HOLDER_OWNER] = "session",     [HOLDER_BROKER] = "broker",       [HOLDER_SESSION] = "session",
    [HOLDER_ARGUMENT] = "argument", [HOLDER_CONTAINED] = "contained", [HOLDER_STREAM] = "stream",
    [HOLDER_LETTER] = "letter"};

// An actor that is alone in its process is what people know that by.
static const char *name_of_session(const core_t *core, const session_t *session)
{
    const actor_t *actor = session->worker ? session->worker->actors : NULL;
    bool alone = actor && !actor->worker_next && session->worker->kind == START_ACTOR;
    return alone ? actor_display(core, actor) : name_text(core, session->name);
}

static const char *name_of_holder(const core_t *core, const holder_t *holder)
{
    return holder->session  ? name_of_session(core, holder->session)
           : holder->call   ? name_of_call(core, holder->call)
           : holder->letter ? name_text(core, holder->letter->target)
                            : "";
}

static void one_holder(void *arg, const holder_t *holder)
{
    answer_t *answer = arg;
    const core_t *core = answer->core;
    const call_t *held = holder->held;
    char id[ENTRY_ID] = "";
    entry_t row = {0};
    if (!is_object(held) && held->kind > CALL_MAKING)
        return;
    if (holder->call)
        entry_print_id(id, holder->call->id);
    if (holder->letter)
        letter_name(id, holder->letter->number);
    entry_id(&row, held->id);
    entry_text(&row, "kind", kinds[holder->kind]);
    entry_text(&row, "name", name_of_holder(core, holder));
    entry_text(&row, "holder", id);
    entry_text(&row, "what", name_of_call(core, held));
    entry_number(&row, "bytes", bytes_of(held));
    entry_text(&row, "owner", entry_owner(core, held));
    entry_text(&row, "space", name_text(core, held->space));
    entry_number(&row, "age_ms", entry_age_ms(core, held->at));
    entry_emit(answer, &row);
}

void query_refs(answer_t *answer)
{
    holders_each(answer->core, one_holder, answer);
}
