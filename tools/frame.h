// frame.h - one look at the broker: its figures, and the rows of one view. What top shows, or prints once.

#ifndef MOBULA_TOOLS_FRAME_H
#define MOBULA_TOOLS_FRAME_H

#include "kind.h"

typedef struct view {
    const char *title;
    const kind_t *kind;
    const char *sort; // field, as long as nobody chose one
    int sign;
} view_t;

enum { FRAME_VIEWS = 8 };
extern const char *const frame_views[FRAME_VIEWS]; // kinds, by the key 1 to 8
view_t frame_view(unsigned number);

typedef struct pace {  // of a figure that grows
    int64_t at, count; // us; then
    double rate;       // a second
} pace_t;

typedef struct frame {
    mob_err_t err; // why it could not be read; what was read before stays
    rows_t status, rows;
    mob_ref_t refs[2]; // behind them: their texts live there
    arena_t memory;
    pace_t settled, failed;
} frame_t;

// Take the place of *self, which was read before or is zeroed.
void frame_read(frame_t *self, tool_t *tool, const view_t *view, const char *filter);
void frame_fini(frame_t *self, tool_t *tool);

void frame_say(const frame_t *self, const tool_t *tool,
               const view_t *view); // on stdout, in the format of -o

#endif
