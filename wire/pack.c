// pack.c - MessagePack by tokens, and the only file that knows libmpack, which needs a careful
// hand: it reads foreign memory when there is no input, remembers half a token after an error, and
// writes most negative integers wrong. So there is one place that reads and one that writes, both
// guarded, each with fresh state, and integers and floats are written here.

#include <stdbool.h> // before <mpack.h>, which else makes bool an unsigned int
#include <mpack.h>

#include "pack.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"

_Static_assert(PACK_HEAD_MAX == MPACK_MAX_TOKEN_LEN, "a token fits the room that we reserve");

// ---- Reading ------------------------------------------------------------------------------------

unpack_t unpack_of(const void *data, size_t size)
{
    const uint8_t *next = data;
    return (unpack_t){.next = next, .end = size ? next + size : next, .tokens = MOB_TOKENS_MAX};
}

void unpack_refuse(unpack_t *self, const char *wrong)
{
    if (!self->wrong)
        self->wrong = wrong;
    self->next = self->end; // sticky: there is nothing more to read
}

static pack_token_t refuse(unpack_t *self, const char *wrong)
{
    unpack_refuse(self, wrong);
    return (pack_token_t){.type = PACK_BAD};
}

// The only call of mpack_read(). Frames are whole, so that "more bytes needed" is an error like any
// other.
static inline bool read_token(unpack_t *self, mpack_token_t *token)
{
    mpack_tokbuf_t fresh = MPACK_TOKBUF_INITIAL_VALUE;
    const char *at = (const char *)self->next;
    size_t left = (size_t)(self->end - self->next);
    if (self->next >= self->end || mpack_read(&fresh, &at, &left, token) != MPACK_OK) {
        unpack_refuse(self, "msgpack");
        return false;
    }
    if (self->tokens == 0) {
        unpack_refuse(self, "limit");
        return false;
    }
    self->tokens--;
    self->next = (const uint8_t *)at;
    return true;
}

// An unsigned integer in place, when eight bytes follow its type byte so that one load gets it;
// else, and for all that is not such a number, false, and read_token() says what it is. libmpack
// takes 15 ns for what this does in 2, and an envelope is mostly integers.
static inline bool read_uint(unpack_t *self, uint64_t *out)
{
    size_t left = (size_t)(self->end - self->next);
    if (left < PACK_HEAD_MAX || self->tokens == 0)
        return false;
    unsigned width = (unsigned)self->next[0] - 0xcc; // of 1 << width bytes
    if (width > 3)
        return false;
    uint64_t big;
    memcpy(&big, self->next + 1, sizeof big);
    *out = be64toh(big) >> (64 - (8u << width));
    self->next += 1 + (1u << width);
    self->tokens--;
    return true;
}

static uint64_t value_of(mpack_token_t token)
{
    return (uint64_t)token.data.value.hi << 32 | token.data.value.lo;
}

// Claims are compared with what is there at once: an item needs a byte, a pair two.
static pack_token_t container_of(unpack_t *self, pack_type_t type, uint32_t count)
{
    size_t left = (size_t)(self->end - self->next);
    if (count > left / (type == PACK_MAP ? 2 : 1))
        return refuse(self, "msgpack");
    return (pack_token_t){.type = type, .count = count};
}

static pack_token_t bytes_of(unpack_t *self, pack_type_t type, uint32_t size, int ext)
{
    const uint8_t *start = self->next;
    if (size > (size_t)(self->end - start))
        return refuse(self, "msgpack");
    self->next += size;
    return (pack_token_t){.type = type, .ext = ext, .bytes = {start, size}};
}

// A payload of less than 256 bytes: nearly all are.
static inline bool is_short_bin(const unpack_t *self)
{
    return self->end - self->next >= 2 && self->next[0] == 0xc4 && self->tokens > 0;
}

pack_token_t unpack_token(unpack_t *self)
{
    pack_token_t number = {.type = PACK_UINT};
    if (unpack_byte_below(self, 0x80)) {
        number.u64 = unpack_u64(self);
        return number;
    }
    if (read_uint(self, &number.u64))
        return number;
    if (is_short_bin(self)) {
        self->tokens--;
        self->next += 2;
        return bytes_of(self, PACK_BIN, self->next[-1], 0);
    }
    mpack_token_t token;
    if (!read_token(self, &token))
        return (pack_token_t){.type = PACK_BAD};
    switch (token.type) { // an integer of type SINT is negative, all others come as UINT
    case MPACK_TOKEN_NIL:
        return (pack_token_t){.type = PACK_NIL};
    case MPACK_TOKEN_BOOLEAN:
        return (pack_token_t){.type = PACK_FLAG, .flag = mpack_unpack_boolean(token)};
    case MPACK_TOKEN_UINT:
        return (pack_token_t){.type = PACK_UINT, .u64 = value_of(token)};
    case MPACK_TOKEN_SINT:
        return (pack_token_t){.type = PACK_SINT, .i64 = mpack_unpack_sint(token)};
    case MPACK_TOKEN_FLOAT:
        return (pack_token_t){.type = PACK_FLOAT, .f64 = mpack_unpack_float(token)};
    case MPACK_TOKEN_STR:
        return bytes_of(self, PACK_STR, token.length, 0);
    case MPACK_TOKEN_BIN:
        return bytes_of(self, PACK_BIN, token.length, 0);
    case MPACK_TOKEN_EXT:
        return bytes_of(self, PACK_EXT, token.length, token.data.ext_type);
    case MPACK_TOKEN_ARRAY:
        return container_of(self, PACK_ARRAY, token.length);
    case MPACK_TOKEN_MAP:
        return container_of(self, PACK_MAP, token.length);
    case MPACK_TOKEN_CHUNK: // only of state that is not fresh
        break;
    }
    return refuse(self, "msgpack");
}

uint64_t unpack_wide_u64(unpack_t *self)
{
    uint64_t value;
    mpack_token_t token;
    if (read_uint(self, &value))
        return value;
    if (!read_token(self, &token))
        return 0;
    if (token.type == MPACK_TOKEN_UINT)
        return value_of(token);
    unpack_refuse(self, token.type == MPACK_TOKEN_SINT ? "range" : "type");
    return 0;
}

int64_t unpack_i64(unpack_t *self)
{
    if (unpack_byte(self, 0xff))
        return -1; // "none" of most fields
    pack_token_t token = unpack_token(self);
    if (token.type == PACK_SINT)
        return token.i64;
    if (token.type == PACK_UINT && token.u64 <= INT64_MAX)
        return (int64_t)token.u64;
    unpack_refuse(self, token.type == PACK_UINT ? "range" : "type");
    return 0;
}

static mob_bytes_t bytes_at_most(unpack_t *self, pack_type_t type, size_t max)
{
    pack_token_t token = unpack_token(self);
    if (token.type == type && token.bytes.size <= max)
        return token.bytes;
    unpack_refuse(self, token.type == type ? "limit" : "type");
    return (mob_bytes_t){"", 0};
}

mob_bytes_t unpack_str(unpack_t *self, size_t max)
{
    return bytes_at_most(self, PACK_STR, max);
}

mob_bytes_t unpack_bin(unpack_t *self, size_t max)
{
    return bytes_at_most(self, PACK_BIN, max);
}

static uint32_t count_of(unpack_t *self, pack_type_t type)
{
    pack_token_t token = unpack_token(self);
    if (token.type == type)
        return token.count;
    unpack_refuse(self, "type");
    return 0;
}

uint32_t unpack_array(unpack_t *self)
{
    if (unpack_byte_below(self, 0xa0) && *self->next >= 0x90) { // up to 15 items, in place
        self->tokens--;
        uint32_t count = *self->next++ & 0x0f;
        return container_of(self, PACK_ARRAY, count).count;
    }
    return count_of(self, PACK_ARRAY);
}

uint32_t unpack_map(unpack_t *self)
{
    return count_of(self, PACK_MAP);
}

// No recursion: what each open container still wants stands in a row of fixed length.
void unpack_skip(unpack_t *self)
{
    uint64_t wanted[MOB_DEPTH_MAX + 1] = {1};
    size_t depth = 0;
    for (;;) {
        while (wanted[depth] == 0)
            if (depth-- == 0)
                return;
        wanted[depth]--;
        pack_token_t token = unpack_token(self);
        if (token.type == PACK_BAD)
            return;
        if (token.type != PACK_ARRAY && token.type != PACK_MAP)
            continue;
        if (depth == MOB_DEPTH_MAX) {
            unpack_refuse(self, "msgpack");
            return;
        }
        wanted[++depth] = (uint64_t)token.count << (token.type == PACK_MAP);
    }
}

// ---- Writing ------------------------------------------------------------------------------------

void pack_fini(pack_t *self)
{
    if (!self->fixed)
        free(self->data);
    *self = PACK_INIT;
}

static bool grow(pack_t *self, size_t more)
{
    size_t room = self->room < 256 ? 256 : self->room;
    while (room - self->size < more && room <= SIZE_MAX / 2)
        room *= 2;
    uint8_t *data = self->fixed || room - self->size < more ? NULL : realloc(self->data, room);
    if (!data) {
        self->failed = true;
        return false;
    }
    self->data = data;
    self->room = room;
    return true;
}

bool pack_reserve(pack_t *self, size_t more)
{
    if (self->failed)
        return false;
    return self->room - self->size >= more || grow(self, more);
}

// The only call of mpack_write(): there is always room for the longest token.
static uint8_t *write_token(uint8_t *at, mpack_token_t token)
{
    mpack_tokbuf_t fresh = MPACK_TOKBUF_INITIAL_VALUE;
    char *to = (char *)at;
    size_t room = MPACK_MAX_TOKEN_LEN;
    mpack_write(&fresh, &to, &room, &token);
    return (uint8_t *)to;
}

// The value in its narrowest form, big-endian. base is the type byte of the form of one byte; the
// bytes behind the value are overwritten by what comes next.
static uint8_t *write_wide(uint8_t *at, unsigned base, unsigned width, uint64_t value)
{
    unsigned size = 1u << width;
    uint64_t big = htobe64(value << (64 - 8 * size));
    *at = (uint8_t)(base + width);
    memcpy(at + 1, &big, sizeof big);
    return at + 1 + size;
}

uint8_t *pack_wide_at(uint8_t *at, uint64_t value)
{
    unsigned width = value <= UINT8_MAX ? 0 : value <= UINT16_MAX ? 1 : value <= UINT32_MAX ? 2 : 3;
    return write_wide(at, 0xcc, width, value);
}

uint8_t *pack_i64_at(uint8_t *at, int64_t value)
{
    if (value >= 0)
        return pack_u64_at(at, (uint64_t)value);
    if (value >= -32) {
        *at = (uint8_t)value;
        return at + 1;
    }
    unsigned width = value >= INT8_MIN ? 0 : value >= INT16_MIN ? 1 : value >= INT32_MIN ? 2 : 3;
    return write_wide(at, 0xd0, width, (uint64_t)value);
}

uint8_t *pack_head_at(uint8_t *at, pack_type_t type, uint32_t count)
{
    if (type == PACK_BIN && count <= UINT8_MAX) {
        at[0] = 0xc4;
        at[1] = (uint8_t)count;
        return at + 2;
    }
    switch (type) {
    case PACK_STR:
        return write_token(at, mpack_pack_str(count));
    case PACK_BIN:
        return write_token(at, mpack_pack_bin(count));
    case PACK_ARRAY:
        return write_token(at, mpack_pack_array(count));
    case PACK_MAP:
        return write_token(at, mpack_pack_map(count));
    default:
        return at;
    }
}

// A function, so that the compiler knows nothing of size and leaves the copy to libc: its own
// instructions for a length that may be large are slow to start.
uint8_t *pack_bytes_at(uint8_t *at, const void *data, size_t size)
{
    if (size)
        memcpy(at, data, size);
    return at + size;
}

// Where a token and size bytes may be written; NULL: failed. Lengths are 32 bits on the wire.
static uint8_t *place_for(pack_t *self, size_t size)
{
    if (size > UINT32_MAX)
        self->failed = true;
    return pack_reserve(self, PACK_HEAD_MAX + size) ? self->data + self->size : NULL;
}

static void written(pack_t *self, const uint8_t *end)
{
    self->size = (size_t)(end - self->data);
}

void pack_nil(pack_t *self)
{
    uint8_t *at = place_for(self, 0);
    if (at)
        written(self, write_token(at, mpack_pack_nil()));
}

void pack_flag(pack_t *self, bool value)
{
    uint8_t *at = place_for(self, 0);
    if (at)
        written(self, write_token(at, mpack_pack_boolean(value)));
}

void pack_u64(pack_t *self, uint64_t value)
{
    uint8_t *at = place_for(self, 0);
    if (at)
        written(self, pack_u64_at(at, value));
}

void pack_i64(pack_t *self, int64_t value)
{
    uint8_t *at = place_for(self, 0);
    if (at)
        written(self, pack_i64_at(at, value));
}

// Always of 64 bits: libmpack's writer would take 32 where they suffice.
void pack_f64(pack_t *self, double value)
{
    uint8_t *at = place_for(self, 0);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (at)
        written(self, write_wide(at, 0xc8, 3, bits));
}

static void write_bytes(pack_t *self, pack_type_t type, const void *data, size_t size)
{
    uint8_t *at = place_for(self, size);
    if (at)
        written(self, pack_bytes_at(pack_head_at(at, type, (uint32_t)size), data, size));
}

void pack_str(pack_t *self, const void *text, size_t size)
{
    write_bytes(self, PACK_STR, text, size);
}

void pack_bin(pack_t *self, const void *data, size_t size)
{
    write_bytes(self, PACK_BIN, data, size);
}

void pack_ext(pack_t *self, int type, const void *data, size_t size)
{
    uint8_t *at = place_for(self, size);
    mpack_token_t token = mpack_pack_ext(type, (mpack_uint32_t)size);
    if (at)
        written(self, pack_bytes_at(write_token(at, token), data, size));
}

void pack_array(pack_t *self, uint32_t count)
{
    uint8_t *at = place_for(self, 0);
    if (at)
        written(self, write_token(at, mpack_pack_array(count)));
}

void pack_map(pack_t *self, uint32_t pairs)
{
    uint8_t *at = place_for(self, 0);
    if (at)
        written(self, write_token(at, mpack_pack_map(pairs)));
}

void pack_raw(pack_t *self, const void *encoded, size_t size)
{
    if (size > 0 && pack_reserve(self, size))
        self->size = (size_t)(pack_bytes_at(self->data + self->size, encoded, size) - self->data);
}
