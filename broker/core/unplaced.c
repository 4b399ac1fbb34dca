// unplaced.c - work that nobody can run: told to the log and to monitors after a while, then each minute.

#include "unplaced.h"

#include "name.h"
#include "place.h"
#include "shape.h"
#include "timeline.h"
#include "warning.h"
#include "why.h"

enum { WARN_AGAIN_US = 60000000 };

// Nobody can run it, however long it waits: no host fits, or every process of the one that does is held by a body
// that waits itself.
static bool is_stuck(core_t *core, shape_t *shape)
{
    nearest_t near = why_nearest(core, shape);
    if (!near.host || near.fit <= FIT_SMALL)
        return true;
    const host_t *host = near.host;
    return near.fit == FIT_NOW && host->worker_count >= host->procs && place_blocked(host) > 0 &&
           place_is_all_blocked(host);
}

static void warn(core_t *core, shape_t *shape)
{
    const char *what = name_text(core, shape->key.def->name);
    why_t why = why_shape(core, shape);
    if (!warning_add(core, "MOB-UNPLACED", what, "%s", why.text))
        return;
    mob_ref_t ref = shape->actors ? shape->actors->id : shape_first(core, shape)->id;
    timeline_note(core, EVENT_STUCK, shape->key.def->name, 0, ref, why.text);
    shape->warn_at = core->now + WARN_AGAIN_US;
}

static int64_t first_warning_at(const core_t *core)
{
    bool ever = core->config.warn_us < INT64_MAX - core->now;
    return ever ? core->now + core->config.warn_us : INT64_MAX;
}

void unplaced_beat(core_t *core)
{
    shape_t *shape, *next;
    DL_FOREACH_SAFE(core->busy, shape, next)
    {
        bool was_stuck = shape->stuck, waits = shape_first(core, shape) || shape->actors;
        shape->stuck = waits && is_stuck(core, shape);
        if (shape->stuck && !was_stuck)
            shape->warn_at = first_warning_at(core);
        if (shape->stuck && core->now >= shape->warn_at)
            warn(core, shape);
    }
}
