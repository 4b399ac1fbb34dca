// notices.c - see notices.h.

#include "notices.h"

#include <criterion/criterion.h>
#include <stdlib.h>

bool without_notices(void)
{
    return getenv("MOBULA_FAULT") != NULL;
}

void needs_notices(const char *why)
{
    if (without_notices())
        cr_skip_test("%s", why);
}
