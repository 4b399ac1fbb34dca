// message_write.c - envelopes: from the table of verbs.h to an encoder of each verb. First how much
// room it may take at most, then straight writing without looking. What it writes, message_next()
// accepts; on failure nothing was written.

#include "message.h"

#include "text.h"

// Unused: a type may be of no field just now.
#define INLINE static inline __attribute__((always_inline, unused))
#define ROOM INLINE size_t
#define PUT INLINE uint8_t *

// clang-format off
ROOM room_u32(uint32_t value)     { (void)value; return PACK_HEAD_MAX; }
ROOM room_u64(uint64_t value)     { (void)value; return PACK_HEAD_MAX; }
ROOM room_i64(int64_t value)      { (void)value; return PACK_HEAD_MAX; }
ROOM room_flag(bool value)        { (void)value; return PACK_HEAD_MAX; }
ROOM room_ref(mob_ref_t value)    { (void)value; return 2 * PACK_HEAD_MAX; }
ROOM room_bin(mob_bytes_t value)  { return PACK_HEAD_MAX + value.size; }
ROOM room_load(load_t value)      { return 3 * PACK_HEAD_MAX + (value.size <= MOB_INLINE_MAX ? value.size : 0); }
ROOM room_refs(refs_t value)      { return PACK_HEAD_MAX + (size_t)value.count * 2 * PACK_HEAD_MAX; }
// clang-format on
ROOM room_str(mob_bytes_t value)
{
    return PACK_HEAD_MAX + (value.size < MOB_TEXT_MAX ? value.size : MOB_TEXT_MAX);
}

static size_t room_loads(loads_t value)
{
    size_t room = PACK_HEAD_MAX;
    while (value.count > 0)
        room += room_load(loads_next(&value));
    return room;
}

ROOM room_inner(loads_t value)
{
    return room_loads(value);
}

static size_t room_opts(opts_field_t value)
{
    size_t room = PACK_HEAD_MAX + value.size;
#define O(number, type, name) +PACK_HEAD_MAX + room_##type(value.set->name)
    return value.set ? room MOB_OPTIONS(O) : room;
#undef O
}

// clang-format off
PUT put_u32(batch_t *batch, uint8_t *at, uint32_t value) { (void)batch; return pack_u64_at(at, value); }
PUT put_u64(batch_t *batch, uint8_t *at, uint64_t value) { (void)batch; return pack_u64_at(at, value); }
PUT put_i64(batch_t *batch, uint8_t *at, int64_t value)  { (void)batch; return pack_i64_at(at, value); }
// clang-format on

PUT put_flag(batch_t *batch, uint8_t *at, bool value)
{
    (void)batch;
    *at = value ? 0xc3 : 0xc2;
    return at + 1;
}

PUT put_ref(batch_t *batch, uint8_t *at, mob_ref_t value)
{
    (void)batch;
    return pack_u64_at(pack_u64_at(at, value.owner), value.seq);
}

static uint8_t *put_long_str(uint8_t *at, mob_bytes_t value)
{
    size_t keep = text_cut(value.data, value.size, MOB_TEXT_MAX);
    at = pack_head_at(at, PACK_STR, (uint32_t)keep);
    if (text_valid(value.data, keep))
        return pack_bytes_at(at, value.data, keep);
    text_clean(at, value.data, keep);
    return at + keep;
}

PUT put_str(batch_t *batch, uint8_t *at, mob_bytes_t value)
{
    (void)batch;
    if (value.size > 0)
        return put_long_str(at, value);
    *at = PACK_NO_TEXT;
    return at + 1;
}

static uint8_t *put_bin(batch_t *batch, uint8_t *at, mob_bytes_t value)
{
    (void)batch;
    if (value.size > MOB_TEXT_MAX)
        return NULL;
    at = pack_head_at(at, PACK_BIN, (uint32_t)value.size);
    return pack_bytes_at(at, value.data, value.size);
}

static uint8_t *put_some_refs(batch_t *batch, uint8_t *at, refs_t value)
{
    if (value.count > MOB_REFS_MAX)
        return NULL;
    at = pack_head_at(at, PACK_ARRAY, 2 * value.count);
    while (value.count > 0)
        at = put_ref(batch, at, refs_next(&value));
    return at;
}

PUT put_refs(batch_t *batch, uint8_t *at, refs_t value)
{
    if (value.count > 0)
        return put_some_refs(batch, at, value);
    *at = PACK_NO_ITEMS;
    return at + 1;
}

static uint8_t *put_blob(batch_t *batch, uint8_t *at, load_t value)
{
    if (value.size > MOB_BLOB_MAX || batch->blob_count == MOB_BLOBS_MAX)
        return NULL;
    blob_t *blob = load_keep(value);
    if (!blob)
        return NULL;
    *at = (uint8_t)batch->blob_count;
    batch->blobs[batch->blob_count++] = blob;
    return at + 1;
}

static uint8_t *put_absent(uint8_t *at, load_t value)
{
    at = pack_head_at(at, PACK_ARRAY, value.form == LOAD_AWAY ? 1 : 2);
    if (value.form == LOAD_PIECES)
        at = pack_u64_at(at, value.first);
    return pack_u64_at(at, value.size);
}

static uint8_t *put_load(batch_t *batch, uint8_t *at, load_t value)
{
    if (value.form != LOAD_HERE)
        return put_absent(at, value);
    if (value.size > MOB_INLINE_MAX)
        return put_blob(batch, at, value);
    at = pack_head_at(at, PACK_BIN, value.size);
    return pack_bytes_at(at, value.data, value.size);
}

static uint8_t *put_some_loads(batch_t *batch, uint8_t *at, loads_t value)
{
    if (value.count > MOB_DEPS_MAX)
        return NULL;
    at = pack_head_at(at, PACK_ARRAY, value.count);
    while (at && value.count > 0)
        at = put_load(batch, at, loads_next(&value));
    return at;
}

PUT put_loads(batch_t *batch, uint8_t *at, loads_t value)
{
    if (value.count > 0)
        return put_some_loads(batch, at, value);
    *at = PACK_NO_ITEMS;
    return at + 1;
}

PUT put_inner(batch_t *batch, uint8_t *at, loads_t value)
{
    return put_loads(batch, at, value);
}

#define OPTION_SET_i64(value) ((value) != 0)
#define OPTION_SET_str(value) ((value).size != 0)

static uint8_t *put_set_opts(batch_t *batch, uint8_t *at, const opts_t *set)
{
    uint32_t pairs = 0;
#define O(number, type, name) pairs += OPTION_SET_##type(set->name);
    MOB_OPTIONS(O)
#undef O
    at = pack_head_at(at, PACK_MAP, pairs);
#define O(number, type, name)         \
    if (OPTION_SET_##type(set->name)) \
        at = put_##type(batch, pack_u64_at(at, number), set->name);
    MOB_OPTIONS(O)
#undef O
    return at;
}

static uint8_t *put_some_opts(batch_t *batch, uint8_t *at, opts_field_t value)
{
    if (value.set)
        return put_set_opts(batch, at, value.set);
    return pack_bytes_at(at, value.wire, value.size); // handed on as it was read
}

PUT put_opts(batch_t *batch, uint8_t *at, opts_field_t value)
{
    if (value.set || value.size)
        return put_some_opts(batch, at, value);
    *at = PACK_NO_PAIRS;
    return at + 1;
}

// Back to before the envelope: its blobs and its bytes never were.
static bool undo(batch_t *batch, uint32_t blob_count)
{
    while (batch->blob_count > blob_count)
        blob_drop(&batch->blobs[--batch->blob_count]);
    batch->pack.failed = false;
    return false;
}

static bool finish(batch_t *batch, const uint8_t *end, uint32_t blob_count)
{
    size_t size = (size_t)(end - batch->pack.data);
    if (size > MOB_FRAME_MAX)
        return undo(batch, blob_count);
    batch->pack.size = size;
    batch->count++;
    return true;
}

// Begin an envelope of so many items, verb included; NULL: no room.
static uint8_t *begin(batch_t *batch, uint32_t items, uint32_t verb, size_t room)
{
    if (!pack_reserve(&batch->pack, room + 2 * PACK_HEAD_MAX))
        return NULL;
    uint8_t *at = batch->pack.data + batch->pack.size;
    if (items < 16)
        *at++ = (uint8_t)(PACK_NO_ITEMS + items);
    else
        at = pack_head_at(at, PACK_ARRAY, items);
    return pack_u64_at(at, verb);
}

#define F_ITEMS(type, field) +(ITEMS_##type == 0 ? 1 : ITEMS_##type)
#define F_ROOM(type, field) +room_##type(msg->field)
#define F_PUT(type, field)                         \
    if (!(at = put_##type(batch, at, msg->field))) \
        return undo(batch, blob_count);
#define V(NAME, name, number)                                                            \
    bool message_##NAME(batch_t *batch, const msg_##name##_t *msg)                       \
    {                                                                                    \
        uint32_t blob_count = batch->blob_count;                                         \
        uint8_t *at = begin(batch, 1 MOB_##NAME(F_ITEMS), number, 0 MOB_##NAME(F_ROOM)); \
        if (!at)                                                                         \
            return undo(batch, blob_count);                                              \
        MOB_##NAME(F_PUT) return finish(batch, at, blob_count);                          \
    }
MOB_VERBS(V)
