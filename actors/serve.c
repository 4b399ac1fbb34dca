// serve.c - the in-process form: mob_offer_defs() makes this process a host whose workers are
// threads, and mob_serve() waits and drains. What was offered hangs on the client's session and
// ends with it.

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "thread.h"

enum {
    OFFERS_MAX = 16,
    DRAIN_MS = 10000,
    LOOK_US = 200000, // so late may mob_serve() see that the broker wants a host to drain
};

typedef struct serving { // of one connection
    size_t count;
    struct {
        offer_t *offer;
        threads_t *threads;
        host_t *host;
    } items[OFFERS_MAX];
} serving_t;

// ---- Down ---------------------------------------------------------------------------------------

static void wait_for(const serving_t *self, int64_t until)
{
    struct pollfd polls[OFFERS_MAX];
    for (size_t i = 0; i < self->count; i++)
        polls[i] = (struct pollfd){.fd = host_fd(self->items[i].host), .events = POLLIN};
    int64_t left = until == INT64_MAX ? -1 : (until - clock_us() + 999) / 1000;
    poll(polls, self->count, left < 0 && until != INT64_MAX ? 0 : (int)left);
    for (size_t i = 0; i < self->count; i++)
        host_heard(self->items[i].host);
}

static bool step_all(serving_t *self, int64_t *again_at)
{
    bool over = true;
    *again_at = INT64_MAX;
    for (size_t i = 0; i < self->count; i++) {
        int64_t at;
        if (host_step(self->items[i].host, clock_us(), &at) == HOST_OVER)
            continue;
        over = false;
        *again_at = at < *again_at ? at : *again_at;
    }
    return over;
}

static mob_err_t drain(serving_t *self, int drain_ms)
{
    int64_t again_at;
    bool late = false;
    for (size_t i = 0; i < self->count; i++)
        host_drain(self->items[i].host, drain_ms);
    while (!step_all(self, &again_at))
        wait_for(self, again_at);
    for (size_t i = 0; i < self->count; i++)
        late = late || host_look(self->items[i].host).late;
    return late ? MOB_ETIMEDOUT : MOB_OK;
}

static void end_serving(void *guest)
{
    serving_t *self = guest;
    mob_err_t late = drain(self, 0);
    (void)late; // mob_close() gives no result; what is stuck was named
    for (size_t i = self->count; i-- > 0;) {
        threads_leave(self->items[i].threads); // neither may call the other any more:
        host_destroy(&self->items[i].host);    // the host's own thread kills threads until it ends
        threads_drop(&self->items[i].threads);
        offer_drop(&self->items[i].offer);
    }
    free(self);
}

// ---- Up -----------------------------------------------------------------------------------------

static serving_t *serving_of(mob_t *client)
{
    serving_t *self = session_guest(client);
    if (self)
        return self;
    self = calloc(1, sizeof *self);
    if (self)
        session_set_guest(client, self, end_serving);
    return self;
}

static bool offered_before(const serving_t *self, const mob_def_t *defs)
{
    for (; defs->name; defs++)
        for (size_t i = 0; i < self->count; i++)
            if (offer_find(self->items[i].offer, defs->name, defs->methods != NULL))
                return true;
    return false;
}

static mob_err_t say_refused(mob_err_t err, const char *why)
{
    fprintf(stderr, "MOB-OFFER-REFUSED code=%d: %s\n", (int)err, why);
    return err;
}

static uint32_t slots_of(const mob_config_t *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    double slots = config->cpus > 0 ? config->cpus : (double)(cores > 0 ? cores : 1);
    return slots > 4096 ? 4096 : slots < 1 ? 1 : (uint32_t)slots;
}

static host_t *begin(mob_t *client, offer_t *offer, threads_t *threads)
{
    mob_config_t config = *session_config(client);
    config.name = config.host ? config.host : config.name;
    host_t *host = host_make(&(host_config_t){.client = &config,
                                              .offer = offer,
                                              .means = threads_means(threads),
                                              .slots = slots_of(&config)});
    if (!host)
        return NULL;
    threads_serve(threads, host);
    if (!host_begin(host)) {
        threads_leave(threads);
        host_destroy(&host);
    }
    return host;
}

static mob_err_t offer_more(mob_t *client, serving_t *self, offer_t *offer)
{
    const mob_config_t *config = session_config(client);
    threads_t *threads = threads_new(config, config->host ? config->host : config->name, offer);
    host_t *host = threads ? begin(client, offer, threads) : NULL;
    if (!host) {
        threads_drop(&threads);
        return MOB_ENOMEM;
    }
    self->items[self->count].offer = offer_hold(offer);
    self->items[self->count].threads = threads;
    self->items[self->count++].host = host;
    return MOB_OK;
}

mob_err_t mob_offer_defs(mob_t *client, const mob_def_t *defs)
{
    serving_t *self = serving_of(client);
    if (!self)
        return MOB_ENOMEM;
    if (self->count == OFFERS_MAX)
        return say_refused(MOB_ELIMIT,
                           "offered 16 times by this connection: put more into one offer");
    if (offered_before(self, defs))
        return say_refused(MOB_EEXISTS, "a definition was offered before");
    char text[OPTION_TEXT];
    mob_err_t err = option_of_host(session_config(client), text, sizeof text);
    if (err)
        return say_refused(err, text);
    offer_t *offer = offer_new(defs, false, &err);
    if (!offer)
        return MOB_ENOMEM;
    if (err)
        say_refused(err, offer->why);
    else
        err = offer_more(client, self, offer);
    offer_drop(&offer);
    return err;
}

// ---- Serve --------------------------------------------------------------------------------------

static bool asked_to_drain(const serving_t *self, mob_err_t *lost)
{
    for (size_t i = 0; i < self->count; i++) {
        host_view_t view = host_look(self->items[i].host);
        if (view.lost)
            *lost = view.lost;
        if (view.lost || view.asked)
            return true;
    }
    return false;
}

mob_err_t mob_serve(mob_t *client)
{
    serving_t *self = session_guest(client);
    if (!self || self->count == 0)
        return say_refused(MOB_EARGS, "mob_serve() before mob_offer(): there is nothing to serve");
    mob_err_t lost = MOB_OK;
    while (!asked_to_drain(self, &lost)) {
        session_lock(client);
        mob_err_t err = session_turn(client, clock_us() + LOOK_US);
        session_unlock(client);
        if (err == MOB_EINTERRUPTED)
            break;
    }
    mob_err_t err = drain(self, DRAIN_MS);
    return lost ? lost : err;
}
