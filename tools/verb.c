// verb.c - the table of commands, and what is made from it: parsing, help, the overview.

#include "verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "near.h"
#include "say.h"
#include "unit.h"

// clang-format off
static const flag_t common_flags[] = {
    {"broker",    'b', "URL",  "ipc://PATH, tcp://HOST:PORT or HOST[:PORT]; several by comma (MOBULA_BROKER)"},
    {"key",       'k', "FILE", "client key for tcp (MOBULA_KEY_FILE)"},
    {"timeout",   't', "DUR",  "bound of the whole command: 500ms, 10s, 2m, forever (MOBULA_TIMEOUT)"},
    {"output",    'o', "table|plain|wide|json|jsonl|csv|name", "table on a terminal, plain in a pipe (MOBULA_OUTPUT)"},
    {"json",      0,   NULL,   "the same as -o json"},
    {"namespace", 'n', "NAME", "where plain names live: default (MOBULA_NAMESPACE)"},
    {"quiet",     'q', NULL,   "no commentary on stderr"},
    {"color",     0,   "auto|always|never", "auto (NO_COLOR, CLICOLOR_FORCE)"},
    {"yes",       'y', NULL,   "never ask"},
    {"no-input",  0,   NULL,   "never ask, and do nothing that would need an answer"},
    {"help",      'h', NULL,   "this"},
    {"version",   0,   NULL,   "print the version"},
    {0},
};

static const flag_t list_flags[] = {
    {"filter",    'f', "EXPR", "keep what matches: -f state=alive -f 'age>5m and mailbox>0'; all must match"},
    {"sort",      0,   "COL",  "by this column, greatest last; -COL: greatest first"},
    {"reverse",   'R', NULL,   "turn the order round"},
    {"limit",     0,   "N",    "rows shown: 100"},
    {"columns",   0,   "A,B",  "these fields only"},
    {"no-headers",0,   NULL,   "rows alone"},
    {0},
};

static const flag_t broker_flags[] = {
    {"config",     0, "FILE", "settings; else ./mobula.conf, then the user's, then /etc/mobula"},
    {"bind",       0, "URL",  "calls socket, repeatable: ipc, ipc:///path/calls.sock, tcp://127.0.0.1:7770"},
    {"data",       0, "DIR",  "what must outlive the broker, or :memory:"},
    {"name",       0, "NAME", "shown everywhere: local"},
    {"insecure",   0, "[=private-network]", "tcp without keys, on loopback addresses or private networks"},
    {"log-level",  0, "debug|info|warn|error", "the least that is logged: info"},
    {"log-format", 0, "auto|pretty|logfmt|json", "auto"},
    {"check-config", 0, NULL, "read the settings, say what is wrong, start nothing"},
    {0},
};
static const flag_t demo_flags[] = {
    {"for",   0, "DUR", "end after the census and at most so long: 10s, 1m"},
    {"hosts", 0, "N",   "worker programs to start: 2"},
    {"inflight", 0, "N", "tasks on the way at once: 64"},
    {0},
};
static const flag_t run_flags[] = {
    {"retries",  0, "N",    "runs after a lost worker: 3"},
    {"cpus",     0, "X",    "slots it takes: 1"},
    {"host",     0, "NAME", "this host or EPLACE"},
    {"priority", 0, "N",    "-8 to 7, higher starts first: 0"},
    {"deadline", 0, "DUR",  "the task's own end: 500ms, 10s"},
    {"timing",   0, NULL,   "say on stderr how long it took"},
    {"raw",      0, NULL,   "bytes as they are"},
    {0},
};
static const flag_t new_flags[] = {
    {"name",         0, "S",    "what it is called; else CLASS/N"},
    {"get-if-exists",0, NULL,   "take a living one of that name instead"},
    {"max-restarts", 0, "N",    "after a crash: 0"},
    {"mailbox",      0, "N",    "waiting calls of all callers: 1000"},
    {"host",         0, "NAME", "this host or EPLACE"},
    {0},
};
static const flag_t call_flags[] = {
    {"retries",  0, "N",   "runs after a crash of the actor: 0"},
    {"deadline", 0, "DUR", "the call's own end: 500ms, 10s"},
    {"timing",   0, NULL,  "say on stderr how long it took"},
    {"raw",      0, NULL,  "bytes as they are"},
    {0},
};
static const flag_t tell_flags[] = {
    {"count", 0, "N",    "tell it so often: 1"},
    {"rate",  0, "RATE", "no faster than 500/s, 5k/s"},
    {0},
};
static const flag_t get_flags[] = {{"raw", 0, NULL, "bytes as they are"}, {0}};
static const flag_t wait_flags[] = {{"any", 0, "N", "so many of them are enough"}, {0}};
static const flag_t cancel_flags[] = {
    {"cascade", 0, NULL, "and what it started"},
    {"force",   0, NULL, "end the process it runs in; tasks only"},
    {0},
};
static const flag_t monitor_flags[] = {
    {"filter",    'f', "EXPR", "show what matches: -f ev=dead -f 'took>10ms'; all must match"},
    {"count",     0, "N",      "end after so many records"},
    {"for",       0, "DUR",    "end after 500ms, 10s, 1m"},
    {"format",    0, "STR",    "%T time %e kind %s from %d to %m method %b bytes %l took %i id %n note %j record"},
    {"expect",    0, "EXPR",   "exit 10 if no record matched"},
    {"fail-if",   0, "EXPR",   "exit 10 at the first record that matches"},
    {"no-footer", 0, NULL,     "records alone, also on a terminal"},
    {0},
};
static const flag_t summary_flags[] = {{"filter", 'f', "EXPR", "count what matches: -f state=failed, -f 'age>5m'"}, {0}};
static const flag_t bench_flags[] = {
    {"clients",  0, "N",    "connections, a thread each: 1"},
    {"inflight", 0, "N",    "calls on the way of one client: 64; with --rate as many as it takes"},
    {"size",     0, "SIZE", "bytes of the argument: 100, 4KiB"},
    {"rate",     0, "RATE", "open loop at 500/s, 5k/s; without it a closed loop"},
    {"duration", 0, "DUR",  "of the measurement: 5s, 1m"},
    {"warmup",   0, "DUR",  "before it, not counted: 500ms, 1s"},
    {0},
};
static const flag_t health_flags[] = {
    {"live",  0, NULL, "the broker answers"},
    {"ready", 0, NULL, "and takes new work; the default"},
    {0},
};
static const flag_t config_flags[] = {{"config", 0, "FILE", "instead of the file that would be read"}, {0}};
static const flag_t no_flags[] = {{0}};

#define MANY TOOL_WORDS_MAX
const command_t verbs[] = {
    {"broker", FAMILY_RUN, "", "start a broker",
     "mobula broker\nmobula broker --bind ipc --bind tcp://127.0.0.1:7770 --insecure", broker_flags, 0, 0, false, false, run_broker},
    {"demo", FAMILY_RUN, "[PATH]", "broker + hosts + a word census, with the monitor",
     "mobula demo\nmobula demo --for 10s /usr/share/doc", demo_flags, 0, 1, false, true, demo},
    {"run", FAMILY_TALK, "TASK [ARGS]...", "run a task, print its value",
     "mobula run add 1 2\nmobula run fetch http://a --retries 5 -t 10s", run_flags, 1, MANY, false, true, talk_run},
    {"new", FAMILY_TALK, "CLASS [ARGS]...", "create an actor, print its name",
     "mobula new counter 10 --name hits\nmobula new ledger --max-restarts 5 -t 10s", new_flags, 1, MANY, false, true, talk_new},
    {"call", FAMILY_TALK, "TARGET METHOD [ARGS]...", "call a method, print its value",
     "mobula call hits add 5\nmobula call counter/7 value -t 500ms", call_flags, 2, MANY, false, true, talk_call},
    {"tell", FAMILY_TALK, "TARGET METHOD [ARGS]...", "call it, wait for nothing",
     "mobula tell hits add 5\nmobula tell hits add 1 --count 10000 --rate 5k/s", tell_flags, 2, MANY, false, false, talk_tell},
    {"get", FAMILY_TALK, "REF...", "print the value of refs",
     "mobula get 9f3ac41b22d0e871.17\nmobula get 9f3a.17 9f3a.18 -t 10s", get_flags, 1, MANY, false, true, talk_get},
    {"wait", FAMILY_TALK, "REF...", "wait until refs are settled",
     "mobula wait 9f3a.17 9f3a.18 --any 1\nmobula wait 9f3a.17 -t 2m", wait_flags, 1, MANY, false, true, talk_wait},
    {"cancel", FAMILY_TALK, "REF...", "cancel a task or a call",
     "mobula cancel 9f3a.17\nmobula cancel 9f3a.17 --cascade", cancel_flags, 1, MANY, false, false, talk_cancel},
    {"monitor", FAMILY_WATCH, "[EXPR]", "tail message traffic",
     "mobula monitor\nmobula monitor 'dst~ledger* and (took>10ms or status!=ok)'\nmobula monitor ev=dead --json --for 10s",
     monitor_flags, 0, MANY, false, false, monitor},
    {"events", FAMILY_WATCH, "[EXPR]", "lifecycle events only",
     "mobula events\nmobula events ev=exit,restart --count 1 --for 1m", monitor_flags, 0, MANY, false, false, events},
    {"list", FAMILY_WATCH, "actors|tasks|objects|hosts|workers|sessions|methods", "what there is",
     "mobula list actors -f state=alive --sort -mailbox\nmobula list tasks -f 'age>5m' -o json", no_flags, 1, 1, true, false, state_list},
    {"show", FAMILY_WATCH, "actor|task|host|worker|session|method ID", "all that is known of one thing",
     "mobula show actor ledger\nmobula show task 9f3a.17", no_flags, 2, 2, false, false, state_show},
    {"status", FAMILY_WATCH, "", "one-screen summary",
     "mobula status\nmobula status -o json", no_flags, 0, 0, false, false, state_status},
    {"summary", FAMILY_WATCH, "tasks|actors|objects", "counts by name and state",
     "mobula summary tasks\nmobula summary actors -f class=ledger", summary_flags, 1, 1, false, false, state_summary},
    {"stop", FAMILY_MANAGE, "TARGET", "end an actor after the calls already sent",
     "mobula stop hits\nmobula stop counter/7 -t 10s", no_flags, 1, 1, false, false, manage_stop},
    {"kill", FAMILY_MANAGE, "TARGET", "end an actor at once",
     "mobula kill hits\nmobula kill counter/7 -y", no_flags, 1, 1, false, false, manage_kill},
    {"bench", FAMILY_MEASURE, "[call|task]", "load generator",
     "mobula bench call --clients 4 --duration 5s\nmobula bench task --rate 5k/s --size 4KiB", bench_flags, 0, 1, false, true, bench},
    {"health", FAMILY_SETUP, "", "exit 0 when healthy (for probes)",
     "mobula health\nmobula health --live -t 2s", health_flags, 0, 0, false, false, setup_health},
    {"config", FAMILY_SETUP, "show|check|default [FILE]", "settings: value, origin, default",
     "mobula config show\nmobula config check mobula.conf", config_flags, 1, 2, false, false, setup_config},
    {"completion", FAMILY_SETUP, "bash|zsh|fish", "for your shell",
     "mobula completion bash > /etc/bash_completion.d/mobula\nsource <(mobula completion zsh)", no_flags, 1, 1, false, false, setup_completion},
    {"help", FAMILY_SETUP, "[COMMAND|ERROR|TOPIC]", "a command, an error code, a topic",
     "mobula help call\nmobula help ENOTFOUND", no_flags, 0, 1, false, false, setup_help},
    {"version", FAMILY_SETUP, "", "print the version",
     "mobula version\nmobula version -o json", no_flags, 0, 0, false, false, setup_version},
    {0},
};

static const struct {
    const char *word, *say;
} hints[] = {
    {"submit", "say `mobula run`"},     {"spawn", "say `mobula new`"},    {"exec", "say `mobula run`"},
    {"invoke", "say `mobula call`"},    {"pub", "say `mobula tell`"},     {"sub", "say `mobula monitor`"},
    {"ps", "say `mobula list actors` or `mobula list tasks`"},            {"ls", "say `mobula list`"},
    {"serve", "start the worker program itself: it is a host"},
    {"restart", "say `mobula kill`: an actor with restarts left comes back"},
    {"start", "say `mobula broker`, or start the worker program itself: it is a host"},
    {"server", "say `mobula broker`"},  {"top", "say `mobula status` or `mobula monitor`"},
};
// clang-format on

const command_t *verb_find(const char *name)
{
    for (const command_t *verb = verbs; verb->name; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

int verb_unknown(tool_t *tool, const char *word)
{
    near_t near = near_of(word);
    trouble_t out = trouble_usage("no command %s", word);
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strcmp(hints[i].word, word) == 0)
            trouble_cause(&out, "%s", hints[i].say);
    for (const command_t *verb = verbs; verb->name; verb++)
        near_add(&near, verb->name);
    for (unsigned i = 0; i < near.count; i++)
        trouble_try(&out, "mobula %-10s %s", near.best[i], verb_find(near.best[i])->summary);
    return say_trouble(tool, &out);
}

// ---- Parsing ------------------------------------------------------------------------------------

static const flag_t *find_in(const flag_t *flags, const char *name, size_t size, char letter)
{
    for (; flags->name; flags++)
        if (letter ? flags->letter == letter
                   : strlen(flags->name) == size && memcmp(flags->name, name, size) == 0)
            return flags;
    return NULL;
}

// By name, or by letter when that is not 0.
static const flag_t *find_flag(const command_t *verb, const char *name, size_t size, char letter)
{
    const flag_t *own = find_in(verb->flags, name, size, letter);
    if (!own && verb->listing)
        own = find_in(list_flags, name, size, letter);
    return own ? own : find_in(common_flags, name, size, letter);
}

static bool is_among(const char *words, const char *value)
{
    size_t size = strlen(value);
    for (; *words; words += strcspn(words, "|"), words += *words == '|')
        if (strcspn(words, "|") == size && memcmp(words, value, size) == 0)
            return true;
    return false;
}

// What value of a flag means is checked where it is typed. NULL: fine; else what is wanted.
static const char *value_wrong(const flag_t *flag, const char *value)
{
    int64_t number;
    double decimal;
    char *end;
    size_t size = strlen(value);
    if (strchr(flag->value, '|'))
        return is_among(flag->value, value) ? NULL : flag->value;
    if (strcmp(flag->value, "DUR") == 0)
        return unit_read_duration(value, size, &number) ? NULL
                                                        : "a duration like 500ms, 10s or forever";
    if (strcmp(flag->value, "SIZE") == 0)
        return unit_read_size(value, size, &number) ? NULL : "a size like 100 or 64KiB";
    if (strcmp(flag->value, "RATE") == 0)
        return unit_read_rate(value, size, &decimal) && decimal > 0 ? NULL
                                                                    : "a rate like 500/s or 5k/s";
    if (strcmp(flag->value, "N") == 0)
        return strtoll(value, &end, 10), *value && !*end && size < 11 ? NULL : "a number like 3";
    if (strcmp(flag->value, "X") == 0)
        return strtod(value, &end) < 0 || !*value || *end ? "a number like 0.5" : NULL;
    return NULL;
}

static int usage_of(tool_t *tool, trouble_t *out)
{
    trouble_try(out, "mobula %s --help", tool->verb->name);
    return say_trouble(tool, out);
}

static int add_flag(tool_t *tool, const flag_t *flag, const char *value)
{
    const char *wrong = flag->value && flag->value[0] != '[' ? value_wrong(flag, value) : NULL;
    if (wrong) {
        trouble_t out = trouble_usage("--%s wants %s, not \"%s\"", flag->name, wrong, value);
        return usage_of(tool, &out);
    }
    if (tool->given_count == TOOL_FLAGS_MAX) {
        trouble_t out = trouble_usage("more than %d flags", TOOL_FLAGS_MAX);
        return usage_of(tool, &out);
    }
    tool->given[tool->given_count++] = (given_t){flag, value};
    return -1;
}

static int unknown_flag(tool_t *tool, const char *typed)
{
    const flag_t *const lists[] = {tool->verb->flags, tool->verb->listing ? list_flags : no_flags,
                                   common_flags};
    trouble_t out = trouble_usage("%s has no flag %s", tool->verb->name, typed);
    near_t near = near_of(typed + strspn(typed, "-"));
    for (size_t i = 0; i < 3; i++)
        for (const flag_t *flag = lists[i]; flag->name; flag++)
            near_add(&near, flag->name);
    for (unsigned i = 0; i < near.count; i++)
        trouble_try(&out, "--%s", near.best[i]);
    return usage_of(tool, &out);
}

// One flag at argv[*at]; moves *at behind what it took.
static int parse_flag(tool_t *tool, int argc, char **argv, int *at)
{
    const char *typed = argv[(*at)++];
    bool is_long = typed[1] == '-';
    const char *name = typed + (is_long ? 2 : 1), *sign = is_long ? strchr(name, '=') : NULL;
    size_t size = sign ? (size_t)(sign - name) : strlen(name);
    const flag_t *flag = find_flag(tool->verb, name, size, is_long ? 0 : typed[1]);
    if (!flag)
        return unknown_flag(tool, typed);
    if (!is_long && typed[2] != '\0') { // -oJSON, -qy
        if (flag->value)
            return add_flag(tool, flag, typed + 2);
        trouble_t out = trouble_usage("one letter at a time: %s", typed);
        return usage_of(tool, &out);
    }
    if (!flag->value && sign) {
        trouble_t out = trouble_usage("--%s takes no value", flag->name);
        return usage_of(tool, &out);
    }
    if (!flag->value || sign || flag->value[0] == '[')
        return add_flag(tool, flag, sign ? sign + 1 : "");
    if (*at == argc) {
        trouble_t out = trouble_usage("--%s wants %s", flag->name, flag->value);
        return usage_of(tool, &out);
    }
    return add_flag(tool, flag, argv[(*at)++]);
}

// Numbers below zero are words: `mobula call hits add -5`.
static bool is_flag(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9') &&
           word[1] != '.';
}

static int parse_words(tool_t *tool, int argc, char **argv)
{
    bool flags = true;
    for (int at = 0; at < argc;) {
        if (flags && strcmp(argv[at], "--") == 0) {
            flags = false;
            at++;
            continue;
        }
        int done = -1;
        if (flags && is_flag(argv[at]))
            done = parse_flag(tool, argc, argv, &at);
        else if (tool->word_count < TOOL_WORDS_MAX)
            tool->words[tool->word_count++] = argv[at++];
        else
            at++;
        if (done >= 0)
            return done;
    }
    return -1;
}

// ---- Defaults of flags that every verb takes ----------------------------------------------------

static const char *flag_or_environment(const tool_t *tool, const char *flag,
                                       const char *environment)
{
    const char *value = tool_flag(tool, flag);
    const char *other = getenv(environment);
    return value ? value : other && *other ? other : NULL;
}

static int set_output(tool_t *tool)
{
    static const char *const names[] = {"auto", "table", "plain", "wide",
                                        "json", "jsonl", "csv",   "name"};
    const char *name =
        tool_has(tool, "json") ? "json" : flag_or_environment(tool, "output", "MOBULA_OUTPUT");
    tool->output = tool->term.out ? OUTPUT_TABLE : OUTPUT_PLAIN;
    if (!name)
        return -1;
    for (unsigned i = 1; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) {
            tool->output = (output_t)i;
            return -1;
        }
    trouble_t out = trouble_usage("MOBULA_OUTPUT: no format %s", name);
    return usage_of(tool, &out);
}

static int set_timeout(tool_t *tool)
{
    const char *text = flag_or_environment(tool, "timeout", "MOBULA_TIMEOUT");
    tool->timeout_us = tool->verb->bodies ? 60000000 : 5000000;
    if (text && !unit_read_duration(text, strlen(text), &tool->timeout_us)) {
        trouble_t out =
            trouble_usage("MOBULA_TIMEOUT wants a duration like 500ms or 10s, not \"%s\"", text);
        return usage_of(tool, &out);
    }
    tool->started_us = clock_us();
    tool->deadline_us =
        tool->timeout_us == UNIT_FOREVER ? INT64_MAX : tool->started_us + tool->timeout_us;
    return -1;
}

static int check_words(tool_t *tool)
{
    const command_t *verb = tool->verb;
    if (tool->word_count >= verb->least && tool->word_count <= verb->most)
        return -1;
    trouble_t out = trouble_usage("mobula %s %s", verb->name, verb->usage);
    if (tool->word_count > verb->most)
        trouble_cause(&out, "one word too many: %s", tool->words[verb->most]);
    else
        trouble_cause(&out, "%u of at least %u words given", tool->word_count, verb->least);
    return usage_of(tool, &out);
}

int verb_parse(tool_t *tool, int argc, char **argv)
{
    int done = parse_words(tool, argc, argv);
    const char *colour = tool_flag(tool, "color");
    tool->term = term_look(colour ? colour : "auto");
    tool->quiet = tool_has(tool, "quiet");
    if (done < 0)
        done = set_output(tool);
    if (done < 0 && tool_has(tool, "help")) {
        verb_help(tool, tool->verb);
        return 0;
    }
    if (done < 0 && tool_has(tool, "version"))
        return setup_version(tool);
    if (done < 0)
        done = set_timeout(tool);
    return done < 0 ? check_words(tool) : done;
}

// ---- Flags as values ----------------------------------------------------------------------------

const char *tool_flag_nth(const tool_t *self, const char *name, unsigned nth)
{
    for (unsigned i = 0; i < self->given_count; i++)
        if (strcmp(self->given[i].flag->name, name) == 0 && nth-- == 0)
            return self->given[i].value;
    return NULL;
}

const char *tool_flag(const tool_t *self, const char *name)
{
    const char *last = NULL;
    for (unsigned i = 0; i < self->given_count; i++)
        if (strcmp(self->given[i].flag->name, name) == 0)
            last = self->given[i].value;
    return last;
}

bool tool_has(const tool_t *self, const char *name)
{
    return tool_flag(self, name) != NULL;
}

int64_t tool_count(const tool_t *self, const char *name, int64_t fallback)
{
    const char *value = tool_flag(self, name);
    int64_t size;
    if (!value)
        return fallback;
    return unit_read_size(value, strlen(value), &size) ? size : strtoll(value, NULL, 10);
}

int64_t tool_duration(const tool_t *self, const char *name, int64_t fallback_us)
{
    const char *value = tool_flag(self, name);
    return value && unit_read_duration(value, strlen(value), &fallback_us) ? fallback_us
                                                                           : fallback_us;
}

double tool_number(const tool_t *self, const char *name, double fallback)
{
    const char *value = tool_flag(self, name);
    return value ? strtod(value, NULL) : fallback;
}

double tool_rate(const tool_t *self, const char *name, double fallback)
{
    const char *value = tool_flag(self, name);
    return value && unit_read_rate(value, strlen(value), &fallback) ? fallback : fallback;
}

// ---- Help ---------------------------------------------------------------------------------------

static void print_flags(const flag_t *flags)
{
    for (; flags->name; flags++) {
        char left[64], letter[8] = "    ";
        if (flags->letter)
            snprintf(letter, sizeof letter, "-%c, ", flags->letter);
        bool optional = flags->value && flags->value[0] == '[';
        snprintf(left, sizeof left, "%s--%s%s%s", letter, flags->name,
                 flags->value && !optional ? " " : "", flags->value ? flags->value : "");
        printf(strlen(left) > 28 ? "  %s\n%32s%s\n" : "  %-28s  %s%s\n", left, "", flags->help);
    }
}

static void print_lines(const char *text, const char *before)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        printf("%s%.*s\n", before, (int)size, text);
        text += size + (text[size] == '\n');
    }
}

void verb_help(const tool_t *tool, const command_t *verb)
{
    bool colour = tool->term.colour_out;
    print_lines(verb->examples, "  $ ");
    printf("\n%smobula %s%s%s%s [FLAGS]    %s\n", term_on(colour, TERM_BOLD), verb->name,
           *verb->usage ? " " : "", verb->usage, term_off(colour), verb->summary);
    if (verb->flags->name)
        puts("\nflags");
    print_flags(verb->flags);
    if (verb->listing)
        puts("\nof every listing");
    print_flags(verb->listing ? list_flags : no_flags);
    puts("\nof every command");
    print_flags(common_flags);
}

static size_t entry(char *out, size_t size, const command_t *verb)
{
    int length = snprintf(out, size, "%-11s%s", verb->name, verb->summary);
    return length < 0 ? 0 : (size_t)length;
}

// Two commands a line where both fit.
void verb_overview(const tool_t *tool)
{
    static const char *const families[] = {"RUN", "TALK", "WATCH", "MANAGE", "MEASURE", "SETUP"};
    enum { LEFT = 46, RIGHT = 54 };
    bool colour = tool->term.colour_out;
    printf("mobula " MOB_VERSION " - actors, tasks and futures over ZeroMQ      start here: mobula "
           "demo      any command: --help, -o json\n");
    for (const command_t *verb = verbs; verb->name;) {
        family_t family = verb->family;
        for (bool first = true; verb->name && verb->family == family; verb++, first = false) {
            char text[128], next[128];
            size_t size = entry(text, sizeof text, verb);
            const command_t *after = verb + 1;
            bool pair = size < LEFT && after->name && after->family == family &&
                        entry(next, sizeof next, after) <= RIGHT;
            printf("%s%-9s%s%s%*s%s\n", term_on(colour, TERM_BOLD), first ? families[family] : "",
                   term_off(colour), text, pair ? (int)(LEFT - size) : 0, "", pair ? next : "");
            verb += pair;
        }
    }
}
