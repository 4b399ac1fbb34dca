// message.c - envelopes: from the table of verbs.h to a checking decoder of each verb. What a peer
// sent is checked here once; nothing behind this file checks a type again. Never copies a payload
// while reading: texts, refs and payloads are views of the frame.

#include "message.h"

#include <string.h>

#include "inner.h"
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

// ---- Reading a field: false when it is wrong, and then the reader says how ----------------------

// Unused: a type may be of no field just now.
#define TAKE static inline __attribute__((always_inline, unused)) bool

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

// [size]: it is elsewhere; [first, count]: the pieces that came before.
static bool take_absent(batch_reader_t *from, uint32_t items, load_t *out)
{
    unpack_t *in = &from->in;
    if (items != 1 && items != 2) {
        unpack_refuse(in, "range");
        return false;
    }
    *out = (load_t){.form = items == 1 ? LOAD_AWAY : LOAD_PIECES};
    if (items == 2)
        out->first = unpack_u64(in);
    out->size = unpack_u32(in);
    if (!in->wrong && (out->size == 0 || (items == 2 && out->first == 0)))
        unpack_refuse(in, "range");
    else if (out->size > (items == 1 ? MOB_LOAD_MAX : MOB_PIECES_MAX))
        unpack_refuse(in, "limit");
    return !in->wrong;
}

static bool take_load(batch_reader_t *from, load_t *out)
{
    unpack_t *in = &from->in;
    pack_token_t token = unpack_token(in);
    if (token.type == PACK_UINT)
        return take_blob(from, token.u64, out);
    if (token.type == PACK_ARRAY)
        return take_absent(from, token.count, out);
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

static bool take_some_loads(batch_reader_t *from, loads_t *out)
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

TAKE take_loads(batch_reader_t *from, loads_t *out)
{
    if (!unpack_byte(&from->in, PACK_NO_ITEMS))
        return take_some_loads(from, out);
    *out = (loads_t){0};
    return true;
}

static bool check_inner(batch_reader_t *from, loads_t inner)
{
    uint32_t refs = 0;
    if (inner.count > INNER_LOADS_MAX)
        unpack_refuse(&from->in, "limit");
    while (inner.count > 0 && !from->in.wrong) {
        load_t load = loads_next(&inner);
        refs += inner_count(load);
        if (load.form != LOAD_HERE || load.size % INNER_SIZE != 0)
            unpack_refuse(&from->in, "range");
        else if (refs > MOB_INNER_MAX)
            unpack_refuse(&from->in, "limit");
    }
    return !from->in.wrong;
}

TAKE take_inner(batch_reader_t *from, loads_t *out)
{
    if (!from->brief && !unpack_byte(&from->in, PACK_NO_ITEMS))
        return take_some_loads(from, out) && check_inner(from, *out);
    *out = (loads_t){0};
    return true;
}

// ---- Options: checked when the envelope is read, looked at only by who wants them ---------------

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

bool opts_say(opts_field_t field, uint32_t number)
{
    unpack_t in = unpack_of(field.wire, field.size);
    for (uint32_t left = field.size ? unpack_map(&in) : 0; left > 0; left--) {
        if (unpack_u64(&in) == number)
            return true;
        unpack_skip(&in);
    }
    return false;
}

// ---- Reading an envelope ------------------------------------------------------------------------

// A decoder each: the name of the field that is wrong, or NULL.
#define F(type, field)                   \
    if (!take_##type(from, &msg->field)) \
        return #field;
#define V(NAME, name, number)                                                  \
    static const char *decode_##NAME(batch_reader_t *from, message_t *message) \
    {                                                                          \
        msg_##name##_t *msg = &message->name;                                  \
        MOB_##NAME(F) return NULL;                                             \
    }
MOB_VERBS(V)
#undef V
#undef F

typedef struct field_row {
    const char *name;
    uint32_t items; // in the array of the envelope
} field_row_t;

#define F(type, field) {#field, ITEMS_##type},
#define V(NAME, name, number) static const field_row_t fields_##NAME[] = {MOB_##NAME(F){NULL, 0}};
MOB_VERBS(V)
#undef V
#undef F

typedef struct verb_row {
    const char *name; // NULL: no such verb
    const char *(*decode)(batch_reader_t *from, message_t *message);
    const field_row_t *fields;
    uint32_t items; // of all fields that must be there
    uint32_t more;  // of those that may be left out
} verb_row_t;

#define F(type, field) +ITEMS_##type
#define F_MORE(type, field) +(ITEMS_##type == 0)
#define V(NAME, name, number) \
    [number] = {#NAME, decode_##NAME, fields_##NAME, 0 MOB_##NAME(F), 0 MOB_##NAME(F_MORE)},
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

bool verb_is_request(uint64_t verb)
{
    const uint64_t requests =
        (uint64_t)1 << VERB_SUBMIT | (uint64_t)1 << VERB_CALL | (uint64_t)1 << VERB_SPAWN |
        (uint64_t)1 << VERB_PUT | (uint64_t)1 << VERB_FIND | (uint64_t)1 << VERB_QUERY |
        (uint64_t)1 << VERB_END | (uint64_t)1 << VERB_KEEP | (uint64_t)1 << VERB_DROP |
        (uint64_t)1 << VERB_PIECE | (uint64_t)1 << VERB_DEPS | (uint64_t)1 << VERB_NEXT |
        (uint64_t)1 << VERB_RETRY | (uint64_t)1 << VERB_DISCARD;
    return verb < 64 && (requests >> verb & 1);
}
_Static_assert(VERB_MAX <= 64, "verb_is_request() has a bit for each verb");

// The protocol's word for what the reader, or this file, found.
static const char *word_of(const char *wrong)
{
    static const char *const words[][2] = {
        {"type", "TYPE"},   {"range", "RANGE"}, {"limit", "LIMIT"},
        {"field", "FIELD"}, {"proto", "PROTO"},
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
        if (verb_is_request(verb) && items > 0)
            out->put.seq = unpack_u64(in);
        in->wrong = "field";
        return missing_field(row, items);
    }
    from->brief = items < row->items + row->more;
    const char *field = row->decode(from, out);
    for (items -= from->brief ? items : row->items + row->more; items > 0 && !in->wrong; items--)
        unpack_skip(in); // fields of a newer minor version
    if (!in->wrong && verb_is_request(verb) && out->put.seq - 1 >= UINT64_MAX - 1) {
        unpack_refuse(in, "range");
        return "seq";
    }
    return in->wrong && !field ? "" : field;
}

// Fill in the fault, then step over the envelope; when that is impossible the rest is lost.
static message_state_t reject(batch_reader_t *batch, unpack_t start, const message_t *out,
                              const char *field, message_fault_t *fault)
{
    bool seq_read = verb_is_request(out->verb) && strcmp(field, "seq") != 0;
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
