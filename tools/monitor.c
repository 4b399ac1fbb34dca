// monitor.c - mobula monitor and events: tails what the broker sees. The filter runs in the broker; here records are
// read, what it could not decide is decided, and lines are printed. A gap in the numbers is a loss, and is shown.

#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#include "clock.h"
#include "error.h"
#include "filter.h"
#include "message.h"
#include "query.h"
#include "unit.h"
#include "verb.h"

enum { RENEW_US = 1000000, POLL_MS = 100, NAME_WIDTH = 16, TEXT_SIZE = 1024, EXPECT_EXIT = 10 };

static const char *const LIFECYCLE = "ev=spawn,exit,restart,join,leave,retry,timeout,cancel,dead,reject,lost,fail";

typedef struct kind {
    const char *word;
    bool trouble; // printed in capitals
} kind_t;

static const kind_t kinds[] = {
    [EVENT_CALL] = {"call", false},       [EVENT_REPLY] = {"reply", false},    [EVENT_TELL] = {"tell", false},
    [EVENT_TASK] = {"task", false},       [EVENT_DONE] = {"done", false},      [EVENT_FAIL] = {"fail", true},
    [EVENT_RETRY] = {"retry", true},      [EVENT_TIMEOUT] = {"timeout", true}, [EVENT_CANCEL] = {"cancel", true},
    [EVENT_DEAD] = {"dead", true},        [EVENT_REJECT] = {"reject", true},   [EVENT_SPAWN] = {"spawn", false},
    [EVENT_EXIT] = {"exit", true},        [EVENT_RESTART] = {"restart", true}, [EVENT_JOIN] = {"join", false},
    [EVENT_LEAVE] = {"leave", false},     [EVENT_PUT] = {"put", false},        [EVENT_LOST] = {"lost", true},
};

typedef struct watch {
    tool_t *tool;
    void *context, *feed;
    char filter[TEXT_SIZE];
    filter_t program, expect, fail_if;
    bool has_expect, has_fail_if, expected, failed;
    mob_ref_t asked;
    uint64_t n, shown, lost, seen;
    uint64_t shown_before;
    int64_t began, renewed_at, footer_at;
    int64_t took_sum, took_count;
} watch_t;

// ---- Filters ------------------------------------------------------------------------------------------

static filter_value_t bytes_value(mob_bytes_t text)
{
    return text.size ? FILTER_TEXT(text.data, text.size) : FILTER_NOTHING;
}

static const char *word_of(uint32_t kind)
{
    return kind < sizeof kinds / sizeof *kinds && kinds[kind].word ? kinds[kind].word : "?";
}

static const char *status_of(const msg_event_t *event)
{
    return event->code == MOB_OK ? "ok" : error_name((mob_err_t)event->code);
}

static filter_value_t look(void *arg, filter_key_t key)
{
    static char id[ID_TEXT_MAX];
    const msg_event_t *event = arg;
    switch (key) {
    case FILTER_KEY_ev:
        return FILTER_TEXT(word_of(event->kind), strlen(word_of(event->kind)));
    case FILTER_KEY_src:
        return bytes_value(event->from);
    case FILTER_KEY_dst:
        return bytes_value(event->to);
    case FILTER_KEY_method:
    case FILTER_KEY_task:
        return bytes_value(event->method);
    case FILTER_KEY_note:
        return bytes_value(event->note);
    case FILTER_KEY_status:
    case FILTER_KEY_error:
        return FILTER_TEXT(status_of(event), strlen(status_of(event)));
    case FILTER_KEY_bytes:
        return FILTER_NUMBER((int64_t)event->bytes);
    case FILTER_KEY_took:
        return event->took_us < 0 ? FILTER_NOTHING : FILTER_NUMBER(event->took_us);
    case FILTER_KEY_attempt:
        return FILTER_NUMBER(event->attempt);
    case FILTER_KEY_id:
        say_id(id, event->ref);
        return FILTER_TEXT(id, strlen(id));
    default:
        return FILTER_NOTHING;
    }
}

static bool matches_pattern(void *arg, unsigned number, const char *pattern, const char *text, size_t size)
{
    (void)arg;
    (void)number;
    char copy[TEXT_SIZE];
    regex_t compiled;
    if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    snprintf(copy, sizeof copy, "%.*s", (int)size, text);
    bool good = regexec(&compiled, copy, 0, NULL, 0) == 0;
    regfree(&compiled);
    return good;
}

static int read_filter(watch_t *self, const char *flag, const char *text, filter_t *out)
{
    unsigned column;
    if (!text || filter_parse(text, out, &column)) {
        out->regex = matches_pattern;
        return 0;
    }
    trouble_t say = trouble_usage("%s: %s", flag, out->wrong);
    trouble_cause(&say, "column %u of: %s", column, text);
    trouble_try(&say, "mobula monitor 'dst~ledger* and took>10ms'");
    return say_trouble(self->tool, &say);
}

static int read_filters(watch_t *self, bool lifecycle)
{
    tool_t *tool = self->tool;
    char typed[TEXT_SIZE];
    int done = query_filter(tool, 0, typed, sizeof typed);
    if (done)
        return done;
    if (!lifecycle)
        snprintf(self->filter, sizeof self->filter, "%s", typed);
    else if (*typed)
        snprintf(self->filter, sizeof self->filter, "%.200s and (%.800s)", LIFECYCLE, typed);
    else
        snprintf(self->filter, sizeof self->filter, "%s", LIFECYCLE);
    const char *expect = tool_flag(tool, "expect"), *fail_if = tool_flag(tool, "fail-if");
    self->has_expect = expect != NULL;
    self->has_fail_if = fail_if != NULL;
    done = read_filter(self, "filter", self->filter, &self->program);
    if (!done)
        done = read_filter(self, "--expect", expect, &self->expect);
    return done ? done : read_filter(self, "--fail-if", fail_if, &self->fail_if);
}

// ---- The feed -----------------------------------------------------------------------------------------

static int attach(watch_t *self, mob_reader_t *reader)
{
    char endpoint[ENDPOINT_MAX] = "";
    mob_bytes_t topic = {0};
    for (size_t left = mob_read_map(reader); left > 0 && !reader->err; left--) {
        const char *key = mob_read_str(reader);
        if (strcmp(key, "topic") == 0)
            topic = mob_read_bytes(reader);
        else
            snprintf(endpoint, sizeof endpoint, "%s", mob_read_str(reader));
    }
    if (!*endpoint && !endpoint_sibling(self->tool->address, "feed", 2, endpoint, sizeof endpoint))
        return -1;
    int high_water = 1000, linger = 0;
    self->context = zmq_ctx_new();
    self->feed = zmq_socket(self->context, ZMQ_SUB);
    zmq_setsockopt(self->feed, ZMQ_RCVHWM, &high_water, sizeof high_water);
    zmq_setsockopt(self->feed, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(self->feed, ZMQ_SUBSCRIBE, topic.data, topic.size);
    return zmq_connect(self->feed, endpoint);
}

static int ask(watch_t *self)
{
    mob_reader_t reader;
    tool_t *tool = self->tool;
    self->asked = mob_query(tool->client, "tail", self->filter);
    mob_err_t err = tool_await(tool, self->asked, &reader);
    if (err)
        return say_failure(tool, self->asked, err, "the monitor");
    if (attach(self, &reader) != 0) {
        trouble_t out = trouble(MOB_EOFFLINE, "the feed of %s cannot be reached", tool->address);
        return say_trouble(tool, &out);
    }
    mob_drop(tool->client, self->asked);
    self->renewed_at = clock_us();
    return 0;
}

static void renew(watch_t *self)
{
    int64_t now = clock_us();
    if (now - self->renewed_at < RENEW_US)
        return;
    self->renewed_at = now;
    mob_drop(self->tool->client, self->asked);
    self->asked = mob_query(self->tool->client, "tail", self->filter);
    if (mob_await(self->tool->client, self->asked, NULL, 0) == MOB_OK)
        return; // sent; the answer is not needed
}

// ---- Lines --------------------------------------------------------------------------------------------

static void print_time(char out[32], int64_t wall_us, const char *format)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm broken;
    char text[24];
    if (strchr(format, 'Z'))
        gmtime_r(&seconds, &broken);
    else
        localtime_r(&seconds, &broken);
    strftime(text, sizeof text, strchr(format, 'Z') ? "%Y-%m-%dT%H:%M:%S" : "%H:%M:%S", &broken);
    snprintf(out, 32, "%.20s.%06u%.1s", text, (unsigned)(wall_us % 1000000), format);
}

static void put_name(FILE *to, const watch_t *self, mob_bytes_t name, int width)
{
    const char *text = name.size ? name.data : "-";
    int size = name.size ? (int)name.size : 1;
    if (self->tool->term.out && size > width) // long ones are cut in the middle, on a terminal only
        fprintf(to, "%.*s~%.*s ", width / 2, text, width - width / 2 - 1, text + size - (width - width / 2 - 1));
    else
        fprintf(to, "%-*.*s ", width, size, text);
}

static void upper(char *text)
{
    for (; *text; text++)
        if (*text >= 'a' && *text <= 'z')
            *text = (char)(*text - 'a' + 'A');
}

static int method_width(mob_bytes_t method) // its name, without the types
{
    const char *space = memchr(method.data, ' ', method.size);
    return space ? (int)(space - (const char *)method.data) : (int)method.size;
}

static void print_note(const msg_event_t *event)
{
    if (event->note.size)
        printf("%.*s", (int)event->note.size, (const char *)event->note.data);
    else if (event->kind == EVENT_RETRY || event->attempt > 0)
        printf("attempt %u", event->attempt + 1);
    else if (event->kind == EVENT_REPLY || event->code)
        printf("%s", status_of(event));
    else
        putchar('-');
}

static void print_line(const watch_t *self, const msg_event_t *event)
{
    char time[32], word[16], took[UNIT_TEXT_MAX] = "-", id[ID_TEXT_MAX], bytes[24] = "-";
    const term_t *term = &self->tool->term;
    bool trouble = event->kind < sizeof kinds / sizeof *kinds && kinds[event->kind].trouble;
    mob_bytes_t method = event->method;
    print_time(time, event->time_us, "");
    snprintf(word, sizeof word, "%s", word_of(event->kind));
    if (trouble)
        upper(word);
    if (event->took_us >= 0)
        unit_print_duration(took, event->took_us, !term->utf8);
    if (event->bytes)
        snprintf(bytes, sizeof bytes, "%" PRIu64, event->bytes);
    method.size = method.size ? (size_t)method_width(method) : 0;
    printf("%s%s %-8s ", trouble ? term_on(term->colour_out, TERM_RED) : "", time, word);
    put_name(stdout, self, event->from, NAME_WIDTH);
    printf("%s ", event->to.size ? term_arrow(term) : "-");
    put_name(stdout, self, event->to, NAME_WIDTH);
    put_name(stdout, self, method, NAME_WIDTH);
    printf("%7s %7s %s  ", bytes, took, event->ref.owner ? say_id(id, event->ref) : "-");
    print_note(event);
    printf("%s\n", trouble ? term_off(term->colour_out) : "");
}

static void print_json_text(const char *key, mob_bytes_t value)
{
    char copy[TEXT_SIZE];
    if (value.size == 0)
        return;
    snprintf(copy, sizeof copy, "%.*s", (int)value.size, (const char *)value.data);
    printf(",\"%s\":", key);
    say_json_text(stdout, copy);
}

static void print_json(const msg_event_t *event)
{
    char time[32], id[ID_TEXT_MAX];
    print_time(time, event->time_us, "Z");
    printf("{\"v\":1,\"ts\":\"%s\",\"n\":%" PRIu64 ",\"ev\":\"%s\"", time, event->n, word_of(event->kind));
    print_json_text("src", event->from);
    print_json_text("dst", event->to);
    print_json_text(event->kind == EVENT_TASK ? "task" : "method", event->method);
    if (event->bytes)
        printf(",\"bytes\":%" PRIu64, event->bytes);
    if (event->ref.owner)
        printf(",\"id\":\"%s\"", say_id(id, event->ref));
    if (event->attempt)
        printf(",\"attempt\":%u", event->attempt + 1);
    if (event->took_us >= 0)
        printf(",\"took_us\":%" PRId64 ",\"status\":\"%s\"", event->took_us, status_of(event));
    print_json_text("reason", event->note);
    puts("}");
}

static void print_formatted(const char *format, const msg_event_t *event)
{
    char text[64];
    for (; *format; format++) {
        if (*format != '%' || !format[1]) {
            putchar(*format);
            continue;
        }
        switch (*++format) {
        case 'T':
            print_time(text, event->time_us, "Z");
            fputs(text, stdout);
            break;
        case 'e':
            fputs(word_of(event->kind), stdout);
            break;
        case 's':
            printf("%.*s", (int)event->from.size, (const char *)event->from.data);
            break;
        case 'd':
            printf("%.*s", (int)event->to.size, (const char *)event->to.data);
            break;
        case 'm':
            printf("%.*s", (int)event->method.size, (const char *)event->method.data);
            break;
        case 'b':
            printf("%" PRIu64, event->bytes);
            break;
        case 'l':
            printf("%" PRId64, event->took_us);
            break;
        case 'i':
            fputs(say_id(text, event->ref), stdout);
            break;
        case 'n':
            printf("%.*s", (int)event->note.size, (const char *)event->note.data);
            break;
        default:
            putchar(*format);
        }
    }
    putchar('\n');
}

static void print_lost(watch_t *self, uint64_t count)
{
    self->lost += count;
    char text[UNIT_TEXT_MAX];
    if (tool_json(self->tool))
        printf("{\"v\":1,\"n\":%" PRIu64 ",\"ev\":\"lost\",\"count\":%" PRIu64 ",\"why\":\"slow_monitor\"}\n", self->n, count);
    else
        printf("... %s events not shown: this monitor fell behind (try -f) ...\n", unit_print_count(text, count));
}

// ---- One record -----------------------------------------------------------------------------------------

static void take(watch_t *self, const msg_event_t *event)
{
    void *arg = (void *)(uintptr_t)event;
    if (self->n && event->n > self->n + 1)
        print_lost(self, event->n - self->n - 1);
    self->n = event->n;
    if (!filter_is_empty(&self->program) && filter_match(&self->program, look, arg) != FILTER_YES)
        return;
    self->seen++;
    if (event->took_us >= 0) {
        self->took_sum += event->took_us;
        self->took_count++;
    }
    self->expected |= self->has_expect && filter_match(&self->expect, look, arg) == FILTER_YES;
    self->failed |= self->has_fail_if && filter_match(&self->fail_if, look, arg) == FILTER_YES;
    const char *format = tool_flag(self->tool, "format");
    term_wipe(&self->tool->term);
    if (format)
        print_formatted(format, event);
    else if (tool_json(self->tool))
        print_json(event);
    else
        print_line(self, event);
    self->shown++;
}

static bool over(const watch_t *self)
{
    int64_t count = tool_count(self->tool, "count", 0), most = tool_duration(self->tool, "for", UNIT_FOREVER);
    return tool_signal() != 0 || self->failed || (count > 0 && self->shown >= (uint64_t)count) || ferror(stdout) ||
           (most != UNIT_FOREVER && clock_us() - self->began >= most);
}

static void take_frame(watch_t *self, zmq_msg_t *frame)
{
    batch_reader_t batch = batch_open(zmq_msg_data(frame), zmq_msg_size(frame), NULL, 0);
    message_t message;
    message_fault_t fault;
    for (message_state_t state; (state = message_next(&batch, &message, &fault)) != MESSAGE_END && state != MESSAGE_BROKEN;)
        if (state == MESSAGE_OK && message.verb == VERB_EVENT && !over(self))
            take(self, &message.event);
}

static bool receive(watch_t *self)
{
    zmq_msg_t frame;
    bool topic = true;
    do {
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, self->feed, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&frame);
            return false;
        }
        if (!topic)
            take_frame(self, &frame);
        topic = false;
        bool more = zmq_msg_more(&frame);
        zmq_msg_close(&frame);
        if (!more)
            break;
    } while (true);
    return true;
}

// ---- The footer -------------------------------------------------------------------------------------------

static void footer(watch_t *self)
{
    const tool_t *tool = self->tool;
    int64_t now = clock_us();
    if (!tool->term.out || !tool->term.err || tool_has(tool, "no-footer") || tool_json(tool) || now - self->footer_at < RENEW_US)
        return;
    double seconds = self->footer_at ? (double)(now - self->footer_at) / 1e6 : 1;
    char rate[UNIT_TEXT_MAX], mean[UNIT_TEXT_MAX], lost[UNIT_TEXT_MAX], age[UNIT_TEXT_MAX];
    unit_print_duration(mean, self->took_count ? self->took_sum / self->took_count : 0, !tool->term.utf8);
    term_wipe(&tool->term);
    fprintf(stderr, "- shown %s/s | mean %s | lost %s | %s -", unit_print_rate(rate, (double)(self->shown - self->shown_before) / seconds),
            mean, unit_print_count(lost, self->lost), unit_print_age(age, now - self->began));
    fflush(stderr);
    self->shown_before = self->shown;
    self->footer_at = now;
}

static void header(const watch_t *self)
{
    if (self->tool->term.out && !tool_json(self->tool) && !tool_has(self->tool, "format"))
        printf("%-15s %-8s %-16s   %-16s %-16s %7s %7s %s  NOTE\n", "TIME", "EVENT", "FROM", "TO", "METHOD", "BYTES", "TOOK", "ID");
}

static int follow(watch_t *self)
{
    header(self);
    while (!over(self)) {
        zmq_pollitem_t item = {.socket = self->feed, .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, POLL_MS);
        while (!over(self) && receive(self))
            ;
        fflush(stdout);
        renew(self);
        footer(self);
    }
    term_wipe(&self->tool->term);
    bool missed = self->failed || (self->has_expect && !self->expected);
    return missed ? EXPECT_EXIT : 0;
}

static int watch(tool_t *tool, bool lifecycle)
{
    watch_t *self = calloc(1, sizeof *self);
    if (!self)
        return 1;
    self->tool = tool;
    int done = read_filters(self, lifecycle);
    if (!done && !tool->client)
        done = tool_connect(tool);
    if (!done)
        done = ask(self);
    self->began = clock_us();
    if (!done)
        done = follow(self);
    if (self->feed)
        zmq_close(self->feed);
    if (self->context)
        zmq_ctx_term(self->context);
    free(self);
    return done;
}

int monitor(tool_t *tool)
{
    return watch(tool, false);
}

int events(tool_t *tool)
{
    return watch(tool, true);
}

void monitor_watch(tool_t *tool)
{
    watch(tool, false);
}
