// record.c - shows records. Nine fields and a note, always, so that awk can count on them.

#include "record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "error.h"
#include "say.h"
#include "unit.h"

// What each kind shows; trouble in capitals, so that it is seen without colour.
static const struct {
    const char *ev, *shown;
    term_colour_t colour;
    bool bytes, status, lane; // carries a payload; has an outcome; goes from somebody to somebody
} kinds[] = {
    [EVENT_CALL] = {"call", "call", TERM_PLAIN, true, false, true},
    [EVENT_REPLY] = {"reply", "reply", TERM_GREEN, true, true, true},
    [EVENT_TELL] = {"tell", "tell", TERM_PLAIN, true, false, true},
    [EVENT_TASK] = {"task", "task", TERM_BLUE, true, false, true},
    [EVENT_DONE] = {"done", "done", TERM_GREEN, true, true, true},
    [EVENT_FAIL] = {"fail", "fail", TERM_RED, false, true, true},
    [EVENT_RETRY] = {"retry", "RETRY", TERM_YELLOW, false, false, true},
    [EVENT_TIMEOUT] = {"timeout", "TIMEOUT", TERM_RED, false, true, true},
    [EVENT_CANCEL] = {"cancel", "cancel", TERM_YELLOW, false, true, true},
    [EVENT_DEAD] = {"dead", "DEAD", TERM_RED, false, true, true},
    [EVENT_REJECT] = {"reject", "REJECT", TERM_RED, false, true, true},
    [EVENT_SPAWN] = {"spawn", "spawn", TERM_BOLD, false, false, true},
    [EVENT_EXIT] = {"exit", "EXIT", TERM_RED, false, false, false},
    [EVENT_RESTART] = {"restart", "restart", TERM_YELLOW, false, false, false},
    [EVENT_JOIN] = {"join", "join", TERM_BOLD, false, false, false},
    [EVENT_LEAVE] = {"leave", "leave", TERM_BOLD, false, false, false},
    [EVENT_PUT] = {"put", "put", TERM_PLAIN, true, false, false},
    [EVENT_LOST] = {"lost", "LOST", TERM_RED, false, false, false},
    [EVENT_STUCK] = {"stuck", "STUCK", TERM_YELLOW, false, false, false},
    [EVENT_ITEM] = {"item", "item", TERM_GREEN, true, false, true},
};

static void copy(char out[RECORD_NAME_MAX], mob_bytes_t text)
{
    size_t size = text.size < RECORD_NAME_MAX ? text.size : RECORD_NAME_MAX - 1;
    memcpy(out, size ? text.data : "", size);
    out[size] = '\0';
    for (size_t i = 0; i < size; i++) // a name cannot move the cursor
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
            out[i] = '?';
}

record_t record_of(const msg_event_t *event)
{
    record_t self = {.n = event->n,
                     .wall_us = event->time_us,
                     .kind = event->kind,
                     .bytes = event->bytes,
                     .took_us = event->took_us,
                     .ref = event->ref,
                     .attempt = event->attempt};
    if (self.kind >= sizeof kinds / sizeof *kinds || !kinds[self.kind].ev)
        self.kind = 0;
    self.ev = self.kind ? kinds[self.kind].ev : "other";
    self.has_bytes = kinds[self.kind].bytes;
    self.has_status = kinds[self.kind].status;
    self.status = event->code == MOB_OK ? "ok" : error_name((mob_err_t)event->code);
    copy(self.src, event->from);
    copy(self.dst, event->to);
    copy(self.method, event->method);
    copy(self.note, event->note);
    self.method[strcspn(self.method, " ")] = '\0'; // a signature by its name
    return self;
}

static bool goes_back(const record_t *self)
{
    return self->kind == EVENT_REPLY || self->kind == EVENT_FAIL || self->kind == EVENT_ITEM;
}

void record_join(record_t *call, const record_t *end)
{
    call->joined = call->has_status = true;
    call->status = end->status;
    call->took_us = end->took_us;
    call->attempt = end->attempt;
    call->reply_bytes = end->bytes;
    memcpy(call->note, end->note, sizeof call->note);
}

void record_forward(record_t *self)
{
    char other[RECORD_NAME_MAX];
    if (!goes_back(self))
        return;
    memcpy(other, self->src, sizeof other);
    memcpy(self->src, self->dst, sizeof other);
    memcpy(self->dst, other, sizeof other);
}

static filter_value_t text_of(const char *text)
{
    return *text ? FILTER_TEXT(text, strlen(text)) : FILTER_NOTHING;
}

filter_value_t record_look(void *arg, filter_key_t key)
{
    const record_t *self = arg;
    static _Thread_local char id[ID_TEXT_MAX];
    switch (key) {
    case FILTER_KEY_ev:
        return text_of(self->ev);
    case FILTER_KEY_src:
        return text_of(self->src);
    case FILTER_KEY_dst:
        return text_of(self->dst);
    case FILTER_KEY_actor:
        return text_of(goes_back(self) ? self->src : self->dst);
    case FILTER_KEY_method:
    case FILTER_KEY_task:
        return text_of(self->method);
    case FILTER_KEY_status:
    case FILTER_KEY_error:
        return text_of(self->status);
    case FILTER_KEY_note:
    case FILTER_KEY_reason:
        return text_of(self->note);
    case FILTER_KEY_id:
        return mob_is_none(self->ref) ? FILTER_NOTHING : text_of(say_id(id, self->ref));
    case FILTER_KEY_bytes:
        return FILTER_NUMBER((int64_t)self->bytes);
    case FILTER_KEY_took:
        return self->took_us < 0 ? FILTER_NOTHING : FILTER_NUMBER(self->took_us);
    case FILTER_KEY_attempt:
        return FILTER_NUMBER(self->attempt);
    case FILTER_KEY_sample:
        return FILTER_NUMBER(filter_sample(self->ref.owner, self->ref.seq));
    case FILTER_KEY_age:
        return FILTER_NUMBER(clock_wall_us() - self->wall_us);
    default:
        return FILTER_NOTHING;
    }
}

// ---- Cells --------------------------------------------------------------------------------------

static const char *print_time(char out[24], int64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;
    localtime_r(&seconds, &tm);
    snprintf(out, 24, "%02d:%02d:%02d.%06d", tm.tm_hour, tm.tm_min, tm.tm_sec,
             (int)(wall_us % 1000000));
    return out;
}

// Enough digits of the owner that no other one seen begins alike; four at least.
static const char *print_id(char out[ID_TEXT_MAX], mob_ref_t ref, owners_t *owners)
{
    bool seen = false;
    if (mob_is_none(ref))
        return "-";
    owners->digits = owners->digits ? owners->digits : 4;
    for (unsigned i = 0; i < owners->count && !seen; i++) {
        seen = owners->items[i] == ref.owner;
        while (!seen && owners->digits < 16 &&
               (owners->items[i] ^ ref.owner) >> (64 - 4 * owners->digits) == 0)
            owners->digits++;
    }
    if (!seen && owners->count < RECORD_OWNERS_MAX)
        owners->items[owners->count++] = ref.owner;
    snprintf(out, ID_TEXT_MAX, "%0*" PRIx64 ".%" PRIu64, (int)owners->digits,
             ref.owner >> (64 - 4 * owners->digits), ref.seq);
    return out;
}

// A name with a space would be two fields; a long one is cut in the middle on a terminal.
static const char *print_name(char out[RECORD_NAME_MAX], const char *name, bool cut)
{
    enum { SHOWN = 18 };
    size_t size = strlen(name);
    if (size == 0)
        return "-";
    if (cut && size > SHOWN && term_columns(name) == size)
        snprintf(out, RECORD_NAME_MAX, "%.8s..%s", name, name + size - (SHOWN - 10));
    else
        snprintf(out, RECORD_NAME_MAX, "%s", name);
    for (char *at = out; *at; at++)
        *at = *at == ' ' ? '_' : *at;
    return out;
}

static const char *print_note(char out[RECORD_NAME_MAX + 32], const record_t *self)
{
    if (*self->note)
        snprintf(out, RECORD_NAME_MAX + 32, "%s%s%s",
                 self->has_status && strcmp(self->status, "ok") ? self->status : "",
                 self->has_status && strcmp(self->status, "ok") ? " " : "", self->note);
    else if (self->joined && strcmp(self->status, "ok") == 0)
        snprintf(out, RECORD_NAME_MAX + 32, "ok, %" PRIu64 " bytes", self->reply_bytes);
    else if (self->has_status)
        snprintf(out, RECORD_NAME_MAX + 32, "%s", self->status);
    else if (self->kind == EVENT_TASK || self->kind == EVENT_RETRY)
        snprintf(out, RECORD_NAME_MAX + 32, "attempt %u", self->attempt + 1);
    else
        snprintf(out, RECORD_NAME_MAX + 32, "-");
    return out;
}

// ---- Whole records ------------------------------------------------------------------------------

void record_head(const term_t *term)
{
    printf("%s%-15s %-8s %-12s   %-12s %-12s %7s %7s %-10s %s%s\n",
           term_on(term->colour_out, TERM_BOLD), "TIME", "EVENT", "FROM", "TO", "METHOD", "BYTES",
           "TOOK", "ID", "NOTE", term_off(term->colour_out));
}

// Pads by columns, not by bytes: µ and → are one column and more bytes.
static void put(const char *text, unsigned width, bool right)
{
    size_t columns = term_columns(text);
    int pad = columns < width ? (int)(width - columns) : 0;
    printf("%*s%s%*s ", right ? pad : 0, "", text, right ? 0 : pad, "");
}

void record_line(const record_t *self, const term_t *term, owners_t *owners)
{
    char time[24], id[ID_TEXT_MAX], src[RECORD_NAME_MAX], dst[RECORD_NAME_MAX],
        method[RECORD_NAME_MAX];
    char bytes[UNIT_TEXT_MAX] = "-", took[UNIT_TEXT_MAX] = "-", note[RECORD_NAME_MAX + 32];
    bool lane = kinds[self->kind].lane && *self->dst;
    if (self->has_bytes)
        snprintf(bytes, sizeof bytes, "%" PRIu64, self->bytes);
    if (self->took_us >= 0)
        unit_print_duration(took, self->took_us, !term->utf8);
    printf("%s ", print_time(time, self->wall_us));
    bool failed = self->joined && strcmp(self->status, "ok") != 0;
    fputs(term_on(term->colour_out, failed ? TERM_RED : kinds[self->kind].colour), stdout);
    put(self->kind ? kinds[self->kind].shown : "other", 8, false);
    fputs(term_off(term->colour_out), stdout);
    put(print_name(src, self->src, term->out), 12, false);
    put(lane ? term_arrow(term) : "-", 1, false);
    put(print_name(dst, self->dst, term->out), 12, false);
    put(print_name(method, self->method, term->out), 12, false);
    put(bytes, 7, true);
    put(took, 7, true);
    put(print_id(id, self->ref, owners), 10, false);
    puts(print_note(note, self));
}

static void print_stamp(int64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;
    char text[32];
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    printf("\"%s.%06dZ\"", text, (int)(wall_us % 1000000));
}

static void print_pair(const char *key, const char *text)
{
    if (!*text)
        return;
    printf(",\"%s\":", key);
    say_json_text(stdout, text);
}

void record_json(const record_t *self)
{
    char id[ID_TEXT_MAX];
    bool task = self->kind == EVENT_TASK || self->kind == EVENT_DONE;
    printf("{\"v\":1,\"ts\":");
    print_stamp(self->wall_us);
    printf(",\"n\":%" PRIu64 ",\"ev\":\"%s\"", self->n, self->ev);
    print_pair("src", self->src);
    print_pair("dst", self->dst);
    print_pair(task ? "task" : "method", self->method);
    if (self->has_bytes)
        printf(",\"bytes\":%" PRIu64, self->bytes);
    if (!mob_is_none(self->ref))
        printf(",\"id\":\"%s\",\"attempt\":%u", say_id(id, self->ref), self->attempt + 1);
    if (self->took_us >= 0)
        printf(",\"took_us\":%" PRId64, self->took_us);
    if (self->joined)
        printf(",\"reply_bytes\":%" PRIu64, self->reply_bytes);
    if (self->has_status)
        print_pair("status", self->status);
    print_pair("reason", self->note);
    puts("}");
}

void record_json_lost(int64_t wall_us, uint64_t n, uint64_t count)
{
    fputs("{\"v\":1,\"ts\":", stdout);
    print_stamp(wall_us);
    printf(",\"n\":%" PRIu64 ",\"ev\":\"lost\",\"count\":%" PRIu64 ",\"why\":\"slow_monitor\"}\n",
           n, count);
}

static void format_one(const record_t *self, char what, const term_t *term)
{
    char text[RECORD_NAME_MAX + 32];
    switch (what) {
    case 'T':
        fputs(print_time(text, self->wall_us), stdout);
        break;
    case 'e':
        fputs(self->ev, stdout);
        break;
    case 's':
        fputs(*self->src ? self->src : "-", stdout);
        break;
    case 'd':
        fputs(*self->dst ? self->dst : "-", stdout);
        break;
    case 'm':
        fputs(*self->method ? self->method : "-", stdout);
        break;
    case 'b':
        printf("%" PRIu64, self->bytes);
        break;
    case 'l':
        fputs(self->took_us < 0 ? "-" : unit_print_duration(text, self->took_us, !term->utf8),
              stdout);
        break;
    case 'i':
        fputs(mob_is_none(self->ref) ? "-" : say_id(text, self->ref), stdout);
        break;
    case 'n':
        fputs(print_note(text, self), stdout);
        break;
    case 'j':
        record_json(self);
        break;
    default:
        putchar(what);
    }
}

void record_format(const record_t *self, const char *format, const term_t *term)
{
    for (; *format; format++) {
        if (format[0] == '%' && format[1])
            format_one(self, *++format, term);
        else if (format[0] == '\\' && format[1])
            putchar(*++format == 'n' ? '\n' : *format == 't' ? '\t' : *format);
        else
            putchar(*format);
    }
}
