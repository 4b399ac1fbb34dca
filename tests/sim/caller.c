// caller.c - see caller.h. How it asks is what PROTOCOL.md tells a client; what it asks for is in wish.c.

#include "caller.h"

#include <stdlib.h>
#include <string.h>

#include "need.h"
#include "options.h"
#include "world.h"

enum { TICK_US = 250000, AGAIN_US = 250000, AGAIN_MAX_US = 5000000, SYMBOLS = 4 };
enum { SYMBOL_WORK = 1, SYMBOL_BOX, SYMBOL_BAG, SYMBOL_PUT };

static const char *const names[SYMBOLS + 1] = {"", "work i64 -> i64", "box i64", "bag i64",
                                               "put i64 -> i64"};

static mob_bytes_t text_of(const char *text)
{
    return (mob_bytes_t){text, strlen(text)};
}

// ---- A session --------------------------------------------------------------------------------------

// What has an outcome was admitted, and so was all before it: it must not be asked of another broker. What stands in
// front of a request, a new broker needs with it.
static uint64_t floor_of(const caller_t *self)
{
    const deed_t *deed = self->accepted < self->count ? self->deeds[self->accepted] : NULL;
    if (deed && deed->kind == DEED_PIECE)
        deed = deed->whole;
    uint64_t floor = deed && deed->pieces ? deed->ref.seq - deed->pieces - 1 : self->accepted;
    return self->answered > floor ? self->answered : floor;
}

static void greet(void *arg)
{
    caller_t *self = arg;
    self->live = false;
    hauls_free(&self->hauls);
    self->link.greeted_at = self->world->now;
    message_HELLO(&self->link.out, &(msg_hello_t){.major = 1,
                                                  .owner = self->owner,
                                                  .topic = {(char *)self->topic, MOB_TOPIC_SIZE},
                                                  .floor = floor_of(self),
                                                  .epoch = self->epoch,
                                                  .role = ROLE_CLIENT});
    link_flush(&self->link, false);
}

bool caller_waits_for(const deed_t *deed)
{
    return !deed->settled && !deed->dropped && !deed->forget;
}

static void say_asks(caller_t *self)
{
    mob_ref_t refs[MOB_REFS_MAX];
    uint32_t count = 0;
    if (self->world->control == CONTROL_NO_ASK)
        return;
    for (uint64_t i = self->first_open; i < self->count && count < MOB_REFS_MAX; i++) {
        const deed_t *deed = self->deeds[i];
        if (caller_waits_for(deed) && deed->ref.seq <= self->accepted)
            refs[count++] = deed->ref;
    }
    if (count)
        message_ASK(&self->link.out, &(msg_ask_t){.refs = {.items = refs, .count = count}});
}

static void say_ping(caller_t *self)
{
    bool heard = self->heard_at && self->world->now - self->heard_at < 2000000;
    message_PING(&self->link.out, &(msg_ping_t){.epoch = self->epoch, .heard = heard});
}

// ---- Requests, as they are said ---------------------------------------------------------------------

static int64_t returns_of(const deed_t *deed)
{
    return deed->streams ? MOB_STREAM : (int64_t)deed->returns;
}

static void say_task(batch_t *out, const deed_t *deed, load_t args, refs_t deps)
{
    opts_t own = {.timeout_ms = deed->timeout_ms,
                  .max_retries = deed->retries ? deed->retries : MOB_NONE,
                  .retry_1 = deed->any_code ? MOB_ANY_CODE : 0,
                  .priority = deed->priority,
                  .num_returns = returns_of(deed),
                  .stream_ahead = deed->ahead,
                  .forget = deed->forget};
    need_of_task(deed->need, &own);
    if (deed->retries == 3)
        own.max_retries = 0; // the default
    message_SUBMIT(out, &(msg_submit_t){.seq = deed->ref.seq,
                                        .epoch = deed->asked_epoch,
                                        .task = SYMBOL_WORK,
                                        .opts = {.set = &own},
                                        .args = args,
                                        .deps = deps});
}

static void say_method(batch_t *out, const deed_t *deed, load_t args, refs_t deps)
{
    opts_t own = {.timeout_ms = deed->timeout_ms,
                  .priority = deed->priority,
                  .retry_1 = deed->any_code ? MOB_ANY_CODE : 0,
                  .num_returns = returns_of(deed),
                  .stream_ahead = deed->ahead,
                  .forget = deed->forget};
    message_CALL(out, &(msg_call_t){.seq = deed->ref.seq,
                                    .epoch = deed->asked_epoch,
                                    .actor = deed->actor->ref,
                                    .method = SYMBOL_PUT,
                                    .opts = {.set = &own},
                                    .args = args,
                                    .deps = deps});
}

static void say_spawn(batch_t *out, const deed_t *deed, load_t args)
{
    opts_t own = {.max_restarts = deed->max_restarts,
                  .max_task_retries = deed->max_task_retries,
                  .stop_ms = 3000,
                  .backoff_ms = 20};
    need_of_actor(deed->need, &own);
    message_SPAWN(out, &(msg_spawn_t){.seq = deed->ref.seq,
                                      .epoch = deed->asked_epoch,
                                      .cls = deed->shared ? SYMBOL_BAG : SYMBOL_BOX,
                                      .opts = {.set = &own},
                                      .args = args});
}

static void say_piece(batch_t *out, const deed_t *deed)
{
    uint8_t room[DEED_PAYLOAD];
    const deed_t *whole = deed->whole;
    uint32_t index = (uint32_t)(deed->ref.seq + whole->pieces - whole->ref.seq);
    haul_say_piece(out, deed->ref.seq, ledger_payload(room, whole->number, 0), index, whole->pieces);
}

static void say_request(caller_t *self, deed_t *deed)
{
    uint8_t room[DEED_PAYLOAD];
    mob_ref_t refs[DEED_DEPS];
    batch_t *out = &self->link.out;
    load_t args = ledger_payload(room, deed->number, 0);
    if (deed->pieces)
        args = (load_t){
            .form = LOAD_PIECES, .first = deed->ref.seq - deed->pieces, .size = deed->pieces};
    for (uint32_t i = 0; i < deed->dep_count; i++)
        refs[i] = deed->deps[i]->ref;
    refs_t deps = {.items = refs, .count = deed->dep_count};
    if (deed->asked_epoch == 0)
        deed->asked_epoch = self->epoch;
    if (deed->kind == DEED_PIECE)
        say_piece(out, deed);
    else if (deed->kind == DEED_TASK)
        say_task(out, deed, args, deps);
    else if (deed->kind == DEED_METHOD)
        say_method(out, deed, args, deps);
    else if (deed->kind == DEED_ACTOR)
        say_spawn(out, deed, args);
    else if (deed->kind == DEED_OBJECT)
        message_PUT(out, &(msg_put_t){.seq = deed->ref.seq, .value = args});
    else if (deed->kind == DEED_NEXT)
        message_NEXT(out, &(msg_next_t){.seq = deed->ref.seq,
                                        .stream = deed->source->ref,
                                        .pulled = deed->pulled});
    else if (deed->kind == DEED_DROP)
        message_DROP(
            out,
            &(msg_drop_t){.seq = deed->ref.seq, .ref = deed->target, .count = deed->target_count});
    else if (deed->kind == DEED_DISCARD)
        message_DISCARD(out, &(msg_discard_t){.seq = deed->ref.seq, .epoch = deed->asked_epoch});
    else if (deed->kind == DEED_END)
        message_END(out, &(msg_end_t){.seq = deed->ref.seq, .actor = deed->actor->ref});
}

void caller_say_unsent(caller_t *self)
{
    while (self->live && self->sent < self->count) {
        const deed_t *deed = self->deeds[self->sent];
        say_request(self, self->deeds[self->sent++]);
        bool split = deed->kind == DEED_PIECE && chance_hit(&self->world->chance, 3000);
        if (split || self->link.out.pack.size > MOB_BATCH_TARGET)
            link_flush(&self->link, true);
    }
}

// ---- Hearing ----------------------------------------------------------------------------------------

static void accept(caller_t *self, uint64_t seq)
{
    if (seq <= self->accepted)
        return;
    if (seq > self->count) {
        world_fail(self->world, "accepted what was never asked");
        return;
    }
    self->accepted = seq;
    self->again_us = AGAIN_US;
    self->again_at = self->world->now + AGAIN_US;
}

// A new broker knows nothing of what was dropped, and workers may tell it of what they still have.
static void drop_again(caller_t *self)
{
    uint64_t first = 1, end = self->accepted;
    for (uint64_t seq = 1; seq <= end + 1; seq++) {
        if (seq <= end && self->deeds[seq - 1]->dropped)
            continue;
        if (seq > first)
            caller_drop(self, (mob_ref_t){self->owner, first}, seq - first);
        first = seq + 1;
    }
}

static void welcome(caller_t *self, const msg_welcome_t *heard)
{
    if (heard->epoch < self->epoch)
        return;
    bool fresh = self->epoch && heard->epoch > self->epoch;
    self->epoch = heard->epoch;
    self->note = heard->note;
    self->live = true;
    accept(self, heard->accepted);
    if (heard->accepted < self->accepted && heard->accepted >= floor_of(self))
        self->accepted = heard->accepted; // a new one, that has no part of it
    self->sent = self->accepted;
    self->again_us = AGAIN_US;
    self->again_at = self->world->now + AGAIN_US;
    for (uint32_t i = 1; i <= SYMBOLS; i++)
        message_NAME(&self->link.out, &(msg_name_t){.symbol = i, .text = text_of(names[i])});
    say_ping(self);
    link_flush(&self->link, false);
    if (fresh)
        drop_again(self);
    caller_say_unsent(self);
    link_flush(&self->link, true);
    say_asks(self);
}

static void note_answered(caller_t *self, const deed_t *call)
{
    uint64_t last = call->ref.seq + call->returns - 1;
    self->answered = last > self->answered ? last : self->answered;
}

static void outcome(caller_t *self, mob_ref_t ref, uint32_t code, load_t value)
{
    world_t *world = self->world;
    if (ref.owner != self->owner || ref.seq == 0 || ref.seq > self->count) {
        world_fail(world, "an outcome of what was never asked");
        return;
    }
    deed_t *deed = self->deeds[ref.seq - 1];
    note_answered(self, deed->whole ? deed->whole : deed);
    if (deed->dropped || deed->forget || (deed->settled && value.form == LOAD_AWAY))
        return;
    if (value.form == LOAD_AWAY) {
        haul_ask(haul_add(&self->hauls, ref, PART_VALUE), &self->link.out);
        return;
    }
    self->pending -= !deed->settled;
    const deed_t *call = deed->source ? deed->source : deed;
    ledger_outcome(&world->ledger, deed, code, value, world->epoch,
                   world_quiet(world, call->asked_at));
    if (deed->source)
        reader_go_on(self, deed->source);
    caller_say_unsent(self);
}

static void data(caller_t *self, const msg_data_t *heard)
{
    haul_t *haul = haul_data(self->hauls, heard);
    if (!haul)
        return;
    outcome(self, haul->ref, MOB_OK, load_bytes(haul->bytes, sizeof haul->bytes));
    haul_end(&self->hauls, &haul);
}

static void note(caller_t *self, uint64_t n, bool news)
{
    self->heard_at = self->world->now;
    if (n > self->note + news)
        say_asks(self);
    self->note = n > self->note ? n : self->note;
}

static void error(caller_t *self, const msg_error_t *heard)
{
    if (heard->why.size == 5 && memcmp(heard->why.data, "HELLO", 5) == 0) {
        if (self->live)
            greet(self);
    } else {
        char text[160];
        snprintf(text, sizeof text, "a caller heard ERROR %.*s of seq %llu: %.*s",
                 (int)heard->why.size, (const char *)heard->why.data,
                 (unsigned long long)heard->ref.seq, (int)heard->text.size,
                 (const char *)heard->text.data);
        world_fail(self->world, text);
    }
}

static void hear(void *arg, const message_t *message)
{
    caller_t *self = arg;
    switch (message->verb) {
    case VERB_WELCOME:
        welcome(self, &message->welcome);
        break;
    case VERB_ACCEPT:
        if (message->accept.epoch >= self->epoch)
            accept(self, message->accept.seq);
        break;
    case VERB_DONE:
        outcome(self, (mob_ref_t){self->owner, message->done.seq}, MOB_OK, message->done.value);
        break;
    case VERB_ANSWER:
        outcome(self, message->answer.ref, message->answer.code, message->answer.value);
        break;
    case VERB_DATA:
        data(self, &message->data);
        break;
    case VERB_NOTE:
        note(self, message->note.n, true);
        break;
    case VERB_HUGZ:
        note(self, message->hugz.n, false);
        break;
    case VERB_ERROR:
        error(self, &message->error);
        break;
    case VERB_GOODBYE:
        world_fail(self->world, "a caller heard GOODBYE");
        break;
    default:
        break;
    }
}

// ---- Time -------------------------------------------------------------------------------------------

static void tick(void *arg, uint64_t mark)
{
    caller_t *self = arg;
    world_t *world = self->world;
    (void)mark;
    if (self->dead)
        return;
    agenda_add(&world->agenda, world->now + TICK_US, tick, self, 0);
    self->ticks++;
    if (!self->live) {
        link_greet_again(&self->link);
        return;
    }
    reader_go_on_all(self);
    if (self->ticks % 2 == 0)
        say_ping(self);
    if (self->ticks % 4 == 0)
        say_asks(self);
    link_flush(&self->link, false);
    if (self->accepted < self->sent && world->now >= self->again_at) {
        self->again_us = self->again_us * 2 < AGAIN_MAX_US ? self->again_us * 2 : AGAIN_MAX_US;
        self->again_at = world->now + self->again_us;
        self->sent = self->accepted;
        caller_say_unsent(self);
        link_flush(&self->link, true);
    }
}

// ---- Life -------------------------------------------------------------------------------------------

static const player_t player = {.hear = hear, .greet = greet};

caller_t *caller_new(world_t *world)
{
    caller_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->world = world;
    self->owner = world_owner(world);
    memcpy(self->topic, &self->owner, sizeof self->owner);
    link_init(&self->link, world, &player, self);
    agenda_add(&world->agenda, world->now + chance_between(&world->chance, 1, TICK_US), tick, self,
               0);
    return self;
}

void caller_free(caller_t **self_p)
{
    caller_t *self = *self_p;
    *self_p = NULL;
    batch_fini(&self->link.out);
    hauls_free(&self->hauls);
    free(self->deeds);
    free(self);
}

void caller_die(caller_t *self, bool seen)
{
    world_t *world = self->world;
    for (uint64_t i = self->first_open; i < self->count; i++) {
        deed_t *deed = self->deeds[i];
        world->ledger.abandoned += caller_waits_for(deed);
        deed->dropped = deed->disturbed = true;
    }
    self->dead = true;
    peer_t *peer = self->link.peer;
    link_close(&self->link);
    if (seen && peer) {
        core_gone(world->core, world->now, peer, CAUSE_CRASH);
        link_collect(world);
    }
}

bool caller_settled(const caller_t *self, bool ends)
{
    for (uint64_t i = self->first_open; i < self->count; i++)
        if (caller_waits_for(self->deeds[i]) && (ends || self->deeds[i]->kind != DEED_END))
            return false;
    return true;
}
