// attempt.c - the runs of calls, put together from the records of the flight recorder when somebody asks: so that
// a call pays nothing for them.

#include "attempt.h"

#include <stdlib.h>

#include "call.h"

// A record by its age: 1 is the newest.
static const record_t *record_of(const core_t *core, uint32_t age)
{
    return &core->ring[(core->ring_next - age) % core->ring_size];
}

typedef struct history { // of one call: the ages of its records, oldest first
    const uint32_t *ages;
    size_t count;
} history_t;

static bool is_about_runs(const record_t *record)
{
    switch (record->kind) {
    case EVENT_CALL:
    case EVENT_TELL:
    case EVENT_TASK:
    case EVENT_RETRY:
    case EVENT_REPLY:
    case EVENT_FAIL:
        return true;
    default:
        return false;
    }
}

int64_t attempt_begun(const core_t *core, const call_t *call)
{
    uint64_t most = core->ring_next < core->ring_size ? core->ring_next : core->ring_size;
    for (uint32_t age = 1; age <= most; age++) {
        const record_t *record = record_of(core, age);
        if (mob_same(record->ref, call->id) && is_about_runs(record))
            return record->time;
    }
    return core->now;
}

// ---- One call -----------------------------------------------------------------------------------

typedef struct walk {
    const core_t *core;
    attempt_fn *each;
    void *arg;
    attempt_t attempt;
} walk_t;

static void end(walk_t *self, const record_t *record, uint32_t number, uint32_t place)
{
    attempt_t *attempt = &self->attempt;
    attempt->number = number;
    attempt->place = place;
    attempt->ended = record->time;
    attempt->code = (mob_err_t)record->code;
    attempt->state = record->code == MOB_OK           ? "done"
                     : record->code == MOB_ECANCELLED ? "cancelled"
                                                      : "failed";
    if (attempt->begun == 0)
        attempt->begun = record->time; // older than the recorder remembers
    self->each(self->arg, attempt);
    attempt->begun = record->time;
}

static void read_record(walk_t *self, const record_t *record)
{
    attempt_t *attempt = &self->attempt;
    attempt->name = record->method;
    switch (record->kind) {
    case EVENT_CALL:
    case EVENT_TELL:
    case EVENT_TASK:
        attempt->begun = record->time;
        attempt->place = record->to;
        break;
    case EVENT_RETRY: // counted already
        end(self, record, record->attempt - 1u, record->to);
        break;
    default:
        if (record->ran)
            end(self, record, record->attempt, record->from);
    }
}

static void walk_call(walk_t *self, const history_t *history)
{
    self->attempt = (attempt_t){.ref = record_of(self->core, history->ages[0])->ref};
    for (size_t i = 0; i < history->count; i++)
        read_record(self, record_of(self->core, history->ages[i]));
    const call_t *call = call_find(self->core, self->attempt.ref);
    if (!call || call->state != CALL_SENT)
        return;
    self->attempt.number = call->attempt;
    self->attempt.ended = 0;
    self->attempt.code = MOB_OK;
    self->attempt.state = "running";
    self->each(self->arg, &self->attempt);
}

// ---- All of them --------------------------------------------------------------------------------

static int by_call(const void *a, const void *b, void *core)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    mob_ref_t left = record_of(core, x)->ref, right = record_of(core, y)->ref;
    if (left.owner != right.owner)
        return left.owner < right.owner ? -1 : 1;
    if (left.seq != right.seq)
        return left.seq < right.seq ? -1 : 1;
    return x > y ? -1 : x < y;
}

static int newest_first(const void *a, const void *b)
{
    const history_t *left = a, *right = b;
    uint32_t x = left->ages[left->count - 1], y = right->ages[right->count - 1];
    return x < y ? -1 : x > y;
}

static size_t collect(const core_t *core, uint32_t *ages)
{
    uint64_t most = core->ring_next < core->ring_size ? core->ring_next : core->ring_size;
    size_t count = 0;
    for (uint32_t age = 1; age <= most && count < ATTEMPT_RECORDS_MAX; age++)
        if (is_about_runs(record_of(core, age)))
            ages[count++] = age;
    return count;
}

static size_t group(const core_t *core, const uint32_t *ages, size_t count, history_t *histories)
{
    size_t calls = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !mob_same(record_of(core, ages[i])->ref, record_of(core, ages[i - 1])->ref))
            histories[calls++] = (history_t){.ages = ages + i};
        histories[calls - 1].count++;
    }
    return calls;
}

bool attempt_each(const core_t *core, attempt_fn *each, void *arg)
{
    uint32_t *ages = malloc(ATTEMPT_RECORDS_MAX * sizeof *ages);
    history_t *histories = malloc(ATTEMPT_RECORDS_MAX * sizeof *histories);
    walk_t walk = {.core = core, .each = each, .arg = arg};
    bool room = ages && histories;
    if (room) {
        size_t count = collect(core, ages);
        qsort_r(ages, count, sizeof *ages, by_call, (void *)(uintptr_t)core);
        size_t calls = group(core, ages, count, histories);
        qsort(histories, calls, sizeof *histories, newest_first);
        for (size_t i = 0; i < calls; i++)
            walk_call(&walk, &histories[i]);
    }
    free(ages);
    free(histories);
    return room;
}
