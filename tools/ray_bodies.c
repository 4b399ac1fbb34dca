// ray_bodies.c - see ray_bodies.h. What a body calls is dropped when it returns.

#include "ray_bodies.h"

#include <stdlib.h>

enum { ACTORS_MAX = 64 };

static const mob_bytes_t ok = {"ok", 2};

// Room for the refs of so many calls, as long as the body runs.
static mob_ref_t *room(mob_ctx_t *ctx, int64_t count)
{
    return count < 0 ? NULL : mob_alloc(ctx, (size_t)(count + 1) * sizeof(mob_ref_t));
}

static mob_err_t all(mob_ctx_t *ctx, const mob_ref_t *refs, int64_t count, int64_t *out)
{
    *out = count;
    return mob_all(ctx->client, refs, (size_t)count, mob_remaining_ms(ctx));
}

// ---- Tasks --------------------------------------------------------------------------------------

mob_err_t ray_small(mob_ctx_t *ctx, mob_bytes_t *out)
{
    (void)ctx;
    *out = ok;
    return MOB_OK;
}

mob_err_t ray_put(mob_ctx_t *ctx, int64_t count, int64_t *out)
{
    for (*out = 0; *out < count; ++*out)
        mob_put(ctx->client, 0);
    return MOB_OK;
}

// So that ten tasks at once find room in the store, what they have dropped and the broker still has included.
enum { LARGEST = 8 * 1024 * 1024, STORED_MS = 60000 };

mob_err_t ray_store(mob_t *m, int64_t size)
{
    static char *zeros; // never written: all of them are one page
    mob_err_t err = zeros || (zeros = calloc(1, LARGEST)) ? MOB_OK : MOB_ENOMEM;
    for (int64_t part; size > 0 && !err; size -= part) {
        part = size < LARGEST ? size : LARGEST;
        mob_ref_bytes ref = mob_put(m, ((mob_bytes_t){zeros, (size_t)part}));
        err = mob_done(m, ref, STORED_MS);
        mob_drop(m, ref.ref);
    }
    return err;
}

mob_err_t ray_put_large(mob_ctx_t *ctx, int64_t count, int64_t size, int64_t *out)
{
    mob_err_t err = MOB_OK;
    for (*out = 0; *out < count && !err; ++*out)
        err = ray_store(ctx->client, size);
    return err;
}

mob_err_t ray_refs(mob_ctx_t *ctx, int64_t count, mob_any_t *out)
{
    mob_value_t *refs = count < 0 ? NULL : mob_alloc(ctx, (size_t)(count + 1) * sizeof(mob_value_t));
    if (!refs)
        return MOB_EARGS;
    for (int64_t i = 0; i < count; i++)
        refs[i] = MOB_VALUE(mob_put(ctx->client, 1).ref);
    mob_write(out->out, mob_list(refs, (size_t)count));
    return MOB_OK;
}

static unsigned read_actors(mob_any_t *list, ray_actor_h actors[ACTORS_MAX])
{
    size_t left = mob_read_list(&list->in);
    unsigned count = 0;
    for (; left > 0 && count < ACTORS_MAX; left--)
        actors[count++].actor = mob_read_actor(&list->in);
    return count;
}

mob_err_t ray_spread(mob_ctx_t *ctx, mob_any_t list, int64_t count, int64_t *out)
{
    ray_actor_h actors[ACTORS_MAX];
    unsigned actor_count = read_actors(&list, actors);
    mob_ref_t *refs = room(ctx, count);
    if (!refs || actor_count == 0)
        return MOB_EARGS;
    for (int64_t i = 0; i < count; i++)
        refs[i] = mob_call(ctx->client, actors[i % actor_count], ray_actor_small).ref;
    return all(ctx, refs, count, out);
}

// ---- Actors -------------------------------------------------------------------------------------

struct ray_actor {
    char unused;
};

mob_err_t ray_actor_small(mob_ctx_t *ctx, ray_actor_t *self, mob_bytes_t *out)
{
    (void)ctx, (void)self;
    *out = ok;
    return MOB_OK;
}

mob_err_t ray_actor_with(mob_ctx_t *ctx, ray_actor_t *self, int64_t x, mob_bytes_t *out)
{
    (void)ctx, (void)self, (void)x;
    *out = ok;
    return MOB_OK;
}

struct ray_client {
    char unused;
};

mob_err_t ray_client_tasks(mob_ctx_t *ctx, ray_client_t *self, int64_t count, int64_t *out)
{
    (void)self;
    mob_ref_t *refs = room(ctx, count);
    if (!refs)
        return MOB_EARGS;
    for (int64_t i = 0; i < count; i++)
        refs[i] = mob_run(ctx->client, ray_small).ref;
    return all(ctx, refs, count, out);
}

mob_err_t ray_client_calls(mob_ctx_t *ctx, ray_client_t *self, mob_any_t list, int64_t count,
                           int64_t *out)
{
    (void)self;
    ray_actor_h actors[ACTORS_MAX];
    unsigned actor_count = read_actors(&list, actors);
    mob_ref_t *refs = room(ctx, count * actor_count);
    if (!refs)
        return MOB_EARGS;
    int64_t made = 0;
    for (unsigned a = 0; a < actor_count; a++)
        for (int64_t i = 0; i < count; i++)
            refs[made++] = mob_call(ctx->client, actors[a], ray_actor_small).ref;
    return all(ctx, refs, made, out);
}

mob_err_t ray_client_calls_with(mob_ctx_t *ctx, ray_client_t *self, mob_actor_t peer, int64_t count,
                                int64_t *out)
{
    (void)self;
    mob_ref_t *refs = room(ctx, count);
    if (!refs)
        return MOB_EARGS;
    mob_ref_i64 zero = mob_put(ctx->client, 0);
    for (int64_t i = 0; i < count; i++)
        refs[i] = mob_call(ctx->client, mob_handle(ray_actor, peer), ray_actor_with, zero).ref;
    return all(ctx, refs, count, out);
}

const mob_def_t ray_actor_def = mob_actor(ray_actor, RAY_ACTOR);
const mob_def_t ray_client_def = mob_actor(ray_client, RAY_CLIENT);
