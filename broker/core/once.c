// once.c - the table of keys. Owns the outcome of a run for those who come with its key later; while it runs they
// wait as edges of the first one's call (graph.c).

#include "once.h"

#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "graph.h"
#include "internal.h"
#include "outcome.h"
#include "prelude.h"
#include "refcount.h"
#include "rope.h"

struct once {
    mob_ref_t first; // whose run it is
    uint64_t asked;  // what for: a hash of target, actor, arguments and dependencies
    int64_t until;   // settled, and kept so long; 0: it has not settled
    uint32_t code;
    blob_t *load;
    reflist_t value;     // refs inside it
    once_t *next, *prev; // of the settled ones, the oldest first
    UT_hash_handle hh;
    uint32_t size; // of name: namespace, then the key's bytes
    uint8_t name[];
};

// ---- What was asked for -------------------------------------------------------------------------

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9fb21c651e98df25u;
    return hash ^ hash >> 29;
}

static uint64_t mix_bytes(uint64_t hash, const uint8_t *data, size_t size)
{
    uint64_t word = 0;
    for (; size >= sizeof word; data += sizeof word, size -= sizeof word) {
        memcpy(&word, data, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, data, size);
    return mix(hash, word);
}

static uint64_t mix_payload(uint64_t hash, blob_t *blob)
{
    load_t part;
    for (uint32_t at = 0; blob && at < blob->size; at += part.size) {
        part = rope_at(blob, at);
        hash = mix_bytes(hash, part.data, part.size);
    }
    return hash;
}

static uint64_t mix_refs(uint64_t hash, refs_t refs)
{
    while (refs.count > 0) {
        mob_ref_t ref = refs_next(&refs);
        hash = mix(mix(hash, ref.owner), ref.seq);
    }
    return hash;
}

static uint64_t asked_for(const call_t *call, mob_ref_t actor, refs_t deps)
{
    const session_t *session = call->owner;
    uint64_t hash = mix(mix(mix(call->target, call->kind), actor.owner), actor.seq);
    if (session->prelude)
        hash = mix_refs(hash, prelude_refs(session));
    return mix_payload(mix_refs(hash, deps), call->load);
}

// ---- Keys ---------------------------------------------------------------------------------------

static once_t *find(const core_t *core, const uint8_t *name, uint32_t size)
{
    once_t *once;
    HASH_FIND(hh, core->once_keys, name, size, once);
    return once;
}

static void weigh(core_t *core, const once_t *once, int sign)
{
    core->count.bytes += (uint64_t)((int64_t)(sizeof *once + once->size) * sign);
}

static void once_free(core_t *core, once_t *once)
{
    if (once->until)
        DL_DELETE(core->once_kept, once);
    HASH_DEL(core->once_keys, once);
    core_weigh(core, once->load, -1);
    refcount_let_go(core, &once->value);
    weigh(core, once, -1);
    blob_drop(&once->load);
    free(once);
}

static bool begin(core_t *core, call_t *call, const uint8_t *name, uint32_t size, uint64_t asked)
{
    call_extra_t *extra = call_extra(call);
    once_t *once = extra ? calloc(1, sizeof *once + size) : NULL;
    if (!once)
        return false;
    once->first = call->id;
    once->asked = asked;
    once->size = size;
    memcpy(once->name, name, size);
    HASH_ADD_KEYPTR(hh, core->once_keys, once->name, size, once);
    weigh(core, once, 1);
    extra->once = once;
    return true;
}

// It waits for the outcome of another one, or gets it now.
static bool share(core_t *core, call_t *call, const once_t *once)
{
    call_extra_t *extra = call_extra(call);
    if (extra)
        extra->shares = true;
    if (once->until && extra) {
        refcount_copy(core, &extra->value, &once->value);
        outcome_store(core, call, (mob_err_t)once->code, blob_hold(once->load));
        return true;
    }
    call_t *first = call_find(core, once->first);
    return extra && first && graph_share(first, call);
}

bool once_enter(core_t *core, call_t *call, mob_bytes_t key, mob_ref_t actor, refs_t deps)
{
    uint8_t name[sizeof call->space + MOB_NAME_MAX];
    uint32_t size = (uint32_t)(sizeof call->space + key.size);
    if (key.size > MOB_NAME_MAX) {
        outcome_fail(core, call, MOB_EARGS, "", "a key has at most %d bytes", MOB_NAME_MAX);
        return false;
    }
    memcpy(name, &call->space, sizeof call->space);
    memcpy(name + sizeof call->space, key.data, key.size);
    uint64_t asked = asked_for(call, actor, deps);
    once_t *once = find(core, name, size);
    if (once && once->asked != asked)
        outcome_fail(core, call, MOB_ESTALE, "", "the key \"%.*s\" was used for something else",
                     (int)key.size, (const char *)key.data);
    else if (!once && begin(core, call, name, size, asked))
        return true;
    else if (!once || !share(core, call, once))
        outcome_fail(core, call, MOB_ENOMEM, "", "the broker is out of memory");
    return false;
}

// ---- The end of a run ---------------------------------------------------------------------------

void once_settled(core_t *core, call_t *call)
{
    once_t *once = call->extra->once;
    call->extra->once = NULL;
    once->code = call->code;
    once->load = blob_hold(call->load);
    once->until = core->now + core->config.kept_us;
    core_weigh(core, once->load, 1);
    refcount_copy(core, &once->value, &call->extra->value);
    DL_APPEND(core->once_kept, once);
}

const reflist_t *once_next(const core_t *core, const once_t **at)
{
    *at = *at ? (*at)->hh.next : core->once_keys;
    return *at ? &(*at)->value : NULL;
}

void once_forget(core_t *core, call_t *call)
{
    once_t *once = call->extra->once;
    call->extra->once = NULL;
    once_free(core, once);
}

void once_beat(core_t *core)
{
    while (core->once_kept && core->once_kept->until <= core->now)
        once_free(core, core->once_kept);
}

void once_fini(core_t *core)
{
    while (core->once_keys)
        once_free(core, core->once_keys);
}
