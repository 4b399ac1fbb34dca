// wait.h - waiting for descriptors. To be woken up costs tens of microseconds, more than the work of a short message; so
// whoever was served quickly the last time looks for a while, giving way to others, before it sleeps.

#ifndef MOBULA_WIRE_WAIT_H
#define MOBULA_WIRE_WAIT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct wait_mood { // one a waiter; zero is a good beginning
    bool brisk;            // the last wait was a short one
} wait_mood_t;

// As ppoll() without signals: how many are ready, 0 when us have passed. us below 0: no end.
int wait_poll(wait_mood_t *mood, struct pollfd *polls, nfds_t count, int64_t us);

#endif
