// record.h - one record of the monitor: looked at by filters, printed as a line, as JSON, by a
// format.

#ifndef MOBULA_TOOLS_RECORD_H
#define MOBULA_TOOLS_RECORD_H

#include "filter.h"
#include "message.h"
#include "term.h"

enum { RECORD_NAME_MAX = 256, RECORD_OWNERS_MAX = 256 };

// An EVENT with its texts ended by NUL, and the time of day.
typedef struct record {
    uint64_t n;
    int64_t wall_us;
    unsigned kind;
    const char *ev;
    char src[RECORD_NAME_MAX], dst[RECORD_NAME_MAX], method[RECORD_NAME_MAX], note[RECORD_NAME_MAX];
    const char *status;
    bool has_bytes, has_status;
    uint64_t bytes;
    int64_t took_us; // -1: none
    mob_ref_t ref;
    uint32_t attempt;
    bool joined; // a call with how it ended; then
    uint64_t reply_bytes;
} record_t;

typedef struct owners { // seen so far: how many digits tell them apart
    uint64_t items[RECORD_OWNERS_MAX];
    unsigned count, digits;
} owners_t;

record_t record_of(const msg_event_t *event);
void record_join(record_t *call, const record_t *end);
void record_forward(record_t *self); // what goes back is turned round: from who asked to who was asked
filter_value_t record_look(void *record, filter_key_t key); // a filter_get_fn

void record_head(const term_t *term);
void record_line(const record_t *self, const term_t *term, owners_t *owners);
void record_json(const record_t *self);
void record_json_lost(int64_t wall_us, uint64_t n, uint64_t count);
void record_format(const record_t *self, const char *format, const term_t *term);

#endif
