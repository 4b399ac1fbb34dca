// monitor.c - monitor, events: asks the broker for a tail, subscribes to it, prints records. The
// filter runs in the broker; here again only where it holds a regular expression. Loss is counted
// and shown.

#include "monitor.h"

#include <errno.h>
#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "clock.h"
#include "histogram.h"
#include "query.h"
#include "record.h"
#include "unit.h"
#include "verb.h"

enum { SECOND_US = 1000000, FEED_HWM = 1000 };

typedef struct watched { // a filter with the engine that the broker lacks
    filter_t filter;
    regex_t compiled[FILTER_TERMS_MAX];
    bool ready[FILTER_TERMS_MAX], usable[FILTER_TERMS_MAX];
    bool given;
} watched_t;

typedef struct monitor {
    tool_t *tool;
    const char *filter;
    watched_t shown, expect, fail;
    void *context, *feed;
    mob_ref_t asked; // the question that keeps the tail alive
    int64_t ask_at, footer_at, end_at, started;
    uint64_t last, count, limit, lost;
    uint64_t second_count; // since the last footer
    histogram_t second;    // of TOOK, likewise
    owners_t owners;
    bool any, expected, failed, footer;
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

// ---- The tail -----------------------------------------------------------------------------------

static void ask(monitor_t *self, int64_t now)
{
    if (!mob_is_none(self->asked))
        mob_drop(self->tool->client, self->asked);
    self->asked = mob_query(self->tool->client, "tail", self->filter);
    self->ask_at = now + SECOND_US;
}

static bool read_tail(mob_reader_t *reader, mob_bytes_t *topic, const char **endpoint)
{
    size_t pairs = mob_read_map(reader);
    *topic = (mob_bytes_t){0};
    *endpoint = "";
    for (size_t i = 0; i < pairs && !reader->err; i++) {
        const char *key = mob_read_str(reader);
        if (strcmp(key, "topic") == 0)
            *topic = mob_read_bytes(reader);
        else if (strcmp(key, "endpoint") == 0)
            *endpoint = mob_read_str(reader);
        else
            mob_skip(reader);
    }
    return !reader->err && topic->size > 0;
}

static int subscribe(monitor_t *self, mob_bytes_t topic, const char *endpoint)
{
    char sibling[ENDPOINT_MAX];
    int hwm = FEED_HWM, none = 0;
    if (!*endpoint && endpoint_sibling(self->tool->address, "feed", 2, sibling, sizeof sibling))
        endpoint = sibling;
    self->context = zmq_ctx_new();
    self->feed = self->context ? zmq_socket(self->context, ZMQ_SUB) : NULL;
    bool fine = self->feed && zmq_setsockopt(self->feed, ZMQ_RCVHWM, &hwm, sizeof hwm) == 0 &&
                zmq_setsockopt(self->feed, ZMQ_LINGER, &none, sizeof none) == 0 &&
                zmq_setsockopt(self->feed, ZMQ_SUBSCRIBE, topic.data, topic.size) == 0 &&
                zmq_connect(self->feed, endpoint) == 0;
    if (fine)
        return 0;
    trouble_t out = trouble(MOB_EOFFLINE, "cannot follow the feed at %s: %s", endpoint,
                            zmq_strerror(zmq_errno()));
    return say_trouble(self->tool, &out);
}

static int open_tail(monitor_t *self)
{
    mob_reader_t reader;
    mob_bytes_t topic;
    const char *endpoint;
    ask(self, clock_us());
    mob_err_t err = tool_await(self->tool, self->asked, &reader);
    if (err)
        return say_failure(self->tool, self->asked, err, "monitor");
    if (!read_tail(&reader, &topic, &endpoint)) {
        trouble_t out = trouble(MOB_EPROTO, "the broker's answer names no topic");
        return say_trouble(self->tool, &out);
    }
    return subscribe(self, topic, endpoint);
}

// ---- Records ------------------------------------------------------------------------------------

static void say_loss(monitor_t *self, const record_t *next, uint64_t count)
{
    char text[UNIT_TEXT_MAX];
    const char *dots = self->tool->term.utf8 ? "\u00b7\u00b7\u00b7" : "...";
    self->lost += count;
    if (tool_json(self->tool))
        printf("{\"v\":1,\"n\":%" PRIu64 ",\"ev\":\"lost\",\"count\":%" PRIu64
               ",\"why\":\"slow_monitor\"}\n",
               next->n, count);
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

static void take_record(monitor_t *self, const msg_event_t *event)
{
    record_t record = record_of(event);
    if (self->any && record.n > self->last + 1)
        say_loss(self, &record, record.n - self->last - 1);
    self->any = true;
    self->last = record.n; // a lower one: the broker started again
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

// True while another record is wanted.
static bool goes_on(const monitor_t *self)
{
    return !tool_signal() && !self->failed && self->count < self->limit && !ferror(stdout);
}

static void read_records(monitor_t *self, const void *data, size_t size)
{
    batch_reader_t batch = batch_open(data, size, NULL, 0);
    message_t message;
    message_fault_t fault;
    message_state_t state;
    while (goes_on(self) && (state = message_next(&batch, &message, &fault)) != MESSAGE_END &&
           state != MESSAGE_BROKEN) {
        if (state == MESSAGE_OK && message.verb == VERB_EVENT)
            take_record(self, &message.event);
    }
}

// One message: its topic, then a frame of envelopes. False: none is there.
static bool read_message(monitor_t *self)
{
    zmq_msg_t part;
    bool more = true, any = false;
    for (unsigned frame = 0; more; frame++) {
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, self->feed, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&part);
            return any;
        }
        any = true;
        if (frame == 1)
            read_records(self, zmq_msg_data(&part), zmq_msg_size(&part));
        more = zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
    return true;
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

static int64_t next_time(const monitor_t *self)
{
    int64_t at = self->ask_at < self->end_at ? self->ask_at : self->end_at;
    return self->footer && self->footer_at < at ? self->footer_at : at;
}

static void loop(monitor_t *self)
{
    enum { AT_ONCE = 200 };
    int64_t now = clock_us();
    while (goes_on(self) && now < self->end_at) {
        if (now >= self->ask_at)
            ask(self, now);
        if (self->footer && now >= self->footer_at)
            print_footer(self, now);
        zmq_pollitem_t item = {.socket = self->feed, .events = ZMQ_POLLIN};
        int64_t left = next_time(self) - now;
        zmq_poll(&item, 1, left > 0 ? (long)((left + 999) / 1000) : 0);
        for (int i = 0; i < AT_ONCE && goes_on(self) && read_message(self); i++)
            ;
        fflush(stdout);
        now = clock_us();
    }
    if (self->footer)
        term_wipe(&self->tool->term);
}

static void close_all(monitor_t *self)
{
    if (self->feed)
        zmq_close(self->feed);
    if (self->context)
        zmq_ctx_term(self->context);
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
    self->filter = filter;
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
        wrong = open_tail(self);
    if (!wrong) {
        say_note(tool, "watching %s%s%s", tool->address, *filter ? "   " : "", filter);
        if (tool->output == OUTPUT_TABLE && !tool_has(tool, "format"))
            record_head(&tool->term);
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
