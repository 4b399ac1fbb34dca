// drill.c - see drill.h.

#include "drill.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

paper_t *paper;
clerk_t clerk;
atomic_int runs;
static int gate[2], begun[2]; // a body waits at the gate, after it said that it has begun

// ---- Bodies -------------------------------------------------------------------------------------

static mob_err_t next_number(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)ctx, (void)args;
    int64_t *value = state;
    atomic_fetch_add(&runs, 1);
    mob_write(result, (mob_value_t){.kind = MOB_KIND_I64, .i64 = value ? ++*value : 0});
    return MOB_OK;
}

static mob_err_t at_the_gate(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    char byte = '.';
    (void)state, (void)args, (void)result;
    atomic_fetch_add(&runs, 1);
    if (write(begun[1], &byte, 1) != 1 || read(gate[0], &byte, 1) != 1)
        return MOB_EINTERNAL;
    return mob_cancelled(ctx) ? mob_fail(ctx, 9, "told to stop") : MOB_OK;
}

static mob_err_t needs_other(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)state, (void)args, (void)result;
    return mob_await(ctx->client, mob_submit(ctx->client, "other -> i64", NULL, NULL, 0), NULL,
                     MOB_FOREVER);
}

static mob_err_t three_items(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    mob_err_t err = MOB_OK;
    (void)state, (void)args;
    atomic_fetch_add(&runs, 1);
    for (int64_t i = 0; i < 3 && !err; i++) {
        mob_write(result, (mob_value_t){.kind = MOB_KIND_I64, .i64 = i});
        err = mob_yield(ctx);
    }
    return err;
}

static mob_promise_t owed;
atomic_int settled; // how often it was, and that counted

static mob_err_t later(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)state, (void)args, (void)result;
    atomic_fetch_add(&runs, 1);
    owed = mob_defer_call(ctx);
    return MOB_OK;
}

static mob_err_t slowly(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)at_the_gate(ctx, state, args, result);
    return later(ctx, state, args, result);
}

static mob_err_t now(mob_ctx_t *ctx, void *state, mob_reader_t *args, mob_writer_t *result)
{
    (void)state, (void)args, (void)result;
    const mob_value_t seven = {.kind = MOB_KIND_I64, .i64 = 7};
    atomic_fetch_add(&settled, mob_settle(ctx->client, owed, seven));
    return MOB_OK;
}

static const mob_method_t methods[] = {{"next -> i64", NULL, next_number},
                                       {"later -> i64", NULL, later},
                                       {"slowly -> i64", NULL, slowly},
                                       {"now -> nil", NULL, now},
                                       {"gate -> nil", NULL, at_the_gate},
                                       {"flow -> stream(i64)", NULL, three_items},
                                       {0}};
static const mob_def_t defs[] = {{.name = "next -> i64", .invoke = next_number},
                                 {.name = "gate -> nil", .invoke = at_the_gate},
                                 {.name = "needs -> nil", .invoke = needs_other},
                                 {.name = "flow -> stream(i64)", .invoke = three_items},
                                 {.name = "thing", .methods = methods, .state_size = sizeof(int64_t)},
                                 {0}};

static void open_paper(enum wire_start kind)
{
    static const char *const names[] = {"next -> i64",         "gate -> nil", "needs -> nil",
                                        "flow -> stream(i64)", "thing",       "later -> i64",
                                        "slowly -> i64",       "now -> nil"};
    cr_assert_eq(pipe(gate) || pipe(begun), 0);
    paper = paper_open();
    clerk_begin(&clerk, paper, defs, kind);
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++)
        paper_say(paper, NAME, name, .symbol = i + 1, .text = paper_text(names[i]));
    paper_send(paper);
}

void open_tasks(void)
{
    open_paper(START_TASKS);
}

void close_paper(void)
{
    clerk_end(&clerk);
    paper_close(&paper);
}

void run_task(uint64_t seq, uint32_t attempt, uint32_t symbol)
{
    paper_say(paper, RUN, run, .ref = {CALLER, seq}, .attempt = attempt, .symbol = symbol,
              .remaining_ms = -1, .epoch = paper->epoch);
}

void run_method(uint64_t seq, uint32_t symbol, uint32_t incarnation)
{
    paper_say(paper, RUN, run, .ref = {CALLER, seq}, .symbol = symbol, .actor = thing,
              .incarnation = incarnation, .remaining_ms = -1, .epoch = paper->epoch);
}

void open_with(const opts_t *opts)
{
    open_paper(START_ACTOR);
    paper_say(paper, MAKE, make, .actor = thing, .incarnation = 3, .cls = THING,
              .opts = {.set = opts}, .remaining_ms = -1, .epoch = paper->epoch);
    paper_send(paper);
    const msg_result_t *made = &paper_hear(paper, VERB_RESULT)->result;
    cr_assert(mob_same(made->ref, thing));
    cr_assert_eq(made->attempt, 3);
}

void open_actor(void)
{
    open_with(NULL);
}

void open_threads(void)
{
    open_with(&(opts_t){.max_concurrency = 2});
}

int hear_result(uint64_t seq)
{
    const msg_result_t *result = &paper_hear(paper, VERB_RESULT)->result;
    cr_assert_eq(result->ref.seq, seq, "%d, not %d", (int)result->ref.seq, (int)seq);
    return result->value.data[0];
}

msg_fail_t hear_fail(uint64_t seq, mob_err_t code, mob_executed_t executed)
{
    msg_fail_t fail = paper_hear(paper, VERB_FAIL)->fail;
    cr_assert_eq(fail.ref.seq, seq);
    cr_assert_eq(fail.code, code, "%d: %.*s", (int)fail.code, (int)fail.text.size,
                 (const char *)fail.text.data);
    cr_assert_eq(fail.executed, executed);
    return fail;
}

void wait_for_begin(void)
{
    struct pollfd news = {.fd = begun[0], .events = POLLIN};
    char byte;
    cr_assert_eq(poll(&news, 1, 10000), 1, "no body began");
    cr_assert_eq(read(begun[0], &byte, 1), 1);
}

void open_gate(void)
{
    cr_assert_eq(write(gate[1], ".", 1), 1);
}

void new_broker(void)
{
    paper_forget(paper);
    paper_hear_hello(paper);
    paper_welcome(paper, paper->epoch + 1);
}

void hear_what_it_has(size_t hands)
{
    paper_hear(paper, VERB_HOLD);
    while (hands-- > 0)
        paper_hear(paper, VERB_HAVE);
    paper_hear(paper, VERB_RESULT); // of the making: nobody has acknowledged it
    paper_hear(paper, VERB_OPEN);
}
