// story.c - see story.h.

#include "story.h"

#include <criterion/criterion.h>
#include <string.h>

#include "clock.h"
#include "crew.h"
#include "stage.h"

mob_t *m;
crew_t crew;
stage_t *stage;

void raise_crew(const mob_def_t *defs, const char *flags[])
{
    crew = crew_open();
    crew.defs = defs;
    crew_start_broker(&crew);
    crew_start_host(&crew, flags);
}

void open_crew(const mob_def_t *defs, const char *flags[])
{
    raise_crew(defs, flags);
    m = crew_client(&crew);
}

void close_crew(void)
{
    mob_close(&m);
    crew_close(&crew);
}

void open_stage(const mob_def_t *defs, const char *const settings[])
{
    stage = stage_open(settings);
    stage_host(stage, defs);
    m = stage_live(stage);
}

void close_stage(void)
{
    mob_close(&m);
    cr_assert_null(m);
    if (stage) // a story that is skipped has none
        stage_close(&stage);
}

int64_t now_ms(void)
{
    return clock_us() / 1000;
}

// ---- Asking -------------------------------------------------------------------------------------

int64_t value_at(mob_t *client, mob_ref_i64 ref)
{
    int64_t value = 0;
    mob_err_t err = mob_get(client, ref, &value, SOON);
    cr_assert_eq(err, MOB_OK, "%s: %s", mob_strerror(err), mob_reason(client, ref.ref));
    return value;
}

int64_t value_of(mob_ref_i64 ref)
{
    return value_at(m, ref);
}

mob_info_t failure_of(mob_ref_t ref, mob_err_t expected)
{
    mob_err_t err = mob_await(m, ref, NULL, SOON);
    cr_assert_eq(err, expected, "%s: %s", mob_strerror(err), mob_reason(m, ref));
    return mob_info(m, ref);
}

int64_t count_of(mob_t *client, const char *name)
{
    bool found = false;
    int64_t count = 0;
    mob_reader_t rows;
    mob_ref_t status = mob_query(client, "status", NULL);
    cr_assert_eq(mob_await(client, status, &rows, SOON), MOB_OK);
    cr_assert_eq(mob_read_list(&rows), 1u);
    for (size_t left = mob_read_map(&rows); left > 0; left--) {
        bool here = strcmp(mob_read_str(&rows), name) == 0;
        mob_any_t value = mob_read_any(&rows);
        if (here)
            count = mob_read_i64(&value.in);
        found = found || here;
    }
    mob_drop(client, status);
    cr_assert(found, "the broker does not count %s", name);
    return count;
}

size_t rows_of(mob_t *client, const char *noun, const char *filter)
{
    mob_reader_t rows;
    mob_ref_t list = mob_query(client, noun, filter);
    cr_assert_eq(mob_await(client, list, &rows, SOON), MOB_OK);
    size_t count = mob_read_list(&rows);
    mob_drop(client, list);
    return count;
}
