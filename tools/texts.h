// texts.h - the text files below a path, and what standard tools count in them.

#ifndef MOBULA_TOOLS_TEXTS_H
#define MOBULA_TOOLS_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct text_file {
    char *path;
    int64_t size;
} text_file_t;

typedef struct texts { // zeroed: empty
    text_file_t *items;
    size_t count, room;
    int64_t bytes;
} texts_t;

// Every regular file below path without a NUL byte in it, links not followed. False: errno.
bool texts_find(texts_t *self, const char *path);
void texts_clear(texts_t *self);

// Words of all of them by cat and wc -w in the C locale; -1: it could not be run.
int64_t texts_count(const texts_t *self);
bool texts_wc_wants_printable(void); // does this wc leave out words without a printable character?

#endif
