// runner.c - see runner.h.

#include "runner.h"

#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "world.h"

enum { TICK_US = 450000 };

// ---- Hearing ----------------------------------------------------------------------------------------

static bool in_hand(const runner_t *self, mob_ref_t ref, uint32_t attempt)
{
    if (self->running && mob_same(self->running->ref, ref) && self->running->attempt == attempt)
        return true;
    for (const runner_item_t *item = self->first; item; item = item->next)
        if (item->what != ITEM_STOP && mob_same(item->ref, ref) && item->attempt == attempt)
            return true;
    return false;
}

static void lose(runner_answer_t *answer)
{
    answer->good = false;
    answer->code = MOB_EBROKER;
    answer->executed = MOB_MAYBE_EXECUTED;
}

static bool known(runner_t *self, mob_ref_t ref, uint32_t attempt)
{
    if (self->world->control == CONTROL_NO_DEDUP)
        return false;
    runner_answer_t *answer = runner_find_answer(self, ref, attempt);
    if (answer && answer->stream)
        lose(answer);                          // its items are not there any more
    if (answer && !runner_is_up(self, answer)) // else it is on its way
        runner_say_answer(self, answer);
    return answer || in_hand(self, ref, attempt);
}

static const char *text_at(const runner_t *self, uint32_t symbol)
{
    const char *text = symbol < self->text_count ? self->texts[symbol] : "";
    if (!*text)
        world_fail(self->world, "a worker heard a symbol that nobody bound");
    return text;
}

static void wrong_dep(runner_t *self, const deed_t *deed)
{
    ledger_break(&self->world->ledger, deed,
                 "a worker got other values than those of its dependencies");
}

// What did not come along is fetched; gives the list of it.
static haul_t *take_deps(runner_t *self, const deed_t *deed, loads_t deps, haul_t *hauls)
{
    if (deps.count != deed->dep_count)
        wrong_dep(self, deed);
    for (uint32_t i = 0; i < deed->dep_count && deps.count > 0; i++) {
        load_t load = loads_next(&deps);
        if (load.form == LOAD_AWAY)
            haul_add(&hauls, deed->ref, PART_DEPS + i);
        else if (!ledger_is_value(&self->world->ledger, deed->deps[i], load))
            wrong_dep(self, deed);
    }
    return hauls;
}

static void check_part(runner_t *self, const runner_item_t *item, const haul_t *haul)
{
    const ledger_t *ledger = &self->world->ledger;
    load_t load = load_bytes(haul->bytes, sizeof haul->bytes);
    if (haul->part == PART_ARGS && ledger_deed(ledger, load) != item->deed)
        world_fail(self->world, "a worker fetched the arguments of another call");
    if (haul->part >= PART_DEPS &&
        !ledger_is_value(ledger, item->deed->deps[haul->part - PART_DEPS], load))
        wrong_dep(self, item->deed);
}

static void ask_for(runner_t *self, const runner_item_t *item)
{
    for (const haul_t *haul = item->hauls; haul; haul = haul->next)
        haul_ask(haul, &self->link.out);
}

static runner_item_t *hauling(const runner_t *self, mob_ref_t ref)
{
    runner_item_t *item = self->first;
    while (item && !(item->hauls && mob_same(item->ref, ref)))
        item = item->next;
    return item;
}

static void take_out(runner_t *self, runner_item_t *item)
{
    runner_item_t *before = NULL, **link = &self->first;
    for (; *link != item; link = &(*link)->next)
        before = *link;
    *link = item->next;
    if (self->last == item)
        self->last = before;
}

void runner_forget(runner_t *self, runner_item_t *item)
{
    take_out(self, item);
    runner_item_free(item);
}

static void on_data(runner_t *self, const msg_data_t *data)
{
    runner_item_t *item = hauling(self, data->ref);
    haul_t *haul = item ? haul_data(item->hauls, data) : NULL;
    if (item && data->bytes.size == 0) { // lost with an earlier broker
        take_out(self, item);
        runner_answer_failure(self, item, MOB_EBROKER, 0, MOB_NOT_EXECUTED);
        runner_item_free(item);
    } else if (haul) {
        check_part(self, item, haul);
        haul_end(&item->hauls, &haul);
    }
    runner_begin_next(self);
}

static int64_t ends_at(const runner_t *self, int64_t remaining_ms)
{
    return remaining_ms < 0 ? INT64_MAX : self->world->now + remaining_ms * 1000;
}

static blob_t *keep_opts(opts_field_t opts)
{
    return opts.size ? blob_new(opts.wire, opts.size) : NULL;
}

static opts_field_t opts_of(const blob_t *kept)
{
    return (opts_field_t){.wire = kept ? kept->data : NULL, .size = kept ? kept->size : 0};
}

static void on_run(runner_t *self, const msg_run_t *run)
{
    bool away = run->args.form == LOAD_AWAY;
    deed_t *deed = away ? ledger_find(&self->world->ledger, run->ref)
                        : ledger_deed(&self->world->ledger, run->args);
    if (!deed || !mob_same(deed->ref, run->ref)) {
        world_fail(self->world, "a worker got the arguments of another call");
        return;
    }
    text_at(self, run->symbol);
    opts_t opts = opts_read(run->opts);
    int64_t returns = opts.num_returns;
    if (deed->returns != (returns > 1 ? returns : 1) || deed->streams != (returns == MOB_STREAM))
        ledger_break(&self->world->ledger, deed, "a worker was asked for another number of values");
    if (known(self, run->ref, run->attempt))
        return;
    haul_t *hauls = NULL;
    if (away)
        haul_add(&hauls, run->ref, PART_ARGS);
    hauls = take_deps(self, deed, run->deps, hauls);
    runner_push(self, &(runner_item_t){.what = ITEM_RUN,
                                       .ref = run->ref,
                                       .actor = run->actor,
                                       .attempt = run->attempt,
                                       .incarnation = run->incarnation,
                                       .epoch = run->epoch,
                                       .deed = deed,
                                       .credit = (uint64_t)opts.stream_ahead,
                                       .hauls = hauls,
                                       .opts = keep_opts(run->opts),
                                       .ends_at = ends_at(self, run->remaining_ms)});
    if (self->last && self->last->hauls)
        ask_for(self, self->last);
    if (self->blocked && self->first)
        runner_give(self, false);
}

static void on_make(runner_t *self, const msg_make_t *make)
{
    deed_t *deed = ledger_deed(&self->world->ledger, make->args);
    if (!deed || !mob_same(deed->ref, make->actor)) {
        world_fail(self->world, "a worker got the arguments of another constructor");
        return;
    }
    if (known(self, make->actor, make->incarnation) || runner_find_actor(self, make->actor))
        return;
    runner_item_t item = {.what = ITEM_MAKE,
                          .ref = make->actor,
                          .actor = make->actor,
                          .attempt = make->incarnation,
                          .incarnation = make->incarnation,
                          .epoch = make->epoch,
                          .deed = deed,
                          .ends_at = INT64_MAX,
                          .args = load_keep(make->args),
                          .opts = keep_opts(make->opts)};
    memcpy(item.cls, text_at(self, make->cls), sizeof item.cls);
    runner_push(self, &item);
}

static runner_item_t *in_hand_of(const runner_t *self, mob_ref_t ref)
{
    if (self->running && self->running->what == ITEM_RUN && mob_same(self->running->ref, ref))
        return self->running;
    runner_item_t *item = self->first;
    while (item && !(item->what == ITEM_RUN && mob_same(item->ref, ref)))
        item = item->next;
    return item;
}

static void on_cancel(runner_t *self, mob_ref_t ref)
{
    runner_item_t *item = in_hand_of(self, ref);
    if (item && item == self->running) {
        item->cancelled = true;
        giver_look(self);
    } else if (item) {
        take_out(self, item);
        runner_answer_failure(self, item, MOB_ECANCELLED, 0, MOB_NOT_EXECUTED);
        runner_item_free(item);
        runner_begin_next(self);
    }
}

static void on_credit(runner_t *self, const msg_credit_t *credit)
{
    runner_item_t *item = in_hand_of(self, credit->ref);
    if (item && credit->count > item->credit)
        item->credit = credit->count;
    giver_look(self);
}

static void on_name(runner_t *self, const msg_name_t *name)
{
    if (name->symbol >= self->text_count) {
        self->texts = realloc(self->texts, (name->symbol + 1) * sizeof *self->texts);
        if (!self->texts)
            abort();
        memset(self->texts + self->text_count, 0,
               (name->symbol + 1 - self->text_count) * sizeof *self->texts);
        self->text_count = name->symbol + 1;
    }
    char *text = self->texts[name->symbol];
    size_t size =
        name->text.size < sizeof *self->texts - 1 ? name->text.size : sizeof *self->texts - 1;
    memset(text, 0, sizeof *self->texts);
    memcpy(text, name->text.data, size);
}

// ---- WELCOME ----------------------------------------------------------------------------------------

static uint32_t returns_of(const runner_item_t *item)
{
    return item->deed->streams ? 0 : item->deed->returns;
}

static void say_have(runner_t *self, const runner_item_t *item, enum wire_hand state)
{
    message_HAVE(&self->link.out, &(msg_have_t){.ref = item->ref,
                                                .attempt = item->attempt,
                                                .actor = item->actor,
                                                .state = state,
                                                .returns = returns_of(item),
                                                .opts = opts_of(item->opts)});
}

static void say_held(runner_t *self)
{
    batch_t *out = &self->link.out;
    for (const runner_actor_t *actor = self->actors; actor; actor = actor->next) {
        message_HOLD(out, &(msg_hold_t){.actor = actor->id,
                                        .incarnation = actor->incarnation,
                                        .state = actor->alive ? HAND_DONE : HAND_RUNNING,
                                        .cls = {actor->cls, strlen(actor->cls)},
                                        .opts = opts_of(actor->opts),
                                        .args = load_of(actor->args)});
    }
    if (self->running && self->running->what == ITEM_RUN)
        say_have(self, self->running, HAND_RUNNING);
    for (const runner_item_t *item = self->first; item; item = item->next)
        if (item->what == ITEM_RUN)
            say_have(self, item, HAND_WAITING);
}

static void say_up_again(runner_t *self)
{
    for (uint64_t i = 0; i < self->up_count; i++)
        runner_put_answer(self, self->ups[i]);
}

static void say_have_up(runner_t *self)
{
    for (uint64_t i = 0; i < self->up_count; i++)
        message_HAVE(&self->link.out, &(msg_have_t){.ref = self->ups[i]->key.ref,
                                                    .attempt = (uint32_t)self->ups[i]->key.attempt,
                                                    .state = HAND_DONE,
                                                    .returns = self->ups[i]->returns});
}

static void on_accept(runner_t *self, uint64_t seq)
{
    uint64_t done = 0;
    if (seq > self->up_seq)
        world_fail(self->world, "accepted what a worker never said");
    self->up_accepted = seq > self->up_accepted ? seq : self->up_accepted;
    while (done < self->up_count && self->ups[done]->up_end <= self->up_accepted)
        done++;
    self->up_count -= done;
    if (done > 0)
        memmove(self->ups, self->ups + done, self->up_count * sizeof *self->ups);
    giver_look(self);
}

static uint64_t floor_of(const runner_t *self)
{
    const runner_answer_t *first = self->up_count > 0 ? self->ups[0] : NULL;
    return first && first->up <= self->up_accepted ? first->up - 1 : self->up_accepted;
}

static void repeat_answers(runner_t *self, bool fresh)
{
    self->base = self->taken;
    if (self->world->control == CONTROL_NO_DEDUP) {
        self->base = self->taken = self->said_count;
        return;
    }
    for (uint64_t i = self->taken; i < self->said_count; i++) {
        if (fresh && self->said[i]->stream && !self->said[i]->key.item)
            lose(self->said[i]);
        runner_put_answer(self, self->said[i]);
    }
}

static void on_welcome(runner_t *self, const msg_welcome_t *heard)
{
    if (heard->epoch < self->epoch)
        return;
    bool fresh = self->epoch && heard->epoch > self->epoch;
    self->epoch = heard->epoch;
    self->live = true;
    on_accept(self, heard->accepted);
    if (heard->accepted < self->up_accepted && heard->accepted >= floor_of(self))
        self->up_accepted = heard->accepted;
    if (!self->welcomed) {
        self->welcomed = true;
        return;
    }
    if (fresh)
        giver_lose_all(self);
    say_held(self);
    say_have_up(self);
    repeat_answers(self, fresh);
    if (fresh)
        giver_refuse_all(self);
    message_OPEN(&self->link.out, &(msg_open_t){0});
    say_up_again(self);
    for (const runner_item_t *item = self->first; item; item = item->next)
        ask_for(self, item);
}

static uint64_t envelopes_of(const runner_answer_t *answer)
{
    return answer->good && answer->returns > 1 ? answer->returns + 1 : 1;
}

static void on_taken(runner_t *self, uint64_t count)
{
    uint64_t taken = self->base;
    for (; taken < self->said_count && count >= envelopes_of(self->said[taken]); taken++)
        count -= envelopes_of(self->said[taken]);
    self->taken = taken > self->taken ? taken : self->taken;
}

// ---- A session --------------------------------------------------------------------------------------

static void greet(void *arg)
{
    runner_t *self = arg;
    self->live = false;
    self->link.greeted_at = self->world->now;
    message_HELLO(&self->link.out, &(msg_hello_t){.major = 1,
                                                  .owner = self->owner,
                                                  .topic = {(char *)self->topic, MOB_TOPIC_SIZE},
                                                  .floor = floor_of(self),
                                                  .epoch = self->epoch,
                                                  .role = ROLE_WORKER,
                                                  .host = self->starter->owner,
                                                  .pid = self->link.number});
    link_flush(&self->link, false);
}

// What comes before WELCOME of this connection is of no use: it is sent again behind OPEN.
static void hear_work(runner_t *self, const message_t *message)
{
    if (!self->live)
        return;
    if (message->verb == VERB_RUN && message->run.epoch >= self->epoch)
        on_run(self, &message->run);
    else if (message->verb == VERB_MAKE && message->make.epoch >= self->epoch)
        on_make(self, &message->make);
    else if (message->verb == VERB_DATA)
        on_data(self, &message->data);
    else if (message->verb == VERB_CANCEL)
        on_cancel(self, message->cancel.ref);
    else if (message->verb == VERB_CREDIT)
        on_credit(self, &message->credit);
    else if (message->verb == VERB_STOP)
        runner_push(self, &(runner_item_t){.what = ITEM_STOP,
                                           .ref = message->stop.actor,
                                           .actor = message->stop.actor,
                                           .ends_at = INT64_MAX});
}

static void goodbye(runner_t *self, uint32_t code)
{
    if (code == MOB_ECLOSED)
        runner_crash(self, 0);
    else
        world_fail(self->world, "GOODBYE with a code that does not end a worker");
}

static void hear(void *arg, const message_t *message)
{
    runner_t *self = arg;
    if (message->verb == VERB_WELCOME)
        on_welcome(self, &message->welcome);
    else if (message->verb == VERB_TAKEN)
        on_taken(self, message->taken.count);
    else if (message->verb == VERB_ACCEPT && message->accept.epoch >= self->epoch)
        on_accept(self, message->accept.seq);
    else if (message->verb == VERB_NAME)
        on_name(self, &message->name);
    else if (message->verb == VERB_NOTE || message->verb == VERB_HUGZ)
        self->heard_at = self->world->now;
    else if (message->verb == VERB_ERROR && self->live)
        greet(self);
    else if (message->verb == VERB_GOODBYE)
        goodbye(self, message->goodbye.code);
    else
        hear_work(self, message);
}

static void tick(void *arg, uint64_t mark)
{
    runner_t *self = arg;
    world_t *world = self->world;
    (void)mark;
    if (self->dead)
        return;
    agenda_add(&world->agenda, world->now + TICK_US, tick, self, 0);
    if (!self->live) {
        link_greet_again(&self->link);
        return;
    }
    message_PING(&self->link.out, &(msg_ping_t){.epoch = self->epoch, .heard = self->heard_at > 0});
    say_up_again(self);
    for (const runner_item_t *item = self->first; item; item = item->next)
        ask_for(self, item);
    link_flush(&self->link, false);
}

// ---- Life -------------------------------------------------------------------------------------------

static const player_t player = {.hear = hear, .greet = greet};

runner_t *runner_new(world_t *world, starter_t *starter, uint64_t owner, enum wire_start kind)
{
    runner_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->world = world;
    self->starter = starter;
    self->owner = owner;
    self->kind = kind;
    memcpy(self->topic, &owner, sizeof owner);
    self->next = world->runners;
    world->runners = self;
    link_init(&self->link, world, &player, self);
    agenda_add(&world->agenda, world->now + TICK_US, tick, self, 0);
    if (world_fault(world, world->odds.die)) {
        world->faults.runners++;
        agenda_add(&world->agenda, world->now + chance_between(&world->chance, 100, 20000),
                   runner_crash, self, 0);
    }
    return self;
}

runner_t *runner_find(world_t *world, uint64_t owner)
{
    runner_t *self = world->runners;
    while (self && (self->dead || self->owner != owner))
        self = self->next;
    return self;
}

void runner_die(runner_t *self)
{
    self->dead = true;
    runner_give_disks(self);
    for (runner_actor_t *actor = self->actors; actor; actor = actor->next)
        actor->deed->disturbed = true;
    link_close(&self->link);
    world_lost(self->world);
}

static void free_items(runner_item_t *item)
{
    for (runner_item_t *next; item; item = next) {
        next = item->next;
        runner_item_free(item);
    }
}

void runner_free(runner_t **self_p)
{
    runner_t *self = *self_p;
    *self_p = NULL;
    batch_fini(&self->link.out);
    free_items(self->first);
    if (self->running) {
        self->running->next = NULL;
        free_items(self->running);
    }
    for (runner_actor_t *actor = self->actors, *next; actor; actor = next) {
        next = actor->next;
        blob_drop(&actor->args);
        blob_drop(&actor->opts);
        free(actor);
    }
    runner_answer_t *answer, *next;
    HASH_ITER(hh, self->answers, answer, next)
    {
        HASH_DEL(self->answers, answer);
        free(answer);
    }
    free(self->said);
    free(self->ups);
    free(self->texts);
    free(self);
}
