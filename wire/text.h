// text.h - UTF-8 at the border: texts that people and other languages will read are checked on the
// way in and put in order on the way out.

#ifndef MOBULA_WIRE_TEXT_H
#define MOBULA_WIRE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

bool text_valid(const void *text, size_t size); // UTF-8 without NUL
size_t text_cut(const void *text, size_t size,
                size_t max); // how much to keep: whole characters, at most max
void text_clean(void *to, const void *text, size_t size); // a copy in which every wrong byte is '?'
bool text_is_name(const void *text, size_t size);     // 1 to MOB_NAME_MAX letters, digits and . _ -
size_t text_character(const void *text, size_t size); // bytes of the first character; 0: not one

#endif
