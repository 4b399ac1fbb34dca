// json.c - a value as JSON, for people and tools. Never reads JSON.

#include "value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "limit.h"
#include "text.h"

typedef struct json {
    pack_t out; // used as a string that grows
    mob_reader_t in;
} json_t;

static void print(json_t *self, const char *text)
{
    pack_raw(&self->out, text, strlen(text));
}

// Characters that JSON wants otherwise; NULL: as it is.
static const char *escape_of(unsigned char byte, char buffer[8])
{
    static const char *const short_ones[128] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
        ['\n'] = "\\n", ['\r'] = "\\r",  ['\t'] = "\\t",
    };
    if (byte < 128 && short_ones[byte])
        return short_ones[byte];
    if (byte >= 0x20 && byte != 0x7f)
        return NULL;
    snprintf(buffer, 8, "\\u%04x", byte);
    return buffer;
}

static void print_text(json_t *self, const void *text, size_t size)
{
    char buffer[8];
    const unsigned char *at = text;
    print(self, "\"");
    while (size > 0) {
        size_t length = text_character(at, size);
        const char *escaped = at[0] < 0x80 ? escape_of(at[0], buffer) : length ? NULL : "\\ufffd";
        if (length == 0)
            length = 1;
        if (escaped)
            print(self, escaped);
        else
            pack_raw(&self->out, at, length);
        at += length;
        size -= length;
    }
    print(self, "\"");
}

static void print_base64(json_t *self, const void *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = data;
    print(self, "\"");
    for (size_t i = 0; i < size; i += 3) {
        size_t here = size - i < 3 ? size - i : 3;
        uint32_t bits = (uint32_t)at[i] << 16 | (here > 1 ? (uint32_t)at[i + 1] << 8 : 0) |
                        (here > 2 ? at[i + 2] : 0u);
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        here > 1 ? digits[bits >> 6 & 63] : '=', here > 2 ? digits[bits & 63] : '='};
        pack_raw(&self->out, four, sizeof four);
    }
    print(self, "\"");
}

// The shortest of two forms that reads back as the same number.
static void print_double(json_t *self, double value)
{
    char text[32];
    double back = 0;
    if (!isfinite(value)) {
        print(self, "null");
        return;
    }
    snprintf(text, sizeof text, "%.15g", value);
    if (sscanf(text, "%lf", &back) != 1 || memcmp(&back, &value, sizeof back) != 0)
        snprintf(text, sizeof text, "%.17g", value);
    print(self, text);
}

static void print_id(json_t *self, uint64_t owner, uint64_t seq)
{
    char text[48];
    snprintf(text, sizeof text, "\"%016" PRIx64 ".%" PRIu64 "\"", owner, seq);
    print(self, text);
}

static void print_value(json_t *self);

// JSON has no keys but strings: any other key is its own JSON in quotes.
static void print_key(json_t *self)
{
    size_t start = self->out.size;
    print_value(self);
    if (self->out.failed || self->out.size == start || self->out.data[start] == '"')
        return;
    pack_t key = PACK_INIT;
    pack_raw(&key, self->out.data + start, self->out.size - start);
    self->out.size = start;
    self->out.failed = key.failed;
    print_text(self, key.data, key.size);
    pack_fini(&key);
}

static void print_items(json_t *self, size_t count, bool map)
{
    print(self, map ? "{" : "[");
    for (size_t i = 0; i < count && !self->in.err; i++) {
        if (i > 0)
            print(self, ",");
        if (map) {
            print_key(self);
            print(self, ":");
        }
        print_value(self);
    }
    print(self, map ? "}" : "]");
}

static void print_scalar(json_t *self, const mob_value_t *value)
{
    char text[32];
    switch (value->kind) {
    case MOB_KIND_FLAG:
        print(self, value->flag ? "true" : "false");
        return;
    case MOB_KIND_I64:
        snprintf(text, sizeof text, "%" PRId64, value->i64);
        print(self, text);
        return;
    case MOB_KIND_F64:
        print_double(self, value->f64);
        return;
    case MOB_KIND_STR:
        print_text(self, value->bytes.data, value->bytes.size);
        return;
    case MOB_KIND_BYTES:
        print_base64(self, value->bytes.data, value->bytes.size);
        return;
    case MOB_KIND_REF:
        print_id(self, value->ref.owner, value->ref.seq);
        return;
    case MOB_KIND_ACTOR:
        print_id(self, value->actor.owner, value->actor.seq);
        return;
    default:
        print(self, "null");
        return;
    }
}

// Recursive, but not deeper than MOB_DEPTH_MAX: value_json() has checked.
static void print_value(json_t *self)
{
    mob_value_t value = mob_read(&self->in, MOB_KIND_ANY);
    if (value.kind == MOB_KIND_LIST || value.kind == MOB_KIND_MAP)
        print_items(self, value.list.count, value.kind == MOB_KIND_MAP);
    else
        print_scalar(self, &value);
}

bool value_json(load_t load, char **text_p)
{
    size_t count = 0;
    arena_t arena = {0};
    json_t self = {.in = reader_of(load, &arena)};
    *text_p = NULL;
    if (!value_check(load, &count) || count > 1)
        return false;
    if (count == 1)
        print_value(&self);
    else
        print(&self, "null");
    pack_raw(&self.out, "", 1);
    arena_clear(&arena);
    if (self.in.err || self.out.failed) {
        pack_fini(&self.out);
        return false;
    }
    *text_p = (char *)self.out.data;
    return true;
}
