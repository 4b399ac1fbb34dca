// footer.h - the line below the monitor's records: rates of the last second, what was left out and what was lost.

#ifndef MOBULA_TOOLS_FOOTER_H
#define MOBULA_TOOLS_FOOTER_H

#include "histogram.h"
#include "record.h"
#include "tail.h"

typedef struct footer {
    const term_t *term;
    int64_t started, at;  // at: when the next one is due
    uint64_t calls, ends; // since the last one
    histogram_t took;     // likewise
    uint64_t shown, seen; // by the broker, as of the last one
    uint64_t dead, lost;  // in all
} footer_t;

void footer_init(footer_t *self, const term_t *term, const tail_t *tail);
void footer_add(footer_t *self, const record_t *record);
void footer_print(footer_t *self, const tail_t *tail, int64_t now);

#endif
