// sink.c - mob_yield: an item of a stream, or the next of several results.

#include "sink.h"

#include <stdlib.h>

#include "answer.h"
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
    self->inner = false;
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
    self->inner |= value->inner.size > 0;
    writer_clear(value);
    return MOB_OK;
}

load_t sink_value(const sink_t *self, uint32_t index)
{
    uint32_t from = index > 0 ? self->ends[index - 1] : 0;
    return load_bytes(self->values.data + from, self->ends[index] - from);
}

// ---- Items --------------------------------------------------------------------------------------

static mob_err_t give(context_t *self)
{
    pack_t *pack = &self->writer.pack;
    sink_t *sink = &self->sink;
    if (pack->size == 0)
        pack_nil(pack);
    mob_err_t err = answer_item(self->worker, self->hand, sink->made, &self->writer, &sink->last);
    writer_clear(&self->writer);
    sink->made += !err;
    self->writer.err = err;
    return err;
}

// A large one is here as soon as its pieces are accepted. Until then nothing may follow that could overtake it,
// should they have to be said again.
static bool is_accepted(void *arg)
{
    const context_t *self = arg;
    return session_accepted(self->worker->session) >= self->sink.last;
}

static bool may_go_on(void *arg)
{
    const context_t *self = arg;
    return self->sink.made < self->hand->credit && is_accepted(arg);
}

mob_err_t sink_last(context_t *context)
{
    if (context->writer.err || context->writer.pack.size == 0)
        return MOB_OK;
    mob_err_t err = give(context);
    return err ? err : session_wait(context->worker->session, is_accepted, context);
}

// It waits behind an item, and not before one: what is made is never more than what may be.
static mob_err_t yield_item(context_t *self)
{
    mob_t *session = self->worker->session;
    mob_err_t err = self->writer.err;
    session_lock(session);
    if (!err && mob_cancelled(&self->ctx))
        err = MOB_ECANCELLED;
    if (!err)
        err = give(self);
    if (!err)
        err = session_wait(session, may_go_on, self);
    session_unlock(session);
    return err;
}

// ---- What bodies call ---------------------------------------------------------------------------

mob_err_t mob_yield(mob_ctx_t *ctx)
{
    context_t *self = (context_t *)(uintptr_t)ctx;
    if (!self->hand || self->hand->what != HAND_CALL) {
        self->refused = "mob_yield() in a constructor: it has no result";
        return MOB_EARGS;
    }
    return hand_streams(self->hand) ? yield_item(self) : sink_add(&self->sink, &self->writer);
}
