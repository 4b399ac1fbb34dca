// amount.h - how much of what, as it travels and as people write it: "disk=1 gpu=0.5". Counted in steps of
// 0.0001, so that sums are exact.

#ifndef MOBULA_WIRE_AMOUNT_H
#define MOBULA_WIRE_AMOUNT_H

#include "mobula/types.h"

enum { AMOUNT_ONE = 10000, AMOUNT_NAME_MAX = 64, AMOUNT_TEXT_MAX = 24 };
#define AMOUNT_MAX (INT64_C(100000000000000) * AMOUNT_ONE) // 100 TB of memory, counted in bytes

bool amount_of(double number, int64_t *steps); // to the nearest; false: negative, too large, no number
const char *amount_print(char out[AMOUNT_TEXT_MAX], int64_t steps); // "2", "0.5"; gives out

typedef enum amount_got { AMOUNT_END, AMOUNT_GOT, AMOUNT_WRONG } amount_got_t;

// Takes the first NAME=NUMBER out of a list with blanks between. The name is a view into it.
amount_got_t amount_next(mob_bytes_t *list, mob_bytes_t *name, int64_t *steps);

#endif
