// upload.c - see upload.h. A run of these stands in parcels of its own, which are kept until what the run is for is
// accepted: a new broker needs all of it.

#include "upload.h"

#include "client.h"

enum { PIECES_A_MESSAGE = 4 }; // others get in between

typedef struct run {
    uint64_t first, until; // seqs: its first one, and of what it is for
} run_t;

typedef struct range { // of a block
    block_t *block;
    size_t from, to;
} range_t;

static batch_t *batch_of(mob_t *self, const run_t *run)
{
    batch_t *batch = session_room(self);
    self->out_run = run->first;
    self->out_until = run->until;
    return batch;
}

// ---- Pieces -------------------------------------------------------------------------------------

static uint32_t pieces_of(range_t range)
{
    return (uint32_t)((range.to - range.from + MOB_PIECE_MAX - 1) / MOB_PIECE_MAX);
}

static bool say_piece(mob_t *self, const run_t *run, range_t range)
{
    size_t size = range.to - range.from;
    blob_t *part = block_part(range.block, range.from, size < MOB_PIECE_MAX ? size : MOB_PIECE_MAX);
    bool said = part && message_PIECE(batch_of(self, run),
                                      &(msg_piece_t){.seq = self->seq + 1, .bytes = load_of(part)});
    blob_drop(&part);
    if (said)
        session_requested(self, 1);
    return said;
}

// The last of them stays in the open batch.
static bool say_pieces(mob_t *self, const run_t *run, range_t range, load_t *payload)
{
    uint32_t count = pieces_of(range);
    *payload = (load_t){.form = LOAD_PIECES, .first = self->seq + 1, .size = count};
    for (uint32_t i = 0; i < count; i++, range.from += MOB_PIECE_MAX) {
        if (i % PIECES_A_MESSAGE == 0)
            session_shelve(self);
        if (!say_piece(self, run, range))
            return false;
    }
    return true;
}

// ---- In front of a request ----------------------------------------------------------------------

static bool say_deps(mob_t *self, const run_t *run, refs_t deps)
{
    while (deps.count > 0) {
        refs_t some = {.items = deps.items,
                       .count = deps.count < MOB_REFS_MAX ? deps.count : MOB_REFS_MAX};
        if (!message_DEPS(batch_of(self, run), &(msg_deps_t){.seq = self->seq + 1, .refs = some}))
            return false;
        session_requested(self, 1);
        deps.items += some.count;
        deps.count -= some.count;
    }
    return true;
}

bool upload_ahead(mob_t *self, block_t *block, load_t *payload, refs_t *deps)
{
    const range_t all = {block, 0, block ? block_size(block) : 0};
    refs_t many = deps->count > UPLOAD_DEPS ? *deps : (refs_t){0};
    uint32_t ahead = pieces_of(all) + (many.count + MOB_REFS_MAX - 1) / MOB_REFS_MAX;
    const run_t run = {self->seq + 1, self->seq + ahead + 1};
    if (self->out_until)
        session_shelve(self); // a parcel is of one run
    if (block && !say_pieces(self, &run, all, payload))
        return false;
    if (many.count > 0)
        *deps = (refs_t){0};
    return say_deps(self, &run, many);
}

// ---- With an answer -----------------------------------------------------------------------------

static range_t range_of(const session_answer_t *answer, uint32_t index)
{
    return (range_t){answer->block, index > 0 ? answer->ends[index - 1] : 0, answer->ends[index]};
}

static bool say_part(mob_t *self, const run_t *run, const session_answer_t *answer, uint32_t index)
{
    load_t payload;
    if (!say_pieces(self, run, range_of(answer, index), &payload))
        return false;
    self->out_bound = true;
    return answer->write(&self->out, answer->arg, index, payload);
}

uint64_t upload_answer(mob_t *self, const session_answer_t *answer)
{
    uint32_t pieces = 0;
    for (uint32_t i = 0; i < answer->count; i++)
        pieces += pieces_of(range_of(answer, i));
    const run_t run = {self->seq + 1, self->seq + pieces};
    bool said = true;
    for (uint32_t i = 0; i < answer->count && said; i++)
        said = say_part(self, &run, answer, i);
    session_shelve(self);
    session_appended(self);
    return said ? run.until : 0;
}
