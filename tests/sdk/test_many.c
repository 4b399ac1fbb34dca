// test_many.c - ten thousand of everything: futures as arguments of one call, refs in one wait, links of a chain,
// sides of a diamond. None of it costs more for each than a few do.

#include "stage.h"
#include "story.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"

enum { MANY = 10000, PATIENCE_MS = 100000 };
#ifdef __SANITIZE_ADDRESS__
enum { LONG = 20000, MOST = 100000 }; // there each of them costs many times as much
#else
enum { LONG = 100000, MOST = 1000000 };
#endif

MOB_TASK(total, i64, (any, numbers));
MOB_TASK(bulk, bytes, (i64, size));
MOB_TASK(measure, i64, (any, values));

mob_err_t total(mob_ctx_t *ctx, mob_any_t numbers, int64_t *out)
{
    (void)ctx;
    *out = 0;
    mob_reader_t *reader = &numbers.in;
    for (size_t left = mob_read(reader, MOB_KIND_LIST).list.count; left > 0; left--)
        *out += mob_read(reader, MOB_KIND_I64).i64;
    return reader->err;
}

mob_err_t bulk(mob_ctx_t *ctx, int64_t size, mob_bytes_t *out)
{
    *out = (mob_bytes_t){mob_alloc(ctx, (size_t)size), (size_t)size};
    return MOB_OK;
}

mob_err_t measure(mob_ctx_t *ctx, mob_any_t values, int64_t *out)
{
    (void)ctx;
    *out = 0;
    mob_reader_t *reader = &values.in;
    for (size_t left = mob_read(reader, MOB_KIND_LIST).list.count; left > 0; left--)
        *out += (int64_t)mob_read(reader, MOB_KIND_BYTES).bytes.size;
    return reader->err;
}

static const mob_def_t defs[] = {mob_task(inc),
                                 mob_task(nap),
                                 mob_task(fail),
                                 mob_task(total),
                                 mob_task(bulk),
                                 mob_task(measure),
                                 {0}};

static void begin(void)
{
    open_stage(defs,
               (const char *const[]){"limits/pending", "1100000", "limits/memory", "2GiB", NULL});
}

TestSuite(many, .init = begin, .fini = close_stage, .timeout = 160);

// A list of the values that these refs will have, as the one argument of a task.
static mob_ref_t run_on(const char *task, const mob_ref_t *refs, size_t count)
{
    mob_value_t *items = calloc(count, sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = (mob_value_t){.kind = MOB_KIND_DEP, .ref = refs[i]};
    mob_value_t list = {.kind = MOB_KIND_LIST, .list = {items, count}};
    mob_ref_t ref = mob_submit(m, task, NULL, &list, 1);
    free(items);
    return ref;
}

static mob_ref_t *increments(size_t count)
{
    mob_ref_t *refs = calloc(count, sizeof *refs);
    for (size_t i = 0; i < count; i++)
        refs[i] = mob_run(m, inc, (int64_t)i).ref;
    return refs;
}

static int64_t number(mob_ref_t ref)
{
    int64_t value = 0;
    is_err(mob_get(m, ((mob_ref_i64){ref}), &value, PATIENCE_MS), MOB_OK);
    return value;
}

Test(many, ten_thousand_futures_are_arguments_of_one_task)
{
    mob_ref_t *refs = increments(MANY);
    cr_assert_eq(number(run_on(total_signature, refs, MANY)), (int64_t)MANY * (MANY + 1) / 2);
    free(refs);
}

Test(many, more_than_16384_futures_are_refused_here)
{
    mob_ref_t *refs = increments(MOB_DEPS_MAX + 1);
    mob_ref_t fits = run_on(total_signature, refs, MOB_DEPS_MAX);
    is_err(mob_await(m, run_on(total_signature, refs, MOB_DEPS_MAX + 1), NULL, 0), MOB_ELIMIT);
    cr_assert_eq(number(fits), (int64_t)MOB_DEPS_MAX * (MOB_DEPS_MAX + 1) / 2);
    free(refs);
}

Test(many, values_that_fill_more_than_a_message_are_fetched)
{
    mob_ref_t refs[300];
    int64_t sum = 0;
    for (int i = 0; i < 300; i++) {
        int64_t size = i % 100 == 0 ? 250000 : i % 3 == 0 ? 50000 : 3000;
        refs[i] = mob_run(m, bulk, size).ref;
        sum += size;
    }
    cr_assert_eq(number(run_on(measure_signature, refs, 300)), sum);
}

Test(many, ten_thousand_refs_in_one_wait)
{
    mob_ref_t *refs = increments(MANY);
    bool *ready = calloc(MANY, sizeof *ready);
    cr_assert_eq(mob_wait(m, refs, MANY, MANY, PATIENCE_MS, ready), (size_t)MANY);
    for (size_t i = 0; i < MANY; i++)
        cr_assert(ready[i] && number(refs[i]) == (int64_t)i + 1);
    free(ready);
    free(refs);
}

Test(many, ten_thousand_refs_for_all)
{
    mob_ref_t *refs = increments(MANY);
    is_err(mob_all(m, refs, MANY, PATIENCE_MS), MOB_OK);
    for (size_t i = 0; i < MANY; i++)
        cr_assert_eq(number(refs[i]), (int64_t)i + 1);
    free(refs);
}

// The slow one settles last: until then each look is at those that are left.
Test(many, ten_thousand_refs_taken_as_they_come)
{
    mob_ref_t *refs = increments(MANY);
    refs[0] = mob_run(m, nap, 100).ref;
    size_t left = MANY;
    int64_t sum = 0;
    while (left > 0)
        sum += number(mob_take(m, refs, &left, PATIENCE_MS));
    cr_assert_eq(sum, (int64_t)MANY * (MANY + 1) / 2 - 1 + 100);
    free(refs);
}

Test(many, a_diamond_of_ten_thousand)
{
    mob_ref_i64 top = mob_run(m, nap, 10);
    mob_ref_t *sides = calloc(MANY, sizeof *sides);
    for (size_t i = 0; i < MANY; i++)
        sides[i] = mob_run(m, inc, top).ref;
    cr_assert_eq(number(run_on(total_signature, sides, MANY)), (int64_t)MANY * 11);
    free(sides);
}

Test(many, a_chain_of_a_hundred_thousand)
{
    int64_t since = now_ms();
    mob_ref_i64 ref = mob_run(m, inc, 0);
    for (int i = 1; i < LONG; i++) {
        mob_ref_i64 next = mob_run(m, inc, ref);
        mob_drop(m, ref.ref);
        ref = next;
    }
    int64_t asked = now_ms() - since;
    cr_assert_eq(number(ref.ref), LONG);
    fprintf(stderr, "many: a chain of %d, asked for in %ld ms, done after %ld ms\n", LONG,
            (long)asked, (long)(now_ms() - since));
}

Test(many, a_failure_goes_through_a_chain_of_a_hundred_thousand)
{
    mob_ref_i64 first = mob_run(m, fail, 42, "it never began"), ref = first;
    for (int i = 0; i < LONG; i++)
        ref = mob_run(m, inc, ref);
    is_err(mob_done(m, ref, PATIENCE_MS), MOB_EDEP);
    mob_info_t info = mob_info(m, ref.ref);
    cr_assert_eq(info.root, MOB_ETASK, "%s: %s", mob_strerror(info.root), info.reason);
    cr_assert_eq(info.executed, MOB_NOT_EXECUTED);
    cr_assert(strstr(info.reason, "it never began"), "%s", info.reason);
}

// They wait while nobody offers what was offered before.
Test(many, a_million_tasks_wait_and_all_run)
{
    mob_ref_i64 *refs = calloc(MOST, sizeof *refs);
    is_err(mob_done(m, mob_run(m, inc, 1), PATIENCE_MS), MOB_OK);
    mob_close(&stage->host);
    int64_t since = now_ms();
    for (int64_t i = 0; i < MOST; i++)
        refs[i] = mob_run(m, inc, i);
    int64_t asked = now_ms() - since;
    stage_host(stage, defs);
    for (int64_t i = 0; i < MOST; i++) {
        cr_assert_eq(number(refs[i].ref), i + 1);
        mob_drop(m, refs[i].ref);
    }
    fprintf(stderr, "many: %d tasks, asked for in %ld ms, done after %ld ms\n", MOST, (long)asked,
            (long)(now_ms() - since));
    free(refs);
}
