// monitor.c - monitor, events: prints the records of a tail, or calls joined with their replies, or a table of
// counts. The filter runs in the broker; here again only where it holds a regular expression.

#include "monitor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"
#include "footer.h"
#include "groups.h"
#include "pairs.h"
#include "query.h"
#include "sieve.h"
#include "unit.h"
#include "verb.h"

enum {
    TABLE_ROWS = 20, // of a table that is drawn anew each second
    YIELDING = 19 // priority of who watches: where processors are short, what is watched goes first
};

typedef struct monitor {
    tool_t *tool;
    sieve_t shown, expect, fail;
    tail_t tail;
    pairs_t pairs;
    groups_t groups;
    footer_t footer;
    bool joins, counts, has_footer; // calls with replies; a table instead of lines
    bool stops_early;               // at the first record that was expected
    int64_t end_at;
    uint64_t number; // of records that came or were lost
    uint64_t count, limit;
    owners_t owners;
    bool expected, failed;
} monitor_t;

// ---- Records ------------------------------------------------------------------------------------

static bool enough(void *arg)
{
    const monitor_t *self = arg;
    return tool_signal() || self->failed || (self->stops_early && self->expected) ||
           self->count >= self->limit || ferror(stdout);
}

static void make_room(const monitor_t *self)
{
    if (self->has_footer)
        term_wipe(&self->tool->term);
}

static void say_loss(void *arg, uint64_t count)
{
    monitor_t *self = arg;
    char text[UNIT_TEXT_MAX];
    const char *dots = self->tool->term.utf8 ? "\u00b7\u00b7\u00b7" : "...";
    self->footer.lost += count;
    self->number += count;
    make_room(self);
    if (tool_json(self->tool))
        record_json_lost(clock_wall_us(), self->number, count);
    else
        printf("%s %s events not shown: this monitor fell behind (try -f or --sample) %s\n", dots,
               unit_print_count(text, count), dots);
}

static void print_record(monitor_t *self, const record_t *record)
{
    const char *format = tool_flag(self->tool, "format");
    make_room(self);
    if (format)
        record_format(record, format, &self->tool->term);
    else if (tool_json(self->tool))
        record_json(record);
    else
        record_line(record, &self->tool->term, &self->owners);
}

// A line's worth: a record, or a call with its reply.
static void say_one(void *arg, const record_t *record)
{
    monitor_t *self = arg;
    if (self->count >= self->limit)
        return;
    self->count++;
    if (self->counts)
        groups_add(&self->groups, *record);
    else
        print_record(self, record);
}

static void take_record(void *arg, const msg_event_t *event)
{
    monitor_t *self = arg;
    record_t record = record_of(event);
    record.n = ++self->number;
    if (!sieve_passes(&self->shown, &record))
        return;
    footer_add(&self->footer, &record);
    if (self->joins)
        pairs_take(&self->pairs, &record);
    else
        say_one(self, &record);
    self->expected = self->expected || sieve_passes(&self->expect, &record);
    self->failed = self->failed || sieve_passes(&self->fail, &record);
}

// ---- The loop -----------------------------------------------------------------------------------

// What the flight recorder has, first.
static int look_back(monitor_t *self)
{
    char reach[UNIT_TEXT_MAX];
    int64_t reach_us;
    if (!tool_has(self->tool, "since"))
        return 0;
    int wrong = tail_past(&self->tail, tool_duration(self->tool, "since", 0), &reach_us);
    if (!wrong)
        say_note(self->tool, "the flight recorder goes back %s", unit_print_age(reach, reach_us));
    fflush(stdout);
    return wrong;
}

static void each_second(monitor_t *self, int64_t now)
{
    if (self->counts) {
        fputs("\033[H\033[J", stdout);
        groups_say(&self->groups, self->tool, TABLE_ROWS, clock_wall_us());
    }
    footer_print(&self->footer, &self->tail, now);
}

static void loop(monitor_t *self)
{
    int64_t now = clock_us();
    while (!enough(self) && now < self->end_at) {
        if (self->has_footer && now >= self->footer.at)
            each_second(self, now);
        bool soon = self->has_footer && self->footer.at < self->end_at;
        tail_turn(&self->tail, soon ? self->footer.at : self->end_at);
        fflush(stdout);
        now = clock_us();
    }
    make_room(self);
}

static int verdict(const monitor_t *self)
{
    trouble_t out = {.code = "EEXPECT", .exit = 10, .executed = "no"};
    if (self->failed)
        snprintf(out.message, sizeof out.message, "a record matched %s",
                 tool_flag(self->tool, "fail-if"));
    else if (self->expect.given && !self->expected)
        snprintf(out.message, sizeof out.message, "no record matched %s",
                 tool_flag(self->tool, "expect"));
    else
        return tool_signal() ? 128 + tool_signal() : 0;
    return say_trouble(self->tool, &out);
}

// ---- Beginning and end --------------------------------------------------------------------------

static int read_flags(monitor_t *self, const char *filter)
{
    tool_t *tool = self->tool;
    const char *keys = tool_flag(tool, "group-by");
    self->limit = (uint64_t)tool_count(tool, "count", INT64_MAX);
    self->stops_early = !tool_has(tool, "for") && !tool_has(tool, "count");
    self->counts = keys != NULL;
    self->joins = keys || tool_has(tool, "pairs");
    self->has_footer =
        tool->term.err && tool->term.out && !tool_has(tool, "no-footer") && !tool_json(tool);
    int wrong = sieve_init(&self->shown, tool, filter);
    if (!wrong)
        wrong = sieve_init(&self->expect, tool, tool_flag(tool, "expect"));
    if (!wrong)
        wrong = sieve_init(&self->fail, tool, tool_flag(tool, "fail-if"));
    return wrong || !keys ? wrong : groups_init(&self->groups, tool, keys);
}

static void close_all(monitor_t *self)
{
    tail_close(&self->tail);
    groups_fini(&self->groups);
    sieve_fini(&self->shown);
    sieve_fini(&self->expect);
    sieve_fini(&self->fail);
}

static int run(monitor_t *self, const char *filter)
{
    tool_t *tool = self->tool;
    int64_t length = tool_duration(tool, "for", UNIT_FOREVER);
    self->end_at = length == UNIT_FOREVER
                       ? INT64_MAX
                       : clock_us() + length; // from now on, not while it was opened
    bool heads = tool->output == OUTPUT_TABLE && !tool_has(tool, "format") && !self->counts;
    footer_init(&self->footer, &tool->term, &self->tail);
    say_note(tool, "watching %s%s%s", tool->address, *filter ? "   " : "", filter);
    if (heads)
        record_head(&tool->term);
    int wrong = look_back(self);
    if (wrong)
        return wrong;
    loop(self);
    pairs_fini(&self->pairs);
    if (self->counts)
        groups_say(&self->groups, tool, GROUPS_MAX, clock_wall_us());
    return verdict(self);
}

int monitor_tail(tool_t *tool, const char *filter)
{
    monitor_t *self = calloc(1, sizeof *self);
    if (!self)
        return 1;
    self->tool = tool;
    self->pairs = pairs_of(say_one, self);
    setpriority(PRIO_PROCESS, 0, YIELDING); // this thread and those of the feed
    int wrong = read_flags(self, filter);
    if (!wrong)
        wrong = tail_open(&self->tail, tool, filter,
                          (tail_reader_t){take_record, say_loss, enough, self});
    if (!wrong)
        wrong = run(self, filter);
    close_all(self);
    free(self);
    return wrong;
}

// ---- The filter ---------------------------------------------------------------------------------

// "1/N" or "P%" as a term of the filter: the broker draws, the same lot for all records of a call.
static int read_sample(const tool_t *tool, char *out, size_t size)
{
    const char *text = tool_flag(tool, "sample");
    char *end = out;
    double part = 0;
    *out = '\0';
    if (!text)
        return 0;
    if (strncmp(text, "1/", 2) == 0)
        part = 1 / strtod(text + 2, &end);
    else if (strchr(text, '%'))
        part = strtod(text, &end) / 100, end += *end == '%';
    if (*end != '\0' || end == out || !(part > 0 && part <= 1)) {
        trouble_t wrong = trouble_usage("--sample %s is no part of the whole: 1/10 or 5%%", text);
        return say_trouble(tool, &wrong);
    }
    snprintf(out, size, "sample<%" PRId64, (int64_t)(part * FILTER_SAMPLES + 0.5));
    return 0;
}

static int tail_of(tool_t *tool, const char *always)
{
    char filter[FILTER_TEXT_MAX], sample[64], whole[FILTER_TEXT_MAX + 320];
    int wrong = query_filter(tool, 0, filter, sizeof filter);
    if (!wrong)
        wrong = read_sample(tool, sample, sizeof sample);
    if (!wrong) {
        const char *all[] = {always, sample, filter};
        *whole = '\0';
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            size_t used = strlen(whole);
            if (*all[i])
                snprintf(whole + used, sizeof whole - used, "%s%s", used ? " and " : "", all[i]);
        }
        wrong = tool_connect(tool);
    }
    return wrong ? wrong : monitor_tail(tool, whole);
}

int monitor(tool_t *tool)
{
    return tail_of(tool, "");
}

int events(tool_t *tool)
{
    return tail_of(tool,
                   "ev=fail,retry,timeout,cancel,dead,reject,spawn,exit,restart,join,leave,lost");
}
