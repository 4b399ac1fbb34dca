// prelude.c - see prelude.h. One run of pieces and dependencies a session, bounded, gone with what it was for.

#include "prelude.h"

#include <stdlib.h>

#include "admit.h"
#include "internal.h"
#include "notice.h"
#include "rope.h"
#include "session.h"

enum {
    ACCEPT_AFTER = 16 // pieces: whoever sends many waits for it
};

struct prelude {
    uint64_t next;  // seq that goes on with the run
    uint64_t first; // of the pieces
    blob_t *pieces[MOB_PIECES_MAX];
    uint32_t count;
    uint64_t bytes;    // of them
    store_t *store;    // that they are part of
    refusal_t refusal; // why they were given up, until the run ends
    mob_ref_t *refs;
    uint32_t ref_count, ref_room;
};

static const refusal_t NO_MEMORY = {MOB_ENOMEM, "", "the broker is out of memory"};
static const refusal_t NO_ROOM = {MOB_EFULL, "STORE", "the store of its namespace is full"};
static const refusal_t TOO_HEAVY = {MOB_EFULL, "MEMORY", "the broker is above 90 % of its memory"};
static const refusal_t TOO_LARGE = {MOB_ELIMIT, "", "it is larger than an object may be"};
static const refusal_t TOO_MANY = {MOB_ELIMIT, "", "more than 16384 dependencies"};
static const refusal_t NO_PIECE = {MOB_EPROTO, "PIECES",
                                   "a piece has 1 to 65536 bytes, and follows the one before"};
static const refusal_t NOT_HERE = {MOB_EPROTO, "PIECES", "the pieces of its payload are not here"};

// ---- A run --------------------------------------------------------------------------------------

static void drop_pieces(prelude_t *self)
{
    for (uint32_t i = 0; i < self->count; i++)
        blob_drop(&self->pieces[i]);
    if (self->bytes)
        store_give(self->store, self->bytes);
    self->count = 0;
    self->bytes = 0;
}

static void drop_refs(prelude_t *self)
{
    free(self->refs);
    self->refs = NULL;
    self->ref_count = self->ref_room = 0;
}

static void end_run(prelude_t *self, refusal_t refusal)
{
    drop_pieces(self);
    drop_refs(self);
    self->refusal = refusal;
}

void prelude_end(session_t *session)
{
    if (session->prelude)
        end_run(session->prelude, (refusal_t){0});
}

void prelude_free(session_t *session)
{
    prelude_end(session);
    free(session->prelude);
    session->prelude = NULL;
}

// ---- What comes ---------------------------------------------------------------------------------

// The run that a request of this number goes on with. NULL: it was here, or comes too early, or no memory,
// which is as if it had been lost on the way; or the run was refused.
static prelude_t *go_on(core_t *core, session_t *session, uint64_t seq)
{
    if (!session->prelude)
        session->prelude = calloc(1, sizeof *session->prelude);
    prelude_t *self = session->prelude;
    if (!self || !admit_next(core, session, seq))
        return NULL;
    if (seq != self->next)
        end_run(self, (refusal_t){0});
    self->next = seq + 1;
    if (session->last - session->told >= ACCEPT_AFTER)
        notice_batch(core, session);
    return self->refusal.err ? NULL : self;
}

static bool is_piece(const prelude_t *self, uint64_t seq, load_t load)
{
    return load.form == LOAD_HERE && load.size > 0 && load.size <= MOB_PIECE_MAX &&
           seq == self->first + self->count;
}

// Why a piece cannot be kept; MOB_OK: there is room for it, and it is taken.
static refusal_t refuse(core_t *core, prelude_t *self, load_t load)
{
    if (!self->store)
        return NO_MEMORY;
    if (self->count == MOB_PIECES_MAX ||
        self->bytes + load.size > core->config.object_max + MOB_HEADS_MAX)
        return TOO_LARGE;
    if (core_full(core))
        return TOO_HEAVY;
    return store_take(self->store, load.size) ? (refusal_t){0} : NO_ROOM;
}

static void keep(core_t *core, prelude_t *self, load_t load)
{
    refusal_t refusal = refuse(core, self, load);
    if (refusal.err) {
        end_run(self, refusal);
        return;
    }
    self->bytes += load.size;
    self->pieces[self->count] = load_keep(load);
    if (self->pieces[self->count])
        self->count++;
    else
        end_run(self, NO_MEMORY);
}

void prelude_piece(core_t *core, session_t *session, const message_t *message)
{
    const msg_piece_t *piece = &message->piece;
    prelude_t *self = go_on(core, session, piece->seq);
    if (!self)
        return;
    if (self->count == 0) {
        self->first = piece->seq;
        self->store = store_of(core, session->space);
    }
    if (is_piece(self, piece->seq, piece->bytes))
        keep(core, self, piece->bytes);
    else
        end_run(self, NO_PIECE);
}

static bool reserve_refs(prelude_t *self, uint32_t more)
{
    uint32_t want = self->ref_count + more;
    if (want <= self->ref_room)
        return true;
    uint32_t room = want > 2 * self->ref_room ? want : 2 * self->ref_room;
    mob_ref_t *refs = realloc(self->refs, room * sizeof *refs);
    if (!refs)
        return false;
    self->refs = refs;
    self->ref_room = room;
    return true;
}

void prelude_deps(core_t *core, session_t *session, const message_t *message)
{
    refs_t refs = message->deps.refs;
    prelude_t *self = go_on(core, session, message->deps.seq);
    if (!self)
        return;
    if (self->ref_count + refs.count > MOB_DEPS_MAX)
        end_run(self, TOO_MANY);
    else if (!reserve_refs(self, refs.count))
        end_run(self, NO_MEMORY);
    else
        while (refs.count > 0)
            self->refs[self->ref_count++] = refs_next(&refs);
}

// ---- What it was for ----------------------------------------------------------------------------

refusal_t prelude_meets(session_t *session, uint64_t seq)
{
    prelude_t *self = session->prelude;
    if (self->next != seq)
        end_run(self, (refusal_t){0});
    return self->refusal;
}

static blob_t *tie(prelude_t *self, load_t load, refusal_t *refusal)
{
    *refusal = NOT_HERE;
    if (!self || load.form != LOAD_PIECES)
        return NULL;
    if (self->refusal.err)
        *refusal = self->refusal;
    if (self->count == 0 || load.first != self->first || load.size != self->count)
        return NULL;
    *refusal = NO_MEMORY;
    blob_t *rope = rope_new(self->pieces, self->count, self->store);
    if (rope)
        self->count = 0, self->bytes = 0; // they are the rope's now
    return rope;
}

blob_t *prelude_load(core_t *core, session_t *session, load_t load, refusal_t *refusal)
{
    bool here = load.form == LOAD_HERE;
    *refusal = NO_MEMORY;
    blob_t *blob = here ? payload_keep(&core->payloads, load) : tie(session->prelude, load, refusal);
    if (!here && session->prelude) {
        drop_pieces(session->prelude);
        session->prelude->refusal = (refusal_t){0};
    }
    if (blob)
        *refusal = (refusal_t){0};
    return blob;
}

refs_t prelude_refs(const session_t *session)
{
    const prelude_t *self = session->prelude;
    return self ? (refs_t){.items = self->refs, .count = self->ref_count} : (refs_t){0};
}
