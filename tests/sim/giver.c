// giver.c - a body that gives items: one after the other, as far as its credit goes, until it has given all, is
// called home, or its broker is gone.

#include "options.h"
#include "runner.h"
#include "world.h"

static int64_t pace(const runner_item_t *item)
{
    return item->deed->takes_us / (item->deed->items + 1);
}

// Of a large one the pieces must be there first: what follows could overtake it.
static bool may_go_on(const runner_t *self, const runner_item_t *item)
{
    return item->made < item->credit && self->up_accepted >= item->last_up;
}

static bool is_called_home(const runner_item_t *item)
{
    return item->cancelled || item->lost;
}

static void await(runner_t *self, runner_item_t *item)
{
    item->waits = true;
    if (self->kind != START_TASKS || self->blocked)
        return;
    self->blocked = true;
    runner_give(self, true);
}

static void give(void *arg, uint64_t mark)
{
    runner_t *self = arg;
    if (self->dead || mark != self->turn || !self->running)
        return;
    runner_item_t *item = self->running;
    if (is_called_home(item) || item->made >= item->deed->items) {
        runner_finish(self, mark);
        return;
    }
    runner_say_item(self, item);
    if (may_go_on(self, item))
        giver_go_on(self);
    else
        await(self, item);
    link_flush(&self->link, false);
}

void giver_go_on(runner_t *self)
{
    world_t *world = self->world;
    agenda_add(&world->agenda, world->now + pace(self->running), give, self, self->turn);
}

// Something came that it may have waited for.
void giver_look(runner_t *self)
{
    runner_item_t *item = self->running;
    if (self->dead || !item || !item->waits || !(may_go_on(self, item) || is_called_home(item)))
        return;
    item->waits = false;
    runner_resume(self);
    giver_go_on(self);
}

static runner_item_t *waiting(const runner_t *self, bool method)
{
    runner_item_t *item = self->first;
    while (item &&
           !(item->what == ITEM_RUN && item->deed->streams && mob_is_none(item->actor) != method))
        item = item->next;
    return item;
}

// The items that an earlier broker had are gone. A task that has not begun may begin anew.
void giver_lose_all(runner_t *self)
{
    if (self->running && self->running->deed->streams)
        self->running->lost = true;
    for (runner_item_t *item; (item = waiting(self, false)) != NULL;)
        runner_forget(self, item);
    giver_look(self);
}

// A method would begin behind the calls that are in hand behind it.
void giver_refuse_all(runner_t *self)
{
    for (runner_item_t *item; (item = waiting(self, true)) != NULL; runner_forget(self, item))
        runner_answer_failure(self, item, MOB_EBROKER, 0, MOB_NOT_EXECUTED);
    runner_begin_next(self); // what waited behind them
}
