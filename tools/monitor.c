// monitor.c - monitor, events: prints the records of a tail. The filter runs in the broker; here again
// only where it holds a regular expression. Loss is counted and shown.

#include "monitor.h"

#include <errno.h>
#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "histogram.h"
#include "query.h"
#include "record.h"
#include "tail.h"
#include "unit.h"
#include "verb.h"

enum { SECOND_US = 1000000 };

typedef struct watched { // a filter with the engine that the broker lacks
    filter_t filter;
    regex_t compiled[FILTER_TERMS_MAX];
    bool ready[FILTER_TERMS_MAX], usable[FILTER_TERMS_MAX];
    bool given;
} watched_t;

typedef struct monitor {
    tool_t *tool;
    watched_t shown, expect, fail;
    tail_t tail;
    int64_t footer_at, end_at, started;
    uint64_t number; // of records that came or were lost
    uint64_t count, limit, lost;
    uint64_t second_count; // since the last footer
    histogram_t second;    // of TOOK, likewise
    owners_t owners;
    bool expected, failed, footer;
} monitor_t;

// ---- Filters ------------------------------------------------------------------------------------

static bool run_regex(void *arg, unsigned number, const char *pattern, const char *text, size_t size)
{
    watched_t *self = arg;
    if (!self->ready[number]) {
        self->ready[number] = true;
        self->usable[number] =
            regcomp(&self->compiled[number], pattern, REG_EXTENDED | REG_NOSUB) == 0;
    }
    regmatch_t range = {0, (regoff_t)size};
    return self->usable[number] &&
           regexec(&self->compiled[number], text, 0, &range, REG_STARTEND) == 0;
}

static int watch(tool_t *tool, watched_t *self, const char *text)
{
    unsigned column;
    self->given = text != NULL;
    if (!filter_parse(text, &self->filter, &column)) {
        trouble_t out = trouble_usage("filter: %s", self->filter.wrong);
        trouble_cause(&out, "column %u\n%s\n%*s^", column, text, (int)column - 1, "");
        trouble_try(&out, "mobula help filter");
        return say_trouble(tool, &out);
    }
    self->filter.regex = run_regex;
    self->filter.regex_arg = self;
    return 0;
}

static bool passes(const watched_t *self, record_t *record)
{
    return filter_match(&self->filter, record_look, record) == FILTER_YES;
}

// ---- Records ------------------------------------------------------------------------------------

static void say_loss(void *arg, uint64_t count)
{
    monitor_t *self = arg;
    char text[UNIT_TEXT_MAX];
    const char *dots = self->tool->term.utf8 ? "\u00b7\u00b7\u00b7" : "...";
    self->lost += count;
    self->number += count;
    if (self->footer)
        term_wipe(&self->tool->term);
    if (tool_json(self->tool))
        record_json_lost(clock_wall_us(), self->number, count);
    else
        printf("%s %s events not shown: this monitor fell behind (try -f) %s\n", dots,
               unit_print_count(text, count), dots);
}

static void print_record(monitor_t *self, const record_t *record)
{
    const char *format = tool_flag(self->tool, "format");
    if (format)
        record_format(record, format, &self->tool->term);
    else if (tool_json(self->tool))
        record_json(record);
    else
        record_line(record, &self->tool->term, &self->owners);
}

static void take_record(void *arg, const msg_event_t *event)
{
    monitor_t *self = arg;
    record_t record = record_of(event);
    record.n = ++self->number;
    if (!passes(&self->shown, &record))
        return;
    self->count++;
    self->second_count++;
    if (record.took_us >= 0)
        histogram_add(&self->second, record.took_us);
    if (self->footer)
        term_wipe(&self->tool->term);
    print_record(self, &record);
    self->expected = self->expected || (self->expect.given && passes(&self->expect, &record));
    self->failed = self->failed || (self->fail.given && passes(&self->fail, &record));
}

static bool enough(void *arg)
{
    const monitor_t *self = arg;
    return tool_signal() || self->failed || self->count >= self->limit || ferror(stdout);
}

// ---- Footer -------------------------------------------------------------------------------------

static void print_footer(monitor_t *self, int64_t now)
{
    const term_t *term = &self->tool->term;
    char rate[UNIT_TEXT_MAX], p50[UNIT_TEXT_MAX], p99[UNIT_TEXT_MAX], lost[UNIT_TEXT_MAX];
    const char *rule = term->utf8 ? "\u2500" : "-", *bar = term->utf8 ? "\u2502" : "|";
    int64_t seconds = (now - self->started) / SECOND_US;
    fprintf(stderr, "\r%s%s shown %s/s, lost %s %s p50 %s p99 %s %s %02d:%02d %s%s\033[K",
            term_on(term->colour_err, TERM_DIM), rule,
            unit_print_rate(rate, (double)self->second_count), unit_print_count(lost, self->lost),
            bar, unit_print_duration(p50, histogram_at(&self->second, 0.5), !term->utf8),
            unit_print_duration(p99, histogram_at(&self->second, 0.99), !term->utf8), bar,
            (int)(seconds / 60), (int)(seconds % 60), rule, term_off(term->colour_err));
    fflush(stderr);
    self->second_count = 0;
    memset(&self->second, 0, sizeof self->second);
    self->footer_at = now + SECOND_US;
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

static void loop(monitor_t *self)
{
    int64_t now = clock_us();
    while (!enough(self) && now < self->end_at) {
        if (self->footer && now >= self->footer_at)
            print_footer(self, now);
        bool soon = self->footer && self->footer_at < self->end_at;
        tail_turn(&self->tail, soon ? self->footer_at : self->end_at);
        fflush(stdout);
        now = clock_us();
    }
    if (self->footer)
        term_wipe(&self->tool->term);
}

static void close_all(monitor_t *self)
{
    tail_close(&self->tail);
    watched_t *const all[] = {&self->shown, &self->expect, &self->fail};
    for (size_t w = 0; w < 3; w++)
        for (size_t i = 0; i < FILTER_TERMS_MAX; i++)
            if (all[w]->usable[i])
                regfree(&all[w]->compiled[i]);
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

int monitor_tail(tool_t *tool, const char *filter)
{
    monitor_t *self = calloc(1, sizeof *self);
    if (!self)
        return 1;
    int64_t now = clock_us(), length = tool_duration(tool, "for", UNIT_FOREVER);
    self->tool = tool;
    self->started = now;
    self->footer_at = now + SECOND_US;
    self->end_at = length == UNIT_FOREVER ? INT64_MAX : now + length;
    self->limit = (uint64_t)tool_count(tool, "count", INT64_MAX);
    self->footer =
        tool->term.err && tool->term.out && !tool_has(tool, "no-footer") && !tool_json(tool);
    int wrong = watch(tool, &self->shown, filter);
    if (!wrong)
        wrong = watch(tool, &self->expect, tool_flag(tool, "expect"));
    if (!wrong)
        wrong = watch(tool, &self->fail, tool_flag(tool, "fail-if"));
    if (!wrong)
        wrong = tail_open(&self->tail, tool, filter,
                          (tail_reader_t){take_record, say_loss, enough, self});
    if (!wrong) {
        say_note(tool, "watching %s%s%s", tool->address, *filter ? "   " : "", filter);
        if (tool->output == OUTPUT_TABLE && !tool_has(tool, "format"))
            record_head(&tool->term);
        wrong = look_back(self);
    }
    if (!wrong) {
        loop(self);
        wrong = verdict(self);
    }
    close_all(self);
    free(self);
    return wrong;
}

static int tail_of(tool_t *tool, const char *always)
{
    char filter[FILTER_TEXT_MAX], whole[FILTER_TEXT_MAX + 256];
    int wrong = query_filter(tool, 0, filter, sizeof filter);
    snprintf(whole, sizeof whole, "%s%s%s", always, *always && *filter ? " and " : "", filter);
    if (!wrong)
        wrong = tool_connect(tool);
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
