// clerk.c - see clerk.h.

#include "clerk.h"

#include <criterion/criterion.h>

static void *serve(void *arg)
{
    clerk_t *self = arg;
    worker_t *worker = self->worker;
    worker_serve(worker);
    pthread_mutex_lock(&self->lock);
    self->worker = NULL;
    pthread_mutex_unlock(&self->lock);
    worker_destroy(&worker);
    return NULL;
}

void clerk_begin(clerk_t *self, paper_t *paper, const mob_def_t *defs, enum wire_start kind)
{
    mob_err_t err = MOB_OK;
    *self = (clerk_t){.paper = paper, .offer = offer_new(defs, false, &err)};
    cr_assert_eq(err, MOB_OK);
    pthread_mutex_init(&self->lock, NULL);
    self->worker = worker_new(
        &(worker_config_t){.client = &(mob_config_t){.endpoint = paper->address, .name = "clerk"},
                           .offer = self->offer,
                           .owner = CLERK,
                           .host = CLERK_HOST,
                           .host_name = "desk",
                           .kind = kind});
    cr_assert_not_null(self->worker);
    cr_assert_eq(pthread_create(&self->thread, NULL, serve, self), 0);
    const msg_hello_t *hello = paper_hear_hello(paper);
    cr_assert_eq(hello->owner, CLERK);
    cr_assert_eq(hello->role, ROLE_WORKER);
    cr_assert_eq(hello->host, CLERK_HOST);
    paper_welcome(paper, 1);
}

void clerk_end(clerk_t *self)
{
    pthread_mutex_lock(&self->lock);
    if (self->worker) { // else nobody is there to be told
        paper_say(self->paper, TAKEN, taken, .count = UINT32_MAX); // all: it waits for that
        paper_send(self->paper);
        worker_drain(self->worker);
    }
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    pthread_mutex_destroy(&self->lock);
    offer_drop(&self->offer);
}
