// kin.c - see kin.h.

#include "kin.h"

#include <signal.h>
#include <unistd.h>

#include "crew.h"
#include "work.h"

mob_err_t await_it(mob_ctx_t *ctx, mob_ref_t what, int64_t *out)
{
    return mob_get(ctx->client, mob_as(i64, what), out, MOB_FOREVER);
}

mob_err_t count_up(mob_ctx_t *ctx, mob_actor_t kin, int64_t who, int64_t n, int64_t *out)
{
    mob_ref_i64 notes[128];
    mob_err_t err = MOB_OK;
    for (int64_t i = 0; i < n && i < 128; i++)
        notes[i] = mob_call(ctx->client, mob_handle(kin, kin), kin_note, who, i + 1);
    for (int64_t i = 0; i < n && i < 128 && !err; i++)
        err = mob_done(ctx->client, notes[i], MOB_FOREVER);
    *out = getpid();
    return err;
}

mob_err_t ask_and_die(mob_ctx_t *ctx, mob_actor_t kin, int64_t *out)
{
    crew_enter(ctx);
    mob_err_t err = mob_get(ctx->client, mob_call(ctx->client, mob_handle(kin, kin), kin_add, 1),
                            out, MOB_FOREVER);
    if (ctx->attempt == 0)
        kill(getpid(), SIGKILL);
    return err;
}

mob_err_t size_of(mob_ctx_t *ctx, mob_ref_t what, int64_t after, int64_t *out)
{
    (void)after;
    mob_bytes_t bytes = {0};
    mob_err_t err = mob_get(ctx->client, mob_as(bytes, what), &bytes, MOB_FOREVER);
    *out = (int64_t)bytes.size;
    return err;
}

mob_err_t refuse(mob_ctx_t *ctx, mob_bytes_t what, int64_t *out)
{
    (void)out;
    return mob_fail(ctx, 42, "%d bytes", (int)what.size);
}

mob_err_t family(mob_ctx_t *ctx, mob_actor_t *out)
{
    kin_h parent = mob_new(ctx->client, kin, 0, 0);
    return mob_get(ctx->client, mob_call(ctx->client, parent, kin_send_out), out, MOB_FOREVER);
}

// ---- The actor ----------------------------------------------------------------------------------

enum { WHO_MAX = 16 };

struct kin {
    int64_t value, noted, last[WHO_MAX];
    mob_ref_t kept;
    mob_actor_t friend;
    bool hangs;
};

mob_err_t kin_init(mob_ctx_t *ctx, kin_t *self, int64_t start, int64_t again_ms)
{
    crew_enter(ctx);
    if (mob_was_restarted(ctx))
        work_ms(ctx, again_ms);
    self->value = start;
    return start < 0 ? mob_fail(ctx, 1, "oops") : MOB_OK;
}

void kin_fini(kin_t *self)
{
    crew_tell_ended();
    while (self->hangs)
        pause();
}

mob_err_t kin_add(mob_ctx_t *ctx, kin_t *self, int64_t n, int64_t *out)
{
    crew_enter(ctx);
    *out = self->value += n;
    return MOB_OK;
}

mob_err_t kin_note(mob_ctx_t *ctx, kin_t *self, int64_t who, int64_t number, int64_t *out)
{
    if (number != self->last[who % WHO_MAX] + 1)
        return mob_fail(ctx, 2, "%d after %d", (int)number, (int)self->last[who % WHO_MAX]);
    self->last[who % WHO_MAX] = number;
    *out = ++self->noted;
    return MOB_OK;
}

mob_err_t kin_pid(mob_ctx_t *ctx, kin_t *self, int64_t *out)
{
    (void)ctx, (void)self;
    *out = getpid();
    return MOB_OK;
}

mob_err_t kin_incarnation(mob_ctx_t *ctx, kin_t *self, int64_t *out)
{
    (void)self;
    *out = ctx->incarnation;
    return MOB_OK;
}

mob_err_t kin_until_told(mob_ctx_t *ctx, kin_t *self, int64_t ms, int64_t *out)
{
    (void)self;
    *out = crew_until_told(ctx, ms);
    return MOB_OK;
}

mob_err_t kin_die(mob_ctx_t *ctx, kin_t *self, int64_t *out)
{
    (void)ctx, (void)self, (void)out;
    kill(getpid(), SIGKILL);
    return MOB_OK;
}

mob_err_t kin_pass(mob_ctx_t *ctx, kin_t *self, mob_actor_t next, mob_actor_t last, int64_t *out)
{
    if (next.seq == 0)
        return kin_add(ctx, self, 1, out);
    mob_ref_i64 answer =
        mob_call(ctx->client, mob_handle(kin, next), kin_pass, last, ((mob_actor_t){0}));
    mob_err_t err = mob_get(ctx->client, answer, out, MOB_FOREVER);
    *out += ++self->value;
    return err;
}

mob_err_t kin_bear(mob_ctx_t *ctx, kin_t *self, bool detached, mob_actor_t *out)
{
    (void)self;
    kin_h child = mob_new_with(ctx->client, MOB_ACTOR_OPTS(.detached = detached), kin, 0, 0);
    mob_keep_actor(ctx->client, child.actor);
    *out = child.actor;
    return MOB_OK;
}

mob_err_t kin_send_out(mob_ctx_t *ctx, kin_t *self, mob_actor_t *out)
{
    (void)self;
    *out = mob_new(ctx->client, kin, 0, 0).actor;
    return MOB_OK;
}

mob_err_t kin_keep(mob_ctx_t *ctx, kin_t *self, mob_ref_t what, int64_t *out)
{
    mob_keep(ctx->client, self->kept = what);
    *out = 0;
    return MOB_OK;
}

mob_err_t kin_hoard(mob_ctx_t *ctx, kin_t *self, int64_t size, mob_ref_t *out)
{
    mob_bytes_t bytes = {mob_alloc(ctx, (size_t)size), (size_t)size};
    self->kept = mob_put(ctx->client, bytes).ref;
    mob_keep(ctx->client, self->kept);
    *out = self->kept;
    return MOB_OK;
}

mob_err_t kin_look(mob_ctx_t *ctx, kin_t *self, int64_t *out)
{
    return size_of(ctx, self->kept, 0, out);
}

mob_err_t kin_let_go(mob_ctx_t *ctx, kin_t *self, int64_t *out)
{
    mob_drop(ctx->client, self->kept);
    *out = 0;
    return MOB_OK;
}

mob_err_t kin_befriend(mob_ctx_t *ctx, kin_t *self, mob_ref_t box, int64_t *out)
{
    mob_err_t err = mob_get(ctx->client, mob_as(actor, box), &self->friend, MOB_FOREVER);
    if (!err)
        mob_keep_actor(ctx->client, self->friend);
    *out = 0;
    return err;
}

mob_err_t kin_ask(mob_ctx_t *ctx, kin_t *self, int64_t n, int64_t *out)
{
    kin_h friend = mob_handle(kin, self->friend);
    return mob_get(ctx->client, mob_call(ctx->client, friend, kin_add, n), out, MOB_FOREVER);
}

mob_err_t kin_fork_one(mob_ctx_t *ctx, kin_t *self, int64_t *out)
{
    (void)ctx, (void)self;
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    *out = pid;
    return MOB_OK;
}

mob_err_t kin_hang_in_fini(mob_ctx_t *ctx, kin_t *self, int64_t *out)
{
    (void)ctx;
    self->hangs = true;
    *out = getpid();
    return MOB_OK;
}

const mob_def_t kin_defs[] = {mob_task(add),
                              mob_task(until_told),
                              mob_task(fetch),
                              mob_task(await_it),
                              mob_task(count_up),
                              mob_task(ask_and_die),
                              mob_task(size_of),
                              mob_task(refuse),
                              mob_task(family),
                              mob_actor(kin, KIN),
                              {0}};
