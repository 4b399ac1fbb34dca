// session.c - one connection: made, turned, closed. A turn sends what waits, receives all there is,
// and does what is due; whoever is in the library turns, the keeper when nobody is.

#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "machine.h"
#include "upload.h"

// ---- Made and ended -----------------------------------------------------------------------------

static uint64_t random_id(void)
{
    uint64_t id = 0;
    while (id == 0)
        if (getrandom(&id, sizeof id, 0) != sizeof id)
            id = 0;
    return id;
}

static size_t length(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static void move_text(const char **text, char **room)
{
    size_t size = length(*text);
    if (size == 0)
        return;
    *text = memcpy(*room, *text, size);
    *room += size;
}

static void default_names(mob_config_t *config, char name[MACHINE_NAME_SIZE], char space[32])
{
    if (!config->name) {
        machine_name(program_invocation_short_name, name);
        config->name = name;
    }
    if (!config->space)
        config->space = "default";
    if (strcmp(config->space, MOB_ANON) == 0) {
        snprintf(space, 32, "anon-%016llx", (unsigned long long)random_id());
        config->space = space;
    }
}

// All texts of the configuration in one block of ours.
static bool keep_config(mob_t *self, const mob_config_t *config)
{
    char name[MACHINE_NAME_SIZE], space[32];
    mob_config_t copy = config ? *config : (mob_config_t){0};
    default_names(&copy, name, space);
    const char **const texts[] = {&copy.endpoint, &copy.key_file, &copy.name,
                                  &copy.space,    &copy.host,     &copy.labels};
    size_t size = 1;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        size += length(*texts[i]);
    for (size_t i = 0; i < MOB_RESOURCES_MAX; i++)
        size += length(copy.resources[i].name);
    char *room = self->texts = malloc(size);
    if (!room)
        return false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        move_text(texts[i], &room);
    for (size_t i = 0; i < MOB_RESOURCES_MAX; i++)
        move_text(&copy.resources[i].name, &room);
    self->config = copy;
    return true;
}

static void session_free(mob_t *self, int linger_ms)
{
    fetches_fini(self);
    holds_fini(&self->holds);
    futures_fini(&self->futures); // before io: values lie in its frames
    batch_fini(&self->out);
    writer_fini(&self->writer);
    queue_fini(&self->queue);
    symbols_fini(&self->symbols);
    texts_fini(&self->heard);
    io_fini(&self->io, linger_ms);
    if (self->thens.fd >= 0)
        close(self->thens.fd);
    if (self->wake >= 0)
        close(self->wake);
    pthread_cond_destroy(&self->turned);
    pthread_mutex_destroy(&self->lock);
    free(self->voices);
    free(self->texts);
    free(self);
}

static void make_locks(mob_t *self)
{
    pthread_condattr_t attr;
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&self->turned, &attr);
    pthread_condattr_destroy(&attr);
}

mob_t *session_new(const mob_config_t *config, const session_role_t *role)
{
    mob_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    make_locks(self);
    self->role = *role;
    self->owner = role->owner ? role->owner : random_id();
    self->window = WINDOW_DEFAULT;
    self->own = (voice_t){.session = self, .deadline = INT64_MAX, .mark = UINT64_MAX};
    self->voice = &self->own;
    self->next_at = INT64_MAX;
    self->now = clock_us();
    self->thens.fd = self->keeper.kick = -1;
    self->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    writer_init(&self->writer);
    queue_init(&self->queue);
    if (self->wake >= 0 && keep_config(self, config) && futures_init(&self->futures, self->owner) &&
        pack_reserve(&self->out.pack, MOB_FRAME_MAX) && io_init(&self->io, self->wake)) {
        session_lock(self);
        link_init(self);
        bool started = keeper_start(self);
        session_unlock(self);
        if (started)
            return self;
    }
    keeper_stop(self);
    session_free(self, 0);
    return NULL;
}

// Until everything is accepted, or time is over, or there is no hope.
static void send_what_waits(mob_t *self, int linger_ms)
{
    int64_t until = clock_us() + linger_ms * INT64_C(1000);
    session_post(self);
    while (!queue_settled(&self->queue) && self->link.state != LINK_OVER && self->now < until)
        session_go(self, until, false);
}

void session_close(mob_t **self_p, int linger_ms)
{
    mob_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    if (self->guest_end)
        self->guest_end(self->guest);
    session_lock(self);
    self->closing = true;
    send_what_waits(self, linger_ms);
    session_unlock(self);
    thens_end(self);
    keeper_stop(self);
    session_lock(self);
    if (self->link.state == LINK_LIVE) {
        message_BYE(session_room(self),
                    &(msg_bye_t){.reason = self->config.keep ? BYE_KEEP : BYE_END});
        session_post(self);
    }
    session_unlock(self);
    session_free(self, linger_ms);
}

// ---- The open batch -----------------------------------------------------------------------------

// Threads that share a session know their voice by themselves; all others speak by its own.
static _Thread_local voice_t *mine;

static void find_voice(mob_t *self)
{
    if (self->voices)
        self->voice = mine && mine->session == self ? mine : &self->own;
}

void session_lock(mob_t *self)
{
    pthread_mutex_lock(&self->lock);
    find_voice(self);
}

bool session_speak(mob_t *self, voice_t *voice)
{
    uint32_t count = self->voices ? self->voice_count : 1;
    voice_t **voices = realloc(self->voices, (count + 1) * sizeof(voice_t *));
    if (!voices)
        return false;
    self->voices = voices;
    voices[0] = &self->own;
    voices[count] = voice;
    self->voice_count = count + 1;
    *voice = (voice_t){
        .session = self, .deadline = INT64_MAX, .mark = UINT64_MAX, .number = count, .arg = voice->arg};
    mine = voice;
    find_voice(self);
    return true;
}

voice_t *session_voice(const mob_t *self)
{
    return self->voice;
}

void session_rest(mob_t *self, pthread_cond_t *until)
{
    pthread_cond_wait(until, &self->lock);
    find_voice(self);
}

void session_unlock(mob_t *self)
{
    pthread_mutex_unlock(&self->lock);
}

void session_requested(mob_t *self, uint32_t count)
{
    if (!self->out_first)
        self->out_first = self->seq + 1;
    self->seq += count;
    self->out_last = self->seq;
    session_appended(self);
}

void session_appended(mob_t *self)
{
    if (!self->turning || self->driving) // else this very turn sends it
        keeper_appended(&self->keeper);
}

// While there is no connection only requests are worth keeping: the rest is said anew after
// WELCOME.
void session_shelve(mob_t *self)
{
    batch_t *out = &self->out;
    if (batch_empty(out))
        return;
    bool worth = self->out_last > 0 || self->out_keep || self->link.state == LINK_LIVE;
    parcel_t *parcel =
        worth ? parcel_new(out->pack.data, out->pack.size, out->blobs, out->blob_count) : NULL;
    if (worth && !parcel)
        return; // no memory: it waits where it is, and grows
    if (parcel) {
        parcel->first = self->out_first;
        parcel->last = self->out_last;
        parcel->run = self->out_run;
        parcel->until = self->out_until;
        parcel->bound = self->out_bound;
        queue_append(&self->queue, &parcel);
    }
    batch_clear(out);
    self->out_first = self->out_last = self->out_run = self->out_until = 0;
    self->out_keep = self->out_bound = false;
}

void session_post(mob_t *self)
{
    hold_write_drops(self);
    session_shelve(self);
    if (self->link.state == LINK_LIVE)
        queue_send(&self->queue, &self->io, self->now);
}

batch_t *session_room(mob_t *self)
{
    if (batch_full(&self->out)) {
        session_shelve(self);
        if (self->link.state == LINK_LIVE)
            queue_send(&self->queue, &self->io, self->now);
    }
    return &self->out;
}

batch_t *session_out(mob_t *self)
{
    session_appended(self);
    return session_room(self);
}

void session_flush(mob_t *self)
{
    session_post(self);
}

// ---- A turn -------------------------------------------------------------------------------------

static bool receive(mob_t *self, enum io_socket socket, void (*heard)(mob_t *, const arrival_t *))
{
    arrival_t arrival;
    unsigned count = 0;
    while (self->io.unread[socket] && count < TURN_MESSAGES_MAX &&
           io_receive(&self->io, socket, &arrival)) {
        if (arrival.whole)
            heard(self, &arrival);
        arrival_end(&arrival);
        count++;
    }
    return count > 0;
}

// Between a loss and the next connection lie IO_RECONNECT_US at least: whoever polled within that
// time knows of the loss before the new connection brings anything.
static bool watch_connection(mob_t *self)
{
    bool any = false;
    if (self->now - self->polled_at >= IO_RECONNECT_US / 2)
        self->io.unread[IO_MONITOR] = true;
    for (io_event_t event; self->io.unread[IO_MONITOR] && (event = io_event(&self->io)); any = true)
        link_event(self, event == IO_CONNECTED ? LINK_CONNECTED : LINK_LOST);
    return any;
}

// Whether it is another connection decides what its messages mean. Then notices: they bring most,
// and make the rest old news.
static bool receive_all(mob_t *self)
{
    bool any = watch_connection(self);
    any = receive(self, IO_NOTICES, heard_notices) || any;
    return receive(self, IO_CALLS, heard_calls) || any;
}

static int64_t turned(mob_t *self)
{
    const session_hooks_t *hooks = self->role.hooks;
    int64_t next = link_timers(self);
    if (self->fetches.first) {
        int64_t again = fetches_turn(self);
        next = again < next ? again : next;
    }
    if (hooks && hooks->turned) {
        int64_t asked = hooks->turned(self, self->role.arg, self->now);
        next = asked < next ? asked : next;
    }
    if (queue_blocked(&self->queue) && self->link.state == LINK_LIVE && next > self->now + BLOCKED_US)
        next = self->now + BLOCKED_US; // the socket took no more
    return self->next_at = next;
}

// The only place where the lock is released for long. Meanwhile only descriptors are touched.
static void drive(mob_t *self, int64_t until, bool keeper)
{
    int64_t us = until == INT64_MAX ? -1 : until > self->now ? until - self->now : 0;
    eventfd_t n;
    self->polled_at = self->now;
    if (us == 0) {
        io_poll(&self->io, 0);
    } else {
        self->driving = true;
        keeper_drive_begins(&self->keeper);
        session_unlock(self);
        io_poll(&self->io, us);
        session_lock(self);
        keeper_drive_ended(&self->keeper);
        self->driving = false;
    }
    if (!keeper && self->io.polls[IO_SOCKETS].revents)
        eventfd_read(self->wake, &n); // it was for us, and not for the keeper
    self->now = clock_us();
}

// Somebody else drives: what we wait for may come with its turn.
static void follow(mob_t *self, int64_t until)
{
    int64_t at = until < self->now + FOLLOW_US ? until : self->now + FOLLOW_US;
    const struct timespec time = {at / 1000000, at % 1000000 * 1000};
    if (!batch_empty(&self->out))
        session_wake(self); // what we ask for leaves now
    self->followers++;
    pthread_cond_timedwait(&self->turned, &self->lock, &time);
    find_voice(self);
    self->followers--;
}

static void turn(mob_t *self, int64_t until, bool keeper)
{
    self->turning = true;
    int64_t next = turned(self);
    session_post(self);
    if (!receive_all(self)) {
        drive(self, until < next ? until : next, keeper);
        receive_all(self);
    }
    turned(self);
    if (self->queue.unsent)
        session_post(self); // ACCEPT made room
    self->turning = false;
    if (self->followers > 0)
        pthread_cond_broadcast(&self->turned);
}

mob_err_t session_go(mob_t *self, int64_t until, bool keeper)
{
    self->now = clock_us();
    if (!self->driving)
        turn(self, until, keeper);
    else if (until > self->now)
        follow(self, until);
    if (!keeper && atomic_load_explicit(&self->interrupted, memory_order_relaxed) &&
        atomic_exchange(&self->interrupted, false))
        return MOB_EINTERRUPTED;
    return MOB_OK;
}

mob_err_t session_turn(mob_t *self, int64_t until_us)
{
    return session_go(self, until_us, false);
}

void session_wake(mob_t *self)
{
    eventfd_write(self->wake, 1);
}

// ---- What others ask ----------------------------------------------------------------------------

bool session_fetch(mob_t *self, mob_ref_t ref, uint32_t part, uint32_t size)
{
    return fetch_start(self, ref, part, size) != NULL;
}

void session_unfetch(mob_t *self, mob_ref_t ref)
{
    if (self->fetches.first)
        fetch_cancel(self, ref);
}

uint64_t session_answer(mob_t *self, const session_answer_t *answer)
{
    return upload_answer(self, answer);
}

uint64_t session_accepted(const mob_t *self)
{
    return self->queue.accepted;
}

bool session_is_full(const mob_t *self)
{
    return self->queue.bytes >= UNACCEPTED_MAX;
}

uint64_t session_owner(const mob_t *self)
{
    return self->owner;
}

void *session_worker(const mob_t *self)
{
    return self->role.role == ROLE_WORKER ? self->role.arg : NULL;
}

uint64_t session_epoch(const mob_t *self)
{
    return self->link.epoch;
}

const char *session_name(const mob_t *self)
{
    return self->config.name;
}

const char *session_text(mob_t *self, uint32_t symbol)
{
    return texts_of(&self->heard, symbol);
}

void session_set_parent(mob_t *self, mob_ref_t call)
{
    self->voice->parent = call;
}

void session_set_deadline(mob_t *self, int64_t at_us)
{
    self->voice->deadline = at_us;
}

mob_ref_t session_failed(const mob_t *self)
{
    return self->voice->failed;
}

const failure_t *session_failure(const mob_t *self)
{
    future_t *future = futures_find(&self->futures, self->voice->failed);
    return future && future->settled && future->err ? future_failure(future) : NULL;
}

void session_set_failed(mob_t *self, mob_ref_t ref)
{
    self->voice->failed = ref;
}

const mob_config_t *session_config(const mob_t *self)
{
    return &self->config;
}

void session_set_guest(mob_t *self, void *guest, void (*end_guest)(void *guest))
{
    self->guest = guest;
    self->guest_end = end_guest;
}

void *session_guest(const mob_t *self)
{
    return self->guest;
}
