// text.c - UTF-8: check, cut, put in order. Owns nothing, allocates nothing.

#include "text.h"

#include <stdint.h>
#include <string.h>

#include "limit.h"

// What the second byte may be, by the first: keeps out overlong forms, surrogates and what is above
// U+10FFFF (Unicode, table 3-7).
static size_t length_of(uint8_t first, uint8_t *low, uint8_t *high)
{
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first < 0x80)
        return first != 0;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t text_character(const void *text, size_t size)
{
    const uint8_t *at = text;
    uint8_t low, high;
    size_t length = size ? length_of(at[0], &low, &high) : 0;
    if (length < 2)
        return length;
    if (size < length || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

// Eight characters of ASCII at once: no high bit, no zero byte.
static bool is_plain(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return ((word | (word - 0x0101010101010101u)) & 0x8080808080808080u) == 0;
}

bool text_valid(const void *text, size_t size)
{
    const uint8_t *at = text;
    while (size > 0) {
        size_t length = size >= 8 && is_plain(at) ? 8 : text_character(at, size);
        if (length == 0)
            return false;
        at += length;
        size -= length;
    }
    return true;
}

size_t text_cut(const void *text, size_t size, size_t max)
{
    if (size <= max)
        return size;
    const uint8_t *at = text;
    size_t keep = max;
    while (keep > 0 && max - keep < 3 && (at[keep] & 0xc0) == 0x80)
        keep--;
    return (at[keep] & 0xc0) == 0x80 ? max : keep; // not UTF-8 at all: cut anywhere
}

void text_clean(void *to, const void *text, size_t size)
{
    const uint8_t *at = text;
    uint8_t *out = to;
    while (size > 0) {
        size_t length = text_character(at, size);
        if (length)
            memcpy(out, at, length);
        else
            *out = '?', length = 1;
        out += length;
        at += length;
        size -= length;
    }
}

bool text_is_name(const void *text, size_t size)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    const char *name = text;
    bool good = size > 0 && size <= MOB_NAME_MAX;
    for (size_t i = 0; i < size && good; i++)
        good = memchr(allowed, name[i], sizeof allowed - 1) != NULL;
    return good;
}
