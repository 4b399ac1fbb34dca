// screen.h - draws what top shows: figures, tabs, a table with a selected row, or a page of text. The only part
// that knows ncurses.

#ifndef MOBULA_TOOLS_SCREEN_H
#define MOBULA_TOOLS_SCREEN_H

#include "frame.h"

enum { SCREEN_ESCAPE = 27, SCREEN_LINES_MAX = 256 };

typedef struct look { // what of a frame is shown, and how
    unsigned view;
    size_t selected, first; // rows: the selected one, the one at the top
    const char *filter;     // "" : none
    const char *bottom;     // the last line: a prompt, a message, or the keys
    bool frozen;
} look_t;

typedef struct page { // of text, instead of the table
    char lines[SCREEN_LINES_MAX][160];
    size_t count;
} page_t;

bool screen_open(void); // false: this is no terminal that can be drawn on
void screen_close(void);
int screen_key(int wait_ms); // -1: none came
size_t screen_rows(void);    // of a table that fit

void screen_table(const frame_t *frame, const tool_t *tool, const view_t *view, look_t *look);
void screen_page(const page_t *page, const char *title, const char *bottom);

MOB_PRINTF(2, 3) void page_add(page_t *self, const char *format, ...);

#endif
