// say.c - prints errors, rows, JSON and ids. Never decides what is printed, only how.

#include "say.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "text.h"
#include "unit.h"
#include "verb.h"

// ---- Errors -------------------------------------------------------------------------------------

#define FORMAT_INTO(out, format)                       \
    do {                                               \
        va_list args;                                  \
        va_start(args, format);                        \
        vsnprintf((out), sizeof(out), (format), args); \
        va_end(args);                                  \
    } while (0)

trouble_t trouble(mob_err_t err, const char *format, ...)
{
    trouble_t self = {.code = error_name(err), .exit = mob_exit_status(err), .executed = "no"};
    FORMAT_INTO(self.message, format);
    return self;
}

trouble_t trouble_usage(const char *format, ...)
{
    trouble_t self = {.code = "EUSAGE", .exit = 2, .executed = "no"};
    FORMAT_INTO(self.message, format);
    return self;
}

trouble_t trouble_config(const char *format, ...)
{
    trouble_t self = {.code = "ECONFIG", .exit = 2, .executed = "no"};
    FORMAT_INTO(self.message, format);
    return self;
}

void trouble_cause(trouble_t *self, const char *format, ...)
{
    FORMAT_INTO(self->cause, format);
}

void trouble_try(trouble_t *self, const char *format, ...)
{
    if (self->try_count < TROUBLE_TRIES_MAX)
        FORMAT_INTO(self->tries[self->try_count++], format);
}

static void json_pair(FILE *to, const char *key, const char *text)
{
    fprintf(to, ",\"%s\":", key);
    say_json_text(to, text);
}

static void say_trouble_json(const trouble_t *self)
{
    fputs("{\"error\":{\"code\":", stderr);
    say_json_text(stderr, self->code);
    json_pair(stderr, "reason", self->reason);
    json_pair(stderr, "executed", self->executed);
    fprintf(stderr, ",\"exit\":%d", self->exit);
    json_pair(stderr, "message", self->message);
    json_pair(stderr, "cause", self->cause);
    fputs(",\"try\":[", stderr);
    for (unsigned i = 0; i < self->try_count; i++) {
        fputs(i ? "," : "", stderr);
        say_json_text(stderr, self->tries[i]);
    }
    fputs("]}}\n", stderr);
}

// Lines after the first stand under the first one's text.
static void say_part(const char *label, const char *text)
{
    fprintf(stderr, "  %-6s ", label);
    for (; *text; text++) {
        fputc(*text, stderr);
        if (*text == '\n' && text[1])
            fputs("         ", stderr);
    }
    fputc('\n', stderr);
}

int say_trouble(const tool_t *tool, const trouble_t *self)
{
    fflush(stdout);
    if (tool_json(tool)) {
        say_trouble_json(self);
        return self->exit;
    }
    bool colour = tool->term.colour_err;
    fprintf(stderr, "%serror[%s%s%s]%s: %s\n", term_on(colour, TERM_RED), self->code,
            *self->reason ? " " : "", self->reason, term_off(colour), self->message);
    if (*self->cause)
        say_part("cause:", self->cause);
    for (unsigned i = 0; i < self->try_count; i++)
        say_part(i ? "" : "try:", self->tries[i]);
    return self->exit;
}

static void tell_process(trouble_t *out, const mob_info_t *info)
{
    char text[TROUBLE_TEXT_MAX];
    int used = snprintf(text, sizeof text, "%s", out->cause);
#define MORE(...)                                \
    if (used >= 0 && (size_t)used < sizeof text) \
    used += snprintf(text + used, sizeof text - (size_t)used, __VA_ARGS__)
    if (info->attempts > 1) {
        MORE("%sattempt %u", used ? ", " : "", info->attempts);
    }
    if (*info->host) {
        MORE("%son host %s", used ? ", " : "", info->host);
    }
    if (info->pid) {
        MORE("%spid %d", used ? ", " : "", info->pid);
    }
    if (info->retry_after_ms) {
        MORE("%sagain after %d ms", used ? ", " : "", info->retry_after_ms);
    }
    if (*info->trace) {
        MORE("%s%s", used ? "\n" : "", info->trace);
    }
    if (*info->log) {
        MORE("%s%s", used ? "\n" : "", info->log);
    }
#undef MORE
    snprintf(out->cause, sizeof out->cause, "%s", text);
}

static void tell_wait(const tool_t *tool, trouble_t *out, mob_ref_t ref)
{
    char id[ID_TEXT_MAX], time[UNIT_TEXT_MAX];
    trouble_cause(out, "waited %s for %s",
                  unit_print_duration(time, tool->timeout_us, !tool->term.utf8), say_id(id, ref));
    trouble_try(out, "mobula %s ... -t 5m      to wait longer, or -t forever", tool->verb->name);
    trouble_try(out, "mobula list tasks         what it waits behind");
}

int say_failure(tool_t *tool, mob_ref_t ref, mob_err_t err, const char *what)
{
    static const char *const executed[] = {"no", "maybe", "yes"};
    if (err == MOB_EINTERRUPTED && tool_signal()) {
        trouble_t out = trouble(err, "%s: interrupted", what);
        out.exit = 128 + tool_signal();
        out.executed = "maybe";
        return say_trouble(tool, &out);
    }
    mob_info_t info = mob_info(tool->client, ref);
    const char *reason = info.state == MOB_FAILED && *info.reason ? info.reason : mob_strerror(err);
    bool told = strncmp(reason, what, strlen(what)) == 0; // the sentence names it itself
    trouble_t out = trouble(err, "%s%s%s", told ? "" : what, told ? "" : ": ", reason);
    out.executed = info.state == MOB_FAILED ? executed[info.executed] : "maybe";
    if (info.state == MOB_FAILED) {
        snprintf(out.reason, sizeof out.reason, "%s", info.why);
        if (info.err == MOB_ETASK && info.code)
            trouble_cause(&out, "code %d", info.code);
        tell_process(&out, &info);
    } else if (err == MOB_ETIMEDOUT) {
        tell_wait(tool, &out, ref);
    }
    if (err == MOB_EOFFLINE) {
        trouble_cause(&out, "%s takes connections, but no broker answers there", tool->address);
        trouble_try(&out, "mobula health -b %s -t 30s", tool->address);
    }
    return say_trouble(tool, &out);
}

void say_note(const tool_t *tool, const char *format, ...)
{
    if (tool->quiet)
        return;
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

bool say_sure(const tool_t *tool, const char *what)
{
    if (tool_has(tool, "yes") || !tool->term.err || !tool->term.out)
        return true;
    if (tool_has(tool, "no-input"))
        return false;
    char line[16] = "";
    fprintf(stderr, "%s %s? [y/N] ", tool->verb->name, what);
    return fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y');
}

// ---- JSON ---------------------------------------------------------------------------------------

void say_json_text(FILE *to, const char *text)
{
    size_t size = strlen(text);
    fputc('"', to);
    while (size > 0) {
        size_t took = text_character(text, size);
        unsigned char c = (unsigned char)*text;
        if (took == 0)
            fputs("\\ufffd", to);
        else if (c == '"' || c == '\\')
            fprintf(to, "\\%c", c);
        else if (c == '\n' || c == '\t')
            fputs(c == '\n' ? "\\n" : "\\t", to);
        else if (c < 0x20 || c == 0x7f)
            fprintf(to, "\\u%04x", c);
        else
            fwrite(text, 1, took, to);
        took = took ? took : 1;
        text += took, size -= took;
    }
    fputc('"', to);
}

void say_json_row(FILE *to, const row_t *row)
{
    fputc('{', to);
    for (size_t i = 0; i < row->count; i++) {
        const cell_t *cell = &row->cells[i];
        fputs(i ? "," : "", to);
        say_json_text(to, cell->key);
        fputc(':', to);
        if (cell->text)
            say_json_text(to, cell->text);
        else
            fprintf(to, "%" PRId64, cell->number);
    }
    fputc('}', to);
}

// ---- Rows ---------------------------------------------------------------------------------------

const cell_t *row_cell(const row_t *row, const char *key)
{
    for (size_t i = 0; i < row->count; i++)
        if (strcmp(row->cells[i].key, key) == 0)
            return &row->cells[i];
    return NULL;
}

const char *row_text(const row_t *row, const char *key)
{
    const cell_t *cell = row_cell(row, key);
    return cell && cell->text ? cell->text : "";
}

int64_t row_number(const row_t *row, const char *key)
{
    const cell_t *cell = row_cell(row, key);
    return cell && !cell->text ? cell->number : 0;
}

enum { COLUMNS_MAX = 24 };

static const char *print_cell(char out[SAY_CELL_MAX], const row_t *row, const column_t *column,
                              bool people)
{
    const cell_t *cell = row_cell(row, column->key);
    char text[UNIT_TEXT_MAX];
    if (!cell || (cell->text && !*cell->text))
        snprintf(out, SAY_CELL_MAX, "%s", people ? "-" : "");
    else if (cell->text && column->type == 's' && people)
        snprintf(out, SAY_CELL_MAX, "%.*s", (int)strcspn(cell->text, " "), cell->text);
    else if (cell->text)
        snprintf(out, SAY_CELL_MAX, "%s", cell->text);
    else if (column->type == 'a' && people)
        snprintf(out, SAY_CELL_MAX, "%s", unit_print_age(text, cell->number * 1000));
    else if (column->type == 'd' && people)
        snprintf(out, SAY_CELL_MAX, "%s", unit_print_duration(text, cell->number, true));
    else if (column->type == 'b' && people)
        snprintf(out, SAY_CELL_MAX, "%s", unit_print_size(text, (uint64_t)cell->number));
    else
        snprintf(out, SAY_CELL_MAX, "%" PRId64, cell->number);
    return out;
}

const char *say_cell(char out[SAY_CELL_MAX], const row_t *row, const column_t *column)
{
    return print_cell(out, row, column, true);
}

static bool shown(const tool_t *tool, const column_t *column)
{
    return !column->wide || tool->output == OUTPUT_WIDE || tool->output == OUTPUT_CSV;
}

static void say_aligned(const tool_t *tool, const rows_t *rows, const column_t *columns)
{
    size_t widths[COLUMNS_MAX] = {0};
    char cell[SAY_CELL_MAX];
    bool heads = !tool_has(tool, "no-headers");
    for (size_t c = 0; columns[c].key; c++) {
        widths[c] = heads ? term_columns(columns[c].title) : 0;
        for (size_t r = 0; r < rows->count; r++) {
            size_t width = term_columns(print_cell(cell, &rows->items[r], &columns[c], true));
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (size_t r = heads ? 0 : 1; r < rows->count + 1; r++) {
        size_t owed = 0; // spaces before the next cell; none trail
        for (size_t c = 0; columns[c].key; c++) {
            if (!shown(tool, &columns[c]))
                continue;
            const char *text = r == 0 ? columns[c].title
                                      : print_cell(cell, &rows->items[r - 1], &columns[c], true);
            printf("%*s%s", (int)owed, "", text);
            owed = widths[c] - term_columns(text) + 2;
        }
        putchar('\n');
    }
}

static void say_csv_text(const char *text)
{
    if (!strpbrk(text, ",\"\n\r")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++)
        printf(*text == '"' ? "\"\"" : "%c", *text);
    putchar('"');
}

// Tab-separated or CSV: no alignment; plain cells are as people read them, CSV ones are raw.
static void say_separated(const tool_t *tool, const rows_t *rows, const column_t *columns, bool csv)
{
    char cell[SAY_CELL_MAX];
    bool heads = !tool_has(tool, "no-headers");
    for (size_t r = heads ? 0 : 1; r < rows->count + 1; r++) {
        for (size_t c = 0, put = 0; columns[c].key; c++) {
            if (!shown(tool, &columns[c]))
                continue;
            fputs(put++ ? (csv ? "," : "\t") : "", stdout);
            const char *head = csv ? columns[c].key : columns[c].title;
            const char *text =
                r == 0 ? head : print_cell(cell, &rows->items[r - 1], &columns[c], !csv);
            if (csv)
                say_csv_text(text);
            else
                fputs(text, stdout);
        }
        putchar('\n');
    }
}

static void say_json_rows(const rows_t *rows, bool lines)
{
    fputs(lines ? "" : "[", stdout);
    for (size_t r = 0; r < rows->count; r++) {
        fputs(r && !lines ? ",\n " : "", stdout);
        say_json_row(stdout, &rows->items[r]);
        fputs(lines ? "\n" : "", stdout);
    }
    fputs(lines ? "" : "]\n", stdout);
}

void say_rows(const tool_t *tool, const rows_t *rows, const column_t *columns, const char *name_key)
{
    switch (tool->output) {
    case OUTPUT_JSON:
    case OUTPUT_JSONL:
        say_json_rows(rows, tool->output == OUTPUT_JSONL);
        return;
    case OUTPUT_CSV:
    case OUTPUT_PLAIN:
        say_separated(tool, rows, columns, tool->output == OUTPUT_CSV);
        return;
    case OUTPUT_NAME:
        for (size_t r = 0; r < rows->count; r++)
            puts(row_text(&rows->items[r], name_key));
        return;
    default:
        say_aligned(tool, rows, columns);
    }
}

// ---- Ids ----------------------------------------------------------------------------------------

const char *say_id(char out[ID_TEXT_MAX], mob_ref_t ref)
{
    snprintf(out, ID_TEXT_MAX, "%016" PRIx64 ".%" PRIu64, ref.owner, ref.seq);
    return out;
}

bool read_id(const char *text, mob_ref_t *ref, bool *whole)
{
    const char *dot = strchr(text, '.');
    size_t hex = dot ? (size_t)(dot - text) : 0;
    if (hex < 4 || hex > 16 || strspn(text, "0123456789abcdefABCDEF") != hex)
        return false;
    if (!dot[1] || strspn(dot + 1, "0123456789") != strlen(dot + 1) || strlen(dot + 1) > 19)
        return false;
    ref->owner = strtoull(text, NULL, 16);
    ref->seq = strtoull(dot + 1, NULL, 10);
    *whole = hex == 16;
    return true;
}
