// wait.c - see wait.h. Somebody who waits long sleeps at once: an idle process costs nothing.

#include "wait.h"

#include <sched.h>
#include <time.h>

#include "clock.h"

enum { LOOK_US = 300 };

static int sleep_for(struct pollfd *polls, nfds_t count, int64_t us)
{
    const struct timespec time = {us / 1000000, us % 1000000 * 1000};
    return ppoll(polls, count, us < 0 ? NULL : &time, NULL);
}

static int look(struct pollfd *polls, nfds_t count, int64_t until)
{
    int ready;
    while ((ready = sleep_for(polls, count, 0)) == 0 && clock_us() < until)
        sched_yield();
    return ready;
}

int wait_poll(wait_mood_t *mood, struct pollfd *polls, nfds_t count, int64_t us)
{
    if (us == 0)
        return sleep_for(polls, count, 0);
    int64_t from = clock_us(), looked = !mood->brisk ? 0 : us > 0 && us < LOOK_US ? us : LOOK_US;
    int ready = looked ? look(polls, count, from + looked) : 0;
    if (ready == 0 && looked != us)
        ready = sleep_for(polls, count, us < 0 ? us : us - looked);
    mood->brisk = ready > 0 && clock_us() - from < LOOK_US;
    return ready;
}
