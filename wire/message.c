// message.c - envelopes: from the table of verbs.h to an encoder and a checking decoder of each verb.
// What a peer sent is checked here once; nothing behind this file checks a type again. Never copies a
// payload while reading: texts, refs and payloads are views of the frame.

#include "message.h"

#include <string.h>

#include "text.h"

mob_ref_t refs_next(refs_t *self)
{
    self->count--;
    if (self->items)
        return *self->items++;
    unpack_t in = unpack_of(self->wire, self->size);
    mob_ref_t ref = {.owner = unpack_u64(&in)};
    ref.seq = unpack_u64(&in);
    self->size -= (uint32_t)(in.next - self->wire);
    self->wire = in.next;
    return ref;
}

// ---- Reading a field: false when it is wrong, and then the reader says how --------------------------

#define INLINE static inline __attribute__((always_inline, unused)) // a type may have no field just now
#define TAKE   INLINE bool

TAKE take_u32(batch_reader_t *from, uint32_t *out)
{
    *out = unpack_u32(&from->in);
    return !from->in.wrong;
}

TAKE take_u64(batch_reader_t *from, uint64_t *out)
{
    *out = unpack_u64(&from->in);
    return !from->in.wrong;
}

static bool take_i64(batch_reader_t *from, int64_t *out)
{
    *out = unpack_i64(&from->in);
    return !from->in.wrong;
}

TAKE take_flag(batch_reader_t *from, bool *out)
{
    pack_token_t token = unpack_token(&from->in);
    if (token.type != PACK_FLAG)
        unpack_refuse(&from->in, "type");
    *out = token.type == PACK_FLAG && token.flag;
    return !from->in.wrong;
}

static bool take_long_str(batch_reader_t *from, mob_bytes_t *out)
{
    *out = unpack_str(&from->in, MOB_TEXT_MAX);
    if (!text_valid(out->data, out->size))
        unpack_refuse(&from->in, "range");
    return !from->in.wrong;
}

TAKE take_str(batch_reader_t *from, mob_bytes_t *out)
{
    if (!unpack_byte(&from->in, PACK_NO_TEXT))
        return take_long_str(from, out);
    *out = (mob_bytes_t){"", 0};
    return true;
}

static bool take_bin(batch_reader_t *from, mob_bytes_t *out)
{
    *out = unpack_bin(&from->in, MOB_TEXT_MAX);
    return !from->in.wrong;
}

TAKE take_ref(batch_reader_t *from, mob_ref_t *out)
{
    return take_u64(from, &out->owner) && take_u64(from, &out->seq);
}

static bool take_some_refs(batch_reader_t *from, refs_t *out)
{
    unpack_t *in = &from->in;
    uint32_t numbers = unpack_array(in);
    if (numbers > 2 * MOB_REFS_MAX)
        unpack_refuse(in, "limit");
    else if (numbers % 2)
        unpack_refuse(in, "range");
    *out = (refs_t){.wire = in->next, .count = numbers / 2};
    for (uint32_t i = 0; i < numbers && !in->wrong; i++)
        unpack_u64(in);
    out->size = (uint32_t)(in->next - out->wire);
    return !in->wrong;
}

TAKE take_refs(batch_reader_t *from, refs_t *out)
{
    if (!unpack_byte(&from->in, PACK_NO_ITEMS))
        return take_some_refs(from, out);
    *out = (refs_t){0};
    return true;
}

static bool take_blob(batch_reader_t *from, uint64_t index, load_t *out)
{
    if (index >= from->blob_count) {
        unpack_refuse(&from->in, "range");
        return false;
    }
    *out = load_of(from->blobs[index]);
    if (out->size > MOB_BLOB_MAX)
        unpack_refuse(&from->in, "limit");
    return !from->in.wrong;
}

static bool take_load(batch_reader_t *from, load_t *out)
{
    unpack_t *in = &from->in;
    pack_token_t token = unpack_token(in);
    if (token.type == PACK_UINT)
        return take_blob(from, token.u64, out);
    if (token.type != PACK_BIN)
        unpack_refuse(in, token.type == PACK_SINT ? "range" : "type");
    else if (token.bytes.size > MOB_INLINE_MAX)
        unpack_refuse(in, "limit");
    else
        *out = (load_t){.data = token.bytes.data, .size = (uint32_t)token.bytes.size};
    return !in->wrong;
}

load_t loads_next(loads_t *self)
{
    load_t load = {0};
    self->count--;
    if (self->items)
        return *self->items++;
    batch_reader_t from = batch_open(self->wire, self->size, self->blobs, MOB_BLOBS_MAX);
    take_load(&from, &load);
    self->size -= (uint32_t)(from.in.next - self->wire);
    self->wire = from.in.next;
    return load;
}

static bool take_loads(batch_reader_t *from, loads_t *out)
{
    unpack_t *in = &from->in;
    uint32_t count = unpack_array(in);
    load_t load;
    if (count > MOB_DEPS_MAX)
        unpack_refuse(in, "limit");
    *out = (loads_t){.wire = in->next, .blobs = from->blobs, .count = count};
    for (uint32_t i = 0; i < count && !in->wrong; i++)
        take_load(from, &load);
    out->size = (uint32_t)(in->next - out->wire);
    return !in->wrong;
}

// ---- Options: checked when the envelope is read, looked at only by who wants them -------------------

typedef enum option_type { OPTION_UNKNOWN, OPTION_i64, OPTION_str } option_type_t;

static const struct option_row {
    option_type_t type;
    size_t at; // of its member in opts_t
} option_rows[MOB_OPTIONS_MAX] = {
#define O(number, type, name) [number] = {OPTION_##type, offsetof(opts_t, name)},
    MOB_OPTIONS(O)
#undef O
};

typedef struct option_keys { // which numbers came already
    uint64_t known;          // a bit each
    uint64_t others[MOB_OPTIONS_MAX];
    size_t count;
} option_keys_t;

static bool seen_before(option_keys_t *self, uint64_t key)
{
    if (key < 64) {
        uint64_t bit = (uint64_t)1 << key;
        bool seen = self->known & bit;
        self->known |= bit;
        return seen;
    }
    for (size_t i = 0; i < self->count; i++)
        if (self->others[i] == key)
            return true;
    self->others[self->count++] = key;
    return false;
}

static void take_option(batch_reader_t *from, uint64_t key)
{
    int64_t number;
    mob_bytes_t text;
    option_type_t type = key < MOB_OPTIONS_MAX ? option_rows[key].type : OPTION_UNKNOWN;
    if (type == OPTION_i64)
        take_i64(from, &number);
    else if (type == OPTION_str)
        take_str(from, &text);
    else
        unpack_skip(&from->in);
}

static bool take_some_opts(batch_reader_t *from, opts_field_t *out)
{
    unpack_t *in = &from->in;
    option_keys_t keys = {.count = 0};
    const uint8_t *start = in->next;
    uint32_t pairs = unpack_map(in);
    if (pairs > MOB_OPTIONS_MAX)
        unpack_refuse(in, "limit");
    for (uint32_t i = 0; i < pairs && !in->wrong; i++) {
        uint64_t key = unpack_u64(in);
        if (!in->wrong && seen_before(&keys, key))
            unpack_refuse(in, "twice");
        take_option(from, key);
    }
    *out = (opts_field_t){.wire = start, .size = (uint32_t)(in->next - start)};
    return !in->wrong;
}

TAKE take_opts(batch_reader_t *from, opts_field_t *out)
{
    if (!unpack_byte(&from->in, PACK_NO_PAIRS))
        return take_some_opts(from, out);
    *out = (opts_field_t){0};
    return true;
}

opts_t opts_read(opts_field_t field)
{
    opts_t out = {0};
    if (field.set)
        return *field.set;
    unpack_t in = unpack_of(field.wire, field.size);
    for (uint32_t left = field.size ? unpack_map(&in) : 0; left > 0; left--) {
        uint64_t key = unpack_u64(&in);
        const struct option_row *row = &option_rows[key < MOB_OPTIONS_MAX ? key : 0];
        char *member = (char *)&out + row->at;
        if (row->type == OPTION_i64)
            *(int64_t *)(void *)member = unpack_i64(&in);
        else if (row->type == OPTION_str)
            *(mob_bytes_t *)(void *)member = unpack_str(&in, MOB_TEXT_MAX);
        else
            unpack_skip(&in);
    }
    return out;
}

// ---- Reading an envelope ----------------------------------------------------------------------------

// A decoder each: the name of the field that is wrong, or NULL.
#define F(type, field)                    \
    if (!take_##type(from, &msg->field)) \
        return #field;
#define V(NAME, name, number)                                                    \
    static const char *decode_##NAME(batch_reader_t *from, message_t *message) \
    {                                                                            \
        msg_##name##_t *msg = &message->name;                                    \
        MOB_##NAME(F) return NULL;                                               \
    }
MOB_VERBS(V)
#undef V
#undef F

typedef struct field_row {
    const char *name;
    uint32_t items; // in the array of the envelope
} field_row_t;

enum { ITEMS_ref = 2, ITEMS_u32 = 1, ITEMS_u64 = 1, ITEMS_i64 = 1, ITEMS_flag = 1, ITEMS_str = 1,
       ITEMS_bin = 1, ITEMS_refs = 1, ITEMS_load = 1, ITEMS_loads = 1, ITEMS_opts = 1 };

#define F(type, field) {#field, ITEMS_##type},
#define V(NAME, name, number) static const field_row_t fields_##NAME[] = {MOB_##NAME(F){NULL, 0}};
MOB_VERBS(V)
#undef V
#undef F

typedef struct verb_row {
    const char *name; // NULL: no such verb
    const char *(*decode)(batch_reader_t *from, message_t *message);
    const field_row_t *fields;
    uint32_t items; // of all fields
} verb_row_t;

#define F(type, field) +ITEMS_##type
#define V(NAME, name, number) [number] = {#NAME, decode_##NAME, fields_##NAME, 0 MOB_##NAME(F)},
static const verb_row_t verb_rows[VERB_MAX] = {MOB_VERBS(V)};
#undef V
#undef F

static const verb_row_t *row_of(uint64_t verb)
{
    return verb < VERB_MAX && verb_rows[verb].name ? &verb_rows[verb] : NULL;
}

const char *verb_name(uint32_t verb)
{
    const verb_row_t *row = row_of(verb);
    return row ? row->name : "?";
}

// Those that make a ref: their first field is seq, from 1 up.
static bool is_request(uint64_t verb)
{
    const uint64_t requests = (uint64_t)1 << VERB_SUBMIT | (uint64_t)1 << VERB_CALL |
                              (uint64_t)1 << VERB_SPAWN | (uint64_t)1 << VERB_PUT |
                              (uint64_t)1 << VERB_FIND | (uint64_t)1 << VERB_QUERY |
                              (uint64_t)1 << VERB_END;
    return verb < 64 && (requests >> verb & 1);
}
_Static_assert(VERB_MAX <= 64, "is_request() has a bit for each verb");

// The protocol's word for what the reader, or this file, found.
static const char *word_of(const char *wrong)
{
    static const char *const words[][2] = {
        {"type", "TYPE"}, {"range", "RANGE"}, {"limit", "LIMIT"}, {"field", "FIELD"}, {"proto", "PROTO"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(wrong, words[i][0]) == 0)
            return words[i][1];
    return "MSGPACK";
}

// Which field is the first that an envelope of so many items lacks.
static const char *missing_field(const verb_row_t *row, uint32_t items)
{
    const field_row_t *field = row->fields;
    while (items >= field->items && field[1].name) {
        items -= field->items;
        field++;
    }
    return field->name;
}

// An envelope's verb and fields; NULL, or the name of what is wrong.
static const char *decode(batch_reader_t *from, message_t *out)
{
    unpack_t *in = &from->in;
    out->verb = VERB_NONE;
    uint32_t items = unpack_array(in);
    uint64_t verb = items > 0 ? unpack_u64(in) : 0;
    const verb_row_t *row = row_of(verb);
    if (!row || in->wrong) {
        if (!in->wrong || strcmp(in->wrong, "msgpack") != 0)
            in->wrong = "proto";
        return "";
    }
    out->verb = (verb_t)verb;
    items--;
    if (items < row->items) {
        if (is_request(verb) && items > 0)
            out->put.seq = unpack_u64(in);
        in->wrong = "field";
        return missing_field(row, items);
    }
    const char *field = row->decode(from, out);
    for (items -= row->items; items > 0 && !in->wrong; items--)
        unpack_skip(in); // fields of a newer minor version
    if (!in->wrong && is_request(verb) && out->put.seq - 1 >= UINT64_MAX - 1) {
        unpack_refuse(in, "range");
        return "seq";
    }
    return in->wrong && !field ? "" : field;
}

// Fill in the fault, then step over the envelope; when that is impossible the rest is lost.
static message_state_t reject(batch_reader_t *batch, unpack_t start, const message_t *out,
                              const char *field, message_fault_t *fault)
{
    bool seq_read = is_request(out->verb) && strcmp(field, "seq") != 0;
    *fault = (message_fault_t){
        .verb = out->verb,
        .field = field,
        .wrong = word_of(batch->in.wrong),
        .seq = seq_read ? out->put.seq : 0,
    };
    batch->in = start;
    unpack_skip(&batch->in);
    if (!batch->in.wrong)
        return MESSAGE_BAD;
    fault->wrong = word_of(batch->in.wrong);
    return MESSAGE_BROKEN; // and the reader, being sticky, has nothing left
}

message_state_t message_next(batch_reader_t *batch, message_t *out, message_fault_t *fault)
{
    if (batch->in.next >= batch->in.end)
        return MESSAGE_END;
    batch->in.tokens = MOB_TOKENS_MAX;
    unpack_t start = batch->in;
    const char *field = decode(batch, out);
    return batch->in.wrong ? reject(batch, start, out, field, fault) : MESSAGE_OK;
}

// ---- Writing: first how much room at most, then without looking -------------------------------------

#define ROOM INLINE size_t
#define PUT  INLINE uint8_t *

ROOM room_u32(uint32_t value)     { (void)value; return PACK_HEAD_MAX; }
ROOM room_u64(uint64_t value)     { (void)value; return PACK_HEAD_MAX; }
ROOM room_i64(int64_t value)      { (void)value; return PACK_HEAD_MAX; }
ROOM room_flag(bool value)        { (void)value; return PACK_HEAD_MAX; }
ROOM room_ref(mob_ref_t value)    { (void)value; return 2 * PACK_HEAD_MAX; }
ROOM room_bin(mob_bytes_t value)  { return PACK_HEAD_MAX + value.size; }
ROOM room_load(load_t value)      { return PACK_HEAD_MAX + (value.size <= MOB_INLINE_MAX ? value.size : 0); }
ROOM room_refs(refs_t value)      { return PACK_HEAD_MAX + (size_t)value.count * 2 * PACK_HEAD_MAX; }
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

static size_t room_opts(opts_field_t value)
{
    size_t room = PACK_HEAD_MAX + value.size;
#define O(number, type, name) +PACK_HEAD_MAX + room_##type(value.set->name)
    return value.set ? room MOB_OPTIONS(O) : room;
#undef O
}

PUT put_u32(batch_t *batch, uint8_t *at, uint32_t value)  { (void)batch; return pack_u64_at(at, value); }
PUT put_u64(batch_t *batch, uint8_t *at, uint64_t value)  { (void)batch; return pack_u64_at(at, value); }
PUT put_i64(batch_t *batch, uint8_t *at, int64_t value)   { (void)batch; return pack_i64_at(at, value); }

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
        memcpy(at, value.data, keep);
    else
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
    if (value.size)
        memcpy(at, value.data, value.size);
    return at + value.size;
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

static uint8_t *put_load(batch_t *batch, uint8_t *at, load_t value)
{
    if (value.size > MOB_INLINE_MAX)
        return put_blob(batch, at, value);
    at = pack_head_at(at, PACK_BIN, value.size);
    if (value.size)
        memcpy(at, value.data, value.size);
    return at + value.size;
}

static uint8_t *put_loads(batch_t *batch, uint8_t *at, loads_t value)
{
    if (value.count > MOB_DEPS_MAX)
        return NULL;
    at = pack_head_at(at, PACK_ARRAY, value.count);
    while (at && value.count > 0)
        at = put_load(batch, at, loads_next(&value));
    return at;
}

static bool option_set_i64(int64_t value)    { return value != 0; }
static bool option_set_str(mob_bytes_t value) { return value.size != 0; }

static uint8_t *put_set_opts(batch_t *batch, uint8_t *at, const opts_t *set)
{
    uint32_t pairs = 0;
#define O(number, type, name) pairs += option_set_##type(set->name);
    MOB_OPTIONS(O)
#undef O
    at = pack_head_at(at, PACK_MAP, pairs);
#define O(number, type, name)                              \
    if (option_set_##type(set->name))                      \
        at = put_##type(batch, pack_u64_at(at, number), set->name);
    MOB_OPTIONS(O)
#undef O
    return at;
}

static uint8_t *put_some_opts(batch_t *batch, uint8_t *at, opts_field_t value)
{
    if (value.set)
        return put_set_opts(batch, at, value.set);
    memcpy(at, value.wire, value.size); // handed on as it was read
    return at + value.size;
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

#define F_ITEMS(type, field) +ITEMS_##type
#define F_ROOM(type, field)  +room_##type(msg->field)
#define F_PUT(type, field)                       \
    if (!(at = put_##type(batch, at, msg->field))) \
        return undo(batch, blob_count);
#define V(NAME, name, number)                                                                \
    bool message_##NAME(batch_t *batch, const msg_##name##_t *msg)                           \
    {                                                                                        \
        uint32_t blob_count = batch->blob_count;                                             \
        uint8_t *at = begin(batch, 1 MOB_##NAME(F_ITEMS), number, 0 MOB_##NAME(F_ROOM));     \
        if (!at)                                                                             \
            return undo(batch, blob_count);                                                  \
        MOB_##NAME(F_PUT) return finish(batch, at, blob_count);                              \
    }
MOB_VERBS(V)
