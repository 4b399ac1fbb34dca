// starter.c - see starter.h.

#include "starter.h"

#include <stdlib.h>
#include <string.h>

#include "need.h"
#include "world.h"

enum { TICK_US = 400000, PROCS = 24 };

static mob_bytes_t text_of(const char *text)
{
    return (mob_bytes_t){text, strlen(text)};
}

static void greet(void *arg)
{
    starter_t *self = arg;
    self->live = false;
    self->link.greeted_at = self->world->now;
    message_HELLO(&self->link.out, &(msg_hello_t){.major = 1,
                                                  .owner = self->owner,
                                                  .topic = {(char *)self->topic, MOB_TOPIC_SIZE},
                                                  .epoch = self->epoch,
                                                  .role = ROLE_HOST,
                                                  .pid = 7});
    link_flush(&self->link, false);
}

static void offer(batch_t *out, const char *name, uint32_t kind, const opts_t *opts)
{
    message_OFFER(
        out, &(msg_offer_t){
                 .name = text_of(name), .usage = text_of(name), .kind = kind, .opts = {.set = opts}});
    if (kind == DEF_CLASS)
        message_METHOD(out,
                       &(msg_method_t){.name = text_of("put i64 -> i64"), .usage = text_of("put")});
}

static void announce(starter_t *self)
{
    batch_t *out = &self->link.out;
    offer(out, "work i64 -> i64", DEF_TASK, NULL);
    offer(out, "box i64", DEF_CLASS, NULL);
    offer(out, "bag i64", DEF_CLASS, &(opts_t){.shared = 1});
    message_OPEN(out, &(msg_open_t){.slots = self->slots,
                                    .procs = PROCS,
                                    .labels = need_labels(self->slots),
                                    .resources = need_resources(self->slots)});
}

void starter_reap(starter_t *self, uint64_t worker, enum wire_cause cause)
{
    if (self->dead)
        return;
    message_ENDED(&self->link.out,
                  &(msg_ended_t){.worker = worker, .cause = cause, .pid = (uint32_t)worker | 1});
    link_flush(&self->link, false);
}

static void start(starter_t *self, const msg_start_t *heard)
{
    if (!runner_find(self->world, heard->worker))
        runner_new(self->world, self, heard->worker, (enum wire_start)heard->kind);
}

static void end(starter_t *self, uint64_t worker)
{
    runner_t *runner = runner_find(self->world, worker);
    if (runner)
        runner_die(runner);
    starter_reap(self, worker, CAUSE_KILL);
}

static void hear(void *arg, const message_t *message)
{
    starter_t *self = arg;
    if (message->verb == VERB_WELCOME && message->welcome.epoch >= self->epoch) {
        self->live = true;
        self->epoch = message->welcome.epoch;
        announce(self);
    } else if (message->verb == VERB_START) {
        start(self, &message->start);
    } else if (message->verb == VERB_KILL) {
        end(self, message->kill.worker);
    } else if (message->verb == VERB_NOTE || message->verb == VERB_HUGZ) {
        self->heard_at = self->world->now;
    } else if (message->verb == VERB_ERROR && self->live) {
        greet(self);
    } else if (message->verb == VERB_GOODBYE) {
        world_fail(self->world, "a host heard GOODBYE");
    }
}

static void tick(void *arg, uint64_t mark)
{
    starter_t *self = arg;
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
    link_flush(&self->link, false);
}

static const player_t player = {.hear = hear, .greet = greet};

starter_t *starter_new(world_t *world, uint32_t slots)
{
    starter_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->world = world;
    self->owner = world_owner(world);
    self->slots = slots;
    memcpy(self->topic, &self->owner, sizeof self->owner);
    link_init(&self->link, world, &player, self);
    agenda_add(&world->agenda, world->now + chance_between(&world->chance, 1, TICK_US), tick, self,
               0);
    return self;
}

void starter_free(starter_t **self_p)
{
    batch_fini(&(*self_p)->link.out);
    free(*self_p);
    *self_p = NULL;
}

void starter_die(starter_t *self, bool seen)
{
    world_t *world = self->world;
    self->dead = true;
    for (runner_t *runner = world->runners; runner; runner = runner->next)
        if (runner->starter == self && !runner->dead)
            runner_die(runner);
    peer_t *peer = self->link.peer;
    link_close(&self->link);
    if (seen && peer) {
        core_gone(world->core, world->now, peer, CAUSE_CRASH);
        link_collect(world);
    }
}
