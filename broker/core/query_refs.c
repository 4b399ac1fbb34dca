// query_refs.c - see query_refs.h. Reads only.

#include "query_refs.h"

#include "actor.h"
#include "call.h"
#include "holders.h"
#include "letter.h"
#include "name.h"
#include "rope.h"

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
