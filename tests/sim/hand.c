// hand.c - what a worker has in hand: it begins bodies one after the other, and says how they end. Never
// hears anything: runner.c does.

#include "runner.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "need.h"
#include "options.h"
#include "world.h"

enum { SLOW_BODY_US = 5000 };

// ---- Answers ----------------------------------------------------------------------------------------

typedef struct writing { // of the values of one answer
    runner_t *self;
    const runner_answer_t *answer;
    uint64_t up; // seq of the next piece
} writing_t;

// Of an answer in pieces: the pieces, and the load that names them.
static load_t value_in_pieces(writing_t *self, load_t payload)
{
    const runner_answer_t *answer = self->answer;
    if (answer->pieces == 0)
        return payload;
    load_t named = {.form = LOAD_PIECES, .first = self->up, .size = answer->pieces};
    for (uint32_t i = 0; i < answer->pieces; i++)
        haul_say_piece(&self->self->link.out, self->up++, payload, i, answer->pieces);
    return named;
}

static load_t value_of(writing_t *self, uint8_t room[DEED_PAYLOAD], uint32_t index)
{
    const runner_answer_t *answer = self->answer;
    return value_in_pieces(self, ledger_payload(room, answer->number + index, answer->run));
}

// Several values may leave in several messages, and a connection may break between them.
static void put_items(writing_t *self)
{
    uint8_t room[DEED_PAYLOAD];
    const runner_answer_t *answer = self->answer;
    for (uint32_t i = 0; i < answer->returns; i++) {
        load_t value = value_of(self, room, i);
        message_ITEM(&self->self->link.out, &(msg_item_t){.ref = answer->key.ref,
                                                          .attempt = (uint32_t)answer->key.attempt,
                                                          .index = i,
                                                          .count = answer->returns,
                                                          .value = value});
        if (chance_hit(&self->self->world->chance, 2000))
            link_flush(&self->self->link, answer->pieces > 0);
    }
}

// Behind several values it is empty; but in pieces, when they are.
static void put_item(runner_t *runner, const runner_answer_t *answer)
{
    uint8_t room[DEED_PAYLOAD];
    writing_t self = {.self = runner, .answer = answer, .up = answer->up};
    if (answer->pieces)
        link_flush(&runner->link, false);
    load_t value =
        value_in_pieces(&self, flow_payload(room, answer->stream, answer->run, answer->index));
    message_ITEM(&runner->link.out, &(msg_item_t){.ref = answer->key.ref,
                                                  .attempt = (uint32_t)answer->key.attempt,
                                                  .index = answer->key.item - 1,
                                                  .value = value});
    if (answer->pieces)
        link_flush(&runner->link, true);
}

static void put_value(runner_t *runner, const runner_answer_t *answer)
{
    uint8_t room[DEED_PAYLOAD];
    writing_t self = {.self = runner, .answer = answer, .up = answer->up};
    bool several = answer->returns > 1;
    if (answer->pieces)
        link_flush(&runner->link, false); // an answer in pieces has messages of its own
    if (several)
        put_items(&self);
    load_t value = {0};
    if (!several || answer->pieces)
        value = value_of(&self, room, 0);
    message_RESULT(&runner->link.out, &(msg_result_t){.ref = answer->key.ref,
                                                      .attempt = (uint32_t)answer->key.attempt,
                                                      .value = value});
    if (answer->pieces)
        link_flush(&runner->link, true);
}

void runner_put_answer(runner_t *self, const runner_answer_t *answer)
{
    batch_t *out = &self->link.out;
    uint32_t attempt = (uint32_t)answer->key.attempt;
    if (answer->key.item)
        put_item(self, answer);
    else if (answer->good)
        put_value(self, answer);
    else
        message_FAIL(out, &(msg_fail_t){.ref = answer->key.ref,
                                        .attempt = attempt,
                                        .code = answer->code,
                                        .app_code = answer->app_code,
                                        .executed = answer->executed});
}

static void line_up(runner_answer_t ***list, uint64_t *count, uint64_t *room, runner_answer_t *answer)
{
    if (*count == *room) {
        *room = *room ? 2 * *room : 64;
        *list = realloc(*list, *room * sizeof **list);
        if (!*list)
            abort();
    }
    (*list)[(*count)++] = answer;
}

bool runner_is_up(const runner_t *self, const runner_answer_t *answer)
{
    return answer->pieces > 0 && answer->up_end > self->up_accepted;
}

void runner_say_answer(runner_t *self, runner_answer_t *answer)
{
    if (answer->pieces > 0) {
        uint32_t values = answer->returns > 1 ? answer->returns + 1 : 1;
        answer->up = self->up_seq + 1;
        answer->up_end = self->up_seq += (uint64_t)values * answer->pieces;
        line_up(&self->ups, &self->up_count, &self->up_room, answer);
    } else {
        line_up(&self->said, &self->said_count, &self->said_room, answer);
    }
    if (self->live) // else behind those before it, after WELCOME
        runner_put_answer(self, answer);
}

runner_answer_t *runner_find_answer(runner_t *self, mob_ref_t ref, uint32_t attempt)
{
    runner_key_t key = {ref, attempt, 0};
    runner_answer_t *answer;
    HASH_FIND(hh, self->answers, &key, sizeof key, answer);
    return answer;
}

static runner_answer_t *new_answer(runner_t *self, const runner_item_t *item, uint64_t number)
{
    runner_key_t key = {item->ref, item->attempt, number};
    runner_answer_t *answer;
    HASH_FIND(hh, self->answers, &key, sizeof key, answer);
    if (answer)
        return answer; // only without the memory that is under test
    answer = calloc(1, sizeof *answer);
    if (!answer)
        abort();
    answer->key = key;
    answer->stream = item->what == ITEM_RUN && item->deed->streams ? item->deed : NULL;
    HASH_ADD(hh, self->answers, key, sizeof answer->key, answer);
    return answer;
}

void runner_answer_failure(runner_t *self, const runner_item_t *item, mob_err_t err,
                           int64_t app_code, uint32_t executed)
{
    runner_answer_t *answer = new_answer(self, item, 0);
    answer->good = false;
    answer->pieces = 0;
    answer->code = err;
    answer->app_code = app_code;
    answer->executed = executed;
    runner_say_answer(self, answer);
}

static void answer_value(runner_t *self, const runner_item_t *item)
{
    runner_answer_t *answer = new_answer(self, item, 0);
    answer->good = true;
    answer->returns = item->what == ITEM_RUN ? item->deed->returns : 1;
    answer->number = item->deed->number;
    answer->run = item->run;
    answer->pieces = item->what == ITEM_RUN && !answer->stream ? item->deed->result_pieces : 0;
    runner_say_answer(self, answer);
}

// Not all of one stream are large.
static void say_item(runner_t *self, runner_item_t *item, uint32_t index)
{
    runner_answer_t *answer = new_answer(self, item, ++item->made);
    answer->good = true;
    answer->index = index;
    answer->returns = 1;
    answer->run = item->run;
    answer->pieces = chance_hit(&self->world->chance, 6000) ? item->deed->result_pieces : 0;
    runner_say_answer(self, answer);
    if (answer->pieces)
        item->last_up = answer->up_end;
}

// Without the protection that is under test what is said again is said as the next one.
void runner_say_item(runner_t *self, runner_item_t *item)
{
    uint32_t index = (uint32_t)item->made;
    bool again = self->world->control == CONTROL_NO_NUMBER && item->credit > index + 1 &&
                 chance_hit(&self->world->chance, 200);
    flow_made(&self->world->ledger, item->run, index);
    say_item(self, item, index);
    if (again)
        say_item(self, item, index);
}

// ---- Hands ------------------------------------------------------------------------------------------

void runner_item_free(runner_item_t *item)
{
    hauls_free(&item->hauls);
    blob_drop(&item->args);
    blob_drop(&item->opts);
    free(item);
}

void runner_push(runner_t *self, const runner_item_t *like)
{
    runner_item_t *item = malloc(sizeof *item);
    if (!item)
        abort();
    *item = *like;
    item->next = NULL;
    *(self->last ? &self->last->next : &self->first) = item;
    self->last = item;
    runner_begin_next(self);
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

runner_actor_t *runner_find_actor(runner_t *self, mob_ref_t id)
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
    message_STOP(&self->link.out, &(msg_stop_t){.actor = actor->id, .how = STOP_ENDED});
    blob_drop(&actor->args);
    blob_drop(&actor->opts);
    free(actor);
    self->over |= self->kind == START_ACTOR && !self->actors;
}

// ---- Bodies -----------------------------------------------------------------------------------------

void runner_give(runner_t *self, bool blocks)
{
    runner_item_t *items[MOB_REFS_MAX];
    mob_ref_t refs[MOB_REFS_MAX];
    uint32_t count = take_waiting(self, (mob_ref_t){0, 0}, items);
    for (uint32_t i = 0; i < count; i++) {
        refs[i] = items[i]->ref;
        runner_item_free(items[i]);
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
    runner_give(self, false);
    link_flush(&self->link, false);
}

static void leave(runner_t *self, runner_item_t *item)
{
    runner_item_t *items[MOB_REFS_MAX];
    uint32_t count = take_waiting(self, item->actor, items);
    for (uint32_t i = 0; i < count; i++) {
        runner_answer_failure(self, items[i], MOB_EDEAD, 0, MOB_NOT_EXECUTED);
        runner_item_free(items[i]);
    }
    runner_answer_failure(self, item, MOB_EDEAD, 0, MOB_EXECUTED);
    end_actor(self, runner_find_actor(self, item->actor));
}

// Of a stream whose body comes home before it has given all; or its broker is gone.
static bool came_home(runner_t *self, runner_item_t *item)
{
    bool home = item->cancelled && item->made < item->deed->items;
    if (!item->deed->streams || !(item->lost || home))
        return false;
    ledger_end(&self->world->ledger, item->run, false);
    runner_answer_failure(self, item, item->lost ? MOB_EBROKER : MOB_ECANCELLED, 0,
                          item->lost ? MOB_MAYBE_EXECUTED : MOB_EXECUTED);
    return true;
}

static void answer_body(runner_t *self, runner_item_t *item)
{
    runner_actor_t *actor = item->what == ITEM_MAKE ? runner_find_actor(self, item->actor) : NULL;
    bool good = item->deed->body == BODY_OK;
    if (came_home(self, item))
        return;
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
    runner_answer_failure(self, item, MOB_ETASK, DEED_CODE + (int64_t)item->run, MOB_EXECUTED);
    if (actor) {
        end_actor(self, actor);
        self->over |= self->kind == START_ACTOR;
    }
}

void runner_resume(runner_t *self)
{
    if (self->blocked)
        message_RESUMED(&self->link.out, &(msg_resumed_t){0});
    self->blocked = false;
}

void runner_finish(void *arg, uint64_t mark)
{
    runner_t *self = arg;
    world_t *world = self->world;
    if (self->dead || mark != self->turn || !self->running)
        return;
    runner_item_t *item = self->running;
    runner_resume(self);
    trace_add(&world->trace, world->now, "body ends: link owner seq attempt", self->link.number,
              item->ref.owner, item->ref.seq, item->attempt);
    runner_give_disks(self);
    answer_body(self, item);
    self->running = NULL;
    runner_item_free(item);
    runner_begin_next(self);
    if (!self->dead)
        link_flush(&self->link, false);
}

void runner_crash(void *arg, uint64_t mark)
{
    runner_t *self = arg;
    if (self->dead || (mark && (mark != self->turn || !self->running)))
        return;
    self->world->faults.runners_landed += self->running != NULL;
    runner_die(self);
    starter_reap(self->starter, self->owner, CAUSE_CRASH);
}

// Never more at once than the host has, unless something was lost: then a body may still run somewhere of which the
// broker does not know, or does not know what it takes.
static void take_disks(runner_t *self, const runner_item_t *item)
{
    if (item->what != ITEM_RUN || item->deed->kind != DEED_TASK)
        return;
    self->disks = need_disks(item->deed->need);
    self->starter->disks += self->disks;
    if (self->starter->disks > NEED_DISKS && world_quiet(self->world, self->world->now))
        world_fail(self->world, "more of a resource is taken than the host has");
}

void runner_give_disks(runner_t *self)
{
    self->starter->disks -= self->disks;
    self->disks = 0;
}

static void end_after(runner_t *self, int64_t us)
{
    world_t *world = self->world;
    if (us > SLOW_BODY_US)
        agenda_add(&world->agenda, world->now + SLOW_BODY_US, slow, self, self->turn);
    agenda_add(&world->agenda, world->now + us, runner_finish, self, self->turn);
}

static void start_body(runner_t *self, runner_item_t *item)
{
    world_t *world = self->world;
    take_disks(self, item);
    item->run = ledger_start(&world->ledger, item->deed, item->attempt, item->incarnation,
                             self->owner, item->epoch);
    self->running = item;
    self->turn++;
    trace_add(&world->trace, world->now, "body begins: link owner seq attempt", self->link.number,
              item->ref.owner, item->ref.seq, item->attempt);
    if (self->kind == START_TASKS && chance_hit(&world->chance, 300)) {
        self->blocked = true;
        runner_give(self, true);
    }
    bool dies = world_fault(world, world->odds.die);
    world->faults.runners += dies;
    if (dies)
        agenda_add(&world->agenda, world->now + item->deed->takes_us / 2, runner_crash, self,
                   self->turn);
    if (item->what == ITEM_RUN && item->deed->streams)
        giver_go_on(self); // also one that will die behind some of its items
    else if (!dies)
        end_after(self, item->deed->takes_us);
}

static bool refused(runner_t *self, const runner_item_t *item)
{
    if (self->world->now >= item->ends_at) {
        runner_answer_failure(self, item, MOB_EDEADLINE, 0, MOB_NOT_EXECUTED);
        return true;
    }
    if (item->what != ITEM_RUN || mob_is_none(item->actor))
        return false;
    const runner_actor_t *actor = runner_find_actor(self, item->actor);
    bool wrong = !actor || !actor->alive || actor->incarnation != item->incarnation;
    if (wrong)
        runner_answer_failure(self, item, actor && actor->alive ? MOB_EUNAVAILABLE : MOB_EDEAD, 0,
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
    runner_actor_t *actor = runner_find_actor(self, item->actor);
    if (mob_is_none(item->actor))
        self->over = true;
    else if (actor)
        end_actor(self, actor);
}

void runner_begin_next(runner_t *self)
{
    while (!self->running && self->first && !self->first->hauls && !self->over && !self->dead) {
        runner_item_t *item = pop(self);
        if (item->what == ITEM_STOP) {
            stop(self, item);
        } else if (!refused(self, item)) {
            if (item->what == ITEM_MAKE)
                construct(self, item);
            start_body(self, item);
            continue;
        }
        runner_item_free(item);
    }
    if (self->over && !self->running && !self->dead)
        exit_well(self);
}
