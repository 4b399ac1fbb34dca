// footer.c - see footer.h.

#include "footer.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "unit.h"

enum { SECOND_US = 1000000 };

void footer_init(footer_t *self, const term_t *term, const tail_t *tail)
{
    int64_t now = clock_us();
    *self = (footer_t){
        .term = term, .started = now, .at = now + SECOND_US, .shown = tail->shown, .seen = tail->seen};
}

void footer_add(footer_t *self, const record_t *record)
{
    bool begins =
        record->kind == EVENT_CALL || record->kind == EVENT_TELL || record->kind == EVENT_TASK;
    self->calls += begins;
    self->ends += record->kind == EVENT_REPLY || record->kind == EVENT_FAIL;
    self->dead += record->kind == EVENT_DEAD || record->kind == EVENT_EXIT;
    if (record->took_us >= 0)
        histogram_add(&self->took, record->took_us);
}

// The broker restarts: what it counts begins again.
static uint64_t grown(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static void print_rates(const footer_t *self, const tail_t *tail)
{
    char calls[UNIT_TEXT_MAX], ends[UNIT_TEXT_MAX], shown[UNIT_TEXT_MAX], filtered[UNIT_TEXT_MAX],
        lost[UNIT_TEXT_MAX], p50[UNIT_TEXT_MAX], p99[UNIT_TEXT_MAX];
    const char *bar = self->term->utf8 ? "\u2502" : "|";
    uint64_t matched = grown(tail->shown, self->shown), all = grown(tail->seen, self->seen);
    fprintf(stderr, "calls %s/s, ended %s/s %s p50 %s p99 %s %s shown %s/s, filtered %s/s, lost %s",
            unit_print_rate(calls, (double)self->calls), unit_print_rate(ends, (double)self->ends),
            bar, unit_print_duration(p50, histogram_at(&self->took, 0.5), !self->term->utf8),
            unit_print_duration(p99, histogram_at(&self->took, 0.99), !self->term->utf8), bar,
            unit_print_rate(shown, (double)matched),
            unit_print_rate(filtered, (double)grown(all, matched)),
            unit_print_count(lost, self->lost));
    if (self->dead)
        fprintf(stderr, " %s dead %s", bar, unit_print_count(lost, self->dead));
    fprintf(stderr, " %s", bar);
}

void footer_print(footer_t *self, const tail_t *tail, int64_t now)
{
    const char *rule = self->term->utf8 ? "\u2500" : "-";
    int64_t seconds = (now - self->started) / SECOND_US;
    fprintf(stderr, "\r%s%s ", term_on(self->term->colour_err, TERM_DIM), rule);
    print_rates(self, tail);
    fprintf(stderr, " %02d:%02d %s%s\033[K", (int)(seconds / 60), (int)(seconds % 60), rule,
            term_off(self->term->colour_err));
    fflush(stderr);
    self->calls = self->ends = 0;
    self->shown = tail->shown;
    self->seen = tail->seen;
    memset(&self->took, 0, sizeof self->took);
    self->at = now + SECOND_US;
}
