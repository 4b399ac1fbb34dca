// state.c - list, show, status, summary: what the state API gives, arranged for people.

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "kind.h"
#include "near.h"
#include "query.h"
#include "unit.h"
#include "verb.h"

static int no_kind(tool_t *tool, const char *name)
{
    trouble_t out = trouble_usage("nothing to %s under %s", tool->verb->name, name);
    near_t near = near_of(name);
    for (const kind_t *kind = kinds; kind->name; kind++)
        near_add(&near, kind->name);
    for (unsigned i = 0; i < near.count; i++)
        trouble_try(&out, "mobula %s %s", tool->verb->name, near.best[i]);
    return say_trouble(tool, &out);
}

// ---- list ---------------------------------------------------------------------------------------

static int no_column(tool_t *tool, const column_t *columns, const char *name, size_t size)
{
    char names[512] = "";
    for (; columns->key; columns++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? " " : "", columns->key);
    }
    trouble_t out = trouble_usage("no column %.*s", (int)size, name);
    trouble_cause(&out, "there are %s", names);
    return say_trouble(tool, &out);
}

static int sort(tool_t *tool, const column_t *columns, rows_t *rows)
{
    const char *name = tool_flag(tool, "sort");
    if (name) {
        int sign = *name == '-' ? -1 : 1;
        name += *name == '-';
        const column_t *column = kind_column(columns, name, strlen(name));
        if (!column)
            return no_column(tool, columns, name, strlen(name));
        kind_sort(rows, column->key, sign);
    }
    if (tool_has(tool, "reverse"))
        for (size_t i = 0; i < rows->count / 2; i++) {
            row_t row = rows->items[i];
            rows->items[i] = rows->items[rows->count - 1 - i];
            rows->items[rows->count - 1 - i] = row;
        }
    return 0;
}

enum { COLUMNS_MAX = 24 };

// --columns A,B: these, in this order.
static int pick_columns(tool_t *tool, const column_t **columns_p, column_t picked[COLUMNS_MAX])
{
    const char *at = tool_flag(tool, "columns");
    size_t count = 0;
    while (at && *at && count < COLUMNS_MAX - 1) {
        size_t size = strcspn(at, ",");
        const column_t *column = kind_column(*columns_p, at, size);
        if (!column)
            return no_column(tool, *columns_p, at, size);
        picked[count] = *column;
        picked[count++].wide = false;
        at += size + (at[size] == ',');
    }
    picked[count] = (column_t){0};
    *columns_p = count ? picked : *columns_p;
    return 0;
}

static void keep_columns(tool_t *tool, rows_t *rows, const column_t *columns)
{
    for (size_t r = 0; r < rows->count; r++) {
        cell_t *cells = arena_alloc(&tool->memory, COLUMNS_MAX * sizeof *cells);
        size_t count = 0;
        for (const column_t *column = columns; cells && column->key; column++) {
            const cell_t *cell = row_cell(&rows->items[r], column->key);
            if (cell)
                cells[count++] = *cell;
        }
        rows->items[r] = (row_t){cells, count};
    }
}

static void note_of_cut(const tool_t *tool, const char *kind, size_t shown, int64_t found,
                        bool filtered)
{
    if (found > (int64_t)shown)
        say_note(tool, "%zu of %" PRId64 " %s (--limit %" PRId64 " shows all)", shown, found, kind,
                 found);
    else if (filtered)
        say_note(tool, "%zu %s match", shown, kind);
}

int state_list(tool_t *tool)
{
    const kind_t *kind = kind_find(tool->words[0]);
    const column_t *columns = kind ? kind->columns : NULL;
    column_t picked[COLUMNS_MAX];
    char filter[FILTER_TEXT_MAX];
    rows_t rows;
    if (!kind)
        return no_kind(tool, tool->words[0]);
    int wrong = pick_columns(tool, &columns, picked);
    if (!wrong)
        wrong = query_filter(tool, tool->word_count, filter, sizeof filter);
    if (!wrong)
        wrong = tool_connect(tool);
    if (!wrong)
        wrong = query_rows(tool, kind->name, filter, &rows);
    if (!wrong)
        wrong = sort(tool, kind->columns, &rows);
    if (wrong)
        return wrong;
    int64_t found = (int64_t)rows.count + rows.cut;
    size_t limit = (size_t)tool_count(tool, "limit", 100);
    rows.count = rows.count > limit ? limit : rows.count;
    if (columns == picked)
        keep_columns(tool, &rows, columns);
    say_rows(tool, &rows, columns, kind->name_key);
    fflush(stdout);
    note_of_cut(tool, kind->name, rows.count, found, *filter != '\0');
    return 0;
}

// ---- show ---------------------------------------------------------------------------------------

static bool is_called(const row_t *row, const char *text)
{
    const char *id = row_text(row, "id"), *dot = strchr(text, '.'), *id_dot = strchr(id, '.');
    if (strcmp(row_text(row, "name"), text) == 0 || strcmp(id, text) == 0)
        return true;
    const char *name = row_text(row, "name");
    if (strlen(text) == strcspn(name, " ") && strncmp(name, text, strlen(text)) == 0)
        return true; // a signature by its first word
    return dot && id_dot && strcmp(dot, id_dot) == 0 &&
           strncasecmp(id, text, (size_t)(dot - text)) == 0;
}

static void print_fields(const row_t *row, const column_t *columns)
{
    char text[UNIT_TEXT_MAX];
    for (size_t i = 0; i < row->count; i++) {
        const cell_t *cell = &row->cells[i];
        const column_t *column = kind_column(columns, cell->key, strlen(cell->key));
        char type = column ? column->type : 't';
        if (cell->text && !*cell->text)
            continue;
        int size = (int)strcspn(cell->key, "\0");
        size -= size > 3 && strcmp(cell->key + size - 3, "_ms") == 0 ? 3 : 0;
        printf("%-12.*s  ", size, cell->key);
        if (cell->text)
            puts(cell->text);
        else if (type == 'a')
            puts(unit_print_age(text, cell->number * 1000));
        else if (type == 'b')
            puts(unit_print_size(text, (uint64_t)cell->number));
        else
            printf("%" PRId64 "\n", cell->number);
    }
}

// The methods of an actor's class, beneath it.
static int print_methods(tool_t *tool, const row_t *actor)
{
    rows_t rows;
    int wrong = query_rows(tool, "methods", "kind=method", &rows);
    const char *label = "methods";
    for (size_t i = 0; !wrong && i < rows.count; i++) {
        if (strcmp(row_text(&rows.items[i], "class"), row_text(actor, "class")) != 0)
            continue;
        printf("%-12s  %s\n", label, row_text(&rows.items[i], "usage"));
        label = "";
    }
    return wrong;
}

// Who keeps an object, beneath it.
static int print_holders(tool_t *tool, const row_t *object)
{
    rows_t rows;
    char filter[FILTER_TEXT_MAX];
    const char *label = "held by";
    snprintf(filter, sizeof filter, "id=%s", row_text(object, "id"));
    int wrong = query_rows(tool, "refs", filter, &rows);
    for (size_t i = 0; !wrong && i < rows.count; i++, label = "")
        printf("%-12s  %s %s %s\n", label, row_text(&rows.items[i], "kind"),
               row_text(&rows.items[i], "name"), row_text(&rows.items[i], "holder"));
    return wrong;
}

static int print_beneath(tool_t *tool, const kind_t *kind, const row_t *row)
{
    return strcmp(kind->name, "actors") == 0    ? print_methods(tool, row)
           : strcmp(kind->name, "objects") == 0 ? print_holders(tool, row)
                                                : 0;
}

int state_show(tool_t *tool)
{
    const kind_t *kind = kind_find(tool->words[0]);
    rows_t rows;
    if (!kind)
        return no_kind(tool, tool->words[0]);
    int wrong = tool_connect(tool);
    if (!wrong)
        wrong = query_rows(tool, kind->name, NULL, &rows);
    if (wrong)
        return wrong;
    near_t near = near_of(tool->words[1]);
    for (size_t i = 0; i < rows.count; i++) {
        const row_t *row = &rows.items[i];
        near_add(&near, row_text(row, kind->name_key));
        if (!is_called(row, tool->words[1]))
            continue;
        if (tool_json(tool)) {
            say_json_row(stdout, row);
            putchar('\n');
            return 0;
        }
        print_fields(row, kind->columns);
        return print_beneath(tool, kind, row);
    }
    trouble_t out = trouble(MOB_ENOTFOUND, "no %s %s", kind->one, tool->words[1]);
    trouble_cause(&out, "%zu %s there", rows.count, rows.count == 1 ? kind->one : kind->name);
    for (unsigned i = 0; i < near.count && near.distance[i] <= 3; i++)
        trouble_try(&out, "mobula show %s %s", kind->one, near.best[i]);
    trouble_try(&out, "mobula list %s", kind->name);
    return say_trouble(tool, &out);
}

// ---- status -------------------------------------------------------------------------------------

static void count(const row_t *row, const char *key, const char *after)
{
    char text[UNIT_TEXT_MAX];
    printf("%s %s%s", unit_print_count(text, (uint64_t)row_number(row, key)), key, after);
}

int state_status(tool_t *tool)
{
    rows_t rows;
    char text[UNIT_TEXT_MAX];
    int wrong = tool_connect(tool);
    if (!wrong)
        wrong = query_rows(tool, "status", NULL, &rows);
    if (wrong)
        return wrong;
    if (tool_json(tool) || rows.count == 0) {
        for (size_t i = 0; i < rows.count; i++, putchar('\n'))
            say_json_row(stdout, &rows.items[i]);
        return 0;
    }
    const row_t *row = &rows.items[0];
    printf("broker   %s   epoch %" PRId64 "   %s\n", tool->address, row_number(row, "epoch"),
           row_text(row, "state"));
    printf("hosts    ");
    count(row, "hosts", "   ");
    count(row, "workers", "   ");
    count(row, "actors", "   ");
    count(row, "sessions", "\n");
    printf("calls    ");
    count(row, "calls", "   ");
    count(row, "tasks", "   ");
    count(row, "pending", "   ");
    count(row, "settled", "   ");
    count(row, "failed", "   ");
    count(row, "retries", "\n");
    printf("objects  %s kept", unit_print_count(text, (uint64_t)row_number(row, "objects")));
    printf("   state %s", unit_print_size(text, (uint64_t)row_number(row, "bytes")));
    printf("   notices %s", unit_print_count(text, (uint64_t)row_number(row, "notices")));
    printf("   malformed %s\n", unit_print_count(text, (uint64_t)row_number(row, "malformed")));
    return 0;
}

// ---- summary ------------------------------------------------------------------------------------

static const column_t summary_columns[] = {
    {"name", "NAME", 's', 0}, {"state", "STATE", 't', 0}, {"count", "COUNT", 'n', 0}, {0}};

static cell_t *find_line(tool_t *tool, rows_t *lines, const char *name, const char *state)
{
    for (size_t i = 0; i < lines->count; i++)
        if (strcmp(row_text(&lines->items[i], "name"), name) == 0 &&
            strcmp(row_text(&lines->items[i], "state"), state) == 0)
            return (cell_t *)(uintptr_t)&lines->items[i].cells[2];
    cell_t *cells = arena_alloc(&tool->memory, 3 * sizeof *cells);
    if (!cells)
        return NULL;
    cells[0] = (cell_t){.key = "name", .text = name};
    cells[1] = (cell_t){.key = "state", .text = state};
    cells[2] = (cell_t){.key = "count"};
    lines->items[lines->count++] = (row_t){cells, 3};
    return &cells[2];
}

// Of each namespace, behind the counts.
static int tell_stores(tool_t *tool)
{
    char kept[UNIT_TEXT_MAX], held[UNIT_TEXT_MAX];
    rows_t rows;
    int wrong = query_rows(tool, "stores", "", &rows);
    for (size_t i = 0; !wrong && i < rows.count; i++) {
        const row_t *row = &rows.items[i];
        say_note(tool, "%s: %s in values, %s of it held; %lld puts, %lld gets, %lld hits",
                 row_text(row, "space"), unit_print_size(kept, (uint64_t)row_number(row, "bytes")),
                 unit_print_size(held, (uint64_t)row_number(row, "held_bytes")),
                 (long long)row_number(row, "puts"), (long long)row_number(row, "gets"),
                 (long long)row_number(row, "hits"));
    }
    return wrong;
}

int state_summary(tool_t *tool)
{
    const kind_t *kind = kind_find(tool->words[0]);
    char filter[FILTER_TEXT_MAX];
    rows_t rows, lines = {0};
    if (!kind || !kind->total)
        return no_kind(tool, tool->words[0]);
    int wrong = query_filter(tool, tool->word_count, filter, sizeof filter);
    if (!wrong)
        wrong = tool_connect(tool);
    if (!wrong)
        wrong = query_rows(tool, kind->name, filter, &rows);
    if (wrong)
        return wrong;
    lines.items = arena_alloc(&tool->memory, (rows.count + 1) * sizeof *lines.items);
    for (size_t i = 0; lines.items && i < rows.count; i++) {
        cell_t *line = find_line(tool, &lines, row_text(&rows.items[i], kind->total),
                                 row_text(&rows.items[i], "state"));
        if (line)
            line->number++;
    }
    say_rows(tool, &lines, summary_columns, "name");
    fflush(stdout);
    say_note(tool, "%zu %s in all%s", rows.count, kind->name,
             rows.cut ? "; more were too many for one answer" : "");
    return strcmp(kind->name, "objects") == 0 ? tell_stores(tool) : 0;
}
