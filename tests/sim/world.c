// world.c - one seed from its first HELLO to the last record that must be gone. See world.h.

#include "world.h"

#include <stdlib.h>
#include <string.h>

enum {
    THINK_US = 40000,     // mean time between two thoughts of a caller
    RECOVER_US = 4000000, // after a loss, until nothing of it can be felt any more
    SETTLE_US = 90000000, // in which everything must have settled once faults are over
    EMPTY_US = 60000000,  // in which everything must be gone once nobody holds anything
};

// ---- What players ask of it -------------------------------------------------------------------------

uint64_t world_owner(world_t *self)
{
    return ++self->owner << 32 | 0xc0ffee;
}

void world_fail(world_t *self, const char *what)
{
    if (!self->failure[0])
        snprintf(self->failure, sizeof self->failure, "%s", what);
}

bool world_fault(world_t *self, uint32_t of_10000)
{
    return self->faulty && of_10000 > 0 && chance_hit(&self->chance, of_10000);
}

void world_lost(world_t *self)
{
    self->lost_at = self->now > self->lost_at ? self->now : self->lost_at;
}

void world_upset(world_t *self, int64_t us)
{
    self->lost_at = self->now + us > self->lost_at ? self->now + us : self->lost_at;
    for (uint64_t i = 0; i < self->ledger.deed_count; i++)
        self->ledger.deeds[i]->disturbed = true;
}

bool world_quiet(const world_t *self, int64_t since)
{
    return since > self->lost_at + RECOVER_US;
}

static void check(world_t *self)
{
    self->checked = self->events;
    const char *broken = core_check(self->core);
    if (broken)
        world_fail(self, broken);
}

static mob_ref_t ref_in(const message_t *message, uint64_t *more)
{
    *more = 0;
    switch (message->verb) {
    case VERB_SUBMIT:
        return (mob_ref_t){0, message->submit.seq};
    case VERB_CALL:
        *more = message->call.actor.seq;
        return (mob_ref_t){message->call.actor.owner, message->call.seq};
    case VERB_SPAWN:
        return (mob_ref_t){0, message->spawn.seq};
    case VERB_RUN:
        *more = message->run.attempt;
        return message->run.ref;
    case VERB_MAKE:
        *more = message->make.incarnation;
        return message->make.actor;
    case VERB_RESULT:
        *more = message->result.attempt;
        return message->result.ref;
    case VERB_FAIL:
        *more = message->fail.code;
        return message->fail.ref;
    case VERB_HAVE:
        return message->have.ref;
    case VERB_ITEM:
        *more = message->item.index;
        return message->item.ref;
    case VERB_NEXT:
        *more = message->next.pulled;
        return (mob_ref_t){message->next.stream.seq, message->next.seq};
    case VERB_CREDIT:
        *more = message->credit.count;
        return message->credit.ref;
    case VERB_HOLD:
        *more = message->hold.incarnation;
        return message->hold.actor;
    case VERB_ANSWER:
        *more = message->answer.code;
        return message->answer.ref;
    case VERB_DONE:
        return (mob_ref_t){0, message->done.seq};
    case VERB_PIECE:
        return (mob_ref_t){0, message->piece.seq};
    case VERB_FETCH:
        *more = message->fetch.part;
        return message->fetch.ref;
    case VERB_DATA:
        *more = message->data.part;
        return message->data.ref;
    case VERB_DROP:
        return message->drop.ref;
    case VERB_CANCEL:
        return message->cancel.ref;
    case VERB_STOP:
        *more = message->stop.how;
        return message->stop.actor;
    case VERB_START:
        return (mob_ref_t){message->start.worker, message->start.kind};
    case VERB_KILL:
        return (mob_ref_t){message->kill.worker, 0};
    case VERB_HELLO:
        *more = message->hello.floor;
        return (mob_ref_t){message->hello.owner, message->hello.role};
    case VERB_WELCOME:
        return (mob_ref_t){message->welcome.epoch, message->welcome.accepted};
    default:
        return (mob_ref_t){0, 0};
    }
}

void world_said(world_t *self, const link_t *link, const message_t *message, bool down)
{
    uint64_t more;
    mob_ref_t ref = ref_in(message, &more);
    trace_add(&self->trace, self->now, verb_name(message->verb), (uint64_t)link->number << 1 | down,
              ref.owner, ref.seq, more);
    self->events++;
}

// ---- The broker -------------------------------------------------------------------------------------

static void start_broker(world_t *self)
{
    const core_config_t config = {
        .epoch = ++self->epoch,
        .seed = chance_next(&self->chance),
        .heartbeat_us = 500000,
        .lost_us = 2000000,
        .gone_us = 6000000,
        .rejoin_us = 1000000,
        .resolve_us = 1000000,
        .retry_us = 20000,
        .pending_max = 400,
        .mailbox_max = 24,
        .ring_bytes = 1 << 16,
        .store_max = 1024,
        .letters_max = 16,
    };
    self->core = core_new(&config);
    if (!self->core)
        abort();
}

static void forget_closed(world_t *self)
{
    void *link;
    while (core_next_closed(self->core, &link))
        ((link_t *)link)->peer = NULL;
}

static void tick(world_t *self)
{
    trace_add(&self->trace, self->now, "tick", 0, 0, 0, 0);
    self->events++;
    core_tick(self->core, self->now);
    link_collect(self);
    forget_closed(self);
}

static void lose_broker(world_t *self)
{
    uint64_t pending = core_counts(self->core).pending;
    trace_add(&self->trace, self->now, "the broker dies: pending", pending, self->epoch, 0, 0);
    self->faults.brokers++;
    self->faults.brokers_landed += pending > 0;
    check(self);
    core_destroy(&self->core);
    start_broker(self);
    bool seen = chance_hit(&self->chance, 6000);
    for (link_t *link = self->links; link; link = link->next)
        link_broker_gone(link, seen);
    world_upset(self, 0); // what lives may come back or not, a call may be lost or not
}

// ---- Faults, and who takes the place of the lost ----------------------------------------------------

static int64_t wait(world_t *self, int64_t mean)
{
    return self->now + chance_between(&self->chance, mean / 4, mean * 7 / 4);
}

static void think(void *arg, uint64_t place)
{
    world_t *self = arg;
    if (!self->faulty)
        return;
    self->events++;
    caller_think(self->callers[place]);
    agenda_add(&self->agenda, wait(self, THINK_US), think, self, place);
}

// One that carries something: else a break is none.
static link_t *any_link(world_t *self)
{
    uint32_t open = 0;
    link_t *chosen = NULL;
    for (link_t *link = self->links; link; link = link->next)
        if (link->up && link->flying > 0 && chance_below(&self->chance, ++open) == 0)
            chosen = link;
    return chosen;
}

static void break_one(void *arg, uint64_t mark)
{
    world_t *self = arg;
    (void)mark;
    if (!self->faulty)
        return;
    link_t *link = any_link(self);
    if (link)
        link_break(link);
    agenda_add(&self->agenda, link ? wait(self, self->odds.break_us) : self->now + 777, break_one,
               self, 0);
}

static void lose_caller(void *arg, uint64_t mark)
{
    world_t *self = arg;
    (void)mark;
    if (!self->faulty)
        return;
    uint32_t place = chance_below(&self->chance, WORLD_CALLERS);
    caller_t *caller = self->callers[place];
    self->faults.callers++;
    self->faults.callers_landed += caller->pending > 0;
    trace_add(&self->trace, self->now, "a caller dies: link", caller->link.number, 0, 0, 0);
    caller_die(caller, chance_hit(&self->chance, 5000));
    caller->next = self->past_callers;
    self->past_callers = caller;
    self->callers[place] = caller_new(self);
    agenda_add(&self->agenda, wait(self, self->odds.caller_us), lose_caller, self, 0);
}

static void lose_starter(void *arg, uint64_t mark)
{
    world_t *self = arg;
    (void)mark;
    if (!self->faulty)
        return;
    uint32_t place = chance_below(&self->chance, WORLD_STARTERS);
    starter_t *starter = self->starters[place];
    self->faults.starters++;
    self->faults.starters_landed += starter->live;
    trace_add(&self->trace, self->now, "a host dies: link", starter->link.number, 0, 0, 0);
    starter_die(starter, chance_hit(&self->chance, 5000));
    starter->next = self->past_starters;
    self->past_starters = starter;
    self->starters[place] = starter_new(self, starter->slots);
    world_lost(self);
    agenda_add(&self->agenda, wait(self, self->odds.starter_us), lose_starter, self, 0);
}

static void lose_broker_now(void *arg, uint64_t mark)
{
    world_t *self = arg;
    (void)mark;
    if (!self->faulty)
        return;
    lose_broker(self);
    agenda_add(&self->agenda, wait(self, self->odds.broker_us), lose_broker_now, self, 0);
}

// Some seeds are calm in one way or the other, so that what remains can be judged more strictly.
static void set_odds(world_t *self)
{
    chance_t *chance = &self->chance;
    static const uint32_t notes[] = {0, 500, 3000, 10000};
    self->odds = (odds_t){.note = notes[chance_below(chance, 4)],
                          .twice = 700,
                          .break_us = chance_between(chance, 30000, 800000)};
    if (chance_hit(chance, 7000)) {
        self->odds.die = 30 + chance_below(chance, 300);
        self->odds.caller_us = chance_between(chance, 500000, 5000000);
    }
    if (chance_hit(chance, 5000))
        self->odds.starter_us = chance_between(chance, 1000000, 8000000);
    if (chance_hit(chance, 6000))
        self->odds.broker_us = chance_between(chance, 600000, 5000000);
    if (chance_hit(chance, 5000))
        self->odds.away = 1 + chance_below(chance, 1500);
    if (self->control == CONTROL_NO_ASK)
        self->odds.note = 3000;
}

static void begin_faults(world_t *self)
{
    agenda_add(&self->agenda, wait(self, self->odds.break_us), break_one, self, 0);
    if (self->odds.caller_us)
        agenda_add(&self->agenda, wait(self, self->odds.caller_us), lose_caller, self, 0);
    if (self->odds.starter_us)
        agenda_add(&self->agenda, wait(self, self->odds.starter_us), lose_starter, self, 0);
    if (self->odds.broker_us)
        agenda_add(&self->agenda, wait(self, self->odds.broker_us), lose_broker_now, self, 0);
}

// ---- A seed -----------------------------------------------------------------------------------------

static bool sound(world_t *self)
{
    if (self->ledger.broken[0])
        world_fail(self, self->ledger.broken);
    return self->failure[0] == '\0';
}

static void step(world_t *self)
{
    int64_t due = core_next_deadline(self->core), next = agenda_next(&self->agenda);
    agenda_item_t item;
    if (due <= next) {
        self->now = due > self->now ? due : self->now;
        tick(self);
    } else if (agenda_take(&self->agenda, &item)) {
        self->now = item.at;
        item.action(item.arg, item.mark);
    }
    if (self->events - self->checked >= self->check_every)
        check(self);
}

static bool all_settled(const world_t *self, bool ends)
{
    for (int i = 0; i < WORLD_CALLERS; i++)
        if (!caller_settled(self->callers[i], ends))
            return false;
    return true;
}

// Goes on until done() or until so much time has passed.
static bool until(world_t *self, bool (*done)(const world_t *), int64_t us)
{
    int64_t end = self->now + us;
    while (sound(self) && self->now < end && !done(self))
        step(self);
    return sound(self) && done(self);
}

static bool calls_settled(const world_t *self)
{
    return all_settled(self, false);
}

static bool actors_ended(const world_t *self)
{
    return all_settled(self, true) && core_counts(self->core).actors == 0;
}

static bool no_letters(const world_t *self)
{
    return core_counts(self->core).letters == 0;
}

// A dropped stream frees its producer.
static const runner_t *body_that_waits(const world_t *self)
{
    const runner_t *runner = self->runners;
    while (runner && (runner->dead || !runner->running || !runner->running->waits))
        runner = runner->next;
    return runner;
}

static bool nothing_left(const world_t *self)
{
    core_count_t count = core_counts(self->core);
    return count.objects == count.graves && count.pending == 0 && count.actors == 0 &&
           count.store_bytes == 0 && !body_that_waits(self);
}

#define U(number) (unsigned long long)(number)

static void say_pending(world_t *self, const char *what, bool ends)
{
    char text[200];
    const deed_t *deed = NULL;
    for (int i = 0; i < WORLD_CALLERS && !deed; i++)
        for (uint64_t j = 0; j < self->callers[i]->count && !deed; j++) {
            const deed_t *one = self->callers[i]->deeds[j];
            if (!one->settled && !one->dropped && !one->forget && (ends || one->kind != DEED_END))
                deed = one;
        }
    core_count_t count = core_counts(self->core);
    const runner_t *runner = body_that_waits(self);
    snprintf(text, sizeof text,
             "%s: objects %llu graves %llu pending %llu actors %llu; first ref %llx.%llu kind %d "
             "starts %u; waits on link %u",
             what, U(count.objects), U(count.graves), U(count.pending), U(count.actors),
             deed ? U(deed->ref.owner) : 0, deed ? U(deed->ref.seq) : 0,
             deed ? (int)deed->kind : -1, deed ? deed->starts : 0, runner ? runner->link.number : 0);
    world_fail(self, text);
}

static void wind_up(world_t *self)
{
    self->faulty = false;
    trace_add(&self->trace, self->now, "no faults from here on", 0, 0, 0, 0);
    if (!until(self, calls_settled, SETTLE_US) && sound(self))
        say_pending(self, "a call never settles", false);
    if (!sound(self))
        return;
    for (int i = 0; i < WORLD_CALLERS; i++)
        caller_drop_actors(self->callers[i]);
    if (!until(self, actors_ended, EMPTY_US) && sound(self))
        say_pending(self, "an actor that nobody holds never ends", true);
    if (!sound(self))
        return;
    caller_discard(self->callers[0]);
    if (!until(self, no_letters, EMPTY_US) && sound(self))
        say_pending(self, "a dead letter that was thrown away stays", true);
    if (!sound(self))
        return;
    for (int i = 0; i < WORLD_CALLERS; i++)
        caller_leave(self->callers[i]);
    if (!until(self, nothing_left, EMPTY_US) && sound(self))
        say_pending(self, "a leak", true);
    check(self);
    const ledger_t *ledger = &self->ledger;
    if (ledger->asked != ledger->values + ledger->errors + ledger->failures + ledger->abandoned)
        world_fail(self, "asked is not values + errors + failures + abandoned");
}

static void world_init(world_t *self, uint64_t seed, const game_t *game)
{
    *self = (world_t){.seed = seed,
                      .control = game->control,
                      .now = 1000000,
                      .events_max = game->events,
                      .check_every = game->check_every,
                      .faulty = true};
    self->trace.live = game->live;
    self->lost_at = -2 * (int64_t)RECOVER_US;
    chance_init(&self->chance, seed);
    set_odds(self);
    start_broker(self);
    for (uint32_t i = 0; i < WORLD_STARTERS; i++)
        self->starters[i] = starter_new(self, 2 + i);
    for (uint32_t i = 0; i < WORLD_CALLERS; i++) {
        self->callers[i] = caller_new(self);
        agenda_add(&self->agenda, wait(self, THINK_US), think, self, i);
    }
    begin_faults(self);
}

static void world_fini(world_t *self)
{
    agenda_item_t item;
    core_destroy(&self->core);
    for (link_t *link = self->links; link; link = link->next)
        link_close(link);
    while (agenda_take(&self->agenda, &item))
        link_discard(&item);
    for (runner_t *runner = self->runners, *next; runner; runner = next) {
        next = runner->next;
        runner_free(&runner);
    }
    for (caller_t *caller = self->past_callers, *next; caller; caller = next) {
        next = caller->next;
        caller_free(&caller);
    }
    for (starter_t *starter = self->past_starters, *next; starter; starter = next) {
        next = starter->next;
        starter_free(&starter);
    }
    for (int i = 0; i < WORLD_CALLERS; i++)
        caller_free(&self->callers[i]);
    for (int i = 0; i < WORLD_STARTERS; i++)
        starter_free(&self->starters[i]);
    ledger_fini(&self->ledger);
    agenda_fini(&self->agenda);
}

static void add_up(totals_t *totals, const world_t *self)
{
    const ledger_t *ledger = &self->ledger;
    totals->seeds++;
    totals->events += self->events;
    totals->simulated_us += self->now;
    totals->asked += ledger->asked;
    totals->values += ledger->values;
    totals->errors += ledger->errors;
    totals->failures += ledger->failures;
    totals->abandoned += ledger->abandoned;
    totals->runs += ledger->run_count;
    totals->items += ledger->items;
    totals->most_runs = ledger->most_runs > totals->most_runs ? ledger->most_runs : totals->most_runs;
    const uint64_t *one = (const uint64_t *)&self->faults;
    for (size_t i = 0; i < sizeof(faults_t) / sizeof(uint64_t); i++)
        ((uint64_t *)&totals->faults)[i] += one[i];
}

bool world_play(uint64_t seed, const game_t *game, totals_t *totals, uint64_t *hash)
{
    world_t world;
    world_init(&world, seed, game);
    while (sound(&world) && world.events < world.events_max)
        step(&world);
    if (sound(&world))
        wind_up(&world);
    bool good = sound(&world);
    *hash = world.trace.hash;
    add_up(totals, &world);
    if (!good) {
        trace_print(&world.trace, stdout);
        printf("seed=%llu events=%llu: %s\n", (unsigned long long)seed,
               (unsigned long long)world.events, world.failure);
    }
    world_fini(&world);
    return good;
}
