// label.c - see label.h.

#include "label.h"

#include <string.h>

#include "limit.h"

static bool is_key(char c)
{
    return c != '\0' &&
           strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", c) != NULL;
}

static mob_bytes_t take_word(mob_bytes_t *list)
{
    const char *at = list->data, *end = at + list->size;
    while (at < end && *at == ' ')
        at++;
    const char *last = at;
    while (last < end && *last != ' ')
        last++;
    *list = (mob_bytes_t){last, (size_t)(end - last)};
    return (mob_bytes_t){at, (size_t)(last - at)};
}

label_got_t label_next(mob_bytes_t *list, label_t *out)
{
    if (list->size == 0)
        return LABEL_END;
    mob_bytes_t word = take_word(list);
    const char *at = word.data;
    size_t key = 0;
    while (key < word.size && is_key(at[key]))
        key++;
    bool differs = key < word.size && at[key] == '!';
    size_t value = key + (differs ? 2 : 1);
    bool good = key > 0 && key <= MOB_NAME_MAX && value < word.size && at[value - 1] == '=' &&
                word.size - value <= MOB_NAME_MAX;
    *out = (label_t){.key = {at, key}, .differs = differs};
    if (good)
        out->value = (mob_bytes_t){at + value, word.size - value};
    return word.size == 0 ? LABEL_END : good ? LABEL_GOT : LABEL_WRONG;
}
