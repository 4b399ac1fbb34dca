// keeper.h - the thread that keeps a connection alive while its user is busy elsewhere: it flushes
// within a millisecond, receives, settles, beats, asks again and reconnects, all by session_go().
// It only tries the lock, and never drives while somebody else does.

#ifndef MOBULA_KEEPER_H
#define MOBULA_KEEPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "mobula/mobula.h"

enum keeper_rest {
    KEEPER_TICKS,   // looks each millisecond: the user is active
    KEEPER_LISTENS, // waits for the sockets: nobody drives, nothing waits to leave
    KEEPER_SLEEPS,  // somebody drives and will say so when done
};

typedef struct keeper {
    pthread_t thread;
    bool started;
    int kick;        // eventfd
    atomic_int rest; // enum keeper_rest; set under the lock, except back to KEEPER_TICKS
    atomic_bool stop;
    unsigned activity; // of the user: under the lock
} keeper_t;

bool keeper_start(mob_t *self);
void keeper_stop(mob_t *self); // lock not held

// Under the lock, by the user's thread: something was appended, a wait begins, a wait ended.
void keeper_appended(keeper_t *self);
void keeper_drive_begins(keeper_t *self);
void keeper_drive_ended(keeper_t *self);

#endif
