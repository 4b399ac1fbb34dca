// sink.c - mob_yield, and the values it leaves behind.

#include "sink.h"

#include <stdlib.h>

#include "context.h"
#include "limit.h"

enum { VALUES_MAX = 64 * 1024 * 1024, SINK_KEEP_BYTES = 64 * 1024 };

// ---- Values -------------------------------------------------------------------------------------

void sink_clear(sink_t *self)
{
    if (self->values.room > SINK_KEEP_BYTES)
        pack_fini(&self->values);
    self->values.size = 0;
    self->values.failed = false;
    self->made = 0;
}

void sink_fini(sink_t *self)
{
    pack_fini(&self->values);
    free(self->ends);
    *self = (sink_t){0};
}

static bool has_room(sink_t *self)
{
    if (self->made < self->room)
        return true;
    uint32_t room = self->room ? 2 * self->room : 16;
    uint32_t *ends = realloc(self->ends, room * sizeof *ends);
    if (!ends)
        return false;
    self->ends = ends;
    self->room = room;
    return true;
}

mob_err_t sink_add(sink_t *self, mob_writer_t *value)
{
    if (value->err)
        return value->err;
    if (self->made >= MOB_RETURNS_MAX) {
        writer_clear(value);
        self->made++;
        return MOB_OK;
    }
    if (self->values.size + value->pack.size > VALUES_MAX)
        return value->err = MOB_ELIMIT;
    if (value->pack.size == 0)
        pack_nil(&value->pack);
    pack_raw(&self->values, value->pack.data, value->pack.size);
    if (value->pack.failed || self->values.failed || !has_room(self))
        return value->err = MOB_ENOMEM;
    self->ends[self->made++] = (uint32_t)self->values.size;
    writer_clear(value);
    return MOB_OK;
}

load_t sink_value(const sink_t *self, uint32_t index)
{
    uint32_t from = index > 0 ? self->ends[index - 1] : 0;
    return load_bytes(self->values.data + from, self->ends[index] - from);
}

// ---- What bodies call ---------------------------------------------------------------------------

mob_err_t mob_yield(mob_ctx_t *ctx)
{
    context_t *self = (context_t *)(uintptr_t)ctx;
    if (!self->hand || self->hand->what != HAND_CALL) {
        self->refused = "mob_yield() in a constructor: it has no result";
        return MOB_EARGS;
    }
    return sink_add(&self->sink, &self->writer);
}
