// amount.c - see amount.h.

#include "amount.h"

#include <stdio.h>
#include <string.h>

#include "label.h"

bool amount_of(double number, int64_t *steps)
{
    bool good = number >= 0 && number <= (double)(AMOUNT_MAX / AMOUNT_ONE); // not of NaN
    *steps = good ? (int64_t)(number * AMOUNT_ONE + 0.5) : 0;
    return good;
}

const char *amount_print(char out[AMOUNT_TEXT_MAX], int64_t steps)
{
    int size = snprintf(out, AMOUNT_TEXT_MAX, "%lld.%04lld", (long long)(steps / AMOUNT_ONE),
                        (long long)(steps % AMOUNT_ONE));
    while (out[size - 1] == '0')
        out[--size] = '\0';
    if (out[size - 1] == '.')
        out[--size] = '\0';
    return out;
}

// Digits, perhaps a dot and at most four more.
static bool read_number(mob_bytes_t text, int64_t *steps)
{
    const char *at = text.data;
    int64_t number = 0, unit = AMOUNT_ONE;
    bool dot = false;
    for (size_t i = 0; i < text.size; i++) {
        if (at[i] == '.' && !dot && i > 0 && i + 1 < text.size) {
            dot = true;
            continue;
        }
        unit /= dot ? 10 : 1;
        if (at[i] < '0' || at[i] > '9' || unit == 0 || (!dot && number > AMOUNT_MAX / 10))
            return false;
        number = dot ? number + (at[i] - '0') * unit : number * 10 + (at[i] - '0') * unit;
    }
    *steps = number;
    return text.size > 0 && number <= AMOUNT_MAX;
}

amount_got_t amount_next(mob_bytes_t *list, mob_bytes_t *name, int64_t *steps)
{
    label_t one;
    label_got_t got = label_next(list, &one);
    if (got == LABEL_END)
        return AMOUNT_END;
    bool good = got == LABEL_GOT && !one.differs && one.key.size <= AMOUNT_NAME_MAX &&
                read_number(one.value, steps);
    *name = one.key;
    return good ? AMOUNT_GOT : AMOUNT_WRONG;
}
