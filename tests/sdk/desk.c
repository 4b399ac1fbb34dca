// desk.c - see desk.h.

#include "desk.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crew.h"
#include "story.h"

enum { ASKED_MAX = 5000 };
struct desk {
    int count;
    struct {
        mob_promise_i64 promise;
        int64_t n;
    } asked[ASKED_MAX];
    int threads;
    pthread_t thread[DESK_THREADS_MAX];
    char log[256];
};

mob_err_t desk_ask(mob_ctx_t *ctx, desk_t *self, int64_t n, int64_t *out)
{
    crew_enter(ctx);
    *out = -1; // does not count
    self->asked[self->count].n = n;
    self->asked[self->count++].promise = mob_defer(ctx, out);
    return MOB_OK;
}

typedef struct late { // an answer in the making
    mob_t *client;
    mob_promise_i64 promise;
    int64_t n;
} late_t;

static void *answer_late(void *arg)
{
    late_t *late = arg;
    mob_resolve(late->client, late->promise, late->n);
    free(late);
    return NULL;
}

mob_err_t desk_ask_by_thread(mob_ctx_t *ctx, desk_t *self, int64_t n, int64_t *out)
{
    late_t *late = malloc(sizeof *late);
    *late = (late_t){ctx->client, mob_defer(ctx, out), n};
    return pthread_create(&self->thread[self->threads++], NULL, answer_late, late)
               ? mob_fail(ctx, 1, "no thread")
               : MOB_OK;
}

void desk_fini(desk_t *self)
{
    while (self->threads > 0)
        pthread_join(self->thread[--self->threads], NULL);
    if (strcmp(self->log, "left") == 0)
        crew_tell_ended();
}

mob_err_t desk_ask_and_fail(mob_ctx_t *ctx, desk_t *self, int64_t code, int64_t *out)
{
    self->asked[self->count++].promise = mob_defer(ctx, out);
    return mob_fail(ctx, (int)code, "after all not");
}

mob_err_t desk_answer(mob_ctx_t *ctx, desk_t *self, int64_t *out)
{
    *out = 0;
    while (self->count > 0) { // the last one first
        self->count--;
        *out +=
            mob_resolve(ctx->client, self->asked[self->count].promise, self->asked[self->count].n);
    }
    return MOB_OK;
}

mob_err_t desk_refuse(mob_ctx_t *ctx, desk_t *self, int64_t code, const char *text, int64_t *out)
{
    *out = 0;
    while (self->count > 0)
        *out += mob_refuse(ctx->client, self->asked[--self->count].promise.promise, (int)code, "%s",
                           text);
    return MOB_OK;
}

mob_err_t desk_answer_twice(mob_ctx_t *ctx, desk_t *self, int64_t *out)
{
    *out = 0;
    for (int i = 0; i < self->count; i++) {
        mob_promise_i64 promise = self->asked[i].promise;
        mob_resolve(ctx->client, promise, self->asked[i].n);
        *out += mob_resolve(ctx->client, promise, -2);
        *out += mob_refuse(ctx->client, promise.promise, 1, "no");
    }
    self->count = 0;
    return MOB_OK;
}

mob_err_t desk_waiting(mob_ctx_t *ctx, desk_t *self, int64_t *out)
{
    (void)ctx;
    *out = self->count;
    return MOB_OK;
}

typedef struct turn {
    desk_t *desk;
    mob_promise_i64 promise;
} turn_t;

static void turn_ends(mob_t *client, mob_ref_t ref, void *arg)
{
    turn_t *turn = arg;
    int64_t value = 0;
    strcat(turn->desk->log, "END ");
    if (mob_get(client, mob_as(i64, ref), &value, 0) == MOB_OK)
        mob_resolve(client, turn->promise, value);
    free(turn);
}

mob_err_t desk_by_callback(mob_ctx_t *ctx, desk_t *self, int64_t n, int64_t *out)
{
    turn_t *turn = malloc(sizeof *turn);
    strcat(self->log, "START ");
    *turn = (turn_t){self, mob_defer(ctx, out)};
    mob_then(ctx->client, mob_run(ctx->client, twice, n).ref, turn_ends, turn);
    return MOB_OK;
}

static void tell_how(mob_t *client, mob_ref_t ref, void *arg)
{
    desk_t *desk = arg; // it is still there
    if (mob_info(client, ref).state == MOB_PENDING)
        strcpy(desk->log, "left");
}

mob_err_t desk_never(mob_ctx_t *ctx, desk_t *self, mob_nil_t *out)
{
    (void)out;
    mob_ref_i64 child = mob_run_with(ctx->client, MOB_OPTS(.delay_ms = 600000), twice, 1);
    mob_then(ctx->client, child.ref, tell_how, self);
    return MOB_OK;
}

mob_err_t desk_log(mob_ctx_t *ctx, desk_t *self, const char **out)
{
    (void)ctx;
    *out = self->log;
    return MOB_OK;
}

int64_t threads_here(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int64_t count = -2; // "." and ".."
    while (tasks && readdir(tasks))
        count++;
    if (tasks)
        closedir(tasks);
    return count;
}

mob_err_t desk_threads(mob_ctx_t *ctx, desk_t *self, int64_t *out)
{
    (void)ctx, (void)self;
    *out = threads_here();
    return MOB_OK;
}

mob_err_t desk_leave(mob_ctx_t *ctx, desk_t *self, int64_t *out)
{
    (void)self, (void)out;
    return mob_leave(ctx);
}

mob_err_t desk_die(mob_ctx_t *ctx, desk_t *self, int64_t *out)
{
    (void)ctx, (void)self, (void)out;
    kill(getpid(), SIGKILL);
    return MOB_OK;
}

mob_err_t ask_here(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    (void)n;
    mob_defer(ctx, out);
    return MOB_OK;
}

mob_err_t twice(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = 2 * n;
    return MOB_OK;
}

const mob_def_t desk_defs[] = {mob_actor(desk, DESK), mob_task(ask_here), mob_task(twice), {0}};

int64_t desk_open(desk_h desk)
{
    return value_of(mob_call(m, desk, desk_waiting));
}
