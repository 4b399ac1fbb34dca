// test_matrix.c - C01: whoever calls, whatever is called, however the argument travels, the same
// bytes come back.

#define MOB_RECORDS(X) X(parcel)
#include "stage.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 20000 };

MOB_RECORD(parcel, (i64, size), (ref, content));

#include "story.h" // behind MOB_RECORD, whose functions have an m of their own

MOB_TASK(unwrap, parcel, (parcel, it)); // the same ref, and the size of what it stands for
#define ECHO(METHOD)                           \
    METHOD(echo, bytes, bytes, (bytes, data))  \
    METHOD(echo, parcel, parcel, (parcel, it)) \
    METHOD(echo, cells, str)
MOB_ACTOR(echo, ECHO);
MOB_TASK(cells, str); // those that it calls and that went wrong

// ---- What is called -----------------------------------------------------------------------------

mob_err_t unwrap(mob_ctx_t *ctx, parcel_t it, parcel_t *out)
{
    mob_bytes_t bytes = {0};
    mob_err_t err = mob_get(ctx->client, mob_as(bytes, it.content), &bytes, PATIENCE_MS);
    *out = (parcel_t){(int64_t)bytes.size, it.content};
    return err;
}

struct echo {
    char unused;
};

mob_err_t echo_bytes(mob_ctx_t *ctx, echo_t *self, mob_bytes_t data, mob_bytes_t *out)
{
    (void)self;
    return mirror(ctx, data, out);
}

mob_err_t echo_parcel(mob_ctx_t *ctx, echo_t *self, parcel_t it, parcel_t *out)
{
    (void)self;
    return unwrap(ctx, it, out);
}

// ---- Who calls ----------------------------------------------------------------------------------

typedef struct cell {
    mob_bytes_t data;
    echo_h *actor; // NULL: a task
} cell_t;

typedef mob_err_t form_fn(mob_t *client, const cell_t *cell, mob_bytes_t *back);

static mob_err_t by_value(mob_t *client, const cell_t *cell, mob_bytes_t *back)
{
    mob_ref_bytes ref = cell->actor ? mob_call(client, *cell->actor, echo_bytes, cell->data)
                                    : mob_run(client, mirror, cell->data);
    return mob_get(client, ref, back, PATIENCE_MS);
}

static mob_err_t by_future(mob_t *client, const cell_t *cell, mob_bytes_t *back)
{
    mob_ref_bytes data = mob_put(client, cell->data);
    mob_ref_bytes ref = cell->actor ? mob_call(client, *cell->actor, echo_bytes, data)
                                    : mob_run(client, mirror, data);
    return mob_get(client, ref, back, PATIENCE_MS);
}

static mob_err_t in_a_record(mob_t *client, const cell_t *cell, mob_bytes_t *back)
{
    parcel_t sent = {0, mob_put(client, cell->data).ref}, came = {0};
    mob_ref_parcel ref = cell->actor ? mob_call(client, *cell->actor, echo_parcel, &sent)
                                     : mob_run(client, unwrap, &sent);
    mob_err_t err = mob_get(client, ref, &came, PATIENCE_MS);
    if (err)
        return err;
    if (came.content.owner != sent.content.owner || came.content.seq != sent.content.seq ||
        came.size != (int64_t)cell->data.size)
        return MOB_EPROTO;
    return mob_get(client, mob_as(bytes, came.content), back, PATIENCE_MS);
}

static bool comes_back(mob_t *client, form_fn *form, const cell_t *cell)
{
    mob_bytes_t back = {0};
    return form(client, cell, &back) == MOB_OK && back.size == cell->data.size &&
           memcmp(back.data, cell->data.data, back.size) == 0;
}

// The twelve of one caller; gives the number of those that went well, and in bad one that did not.
static int all_cells(mob_t *client, char *bad, size_t size)
{
    static const struct {
        const char *name;
        form_fn *call;
    } forms[] = {{"value", by_value}, {"future", by_future}, {"ref in a record", in_a_record}};
    static const size_t sizes[] = {8, 1024 * 1024};
    int good = 0;
    echo_h actor = mob_new(client, echo);
    for (int i = 0; i < 12; i++) {
        size_t bytes = sizes[i / 6];
        cell_t cell = {.data = {malloc(bytes), bytes}, .actor = i / 3 % 2 ? &actor : NULL};
        for (size_t at = 0; at < bytes; at++)
            ((char *)cell.data.data)[at] = (char)(at * 31 + at / 65536 + (size_t)i);
        if (comes_back(client, forms[i % 3].call, &cell))
            good++;
        else
            snprintf(bad, size, "%zu bytes to %s by %s", bytes, cell.actor ? "an actor" : "a task",
                     forms[i % 3].name);
        free((void *)cell.data.data);
    }
    return good;
}

mob_err_t cells(mob_ctx_t *ctx, const char **out)
{
    char bad[100] = "";
    int good = all_cells(ctx->client, bad, sizeof bad);
    *out = mob_format(ctx, "%d, %s", good, bad);
    return MOB_OK;
}

mob_err_t echo_cells(mob_ctx_t *ctx, echo_t *self, const char **out)
{
    (void)self;
    return cells(ctx, out);
}

// ---- The story ----------------------------------------------------------------------------------

static const mob_def_t defs[] = {
    mob_task(mirror), mob_task(unwrap), mob_task(cells), mob_actor(echo, ECHO), {0}};

static void begin(void)
{
    open_stage(defs, NULL);
}

TestSuite(matrix, .init = begin, .fini = close_stage, .timeout = 120);

Test(matrix, C01_from_a_program)
{
    char bad[100] = "";
    cr_assert_eq(all_cells(m, bad, sizeof bad), 12, "%s", bad);
}

Test(matrix, C01_from_a_task)
{
    const char *said = NULL;
    is_err(mob_get(m, mob_run(m, cells), &said, 3 * PATIENCE_MS), MOB_OK);
    cr_assert_str_eq(said, "12, ");
}

Test(matrix, C01_from_an_actor)
{
    const char *said = NULL;
    echo_h actor = mob_new(m, echo);
    is_err(mob_get(m, mob_call(m, actor, echo_cells), &said, 3 * PATIENCE_MS), MOB_OK);
    cr_assert_str_eq(said, "12, ");
}
