// talk.c - run, new, call, tell, get, wait, cancel: one call of the library each. stdout holds the
// value and nothing else.

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "clock.h"
#include "unit.h"
#include "verb.h"

// ---- Waiting ------------------------------------------------------------------------------------

// A wait that Ctrl-C ended takes the call with it and says so.
static int failed(tool_t *tool, mob_ref_t ref, mob_err_t err, const char *what, bool ours)
{
    if (err == MOB_EINTERRUPTED && ours && mob_cancel(tool->client, ref, 0) == MOB_OK)
        say_note(tool, "%s: cancelled", what);
    return say_failure(tool, ref, err, what);
}

static int print_stream(tool_t *tool, mob_ref_t stream, const char *what)
{
    for (;;) {
        mob_ref_t item;
        mob_reader_t reader;
        mob_err_t err = mob_pull(tool->client, stream, &item, tool_left_ms(tool));
        if (err == MOB_EEND)
            return 0;
        if (err == MOB_OK)
            err = tool_await(tool, item, &reader);
        if (err)
            return failed(tool, err == MOB_EINTERRUPTED || err == MOB_ETIMEDOUT ? stream : item,
                          err, what, true);
        args_print(tool, &reader, tool_has(tool, "raw"));
        fflush(stdout);
    }
}

static int print_value(tool_t *tool, mob_ref_t ref, const char *what, bool ours)
{
    mob_reader_t reader;
    mob_err_t err = tool_await(tool, ref, &reader);
    if (err)
        return failed(tool, ref, err, what, ours);
    args_print(tool, &reader, tool_has(tool, "raw"));
    return 0;
}

static int print_results(tool_t *tool, mob_ref_t ref, const signature_t *signature, const char *what)
{
    int64_t since = clock_us();
    char time[UNIT_TEXT_MAX], id[ID_TEXT_MAX];
    int done = 0;
    if (signature_streams(signature))
        done = print_stream(tool, ref, what);
    else
        for (unsigned i = 0; i < signature_results(signature) && !done; i++)
            done = print_value(tool, mob_nth(ref, i), what, true);
    if (!done && tool_has(tool, "timing"))
        say_note(tool, "%s from here to the value   %s",
                 unit_print_duration(time, clock_us() - since, !tool->term.utf8), say_id(id, ref));
    return done;
}

static void fill_opts(const tool_t *tool, const signature_t *signature, mob_opts_t *opts)
{
    opts->timeout_ms = (int)(tool_duration(tool, "deadline", 0) / 1000);
    if (tool_has(tool, "retries"))
        opts->max_retries =
            tool_count(tool, "retries", 0) ? (int)tool_count(tool, "retries", 0) : MOB_NONE;
    opts->num_returns = signature_streams(signature)       ? MOB_STREAM
                        : signature_results(signature) > 1 ? (int)signature_results(signature)
                                                           : 0;
}

// ---- Verbs --------------------------------------------------------------------------------------

// The ref on stdout; what it names stays with the broker.
static int print_ref(const tool_t *tool, mob_ref_t ref)
{
    char id[ID_TEXT_MAX];
    printf(tool_json(tool) ? "{\"ref\":\"%s\"}\n" : "%s\n", say_id(id, ref));
    return 0;
}

static int refuse_detached(const tool_t *tool, const char *what)
{
    trouble_t wrong = trouble_usage("%s gives a stream, which ends with who began it", what);
    trouble_try(&wrong, "mobula run %s ... > FILE &", what);
    return say_trouble(tool, &wrong);
}

// Connects, and reads NAME [ARGUMENT...] by the signature of that task or class.
static int read_words(tool_t *tool, const char *kind, signature_t *signature, mob_value_t *args)
{
    int wrong = tool_connect(tool);
    if (!wrong)
        wrong = args_find(tool, kind, "", tool->words[0], signature);
    if (!wrong)
        wrong =
            args_read(tool, signature, tool->words + 1, tool->word_count - 1, &tool->memory, args);
    return wrong;
}

int talk_run(tool_t *tool)
{
    signature_t signature;
    mob_value_t args[ARGS_MAX];
    tool->keep = tool_has(tool, "detach");
    int wrong = read_words(tool, "task", &signature, args);
    if (wrong)
        return wrong;
    if (tool->keep && signature_streams(&signature))
        return refuse_detached(tool, tool->words[0]);
    mob_opts_t opts = {
        .priority = (int)tool_count(tool, "priority", 0),
        .place = {.cpus = tool_number(tool, "cpus", 0), .host = tool_flag(tool, "host")}};
    fill_opts(tool, &signature, &opts);
    mob_ref_t ref = mob_submit(tool->client, signature.wire, &opts, args, signature.count);
    return tool->keep ? print_ref(tool, ref) : print_results(tool, ref, &signature, tool->words[0]);
}

// The name it has now: asked for when it was not given.
static int print_name(tool_t *tool, mob_actor_t actor)
{
    char id[ID_TEXT_MAX];
    rows_t rows;
    say_id(id, mob_ready(actor));
    if (tool_has(tool, "name") && tool->output != OUTPUT_JSON) {
        puts(tool_flag(tool, "name"));
        return 0;
    }
    int wrong = query_rows(tool, "actors", NULL, &rows);
    const char *name = id;
    for (size_t i = 0; !wrong && i < rows.count; i++)
        if (strcmp(row_text(&rows.items[i], "id"), id) == 0)
            name = row_text(&rows.items[i], "name");
    if (wrong)
        return wrong;
    if (tool_json(tool)) {
        fputs("{\"name\":", stdout);
        say_json_text(stdout, name);
        printf(",\"id\":\"%s\"}\n", id);
    } else {
        puts(name);
    }
    return 0;
}

int talk_new(tool_t *tool)
{
    signature_t signature;
    mob_value_t args[ARGS_MAX];
    int wrong = read_words(tool, "class", &signature, args);
    if (wrong)
        return wrong;
    mob_actor_opts_t opts = {.name = tool_flag(tool, "name"),
                             .get_if_exists = tool_has(tool, "get-if-exists"),
                             .detached = true,
                             .max_restarts = (int)tool_count(tool, "max-restarts", 0),
                             .mailbox_max = (int)tool_count(tool, "mailbox", 0),
                             .place = {.host = tool_flag(tool, "host")}};
    mob_actor_t actor = mob_spawn(tool->client, signature.wire, &opts, args, signature.count);
    mob_err_t err = tool_await(tool, mob_ready(actor), NULL);
    if (err)
        return say_failure(tool, mob_ready(actor), err, tool->words[0]);
    return print_name(tool, actor);
}

// The target, its method and the arguments of a call or a tell.
static int prepare(tool_t *tool, mob_actor_t *actor, signature_t *signature, arena_t *arena,
                   mob_value_t args[ARGS_MAX])
{
    const char *cls;
    int wrong = tool_connect(tool);
    if (!wrong)
        wrong = query_actor(tool, tool->words[0], actor, &cls);
    if (!wrong)
        wrong = args_find(tool, "method", cls, tool->words[1], signature);
    if (!wrong)
        wrong = args_read(tool, signature, tool->words + 2, tool->word_count - 2, arena, args);
    return wrong;
}

int talk_call(tool_t *tool)
{
    signature_t signature;
    mob_value_t args[ARGS_MAX];
    mob_actor_t actor;
    int wrong = prepare(tool, &actor, &signature, &tool->memory, args);
    if (wrong)
        return wrong;
    mob_opts_t opts = {.lane = tool_flag(tool, "lane")};
    fill_opts(tool, &signature, &opts);
    mob_ref_t ref = mob_send(tool->client, actor, signature.wire, &opts, args, signature.count);
    int done = print_results(tool, ref, &signature, tool->words[1]);
    return done;
}

static void sleep_until(int64_t at_us)
{
    int64_t left = at_us - clock_us();
    if (left > 0)
        nanosleep(&(struct timespec){left / 1000000, left % 1000000 * 1000}, NULL);
}

static size_t count_of(const rows_t *rows, uint64_t owner)
{
    size_t count = 0;
    mob_ref_t ref;
    bool whole;
    for (size_t i = 0; i < rows->count; i++)
        count += read_id(row_text(&rows->items[i], "id"), &ref, &whole) && ref.owner == owner;
    return count;
}

// The end of a session takes with it what has not begun: stay until nothing of ours is left, which
// an answer to a later question also tells of what was sent.
static int outlast(tool_t *tool, const char *what)
{
    mob_ref_t own =
        mob_query(tool->client, "status", NULL); // a forgotten call has no ref to show whose it was
    while (!tool_signal()) {
        rows_t rows;
        int wrong = query_rows(tool, "tasks", "state!=done,failed,cancelled", &rows);
        size_t left = wrong ? 0 : count_of(&rows, own.owner);
        if (left == 0)
            return wrong;
        if (tool_left_ms(tool) == 0) {
            trouble_t out =
                trouble(MOB_ETIMEDOUT, "%s: %zu not begun; they end with this command", what, left);
            trouble_try(&out, "mobula tell ... -t 1m");
            return say_trouble(tool, &out);
        }
        sleep_until(clock_us() + 2000);
    }
    return 128 + tool_signal();
}

int talk_tell(tool_t *tool)
{
    signature_t signature;
    mob_value_t args[ARGS_MAX];
    mob_actor_t actor;
    int wrong = prepare(tool, &actor, &signature, &tool->memory, args);
    if (wrong)
        return wrong;
    int64_t count = tool_count(tool, "count", 1), since = clock_us();
    double rate = tool_rate(tool, "rate", 0);
    mob_opts_t opts = {.forget = true, .lane = tool_flag(tool, "lane")};
    enum { BURST = 256 }; // a mailbox has room for 1000, and what finds none is refused unheard
    int done = 0;
    for (int64_t i = 0; i < count && !done; i++) {
        if (rate > 0)
            sleep_until(since + (int64_t)((double)i * 1e6 / rate));
        mob_drop(tool->client,
                 mob_send(tool->client, actor, signature.wire, &opts, args, signature.count));
        if (i % BURST == BURST - 1 || i == count - 1 || tool_signal())
            done = outlast(tool, tool->words[1]);
    }
    return done;
}

// A value of its own: "-" is stdin, "@FILE" a file, else JSON where it is JSON, else text.
int talk_put(tool_t *tool)
{
    bool bytes = strcmp(tool->words[0], "-") == 0 || tool->words[0][0] == '@';
    signature_t one = {.wire = "put", .usage = "put value", .names = {"value"}, .count = 1};
    snprintf(one.types[0], sizeof one.types[0], "%s", bytes ? "bytes" : "any");
    mob_value_t value[ARGS_MAX];
    tool->keep = true;
    int wrong = tool_connect(tool);
    if (!wrong)
        wrong = args_read(tool, &one, tool->words, 1, &tool->memory, value);
    if (wrong)
        return wrong;
    mob_ref_t ref = mob_store(tool->client, value[0]);
    mob_err_t err = tool_await(tool, ref, NULL);
    return err ? say_failure(tool, ref, err, "put") : print_ref(tool, ref);
}

static int read_refs(tool_t *tool, mob_ref_t refs[TOOL_WORDS_MAX])
{
    int wrong = tool_connect(tool);
    for (unsigned i = 0; i < tool->word_count && !wrong; i++)
        wrong = query_ref(tool, tool->words[i], &refs[i]);
    return wrong;
}

int talk_get(tool_t *tool)
{
    mob_ref_t refs[TOOL_WORDS_MAX];
    int wrong = read_refs(tool, refs);
    for (unsigned i = 0; i < tool->word_count && !wrong; i++)
        wrong = print_value(tool, refs[i], tool->words[i], false);
    return wrong;
}

int talk_wait(tool_t *tool)
{
    mob_ref_t refs[TOOL_WORDS_MAX];
    bool ready[TOOL_WORDS_MAX] = {false};
    int wrong = read_refs(tool, refs);
    if (wrong)
        return wrong;
    size_t want = (size_t)tool_count(tool, "any", tool->word_count);
    want = want > tool->word_count ? tool->word_count : want;
    size_t got = mob_wait(tool->client, refs, tool->word_count, want, tool_left_ms(tool), ready);
    for (unsigned i = 0; i < tool->word_count; i++)
        if (ready[i])
            puts(tool->words[i]);
    if (got >= want)
        return 0;
    trouble_t out =
        trouble(tool_signal() ? MOB_EINTERRUPTED : MOB_ETIMEDOUT, "%zu of %zu settled", got, want);
    out.executed = "maybe";
    out.exit = tool_signal() ? 128 + tool_signal() : out.exit;
    trouble_try(&out, "mobula wait ... -t 5m");
    return say_trouble(tool, &out);
}

int talk_cancel(tool_t *tool)
{
    mob_ref_t refs[TOOL_WORDS_MAX];
    int wrong = read_refs(tool, refs);
    unsigned flags = (tool_has(tool, "cascade") ? 0u : MOB_CANCEL_ALONE) |
                     (tool_has(tool, "force") ? MOB_CANCEL_FORCE : 0u);
    for (unsigned i = 0; i < tool->word_count && !wrong; i++) {
        mob_keep(tool->client, refs[i]); // who references it may
        mob_err_t err = mob_cancel(tool->client, refs[i], flags);
        if (err)
            wrong = say_failure(tool, refs[i], err, tool->words[i]);
    }
    if (wrong)
        return wrong;
    mob_ref_t last = mob_query(tool->client, "status", NULL);
    mob_err_t err = tool_await(tool, last, NULL);
    return err ? say_failure(tool, last, err, "cancel") : 0;
}

// Values that `put` and --detach left with the broker.
int talk_drop(tool_t *tool)
{
    mob_ref_t refs[TOOL_WORDS_MAX];
    int wrong = read_refs(tool, refs);
    for (unsigned i = 0; i < tool->word_count && !wrong; i++) {
        mob_err_t err = tool_await(tool, refs[i], NULL);
        if (err == MOB_EGONE)
            wrong = say_failure(tool, refs[i], err, tool->words[i]);
        else
            mob_drop(tool->client, refs[i]);
    }
    return wrong;
}
