// work.c - see work.h.

#include "work.h"

#include <time.h>

#include "clock.h"

// The one place in the tests that sleeps: a body that works has no event to wait for, its work is the time.
void work_us(int64_t us)
{
    nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

// A millisecond at a time: that a call is off is a flag that a body looks at.
int64_t work_ms(const mob_ctx_t *ctx, int64_t ms)
{
    int64_t from = clock_us(), left = ms * 1000;
    while (left > 0 && !(ctx && mob_cancelled(ctx))) {
        work_us(left < 1000 ? left : 1000);
        left = from + ms * 1000 - clock_us();
    }
    return left > 0 ? ms - (left + 999) / 1000 : ms;
}
