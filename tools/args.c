// args.c - converts words by type: numbers, texts, @FILE, JSON, ref:ID. Never guesses: what does
// not fit is an error that names the signature, the argument and the word.

#include "args.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "near.h"

enum { FILE_MAX = 64 * 1024 * 1024 };

// ---- Signatures ---------------------------------------------------------------------------------

static void keep(char *out, size_t size, const char *from, size_t count)
{
    snprintf(out, size, "%.*s", (int)(count < size ? count : size - 1), from);
}

// "add n:i64 -> i64": names stand before a colon; without one the type is the name.
signature_t signature_of(const char *wire, const char *usage)
{
    signature_t self = {.wire = wire, .usage = *usage ? usage : wire};
    const char *at = self.usage, *arrow = strstr(self.usage, " -> ");
    size_t end = arrow ? (size_t)(arrow - self.usage) : strlen(self.usage);
    at += strcspn(at, " ");
    while ((size_t)(at - self.usage) < end && self.count < ARGS_MAX) {
        at += strspn(at, " ");
        size_t size = strcspn(at, " "), colon = strcspn(at, ": ");
        bool named = colon < size;
        keep(self.names[self.count], ARGS_TYPE_MAX, at, named ? colon : size);
        keep(self.types[self.count], ARGS_TYPE_MAX, named ? at + colon + 1 : at,
             named ? size - colon - 1 : size);
        self.count += size > 0;
        at += size;
    }
    const char *result = strstr(wire, " -> ");
    snprintf(self.result, sizeof self.result, "%s", result ? result + 4 : "");
    return self;
}

unsigned signature_results(const signature_t *self)
{
    unsigned count = 0;
    if (strncmp(self->result, "tuple ", 6) != 0)
        return 1;
    for (const char *at = self->result; *at; at++)
        count += *at == ' ';
    return count ? count : 1;
}

bool signature_streams(const signature_t *self)
{
    return strncmp(self->result, "stream(", 7) == 0;
}

static bool is_named(const char *wire, const char *name)
{
    size_t size = strcspn(wire, " ");
    return strcmp(wire, name) == 0 || (strlen(name) == size && memcmp(wire, name, size) == 0);
}

static int none_offered(tool_t *tool, const char *kind, const char *cls, const char *name,
                        const rows_t *rows)
{
    char heads[64][ARGS_TYPE_MAX];
    unsigned head_count = 0;
    trouble_t out = trouble(MOB_ENOTFOUND, "no %s named %s", kind, name);
    near_t near = near_of(name);
    for (size_t i = 0; i < rows->count && head_count < 64; i++) {
        const char *wire = row_text(&rows->items[i], "name");
        keep(heads[head_count], ARGS_TYPE_MAX, wire, strcspn(wire, " "));
        near_add(&near, heads[head_count++]);
    }
    if (*cls)
        trouble_cause(&out, "%.*s has %zu method%s", (int)strcspn(cls, " "), cls, rows->count,
                      rows->count == 1 ? "" : "s");
    else
        trouble_cause(&out, "no host offers it (%zu offered)", rows->count);
    for (unsigned i = 0; i < near.count; i++)
        for (size_t r = 0; r < rows->count; r++)
            if (is_named(row_text(&rows->items[r], "name"), near.best[i])) {
                trouble_try(&out, "%s", row_text(&rows->items[r], "usage"));
                break;
            }
    trouble_try(&out, "mobula list methods");
    return say_trouble(tool, &out);
}

int args_find(tool_t *tool, const char *kind, const char *cls, const char *name, signature_t *out)
{
    rows_t rows, fitting = {0};
    int wrong = query_rows(tool, "methods", NULL, &rows);
    if (wrong)
        return wrong;
    fitting.items = arena_alloc(&tool->memory, (rows.count + 1) * sizeof *fitting.items);
    for (size_t i = 0; fitting.items && i < rows.count; i++) {
        const row_t *row = &rows.items[i];
        if (strcmp(row_text(row, "kind"), kind) == 0 &&
            (!*cls || strcmp(row_text(row, "class"), cls) == 0))
            fitting.items[fitting.count++] = *row;
    }
    for (size_t i = 0; i < fitting.count; i++)
        if (is_named(row_text(&fitting.items[i], "name"), name)) {
            *out = signature_of(row_text(&fitting.items[i], "name"),
                                row_text(&fitting.items[i], "usage"));
            return 0;
        }
    return none_offered(tool, kind, cls, name, &fitting);
}

// ---- Words to values ----------------------------------------------------------------------------

typedef struct reading {
    tool_t *tool;
    arena_t *arena;
    const char *type, *word;
    const char *wrong; // what is wanted instead
    int exit;          // of an error said already
} reading_t;

static mob_value_t text_value(const char *text, size_t size)
{
    return (mob_value_t){.kind = MOB_KIND_STR, .bytes = {text, size}};
}

// What is read lives as long as the command does, its source does not.
static mob_value_t kept_text(reading_t *self, const char *text, size_t size)
{
    char *copy = arena_alloc(self->arena, size + 1);
    if (!copy) {
        self->wrong = "less: out of memory";
        return text_value("", 0);
    }
    memcpy(copy, text, size);
    return text_value(copy, size);
}

static mob_value_t from_json(reading_t *self, json_t *json);

static mob_value_t from_items(reading_t *self, json_t *json)
{
    bool map = json_is_object(json);
    size_t count = map ? json_object_size(json) : json_array_size(json), put = 0;
    mob_value_t *items = arena_alloc(self->arena, (map ? 2 : 1) * (count + 1) * sizeof *items);
    if (!items) {
        self->wrong = "less: out of memory";
        return MOB__AS(NIL, i64, 0);
    }
    if (map) {
        const char *key;
        json_t *value;
        json_object_foreach(json, key, value)
        {
            items[put++] = kept_text(self, key, strlen(key));
            items[put++] = from_json(self, value);
        }
    }
    for (size_t i = 0; !map && i < count; i++)
        items[put++] = from_json(self, json_array_get(json, i));
    return (mob_value_t){.kind = map ? MOB_KIND_MAP : MOB_KIND_LIST, .list = {items, count}};
}

static mob_value_t from_json(reading_t *self, json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_INTEGER:
        return MOB__AS(I64, i64, json_integer_value(json));
    case JSON_REAL:
        return MOB__AS(F64, f64, json_real_value(json));
    case JSON_TRUE:
    case JSON_FALSE:
        return MOB__AS(FLAG, flag, json_is_true(json));
    case JSON_STRING:
        return kept_text(self, json_string_value(json), json_string_length(json));
    case JSON_NULL:
        return MOB__AS(NIL, i64, 0);
    default:
        return from_items(self, json);
    }
}

static json_t *parse_json(reading_t *self)
{
    json_error_t error;
    json_t *json = json_loads(self->word, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (!json)
        self->wrong = "JSON";
    return json;
}

static mob_value_t read_i64(reading_t *self)
{
    char *end;
    errno = 0;
    long long value = strtoll(self->word, &end, 0);
    if (!*self->word || *end || errno)
        self->wrong = "an integer";
    return MOB__AS(I64, i64, value);
}

static mob_value_t read_f64(reading_t *self)
{
    char *end;
    double value = strtod(self->word, &end);
    if (!*self->word || *end)
        self->wrong = "a number";
    return MOB__AS(F64, f64, value);
}

static mob_value_t read_flag(reading_t *self)
{
    bool yes = strcmp(self->word, "true") == 0;
    if (!yes && strcmp(self->word, "false") != 0)
        self->wrong = "true or false";
    return MOB__AS(FLAG, flag, yes);
}

static mob_value_t read_text(reading_t *self)
{
    if (self->word[0] == '"') { // JSON, for what could not be said otherwise
        json_t *json = parse_json(self);
        mob_value_t value = json_is_string(json) ? from_json(self, json) : MOB__AS(NIL, i64, 0);
        json_decref(json);
        if (value.kind == MOB_KIND_STR)
            return value;
        self->wrong = NULL;
    }
    return text_value(self->word, strlen(self->word));
}

static mob_value_t read_stream(reading_t *self, FILE *file)
{
    size_t room = 64 * 1024, size = 0, got;
    char *data = malloc(room);
    while (data && (got = fread(data + size, 1, room - size, file)) > 0) {
        size += got;
        char *more = size == room && size < FILE_MAX ? realloc(data, room *= 2) : data;
        if (!more)
            free(data);
        data = more;
    }
    if (!data || size > FILE_MAX)
        self->wrong = "a file of less than 64 MiB";
    char *kept = self->wrong ? NULL : arena_alloc(self->arena, size + 1);
    if (kept)
        memcpy(kept, data, size);
    free(data);
    return (mob_value_t){.kind = MOB_KIND_BYTES, .bytes = {kept, kept ? size : 0}};
}

static mob_value_t read_bytes(reading_t *self)
{
    if (strcmp(self->word, "-") == 0)
        return read_stream(self, stdin);
    if (self->word[0] != '@')
        return (mob_value_t){.kind = MOB_KIND_BYTES, .bytes = {self->word, strlen(self->word)}};
    FILE *file = fopen(self->word + 1, "re");
    if (!file) {
        self->wrong = "a file that can be read";
        return MOB__AS(NIL, i64, 0);
    }
    mob_value_t value = read_stream(self, file);
    fclose(file);
    return value;
}

static mob_value_t read_ref(reading_t *self)
{
    mob_value_t value = {.kind = MOB_KIND_REF};
    const char *id = strncmp(self->word, "ref:", 4) == 0 ? self->word + 4 : self->word;
    self->exit = query_ref(self->tool, id, &value.ref);
    return value;
}

static mob_value_t read_actor(reading_t *self)
{
    const char *cls;
    mob_value_t value = {.kind = MOB_KIND_ACTOR};
    self->exit = query_actor(self->tool, self->word, &value.actor, &cls);
    return value;
}

static mob_value_t read_nil(reading_t *self)
{
    if (strcmp(self->word, "null") != 0 && strcmp(self->word, "nil") != 0)
        self->wrong = "null";
    return MOB__AS(NIL, i64, 0);
}

// Records and any: JSON. A word that is no JSON is a text when anything may come.
static mob_value_t read_json(reading_t *self)
{
    json_t *json = parse_json(self);
    if (json) {
        mob_value_t value = from_json(self, json);
        json_decref(json);
        return value;
    }
    if (strcmp(self->type, "any") != 0) {
        self->wrong = "a JSON array of its fields in order";
        return MOB__AS(NIL, i64, 0);
    }
    self->wrong = NULL;
    return text_value(self->word, strlen(self->word));
}

static mob_value_t read_word(reading_t *self)
{
    static const struct {
        const char *type;
        mob_value_t (*read)(reading_t *);
    } readers[] = {{"i64", read_i64},     {"f64", read_f64},     {"flag", read_flag},
                   {"str", read_text},    {"bytes", read_bytes}, {"ref", read_ref},
                   {"actor", read_actor}, {"nil", read_nil}};
    if (strncmp(self->word, "ref:", 4) == 0 && strcmp(self->type, "ref") != 0) {
        mob_value_t value = read_ref(self);
        value.kind = MOB_KIND_DEP;
        return value;
    }
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (strcmp(readers[i].type, self->type) == 0)
            return readers[i].read(self);
    return read_json(self);
}

int args_read(tool_t *tool, const signature_t *signature, const char *const *words, unsigned count,
              arena_t *arena, mob_value_t out[ARGS_MAX])
{
    if (count != signature->count) {
        trouble_t bad = trouble(MOB_EARGS, "%s takes %u argument%s, not %u", signature->usage,
                                signature->count, signature->count == 1 ? "" : "s", count);
        return say_trouble(tool, &bad);
    }
    for (unsigned i = 0; i < count; i++) {
        reading_t reading = {
            .tool = tool, .arena = arena, .type = signature->types[i], .word = words[i]};
        out[i] = read_word(&reading);
        if (reading.exit)
            return reading.exit;
        if (!reading.wrong)
            continue;
        trouble_t bad =
            trouble(MOB_EARGS, "%s: argument %u (%s) is \"%s\", expected %s", signature->usage,
                    i + 1, signature->names[i], words[i], reading.wrong);
        return say_trouble(tool, &bad);
    }
    return 0;
}

// ---- Values to text -----------------------------------------------------------------------------

static void print_json(mob_reader_t *reader)
{
    char *text = NULL;
    mob_bytes_t raw = mob_read(reader, MOB_KIND_RAW).bytes;
    if (value_json(load_bytes(raw.data, raw.size), &text))
        puts(text);
    else
        fputs("error: the value cannot be shown\n", stderr);
    free(text);
}

void args_print(const tool_t *tool, mob_reader_t *reader, bool raw)
{
    mob_reader_t copy = *reader;
    mob_value_t value = mob_read(&copy, MOB_KIND_ANY);
    bool scalar = value.kind == MOB_KIND_STR || value.kind == MOB_KIND_BYTES;
    if (raw && scalar)
        fwrite(value.bytes.data, 1, value.bytes.size, stdout);
    else if (tool_json(tool))
        print_json(reader);
    else if (value.kind == MOB_KIND_STR)
        printf("%.*s\n", (int)value.bytes.size, (const char *)value.bytes.data);
    else if (value.kind != MOB_KIND_NIL)
        print_json(reader);
}
