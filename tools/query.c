// query.c - the state API as rows. Keeps what it read: a command is over soon.

#include "query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "near.h"
#include "verb.h"

// ---- Reading ------------------------------------------------------------------------------------

static void read_cell(mob_reader_t *reader, cell_t *cell)
{
    cell->key = mob_read_str(reader);
    mob_value_t value = mob_read(reader, MOB_KIND_ANY);
    if (value.kind == MOB_KIND_STR)
        cell->text = value.bytes.data;
    else if (value.kind == MOB_KIND_F64)
        cell->number = (int64_t)value.f64;
    else if (value.kind == MOB_KIND_FLAG)
        cell->text = value.flag ? "true" : "false";
    else
        cell->number = value.kind == MOB_KIND_I64 ? value.i64 : 0;
}

bool query_read(arena_t *memory, mob_reader_t *reader, rows_t *out)
{
    size_t count = mob_read_list(reader);
    *out = (rows_t){.items = arena_alloc(memory, (count + 1) * sizeof *out->items)};
    for (size_t i = 0; out->items && i < count && !reader->err; i++) {
        size_t fields = mob_read_map(reader);
        cell_t *cells = arena_alloc(memory, (fields + 1) * sizeof *cells);
        for (size_t f = 0; cells && f < fields; f++)
            read_cell(reader, &cells[f]);
        if (fields == 1 && cells && strcmp(cells->key, "cut") == 0)
            out->cut = cells->number;
        else if (cells)
            out->items[out->count++] = (row_t){cells, fields};
    }
    return out->items && !reader->err;
}

int query_rows(tool_t *tool, const char *what, const char *filter, rows_t *out)
{
    mob_reader_t reader;
    mob_ref_t ref = mob_query(tool->client, what, filter);
    mob_err_t err = tool_await(tool, ref, &reader);
    if (err)
        return say_failure(tool, ref, err, what);
    if (query_read(&tool->memory, &reader, out))
        return 0;
    trouble_t unread = trouble(MOB_EPROTO, "%s: the broker's answer is not a list of maps", what);
    return say_trouble(tool, &unread);
}

// ---- Filters ------------------------------------------------------------------------------------

static int check_filter(tool_t *tool, const char *text)
{
    filter_t filter;
    unsigned column;
    if (filter_parse(text, &filter, &column))
        return 0;
    trouble_t out = trouble_usage("filter: %s", filter.wrong);
    trouble_cause(&out, "column %u\n%s\n%*s^", column, text, (int)column - 1, "");
    trouble_try(&out, "mobula help filter");
    return say_trouble(tool, &out);
}

static int append(tool_t *tool, const char *text, char *out, size_t size)
{
    int wrong = check_filter(tool, text);
    size_t used = strlen(out);
    if (wrong)
        return wrong;
    int put = snprintf(out + used, size - used, "%s(%s)", used ? " and " : "", text);
    if (*text == '\0')
        out[used] = '\0';
    if (put >= 0 && used + (size_t)put < size)
        return 0;
    trouble_t too_long = trouble_usage("the filter is longer than %zu bytes", size);
    return say_trouble(tool, &too_long);
}

int query_filter(tool_t *tool, unsigned first_word, char *out, size_t size)
{
    int wrong = 0;
    char words[FILTER_TEXT_MAX] = "";
    *out = '\0';
    for (unsigned i = first_word; i < tool->word_count; i++) {
        size_t used = strlen(words);
        snprintf(words + used, sizeof words - used, "%s%s", used ? " " : "", tool->words[i]);
    }
    if (*words)
        wrong = append(tool, words, out, size);
    const char *text;
    for (unsigned i = 0; !wrong && (text = tool_flag_nth(tool, "filter", i)); i++)
        wrong = append(tool, text, out, size);
    return wrong;
}

// ---- What a person names ------------------------------------------------------------------------

static bool matches(const char *id, const char *typed)
{
    const char *dot = strchr(typed, '.'), *id_dot = strchr(id, '.');
    if (!dot || !id_dot || strcmp(dot, id_dot) != 0)
        return false;
    return strncasecmp(id, typed, (size_t)(dot - typed)) == 0;
}

// The rows whose id begins so: one, or an error.
static int find_shortened(tool_t *tool, const char *text, mob_ref_t *ref)
{
    static const char *const kinds[] = {"tasks", "objects", "actors"};
    bool whole, found = false;
    mob_ref_t other;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        rows_t rows;
        int wrong = query_rows(tool, kinds[k], NULL, &rows);
        if (wrong)
            return wrong;
        for (size_t i = 0; i < rows.count; i++) {
            const char *id = row_text(&rows.items[i], "id");
            if (!matches(id, text) || !read_id(id, &other, &whole) ||
                (found && mob_same(other, *ref)))
                continue;
            if (found) {
                trouble_t out = trouble(MOB_EARGS, "%s is not unique", text);
                trouble_try(&out, "mobula list tasks -o name");
                return say_trouble(tool, &out);
            }
            *ref = other;
            found = true;
        }
    }
    if (found)
        return 0;
    trouble_t out = trouble(MOB_ENOTFOUND, "no task, call or object %s", text);
    trouble_try(&out, "mobula list tasks");
    return say_trouble(tool, &out);
}

int query_ref(tool_t *tool, const char *text, mob_ref_t *ref)
{
    bool whole;
    if (!read_id(text, ref, &whole)) {
        trouble_t out = trouble(
            MOB_EARGS, "\"%s\" is no id: OWNER.SEQ is wanted, like 9f3ac41b22d0e871.17", text);
        trouble_try(&out, "mobula list tasks");
        return say_trouble(tool, &out);
    }
    return whole ? 0 : find_shortened(tool, text, ref);
}

static int no_actor(tool_t *tool, const char *text, const rows_t *rows)
{
    trouble_t out = trouble(MOB_ENOTFOUND, "no actor named %s", text);
    near_t near = near_of(text);
    size_t alive = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (strcmp(row_text(&rows->items[i], "state"), "dead") == 0)
            continue;
        alive++;
        near_add(&near, row_text(&rows->items[i], "name"));
    }
    trouble_cause(&out, "the name is not registered (%zu actor%s alive)", alive,
                  alive == 1 ? "" : "s");
    if (near.count && near.distance[0] <= 2) {
        char line[160] = "";
        for (unsigned i = 1; i < tool->word_count; i++) {
            size_t used = strlen(line);
            snprintf(line + used, sizeof line - used, " %s", tool->words[i]);
        }
        trouble_try(&out, "mobula %s %s%s      did you mean %s?", tool->verb->name, near.best[0],
                    line, near.best[0]);
    }
    trouble_try(&out, "mobula list actors");
    return say_trouble(tool, &out);
}

// A living one before a dead one of the same name.
int query_actor(tool_t *tool, const char *text, mob_actor_t *actor, const char **cls)
{
    rows_t rows;
    mob_ref_t ref;
    bool whole;
    int wrong = query_rows(tool, "actors", NULL, &rows);
    if (wrong)
        return wrong;
    const char *space = tool_flag(tool, "namespace");
    const row_t *best = NULL;
    for (size_t i = 0; i < rows.count; i++) {
        const row_t *row = &rows.items[i];
        bool named = strcmp(row_text(row, "name"), text) == 0 &&
                     (!space || strcmp(row_text(row, "space"), space) == 0);
        bool dead = strcmp(row_text(row, "state"), "dead") == 0;
        if ((named || matches(row_text(row, "id"), text)) && (!best || !dead))
            best = row;
    }
    if (!best || !read_id(row_text(best, "id"), &ref, &whole))
        return no_actor(tool, text, &rows);
    *actor = (mob_actor_t){ref.owner, ref.seq, 0};
    *cls = row_text(best, "class");
    return 0;
}
