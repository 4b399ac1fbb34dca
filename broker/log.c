// log.c - see log.h. Formats are a table of four functions.

#include "log.h"

#include <ctype.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

enum { LINE_MAX_SIZE = 2048, SEPARATOR = '\x1f' };

typedef struct line {
    char text[LINE_MAX_SIZE];
    size_t size;
} line_t;

static void put(line_t *self, const char *format, ...) MOB_PRINTF(2, 3);
static void put(line_t *self, const char *format, ...)
{
    va_list args;
    size_t room = sizeof self->text - 1 - self->size; // the newline always fits
    va_start(args, format);
    int size = vsnprintf(self->text + self->size, room, format, args);
    va_end(args);
    if (size > 0)
        self->size += (size_t)size < room ? (size_t)size : room - 1;
}

// ---- Times and values ---------------------------------------------------------------------------

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const level_marks[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
static const int level_priorities[] = {7, 6, 4, 3}; // of syslog

static void put_time(line_t *self, const char *format, int digits, bool local)
{
    char text[40];
    struct tm tm;
    int64_t wall = clock_wall_us();
    time_t seconds = (time_t)(wall / 1000000);
    if (local)
        localtime_r(&seconds, &tm);
    else
        gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, format, &tm);
    int fraction = (int)(wall % 1000000);
    put(self, "%s.%0*d", text, digits, digits == 3 ? fraction / 1000 : fraction);
}

static void put_escaped(line_t *self, const char *value)
{
    put(self, "\"");
    for (const unsigned char *c = (const unsigned char *)value; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            put(self, "\\%c", *c);
        else if (*c < ' ' || *c == 127)
            put(self, "\\u%04x", *c);
        else
            put(self, "%c", *c);
    }
    put(self, "\"");
}

static bool is_plain(const char *value) // needs no quotes in key=value
{
    for (const unsigned char *c = (const unsigned char *)value; *c != '\0'; c++)
        if (*c <= ' ' || *c == '"' || *c == '=' || *c == '\\' || *c == 127)
            return false;
    return *value != '\0';
}

static bool is_number(const char *value) // that any JSON reader keeps exactly
{
    size_t size = strspn(value, "0123456789");
    return size > 0 && size <= 15 && value[size] == '\0' && (value[0] != '0' || size == 1);
}

// ---- Formats ------------------------------------------------------------------------------------

static void pair_text(line_t *self, const char *key, const char *value)
{
    put(self, " %s=", key);
    if (is_plain(value))
        put(self, "%s", value);
    else
        put_escaped(self, value);
}

static void pair_json(line_t *self, const char *key, const char *value)
{
    put(self, ",\"%s\":", key);
    if (is_number(value))
        put(self, "%s", value);
    else
        put_escaped(self, value);
}

static void head_pretty(line_t *self, log_level_t level, const char *event)
{
    put_time(self, "%H:%M:%S", 3, true);
    put(self, " %s %-11s", level_marks[level], event);
}

static void head_logfmt(line_t *self, log_level_t level, const char *event)
{
    put(self, "ts=");
    put_time(self, "%Y-%m-%dT%H:%M:%S", 6, false);
    put(self, "Z level=%s event=%s", level_names[level], event);
}

static void head_json(line_t *self, log_level_t level, const char *event)
{
    put(self, "{\"ts\":\"");
    put_time(self, "%Y-%m-%dT%H:%M:%S", 6, false);
    put(self, "Z\",\"level\":\"%s\",\"event\":\"%s\"", level_names[level], event);
}

static void head_journal(line_t *self, log_level_t level, const char *event) // it has the time
{
    put(self, "<%d>%s", level_priorities[level], event);
}

static const struct {
    void (*head)(line_t *, log_level_t, const char *event);
    void (*pair)(line_t *, const char *key, const char *value);
    const char *tail;
} formats[] = {
    [FORMAT_PRETTY] = {head_pretty, pair_text, ""},
    [FORMAT_LOGFMT] = {head_logfmt, pair_text, ""},
    [FORMAT_JSON] = {head_json, pair_json, "}"},
    [FORMAT_JOURNAL] = {head_journal, pair_text, ""},
};

// ---- Lines --------------------------------------------------------------------------------------

void log_init(log_t *self, int fd, log_level_t level, log_format_t format)
{
    if (format == FORMAT_AUTO && isatty(fd))
        format = FORMAT_PRETTY;
    else if (format == FORMAT_AUTO)
        format = getenv("JOURNAL_STREAM") != NULL ? FORMAT_JOURNAL : FORMAT_LOGFMT;
    *self = (log_t){.fd = fd, .level = level, .format = format};
}

static void line_end(log_t *self, line_t *line)
{
    struct pollfd ready = {.fd = self->fd, .events = POLLOUT};
    line->text[line->size++] = '\n';
    if (poll(&ready, 1, 0) != 1 || write(self->fd, line->text, line->size) == -1)
        self->dropped++;
}

static void put_pairs(line_t *line, log_format_t format, char *fields)
{
    const char separator[] = {SEPARATOR, '\0'};
    char *rest = fields;
    for (char *field; (field = strsep(&rest, separator)) != NULL;) {
        char *value = strchr(field, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        formats[format].pair(line, field, value);
    }
}

static log_event_t *event_of(log_t *self, const char *event)
{
    for (size_t i = 0; i < LOG_EVENTS_MAX; i++) {
        log_event_t *known = &self->events[i];
        if (known->event == NULL)
            known->event = event;
        if (strcmp(known->event, event) == 0)
            return known;
    }
    return NULL; // more kinds than places: these are not held back
}

static void write_line(log_t *self, log_level_t level, const char *event, char *fields)
{
    line_t line = {.size = 0};
    formats[self->format].head(&line, level, event);
    put_pairs(&line, self->format, fields);
    put(&line, "%s", formats[self->format].tail);
    line_end(self, &line);
}

// The second being counted is over; what was held back in it is told in a line of its own.
static void event_turn(log_t *self, log_event_t *known)
{
    if (known->count > LOG_RATE) {
        char fields[32];
        snprintf(fields, sizeof fields, "repeated=%u", known->count - LOG_RATE);
        write_line(self, known->level, known->event, fields);
    }
    known->count = 0;
}

static bool event_passes(log_t *self, log_level_t level, const char *event)
{
    log_event_t *known = event_of(self, event);
    int64_t now = clock_us();
    if (known == NULL)
        return true;
    if (now - known->since >= 1000000)
        event_turn(self, known);
    if (known->count == 0)
        known->since = now;
    known->level = level;
    if (++known->count <= LOG_RATE)
        return true;
    self->held = true;
    return false;
}

void log_repeats(log_t *self, bool all)
{
    if (!self->held)
        return;
    int64_t now = clock_us();
    self->held = false;
    for (size_t i = 0; i < LOG_EVENTS_MAX; i++) {
        log_event_t *known = &self->events[i];
        if (known->count <= LOG_RATE)
            continue;
        if (all || now - known->since >= 1000000)
            event_turn(self, known);
        else
            self->held = true;
    }
}

void log_write(log_t *self, log_level_t level, const char *event, const char *format, ...)
{
    if (level < self->level || !event_passes(self, level, event))
        return;

    // Blanks of the format become a byte that no value has, so that values may have blanks.
    char shape[256], fields[LINE_MAX_SIZE];
    snprintf(shape, sizeof shape, "%s", format);
    for (char *c = shape; *c != '\0'; c++)
        if (*c == ' ')
            *c = SEPARATOR;
    va_list args;
    va_start(args, format);
    vsnprintf(fields, sizeof fields, shape, args);
    va_end(args);
    write_line(self, level, event, fields);
}
