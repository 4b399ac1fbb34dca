// bulk.c - see bulk.h. The oldest accepted ones are forgotten first, and of those only the number is known.

#include "bulk.h"

#include <stdlib.h>
#include <string.h>

#include "inner.h"

typedef struct saying {
    const bulk_record_t *record;
    load_t kept; // by bodies: told with the RESULT
} saying_t;

static bool write(batch_t *batch, const bulk_answer_t *answer, uint32_t index, load_t value,
                  loads_t inner)
{
    if (index < answer->items)
        return message_ITEM(batch, &(msg_item_t){.ref = answer->ref,
                                                 .attempt = answer->attempt,
                                                 .index = index,
                                                 .value = value,
                                                 .count = answer->items,
                                                 .inner = inner});
    return message_RESULT(
        batch, &(msg_result_t){
                   .ref = answer->ref, .attempt = answer->attempt, .value = value, .inner = inner});
}

// The refs inside a part of the block.
static bool find(const bulk_record_t *record, uint32_t index, pack_t *found)
{
    uint32_t from = index > 0 ? record->ends[index - 1] : 0;
    blob_t *part = block_part(record->block, from, record->ends[index] - from);
    bool good = part && inner_find(load_of(part), found);
    blob_drop(&part);
    return good;
}

// Items first. Then RESULT, whose value is the last part: of several results a nil that nobody reads.
static bool write_part(batch_t *batch, const void *arg, uint32_t index, load_t value)
{
    const saying_t *saying = arg;
    const bulk_answer_t *answer = &saying->record->answer;
    pack_t found = PACK_INIT;
    load_t loads[INNER_LOADS_MAX];
    bool good = !answer->inner || find(saying->record, index, &found);
    loads_t inner = inner_of(loads, load_bytes(found.data, found.size),
                             index < answer->items ? (load_t){0} : saying->kept);
    good = good && write(batch, answer, index, value, inner);
    pack_fini(&found);
    return good;
}

static bool say(mob_t *session, bulk_record_t *record, load_t kept)
{
    const saying_t saying = {record, kept};
    const session_answer_t parts = {.block = record->block,
                                    .ends = record->ends,
                                    .count = record->answer.items + 1,
                                    .write = write_part,
                                    .arg = &saying};
    record->last = session_answer(session, &parts);
    return record->last > 0;
}

static void record_free(bulk_record_t *record)
{
    block_drop(&record->block);
    free(record);
}

static bulk_record_t *record_new(const bulk_answer_t *answer, pack_t *values)
{
    uint32_t items = answer->items;
    bulk_record_t *record = calloc(1, sizeof *record + (items + 1) * sizeof record->ends[0]);
    if (items > 0)
        pack_nil(values);
    if (!record || values->failed || !(record->block = block_new(values))) {
        free(record);
        return NULL;
    }
    if (items > 0)
        memcpy(record->ends, answer->ends, items * sizeof record->ends[0]);
    record->ends[items] = (uint32_t)block_size(record->block);
    record->answer = *answer;
    return record;
}

bool bulk_say(bulk_t *self, mob_t *session, const bulk_answer_t *answer, pack_t *values)
{
    bulk_record_t *record = record_new(answer, values);
    if (!record || !say(session, record, session_kept(session))) {
        if (record)
            record_free(record);
        return false;
    }
    session_kept_told(session);
    *(self->newest ? &self->newest->next : &self->first) = record;
    self->newest = record;
    self->bytes += block_size(record->block);
    return true;
}

static bool is(const bulk_record_t *record, mob_ref_t ref, uint32_t attempt)
{
    return mob_same(record->answer.ref, ref) && record->answer.attempt == attempt;
}

bool bulk_again(bulk_t *self, mob_t *session, mob_ref_t ref, uint32_t attempt)
{
    bulk_record_t *record = self->first;
    while (record && !is(record, ref, attempt))
        record = record->next;
    if (record && record->last <= session_accepted(session)) // else it is on its way
        say(session, record, session_kept_all(session));
    return record != NULL;
}

const bulk_record_t *bulk_open(const bulk_t *self, const mob_t *session, const bulk_record_t *at)
{
    at = at ? at->next : self->first;
    while (at && at->last <= session_accepted(session))
        at = at->next;
    return at;
}

void bulk_forget(bulk_t *self, const mob_t *session, seen_t *seen)
{
    while (self->bytes > BULK_KEPT && self->first->last <= session_accepted(session)) {
        bulk_record_t *record = self->first;
        self->first = record->next;
        if (!self->first)
            self->newest = NULL;
        self->bytes -= block_size(record->block);
        const bulk_answer_t *answer = &record->answer;
        seen_forget(seen, answer->ref, seen_key(answer->ref, answer->actor));
        record_free(record);
    }
}

void bulk_fini(bulk_t *self)
{
    for (bulk_record_t *record; (record = self->first); record_free(record))
        self->first = record->next;
    *self = (bulk_t){0};
}
