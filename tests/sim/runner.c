// runner.c - see runner.h.

#include "runner.h"

#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "world.h"

enum { TICK_US = 450000, SLOW_BODY_US = 5000 };

static void begin_next(runner_t *self);

// ---- Answers ----------------------------------------------------------------------------------------

static void put_answer(runner_t *self, const runner_answer_t *answer)
{
    batch_t *out = &self->link.out;
    uint32_t attempt = (uint32_t)answer->key.attempt;
    if (answer->good)
        message_RESULT(out, &(msg_result_t){.ref = answer->key.ref,
                                            .attempt = attempt,
                                            .value = load_bytes(answer->value, DEED_PAYLOAD)});
    else
        message_FAIL(out, &(msg_fail_t){.ref = answer->key.ref,
                                        .attempt = attempt,
                                        .code = answer->code,
                                        .app_code = answer->app_code,
                                        .executed = answer->executed});
}

static void say_answer(runner_t *self, runner_answer_t *answer)
{
    if (self->said_count == self->said_room) {
        self->said_room = self->said_room ? 2 * self->said_room : 64;
        self->said = realloc(self->said, self->said_room * sizeof(runner_answer_t *));
        if (!self->said)
            abort();
    }
    self->said[self->said_count++] = answer;
    put_answer(self, answer);
}

static runner_answer_t *find_answer(runner_t *self, mob_ref_t ref, uint32_t attempt)
{
    runner_key_t key = {ref, attempt};
    runner_answer_t *answer;
    HASH_FIND(hh, self->answers, &key, sizeof key, answer);
    return answer;
}

static runner_answer_t *new_answer(runner_t *self, const runner_item_t *item)
{
    runner_answer_t *answer = find_answer(self, item->ref, item->attempt);
    if (answer)
        return answer; // only without the memory that is under test
    answer = calloc(1, sizeof *answer);
    if (!answer)
        abort();
    answer->key = (runner_key_t){item->ref, item->attempt};
    HASH_ADD(hh, self->answers, key, sizeof answer->key, answer);
    return answer;
}

static void answer_failure(runner_t *self, const runner_item_t *item, mob_err_t err,
                           int64_t app_code, uint32_t executed)
{
    runner_answer_t *answer = new_answer(self, item);
    answer->good = false;
    answer->code = err;
    answer->app_code = app_code;
    answer->executed = executed;
    say_answer(self, answer);
}

static void answer_value(runner_t *self, const runner_item_t *item)
{
    runner_answer_t *answer = new_answer(self, item);
    answer->good = true;
    ledger_payload(answer->value, item->deed->number, item->run);
    say_answer(self, answer);
}

// ---- Hands ------------------------------------------------------------------------------------------

static void item_free(runner_item_t *item)
{
    blob_drop(&item->args);
    blob_drop(&item->opts);
    free(item);
}

static void push(runner_t *self, const runner_item_t *like)
{
    runner_item_t *item = malloc(sizeof *item);
    if (!item)
        abort();
    *item = *like;
    item->next = NULL;
    *(self->last ? &self->last->next : &self->first) = item;
    self->last = item;
    begin_next(self);
}

static runner_item_t *pop(runner_t *self)
{
    runner_item_t *item = self->first;
    self->first = item->next;
    if (!self->first)
        self->last = NULL;
    return item;
}

// Take out those that wait and belong to actor; with none, tasks. Gives how many.
static uint32_t take_waiting(runner_t *self, mob_ref_t actor, runner_item_t **out)
{
    uint32_t count = 0;
    runner_item_t **link = &self->first;
    self->last = NULL;
    while (*link) {
        runner_item_t *item = *link;
        if (item->what == ITEM_RUN && mob_same(item->actor, actor) && count < MOB_REFS_MAX) {
            *link = item->next;
            out[count++] = item;
        } else {
            self->last = item;
            link = &item->next;
        }
    }
    return count;
}

static runner_actor_t *find_actor(runner_t *self, mob_ref_t id)
{
    runner_actor_t *actor = self->actors;
    while (actor && !mob_same(actor->id, id))
        actor = actor->next;
    return actor;
}

static void exit_well(runner_t *self)
{
    message_BYE(&self->link.out, &(msg_bye_t){0});
    link_flush(&self->link, false);
    self->dead = true;
    link_leave(&self->link);
    starter_reap(self->starter, self->owner, CAUSE_EXIT);
}

static void end_actor(runner_t *self, runner_actor_t *actor)
{
    runner_actor_t **link = &self->actors;
    while (*link != actor)
        link = &(*link)->next;
    *link = actor->next;
    message_STOP(&self->link.out, &(msg_stop_t){.actor = actor->id, .how = MOB_STOP_DRAIN});
    blob_drop(&actor->args);
    blob_drop(&actor->opts);
    free(actor);
    self->over |= self->kind == START_ACTOR && !self->actors;
}

// ---- Bodies -----------------------------------------------------------------------------------------

static void give(runner_t *self, bool blocks)
{
    runner_item_t *items[MOB_REFS_MAX];
    mob_ref_t refs[MOB_REFS_MAX];
    uint32_t count = take_waiting(self, (mob_ref_t){0, 0}, items);
    for (uint32_t i = 0; i < count; i++) {
        refs[i] = items[i]->ref;
        item_free(items[i]);
    }
    refs_t given = {.items = refs, .count = count};
    if (blocks)
        message_BLOCKED(&self->link.out, &(msg_blocked_t){.refs = given});
    else if (count)
        message_GIVE(&self->link.out, &(msg_give_t){.refs = given});
}

static void slow(void *arg, uint64_t mark)
{
    runner_t *self = arg;
    if (self->dead || mark != self->turn || !self->running || self->kind != START_TASKS)
        return;
    give(self, false);
    link_flush(&self->link, false);
}

static void leave(runner_t *self, runner_item_t *item)
{
    runner_item_t *items[MOB_REFS_MAX];
    uint32_t count = take_waiting(self, item->actor, items);
    for (uint32_t i = 0; i < count; i++) {
        answer_failure(self, items[i], MOB_EDEAD, 0, MOB_NOT_EXECUTED);
        item_free(items[i]);
    }
    answer_failure(self, item, MOB_EDEAD, 0, MOB_EXECUTED);
    end_actor(self, find_actor(self, item->actor));
}

static void answer_body(runner_t *self, runner_item_t *item)
{
    runner_actor_t *actor = item->what == ITEM_MAKE ? find_actor(self, item->actor) : NULL;
    bool good = item->deed->body == BODY_OK;
    ledger_end(&self->world->ledger, item->run, good);
    if (good) {
        answer_value(self, item);
        if (actor)
            actor->alive = true;
        return;
    }
    if (item->deed->body == BODY_LEAVES) {
        leave(self, item);
        return;
    }
    answer_failure(self, item, MOB_ETASK, DEED_CODE + (int64_t)item->run, MOB_EXECUTED);
    if (actor) {
        end_actor(self, actor);
        self->over |= self->kind == START_ACTOR;
    }
}

static void finish(void *arg, uint64_t mark)
{
    runner_t *self = arg;
    world_t *world = self->world;
    if (self->dead || mark != self->turn || !self->running)
        return;
    runner_item_t *item = self->running;
    if (self->blocked) {
        self->blocked = false;
        message_RESUMED(&self->link.out, &(msg_resumed_t){0});
    }
    trace_add(&world->trace, world->now, "body ends: link owner seq attempt", self->link.number,
              item->ref.owner, item->ref.seq, item->attempt);
    answer_body(self, item);
    self->running = NULL;
    item_free(item);
    begin_next(self);
    if (!self->dead)
        link_flush(&self->link, false);
}

static void crash(void *arg, uint64_t mark)
{
    runner_t *self = arg;
    if (self->dead || (mark && (mark != self->turn || !self->running)))
        return;
    self->world->faults.runners_landed += self->running != NULL;
    runner_die(self);
    starter_reap(self->starter, self->owner, CAUSE_CRASH);
}

static void start_body(runner_t *self, runner_item_t *item)
{
    world_t *world = self->world;
    item->run = ledger_start(&world->ledger, item->deed, item->attempt, item->incarnation,
                             self->owner, item->epoch);
    self->running = item;
    self->turn++;
    trace_add(&world->trace, world->now, "body begins: link owner seq attempt", self->link.number,
              item->ref.owner, item->ref.seq, item->attempt);
    if (self->kind == START_TASKS && chance_hit(&world->chance, 300)) {
        self->blocked = true;
        give(self, true);
    }
    if (world_fault(world, world->odds.die)) {
        world->faults.runners++;
        agenda_add(&world->agenda, world->now + item->deed->takes_us / 2, crash, self, self->turn);
        return;
    }
    if (item->deed->takes_us > SLOW_BODY_US)
        agenda_add(&world->agenda, world->now + SLOW_BODY_US, slow, self, self->turn);
    agenda_add(&world->agenda, world->now + item->deed->takes_us, finish, self, self->turn);
}

static bool refused(runner_t *self, const runner_item_t *item)
{
    if (self->world->now >= item->ends_at) {
        answer_failure(self, item, MOB_EDEADLINE, 0, MOB_NOT_EXECUTED);
        return true;
    }
    if (item->what != ITEM_RUN || mob_is_none(item->actor))
        return false;
    const runner_actor_t *actor = find_actor(self, item->actor);
    bool wrong = !actor || !actor->alive || actor->incarnation != item->incarnation;
    if (wrong)
        answer_failure(self, item, actor && actor->alive ? MOB_EUNAVAILABLE : MOB_EDEAD, 0,
                       MOB_NOT_EXECUTED);
    return wrong;
}

static void construct(runner_t *self, runner_item_t *item)
{
    runner_actor_t *actor = calloc(1, sizeof *actor);
    if (!actor)
        abort();
    *actor = (runner_actor_t){.next = self->actors,
                              .id = item->actor,
                              .incarnation = item->incarnation,
                              .args = blob_hold(item->args),
                              .opts = blob_hold(item->opts),
                              .deed = item->deed};
    memcpy(actor->cls, item->cls, sizeof actor->cls);
    self->actors = actor;
}

static void stop(runner_t *self, const runner_item_t *item)
{
    runner_actor_t *actor = find_actor(self, item->actor);
    if (mob_is_none(item->actor))
        self->over = true;
    else if (actor)
        end_actor(self, actor);
}

static void begin_next(runner_t *self)
{
    while (!self->running && self->first && !self->over && !self->dead) {
        runner_item_t *item = pop(self);
        if (item->what == ITEM_STOP) {
            stop(self, item);
        } else if (!refused(self, item)) {
            if (item->what == ITEM_MAKE)
                construct(self, item);
            start_body(self, item);
            continue;
        }
        item_free(item);
    }
    if (self->over && !self->running && !self->dead)
        exit_well(self);
}

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

static bool known(runner_t *self, mob_ref_t ref, uint32_t attempt)
{
    if (self->world->control == CONTROL_NO_DEDUP)
        return false;
    runner_answer_t *answer = find_answer(self, ref, attempt);
    if (answer)
        say_answer(self, answer);
    return answer || in_hand(self, ref, attempt);
}

static const char *text_at(const runner_t *self, uint32_t symbol)
{
    const char *text = symbol < self->text_count ? self->texts[symbol] : "";
    if (!*text)
        world_fail(self->world, "a worker heard a symbol that nobody bound");
    return text;
}

static void check_deps(runner_t *self, const deed_t *deed, loads_t deps)
{
    bool right = deps.count == deed->dep_count;
    for (uint32_t i = 0; right && deps.count > 0; i++)
        right = ledger_deed(&self->world->ledger, loads_next(&deps)) == deed->deps[i];
    if (!right)
        ledger_break(&self->world->ledger, deed,
                     "a worker got other values than those of its dependencies");
}

static int64_t ends_at(const runner_t *self, int64_t remaining_ms)
{
    return remaining_ms < 0 ? INT64_MAX : self->world->now + remaining_ms * 1000;
}

static void on_run(runner_t *self, const msg_run_t *run)
{
    deed_t *deed = ledger_deed(&self->world->ledger, run->args);
    if (!deed || !mob_same(deed->ref, run->ref)) {
        world_fail(self->world, "a worker got the arguments of another call");
        return;
    }
    text_at(self, run->symbol);
    if (known(self, run->ref, run->attempt))
        return;
    check_deps(self, deed, run->deps);
    push(self, &(runner_item_t){.what = ITEM_RUN,
                                .ref = run->ref,
                                .actor = run->actor,
                                .attempt = run->attempt,
                                .incarnation = run->incarnation,
                                .epoch = run->epoch,
                                .deed = deed,
                                .ends_at = ends_at(self, run->remaining_ms)});
    if (self->blocked && self->first)
        give(self, false);
}

static void on_make(runner_t *self, const msg_make_t *make)
{
    deed_t *deed = ledger_deed(&self->world->ledger, make->args);
    if (!deed || !mob_same(deed->ref, make->actor)) {
        world_fail(self->world, "a worker got the arguments of another constructor");
        return;
    }
    if (known(self, make->actor, make->incarnation) || find_actor(self, make->actor))
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
                          .opts =
                              make->opts.size ? blob_new(make->opts.wire, make->opts.size) : NULL};
    memcpy(item.cls, text_at(self, make->cls), sizeof item.cls);
    push(self, &item);
}

static void on_cancel(runner_t *self, mob_ref_t ref)
{
    for (runner_item_t **link = &self->first, *before = NULL; *link; link = &(*link)->next) {
        runner_item_t *item = *link;
        if (item->what != ITEM_RUN || !mob_same(item->ref, ref)) {
            before = item;
            continue;
        }
        *link = item->next;
        if (self->last == item)
            self->last = before;
        answer_failure(self, item, MOB_ECANCELLED, 0, MOB_NOT_EXECUTED);
        item_free(item);
        return;
    }
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

static void say_held(runner_t *self)
{
    batch_t *out = &self->link.out;
    for (const runner_actor_t *actor = self->actors; actor; actor = actor->next) {
        opts_field_t opts = {.wire = actor->opts ? actor->opts->data : NULL,
                             .size = actor->opts ? actor->opts->size : 0};
        message_HOLD(out, &(msg_hold_t){.actor = actor->id,
                                        .incarnation = actor->incarnation,
                                        .state = actor->alive ? HAND_DONE : HAND_RUNNING,
                                        .cls = {actor->cls, strlen(actor->cls)},
                                        .opts = opts,
                                        .args = load_of(actor->args)});
    }
    const runner_item_t *running = self->running;
    if (running && running->what == ITEM_RUN)
        message_HAVE(out, &(msg_have_t){.ref = running->ref,
                                        .attempt = running->attempt,
                                        .actor = running->actor,
                                        .state = HAND_RUNNING});
    for (const runner_item_t *item = self->first; item; item = item->next)
        if (item->what == ITEM_RUN)
            message_HAVE(out, &(msg_have_t){.ref = item->ref,
                                            .attempt = item->attempt,
                                            .actor = item->actor,
                                            .state = HAND_WAITING});
}

static void repeat_answers(runner_t *self)
{
    self->base = self->taken;
    if (self->world->control == CONTROL_NO_DEDUP) {
        self->base = self->taken = self->said_count;
        return;
    }
    for (uint64_t i = self->taken; i < self->said_count; i++)
        put_answer(self, self->said[i]);
}

static void on_welcome(runner_t *self, const msg_welcome_t *heard)
{
    if (heard->epoch < self->epoch)
        return;
    self->epoch = heard->epoch;
    self->live = true;
    if (!self->welcomed) {
        self->welcomed = true;
        return;
    }
    say_held(self);
    repeat_answers(self);
    message_OPEN(&self->link.out, &(msg_open_t){0});
}

static void on_taken(runner_t *self, uint64_t count)
{
    uint64_t taken = self->base + count;
    taken = taken < self->said_count ? taken : self->said_count;
    self->taken = taken > self->taken ? taken : self->taken;
}

// ---- A session --------------------------------------------------------------------------------------

static void greet(void *arg)
{
    runner_t *self = arg;
    self->live = false;
    self->greeted_at = self->world->now;
    message_HELLO(&self->link.out, &(msg_hello_t){.major = 1,
                                                  .owner = self->owner,
                                                  .topic = {(char *)self->topic, MOB_TOPIC_SIZE},
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
    else if (message->verb == VERB_CANCEL)
        on_cancel(self, message->cancel.ref);
    else if (message->verb == VERB_STOP)
        push(self, &(runner_item_t){.what = ITEM_STOP,
                                    .ref = message->stop.actor,
                                    .actor = message->stop.actor,
                                    .ends_at = INT64_MAX});
}

static void goodbye(runner_t *self, uint32_t code)
{
    if (code == MOB_ECLOSED)
        crash(self, 0);
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

// No WELCOME came: HELLO or the answer was lost with a broker.
static void greet_again(runner_t *self)
{
    if (self->link.up && self->world->now - self->greeted_at > 400000)
        greet(self);
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
        greet_again(self);
        return;
    }
    message_PING(&self->link.out, &(msg_ping_t){.epoch = self->epoch, .heard = self->heard_at > 0});
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
        agenda_add(&world->agenda, world->now + chance_between(&world->chance, 100, 20000), crash,
                   self, 0);
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
    for (runner_actor_t *actor = self->actors; actor; actor = actor->next)
        actor->deed->disturbed = true;
    link_close(&self->link);
    world_lost(self->world);
}

static void free_items(runner_item_t *item)
{
    for (runner_item_t *next; item; item = next) {
        next = item->next;
        item_free(item);
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
    free(self->texts);
    free(self);
}
