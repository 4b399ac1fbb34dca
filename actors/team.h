// team.h - the threads in which a worker runs what is in its window: its own and, where bodies of one
// actor run at once, others that come as they are needed. Each takes the next one that may begin; one of
// those that have nothing to do waits for the sockets, the rest until it calls them.

#ifndef MOBULA_ACTORS_TEAM_H
#define MOBULA_ACTORS_TEAM_H

#include <pthread.h>

#include "context.h"

typedef struct team {
    context_t *others; // one for each thread but the worker's own
    uint32_t count;    // of them
    uint32_t resting;
    pthread_cond_t work; // for those that rest
} team_t;

void team_init(team_t *self);
void team_fini(team_t *self);

// Until the worker is over: in this thread, which then waits for the others. Wants the session's lock.
void team_serve(struct worker *worker);

#endif
