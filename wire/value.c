// value.c - values of the API as MessagePack and back. A writer owns its bytes and the list of
// dependencies; a reader borrows everything. Neither looks at a socket, or trusts what it reads.

#include "value.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"
#include "limit.h"

enum { REF_SIZE = INNER_SIZE, ACTOR_SIZE = 20, DEP_SIZE = 2 };

// ---- Writing ------------------------------------------------------------------------------------

void writer_init(mob_writer_t *self)
{
    *self = (mob_writer_t){0};
}

void writer_clear(mob_writer_t *self)
{
    self->pack.size = 0;
    self->pack.failed = false;
    self->inner.size = 0;
    self->inner.failed = false;
    if (self->deps.count > 0)
        refset_clear(&self->deps);
    self->depth = 0;
    self->err = MOB_OK;
}

void writer_fini(mob_writer_t *self)
{
    pack_fini(&self->pack);
    pack_fini(&self->inner);
    refset_fini(&self->deps);
    *self = (mob_writer_t){0};
}

static void fail(mob_writer_t *self, mob_err_t err)
{
    if (!self->err)
        self->err = err;
}

// Whoever gets the value must find what it names: so it is told beside the value, too.
static void note_inner(mob_writer_t *self, mob_ref_t ref)
{
    if (!mob_is_none(ref))
        inner_put(&self->inner, ref);
}

static void write_ref(mob_writer_t *self, mob_ref_t ref)
{
    uint8_t bytes[REF_SIZE];
    inner_put_at(bytes, ref);
    pack_ext(&self->pack, PACK_EXT_REF, bytes, sizeof bytes);
    note_inner(self, ref);
}

static void write_actor(mob_writer_t *self, mob_actor_t actor)
{
    uint8_t bytes[ACTOR_SIZE];
    uint32_t incarnation = htobe32(actor.incarnation);
    uint8_t *at = inner_put_at(bytes, mob_ready(actor));
    memcpy(at, &incarnation, sizeof incarnation);
    pack_ext(&self->pack, PACK_EXT_ACTOR, bytes, sizeof bytes);
    note_inner(self, mob_ready(actor));
}

// The place of ref among the dependencies; the same future twice is one dependency.
static uint32_t dep_index(mob_writer_t *self, mob_ref_t ref)
{
    uint32_t index = refset_add(&self->deps, ref);
    if (index == self->deps.count)
        fail(self, MOB_ENOMEM);
    else if (index == MOB_DEPS_MAX)
        fail(self, MOB_ELIMIT);
    return index;
}

static void write_dep(mob_writer_t *self, mob_ref_t ref)
{
    uint32_t index = dep_index(self, ref);
    const uint8_t bytes[DEP_SIZE] = {(uint8_t)(index >> 8), (uint8_t)index};
    if (!self->err)
        pack_ext(&self->pack, PACK_EXT_DEP, bytes, sizeof bytes);
}

static void write_items(mob_writer_t *self, mob_list_t list, size_t per)
{
    if (list.count > 0 && !list.items) {
        fail(self, MOB_EARGS); // a list that was read: its items are in the reader
        return;
    }
    if (self->depth == MOB_DEPTH_MAX || list.count > MOB_OBJECT_MAX) {
        fail(self, MOB_ELIMIT);
        return;
    }
    if (per == 1)
        pack_array(&self->pack, (uint32_t)list.count);
    else
        pack_map(&self->pack, (uint32_t)list.count);
    self->depth++;
    for (size_t i = 0; i < list.count * per && !self->err; i++)
        mob_write(self, list.items[i]);
    self->depth--;
}

// Encoded values, from a reader: whole, so that what follows them is not misread. Inside a list one
// value is one item. None at all is nothing: its author has written to the writer already.
static void write_raw(mob_writer_t *self, mob_bytes_t raw)
{
    size_t count = 0;
    if (raw.size == 0)
        return;
    if (raw.size > MOB_OBJECT_MAX)
        fail(self, MOB_ELIMIT);
    else if (!value_check(load_bytes(raw.data, raw.size), &count) || (self->depth > 0 && count != 1))
        fail(self, MOB_EARGS);
    else if (inner_find(load_bytes(raw.data, raw.size), &self->inner))
        pack_raw(&self->pack, raw.data, raw.size);
}

static void write_bytes(mob_writer_t *self, mob_bytes_t bytes,
                        void (*pack)(pack_t *, const void *, size_t))
{
    if (bytes.size > MOB_OBJECT_MAX)
        fail(self, MOB_ELIMIT);
    else if (bytes.size > 0 && !bytes.data)
        fail(self, MOB_EARGS);
    else
        pack(&self->pack, bytes.data, bytes.size);
}

static void write_kind(mob_writer_t *self, const mob_value_t *value)
{
    switch (value->kind) {
    case MOB_KIND_NIL:
        pack_nil(&self->pack);
        return;
    case MOB_KIND_FLAG:
        pack_flag(&self->pack, value->flag);
        return;
    case MOB_KIND_I64:
        pack_i64(&self->pack, value->i64);
        return;
    case MOB_KIND_F64:
        pack_f64(&self->pack, value->f64);
        return;
    case MOB_KIND_STR:
        write_bytes(self, value->bytes, pack_str);
        return;
    case MOB_KIND_BYTES:
        write_bytes(self, value->bytes, pack_bin);
        return;
    case MOB_KIND_LIST:
        write_items(self, value->list, 1);
        return;
    case MOB_KIND_MAP:
        write_items(self, value->list, 2);
        return;
    case MOB_KIND_REF:
        write_ref(self, value->ref);
        return;
    case MOB_KIND_ACTOR:
        write_actor(self, value->actor);
        return;
    case MOB_KIND_DEP:
        write_dep(self, value->ref);
        return;
    case MOB_KIND_RECORD:
        value->record.pack(self, value->record.data);
        return;
    case MOB_KIND_RAW:
        write_raw(self, value->bytes);
        return;
    case MOB_KIND_ANY:
        break;
    }
    fail(self, MOB_EARGS);
}

void mob_write(mob_writer_t *self, mob_value_t value)
{
    if (self->err)
        return;
    write_kind(self, &value);
    if (self->pack.failed || self->inner.failed)
        fail(self, MOB_ENOMEM);
    else if (self->pack.size > MOB_LOAD_MAX || self->inner.size > MOB_INNER_MAX * INNER_SIZE)
        fail(self, MOB_ELIMIT);
}

// ---- Reading ------------------------------------------------------------------------------------

// Over a payload: its bytes are the bound, not the budget of an envelope.
static unpack_t unpack_payload(const uint8_t *next, const uint8_t *end)
{
    return (unpack_t){.next = next, .end = end, .tokens = UINT32_MAX};
}

mob_reader_t reader_of(load_t load, arena_t *arena)
{
    const unsigned char *end = load.size ? load.data + load.size : load.data;
    return (mob_reader_t){.next = load.data, .end = end, .arena = arena};
}

static bool read_text(mob_reader_t *self, mob_bytes_t text, mob_bytes_t *out)
{
    *out = (mob_bytes_t){"", 0};
    if (text.size == 0)
        return true;
    char *copy = self->arena ? arena_alloc(self->arena, text.size + 1) : NULL;
    if (!copy) {
        self->err = MOB_ENOMEM;
        return false;
    }
    memcpy(copy, text.data, text.size);
    *out = (mob_bytes_t){copy, text.size};
    return true;
}

static bool read_ext(const pack_token_t *token, mob_value_t *out)
{
    const uint8_t *at = token->bytes.data;
    if (token->ext == PACK_EXT_REF && token->bytes.size == REF_SIZE) {
        *out = (mob_value_t){.kind = MOB_KIND_REF, .ref = inner_at(load_bytes(at, REF_SIZE), 0)};
        return true;
    }
    if (token->ext != PACK_EXT_ACTOR || token->bytes.size != ACTOR_SIZE)
        return false;
    uint32_t incarnation;
    mob_ref_t making = inner_at(load_bytes(at, REF_SIZE), 0);
    memcpy(&incarnation, at + REF_SIZE, sizeof incarnation);
    *out = (mob_value_t){.kind = MOB_KIND_ACTOR,
                         .actor = {making.owner, making.seq, be32toh(incarnation)}};
    return true;
}

static const mob_kind_t kind_of_token[] = {
    [PACK_BAD] = MOB_KIND_ANY,    [PACK_NIL] = MOB_KIND_NIL,   [PACK_FLAG] = MOB_KIND_FLAG,
    [PACK_UINT] = MOB_KIND_I64,   [PACK_SINT] = MOB_KIND_I64,  [PACK_FLOAT] = MOB_KIND_F64,
    [PACK_STR] = MOB_KIND_STR,    [PACK_BIN] = MOB_KIND_BYTES, [PACK_EXT] = MOB_KIND_REF,
    [PACK_ARRAY] = MOB_KIND_LIST, [PACK_MAP] = MOB_KIND_MAP,
};

// A token as the value that it is.
static bool read_plain(mob_reader_t *self, const pack_token_t *token, mob_value_t *out)
{
    out->kind = kind_of_token[token->type];
    switch (token->type) {
    case PACK_BAD:
        return false;
    case PACK_NIL:
        return true;
    case PACK_FLAG:
        out->flag = token->flag;
        return true;
    case PACK_UINT:
        out->i64 = (int64_t)token->u64;
        return token->u64 <= INT64_MAX;
    case PACK_SINT:
        out->i64 = token->i64;
        return true;
    case PACK_FLOAT:
        out->f64 = token->f64;
        return true;
    case PACK_STR:
        return read_text(self, token->bytes, &out->bytes);
    case PACK_BIN:
        out->bytes = token->bytes;
        return true;
    case PACK_EXT:
        return read_ext(token, out);
    case PACK_ARRAY:
    case PACK_MAP:
        out->list = (mob_list_t){NULL, token->count};
        return true;
    }
    return false;
}

// What else may stand where a kind is asked for: F64 takes any integer, FLAG 0 and 1.
static bool convert(const pack_token_t *token, mob_kind_t kind, mob_value_t *out)
{
    out->kind = kind;
    if (kind == MOB_KIND_F64 && (token->type == PACK_UINT || token->type == PACK_SINT)) {
        out->f64 = token->type == PACK_UINT ? (double)token->u64 : (double)token->i64;
        return true;
    }
    out->flag = token->type == PACK_UINT && token->u64 == 1;
    return kind == MOB_KIND_FLAG && token->type == PACK_UINT && token->u64 <= 1;
}

static bool read_raw(mob_reader_t *self, mob_value_t *out)
{
    unpack_t in = unpack_payload(self->next, self->end);
    unpack_skip(&in);
    if (in.wrong)
        return false;
    out->bytes = (mob_bytes_t){self->next, (size_t)(in.next - self->next)};
    self->next = in.next;
    return true;
}

static bool read_next(mob_reader_t *self, mob_kind_t kind, mob_value_t *out)
{
    if (kind == MOB_KIND_RAW)
        return read_raw(self, out);
    unpack_t in = unpack_payload(self->next, self->end);
    pack_token_t token = unpack_token(&in);
    mob_kind_t found = kind_of_token[token.type];
    if (token.type == PACK_EXT && token.ext == PACK_EXT_ACTOR)
        found = MOB_KIND_ACTOR;
    bool plain = kind == found || kind == MOB_KIND_ANY;
    if (plain ? !read_plain(self, &token, out) : !convert(&token, kind, out))
        return false;
    self->next = in.next;
    return true;
}

static void read_nothing(mob_kind_t kind, mob_value_t *out)
{
    memset(out, 0, sizeof *out);
    out->kind = kind;
    if (kind == MOB_KIND_STR || kind == MOB_KIND_BYTES)
        out->bytes.data = "";
}

mob_value_t mob_read(mob_reader_t *self, mob_kind_t kind)
{
    mob_value_t value = {.kind = kind};
    if (self->err || !read_next(self, kind, &value)) {
        if (!self->err)
            self->err = MOB_EARGS;
        read_nothing(kind, &value);
    }
    return value;
}

// ---- Around them --------------------------------------------------------------------------------

bool value_check(load_t values, size_t *count_p)
{
    mob_reader_t reader = reader_of(values, NULL);
    unpack_t in = unpack_payload(reader.next, reader.end);
    size_t count = 0;
    for (; in.next < in.end; count++)
        unpack_skip(&in);
    if (count_p)
        *count_p = count;
    return !in.wrong;
}

static bool splice_one(pack_t *out, const pack_token_t *dep, const load_t *deps, uint32_t count)
{
    const uint8_t *at = dep->bytes.data;
    uint32_t index = dep->bytes.size == DEP_SIZE ? (uint32_t)(at[0] << 8 | at[1]) : UINT32_MAX;
    size_t values = 0;
    if (index >= count)
        return false;
    if (deps[index].size == 0)
        pack_nil(out);
    else if (!value_check(deps[index], &values) || values != 1)
        return false;
    pack_raw(out, deps[index].data, deps[index].size);
    return !out->failed;
}

// One pass over the tokens: between two dependencies the bytes are copied as they are. A value for
// a value: the containers around keep their counts.
bool value_splice(pack_t *out, load_t args, const load_t *deps, uint32_t count)
{
    size_t before = out->size;
    mob_reader_t reader = reader_of(args, NULL);
    unpack_t in = unpack_payload(reader.next, reader.end);
    const uint8_t *copied = in.next;
    while (in.next < in.end) {
        const uint8_t *start = in.next;
        pack_token_t token = unpack_token(&in);
        if (token.type != PACK_EXT || token.ext != PACK_EXT_DEP)
            continue;
        pack_raw(out, copied, (size_t)(start - copied));
        if (!splice_one(out, &token, deps, count))
            return false;
        copied = in.next;
    }
    if (in.wrong)
        return false;
    pack_raw(out, copied, (size_t)(in.end - copied));
    if (out->failed || out->size == before)
        return !out->failed;
    return value_check(load_bytes(out->data + before, out->size - before), NULL);
}
