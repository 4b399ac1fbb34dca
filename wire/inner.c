// inner.c - see inner.h.

#include "inner.h"

#include <endian.h>
#include <string.h>

static uint64_t big_u64(const uint8_t *at)
{
    uint64_t big;
    memcpy(&big, at, sizeof big);
    return be64toh(big);
}

mob_ref_t inner_at(load_t refs, uint32_t index)
{
    const uint8_t *at = refs.data + (size_t)index * INNER_SIZE;
    return (mob_ref_t){big_u64(at), big_u64(at + 8)};
}

uint8_t *inner_put_at(uint8_t *at, mob_ref_t ref)
{
    uint64_t big[2] = {htobe64(ref.owner), htobe64(ref.seq)};
    memcpy(at, big, sizeof big);
    return at + sizeof big;
}

void inner_put(pack_t *out, mob_ref_t ref)
{
    uint8_t bytes[INNER_SIZE];
    inner_put_at(bytes, ref);
    pack_raw(out, bytes, sizeof bytes);
}

// A ref, or the handle of an actor: its incarnation comes behind.
static bool is_ref(const pack_token_t *token)
{
    return token->type == PACK_EXT && token->bytes.size >= INNER_SIZE &&
           (token->ext == PACK_EXT_REF || token->ext == PACK_EXT_ACTOR);
}

static void put_if_any(pack_t *out, mob_ref_t ref)
{
    if (!mob_is_none(ref))
        inner_put(out, ref);
}

// Token by token: containers need no stack to be walked through.
bool inner_find(load_t values, pack_t *out)
{
    unpack_t in = {.next = values.data, .end = values.data + values.size, .tokens = UINT32_MAX};
    while (in.next < in.end) {
        pack_token_t token = unpack_token(&in);
        if (is_ref(&token))
            put_if_any(out, inner_at(load_bytes(token.bytes.data, INNER_SIZE), 0));
    }
    return !in.wrong && !out->failed;
}

// ---- The field ----------------------------------------------------------------------------------

loads_t inner_of(load_t loads[INNER_LOADS_MAX], load_t refs, load_t kept)
{
    const uint32_t most = MOB_BLOB_MAX / INNER_SIZE * INNER_SIZE;
    if (refs.size == 0 && kept.size == 0)
        return (loads_t){0};
    loads_t inner = {.items = loads, .count = 1};
    loads[0] = kept;
    for (uint32_t from = 0; from < refs.size && inner.count < INNER_LOADS_MAX; from += most)
        loads[inner.count++] =
            load_bytes(refs.data + from, refs.size - from < most ? refs.size - from : most);
    return inner;
}

load_t inner_kept(loads_t inner)
{
    return inner.count > 0 ? loads_next(&inner) : (load_t){0};
}

static loads_t parts_of(loads_t inner)
{
    if (inner.count > 0)
        loads_next(&inner);
    return inner;
}

uint32_t inner_total(loads_t inner)
{
    uint32_t total = 0;
    for (loads_t parts = parts_of(inner); parts.count > 0;)
        total += inner_count(loads_next(&parts));
    return total;
}

inner_walk_t inner_walk(loads_t inner)
{
    return (inner_walk_t){.left = parts_of(inner)};
}

bool inner_next(inner_walk_t *self, mob_ref_t *ref)
{
    while (self->at == inner_count(self->load)) {
        if (self->left.count == 0)
            return false;
        self->load = loads_next(&self->left);
        self->at = 0;
    }
    *ref = inner_at(self->load, self->at++);
    return true;
}
