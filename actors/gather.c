// gather.c - see gather.h.

#include "gather.h"

#include <stdlib.h>
#include <string.h>

#include "value.h"

bool gather_is_due(load_t args, loads_t deps)
{
    bool away = args.form != LOAD_HERE;
    while (!away && deps.count > 0)
        away = loads_next(&deps).form != LOAD_HERE;
    return away;
}

void gather_free(gather_t **self_p)
{
    gather_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->count; i++)
        blob_drop(&self->parts[i]);
    free(self);
}

static bool take(gather_t *self, mob_t *session, mob_ref_t ref, load_t load)
{
    uint32_t i = self->count++;
    if (load.form == LOAD_HERE)
        return (self->parts[i] = load_keep(load)) != NULL;
    self->missing++;
    return load.form == LOAD_AWAY && session_fetch(session, ref, PART_ARGS + i, load.size);
}

gather_t *gather_new(mob_t *session, mob_ref_t ref, load_t args, loads_t deps)
{
    gather_t *self = calloc(1, sizeof *self + (1 + deps.count) * sizeof self->parts[0]);
    bool good = self && take(self, session, ref, args);
    while (good && deps.count > 0)
        good = take(self, session, ref, loads_next(&deps));
    if (good)
        return self;
    session_unfetch(session, ref);
    gather_free(&self);
    return NULL;
}

bool gather_put(gather_t *self, uint32_t part, blob_t *blob)
{
    uint32_t i = part - PART_ARGS;
    if (i >= self->count || self->parts[i])
        return false;
    self->parts[i] = blob_hold(blob);
    return --self->missing == 0;
}

// One dependency and nothing else: then its value is the arguments, and need not be copied.
static bool is_the_dependency(const gather_t *self)
{
    const blob_t *args = self->parts[0];
    size_t values = 0;
    return self->count == 2 && args->size == 4 && memcmp(args->data, "\xd5\x03\x00\x00", 4) == 0 &&
           value_check(load_of(self->parts[1]), &values) && values == 1;
}

static blob_t *splice(const gather_t *self)
{
    pack_t out = PACK_INIT;
    load_t *deps = malloc(self->count * sizeof *deps);
    for (uint32_t i = 1; deps && i < self->count; i++)
        deps[i - 1] = load_of(self->parts[i]);
    blob_t *blob = NULL;
    if (deps && value_splice(&out, load_of(self->parts[0]), deps, self->count - 1))
        blob = blob_adopt(out.data, out.size);
    if (!blob)
        pack_fini(&out);
    free(deps);
    return blob;
}

blob_t *gather_args(gather_t *self)
{
    if (self->count == 1)
        return blob_hold(self->parts[0]);
    return is_the_dependency(self) ? blob_hold(self->parts[1]) : splice(self);
}
