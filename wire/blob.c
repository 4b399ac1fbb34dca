// blob.c - payloads that travel unread: counted blocks, and views of them.

#include "blob.h"

#include <stdlib.h>
#include <string.h>

blob_t *blob_room(size_t size)
{
    blob_t *self = size <= UINT32_MAX ? malloc(sizeof *self + size) : NULL;
    if (self)
        *self = (blob_t){.refs = 1, .size = (uint32_t)size, .data = blob_bytes(self)};
    return self;
}

blob_t *blob_new(const void *data, size_t size)
{
    blob_t *self = blob_room(size);
    if (self && size)
        memcpy(blob_bytes(self), data, size);
    return self;
}

static void free_adopted(blob_t *self)
{
    free((void *)(uintptr_t)self->data);
    free(self);
}

blob_t *blob_adopt(void *data, size_t size)
{
    blob_t *self = data && size <= UINT32_MAX ? malloc(sizeof *self) : NULL;
    if (self)
        *self = (blob_t){.refs = 1, .size = (uint32_t)size, .data = data, .free = free_adopted};
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
