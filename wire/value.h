// value.h - the public mob_read() and mob_write() of types.h, and what the library needs around them.
// A payload is values back to back: the arguments of a call in order, or one result.

#ifndef MOBULA_WIRE_VALUE_H
#define MOBULA_WIRE_VALUE_H

#include <stdatomic.h>

#include "blob.h"
#include "pack.h"
#include "refset.h"

struct mob_writer { // sticky
    pack_t pack;
    refset_t deps; // refs of kind DEP in the order met: written as PACK_EXT_DEP with their index
    pack_t inner;  // refs and handles that were written, as inner.h has them
    mob_err_t err; // MOB_EARGS (kind), MOB_ELIMIT (depth, size, deps, refs), MOB_ENOMEM
    uint32_t depth;
};

void writer_init(mob_writer_t *self);
void writer_clear(mob_writer_t *self); // empty again, memory kept
void writer_fini(mob_writer_t *self);

// Strings that a reader hands out end with a NUL: those copies live here.
typedef struct arena {
    struct arena_block *first;
    _Atomic(size_t) busy; // 1: a thread takes some; several may read one value
} arena_t;
void *arena_alloc(arena_t *self, size_t size); // zeroed, aligned; NULL: no memory. Any thread
void arena_clear(arena_t *self);               // frees everything

mob_reader_t reader_of(load_t load, arena_t *arena);

// Whether the bytes are whole values, none deeper than MOB_DEPTH_MAX; how many in count_p (may be NULL).
bool value_check(load_t values, size_t *count_p);

// args with each PACK_EXT_DEP replaced by the value of deps[index]. False: an index out of range,
// broken bytes, or no memory.
bool value_splice(pack_t *out, load_t args, const load_t *deps, uint32_t count);

// One value as JSON for people and tools: bytes as base64, refs and actors as "OWNER.SEQ" with the
// owner in hex, what is not a string as a key in quotes, NaN and the infinities as null. An empty load
// is null. False: not one whole value, or no memory.
bool value_json(load_t value, char **text_p); // caller frees

#endif
