// why.c - why something waits: the broker's reasons, each beneath what it holds up, and what would help.

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"
#include "unit.h"
#include "verb.h"

// clang-format off
static const column_t columns[] = {
    {"id", "ID", 't', 0}, {"name", "NAME", 's', 0}, {"kind", "KIND", 't', 0}, {"state", "STATE", 't', 0}, {"age_ms", "AGE", 'a', 0},
    {"reason", "REASON", 't', 0}, {"why", "WHY", 't', 0}, {"held_by", "HELD-BY", 't', 0}, {"left_ms", "LEFT", 'n', 1}, {"asks", "ASKS", 't', 1},
    {"fix", "FIX", 't', 0}, {0}};

// What helps against the last reason of a chain. %s: what is asked of a host.
static const struct fix {
    const char *reason, *advice;
    bool end; // to end it helps as well
} fixes[] = {
    {"argument",    "see what it waits for: mobula list tasks", true},
    {"key",         "see who has that key: mobula list tasks", true},
    {"delay",       "wait", true},
    {"retry",       "wait; what ended the run before: mobula list attempts", true},
    {"unoffered",   "start a host that offers it; what there is: mobula list methods", true},
    {"unfit",       "start a host that has %s", true},
    {"taken",       "wait, or start another host that has %s", true},
    {"process",     "wait, or let the host have more: --procs", true},
    {"mailbox",     "wait", true},
    {"actor",       "look at it: mobula list actors", false},
    {"constructor", "wait", true},
    {"running",     "wait", true},
    {"child",       "look at what it asked for: mobula list tasks", true},
    {"reader",      "read its items, or drop it", true},
    {"silent",      "look at its machine: mobula list hosts", false},
    {"rejoin",      "wait", false},
    {"dead",        "make it anew: mobula new", false},
    {"cycle",       "let the body not wait for its own actor", true},
    {0},
};
// clang-format on

static const struct fix *find_fix(const row_t *row)
{
    const struct fix *fix = fixes;
    while (fix->reason && strcmp(fix->reason, row_text(row, "reason")) != 0)
        fix++;
    return fix->reason ? fix : NULL;
}

// "": nothing is to be done.
static void print_fix(const row_t *row, char *out, size_t size)
{
    const struct fix *fix = find_fix(row);
    const char *id = row_text(row, "id"), *mark = fix ? strstr(fix->advice, "%s") : NULL;
    out[0] = '\0';
    if (strcmp(row_text(row, "reason"), "settled") == 0)
        snprintf(out, size, "mobula get %s", id);
    if (!fix)
        return;
    int put = mark ? snprintf(out, size, "%.*s%s%s", (int)(mark - fix->advice), fix->advice,
                              row_text(row, "asks"), mark + 2)
                   : snprintf(out, size, "%s", fix->advice);
    bool actor = strcmp(row_text(row, "kind"), "actor") == 0;
    if (fix->end && put > 0 && (size_t)put < size)
        snprintf(out + put, size - (size_t)put, ", or  mobula %s %s", actor ? "kill" : "cancel",
                 actor ? row_text(row, "name") : id);
}

// The last row says what would help: in all formats.
static void add_fix(tool_t *tool, rows_t *rows)
{
    row_t *last = &rows->items[rows->count - 1];
    cell_t *cells = arena_alloc(&tool->memory, (last->count + 1) * sizeof *cells);
    char *text = arena_alloc(&tool->memory, TROUBLE_TEXT_MAX);
    if (!cells || !text)
        return;
    print_fix(last, text, TROUBLE_TEXT_MAX);
    memcpy(cells, last->cells, last->count * sizeof *cells);
    cells[last->count] = (cell_t){.key = "fix", .text = text};
    *last = (row_t){cells, last->count + 1};
}

static void print_subject(const row_t *row)
{
    const char *name = row_text(row, "name");
    bool actor = strcmp(row_text(row, "kind"), "actor") == 0;
    if (actor)
        printf("%s ", name);
    else
        printf("%.*s %s ", (int)strcspn(name, " "), name, row_text(row, "id"));
}

static void print_chain(const rows_t *rows)
{
    const row_t *first = &rows->items[0], *last = &rows->items[rows->count - 1];
    char text[UNIT_TEXT_MAX];
    printf("%s  %s  %s for %s", row_text(first, "id"), row_text(first, "name"),
           row_text(first, "state"), unit_print_age(text, row_number(first, "age_ms") * 1000));
    if (row_number(first, "left_ms") >= 0)
        printf(", its deadline in %s", unit_print_age(text, row_number(first, "left_ms") * 1000));
    putchar('\n');
    for (size_t i = 0; i < rows->count; i++) {
        const row_t *row = &rows->items[i];
        const char *held = row_text(row, "held_by");
        printf("%*sbecause  ", (int)(2 * i + 2), "");
        if (i > 0)
            print_subject(row);
        printf("%s%s%s\n", row_text(row, "why"), *held ? "; held by " : "", held);
    }
    if (*row_text(last, "fix"))
        printf("  fix      %s\n", row_text(last, "fix"));
}

// An id, whole or short, or what an actor is called.
static int find_id(tool_t *tool, const char *text, mob_ref_t *ref)
{
    bool whole;
    mob_actor_t actor;
    const char *cls;
    if (read_id(text, ref, &whole))
        return query_ref(tool, text, ref);
    int wrong = query_actor(tool, text, &actor, &cls);
    *ref = (mob_ref_t){actor.owner, actor.seq};
    return wrong;
}

int why(tool_t *tool)
{
    rows_t rows = {0};
    mob_ref_t ref = {0};
    char id[ID_TEXT_MAX];
    int wrong = tool_connect(tool);
    if (!wrong)
        wrong = find_id(tool, tool->words[0], &ref);
    if (!wrong)
        wrong = query_rows(tool, "why", say_id(id, ref), &rows);
    if (wrong || rows.count == 0)
        return wrong;
    add_fix(tool, &rows);
    if (tool->output == OUTPUT_AUTO || tool->output == OUTPUT_TABLE || tool->output == OUTPUT_PLAIN)
        print_chain(&rows);
    else
        say_rows(tool, &rows, columns, "id");
    return 0;
}
