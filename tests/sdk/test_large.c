// test_large.c - values of every size, in every direction, through a real broker: what goes in pieces comes back
// whole, leaves room for others, and is gone when nobody wants it.

#include "stage.h"
#include "story.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"

enum { MIB = 1024 * 1024, PATIENCE_MS = 30000 };

// ---- Bodies -------------------------------------------------------------------------------------

MOB_TASK(grown, bytes, (i64, size));                    // so many bytes
MOB_TASK(sizes, i64, (bytes, a), (bytes, b), (i64, n)); // of all three
MOB_TASK(stored, bytes, (i64, size));                   // what a put of its own gives back

static char *letters(size_t size, unsigned seed)
{
    char *data = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)(seed + i * 31 + i / 65536);
    return data;
}

static bool are_letters(mob_bytes_t bytes, size_t size, unsigned seed)
{
    char *data = letters(size, seed);
    bool same = bytes.size == size && (size == 0 || memcmp(bytes.data, data, size) == 0);
    free(data);
    return same;
}

mob_err_t grown(mob_ctx_t *ctx, int64_t size, mob_bytes_t *out)
{
    char *data = mob_alloc(ctx, (size_t)size);
    for (size_t i = 0; data && i < (size_t)size; i++)
        data[i] = (char)(i * 31 + i / 65536);
    *out = (mob_bytes_t){data, (size_t)size};
    return MOB_OK;
}

mob_err_t sizes(mob_ctx_t *ctx, mob_bytes_t a, mob_bytes_t b, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = (int64_t)(a.size + b.size) + n;
    return MOB_OK;
}

mob_err_t stored(mob_ctx_t *ctx, int64_t size, mob_bytes_t *out)
{
    char *data = letters((size_t)size, 0);
    mob_ref_bytes ref = mob_put(ctx->client, ((mob_bytes_t){data, (size_t)size}));
    mob_err_t err = mob_get(ctx->client, ref, out, PATIENCE_MS);
    free(data);
    return err;
}

static const mob_def_t defs[] = {
    mob_task(mirror), mob_task(grown), mob_task(sizes), mob_task(stored), {0}};

// ---- The stage ----------------------------------------------------------------------------------

static void begin(void)
{
    open_stage(defs, NULL);
}

TestSuite(large, .init = begin, .fini = close_stage, .timeout = 120);

static void wait_for_empty_store(void)
{
    int64_t until = now_ms() + 5000;
    while (count_of(m, "store_bytes") > 0)
        cr_assert_lt(now_ms(), until, "%ld bytes are still stored", (long)count_of(m, "store_bytes"));
}

// ---- Sizes --------------------------------------------------------------------------------------

// There and back by a task. The payload is the bytes and what MessagePack puts in front of them.
static void there_and_back(size_t size, bool large)
{
    char *data = letters(size, (unsigned)size);
    mob_bytes_t back = {0};
    uint64_t mark = mob_mark(m);
    mob_ref_bytes ref = mob_run(m, mirror, ((mob_bytes_t){data, size}));
    is_err(mob_get(m, ref, &back, PATIENCE_MS), MOB_OK);
    cr_assert(are_letters(back, size, (unsigned)size), "%zu bytes", size);
    cr_assert_eq(count_of(m, "store_bytes") > 0, large, "%zu bytes", size);
    mob_release(m, mark);
    free(data);
}

Test(large, C06_size_switch)
{
    enum { I = MOB_INLINE_MAX - 3, L = MOB_BLOB_MAX - 5 }; // the payload is as large as the limit
    static const size_t small[] = {0, 1, I, I + 1, MOB_INLINE_MAX, L - 1, L};
    static const size_t large[] = {
        L + 1, MOB_BLOB_MAX,  MOB_BLOB_MAX + 1, 3 * MOB_PIECE_MAX - 5, 3 * MOB_PIECE_MAX,
        MIB,   MOB_OBJECT_MAX};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        there_and_back(small[i], false);
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        there_and_back(large[i], true);
    wait_for_empty_store();
}

Test(large, C06_beyond_the_largest_size)
{
    char *data = calloc(1, MOB_OBJECT_MAX + 1);
    mob_ref_bytes ref = mob_run(m, mirror, ((mob_bytes_t){data, MOB_OBJECT_MAX + 1}));
    is_err(mob_done(m, ref, 0), MOB_ELIMIT);
    cr_assert_eq(mob_info(m, ref.ref).executed, MOB_NOT_EXECUTED);
    free(data);
    ref = mob_run(m, grown, MOB_OBJECT_MAX + 1);
    is_err(mob_done(m, ref, PATIENCE_MS), MOB_ELIMIT);
    cr_assert_eq(mob_info(m, ref.ref).executed, MOB_EXECUTED);
    ref = mob_put(m, ((mob_bytes_t){"", 0}));
    is_err(mob_done(m, ref, 0), MOB_OK);
}

Test(large, C05_argument_copied_at_submit)
{
    enum { ROUNDS = 100, SIZE = 150000 };
    static char buffer[SIZE];
    mob_ref_bytes refs[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        size_t size = i % 3 == 0 ? SIZE : i % 3 == 1 ? 100 : 5000;
        memset(buffer, i, size);
        refs[i] = mob_run(m, mirror, ((mob_bytes_t){buffer, size}));
        memset(buffer, 0xff, size);
    }
    for (int i = 0; i < ROUNDS; i++) {
        mob_bytes_t back = {0};
        is_err(mob_get(m, refs[i], &back, PATIENCE_MS), MOB_OK);
        for (size_t at = 0; at < back.size; at++)
            cr_assert_eq(((const unsigned char *)back.data)[at], i, "task %d, byte %zu", i, at);
        mob_drop(m, refs[i].ref);
    }
}

// ---- Put and get --------------------------------------------------------------------------------

Test(large, a_stored_value_is_read_here_and_elsewhere)
{
    enum { SIZE = 10 * MIB };
    char *data = letters(SIZE, 7);
    mob_bytes_t mine = {0}, theirs = {0};
    mob_ref_bytes ref = mob_put(m, ((mob_bytes_t){data, SIZE}));
    memset(data, 0, SIZE);
    is_err(mob_get(m, ref, &mine, PATIENCE_MS), MOB_OK);
    cr_assert(are_letters(mine, SIZE, 7));
    mob_t *other = stage_connect(stage);
    is_err(mob_get(other, ref, &theirs, PATIENCE_MS), MOB_OK);
    cr_assert(are_letters(theirs, SIZE, 7));
    is_err(mob_get(other, ref, &theirs, 0), MOB_OK);
    mob_close(&other);
    mob_drop(m, ref.ref);
    wait_for_empty_store();
    free(data);
}

Test(large, C87_freed_on_drop)
{
    enum { COUNT = 100 };
    char *data = letters(MIB, 1);
    mob_ref_t refs[COUNT];
    for (int i = 0; i < COUNT; i++)
        refs[i] = mob_put(m, ((mob_bytes_t){data, MIB})).ref;
    is_err(mob_all(m, refs, COUNT, PATIENCE_MS), MOB_OK);
    cr_assert_geq(count_of(m, "store_bytes"), (int64_t)COUNT * MIB);
    for (int i = 0; i < COUNT; i++)
        mob_drop(m, refs[i]);
    wait_for_empty_store();
    free(data);
}

Test(large, a_stored_value_goes_to_a_task_behind_it)
{
    char *data = letters(2 * MIB, 3);
    int64_t sum = 0;
    mob_ref_bytes a = mob_put(m, ((mob_bytes_t){data, 2 * MIB}));
    mob_ref_i64 ref = mob_run(m, sizes, a, ((mob_bytes_t){data, MIB}), 5);
    is_err(mob_get(m, ref, &sum, PATIENCE_MS), MOB_OK);
    cr_assert_eq(sum, 3 * MIB + 5);
    free(data);
}

Test(large, a_chain_hands_it_on_without_the_caller)
{
    mob_bytes_t back = {0};
    mob_ref_bytes ref = mob_run(m, grown, 5 * MIB);
    for (int i = 0; i < 5; i++)
        ref = mob_run(m, mirror, ref);
    is_err(mob_get(m, ref, &back, PATIENCE_MS), MOB_OK);
    cr_assert(are_letters(back, 5 * MIB, 0));
}

Test(large, waits_for_many_mean_values_that_can_be_read)
{
    enum { COUNT = 8 };
    mob_ref_t refs[COUNT];
    bool ready[COUNT];
    for (int i = 0; i < COUNT; i++)
        refs[i] = mob_run(m, grown, i % 2 ? 300000 + i : 10 + i).ref;
    cr_assert_eq(mob_wait(m, refs, COUNT, COUNT, PATIENCE_MS, ready), (size_t)COUNT);
    for (int i = 0; i < COUNT; i++) {
        mob_bytes_t back = {0};
        cr_assert(ready[i]);
        is_err(mob_get(m, ((mob_ref_bytes){refs[i]}), &back, 0), MOB_OK);
        cr_assert_eq(back.size, (size_t)(i % 2 ? 300000 + i : 10 + i));
    }
}

Test(large, a_full_store_is_an_answer)
{
    close_stage();
    open_stage(defs, (const char *const[]){"objects/memory", "4MiB", NULL});
    char *data = letters(MIB, 1);
    mob_ref_bytes refs[6];
    mob_bytes_t back = {0};
    for (int i = 0; i < 6; i++)
        refs[i] = mob_put(m, ((mob_bytes_t){data, MIB - 100}));
    for (int i = 0; i < 6; i++)
        is_err(mob_done(m, refs[i], PATIENCE_MS), i < 4 ? MOB_OK : MOB_EFULL);
    cr_assert_str_eq(mob_info(m, refs[5].ref).why, "STORE");
    mob_t *other = stage_connect(stage);
    is_err(mob_get(other, refs[0], &back, PATIENCE_MS), MOB_OK);
    cr_assert(are_letters(back, MIB - 100, 1), "what was there before stays");
    mob_close(&other);
    mob_ref_bytes result = mob_run(m, grown, MIB);
    is_err(mob_done(m, result, PATIENCE_MS), MOB_EFULL);
    cr_assert_eq(mob_info(m, result.ref).executed, MOB_EXECUTED);
    mob_drop(m, refs[0].ref);
    mob_drop(m, refs[1].ref);
    is_err(mob_done(m, mob_run(m, grown, MIB), PATIENCE_MS), MOB_OK);
    free(data);
}

Test(large, small_calls_of_others_go_on_meanwhile)
{
    needs_notices("it times small calls");
    char *data = letters(MOB_OBJECT_MAX, 1);
    mob_t *other = stage_live(stage);
    mob_ref_bytes ref = mob_run(m, mirror, ((mob_bytes_t){data, MOB_OBJECT_MAX}));
    int64_t worst = 0, value = 0;
    int calls = 0;
    for (bool done = false; !done; calls++) {
        int64_t since = now_ms();
        is_err(mob_get(other, mob_run(other, sizes, ((mob_bytes_t){"", 0}), ((mob_bytes_t){"", 0}), 1),
                       &value, PATIENCE_MS),
               MOB_OK);
        worst = now_ms() - since > worst ? now_ms() - since : worst;
        done = mob_wait(m, &ref.ref, 1, 1, 0, NULL) == 1;
    }
    fprintf(stderr, "large: %d small calls beside 64 MiB there and back, the slowest %ld ms\n",
            calls, (long)worst);
    cr_assert_gt(calls, 10);
    cr_assert_lt(worst, 1000);
    mob_close(&other);
    free(data);
}
