// groups.c - see groups.h. A reply counts for the one that gave it: it is turned round.

#include "groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "histogram.h"
#include "near.h"
#include "say.h"

enum { VALUE_MAX = 64, CELLS = GROUPS_KEYS_MAX + 5 };

struct group {
    char values[GROUPS_KEYS_MAX][VALUE_MAX]; // the key
    uint64_t count, errors;
    histogram_t took;
    UT_hash_handle hh;
};

// ---- Keys ---------------------------------------------------------------------------------------

static int no_key(const tool_t *tool, const char *word)
{
    trouble_t out = trouble_usage("--group-by: no key %s", word);
    near_t near = near_of(word);
    for (filter_key_t key = 0; key < FILTER_KEY_side; key++)
        near_add(&near, filter_key_name(key));
    for (unsigned i = 0; i < near.count; i++)
        trouble_try(&out, "mobula monitor --group-by %s", near.best[i]);
    return say_trouble(tool, &out);
}

int groups_init(groups_t *self, const tool_t *tool, const char *keys)
{
    char word[VALUE_MAX];
    *self = (groups_t){0};
    for (const char *at = keys; *at; at += *at == ',') {
        size_t size = strcspn(at, ",");
        filter_key_t key;
        snprintf(word, sizeof word, "%.*s", (int)size, at);
        if (!filter_key_of(at, size, &key))
            return no_key(tool, word);
        if (self->key_count == GROUPS_KEYS_MAX) {
            trouble_t out = trouble_usage("--group-by takes at most %d keys", GROUPS_KEYS_MAX);
            return say_trouble(tool, &out);
        }
        self->keys[self->key_count++] = key;
        at += size;
    }
    return self->key_count ? 0 : no_key(tool, "");
}

void groups_fini(groups_t *self)
{
    group_t *group, *next;
    HASH_ITER(hh, self->items, group, next)
    {
        HASH_DEL(self->items, group);
        free(group);
    }
}

// ---- Counting -----------------------------------------------------------------------------------

static void print_value(char out[VALUE_MAX], filter_value_t value)
{
    if (value.is_number)
        snprintf(out, VALUE_MAX, "%lld", (long long)value.number);
    else
        snprintf(out, VALUE_MAX, "%.*s", value.text ? (int)value.size : 1,
                 value.text ? value.text : "-");
}

static group_t *find(groups_t *self, record_t *record)
{
    char values[GROUPS_KEYS_MAX][VALUE_MAX] = {{0}};
    group_t *group;
    for (unsigned i = 0; i < self->key_count; i++)
        print_value(values[i], record_look(record, self->keys[i]));
    if (HASH_COUNT(self->items) >= GROUPS_MAX) { // the rest is one
        memset(values, 0, sizeof values);
        memcpy(values[0], "(others)", sizeof "(others)");
    }
    HASH_FIND(hh, self->items, values, sizeof values, group);
    if (group || !(group = calloc(1, sizeof *group)))
        return group;
    memcpy(group->values, values, sizeof values);
    HASH_ADD(hh, self->items, values, sizeof group->values, group);
    return group;
}

void groups_add(groups_t *self, record_t record)
{
    record_forward(&record);
    group_t *group = find(self, &record);
    if (self->first_us == 0 || record.wall_us < self->first_us)
        self->first_us = record.wall_us;
    if (!group)
        return;
    group->count++;
    group->errors += record.has_status && strcmp(record.status, "ok") != 0;
    if (record.took_us >= 0)
        histogram_add(&group->took, record.took_us);
}

// ---- The table ----------------------------------------------------------------------------------

static int by_count(const group_t *a, const group_t *b)
{
    return a->count < b->count ? 1 : a->count > b->count ? -1 : 0;
}

static const cell_t *cells_of(const groups_t *self, arena_t *memory, const group_t *group,
                              int64_t span_us)
{
    cell_t *cells = arena_alloc(memory, CELLS * sizeof *cells), *cell = cells;
    if (!cells)
        return NULL;
    for (unsigned i = 0; i < self->key_count; i++)
        *cell++ = (cell_t){.key = filter_key_name(self->keys[i]), .text = group->values[i]};
    double rate = span_us > 0 ? (double)group->count * 1e6 / (double)span_us : 0;
    *cell++ = (cell_t){.key = "count", .number = (int64_t)group->count};
    *cell++ = (cell_t){.key = "rate", .number = (int64_t)(rate + 0.5)};
    *cell++ = (cell_t){.key = "p50_us", .number = histogram_at(&group->took, 0.5)};
    *cell++ = (cell_t){.key = "p99_us", .number = histogram_at(&group->took, 0.99)};
    *cell = (cell_t){.key = "errors", .number = (int64_t)group->errors};
    return cells;
}

static void name_columns(const groups_t *self, column_t columns[CELLS + 1],
                         char titles[GROUPS_KEYS_MAX][VALUE_MAX])
{
    static const column_t figures[] = {
        {"count", "COUNT", 'n', false},   {"rate", "RATE/s", 'n', false},
        {"p50_us", "P50", 'd', false},    {"p99_us", "P99", 'd', false},
        {"errors", "ERRORS", 'n', false}, {NULL, NULL, 0, false}};
    for (unsigned i = 0; i < self->key_count; i++) {
        const char *name = filter_key_name(self->keys[i]);
        for (size_t c = 0; c <= strlen(name); c++)
            titles[i][c] = (char)(name[c] >= 'a' && name[c] <= 'z' ? name[c] - 32 : name[c]);
        columns[i] = (column_t){name, titles[i], 't', false};
    }
    memcpy(columns + self->key_count, figures, sizeof figures);
}

void groups_say(groups_t *self, tool_t *tool, size_t most, int64_t until_us)
{
    column_t columns[CELLS + 1];
    char titles[GROUPS_KEYS_MAX][VALUE_MAX];
    row_t items[GROUPS_MAX + 1];
    rows_t rows = {.items = items};
    arena_t memory = {0};
    group_t *group, *next;
    HASH_SORT(self->items, by_count);
    HASH_ITER(hh, self->items, group, next)
    {
        const cell_t *cells =
            rows.count < most ? cells_of(self, &memory, group, until_us - self->first_us) : NULL;
        if (cells)
            items[rows.count++] = (row_t){cells, self->key_count + 5};
    }
    name_columns(self, columns, titles);
    say_rows(tool, &rows, columns, filter_key_name(self->keys[0]));
    arena_clear(&memory);
}
