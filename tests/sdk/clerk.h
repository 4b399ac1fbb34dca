// clerk.h - a worker whose broker is of paper: the real one, in a thread.

#ifndef MOBULA_TESTS_CLERK_H
#define MOBULA_TESTS_CLERK_H

#include <pthread.h>

#include "paper.h"
#include "worker.h"

typedef struct clerk {
    paper_t *paper;
    offer_t *offer;
    pthread_mutex_t lock;
    worker_t *worker; // NULL: it has left
    pthread_t thread;
} clerk_t;

enum { CLERK = 51, CLERK_HOST = 50 }; // owners

void clerk_begin(clerk_t *self, paper_t *paper, const mob_def_t *defs,
                 enum wire_start kind); // up to WELCOME
void clerk_end(clerk_t *self);          // drains

#endif
