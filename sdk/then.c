// then.c - mob_then, mob_step, mob_fd.

#include "client.h"

#include <stdlib.h>
#include <sys/eventfd.h>

static void make_due(mob_t *self, then_t *then)
{
    thens_t *thens = &self->thens;
    *(then->left ? &then->left->right : &thens->waiting) = then->right;
    if (then->right)
        then->right->left = then->left;
    then->next = NULL;
    *(thens->due_last ? &thens->due_last->next : &thens->due) = then;
    thens->due_last = then;
    if (thens->fd >= 0)
        eventfd_write(thens->fd, 1);
}

void thens_ready(mob_t *self, future_t *future)
{
    then_t *list = future->thens;
    future->thens = NULL;
    for (then_t *next; list; list = next) {
        next = list->next;
        make_due(self, list);
    }
}

void mob_then(mob_t *self, mob_ref_t ref, mob_then_fn *fn, void *arg)
{
    then_t *then = calloc(1, sizeof *then);
    if (!then)
        return; // no memory: never called, as if the ref never settled
    session_lock(self);
    thens_t *thens = &self->thens;
    future_t *future = future_known(self, ref);
    if (future && future->is_stream)
        future = stream_head(self, future);
    *then = (then_t){.future = future, .ref = ref, .actor = self->voice->actor, .fn = fn, .arg = arg};
    then->right = thens->waiting;
    if (then->right)
        then->right->left = then;
    thens->waiting = then;
    if (then->future)
        hold_pin(then->future);
    if (!then->future || heard_value(self, then->future)) {
        make_due(self, then);
    } else { // at the end: callbacks of one ref run in the order they were given
        then_t **at = &then->future->thens;
        while (*at)
            at = &(*at)->next;
        *at = then;
    }
    session_unlock(self);
}

static void run(mob_t *self, then_t *then)
{
    session_unlock(self);
    then->fn(self, then->ref, then->arg);
    session_lock(self);
    if (then->future)
        hold_unpin(self, then->future);
    free(then);
}

// Those that are due now; what a callback makes due waits for the next step, so that this one ends.
static size_t run_due(mob_t *self)
{
    thens_t *thens = &self->thens;
    then_t *last = thens->due_last;
    size_t ran = 0;
    for (bool end = !last; !end && thens->due; ran++) {
        then_t *then = thens->due;
        end = then == last;
        thens->due = then->next;
        if (!thens->due)
            thens->due_last = NULL;
        run(self, then);
    }
    return ran;
}

static void quiet(thens_t *thens)
{
    eventfd_t n;
    if (thens->fd >= 0 && !thens->due)
        eventfd_read(thens->fd, &n);
}

size_t mob_step(mob_t *self, int timeout_ms)
{
    session_lock(self);
    waiter_t waiter = wait_begin(self, timeout_ms);
    while (!self->thens.due && wait_more(&waiter) == MOB_OK)
        ;
    wait_end(&waiter);
    size_t ran = run_due(self);
    quiet(&self->thens);
    session_unlock(self);
    return ran;
}

int mob_fd(mob_t *self)
{
    session_lock(self);
    thens_t *thens = &self->thens;
    if (thens->fd < 0) {
        thens->fd = eventfd(thens->due ? 1 : 0, EFD_NONBLOCK | EFD_CLOEXEC);
        session_appended(self); // the keeper must watch the sockets from now on
    }
    int fd = thens->fd;
    session_unlock(self);
    return fd;
}

// ---- Between bodies -----------------------------------------------------------------------------

// It speaks for the actor whose body gave it.
static void run_between(mob_t *self, then_t *then)
{
    uint64_t mark = session_mark(self);
    self->voice->parent = (mob_ref_t){0, 0};
    self->voice->deadline = INT64_MAX;
    self->voice->actor = then->actor;
    run(self, then);
    session_release(self, mark);
}

static then_t *take_due(thens_t *thens, then_t *before)
{
    then_t *then = before ? before->next : thens->due;
    *(before ? &before->next : &thens->due) = then->next;
    if (thens->due_last == then)
        thens->due_last = before;
    return then;
}

// As in run_due(): what a callback makes due comes after the next body.
bool session_step(mob_t *self)
{
    then_t *last = self->thens.due_last;
    for (bool end = !last; !end && self->thens.due;) {
        then_t *then = take_due(&self->thens, NULL);
        end = then == last;
        run_between(self, then);
    }
    return self->thens.due;
}

bool session_is_due(const mob_t *self)
{
    return self->thens.due;
}

static bool make_one_due(mob_t *self, mob_ref_t actor)
{
    then_t *then = self->thens.waiting;
    while (then && !mob_same(then->actor, actor))
        then = then->right;
    if (!then)
        return false;
    then_t **at = then->future ? &then->future->thens : NULL;
    while (at && *at && *at != then)
        at = &(*at)->next;
    if (at && *at)
        *at = then->next;
    make_due(self, then);
    return true;
}

static bool run_one_due(mob_t *self, mob_ref_t actor)
{
    then_t *before = NULL, *then = self->thens.due;
    while (then && !mob_same(then->actor, actor)) {
        before = then;
        then = then->next;
    }
    if (then)
        run_between(self, take_due(&self->thens, before));
    return then;
}

void session_end_thens(mob_t *self, mob_ref_t actor)
{
    while (make_one_due(self, actor) || run_one_due(self, actor))
        ;
}

void thens_end(mob_t *self)
{
    session_lock(self);
    while (self->thens.waiting || self->thens.due) {
        while (self->thens.waiting) {
            then_t *then = self->thens.waiting;
            if (then->future)
                then->future->thens = NULL;
            make_due(self, then);
        }
        run_due(self);
    }
    session_unlock(self);
}
