// entry.c - see entry.h. Owns nothing: what a row names belongs to the core.

#include "entry.h"

#include <stdio.h>
#include <string.h>

#include "name.h"

enum { ANSWER_MAX = 96 * 1024 };

void entry_text(entry_t *self, const char *key, const char *value)
{
    self->fields[self->count++] = (field_t){.key = key, .text = value ? value : ""};
}

void entry_number(entry_t *self, const char *key, int64_t value)
{
    self->fields[self->count++] = (field_t){.key = key, .number = value};
}

void entry_print_id(char out[ENTRY_ID], mob_ref_t ref)
{
    snprintf(out, ENTRY_ID, "%016llx.%llu", (unsigned long long)ref.owner,
             (unsigned long long)ref.seq);
}

void entry_id(entry_t *self, mob_ref_t ref)
{
    entry_print_id(self->id, ref);
    entry_text(self, "id", self->id);
}

static filter_value_t look(void *arg, filter_key_t key)
{
    const entry_t *row = *(const entry_t **)arg;
    const char *name = filter_key_name(key);
    for (size_t i = 0; i < row->count; i++) {
        const field_t *field = &row->fields[i];
        if (strcmp(field->key, name) == 0)
            return field->text ? FILTER_TEXT(field->text, strlen(field->text))
                               : FILTER_NUMBER(field->number);
        if (key == FILTER_KEY_age && strcmp(field->key, "age_ms") == 0)
            return FILTER_NUMBER(field->number * 1000);
        if (key == FILTER_KEY_took && strcmp(field->key, "took_us") == 0)
            return FILTER_NUMBER(field->number);
    }
    return FILTER_NOTHING;
}

filter_verdict_t entry_match(const entry_t *row, const filter_t *filter)
{
    return filter_match(filter, look, &row);
}

bool entry_is_wanted(answer_t *answer, entry_t *row)
{
    bool wanted = entry_match(row, &answer->filter) != FILTER_NO;
    bool room = answer->rows.size <= ANSWER_MAX;
    answer->cut += wanted && !room;
    return wanted && room;
}

void entry_put(answer_t *answer, const entry_t *row)
{
    pack_map(&answer->rows, (uint32_t)row->count);
    for (size_t i = 0; i < row->count; i++) {
        const field_t *field = &row->fields[i];
        pack_str(&answer->rows, field->key, strlen(field->key));
        if (field->text)
            pack_str(&answer->rows, field->text, strlen(field->text));
        else
            pack_i64(&answer->rows, field->number);
    }
    answer->count++;
}

void entry_emit(answer_t *answer, entry_t *row)
{
    if (entry_is_wanted(answer, row))
        entry_put(answer, row);
}

int64_t entry_age_ms(const core_t *core, int64_t since)
{
    return (core->now - since) / 1000;
}

const char *entry_owner(const core_t *core, const call_t *call)
{
    return call->owner ? name_text(core, call->owner->name) : "";
}
