// foreign.c - see foreign.h. A session that says KEEP of a ref references it, as the one that made it does: until
// DROP, or its end. Who only knows a ref, from wherever, may await it, and keeps nothing.

#include "client.h"

#include "inner.h"
#include "limit.h"

// ---- Known --------------------------------------------------------------------------------------

future_t *foreign_add(mob_t *self, mob_ref_t ref)
{
    future_t *future = future_is_local(ref) ? NULL : futures_add(&self->futures, ref);
    if (!future)
        return NULL;
    future->kind = FUTURE_OTHER;
    future_silence(&self->futures, future);
    return future;
}

static void ask_for(mob_t *self, future_t *future)
{
    const refs_t one = {.items = &future->ref, .count = 1};
    future_wanted(&self->futures, future);
    future->born_ms = (uint32_t)(self->now / 1000);
    message_WATCH(session_room(self), &(msg_watch_t){.refs = one});
    message_ASK(session_room(self), &(msg_ask_t){.refs = one});
    session_appended(self);
}

future_t *future_known(mob_t *self, mob_ref_t ref)
{
    future_t *future = futures_find(&self->futures, ref);
    if (!future && ref.owner != self->owner && !mob_is_none(ref)) {
        future = foreign_add(self, ref);
        if (future)
            hold_take(self, future);
    } else if (future && self->voices) {
        hold_touch(self, future);
    }
    if (future && future->silent)
        ask_for(self, future);
    return future;
}

// ---- KEEP ---------------------------------------------------------------------------------------

typedef struct keeps { // a KEEP in the making
    mob_t *self;
    mob_ref_t refs[MOB_REFS_MAX];
    uint32_t count;
} keeps_t;

static void send_keeps(keeps_t *keeps)
{
    mob_t *self = keeps->self;
    const refs_t refs = {.items = keeps->refs, .count = keeps->count};
    keeps->count = 0;
    if (refs.count > 0 && self->link.state != LINK_OVER &&
        message_KEEP(session_room(self), &(msg_keep_t){.seq = self->seq + 1, .refs = refs}))
        session_requested(self, 1);
}

static void add_ref(keeps_t *keeps, mob_ref_t ref)
{
    keeps->refs[keeps->count++] = ref;
    if (keeps->count == MOB_REFS_MAX)
        send_keeps(keeps);
}

static void add_keep(keeps_t *keeps, future_t *future)
{
    future->borrowed = true;
    hold_undrop(keeps->self, future->ref);
    add_ref(keeps, future->ref);
}

// Ours need it only when we had given them up: else our own hold stands.
static void receive(keeps_t *keeps, mob_ref_t ref)
{
    mob_t *self = keeps->self;
    future_t *future = futures_find(&self->futures, ref);
    bool ours = future && !future->foreign;
    if (!future)
        future = foreign_add(self, ref);
    if (!future)
        return;
    hold_take(self, future);
    if (!ours && !future->borrowed)
        add_keep(keeps, future);
}

void foreign_open(mob_t *self, future_t *future)
{
    keeps_t keeps = {.self = self};
    pack_t found = PACK_INIT;
    future->inner = false;
    inner_find(future_load(future), &found); // of broken values as far as they are whole
    const load_t refs = load_bytes(found.data, found.size);
    for (uint32_t i = 0; i < inner_count(refs); i++)
        receive(&keeps, inner_at(refs, i));
    send_keeps(&keeps);
    pack_fini(&found);
}

// ---- mob_keep -----------------------------------------------------------------------------------

static bool is_told_by_answer(const mob_t *self)
{
    return self->role.role == ROLE_WORKER && self->holds.kept.size < MOB_INLINE_MAX;
}

void foreign_keep(mob_t *self, future_t *future)
{
    keeps_t keeps = {.self = self};
    if (is_told_by_answer(self)) {
        if (!future->kept_told)
            inner_put(&self->holds.kept, future->ref);
    } else if (future->foreign && !future->borrowed) {
        add_keep(&keeps, future);
        send_keeps(&keeps);
    }
}

// Those that are still kept; the others were only kept for a while.
load_t session_kept(mob_t *self)
{
    pack_t *kept = &self->holds.kept;
    const load_t refs = load_bytes(kept->data, kept->size);
    kept->size = 0;
    for (uint32_t i = 0; i < inner_count(refs); i++) {
        mob_ref_t ref = inner_at(refs, i);
        future_t *future = futures_find(&self->futures, ref);
        if (!future || future->kept == 0 || future->kept_told)
            continue;
        future->kept_told = future->borrowed = true;
        hold_undrop(self, ref);
        inner_put(kept, ref);
    }
    return load_bytes(kept->data, kept->size);
}

void session_kept_told(mob_t *self)
{
    self->holds.kept.size = 0;
}

// All that were told before, for an answer that is said again. They stay noted as not told: once more does no harm.
load_t session_kept_all(mob_t *self)
{
    pack_t *kept = &self->holds.kept;
    future_t *future;
    for (size_t at = 0; (future = futures_next(&self->futures, &at));)
        if (future->kept_told && kept->size < MOB_INLINE_MAX)
            inner_put(kept, future->ref);
    return load_bytes(kept->data, kept->size);
}

// ---- A new broker -------------------------------------------------------------------------------

// Their DROP follows, and must have something to end.
static void say_doomed(keeps_t *keeps)
{
    const holds_t *holds = &keeps->self->holds;
    for (size_t i = 0; i < holds->run_count; i++)
        for (uint64_t k = 0; k < holds->runs[i].count; k++)
            if (holds->runs[i].first.owner != keeps->self->owner)
                add_ref(keeps, mob_nth(holds->runs[i].first, (uint32_t)k));
}

void foreign_restate(mob_t *self)
{
    keeps_t keeps = {.self = self};
    future_t *future;
    for (size_t at = 0; (future = futures_next(&self->futures, &at));) {
        if (future->kept_told)
            inner_put(&self->holds.kept, future->ref); // with the next answer, too
        future->kept_told = false;
        if (future->borrowed)
            add_keep(&keeps, future);
    }
    say_doomed(&keeps);
    send_keeps(&keeps);
}
