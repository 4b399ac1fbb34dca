// dlq.c - dead letters: looked at, sent again, thrown away.

#include <inttypes.h>
#include <string.h>

#include "filter.h"
#include "query.h"
#include "verb.h"

// ---- Which --------------------------------------------------------------------------------------

// The words behind "retry" or "drop", or --all with -f: a filter of the broker.
static int which(tool_t *tool, char *out, size_t size)
{
    bool all = tool_has(tool, "all");
    trouble_t wrong = trouble_usage(all ? "names, or --all: not both" : "which dead letters?");
    if (all == (tool->word_count > 1)) {
        trouble_try(&wrong, "mobula dlq %s dl-3", tool->words[0]);
        trouble_try(&wrong, "mobula dlq %s --all -f 'dst=ledger'", tool->words[0]);
        return say_trouble(tool, &wrong);
    }
    if (all)
        return query_filter(tool, tool->word_count, out, size);
    size_t used = 0;
    for (unsigned i = 1; i < tool->word_count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%sid=%s", i > 1 ? " or " : "",
                                 tool->words[i]);
    return 0;
}

static int found(tool_t *tool, rows_t *rows, char *filter, size_t size)
{
    int wrong = which(tool, filter, size);
    if (!wrong)
        wrong = tool_connect(tool);
    if (!wrong)
        wrong = query_rows(tool, "letters", filter, rows);
    if (wrong || tool_has(tool, "all") || rows->count + 1 == tool->word_count)
        return wrong;
    trouble_t out = trouble(MOB_ENOTFOUND, "%zu of %u dead letters are there", rows->count,
                            tool->word_count - 1);
    trouble_try(&out, "mobula dlq ls");
    return say_trouble(tool, &out);
}

// What is to be done, before it is: nothing more with --dry-run, or without a yes.
static bool agreed(tool_t *tool, const char *what, const rows_t *rows, size_t risky)
{
    for (size_t i = 0; i < rows->count && tool_has(tool, "dry-run"); i++)
        printf("%s %s %s %s\n", what, row_text(&rows->items[i], "id"),
               row_text(&rows->items[i], "dst"), row_text(&rows->items[i], "method"));
    if (tool_has(tool, "dry-run") || rows->count == 0)
        return false;
    char question[128];
    snprintf(question, sizeof question, "%zu dead letters, %zu of which may have run", rows->count,
             risky);
    return risky == 0 || say_sure(tool, question);
}

static size_t may_have_run(const rows_t *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        count += strcmp(row_text(&rows->items[i], "executed"), "no") != 0;
    return count;
}

static int nothing(tool_t *tool, const rows_t *rows)
{
    if (tool_has(tool, "dry-run") || rows->count == 0) {
        say_note(tool, "%zu dead letters match", rows->count);
        return 0;
    }
    trouble_t out = trouble(MOB_ECANCELLED, "nothing was done");
    return say_trouble(tool, &out);
}

// ---- Commands -----------------------------------------------------------------------------------

static int list(tool_t *tool)
{
    tool->words[0] = "letters";
    if (tool->word_count == 1)
        return state_list(tool);
    trouble_t out = trouble_usage("dlq ls takes no name");
    trouble_try(&out, "mobula dlq show %s", tool->words[1]);
    return say_trouble(tool, &out);
}

static int show(tool_t *tool)
{
    tool->words[0] = "letter";
    if (tool->word_count == 2)
        return state_show(tool);
    trouble_t out = trouble_usage("dlq show takes one name");
    trouble_try(&out, "mobula dlq show dl-3");
    return say_trouble(tool, &out);
}

static int await_all(tool_t *tool, const rows_t *rows, const mob_ref_t *refs)
{
    int last = 0;
    size_t failed = 0;
    for (size_t i = 0; i < rows->count; i++) {
        mob_reader_t reader;
        mob_err_t err = tool_await(tool, refs[i], &reader);
        if (err)
            last = say_failure(tool, refs[i], err, row_text(&rows->items[i], "id"));
        failed += err != MOB_OK;
    }
    say_note(tool, "retried %zu, delivered %zu, failed %zu", rows->count, rows->count - failed,
             failed);
    return last;
}

static int retry(tool_t *tool)
{
    char filter[FILTER_TEXT_MAX];
    rows_t rows = {0};
    int wrong = found(tool, &rows, filter, sizeof filter);
    if (wrong)
        return wrong;
    if (!agreed(tool, "retry", &rows, may_have_run(&rows)))
        return nothing(tool, &rows);
    mob_ref_t *refs = arena_alloc(&tool->memory, rows.count * sizeof *refs);
    for (size_t i = 0; refs && i < rows.count; i++)
        refs[i] = mob_retry(tool->client, row_text(&rows.items[i], "id"));
    return refs ? await_all(tool, &rows, refs) : 1;
}

static int drop(tool_t *tool)
{
    char filter[FILTER_TEXT_MAX];
    rows_t rows = {0};
    int wrong = found(tool, &rows, filter, sizeof filter);
    if (wrong)
        return wrong;
    if (!agreed(tool, "drop", &rows, 0))
        return nothing(tool, &rows);
    mob_reader_t reader;
    mob_ref_t ref = mob_discard(tool->client, filter);
    mob_err_t err = tool_await(tool, ref, &reader);
    if (err)
        return say_failure(tool, ref, err, "drop");
    say_note(tool, "dropped %" PRId64, mob_read_i64(&reader));
    return 0;
}

int dlq(tool_t *tool)
{
    static const struct {
        const char *word;
        int (*run)(tool_t *tool);
    } commands[] = {{"ls", list}, {"show", show}, {"retry", retry}, {"drop", drop}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(tool->words[0], commands[i].word) == 0)
            return commands[i].run(tool);
    trouble_t out = trouble_usage("dlq does not know \"%s\"", tool->words[0]);
    trouble_try(&out, "mobula dlq ls|show|retry|drop");
    return say_trouble(tool, &out);
}
