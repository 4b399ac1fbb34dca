// resend.c - requests are kept until they are accepted. Never waits, and never looks at the clock.

#include "resend.h"

#include <stdlib.h>
#include <string.h>

#include "message.h"

enum {
    AGAIN_US = 250 * 1000,
    AGAIN_MAX_US = 5 * 1000 * 1000,
    FLYING_MAX = 4 * 1024 *
                 1024, // not accepted: what may have to be sent again stays a small part of a second
};

void queue_init(queue_t *self)
{
    *self = (queue_t){.again_at = INT64_MAX, .again_us = AGAIN_US};
}

static void free_all(parcel_t **first_p)
{
    for (parcel_t *parcel; (parcel = *first_p); parcel_free(&parcel))
        *first_p = parcel->next;
}

void queue_clear(queue_t *self)
{
    free_all(&self->first);
    free_all(&self->kept);
    self->last = self->unsent = self->kept_last = NULL;
    self->bytes = self->flying = 0;
    self->again_at = INT64_MAX;
}

void queue_fini(queue_t *self)
{
    queue_clear(self);
    pack_fini(&self->scratch);
}

void queue_append(queue_t *self, parcel_t **parcel_p)
{
    parcel_t *parcel = *parcel_p;
    *parcel_p = NULL;
    parcel->next = NULL;
    *(self->last ? &self->last->next : &self->first) = parcel;
    self->last = parcel;
    self->bytes += parcel->bytes;
    if (!self->unsent)
        self->unsent = parcel;
}

bool queue_settled(const queue_t *self)
{
    return !self->first;
}

static void forget(queue_t *self, parcel_t *before, parcel_t *parcel)
{
    *(before ? &before->next : &self->first) = parcel->next;
    if (self->last == parcel)
        self->last = before;
    self->bytes -= parcel->bytes;
    parcel_free(&parcel);
}

// What carries no request is forgotten as soon as it has left.
bool queue_send(queue_t *self, io_t *io, int64_t now)
{
    parcel_t *before = NULL;
    if (!self->unsent)
        return true;
    for (parcel_t *parcel = self->first; parcel != self->unsent; parcel = parcel->next)
        before = parcel;
    while (self->unsent) {
        parcel_t *parcel = self->unsent;
        bool keep = parcel->last > self->accepted || parcel->until > self->accepted;
        if (self->flying >= FLYING_MAX || !io_send(io, parcel, keep))
            break;
        self->unsent = parcel->next;
        if (keep) {
            self->flying += parcel->bytes;
            before = parcel;
        } else {
            forget(self, before, parcel);
        }
    }
    if (self->first && self->again_at == INT64_MAX)
        self->again_at = now + self->again_us;
    return !self->unsent;
}

// ---- In front of others -------------------------------------------------------------------------

static void set_apart(queue_t *self, parcel_t *parcel) // the first one
{
    self->first = parcel->next;
    if (!self->first)
        self->last = NULL;
    self->bytes -= parcel->bytes;
    parcel->next = NULL;
    *(self->kept_last ? &self->kept_last->next : &self->kept) = parcel;
    self->kept_last = parcel;
}

static void forget_kept(queue_t *self)
{
    for (parcel_t *parcel; (parcel = self->kept) && parcel->until <= self->accepted;
         parcel_free(&parcel))
        self->kept = parcel->next;
    if (!self->kept)
        self->kept_last = NULL;
}

static bool straddles(const queue_t *self, const parcel_t *parcel)
{
    return parcel && parcel->run && parcel->run <= self->accepted && parcel->until > self->accepted;
}

uint64_t queue_floor(const queue_t *self)
{
    const parcel_t *parcel = self->kept ? self->kept : self->first;
    return straddles(self, parcel) ? parcel->run - 1 : self->accepted;
}

void queue_lower(queue_t *self, uint64_t accepted)
{
    for (const parcel_t *parcel = self->kept; parcel; parcel = parcel->next)
        self->bytes += parcel->bytes;
    if (self->kept) {
        self->kept_last->next = self->first;
        self->last = self->last ? self->last : self->kept_last;
        self->first = self->kept;
    }
    self->kept = self->kept_last = NULL;
    self->accepted = accepted;
}

// ---- Accepted -----------------------------------------------------------------------------------

void queue_accept(queue_t *self, uint64_t seq, int64_t now)
{
    if (seq <= self->accepted)
        return;
    self->accepted = seq;
    self->again_us = AGAIN_US;
    for (parcel_t *parcel; (parcel = self->first) && parcel != self->unsent && parcel->last <= seq;) {
        self->flying -= parcel->bytes;
        if (parcel->until > seq)
            set_apart(self, parcel);
        else
            forget(self, NULL, parcel);
    }
    forget_kept(self);
    self->again_at = self->first ? now + self->again_us : INT64_MAX;
}

// ---- Sending again ------------------------------------------------------------------------------

static bool has_epoch(uint32_t verb)
{
    return verb == VERB_SUBMIT || verb == VERB_CALL || verb == VERB_SPAWN;
}

static bool goes_along(uint32_t verb)
{
    return verb == VERB_CANCEL || verb == VERB_STOP;
}

typedef struct rewind {
    queue_t *queue;
    uint64_t epoch;
    uint64_t first, last; // seqs copied
} rewind_t;

static void raw(pack_t *out, const uint8_t *from, const uint8_t *to)
{
    pack_raw(out, from, (size_t)(to - from));
}

// What stands in front of a request goes with it, and so does an answer that is in pieces.
static bool goes(const rewind_t *self, const parcel_t *parcel, uint32_t verb, uint64_t seq)
{
    uint64_t accepted = self->queue->accepted;
    bool ahead = verb == VERB_PIECE || verb == VERB_DEPS;
    if (verb_is_request(verb))
        return seq > accepted || (ahead && parcel->until > accepted);
    return parcel->bound || (!parcel->sent && goes_along(verb));
}

// Our own bytes, so they are well formed. [verb, seq, epoch, ...]
static void copy_envelope(rewind_t *self, unpack_t *in, const parcel_t *parcel)
{
    pack_t *out = &self->queue->scratch;
    const uint8_t *start = in->next;
    in->tokens = MOB_TOKENS_MAX;
    uint32_t left = unpack_array(in) - 1, verb = unpack_u32(in);
    uint64_t seq = 0;
    const uint8_t *head = NULL, *tail = NULL;
    if (verb_is_request(verb)) {
        seq = unpack_u64(in);
        left--;
        head = in->next;
        if (has_epoch(verb) && !parcel->sent) {
            unpack_u64(in);
            left--;
        }
        tail = in->next;
    }
    while (left-- > 0 && !in->wrong)
        unpack_skip(in);
    if (in->wrong || !goes(self, parcel, verb, seq))
        return;
    if (head != tail) {
        raw(out, start, head);
        pack_u64(out, self->epoch);
        raw(out, tail, in->next);
    } else {
        raw(out, start, in->next);
    }
    if (seq > 0) {
        self->first = self->first ? self->first : seq;
        self->last = seq;
    }
}

static bool filter(rewind_t *self, parcel_t *parcel)
{
    zmq_msg_t *frame = &parcel->frames[0];
    pack_t *scratch = &self->queue->scratch;
    unpack_t in = unpack_of(zmq_msg_data(frame), zmq_msg_size(frame));
    scratch->size = 0;
    scratch->failed = false;
    self->first = self->last = 0;
    while (in.next < in.end && !in.wrong)
        copy_envelope(self, &in, parcel);
    return scratch->size > 0 && !scratch->failed;
}

// The blob frames stay as they are: envelopes name them by their place.
static bool replace_frame(rewind_t *self, parcel_t *parcel)
{
    zmq_msg_t fresh;
    const pack_t *scratch = &self->queue->scratch;
    if (zmq_msg_init_size(&fresh, scratch->size) != 0)
        return false;
    memcpy(zmq_msg_data(&fresh), scratch->data, scratch->size);
    zmq_msg_move(&parcel->frames[0], &fresh);
    zmq_msg_close(&fresh);
    parcel->first = self->first;
    parcel->last = self->last;
    return true;
}

static void rewind_to(queue_t *self, const parcel_t *end, uint64_t epoch)
{
    rewind_t rewind = {.queue = self, .epoch = epoch};
    parcel_t *before = NULL;
    for (parcel_t *parcel = self->first, *next; parcel != end; parcel = next) {
        next = parcel->next;
        if (filter(&rewind, parcel) && replace_frame(&rewind, parcel))
            before = parcel;
        else
            forget(self, before, parcel);
    }
    self->unsent = self->first;
    self->flying = 0;
    self->again_at = INT64_MAX;
}

void queue_rewind(queue_t *self, uint64_t epoch)
{
    rewind_to(self, NULL, epoch);
}

bool queue_blocked(const queue_t *self)
{
    return self->unsent && self->flying < FLYING_MAX;
}

// Each time twice as long. While the socket takes nothing there is no use in more of it.
bool queue_again(queue_t *self, int64_t now)
{
    bool use = !queue_blocked(self);
    self->again_us = self->again_us * 2 < AGAIN_MAX_US ? self->again_us * 2 : AGAIN_MAX_US;
    if (use)
        rewind_to(self, self->unsent, 0);
    self->again_at = now + self->again_us;
    return use;
}

void queue_set_aside(queue_t *self, queue_t *aside)
{
    *aside = (queue_t){.first = self->first, .last = self->last, .bytes = self->bytes};
    self->first = self->last = self->unsent = NULL;
    self->bytes = self->flying = 0;
}

void queue_join(queue_t *self, queue_t *aside)
{
    if (!aside->first)
        return;
    *(self->last ? &self->last->next : &self->first) = aside->first;
    self->last = aside->last;
    self->bytes += aside->bytes;
    if (!self->unsent)
        self->unsent = aside->first;
}
