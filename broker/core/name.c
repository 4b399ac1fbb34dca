// name.c - every text that the core meets often gets a small number; what hosts offer hangs on it.

#include "name.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demand.h"
#include "shape.h"

static name_t *name_add(core_t *core, mob_bytes_t text)
{
    if (core->name_count == NAMES_MAX)
        return NULL;
    if (core->name_count == core->name_room) {
        uint32_t room = core->name_room ? core->name_room * 2 : 64;
        name_t **names = realloc(core->names, room * sizeof *names);
        if (!names)
            return NULL;
        core->names = names;
        core->name_room = room;
    }
    name_t *name = calloc(1, sizeof *name + text.size + 1);
    if (!name)
        return NULL;
    name->text = (char *)(name + 1);
    memcpy(name->text, text.data, text.size);
    name->size = (uint32_t)text.size;
    name->index = core->name_count;
    core->names[core->name_count++] = name;
    HASH_ADD_KEYPTR(hh, core->names_by_text, name->text, name->size, name);
    return name;
}

uint32_t name_of(core_t *core, mob_bytes_t text)
{
    if (core->name_count == 0 && !name_add(core, (mob_bytes_t){"", 0}))
        return 0;
    if (text.size == 0)
        return 0;
    name_t *name;
    HASH_FIND(hh, core->names_by_text, text.data, (unsigned)text.size, name);
    if (!name)
        name = name_add(core, text);
    return name ? name->index : 0;
}

uint32_t name_print(core_t *core, const char *format, ...)
{
    char text[2 * MOB_NAME_MAX];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size < 0)
        return 0;
    return name_of(core, (mob_bytes_t){text, strlen(text)});
}

const char *name_text(const core_t *core, uint32_t index)
{
    return index < core->name_count ? core->names[index]->text : "";
}

static bool is_known(session_t *session, uint32_t index)
{
    uint32_t byte = index / 8;
    if (byte >= session->known_bytes) {
        uint32_t bytes = byte + 64;
        uint8_t *known = realloc(session->known, bytes);
        if (!known)
            return false;
        memset(known + session->known_bytes, 0, bytes - session->known_bytes);
        session->known = known;
        session->known_bytes = bytes;
    }
    bool was = session->known[byte] >> (index % 8) & 1;
    session->known[byte] |= (uint8_t)(1u << (index % 8));
    return was;
}

void name_tell(core_t *core, session_t *session, uint32_t index)
{
    if (is_known(session, index) || !session->peer)
        return;
    batch_t *batch = outbox_open(&session->peer->calls);
    const name_t *name = core->names[index];
    if (batch)
        message_NAME(batch, &(msg_name_t){.symbol = index, .text = {name->text, name->size}});
}

def_t *def_find(const core_t *core, uint32_t name, uint32_t space)
{
    def_t *def = core->names[name]->defs;
    while (def && def->space != space)
        def = def->next;
    return def;
}

def_t *def_of(core_t *core, uint32_t name, uint32_t space)
{
    def_t *def = def_find(core, name, space);
    if (def)
        return def;
    def = calloc(1, sizeof *def);
    if (!def)
        return NULL;
    def->name = name;
    def->space = space;
    def->next = core->names[name]->defs;
    core->names[name]->defs = def;
    def->all_next = core->defs;
    core->defs = def;
    return def;
}

const method_t *def_method(const def_t *def, uint32_t name)
{
    for (uint32_t i = 0; i < def->method_count; i++)
        if (def->methods[i].name == name)
            return &def->methods[i];
    return NULL;
}

// Edit distance, cut off at limit; texts are short signatures.
static unsigned distance(const char *a, const char *b, unsigned limit)
{
    unsigned row[MOB_NAME_MAX + 1];
    size_t width = strlen(b), height = strlen(a);
    if (width > MOB_NAME_MAX || height > MOB_NAME_MAX)
        return limit;
    for (unsigned j = 0; j <= width; j++)
        row[j] = j;
    for (unsigned i = 1; i <= height; i++) {
        unsigned corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            unsigned above = row[j];
            unsigned best = corner + (a[i - 1] != b[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            corner = above;
        }
    }
    return row[width] < limit ? row[width] : limit;
}

const char *def_nearest(const core_t *core, const char *text, uint32_t kind)
{
    const char *nearest = "";
    unsigned best = 9; // further away it would not help anybody
    for (const def_t *def = core->defs; def; def = def->all_next) {
        if (def->kind != kind)
            continue;
        unsigned d = distance(text, name_text(core, def->name), best);
        if (d < best) {
            best = d;
            nearest = name_text(core, def->name);
        }
    }
    return nearest;
}

void names_fini(core_t *core)
{
    for (def_t *def = core->defs, *next; def; def = next) {
        next = def->all_next;
        shape_drop(core, &def->shape);
        demand_drop(core, &def->demand);
        free(def->methods);
        free(def);
    }
    HASH_CLEAR(hh, core->names_by_text);
    for (uint32_t i = 0; i < core->name_count; i++)
        free(core->names[i]);
    free(core->names);
}
