// query_refs.h - rows about objects, where they are kept, and about what keeps objects and actors.

#ifndef MOBULA_QUERY_REFS_H
#define MOBULA_QUERY_REFS_H

#include "entry.h"

void query_objects(answer_t *answer); // one an object
void query_stores(answer_t *answer);  // one a namespace
void query_refs(answer_t *answer);    // one a holder

#endif
