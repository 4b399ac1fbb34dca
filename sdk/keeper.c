// keeper.c - while calls come and go the keeper ticks, so that nobody has to wake it for each of
// them: a tick costs less than a wake-up, and after a few quiet ones it rests until it is kicked.

#include "client.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"

enum { TICK_US = 1000, QUIET_TICKS = 20 };

static void kick(keeper_t *self)
{
    atomic_store_explicit(&self->rest, KEEPER_TICKS, memory_order_relaxed);
    eventfd_write(self->kick, 1);
}

static enum keeper_rest rest_of(const keeper_t *self)
{
    return (enum keeper_rest)atomic_load_explicit(&self->rest, memory_order_relaxed);
}

void keeper_appended(keeper_t *self)
{
    self->activity++;
    if (rest_of(self) != KEEPER_TICKS)
        kick(self);
}

void keeper_drive_begins(keeper_t *self)
{
    self->activity++;
    if (rest_of(self) == KEEPER_LISTENS)
        kick(self); // else each message would wake two
}

void keeper_drive_ended(keeper_t *self)
{
    self->activity++;
    if (rest_of(self) == KEEPER_SLEEPS)
        kick(self);
}

// ---- The thread ---------------------------------------------------------------------------------

typedef struct nap { // how the keeper waits next
    struct pollfd polls[IO_SOCKETS + 1];
    nfds_t count;  // 1: only a kick
    int64_t until; // clock_us
} nap_t;

static void sleep_for(const mob_t *self, nap_t *nap)
{
    int64_t us = nap->until == INT64_MAX ? -1 : nap->until - clock_us();
    const struct timespec wait = {us / 1000000, us % 1000000 * 1000};
    eventfd_t n;
    if (us > 0 || nap->until == INT64_MAX)
        ppoll(nap->polls, nap->count, us < 0 ? NULL : &wait, NULL);
    if (nap->polls[0].revents)
        eventfd_read(self->keeper.kick, &n);
    nap->polls[0].revents = 0;
}

static void tick(nap_t *nap)
{
    nap->count = 1;
    nap->until = clock_us() + TICK_US;
}

static void rest(mob_t *self, nap_t *nap, enum keeper_rest how)
{
    atomic_store_explicit(&self->keeper.rest, how, memory_order_relaxed);
    nap->count = 1;
    nap->until = INT64_MAX;
    if (how != KEEPER_LISTENS)
        return;
    for (size_t i = 0; i < IO_SOCKETS; i++)
        nap->polls[1 + i] = self->io.polls[i];
    nap->count = 1 + IO_SOCKETS;
    nap->until = self->next_at;
}

// One look, lock held. quiet counts the ticks since the user did something.
static void look(mob_t *self, nap_t *nap, unsigned *seen, unsigned *quiet)
{
    bool moved = self->keeper.activity != *seen;
    *quiet = moved ? 0 : *quiet + 1;
    if (!self->driving)
        session_go(self, 0, true);
    else if (!batch_empty(&self->out))
        session_wake(self); // appended by a thread that does not drive
    *seen = self->keeper.activity;
    if (self->driving && *quiet >= QUIET_TICKS)
        rest(self, nap, KEEPER_SLEEPS);
    else if (!self->driving && !moved)
        rest(self, nap, KEEPER_LISTENS);
    else
        tick(nap);
}

static void *keep(void *arg)
{
    mob_t *self = arg;
    unsigned seen = 0, quiet = 0;
    nap_t nap = {.polls = {{.fd = self->keeper.kick, .events = POLLIN}}};
    tick(&nap);
    while (!atomic_load(&self->keeper.stop)) {
        sleep_for(self, &nap);
        atomic_store_explicit(&self->keeper.rest, KEEPER_TICKS, memory_order_relaxed);
        if (pthread_mutex_trylock(&self->lock) != 0) {
            quiet = 0;
            tick(&nap);
            continue;
        }
        look(self, &nap, &seen, &quiet);
        pthread_mutex_unlock(&self->lock);
    }
    return NULL;
}

bool keeper_start(mob_t *self)
{
    keeper_t *keeper = &self->keeper;
    keeper->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (keeper->kick < 0)
        return false;
    sigset_t all, before; // signals are the program's
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    keeper->started = pthread_create(&keeper->thread, NULL, keep, self) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return keeper->started;
}

void keeper_stop(mob_t *self)
{
    keeper_t *keeper = &self->keeper;
    if (keeper->started) {
        atomic_store(&keeper->stop, true);
        eventfd_write(keeper->kick, 1);
        pthread_join(keeper->thread, NULL);
        keeper->started = false;
    }
    if (keeper->kick >= 0)
        close(keeper->kick);
    keeper->kick = -1;
}
