// entry.h - one row of an answer of the state API: named texts and numbers, shown if the filter wants them.

#ifndef MOBULA_ENTRY_H
#define MOBULA_ENTRY_H

#include "filter.h"
#include "state.h"

enum { ENTRY_FIELDS = 24, ENTRY_ID = 48 };

typedef struct field {
    const char *key, *text; // text NULL: number
    int64_t number;
} field_t;

typedef struct entry {
    field_t fields[ENTRY_FIELDS];
    size_t count;
    char id[ENTRY_ID]; // room for one printed id
} entry_t;

typedef struct answer {
    core_t *core;
    const session_t *session;
    filter_t filter;
    pack_t rows;
    uint32_t count;
    int64_t cut; // rows that did not fit
} answer_t;

// Texts must last until the row is put. An id is under "id".
void entry_text(entry_t *self, const char *key, const char *value);
void entry_number(entry_t *self, const char *key, int64_t value);
void entry_id(entry_t *self, mob_ref_t ref);
void entry_print_id(char out[ENTRY_ID], mob_ref_t ref);

filter_verdict_t entry_match(const entry_t *self, const filter_t *filter);
bool entry_is_wanted(answer_t *answer, entry_t *self); // false: filtered, or there is no room
void entry_put(answer_t *answer, const entry_t *self);
void entry_emit(answer_t *answer, entry_t *self); // put it, if it is wanted

int64_t entry_age_ms(const core_t *core, int64_t since);
const char *entry_owner(const core_t *core, const call_t *call); // its name; "": nobody

#endif
