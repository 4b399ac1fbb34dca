// kind.h - what the state API lists, and which of its fields stand in a table.

#ifndef MOBULA_TOOLS_KIND_H
#define MOBULA_TOOLS_KIND_H

#include "say.h"

typedef struct kind {
    const char *name, *one; // "actors", "actor"
    const column_t *columns;
    const char *name_key;
    const char *total; // field that its rows are counted by in a summary; NULL: not counted
} kind_t;

extern const kind_t kinds[]; // ends with a NULL name

const kind_t *kind_find(const char *name); // or of one; NULL: none
// A column as people see it: by its title or by its field, without case. NULL: none.
const column_t *kind_column(const column_t *columns, const char *name, size_t size);
void kind_sort(rows_t *rows, const char *key, int sign); // by this field; sign -1: greatest first

#endif
