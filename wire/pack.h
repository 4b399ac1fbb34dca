// pack.h - MessagePack by tokens. pack.c is the only file that knows libmpack.
// Both ends are sticky: after an error a writer ignores what it is given and a reader gives zeros, so
// that code reads straight down and checks once.

#ifndef MOBULA_WIRE_PACK_H
#define MOBULA_WIRE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mobula/types.h"

// ---- Reading ------------------------------------------------------------------------------------

typedef enum pack_type { // what stands next; PACK_BAD: nothing that we accept
    PACK_BAD,
    PACK_NIL,
    PACK_FLAG,
    PACK_UINT,
    PACK_SINT,
    PACK_FLOAT,
    PACK_STR,
    PACK_BIN,
    PACK_EXT,
    PACK_ARRAY,
    PACK_MAP
} pack_type_t;

typedef struct pack_token {
    pack_type_t type;
    int ext; // EXT: its type
    union {
        bool flag;
        uint64_t u64; // UINT
        int64_t i64;  // SINT: always negative
        double f64;
        uint32_t count;    // ARRAY: items, MAP: pairs; never more than the bytes left can hold
        mob_bytes_t bytes; // STR, BIN, EXT: a view
    };
} pack_token_t;

typedef struct unpack {
    const uint8_t *next, *end;
    uint32_t tokens;   // left of the budget
    const char *wrong; // NULL, or what was wrong: "msgpack", "type", "range", "limit", "trailing"
} unpack_t;

unpack_t unpack_of(const void *data, size_t size); // budget: MOB_TOKENS_MAX
pack_token_t unpack_token(unpack_t *self); // PACK_BAD after an error, also at the end of input
uint64_t unpack_wide_u64(unpack_t *self);  // as unpack_u64(), of any width
static inline uint64_t unpack_u64(unpack_t *self); // refuses negative numbers and other types
static inline uint32_t unpack_u32(unpack_t *self); // refuses what does not fit; never truncates
int64_t unpack_i64(unpack_t *self);
mob_bytes_t unpack_str(unpack_t *self, size_t max);
mob_bytes_t unpack_bin(unpack_t *self, size_t max);
uint32_t unpack_array(unpack_t *self);
uint32_t unpack_map(unpack_t *self);
void unpack_skip(unpack_t *self); // one value of any shape, at most MOB_DEPTH_MAX deep
void unpack_refuse(unpack_t *self, const char *wrong); // what was read is not good: fails from here on

// A token of one byte is read in place, without libmpack: most integers of an envelope are such. After
// an error next is end, so that this one comparison also keeps the reader sticky.
static inline bool unpack_byte_below(unpack_t *self, uint8_t limit)
{
    return self->next < self->end && *self->next < limit && self->tokens > 0;
}

// The byte given as the next token, if it is that: an empty map, array or text.
static inline bool unpack_byte(unpack_t *self, uint8_t byte)
{
    if (self->next >= self->end || *self->next != byte || self->tokens == 0)
        return false;
    self->tokens--;
    self->next++;
    return true;
}

static inline uint64_t unpack_u64(unpack_t *self)
{
    if (!unpack_byte_below(self, 0x80))
        return unpack_wide_u64(self);
    self->tokens--;
    return *self->next++;
}

static inline uint32_t unpack_u32(unpack_t *self)
{
    uint64_t value = unpack_u64(self);
    if (value <= UINT32_MAX)
        return (uint32_t)value;
    unpack_refuse(self, "range");
    return 0;
}

// ---- Writing: into memory that the caller has reserved, or that grows ---------------------------

typedef struct pack {
    uint8_t *data;
    size_t size, room;
    bool fixed;  // data is not ours: never grow it
    bool failed; // no room or no memory: what was written since is void
} pack_t;

#define PACK_INIT ((pack_t){0})
void pack_fini(pack_t *self);                 // frees what grew
bool pack_reserve(pack_t *self, size_t more); // room for more bytes; false: failed
void pack_nil(pack_t *self);
void pack_flag(pack_t *self, bool value);
void pack_u64(pack_t *self, uint64_t value);
void pack_i64(pack_t *self, int64_t value);
void pack_f64(pack_t *self, double value);
void pack_str(pack_t *self, const void *text, size_t size);
void pack_bin(pack_t *self, const void *data, size_t size);
void pack_ext(pack_t *self, int type, const void *data, size_t size);
void pack_array(pack_t *self, uint32_t count);
void pack_map(pack_t *self, uint32_t pairs);
void pack_raw(pack_t *self, const void *encoded, size_t size);

// The same into room that is there: at has PACK_HEAD_MAX bytes, and all of them may be overwritten.
// They give the place behind what they wrote.
enum {
    PACK_HEAD_MAX = 9, // an integer, or what stands before the bytes of a str, bin, ext or container
    PACK_NO_TEXT = 0xa0,
    PACK_NO_ITEMS = 0x90,
    PACK_NO_PAIRS = 0x80 // tokens of one byte
};
uint8_t *pack_wide_at(uint8_t *at, uint64_t value);
uint8_t *pack_i64_at(uint8_t *at, int64_t value);
uint8_t *pack_head_at(uint8_t *at, pack_type_t type, uint32_t count); // STR BIN ARRAY MAP
uint8_t *pack_bytes_at(uint8_t *at, const void *data, size_t size);

static inline uint8_t *pack_u64_at(uint8_t *at, uint64_t value)
{
    if (value >= 0x80)
        return pack_wide_at(at, value);
    *at = (uint8_t)value;
    return at + 1;
}

// ---- Values (the public mob_read and mob_write of types.h live in value.c, on top of this) ------

enum { PACK_EXT_REF = 1, PACK_EXT_ACTOR = 2, PACK_EXT_DEP = 3 }; // 16, 20 and 2 bytes, big-endian

#endif
