// link.c - connect, HELLO, WELCOME, heartbeat, ASK, reconnect. Truth is the broker's: after any
// doubt we say again what was not accepted and ask for what is pending.

#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "machine.h"
#include "text.h"

enum {
    GREET_US = 1000 * 1000,
    HUSH_US = 5 * 1000, // no notice heard yet: the subscription may be on its way
    GREET_MAX_US = 5 * 1000 * 1000,
    REDIAL_US = 500 * 1000, // then the next endpoint is tried
    ASK_US = 1000 * 1000,   // and up to a fifth more or less
    ASK_YOUNG_MS = 100,     // nobody asks for what was sent a moment ago
    ASK_OLD_ROUNDS = 5,     // what is pending for long is asked for less often
    ASK_OLD_MS = 60 * 1000,
    ASK_SOON_US = 20 * 1000, // after a gap: several gaps, one question
    SUSPECT_BEATS = 3,
    SILENT_BEATS = 5,
};

static int64_t later(link_t *link, int64_t us) // us +- 20 %
{
    link->random = link->random * 1664525u + 1013904223u;
    return us * 4 / 5 + us * 2 / 5 * (int64_t)(link->random >> 16) / 65536;
}

// ---- Dialling -----------------------------------------------------------------------------------

static void dial(mob_t *self)
{
    link_t *link = &self->link;
    char at[ENDPOINT_MAX], notices[ENDPOINT_MAX];
    link->redial_at = self->now + REDIAL_US;
    mob_err_t err = endpoint_dial(self->config.endpoint, link->endpoint, at, sizeof at, link->why,
                                  sizeof link->why);
    if (err == MOB_EEND && link->endpoint > 0) { // the end of the list: from the start
        link->endpoint = 0;
        err = endpoint_dial(self->config.endpoint, 0, at, sizeof at, link->why, sizeof link->why);
    }
    if (err || !endpoint_sibling(at, "notices", 1, notices, sizeof notices))
        return; // the next one, later
    if (io_is_open(&self->io) && strcmp(at, link->calls_at) == 0 && link->state == LINK_OFFLINE)
        return; // the only one: libzmq goes on looking for it
    snprintf(link->calls_at, sizeof link->calls_at, "%s", at);
    if (io_open(&self->io, at, notices))
        snprintf(link->why, sizeof link->why, "%s cannot be opened", at);
}

static mob_bytes_t text_of(const char *text)
{
    return (mob_bytes_t){text, text ? strlen(text) : 0};
}

void link_init(mob_t *self)
{
    link_t *link = &self->link;
    link->heartbeat_us =
        (self->config.heartbeat_ms > 0 ? self->config.heartbeat_ms : 1000) * INT64_C(1000);
    link->random = (uint32_t)(self->owner ^ self->owner >> 32);
    link->offline_since = self->now;
    if (text_is_name(self->config.space, strlen(self->config.space)))
        dial(self);
    else // for good: every call says so
        link_goodbye(self, MOB_EARGS,
                     text_of("space has 1 to 128 letters, digits, dots, underlines and dashes"));
}

// ---- Actions ------------------------------------------------------------------------------------

// Whatever has an outcome must not be asked of another broker: its caller may have acted upon it.
static uint64_t floor_of(const mob_t *self)
{
    uint64_t floor = queue_floor(&self->queue);
    return self->answered > floor ? self->answered : floor;
}

static void greet(mob_t *self)
{
    link_t *link = &self->link;
    char machine[MACHINE_SIZE];
    batch_t batch = BATCH_INIT;
    const msg_hello_t hello = {
        .major = MOB_WIRE_MAJOR,
        .minor = MOB_WIRE_MINOR,
        .owner = self->owner,
        .topic = {self->io.topic, sizeof self->io.topic},
        .floor = floor_of(self),
        .epoch = link->epoch,
        .role = self->role.role,
        .name = text_of(self->config.name),
        .space = text_of(self->config.space),
        .pid = (uint32_t)getpid(),
        .machine = {machine, machine_id(machine)}, // lets a broker there see at once when this ends
        .host = self->role.host,
        .greeting = ++link->greeting,
    };
    link->told_heard = false;
    link->note_at = 0;
    link->greet_at = self->now + later(link, link->greet_us);
    link->greet_us = link->greet_us * 2 < GREET_MAX_US ? link->greet_us * 2 : GREET_MAX_US;
    if (message_HELLO(&batch, &hello)) {
        parcel_t *parcel = parcel_new(batch.pack.data, batch.pack.size, NULL, 0);
        if (parcel)
            io_send(&self->io, parcel, false); // refused: again when greet_at has come
        parcel_free(&parcel);
    }
    batch_fini(&batch);
}

static void greet_afresh(mob_t *self)
{
    self->link.greet_us = GREET_US;
    greet(self);
}

static void part(mob_t *self)
{
    self->link.offline_since = self->now;
    self->link.redial_at = self->now + REDIAL_US;
    self->link.greet_us = GREET_US;
}

static void redial(mob_t *self)
{
    part(self);
    self->link.endpoint++;
    io_close(&self->io, 0);
    dial(self);
}

static void end(mob_t *self)
{
    link_t *link = &self->link;
    const failure_t failure = {
        .err = link->over, .executed = MOB_MAYBE_EXECUTED, .reason = link->over_text};
    link->offline_since = self->now;
    io_close(&self->io, 0);
    queue_clear(&self->queue);
    batch_clear(&self->out);
    self->out_first = self->out_last = 0;
    heard_fail_all(self, &failure);
    if (self->role.hooks && self->role.hooks->over)
        self->role.hooks->over(self, self->role.arg, link->over);
}

// ---- After WELCOME ------------------------------------------------------------------------------

static void say_names(mob_t *self)
{
    for (uint32_t symbol = 1; symbol <= self->symbols.count; symbol++) {
        const msg_name_t name = {.symbol = symbol, .text = text_of(self->symbols.texts[symbol])};
        message_NAME(session_room(self), &name);
    }
}

static void say_names_first(mob_t *self)
{
    queue_t aside;
    session_shelve(self);
    queue_set_aside(&self->queue, &aside);
    say_names(self);
    session_shelve(self);
    queue_join(&self->queue, &aside);
}

typedef struct questions {
    mob_t *self;
    mob_ref_t refs[MOB_REFS_MAX];
    uint32_t count;
} questions_t;

static void send_questions(questions_t *questions, bool watch)
{
    const refs_t refs = {.items = questions->refs, .count = questions->count};
    if (questions->count == 0)
        return;
    if (watch)
        message_WATCH(session_room(questions->self), &(msg_watch_t){.refs = refs});
    else
        message_ASK(session_room(questions->self), &(msg_ask_t){.refs = refs});
    questions->count = 0;
}

static void add_question(questions_t *questions, mob_ref_t ref, bool watch)
{
    questions->refs[questions->count++] = ref;
    if (questions->count == MOB_REFS_MAX)
        send_questions(questions, watch);
}

static void watch_foreign(mob_t *self)
{
    questions_t questions = {.self = self};
    future_t *future;
    for (size_t at = 0; (future = futures_next(&self->futures, &at));)
        if ((future->foreign || future->borrowed) && !future->settled && !future->silent)
            add_question(&questions, future->ref, true);
    send_questions(&questions, true);
}

static void cancel_again(mob_t *self)
{
    future_t *future;
    for (size_t at = 0; (future = futures_next(&self->futures, &at));)
        if (future->cancelled && !future->settled)
            message_CANCEL(session_room(self),
                           &(msg_cancel_t){.ref = future->ref, .flags = future->cancel_flags});
}

static bool worth_asking(const mob_t *self, const future_t *future, bool all)
{
    if (future->settled || future->silent ||
        (!future->foreign && future->ref.seq > self->queue.accepted))
        return false; // what was not accepted is sent again, that is better
    uint32_t age_ms = (uint32_t)(self->now / 1000) - future->born_ms;
    return all || (age_ms >= ASK_YOUNG_MS &&
                   (age_ms < ASK_OLD_MS || self->link.rounds % ASK_OLD_ROUNDS == 0));
}

static void ask(mob_t *self, bool all)
{
    questions_t questions = {.self = self};
    future_t *future;
    self->link.rounds++;
    self->link.ask_all = false;
    self->link.ask_at = self->now + later(&self->link, ASK_US);
    if (self->futures.pending == 0)
        return;
    for (size_t at = 0; (future = futures_next(&self->futures, &at));)
        if (worth_asking(self, future, all))
            add_question(&questions, future->ref, false);
    send_questions(&questions, false);
    cancel_again(self);
}

static void ping(mob_t *self)
{
    link_t *link = &self->link;
    bool heard = link->note_at && self->now - link->note_at < SUSPECT_BEATS * link->heartbeat_us;
    link->ping_at = self->now + (heard ? link->heartbeat_us : link->hush_us);
    link->hush_us = link->hush_us * 2 < link->heartbeat_us ? link->hush_us * 2 : link->heartbeat_us;
    link->told_heard = heard;
    message_PING(session_room(self), &(msg_ping_t){.epoch = link->epoch, .heard = heard});
}

// Whoever has our owner and came before us used these numbers up.
static uint64_t accepted_of(mob_t *self, const msg_welcome_t *welcome)
{
    if (self->seq == 0 && welcome->accepted >> (FUTURE_LOCAL_BIT - 1) == 0)
        self->seq = welcome->accepted;
    return welcome->accepted < self->seq ? welcome->accepted : self->seq;
}

// First what the broker must know to understand the rest, then the requests it has not accepted in
// their old order, then questions. What was appended meanwhile is newer than all that is in the
// queue.
static void resume(mob_t *self)
{
    link_t *link = &self->link;
    const msg_welcome_t *welcome = &link->welcome;
    const session_hooks_t *hooks = self->role.hooks;
    queue_t aside;
    bool fresh = !link->ever || welcome->epoch != link->epoch, again = fresh && link->ever;
    link->ever = true;
    link->epoch = welcome->epoch;
    link->note = welcome->note;
    link->heard_at = self->now;
    link->doubt_at = 0;
    link->hush_us = HUSH_US;
    if (welcome->heartbeat_ms > 0 && self->config.heartbeat_ms == 0)
        link->heartbeat_us = welcome->heartbeat_ms * INT64_C(1000);
    self->window = welcome->window > 0 ? welcome->window : WINDOW_DEFAULT;
    session_shelve(self);
    uint64_t accepted = accepted_of(self, welcome);
    if (accepted < self->queue.accepted && accepted >= queue_floor(&self->queue))
        queue_lower(&self->queue, accepted);
    queue_accept(&self->queue, accepted, self->now);
    queue_rewind(&self->queue, link->epoch);
    queue_set_aside(&self->queue, &aside);
    if (hooks && hooks->welcome)
        hooks->welcome(self, self->role.arg, fresh);
    say_names(self);
    session_shelve(self);
    queue_join(&self->queue, &aside);
    if (again) {
        foreign_restate(self);
        hold_restate(self);
    }
    watch_foreign(self);
    fetches_again(self);
    ping(self);
    ask(self, true);
}

// ---- The table ----------------------------------------------------------------------------------

// No row: nothing happens.
#define LINK_MOVES(X) /* state, event, next, action */ \
    X(OFFLINE, CONNECTED, GREETING, greet_afresh)      \
    X(OFFLINE, SILENT, OFFLINE, redial)                \
    X(OFFLINE, ENDED, OVER, end)                       \
    X(GREETING, CONNECTED, GREETING, greet_afresh)     \
    X(GREETING, LOST, OFFLINE, part)                   \
    X(GREETING, WELCOMED, LIVE, resume)                \
    X(GREETING, UNHEARD, GREETING, greet)              \
    X(GREETING, SILENT, OFFLINE, redial)               \
    X(GREETING, ENDED, OVER, end)                      \
    X(LIVE, CONNECTED, GREETING, greet_afresh)         \
    X(LIVE, LOST, OFFLINE, part)                       \
    X(LIVE, STRANGER, GREETING, greet_afresh)          \
    X(LIVE, SILENT, OFFLINE, redial)                   \
    X(LIVE, ENDED, OVER, end)

typedef struct move {
    link_state_t next;
    void (*act)(mob_t *self);
} move_t;

static const move_t MOVES[LINK_STATES][LINK_EVENTS] = {
#define X(state, event, next, act) [LINK_##state][LINK_##event] = {LINK_##next, act},
    LINK_MOVES(X)
#undef X
};

void link_event(mob_t *self, link_event_t event)
{
    const move_t *move = &MOVES[self->link.state][event];
    if (!move->act)
        return;
    self->link.state = move->next;
    move->act(self);
}

void link_welcome(mob_t *self, const msg_welcome_t *welcome)
{
    char notices[ENDPOINT_MAX];
    if (welcome->epoch < self->link.epoch)
        return; // a deposed broker
    if (welcome->greeting != self->link.greeting || self->link.state != LINK_GREETING)
        return; // the broker has begun to count anew since, or this one was followed already
    self->link.welcome = *welcome;
    if (welcome->notices.size > 0 && welcome->notices.size < sizeof notices) {
        snprintf(notices, sizeof notices, "%.*s", (int)welcome->notices.size,
                 (const char *)welcome->notices.data);
        io_notices(&self->io, notices);
    }
    link_event(self, LINK_WELCOMED);
}

// What ends a session for good; after others (a drain, a leader elsewhere) we look for the broker
// again.
void link_goodbye(mob_t *self, mob_err_t code, mob_bytes_t text)
{
    link_t *link = &self->link;
    if (code != MOB_ECLOSED && code != MOB_EPROTO && code != MOB_EDENIED && code != MOB_EARGS) {
        link_event(self, LINK_SILENT);
        return;
    }
    link->over = code;
    snprintf(link->over_text, sizeof link->over_text, "%.*s", (int)text.size,
             (const char *)text.data);
    link_event(self, LINK_ENDED);
}

bool link_epoch(mob_t *self, uint64_t epoch)
{
    if (epoch < self->link.epoch)
        return false;
    if (epoch > self->link.epoch)
        link_event(self, LINK_STRANGER);
    return true;
}

bool link_note(mob_t *self, uint64_t epoch, uint64_t n, bool news)
{
    link_t *link = &self->link;
    if (!link_epoch(self, epoch))
        return false;
    link->note_at = self->now;
    if (epoch != link->epoch || link->state != LINK_LIVE)
        return true;
    if (n > link->note + news) {
        link->notes_lost++;
        link->ask_all = true;
        int64_t soon = self->now + ASK_SOON_US;
        link->ask_at = soon < link->ask_at ? soon : link->ask_at;
    }
    link->note = n > link->note ? n : link->note;
    if (!link->told_heard)
        ping(self);
    return true;
}

// ---- Time ---------------------------------------------------------------------------------------

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// Silence must last over two looks: a process that was stopped finds much to read when it wakes.
static void suspect(mob_t *self)
{
    link_t *link = &self->link;
    if (self->now - link->heard_at < SILENT_BEATS * link->heartbeat_us)
        link->doubt_at = 0;
    else if (!link->doubt_at)
        link->doubt_at = self->now;
    else if (self->now - link->doubt_at >= link->heartbeat_us)
        link_event(self, LINK_SILENT);
}

static int64_t live_timers(mob_t *self)
{
    link_t *link = &self->link;
    if (self->now >= link->ping_at)
        ping(self);
    if (self->now >= link->ask_at)
        ask(self, link->ask_all);
    if (self->now >= self->queue.again_at && queue_again(&self->queue, self->now))
        say_names_first(self); // the ones that the requests name may have been lost with them
    suspect(self);
    return sooner(sooner(link->ping_at, link->ask_at), self->queue.again_at);
}

int64_t link_timers(mob_t *self)
{
    link_t *link = &self->link;
    switch (link->state) {
    case LINK_LIVE:
        return live_timers(self);
    case LINK_GREETING:
        if (self->now >= link->greet_at)
            link_event(self, link->greet_us >= GREET_MAX_US ? LINK_SILENT : LINK_UNHEARD);
        return link->state == LINK_GREETING ? link->greet_at : link->redial_at;
    case LINK_OFFLINE:
        if (self->now >= link->redial_at) {
            link->endpoint++;
            dial(self);
        }
        return link->redial_at;
    default:
        return INT64_MAX;
    }
}

bool link_reachable(const mob_t *self)
{
    const link_t *link = &self->link;
    return link->state == LINK_OVER ||
           (link->state == LINK_LIVE &&
            self->now - link->heard_at < SUSPECT_BEATS * link->heartbeat_us);
}
