// parse.c - a line of words to a tool_t, by the table of commands; flags as values.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "near.h"
#include "say.h"
#include "unit.h"
#include "verb.h"

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
        own = find_in(verb_list_flags, name, size, letter);
    return own ? own : find_in(verb_common_flags, name, size, letter);
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
    static const flag_t none = {0};
    const flag_t *const lists[] = {tool->verb->flags, tool->verb->listing ? verb_list_flags : &none,
                                   verb_common_flags};
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
    return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9') && word[1] != '.';
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

static const char *flag_or_environment(const tool_t *tool, const char *flag, const char *environment)
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

// Errors of the line itself are JSON, too, when JSON is asked for anywhere in it.
static bool asks_json(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-ojson") == 0 ||
            strcmp(argv[i], "--output=json") == 0 ||
            (i > 0 && strcmp(argv[i], "json") == 0 &&
             (strcmp(argv[i - 1], "-o") == 0 || strcmp(argv[i - 1], "--output") == 0)))
            return true;
    return false;
}

int verb_parse(tool_t *tool, int argc, char **argv)
{
    tool->output = asks_json(argc, argv) ? OUTPUT_JSON : OUTPUT_AUTO;
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
