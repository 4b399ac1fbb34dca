// test_transfer.c - what becomes of a large value that is on its way when something breaks: the broker, a
// connection, single messages, the actor that was made of it.

#include "stage.h"
#include "story.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"

enum { MIB = 1024 * 1024, LARGE = 48 * MIB, PATIENCE_MS = 30000, TRIES = 10 };

// ---- Bodies -------------------------------------------------------------------------------------

MOB_TASK(made, bytes, (i64, size));
MOB_TASK(pair, tuple((bytes, large), (i64, small)), (i64, size));

#define BOX(METHOD) METHOD(box, size, i64) METHOD(box, lives, i64)
MOB_ACTOR(box, BOX, (bytes, content));

struct box {
    int64_t size;
};

static void fill(char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * 13 + i / 65536);
}

static bool is_filled(mob_bytes_t bytes, size_t size)
{
    char *data = malloc(size);
    fill(data, size);
    bool same = bytes.size == size && memcmp(bytes.data, data, size) == 0;
    free(data);
    return same;
}

mob_err_t made(mob_ctx_t *ctx, int64_t size, mob_bytes_t *out)
{
    char *data = mob_alloc(ctx, (size_t)size);
    if (data)
        fill(data, (size_t)size);
    *out = (mob_bytes_t){data, (size_t)size};
    return MOB_OK;
}

mob_err_t pair(mob_ctx_t *ctx, int64_t size, mob_bytes_t *large, int64_t *small)
{
    *small = size;
    return made(ctx, size, large);
}

mob_err_t box_init(mob_ctx_t *ctx, box_t *self, mob_bytes_t content)
{
    if (!is_filled(content, content.size))
        return mob_fail(ctx, 1, "the content is not what it was");
    self->size = (int64_t)content.size;
    return MOB_OK;
}

mob_err_t box_size(mob_ctx_t *ctx, box_t *self, int64_t *out)
{
    (void)ctx;
    *out = self->size;
    return MOB_OK;
}

mob_err_t box_lives(mob_ctx_t *ctx, box_t *self, int64_t *out)
{
    (void)self;
    *out = ctx->incarnation;
    return MOB_OK;
}

static const mob_def_t defs[] = {mob_task(made), mob_task(pair), mob_actor(box, BOX), {0}};

// ---- The stage ----------------------------------------------------------------------------------

static void begin(void)
{
    open_stage(defs, NULL);
}

TestSuite(transfer, .init = begin, .fini = close_stage, .timeout = 120);

// Ends the broker while a part of what is on its way has come.
static void kill_in_the_middle(void)
{
    mob_t *other = stage_live(stage);
    while (count_of(other, "store_bytes") == 0)
        ;
    stage_kill(stage);
    mob_close(&other);
}

static mob_ref_bytes put_large(void)
{
    char *data = malloc(LARGE);
    fill(data, LARGE);
    mob_ref_bytes ref = mob_put(m, ((mob_bytes_t){data, LARGE}));
    free(data);
    return ref;
}

// ---- The broker goes ----------------------------------------------------------------------------

Test(transfer, a_put_goes_on_to_the_next_broker)
{
    needs_notices("what looks for the middle of a transfer must see it in time");
    mob_ref_bytes ref = {{0, 0}};
    mob_bytes_t theirs = {0};
    bool landed = false;
    for (int i = 0; i < TRIES && !landed; i++) {
        ref = put_large();
        kill_in_the_middle();
        landed = mob_info(m, ref.ref).state == MOB_PENDING;
        stage_start(stage);
    }
    cr_assert(landed, "the broker never ended while it came");
    is_err(mob_done(m, ref, PATIENCE_MS), MOB_OK);
    mob_t *other = stage_live(stage);
    is_err(mob_get(other, ref, &theirs, PATIENCE_MS), MOB_OK);
    cr_assert(is_filled(theirs, LARGE));
    mob_close(&other);
}

Test(transfer, a_result_goes_on_to_the_next_broker)
{
    needs_notices("what looks for the middle of a transfer must see it in time");
    mob_ref_bytes ref = {{0, 0}};
    mob_bytes_t back = {0};
    bool landed = false;
    for (int i = 0; i < TRIES && !landed; i++) {
        ref = mob_run(m, made, LARGE);
        kill_in_the_middle();
        landed = mob_info(m, ref.ref).state == MOB_PENDING;
        stage_start(stage);
    }
    cr_assert(landed, "the broker never ended while it came");
    is_err(mob_get(m, ref, &back, PATIENCE_MS), MOB_OK);
    cr_assert(is_filled(back, LARGE));
}

Test(transfer, several_results_go_on_to_the_next_broker)
{
    needs_notices("what looks for the middle of a transfer must see it in time");
    mob_ref_t refs[2];
    mob_bytes_t large = {0};
    int64_t small = 0;
    bool landed = false;
    for (int i = 0; i < TRIES && !landed; i++) {
        pair_refs two = mob_run(m, pair, LARGE);
        refs[0] = two.large.ref, refs[1] = two.small.ref;
        kill_in_the_middle();
        landed = mob_info(m, refs[0]).state == MOB_PENDING;
        stage_start(stage);
    }
    cr_assert(landed, "the broker never ended while they came");
    is_err(mob_get(m, ((mob_ref_bytes){refs[0]}), &large, PATIENCE_MS), MOB_OK);
    cr_assert(is_filled(large, LARGE));
    is_err(mob_get(m, ((mob_ref_i64){refs[1]}), &small, PATIENCE_MS), MOB_OK);
    cr_assert_eq(small, LARGE);
}

Test(transfer, what_was_stored_is_read_here_and_lost_elsewhere)
{
    mob_bytes_t mine = {0}, theirs = {0};
    mob_ref_bytes ref = put_large();
    is_err(mob_done(m, ref, PATIENCE_MS), MOB_OK);
    mob_t *other = stage_live(stage);
    is_err(mob_done(other, ref, PATIENCE_MS), MOB_OK);
    stage_kill(stage);
    stage_start(stage);
    is_err(mob_get(m, ref, &mine, PATIENCE_MS), MOB_OK);
    cr_assert(is_filled(mine, LARGE));
    is_err(mob_get(other, ref, &theirs, PATIENCE_MS), MOB_EBROKER);
    mob_close(&other);
}

Test(transfer, an_actor_is_made_again_though_a_new_broker_never_saw_its_arguments)
{
    char *data = malloc(MIB);
    int64_t value = 0;
    fill(data, MIB);
    box_h h =
        mob_new_with(m, &(mob_actor_opts_t){.max_restarts = 1}, box, ((mob_bytes_t){data, MIB}));
    is_err(mob_get(m, mob_call(m, h, box_size), &value, PATIENCE_MS), MOB_OK);
    cr_assert_eq(value, MIB);
    stage_kill(stage);
    stage_start(stage);
    is_err(mob_get(m, mob_call(m, h, box_lives), &value, PATIENCE_MS), MOB_OK);
    cr_assert_eq(value, 1);
    while (count_of(m, "store_bytes") < MIB)
        ;
    mob_stop(m, h.actor, MOB_STOP_RESTART);
    is_err(mob_get(m, mob_call_with(m, h, MOB_OPTS(.max_retries = 3), box_lives), &value, PATIENCE_MS),
           MOB_OK);
    cr_assert_eq(value, 2);
    is_err(mob_get(m, mob_call(m, h, box_size), &value, PATIENCE_MS), MOB_OK);
    cr_assert_eq(value, MIB);
    free(data);
}

// ---- Messages go --------------------------------------------------------------------------------

Test(transfer, messages_that_are_lost_and_doubled_change_nothing)
{
    const char *faults = getenv("MOBULA_FAULTS");
    if (!faults || strcmp(faults, "ON") != 0)
        cr_skip_test("this build has no faults");
    close_stage();
    setenv("MOBULA_FAULT", "drop=10%,double=10%", 1);
    stage = stage_open(NULL);
    unsetenv("MOBULA_FAULT");
    m = stage_live(stage);
    mob_t *other = stage_live(stage);
    char *data = malloc(4 * MIB);
    fill(data, 4 * MIB);
    for (int i = 1; i <= 4; i++) {
        mob_bytes_t theirs = {0};
        size_t size = (size_t)i * MIB - 1000;
        mob_ref_bytes ref = mob_put(m, ((mob_bytes_t){data, size}));
        is_err(mob_done(m, ref, PATIENCE_MS), MOB_OK);
        is_err(mob_get(other, ref, &theirs, PATIENCE_MS), MOB_OK);
        cr_assert(is_filled(theirs, size));
        mob_drop(other, ref.ref);
        mob_drop(m, ref.ref);
    }
    free(data);
    mob_close(&other);
}

// ---- Several results ----------------------------------------------------------------------------

Test(transfer, one_of_several_results_is_large)
{
    mob_bytes_t large = {0};
    int64_t small = 0;
    pair_refs two = mob_run(m, pair, 3 * MIB);
    is_err(mob_get(m, two.small, &small, PATIENCE_MS), MOB_OK);
    cr_assert_eq(small, 3 * MIB);
    is_err(mob_get(m, two.large, &large, PATIENCE_MS), MOB_OK);
    cr_assert(is_filled(large, 3 * MIB));
    mob_drop(m, two.small.ref);
    mob_drop(m, two.large.ref);
    int64_t until = now_ms() + 5000;
    while (count_of(m, "store_bytes") > 0)
        cr_assert_lt(now_ms(), until);
}
