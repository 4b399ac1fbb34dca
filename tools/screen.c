// screen.c - see screen.h. Every line is cut to the terminal's width; what does not fit is not drawn.

#include "screen.h"

#include <curses.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "unit.h"

enum { HEAD_LINES = 5, GAP = 2, LINE_MAX_WIDE = 512, COLUMNS_MAX = 24 };

bool screen_open(void)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !newterm(NULL, stdout, stdin))
        return false;
    set_escdelay(25);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    return true;
}

void screen_close(void)
{
    endwin();
}

int screen_key(int wait_ms)
{
    timeout(wait_ms);
    return getch();
}

size_t screen_rows(void)
{
    return LINES > HEAD_LINES + 1 ? (size_t)(LINES - HEAD_LINES - 1) : 0;
}

// At most `width` columns of text; gives how many.
static int put(int y, int x, int width, const char *text)
{
    wchar_t wide[LINE_MAX_WIDE];
    size_t count = mbstowcs(wide, text, LINE_MAX_WIDE - 1);
    int columns = 0;
    if (y >= LINES || count == (size_t)-1)
        return 0;
    for (size_t i = 0; i < count; i++) {
        int one = wcwidth(wide[i]) > 0 ? wcwidth(wide[i]) : 0;
        if (columns + one > width)
            count = i;
        else
            columns += one;
    }
    mvaddnwstr(y, x, wide, (int)count);
    return columns;
}

static void put_line(int y, attr_t how, const char *text)
{
    attron(how);
    int used = put(y, 0, COLS, text);
    if (how & A_REVERSE)
        mvhline(y, used, ' ' | how, COLS - used);
    attroff(how);
}

// ---- Above the table ----------------------------------------------------------------------------

static void put_title(const frame_t *frame, const tool_t *tool, const look_t *look)
{
    char line[LINE_MAX_WIDE];
    const char *state = frame->status.count ? row_text(frame->status.items, "state") : "";
    snprintf(line, sizeof line, " mobula top  %s%s%s  %s", frame->err ? "waiting: " : "",
             frame->err ? mob_strerror(frame->err) : state, look->frozen ? "  (frozen)" : "",
             tool->address);
    put_line(0, frame->err ? A_BOLD | A_REVERSE : A_BOLD, line);
}

static void put_figures(const frame_t *frame)
{
    char line[LINE_MAX_WIDE], settled[UNIT_TEXT_MAX], failed[UNIT_TEXT_MAX], memory[UNIT_TEXT_MAX],
        store[UNIT_TEXT_MAX];
    const row_t *row = frame->status.items;
    if (frame->status.count == 0)
        return;
    snprintf(line, sizeof line, " settled %s/s  failed %s/s  pending %lld  retries %lld",
             unit_print_rate(settled, frame->settled.rate),
             unit_print_rate(failed, frame->failed.rate), (long long)row_number(row, "pending"),
             (long long)row_number(row, "retries"));
    put_line(1, 0, line);
    snprintf(
        line, sizeof line,
        " hosts %lld  workers %lld  actors %lld  sessions %lld  objects %lld  state %s  store %s",
        (long long)row_number(row, "hosts"), (long long)row_number(row, "workers"),
        (long long)row_number(row, "actors"), (long long)row_number(row, "sessions"),
        (long long)row_number(row, "objects"),
        unit_print_size(memory, (uint64_t)row_number(row, "bytes")),
        unit_print_size(store, (uint64_t)row_number(row, "store_bytes")));
    put_line(2, 0, line);
}

// " 1 Actors[2 Methods]3 Tasks": all of them fit on 80 columns.
static void put_tabs(const look_t *look)
{
    int x = 0;
    for (unsigned i = 0; i < FRAME_VIEWS; i++) {
        char tab[32];
        bool here = i == look->view;
        const char *before = here ? "[" : i > 0 && i - 1 == look->view ? "]" : " ";
        snprintf(tab, sizeof tab, "%s%u %s", before, i + 1, frame_view(i).title);
        attron(here ? A_BOLD : A_NORMAL);
        x += put(3, x, COLS - x, tab);
        attroff(here ? A_BOLD : A_NORMAL);
    }
    if (look->view == FRAME_VIEWS - 1)
        put(3, x, COLS - x, "]");
}

// ---- The table ----------------------------------------------------------------------------------

typedef struct widths {
    int of[COLUMNS_MAX];
} widths_t;

static bool stands_left(const column_t *column)
{
    return !strchr("nadb", column->type);
}

static widths_t measure(const frame_t *frame, const view_t *view, const look_t *look, size_t fit)
{
    widths_t self = {{0}};
    char cell[SAY_CELL_MAX];
    const column_t *columns = view->kind->columns;
    for (size_t c = 0; c < COLUMNS_MAX && columns[c].key; c++) {
        self.of[c] = (int)term_columns(columns[c].title);
        for (size_t r = look->first; r < frame->rows.count && r < look->first + fit; r++) {
            int width = (int)term_columns(say_cell(cell, &frame->rows.items[r], &columns[c]));
            self.of[c] = width > self.of[c] ? width : self.of[c];
        }
    }
    return self;
}

// A row, or without one the titles. Numbers stand at the right of their column.
static void put_row(int y, attr_t how, const row_t *row, const view_t *view, const widths_t *widths)
{
    char cell[SAY_CELL_MAX];
    int x = 1;
    put_line(y, how, " ");
    attron(how);
    for (const column_t *column = view->kind->columns; column->key && x < COLS; column++) {
        if (column->wide)
            continue;
        bool sorted = !row && strcmp(column->key, view->sort) == 0;
        const char *text = row ? say_cell(cell, row, column) : column->title;
        int width = widths->of[column - view->kind->columns], size = (int)term_columns(text);
        int indent = stands_left(column) || size > width ? 0 : width - size;
        attron(sorted ? A_UNDERLINE : A_NORMAL);
        put(y, x + indent, COLS - x - indent, text);
        attroff(sorted ? A_UNDERLINE : A_NORMAL);
        x += width + GAP;
    }
    attroff(how);
}

static void scroll_to_selected(const frame_t *frame, look_t *look, size_t fit)
{
    size_t count = frame->rows.count;
    look->selected = count == 0 ? 0 : look->selected >= count ? count - 1 : look->selected;
    if (look->selected < look->first)
        look->first = look->selected;
    if (fit > 0 && look->selected >= look->first + fit)
        look->first = look->selected - fit + 1;
}

static void put_bottom(const frame_t *frame, const look_t *look)
{
    char line[LINE_MAX_WIDE];
    snprintf(line, sizeof line, " %s%s%s%s%s", *look->filter ? "filter: " : "", look->filter,
             *look->filter ? "   " : "", frame->rows.cut ? "(not all)   " : "", look->bottom);
    put_line(LINES - 1, A_REVERSE, line);
}

void screen_table(const frame_t *frame, const tool_t *tool, const view_t *view, look_t *look)
{
    size_t fit = screen_rows();
    scroll_to_selected(frame, look, fit);
    widths_t widths = measure(frame, view, look, fit);
    erase();
    put_title(frame, tool, look);
    put_figures(frame);
    put_tabs(look);
    put_row(HEAD_LINES - 1, A_REVERSE, NULL, view, &widths);
    for (size_t i = 0; i < fit && look->first + i < frame->rows.count; i++) {
        size_t row = look->first + i;
        put_row(HEAD_LINES + (int)i, row == look->selected ? A_BOLD | A_REVERSE : A_NORMAL,
                &frame->rows.items[row], view, &widths);
    }
    put_bottom(frame, look);
    refresh();
}

// ---- Pages --------------------------------------------------------------------------------------

void page_add(page_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (self->count < SCREEN_LINES_MAX)
        vsnprintf(self->lines[self->count++], sizeof self->lines[0], format, args);
    va_end(args);
}

void screen_page(const page_t *page, const char *title, const char *bottom)
{
    erase();
    put_line(0, A_BOLD, title);
    for (size_t i = 0; i < page->count && (int)i + 3 < LINES; i++)
        put_line((int)i + 2, A_NORMAL, page->lines[i]);
    put_line(LINES - 1, A_REVERSE, bottom);
    refresh();
}
