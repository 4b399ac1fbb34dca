// frame.c - see frame.h.

#include "frame.h"

#include <stdio.h>

#include "clock.h"
#include "query.h"
#include "unit.h"

enum { PATIENCE_MS = 2000, HALF_SECOND_US = 500000 };

const char *const frame_views[FRAME_VIEWS] = {"actors",  "methods", "tasks",    "hosts",
                                              "objects", "workers", "sessions", "attempts"};

view_t frame_view(unsigned number)
{
    static const struct {
        const char *title, *sort;
        int sign;
    } views[FRAME_VIEWS] = {{"Actors", "mailbox", -1},   {"Methods", "name", 1},
                            {"Tasks", "age_ms", -1},     {"Hosts", "name", 1},
                            {"Objects", "bytes", -1},    {"Workers", "in_hand", -1},
                            {"Sessions", "pending", -1}, {"Attempts", "age_ms", 1}};
    return (view_t){views[number].title, kind_find(frame_views[number]), views[number].sort,
                    views[number].sign};
}

// ---- Reading ------------------------------------------------------------------------------------

static mob_err_t read_rows(frame_t *self, tool_t *tool, const char *what, const char *filter,
                           rows_t *out, mob_ref_t *ref)
{
    mob_reader_t reader;
    *ref = mob_query(tool->client, what, filter);
    mob_err_t err = mob_await(tool->client, *ref, &reader, PATIENCE_MS);
    return err ? err : query_read(&self->memory, &reader, out) ? MOB_OK : MOB_EPROTO;
}

// Frames may follow each other at once; a rate is taken over half a second at least.
static pace_t pace(pace_t before, const frame_t *frame, const char *key)
{
    int64_t now = clock_us(), count = frame->status.count ? row_number(frame->status.items, key) : 0;
    if (before.at == 0)
        return (pace_t){now, count, 0};
    if (now - before.at < HALF_SECOND_US)
        return before;
    double grown = count > before.count ? (double)(count - before.count) : 0;
    return (pace_t){now, count, grown * 1e6 / (double)(now - before.at)};
}

void frame_read(frame_t *self, tool_t *tool, const view_t *view, const char *filter)
{
    frame_t next = {0};
    next.err = read_rows(&next, tool, "status", NULL, &next.status, &next.refs[0]);
    if (!next.err)
        next.err = read_rows(&next, tool, view->kind->name, filter, &next.rows, &next.refs[1]);
    if (next.err) {
        self->err = next.err;
        frame_fini(&next, tool);
        return;
    }
    next.settled = pace(self->settled, &next, "settled");
    next.failed = pace(self->failed, &next, "failed");
    kind_sort(&next.rows, view->sort, view->sign);
    frame_fini(self, tool);
    *self = next;
}

void frame_fini(frame_t *self, tool_t *tool)
{
    for (unsigned i = 0; i < 2; i++)
        if (!mob_is_none(self->refs[i]))
            mob_drop(tool->client, self->refs[i]);
    arena_clear(&self->memory);
}

// ---- Printing -----------------------------------------------------------------------------------

static void say_json(const frame_t *self, const view_t *view)
{
    fputs("{\"status\":", stdout);
    say_json_row(stdout, self->status.items);
    printf(",\"%s\":[", view->kind->name);
    for (size_t i = 0; i < self->rows.count; i++) {
        fputs(i ? "," : "", stdout);
        say_json_row(stdout, &self->rows.items[i]);
    }
    puts("]}");
}

void frame_say(const frame_t *self, const tool_t *tool, const view_t *view)
{
    if (tool_json(tool))
        say_json(self, view);
    else
        say_rows(tool, &self->rows, view->kind->columns, view->kind->name_key);
}
