// resend.h - what leaves by the calls socket, in order: parcels not sent yet, and parcels sent
// whose requests the broker has not accepted. The bytes of a request are kept until ACCEPT and sent
// again under the same seq. Wants the session's lock.

#ifndef MOBULA_RESEND_H
#define MOBULA_RESEND_H

#include "io.h"
#include "pack.h"

typedef struct queue {
    parcel_t *first, *last;
    parcel_t *unsent; // the first of those that have to leave; all after it have to, too
    size_t bytes;     // of all
    size_t flying;    // of those that have left and are not accepted
    parcel_t *kept,
        *kept_last;    // accepted ones, in front of a request that is not: bytes excludes them
    uint64_t accepted; // highest seq that ACCEPT confirmed
    int64_t again_at;  // clock_us: send again what is not accepted; INT64_MAX: nothing is
    int64_t again_us;  // how long without progress before that; doubled each time
    pack_t scratch;
} queue_t;

void queue_init(queue_t *self);
void queue_fini(queue_t *self);
void queue_append(queue_t *self, parcel_t **parcel_p); // takes it
bool queue_send(queue_t *self, io_t *io, int64_t now); // false: more has to leave, later
void queue_accept(queue_t *self, uint64_t seq, int64_t now);

// Make everything unsent again: requests above accepted, and of parcels that never left also what
// goes with them (CANCEL, STOP). epoch is written into requests that leave for the first
// time.
void queue_rewind(queue_t *self, uint64_t epoch);
// How far an earlier broker's acceptance counts for a new one: what belongs to a request goes with it.
uint64_t queue_floor(const queue_t *self);
void queue_lower(queue_t *self, uint64_t accepted); // the broker has only what is up to there
bool queue_again(queue_t *self, int64_t now); // no progress: the requests that were sent, once more
void queue_set_aside(queue_t *self,
                     queue_t *aside);           // all parcels, so that others can go before them
void queue_join(queue_t *self, queue_t *aside); // and back, behind those
void queue_clear(queue_t *self);                // the session is over
bool queue_blocked(const queue_t *self); // something has to leave, and only the socket holds it up
bool queue_settled(const queue_t *self); // nothing waits to be sent or accepted

#endif
