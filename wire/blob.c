// blob.c - payloads that travel unread: counted blocks, and views of them.

#include "blob.h"

#include <stdlib.h>
#include <string.h>

blob_t *blob_new(const void *data, size_t size)
{
    if (size > UINT32_MAX)
        return NULL;
    blob_t *self = malloc(sizeof *self + size);
    if (!self)
        return NULL;
    uint8_t *copy = (uint8_t *)(self + 1);
    if (size)
        memcpy(copy, data, size);
    *self = (blob_t){.refs = 1, .size = (uint32_t)size, .data = copy};
    return self;
}

blob_t *blob_hold(blob_t *self)
{
    if (self)
        self->refs++;
    return self;
}

void blob_drop(blob_t **self_p)
{
    blob_t *self = *self_p;
    *self_p = NULL;
    if (!self || --self->refs > 0)
        return;
    if (self->free)
        self->free(self);
    else
        free(self);
}

load_t load_of(blob_t *blob)
{
    if (!blob)
        return (load_t){0};
    return (load_t){.data = blob->data,
                    .size = blob->size,
                    .form = blob->data ? LOAD_HERE : LOAD_AWAY,
                    .blob = blob};
}

load_t load_bytes(const void *data, size_t size)
{
    return (load_t){.data = data, .size = (uint32_t)size};
}

blob_t *load_keep(load_t self)
{
    if (self.blob && self.data == self.blob->data && self.size == self.blob->size)
        return blob_hold(self.blob);
    return self.form == LOAD_HERE ? blob_new(self.data, self.size) : NULL;
}
