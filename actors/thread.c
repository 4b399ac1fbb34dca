// thread.c - workers as threads. The table of those that run is shared by them and their host:
// counted, with a lock of its own, which is never held while a session is asked for anything.

#include "thread.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker.h"

typedef struct thread {
    struct thread *next;
    threads_t *home;
    uint64_t owner;
    worker_t *worker;
    bool abandoned; // the broker wanted it killed: it was told that it is
} thread_t;

struct threads {
    pthread_mutex_t lock;
    uint32_t holders; // the host, and each thread
    mob_config_t client;
    char host_name[MOB_NAME_MAX + 1];
    offer_t *offer;
    host_t *host;     // NULL: gone
    uint32_t telling; // threads inside host_reaped(): the host waits for them
    pthread_cond_t told;
    thread_t *threads;
    uint32_t number; // of the last one, for its name
};

// ---- Life ---------------------------------------------------------------------------------------

threads_t *threads_new(const mob_config_t *client, const char *host_name, offer_t *offer)
{
    threads_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->told, NULL);
    self->holders = 1;
    self->client = *client;
    snprintf(self->host_name, sizeof self->host_name, "%s", host_name);
    self->offer = offer_hold(offer);
    return self;
}

static void threads_release(threads_t *self)
{
    pthread_mutex_lock(&self->lock);
    uint32_t left = --self->holders;
    pthread_mutex_unlock(&self->lock);
    if (left)
        return;
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->told);
    offer_drop(&self->offer);
    free(self);
}

void threads_serve(threads_t *self, host_t *host)
{
    self->host = host;
}

void threads_leave(threads_t *self)
{
    pthread_mutex_lock(&self->lock);
    self->host = NULL;
    while (self->telling)
        pthread_cond_wait(&self->told, &self->lock);
    pthread_mutex_unlock(&self->lock);
}

void threads_drop(threads_t **self_p)
{
    threads_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    for (const thread_t *thread = self->threads; thread; thread = thread->next)
        fprintf(stderr, "MOB-BODY-STUCK host=%s worker=%016" PRIx64 ": its thread goes on\n",
                self->host_name, thread->owner);
    pthread_mutex_unlock(&self->lock);
    threads_release(self);
}

// ---- A thread -----------------------------------------------------------------------------------

static void tell_host(threads_t *self, uint64_t owner, enum wire_cause cause)
{
    pthread_mutex_lock(&self->lock);
    host_t *host = self->host;
    self->telling += host != NULL;
    pthread_mutex_unlock(&self->lock);
    if (!host)
        return;
    host_reaped(host, &(host_end_t){.worker = owner, .cause = cause, .log = ""});
    pthread_mutex_lock(&self->lock);
    self->telling--;
    pthread_cond_broadcast(&self->told);
    pthread_mutex_unlock(&self->lock);
}

static bool take_out(threads_t *self, thread_t *thread) // gives whether its end is news
{
    pthread_mutex_lock(&self->lock);
    thread_t **link = &self->threads;
    while (*link != thread)
        link = &(*link)->next;
    *link = thread->next;
    bool news = !thread->abandoned;
    pthread_mutex_unlock(&self->lock);
    return news;
}

static void *run(void *arg)
{
    thread_t *thread = arg;
    threads_t *home = thread->home;
    worker_serve(thread->worker);
    bool news = take_out(home, thread); // from here on nobody else touches the worker
    worker_destroy(&thread->worker);
    if (news)
        tell_host(home, thread->owner, CAUSE_EXIT);
    free(thread);
    threads_release(home);
    return NULL;
}

static thread_t *thread_new(threads_t *self, uint64_t owner, enum wire_start kind)
{
    thread_t *thread = calloc(1, sizeof *thread);
    if (!thread)
        return NULL;
    char name[MOB_NAME_MAX + 16];
    snprintf(name, sizeof name, "%s-%u", self->host_name, ++self->number);
    mob_config_t client = self->client;
    client.name = name;
    thread->home = self;
    thread->owner = owner;
    thread->worker = worker_new(&(worker_config_t){.client = &client,
                                                   .offer = self->offer,
                                                   .owner = owner,
                                                   .host = session_owner(self->host->session),
                                                   .host_name = self->host_name,
                                                   .kind = kind});
    if (!thread->worker) {
        free(thread);
        return NULL;
    }
    return thread;
}

static bool start(void *arg, uint64_t owner, enum wire_start kind) // the host's session is locked
{
    threads_t *self = arg;
    thread_t *thread = thread_new(self, owner, kind);
    if (!thread)
        return false;
    pthread_mutex_lock(&self->lock);
    thread->next = self->threads;
    self->threads = thread;
    self->holders++;
    pthread_mutex_unlock(&self->lock);
    pthread_attr_t detached;
    pthread_t id;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    bool good = pthread_create(&id, &detached, run, thread) == 0;
    pthread_attr_destroy(&detached);
    if (good)
        return true;
    take_out(self, thread);
    worker_destroy(&thread->worker);
    free(thread);
    threads_release(self);
    return false;
}

// ---- Ends ---------------------------------------------------------------------------------------

// A thread cannot be killed: its body is told to stop, and the broker goes on as if it had ended.
static bool kill_one(void *arg, uint64_t owner)
{
    threads_t *self = arg;
    pthread_mutex_lock(&self->lock);
    for (thread_t *thread = self->threads; thread; thread = thread->next) {
        if (owner && owner != thread->owner)
            continue;
        thread->abandoned = true;
        worker_abandon(thread->worker);
    }
    pthread_mutex_unlock(&self->lock);
    return true;
}

static void drain(void *arg, bool hurry)
{
    threads_t *self = arg;
    pthread_mutex_lock(&self->lock);
    for (thread_t *thread = self->threads; thread; thread = thread->next)
        (hurry ? worker_hurry : worker_drain)(thread->worker);
    pthread_mutex_unlock(&self->lock);
}

host_means_t threads_means(threads_t *self)
{
    return (host_means_t){.start = start, .kill = kill_one, .drain = drain, .arg = self};
}
