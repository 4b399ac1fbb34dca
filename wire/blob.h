// blob.h - payloads: bytes that travel unread. A blob is a counted block; a load is a view of one.
// Not thread safe: a blob belongs to one thread (the broker's loop, or a connection under its lock).

#ifndef MOBULA_WIRE_BLOB_H
#define MOBULA_WIRE_BLOB_H

#include <stddef.h>
#include <stdint.h>

typedef struct blob {
    uint32_t refs;
    uint32_t size;
    const uint8_t *data; // behind this header, or foreign memory that free() releases; NULL: in parts
    void (*free)(struct blob *); // NULL: data stands behind the header
} blob_t;

// A copy of size bytes; NULL when memory is exhausted. The caller owns one reference.
blob_t *blob_new(const void *data, size_t size);
blob_t *blob_adopt(void *data, size_t size); // takes what malloc() gave, without a copy; NULL: no memory
blob_t *blob_room(size_t size);              // of bytes to be filled in; NULL: no memory
static inline uint8_t *blob_bytes(blob_t *self) // of one that blob_room() gave
{
    return (uint8_t *)(self + 1);
}
blob_t *blob_hold(blob_t *self); // one more reference; NULL is fine
void blob_drop(blob_t **self_p); // one less; nulls the caller's pointer; NULL inside is fine

typedef enum load_form {
    LOAD_HERE,
    LOAD_AWAY,  // too large to travel with what names it: FETCH brings it
    LOAD_PIECES // came, or comes, in PIECE requests
} load_form_t;

// A view of a payload. With blob NULL the bytes live in the frame they were read from.
typedef struct load {
    const uint8_t *data; // NULL unless it is here
    uint32_t size;       // bytes; of PIECES: how many of them
    uint32_t form;       // load_form_t
    blob_t *blob;        // borrowed
    uint64_t first;      // of PIECES: the seq of the first one
} load_t;

load_t load_of(blob_t *blob); // the whole of it; NULL gives an empty load
load_t load_bytes(const void *data, size_t size);
// Hold its blob, or copy the bytes into a new one; NULL: no memory, or the bytes are not here.
blob_t *load_keep(load_t self);

#endif
