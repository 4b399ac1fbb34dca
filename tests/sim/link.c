// link.c - see link.h.

#include "link.h"

#include <stdlib.h>

#include "world.h"

enum { GREET_AGAIN_US = 400000 };

typedef struct parcel { // one message on its way
    struct parcel *next;
    link_t *link;
    uint32_t generation;
    batch_t batch;
} parcel_t;

static int64_t delay(world_t *world)
{
    if (chance_hit(&world->chance, 300))
        return chance_between(&world->chance, 1000, 20000);
    return chance_between(&world->chance, 20, 400);
}

static int64_t later(world_t *world, int64_t *last_at) // behind what is on its way there
{
    int64_t at = world->now + delay(world);
    *last_at = at > *last_at ? at : *last_at;
    return *last_at;
}

static void connect(void *arg, uint64_t mark)
{
    link_t *self = arg;
    if (self->closed || mark != self->generation)
        return;
    self->up = true;
    trace_add(&self->world->trace, self->world->now, "connected: link generation", self->number,
              self->generation, 0, 0);
    self->player->greet(self->arg);
}

static void dial(link_t *self)
{
    world_t *world = self->world;
    int64_t takes = chance_between(&world->chance, 300, 60000);
    if (world_fault(world, world->odds.away)) { // so long that the broker may give it up
        takes = chance_between(&world->chance, 60000, 4000000);
        world->faults.away++;
        world_upset(world, takes);
    }
    agenda_add(&world->agenda, world->now + takes, connect, self, self->generation);
}

void link_init(link_t *self, world_t *world, const player_t *player, void *arg)
{
    *self = (link_t){.world = world,
                     .player = player,
                     .arg = arg,
                     .number = ++world->link_count,
                     .next = world->links};
    world->links = self;
    dial(self);
}

// ---- To the broker ----------------------------------------------------------------------------------

// The next envelope of a batch that has come, by way of the trace.
static bool read_next(link_t *self, batch_reader_t *walk, message_t *message, bool down)
{
    message_fault_t fault;
    message_state_t state = message_next(walk, message, &fault);
    if (state == MESSAGE_OK)
        world_said(self->world, self, message, down);
    else if (state != MESSAGE_END)
        world_fail(self->world,
                   down ? "the broker said a bad envelope" : "a player said a bad envelope");
    return state == MESSAGE_OK;
}

static void deliver_up(link_t *self, const batch_t *batch)
{
    world_t *world = self->world;
    batch_reader_t walk =
        batch_open(batch->pack.data, batch->pack.size, batch->blobs, batch->blob_count);
    for (message_t message; read_next(self, &walk, &message, false);) {
        if (!self->peer)
            self->peer = core_open(world->core, world->now, self);
        core_message(world->core, world->now, self->peer, &message);
    }
    link_collect(world);
}

static void parcel_free(parcel_t *parcel)
{
    batch_fini(&parcel->batch);
    free(parcel);
}

static void arrive_up(void *arg, uint64_t mark)
{
    parcel_t *parcel = arg;
    (void)mark;
    link_t *self = parcel->link;
    if (parcel->generation == self->generation) {
        self->flying--;
        deliver_up(self, &parcel->batch);
    }
    parcel_free(parcel);
}

static parcel_t *parcel_new(link_t *self)
{
    parcel_t *parcel = malloc(sizeof *parcel);
    if (!parcel)
        abort();
    *parcel = (parcel_t){.link = self, .generation = self->generation};
    self->flying++;
    return parcel;
}

static void send_twice(link_t *self, const parcel_t *first)
{
    world_t *world = self->world;
    parcel_t *again = parcel_new(self);
    pack_raw(&again->batch.pack, first->batch.pack.data, first->batch.pack.size);
    again->batch.count = first->batch.count;
    world->faults.twice++;
    agenda_add(&world->agenda, self->up_at + chance_between(&world->chance, 1, 30000), arrive_up,
               again, 0);
}

void link_flush(link_t *self, bool requests)
{
    world_t *world = self->world;
    if (batch_empty(&self->out))
        return;
    if (!self->up || self->closed) { // no socket to give it to
        batch_clear(&self->out);
        return;
    }
    parcel_t *parcel = parcel_new(self);
    parcel->batch = self->out;
    self->out = BATCH_INIT;
    agenda_add(&world->agenda, later(world, &self->up_at), arrive_up, parcel, 0);
    if (requests && world_fault(world, world->odds.twice))
        send_twice(self, parcel);
}

// ---- From the broker --------------------------------------------------------------------------------

static void arrive_down(void *arg, uint64_t mark)
{
    parcel_t *parcel = arg;
    link_t *self = parcel->link;
    batch_t *batch = &parcel->batch;
    (void)mark;
    if (parcel->generation == self->generation) {
        self->flying--;
        batch_reader_t walk =
            batch_open(batch->pack.data, batch->pack.size, batch->blobs, batch->blob_count);
        for (message_t message; read_next(self, &walk, &message, true);)
            if (!self->closed)
                self->player->hear(self->arg, &message);
        link_flush(self, false);
    }
    parcel_free(parcel);
}

static void empty(link_t *self, outbox_t *box, bool notes)
{
    world_t *world = self->world;
    for (batch_t *batch; (batch = outbox_first(box)) != NULL; outbox_sent(box)) {
        bool lost = !self->up || self->closed;
        if (!lost && notes && world_fault(world, world->odds.note)) {
            world->faults.notes++;
            lost = true;
        }
        if (lost)
            continue;
        parcel_t *parcel = parcel_new(self);
        parcel->batch = *batch;
        *batch = BATCH_INIT;
        agenda_add(&world->agenda, later(world, notes ? &self->notes_at : &self->calls_at),
                   arrive_down, parcel, 0);
    }
}

void link_collect(world_t *world)
{
    for (peer_t *peer; (peer = core_next_dirty(world->core)) != NULL;) {
        link_t *self = peer_link(peer);
        empty(self, peer_calls(peer), false);
        empty(self, peer_notes(peer), true);
        for (outbox_t *feed = peer_feed(peer); !outbox_empty(feed);)
            outbox_sent(feed);
    }
}

// ---- Breaks -----------------------------------------------------------------------------------------

static void lose(link_t *self)
{
    self->generation++;
    self->flying = 0;
    batch_clear(&self->out);
}

void link_greet_again(link_t *self)
{
    if (self->up && self->world->now - self->greeted_at > GREET_AGAIN_US)
        self->player->greet(self->arg);
}

void link_break(link_t *self)
{
    world_t *world = self->world;
    world->faults.breaks++;
    world->faults.breaks_landed += self->flying > 0;
    trace_add(&world->trace, world->now, "break: link flying", self->number, self->flying, 0, 0);
    lose(self);
    self->up = false;
    dial(self);
}

void link_broker_gone(link_t *self, bool seen)
{
    self->peer = NULL;
    if (self->closed)
        return;
    bool was_up = self->up;
    lose(self);
    if (seen || !was_up) {
        self->up = false;
        dial(self);
    }
}

void link_leave(link_t *self)
{
    self->closed = true;
    self->up = false;
}

void link_discard(const agenda_item_t *item)
{
    if (item->action == arrive_up || item->action == arrive_down)
        parcel_free(item->arg);
}

void link_close(link_t *self)
{
    self->closed = true;
    self->up = false;
    lose(self);
}
