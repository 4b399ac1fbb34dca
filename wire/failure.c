// failure.c - the record of a failure as bytes, and back.

#include "failure.h"

#include <string.h>

#include "limit.h"
#include "text.h"

enum { FAILURE_FIELDS = 20, FAILURE_FIELDS_LEAST = 15 };

static void put_text(pack_t *out, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    size_t keep = text_cut(text, size, MOB_TEXT_MAX);
    if (text_valid(text, keep)) {
        pack_str(out, text, keep);
        return;
    }
    char clean[MOB_TEXT_MAX];
    text_clean(clean, text, keep);
    pack_str(out, clean, keep);
}

bool failure_pack(pack_t *out, const failure_t *self)
{
    pack_array(out, FAILURE_FIELDS);
    pack_u64(out, (uint64_t)self->err);
    pack_u64(out, self->executed);
    put_text(out, self->why);
    pack_i64(out, self->code);
    pack_u64(out, self->attempts);
    pack_u64(out, self->cause.owner);
    pack_u64(out, self->cause.seq);
    pack_u64(out, (uint64_t)self->root);
    pack_u64(out, self->retry_after_ms);
    put_text(out, self->host);
    pack_u64(out, self->pid);
    pack_u64(out, self->status);
    put_text(out, self->reason);
    put_text(out, self->trace);
    put_text(out, self->log);
    pack_u64(out, self->origin.owner);
    pack_u64(out, self->origin.seq);
    pack_u64(out, self->actor.owner);
    pack_u64(out, self->actor.seq);
    pack_u64(out, self->actor.incarnation);
    return !out->failed;
}

// A copy that ends with NUL; without memory the text is empty: the code matters more than the
// words.
static const char *take_text(unpack_t *in, arena_t *arena)
{
    mob_bytes_t text = unpack_str(in, MOB_TEXT_MAX);
    char *copy = text.size ? arena_alloc(arena, text.size + 1) : NULL;
    if (!copy)
        return "";
    text_clean(copy, text.data, text.size);
    return copy;
}

bool failure_unpack(load_t load, arena_t *arena, failure_t *out)
{
    unpack_t in = unpack_of(load.data, load.size);
    uint32_t fields = unpack_array(&in);
    *out = (failure_t){.why = "", .host = "", .reason = "", .trace = "", .log = ""};
    if (fields < FAILURE_FIELDS_LEAST)
        return false;
    out->err = (mob_err_t)unpack_u32(&in);
    out->executed = unpack_u32(&in);
    out->why = take_text(&in, arena);
    out->code = unpack_i64(&in);
    out->attempts = unpack_u32(&in);
    out->cause.owner = unpack_u64(&in);
    out->cause.seq = unpack_u64(&in);
    out->root = (mob_err_t)unpack_u32(&in);
    out->retry_after_ms = unpack_u32(&in);
    out->host = take_text(&in, arena);
    out->pid = unpack_u32(&in);
    out->status = unpack_u32(&in);
    out->reason = take_text(&in, arena);
    out->trace = take_text(&in, arena);
    out->log = take_text(&in, arena);
    if (fields >= FAILURE_FIELDS) {
        out->origin.owner = unpack_u64(&in);
        out->origin.seq = unpack_u64(&in);
        out->actor.owner = unpack_u64(&in);
        out->actor.seq = unpack_u64(&in);
        out->actor.incarnation = unpack_u32(&in);
    }
    return in.wrong == NULL;
}
