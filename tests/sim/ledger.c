// ledger.c - the judge. Each rule names the clause of the contract it stands for.

#include "ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"

// ---- Records ----------------------------------------------------------------------------------------

static void *grown(void *items, uint64_t count, uint64_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room ? 2 * *room : 256;
    items = realloc(items, *room * size);
    if (!items)
        abort();
    return items;
}

deed_t *ledger_plan(ledger_t *self, mob_ref_t ref, deed_kind_t kind)
{
    deed_t *deed = calloc(1, sizeof *deed);
    if (!deed)
        abort();
    deed->ref = ref;
    deed->kind = kind;
    deed->returns = 1;
    deed->number = self->deed_count;
    self->deeds = grown(self->deeds, self->deed_count, &self->deed_room, sizeof(deed_t *));
    self->deeds[self->deed_count++] = deed;
    return deed;
}

load_t ledger_payload(uint8_t room[DEED_PAYLOAD], uint64_t number, uint64_t run)
{
    memcpy(room, &number, 8);
    memcpy(room + 8, &run, 8);
    return load_bytes(room, DEED_PAYLOAD);
}

deed_t *ledger_deed(const ledger_t *self, load_t payload)
{
    uint64_t number;
    if (payload.size != DEED_PAYLOAD)
        return NULL;
    memcpy(&number, payload.data, 8);
    return number < self->deed_count ? self->deeds[number] : NULL;
}

deed_t *ledger_find(const ledger_t *self, mob_ref_t ref)
{
    for (uint64_t i = self->deed_count; i > 0; i--) // mostly it is a young one
        if (mob_same(self->deeds[i - 1]->ref, ref))
            return self->deeds[i - 1];
    return NULL;
}

const ledger_run_t *ledger_run(const ledger_t *self, uint64_t number)
{
    return number < self->run_count ? &self->runs[number] : NULL;
}

bool ledger_is_value(const ledger_t *self, const deed_t *deed, load_t payload)
{
    return deed->source ? flow_is_item(self, deed, payload) : ledger_deed(self, payload) == deed;
}

void ledger_break(ledger_t *self, const deed_t *deed, const char *what)
{
    if (self->broken[0])
        return;
    snprintf(self->broken, sizeof self->broken,
             "%s: ref %llx.%llu kind %d starts %u retries %d code %u", what,
             (unsigned long long)deed->ref.owner, (unsigned long long)deed->ref.seq,
             (int)deed->kind, deed->starts, deed->retries, deed->code);
}

void ledger_fini(ledger_t *self)
{
    for (uint64_t i = 0; i < self->deed_count; i++) {
        free(self->deeds[i]->places);
        free(self->deeds[i]->nexts);
        free(self->deeds[i]);
    }
    free(self->deeds);
    free(self->runs);
}

// ---- Bodies begin -----------------------------------------------------------------------------------

static deed_place_t *place_of(deed_t *actor, uint64_t caller, uint64_t worker, uint32_t incarnation)
{
    for (uint32_t i = 0; i < actor->place_count; i++) {
        deed_place_t *place = &actor->places[i];
        if (place->caller == caller && place->worker == worker && place->incarnation == incarnation)
            return place;
    }
    actor->places = realloc(actor->places, (actor->place_count + 1) * sizeof *actor->places);
    if (!actor->places)
        abort();
    actor->places[actor->place_count] =
        (deed_place_t){.caller = caller, .worker = worker, .incarnation = incarnation};
    return &actor->places[actor->place_count++];
}

// It may have ended without running, so that later ones went on, and the broker that knew it is gone.
static bool lost_its_place(const deed_t *deed, uint64_t epoch)
{
    return deed->asked_epoch < epoch &&
           (deed->cancelled || deed->timeout_ms > 0 || deed->dep_count > 0);
}

// Order: calls of one caller begin in the order in which they were asked for; one that began before may begin again.
static void check_order(ledger_t *self, deed_t *deed, uint64_t worker, uint32_t incarnation,
                        uint64_t epoch)
{
    deed_place_t *place = place_of(deed->actor, deed->ref.owner, worker, incarnation);
    if (deed->ref.seq > place->seq)
        place->seq = deed->ref.seq;
    else if (deed->starts == 0 && !lost_its_place(deed, epoch))
        ledger_break(self, deed, "order: a later call of the same caller began before");
}

static void check_count(ledger_t *self, deed_t *deed, uint32_t attempt, bool now)
{
    uint64_t bit = UINT64_C(1) << (attempt & 63);
    if (now && deed->attempts_now & bit)
        ledger_break(self, deed, "twice: the same attempt began two times in one epoch");
    if (now)
        deed->attempts_now |= bit;
    if (deed->retries == 0 && deed->starts > 1)
        ledger_break(self, deed, "at most once: it began again");
    if (deed->starts_now > (uint32_t)deed->retries + 1)
        ledger_break(self, deed, "more runs than retries allow in one epoch");
    if (deed->said_not_executed)
        ledger_break(self, deed, "its caller was told that it did not run, and it begins");
}

uint64_t ledger_start(ledger_t *self, deed_t *deed, uint32_t attempt, uint32_t incarnation,
                      uint64_t worker, uint64_t epoch)
{
    self->runs = grown(self->runs, self->run_count, &self->run_room, sizeof *self->runs);
    self->runs[self->run_count] = (ledger_run_t){.deed = deed, .attempt = attempt};
    if (deed->epoch_now < epoch) {
        deed->epoch_now = epoch;
        deed->starts_now = 0;
        deed->attempts_now = 0;
    }
    if (deed->kind == DEED_METHOD)
        check_order(self, deed, worker, incarnation, epoch);
    deed->starts++;
    bool now = deed->epoch_now == epoch; // else a broker that is gone had sent it out
    deed->starts_now += now;
    if (deed->starts > self->most_runs)
        self->most_runs = deed->starts;
    if (deed->kind != DEED_ACTOR)
        check_count(self, deed, attempt, now);
    return self->run_count++;
}

void ledger_end(ledger_t *self, uint64_t run, bool good)
{
    self->runs[run].end = good ? RUN_RESULT : RUN_FAIL;
}

// ---- Callers hear -----------------------------------------------------------------------------------

static bool ran(const deed_t *deed)
{
    return deed->kind == DEED_TASK || deed->kind == DEED_METHOD || deed->kind == DEED_PART;
}

static const deed_t *call_of(const deed_t *deed) // whose body gives it
{
    return deed->source ? deed->source : deed->whole ? deed->whole : deed;
}

static uint64_t run_in(const uint8_t *payload)
{
    uint64_t number;
    memcpy(&number, payload + 8, 8);
    return number;
}

static void check_value(ledger_t *self, const deed_t *deed, load_t value)
{
    if (!ran(deed))
        return;
    const ledger_run_t *run =
        value.size == DEED_PAYLOAD ? ledger_run(self, run_in(value.data)) : NULL;
    if (ledger_deed(self, value) != deed || !run || run->deed != call_of(deed) ||
        run->end != RUN_RESULT)
        ledger_break(self, deed, "a value that no body of it returned");
}

static void check_failure(ledger_t *self, deed_t *deed, uint32_t code, const failure_t *failure)
{
    if (code == MOB_ETASK && (ran(deed) || deed->source)) {
        const ledger_run_t *run = ledger_run(self, (uint64_t)(failure->code - DEED_CODE));
        if (!run || run->deed != call_of(deed) || run->end != RUN_FAIL)
            ledger_break(self, deed, "a failure that no body of it reported");
    }
    deed->said_not_executed = failure->executed == 0 && (ran(deed) || deed->kind == DEED_ACTOR);
    if (deed->said_not_executed && call_of(deed)->starts > 0)
        ledger_break(self, deed, "its caller was told that it did not run, and it began");
    if (code == MOB_EPROTO)
        ledger_break(self, deed, "the broker did not understand it");
    if (code == MOB_EGONE && !deed->dropped && !(deed->source && deed->source->dropped))
        ledger_break(self, deed, "gone, and nobody dropped it");
}

// One fate: refs of one call end alike, with values of one run. What a new broker never heard of may be lost.
static void check_row(ledger_t *self, const deed_t *part)
{
    const deed_t *first = part->whole;
    bool both =
        first && first->settled && !first->dropped && part->settled_epoch == first->settled_epoch;
    if (!both || part->code == MOB_EBROKER || first->code == MOB_EBROKER)
        return;
    if (part->code != first->code)
        ledger_break(self, part, "two refs of one call with two fates");
    else if (part->code == MOB_OK && run_in(part->result) != run_in(first->result))
        ledger_break(self, part, "two refs of one call with values of two runs");
}

static bool own_end(const deed_t *deed, uint32_t code, bool item)
{
    if (code == MOB_OK || code == MOB_EFULL || (code == MOB_EDEP && deed->dep_count) ||
        (code == MOB_EEND && item))
        return true;
    return deed->body == BODY_FAILS && code == MOB_ETASK;
}

static uint64_t hash_of(uint32_t code, load_t value)
{
    uint64_t hash = code + 1;
    for (uint32_t i = 0; i < value.size; i++)
        hash = (hash ^ value.data[i]) * 0x100000001b3u;
    return hash;
}

static void count(ledger_t *self, uint32_t code)
{
    self->values += code == MOB_OK;
    self->errors += code == MOB_ETASK;
    self->failures += code != MOB_OK && code != MOB_ETASK;
}

void ledger_outcome(ledger_t *self, deed_t *deed, uint32_t code, load_t value, uint64_t epoch,
                    bool quiet)
{
    uint64_t hash = hash_of(code, value);
    if (deed->settled) {
        if (!deed->dropped && deed->settled_epoch == epoch && deed->value != hash)
            ledger_break(self, deed, "a second outcome that differs from the first");
        return;
    }
    deed->settled = true;
    deed->code = code;
    deed->value = hash;
    deed->settled_epoch = epoch;
    count(self, code);
    if (code == MOB_OK && value.size == DEED_PAYLOAD)
        memcpy(deed->result, value.data, value.size);
    if (code == MOB_OK) {
        check_value(self, deed, value);
    } else {
        arena_t arena = {0};
        failure_t failure = {0};
        if (failure_unpack(value, &arena, &failure))
            check_failure(self, deed, code, &failure);
        else
            ledger_break(self, deed, "a failure that cannot be read");
        arena_clear(&arena);
    }
    check_row(self, deed);
    if (deed->source)
        flow_outcome(self, deed);
    const deed_t *call = call_of(deed), *actor = call->actor;
    bool actor_quiet = !actor || (!actor->disturbed && actor->settled && actor->code == MOB_OK);
    if (quiet && ran(call) && !call->disturbed && actor_quiet &&
        !own_end(call, code, deed->source != NULL))
        ledger_break(self, deed, "nothing was lost, and the outcome is not the body's own");
}
