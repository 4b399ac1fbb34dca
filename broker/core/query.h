// query.h - the state API: rows of maps about what there is. Reads everything, changes nothing.

#ifndef MOBULA_QUERY_H
#define MOBULA_QUERY_H

#include "filter.h"
#include "state.h"

// One encoded value: a list of maps, filtered; the last map is {"cut": n} when n more did not fit. For "tail"
// a map {topic, endpoint}. NULL: err and reason tell.
blob_t *query_answer(core_t *core, session_t *session, mob_bytes_t what, mob_bytes_t filter,
                     mob_err_t *err, char *reason, size_t size);
blob_t *query_text(const char *text);                                         // one str
blob_t *query_number(int64_t value);                                          // one integer
bool query_parse(mob_bytes_t text, filter_t *out, char *reason, size_t size); // false: reason tells

#endif
