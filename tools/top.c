// top.c - top: frames of the broker's state, one after the other, and what keys do to them.

#include <ctype.h>
#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "filter.h"
#include "query.h"
#include "screen.h"
#include "unit.h"
#include "verb.h"

enum { PROMPT_MAX = 200, ENTER = 0x0a, SECOND_US = 1000000 };

typedef enum mode { MODE_TABLE, MODE_PAGE, MODE_PROMPT, MODE_KILL } top_mode_t;

typedef struct top {
    tool_t *tool;
    top_mode_t mode;
    frame_t frame;
    view_t view;
    look_t look;
    page_t page;
    char title[PROMPT_MAX];
    char filter[PROMPT_MAX], typed[PROMPT_MAX], message[2 * PROMPT_MAX];
    int64_t every, due;
    bool readonly, over;
} top_t;

static const char keys_line[] =
    "q quit  ? help  / filter  s sort  R reverse  enter detail  w why  space freeze";

static const row_t *selected(const top_t *self)
{
    return self->look.selected < self->frame.rows.count
               ? &self->frame.rows.items[self->look.selected]
               : NULL;
}

static void set_view(top_t *self, unsigned number)
{
    self->look.view = number;
    self->look.selected = self->look.first = 0;
    self->view = frame_view(number);
    self->due = 0;
}

// ---- Pages of text ------------------------------------------------------------------------------

static void open_page(top_t *self, const char *title)
{
    self->page.count = 0;
    self->mode = MODE_PAGE;
    snprintf(self->title, sizeof self->title, " %s", title);
}

static void add_fields(page_t *page, const row_t *row, const column_t *columns)
{
    char cell[SAY_CELL_MAX];
    for (size_t i = 0; i < row->count; i++) {
        const char *key = row->cells[i].key;
        const column_t *column = kind_column(columns, key, strlen(key));
        column_t plain = {key, key, 't', false};
        page_add(page, " %-14s %s", key, say_cell(cell, row, column ? column : &plain));
    }
}

static void show_detail(top_t *self)
{
    const row_t *row = selected(self);
    if (!row)
        return;
    open_page(self, row_text(row, self->view.kind->name_key));
    add_fields(&self->page, row, self->view.kind->columns);
}

static void show_why(top_t *self)
{
    const row_t *row = selected(self);
    frame_t answer = {0};
    mob_reader_t reader;
    const char *id = row ? row_text(row, "id") : "";
    if (!*id || !strchr(id, '.')) {
        snprintf(self->message, sizeof self->message, "why is for actors, tasks and objects");
        return;
    }
    open_page(self, row_text(row, self->view.kind->name_key));
    answer.refs[0] = mob_query(self->tool->client, "why", id);
    mob_err_t err = mob_await(self->tool->client, answer.refs[0], &reader, 2000);
    if (err || !query_read(&answer.memory, &reader, &answer.rows))
        page_add(&self->page, " %s", mob_reason(self->tool->client, answer.refs[0]));
    for (size_t i = 0; i < answer.rows.count; i++) {
        const row_t *why = &answer.rows.items[i];
        page_add(&self->page, " %s  %s  %s", row_text(why, "id"), row_text(why, "name"),
                 row_text(why, "state"));
        page_add(&self->page, "   because  %s", row_text(why, "why"));
        if (*row_text(why, "held_by"))
            page_add(&self->page, "   held by  %s", row_text(why, "held_by"));
    }
    frame_fini(&answer, self->tool);
}

// ---- What keys do -------------------------------------------------------------------------------

static void show_help(top_t *self);

static void quit(top_t *self)
{
    self->over = true;
}

static void move_by(top_t *self, long rows)
{
    size_t count = self->frame.rows.count;
    long to = (long)self->look.selected + rows;
    self->look.selected = count == 0 || to < 0 ? 0 : (size_t)to >= count ? count - 1 : (size_t)to;
}

static void up(top_t *self)
{
    move_by(self, -1);
}

static void down(top_t *self)
{
    move_by(self, 1);
}

static void page_up(top_t *self)
{
    move_by(self, -(long)screen_rows());
}

static void page_down(top_t *self)
{
    move_by(self, (long)screen_rows());
}

static void first(top_t *self)
{
    self->look.selected = 0;
}

static void last(top_t *self)
{
    self->look.selected = SIZE_MAX; // cut to the rows when it is drawn
}

static void next_view(top_t *self)
{
    set_view(self, (self->look.view + 1) % FRAME_VIEWS);
}

// By the next column that is shown; behind the last comes the first.
static void sort_next(top_t *self)
{
    const column_t *columns = self->view.kind->columns, *column = columns;
    while (column->key && strcmp(column->key, self->view.sort) != 0)
        column++;
    do
        column = column->key && column[1].key ? column + 1 : columns;
    while (column->wide);
    self->view.sort = column->key;
    self->view.sign = strchr("nadb", column->type) ? -1 : 1;
    kind_sort(&self->frame.rows, self->view.sort, self->view.sign);
}

static void reverse(top_t *self)
{
    self->view.sign = -self->view.sign;
    kind_sort(&self->frame.rows, self->view.sort, self->view.sign);
}

static void freeze(top_t *self)
{
    self->look.frozen = !self->look.frozen;
    self->due = 0;
}

static void ask_filter(top_t *self)
{
    self->mode = MODE_PROMPT;
    snprintf(self->typed, sizeof self->typed, "%s", self->filter);
}

static void ask_kill(top_t *self)
{
    if (self->readonly || strcmp(self->view.kind->name, "actors") != 0)
        snprintf(self->message, sizeof self->message,
                 self->readonly ? "--readonly" : "only actors are ended here");
    else if (selected(self))
        self->mode = MODE_KILL;
}

static const struct binding {
    int keys[3];
    void (*act)(top_t *);
    const char *help;
} bindings[] = {
    {{'q', KEY_F(10)}, quit, "q F10       end"},
    {{'?', 'h', KEY_F(1)}, show_help, "? h F1      this"},
    {{KEY_UP, 'k'}, up, "arrows, page up and down, home, end: move"},
    {{KEY_DOWN, 'j'}, down, NULL},
    {{KEY_PPAGE}, page_up, NULL},
    {{KEY_NPAGE}, page_down, NULL},
    {{KEY_HOME, 'g'}, first, NULL},
    {{KEY_END, 'G'}, last, NULL},
    {{'\t'}, next_view, "1 to 8, tab another view"},
    {{'/', KEY_F(4)},
     ask_filter,
     "/ F4        filter: state=alive, mailbox>0 and class=ledger; mobula help filter"},
    {{'s', KEY_F(6)}, sort_next, "s F6        sort by the next column"},
    {{'R'}, reverse, "R           the other way round"},
    {{ENTER, KEY_ENTER}, show_detail, "enter       all fields of the row"},
    {{'w'}, show_why, "w           why it waits"},
    {{' '}, freeze, "space       freeze the table; again: go on"},
    {{'K', KEY_F(9)}, ask_kill, "K F9        end the actor, when you have said yes"},
};

static void show_help(top_t *self)
{
    open_page(self, "keys");
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
        if (bindings[i].help)
            page_add(&self->page, " %s", bindings[i].help);
}

static void table_key(top_t *self, int key)
{
    self->message[0] = '\0';
    if (key >= '1' && key < '1' + FRAME_VIEWS)
        set_view(self, (unsigned)(key - '1'));
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
        for (size_t k = 0; k < 3; k++)
            if (bindings[i].keys[k] == key)
                bindings[i].act(self);
}

static void apply_filter(top_t *self)
{
    filter_t filter;
    unsigned column;
    if (!filter_parse(self->typed, &filter, &column)) {
        snprintf(self->message, sizeof self->message, "column %u: %s", column, filter.wrong);
        return;
    }
    self->message[0] = '\0';
    memcpy(self->filter, self->typed, sizeof self->filter);
    self->mode = MODE_TABLE;
    self->due = 0;
}

static void prompt_key(top_t *self, int key)
{
    size_t size = strlen(self->typed);
    if (key == SCREEN_ESCAPE)
        self->mode = MODE_TABLE;
    else if (key == ENTER || key == KEY_ENTER)
        apply_filter(self);
    else if ((key == KEY_BACKSPACE || key == 127 || key == 8) && size > 0)
        self->typed[size - 1] = '\0';
    else if (key >= ' ' && key < 127 && size + 1 < sizeof self->typed)
        self->typed[size] = (char)key, self->typed[size + 1] = '\0';
}

static void kill_key(top_t *self, int key)
{
    const row_t *row = selected(self);
    mob_ref_t ref;
    bool whole;
    self->mode = MODE_TABLE;
    if (tolower(key) != 'y' || !row || !read_id(row_text(row, "id"), &ref, &whole))
        return;
    mob_stop(self->tool->client, (mob_actor_t){ref.owner, ref.seq, 0}, MOB_STOP_NOW);
    snprintf(self->message, sizeof self->message, "%s is being ended", row_text(row, "name"));
    self->due = 0;
}

static void page_key(top_t *self, int key)
{
    (void)key;
    self->mode = MODE_TABLE;
}

// ---- The loop -----------------------------------------------------------------------------------

static void draw(top_t *self)
{
    char bottom[2 * PROMPT_MAX];
    const row_t *row = selected(self);
    snprintf(bottom, sizeof bottom, "%s", *self->message ? self->message : keys_line);
    if (self->mode == MODE_PROMPT)
        snprintf(bottom, sizeof bottom, "/%s_  %.100s", self->typed, self->message);
    else if (self->mode == MODE_KILL)
        snprintf(bottom, sizeof bottom, "end %s? y or any other key",
                 row ? row_text(row, "name") : "");
    self->look.bottom = bottom;
    self->look.filter = self->mode == MODE_PROMPT ? "" : self->filter;
    if (self->mode == MODE_PAGE)
        screen_page(&self->page, self->title, " any key: back");
    else
        screen_table(&self->frame, self->tool, &self->view, &self->look);
}

static void turn(top_t *self)
{
    static void (*const keys[])(top_t *, int) = {table_key, page_key, prompt_key, kill_key};
    int64_t now = clock_us();
    bool still = self->look.frozen || self->mode != MODE_TABLE;
    if (now >= self->due && !still) {
        frame_read(&self->frame, self->tool, &self->view, self->filter);
        self->due = now + self->every;
    }
    draw(self);
    int64_t left = still ? self->every : self->due - clock_us();
    int key = screen_key(left > 0 ? (int)(left / 1000) : 0);
    if (key != ERR && key != KEY_RESIZE)
        keys[self->mode](self, key);
}

static int show_once(top_t *self)
{
    frame_read(&self->frame, self->tool, &self->view, self->filter);
    if (self->frame.err) {
        trouble_t out = trouble(self->frame.err, "the broker's state could not be read");
        return say_trouble(self->tool, &out);
    }
    frame_say(&self->frame, self->tool, &self->view);
    return 0;
}

static int show_live(top_t *self)
{
    if (!screen_open()) {
        trouble_t out = trouble_usage("top draws on a terminal, and this is none");
        trouble_try(&out, "mobula top --once");
        return say_trouble(self->tool, &out);
    }
    while (!self->over && !tool_signal())
        turn(self);
    screen_close();
    return 0;
}

static void read_view(top_t *self, const char *name)
{
    set_view(self, 0);
    for (unsigned i = 0; i < FRAME_VIEWS; i++)
        if (name && strcmp(frame_views[i], name) == 0)
            set_view(self, i);
}

int top(tool_t *tool)
{
    top_t *self = calloc(1, sizeof *self);
    if (!self)
        return 1;
    self->tool = tool;
    self->every = tool_duration(tool, "every", SECOND_US);
    self->readonly = tool_has(tool, "readonly");
    read_view(self, tool_flag(tool, "view"));
    int wrong = query_filter(tool, 0, self->filter, sizeof self->filter);
    if (!wrong)
        wrong = tool_connect(tool);
    if (!wrong)
        wrong = tool_has(tool, "once") ? show_once(self) : show_live(self);
    if (tool->client)
        frame_fini(&self->frame, tool);
    free(self);
    return wrong;
}
