// host.c - the host's session. The broker decides which workers there are; this obeys and reports.

#include "host.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"

enum { TELL_US = 300000, HURRY_US = 1000000, KILL_US = 2000000 };

static void changed(host_t *self)
{
    uint64_t one = 1;
    ssize_t written = write(self->changed, &one, sizeof one);
    (void)written; // a full counter is readable, too
}

void host_heard(host_t *self)
{
    uint64_t count;
    ssize_t got = read(self->changed, &count, sizeof count);
    (void)got;
}

// ---- Workers that live --------------------------------------------------------------------------

static bool add_worker(host_t *self, uint64_t owner, enum wire_start kind)
{
    if (self->count == self->room) {
        size_t room = self->room ? 2 * self->room : 16;
        host_worker_t *workers = realloc(self->workers, room * sizeof *workers);
        if (!workers)
            return false;
        self->workers = workers;
        self->room = room;
    }
    self->workers[self->count++] = (host_worker_t){owner, kind};
    return true;
}

static bool has_worker(const host_t *self, uint64_t owner)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->workers[i].owner == owner)
            return true;
    return false;
}

static bool remove_worker(host_t *self, uint64_t owner)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->workers[i].owner != owner)
            continue;
        self->workers[i] = self->workers[--self->count];
        return true;
    }
    return false;
}

static void say_ended(host_t *self, const host_end_t *end)
{
    size_t size = end->log_size < MOB_TEXT_MAX ? end->log_size : MOB_TEXT_MAX;
    message_ENDED(session_out(self->session), &(msg_ended_t){.worker = end->worker,
                                                             .cause = end->cause,
                                                             .status = (uint32_t)end->status,
                                                             .pid = (uint32_t)end->pid,
                                                             .log = {end->log, size}});
}

void host_reaped(host_t *self, const host_end_t *end)
{
    session_lock(self->session);
    pthread_mutex_lock(&self->lock);
    host_end_t said = *end;
    if (said.cause == CAUSE_EXIT && self->stage != HOST_SERVES)
        said.cause = CAUSE_DRAIN;
    if (remove_worker(self, end->worker))
        say_ended(self, &said);
    changed(self);
    pthread_mutex_unlock(&self->lock);
    session_unlock(self->session);
    session_wake(self->session); // it leaves now, not with the next heartbeat
}

// ---- What the broker says -----------------------------------------------------------------------

static void on_start(host_t *self, const msg_start_t *start)
{
    enum wire_cause refused = CAUSE_NONE;
    pthread_mutex_lock(&self->lock);
    if (has_worker(self, start->worker)) { // said again, after a reconnect
        pthread_mutex_unlock(&self->lock);
        return;
    }
    if (self->stage != HOST_SERVES)
        refused = CAUSE_DRAIN;
    else if (!add_worker(self, start->worker, (enum wire_start)start->kind))
        refused = CAUSE_SETUP;
    pthread_mutex_unlock(&self->lock);
    if (!refused && !self->means.start(self->means.arg, start->worker, (enum wire_start)start->kind)) {
        pthread_mutex_lock(&self->lock);
        remove_worker(self, start->worker);
        pthread_mutex_unlock(&self->lock);
        refused = CAUSE_SETUP;
    }
    if (refused)
        say_ended(self, &(host_end_t){.worker = start->worker, .cause = refused, .log = ""});
}

// One that is not there, because its START or its ENDED was lost, has ended, too.
static void on_kill(host_t *self, uint64_t worker)
{
    bool over = self->means.kill(self->means.arg, worker);
    pthread_mutex_lock(&self->lock);
    if (over)
        remove_worker(self, worker);
    bool gone = !has_worker(self, worker);
    changed(self);
    pthread_mutex_unlock(&self->lock);
    if (gone)
        say_ended(self, &(host_end_t){.worker = worker, .cause = CAUSE_KILL, .log = ""});
}

static void ask_to_drain(host_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->asked = true;
    changed(self);
    pthread_mutex_unlock(&self->lock);
}

// The keeper may be in a hook before session_new() has come back.
static void know(host_t *self, mob_t *session)
{
    if (!self->session)
        self->session = session;
}

static void on_message(mob_t *session, void *arg, const message_t *message)
{
    host_t *self = arg;
    know(self, session);
    if (message->verb == VERB_START)
        on_start(self, &message->start);
    else if (message->verb == VERB_KILL && message->kill.worker)
        on_kill(self, message->kill.worker);
    else if (message->verb == VERB_STOP) // whoever serves drains, with the time it was given
        ask_to_drain(self);
}

static void announce(host_t *self)
{
    offer_announce(self->offer, self->session);
    message_OPEN(session_out(self->session),
                 &(msg_open_t){.slots = self->slots,
                               .procs = self->procs,
                               .labels = {self->labels, strlen(self->labels)},
                               .resources = {self->resources, strlen(self->resources)}});
}

static void say_drain(host_t *self)
{
    message_STOP(session_out(self->session),
                 &(msg_stop_t){.actor = {session_owner(self->session), 0}, .how = MOB_STOP_DRAIN});
}

static void on_welcome(mob_t *session, void *arg, bool fresh)
{
    host_t *self = arg;
    know(self, session);
    (void)fresh;
    pthread_mutex_lock(&self->lock);
    bool offers = self->offers, drains = self->stage != HOST_SERVES;
    self->welcomed = true;
    changed(self);
    pthread_mutex_unlock(&self->lock);
    if (offers)
        announce(self);
    if (offers && drains)
        say_drain(self);
}

// ---- Life ---------------------------------------------------------------------------------------

static void on_over(mob_t *session, void *arg, mob_err_t err)
{
    host_t *self = arg;
    (void)session;
    pthread_mutex_lock(&self->lock);
    self->lost = err ? err : MOB_ECLOSED;
    changed(self);
    pthread_mutex_unlock(&self->lock);
}

static const session_hooks_t hooks = {.message = on_message, .welcome = on_welcome, .over = on_over};

static void *turn(void *arg)
{
    host_t *self = arg;
    session_lock(self->session);
    while (!self->closing && !self->lost)
        session_turn(self->session, INT64_MAX);
    session_unlock(self->session);
    return NULL;
}

static void name_offer(host_t *self, const mob_config_t *client)
{
    snprintf(self->labels, sizeof self->labels, "version=" MOB_VERSION " %s",
             client->labels ? client->labels : "");
    if (option_of_host(client, self->resources, sizeof self->resources))
        self->resources[0] = '\0';
}

host_t *host_make(const host_config_t *config)
{
    host_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    pthread_mutex_init(&self->lock, NULL);
    self->changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->offer = offer_hold(config->offer);
    self->means = config->means;
    self->slots = config->slots;
    self->procs = config->procs;
    name_offer(self, config->client);
    const session_role_t role = {
        .role = ROLE_HOST, .owner = config->owner, .hooks = &hooks, .arg = self};
    mob_t *session = self->changed >= 0 ? session_new(config->client, &role) : NULL;
    if (!session) {
        host_destroy(&self);
        return NULL;
    }
    session_lock(session);
    self->session = session;
    snprintf(self->name, sizeof self->name, "%s", session_name(session));
    session_unlock(session);
    return self;
}

bool host_begin(host_t *self)
{
    session_lock(self->session);
    pthread_mutex_lock(&self->lock);
    self->offers = true;
    bool late = self->welcomed;
    pthread_mutex_unlock(&self->lock);
    if (late)
        announce(self);
    session_unlock(self->session);
    self->threaded = pthread_create(&self->thread, NULL, turn, self) == 0;
    return self->threaded;
}

void host_destroy(host_t **self_p)
{
    host_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    if (self->threaded) {
        session_lock(self->session);
        self->closing = true;
        session_unlock(self->session);
        session_wake(self->session);
        pthread_join(self->thread, NULL);
    }
    mob_t *session = self->session; // hooks use ours until the keeper has ended
    session_close(&session, 2000);
    if (self->changed >= 0)
        close(self->changed);
    pthread_mutex_destroy(&self->lock);
    offer_drop(&self->offer);
    free(self->workers);
    free(self);
}

// ---- The way down -------------------------------------------------------------------------------

// The broker is asked first: it sends nothing more, and STOP behind what it has sent, so that no
// call falls between. Workers that do not hear of it are told by us.
void host_drain(host_t *self, int drain_ms)
{
    int64_t now = clock_us();
    session_lock(self->session);
    pthread_mutex_lock(&self->lock);
    bool first = self->stage == HOST_SERVES;
    if (first) {
        self->stage = HOST_DRAINS;
        self->stage_until = now + (int64_t)drain_ms * 1000;
        self->tell_at = self->welcomed ? now + TELL_US : now;
    }
    changed(self);
    pthread_mutex_unlock(&self->lock);
    if (first)
        say_drain(self);
    session_unlock(self->session);
    session_wake(self->session);
}

static void name_late(const host_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        fprintf(stderr, "MOB-DRAIN-LATE host=%s worker=%016" PRIx64 ": its body still runs\n",
                self->name, self->workers[i].owner);
}

// The lock is held; gives what is to be done without it.
static host_stage_t next_stage(host_t *self, int64_t now)
{
    static const int64_t lasts[] = {
        [HOST_HURRIES] = HURRY_US, [HOST_KILLS] = KILL_US, [HOST_OVER] = 0};
    if (self->stage == HOST_SERVES || self->stage == HOST_OVER)
        return HOST_SERVES;
    if (self->count == 0) {
        self->stage = HOST_OVER;
        return HOST_SERVES;
    }
    if (now < self->stage_until)
        return HOST_SERVES;
    self->stage++;
    self->stage_until = now + lasts[self->stage];
    if (self->stage == HOST_KILLS) {
        self->late = true;
        name_late(self);
    }
    return self->stage;
}

static bool must_tell(host_t *self, int64_t now)
{
    if (self->stage != HOST_DRAINS || now < self->tell_at)
        return false;
    self->tell_at = INT64_MAX;
    return true;
}

static int64_t next_step(const host_t *self)
{
    if (self->stage == HOST_SERVES)
        return INT64_MAX;
    return self->stage == HOST_DRAINS && self->tell_at < self->stage_until ? self->tell_at
                                                                           : self->stage_until;
}

host_stage_t host_step(host_t *self, int64_t now, int64_t *again_at)
{
    pthread_mutex_lock(&self->lock);
    host_stage_t entered = next_stage(self, now);
    bool tell = must_tell(self, now);
    host_stage_t stage = self->stage;
    *again_at = next_step(self);
    pthread_mutex_unlock(&self->lock);
    if (tell)
        self->means.drain(self->means.arg, false);
    if (entered == HOST_HURRIES)
        self->means.drain(self->means.arg, true);
    if (entered == HOST_KILLS)
        self->means.kill(self->means.arg, 0);
    return stage;
}

void host_now(host_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->stage = HOST_KILLS;
    self->stage_until = clock_us() + KILL_US;
    pthread_mutex_unlock(&self->lock);
    self->means.kill(self->means.arg, 0);
}

host_view_t host_look(host_t *self)
{
    pthread_mutex_lock(&self->lock);
    host_view_t view = {self->stage, self->lost, self->welcomed, self->asked, self->late};
    pthread_mutex_unlock(&self->lock);
    return view;
}
