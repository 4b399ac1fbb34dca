// mobula_caller.c - a caller of mobula: "calls" to an actor of its own, or "tasks". Futures are
// tracked by the library and resolved by notices; every value is read and checked.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo.contract.h"
#include "load.h"

enum { PATIENCE_MS = 20000 };

typedef struct caller {
    mob_t *m;
    echo_actor_h actor;
    bool tasks;
    uint64_t window;
    mob_ref_bytes refs[LOAD_WINDOW_MAX];
    char payload[LOAD_PAYLOAD];
} caller_t;

static void *caller_open(const load_t *load)
{
    caller_t *self = calloc(1, sizeof *self);
    self->m = mob_connect(&(mob_config_t){.endpoint = load->address});
    self->tasks = strcmp(load->what, "tasks") == 0;
    self->window = load->window;
    load_make(self->payload, load);
    if (self->tasks)
        return self;
    self->actor = mob_new_with(self->m, MOB_ACTOR_OPTS(.mailbox_max = LOAD_WINDOW_MAX), echo_actor);
    mob_ref_t ready = mob_ready(self->actor.actor);
    if (mob_await(self->m, ready, NULL, PATIENCE_MS) == MOB_OK)
        return self;
    fprintf(stderr, "mobula: %s\n", mob_reason(self->m, ready));
    return NULL;
}

static void caller_send(void *arg, uint64_t i)
{
    caller_t *self = arg;
    mob_bytes_t data = {self->payload, sizeof self->payload};
    load_mark(self->payload, i);
    self->refs[i % self->window] = self->tasks
                                       ? mob_run(self->m, echo_task, data)
                                       : mob_call(self->m, self->actor, echo_actor_echo, data);
}

static bool caller_take(void *arg, uint64_t i)
{
    caller_t *self = arg;
    mob_ref_bytes ref = self->refs[i % self->window];
    mob_bytes_t data;
    uint64_t number;
    bool good = mob_get(self->m, ref, &data, PATIENCE_MS) == MOB_OK &&
                load_check(self->payload, data.data, data.size, &number) && number == i;
    mob_drop(self->m, ref.ref);
    return good;
}

static void caller_close(void *arg)
{
    caller_t *self = arg;
    mob_close(&self->m);
    free(self);
}

int main(int argc, char **argv)
{
    return load_main(argc, argv,
                     &(load_system_t){caller_open, caller_send, caller_take, caller_close});
}
