// loop.c - see loop.h. The only code that moves messages between ZeroMQ and the core.
//
// Costs are per message, not per envelope: a message brings up to 56 KiB of envelopes, all of them are
// stepped, and what they cause leaves as one message a destination at the end of the turn.

#define _GNU_SOURCE // ppoll
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(link) ((link)->lost = true)
#include <uthash.h>
#include <utlist.h>

#include "clock.h"
#include "message.h"
#include "parcel.h"
#include "watch.h"

enum {
    TURN_MESSAGES = 256,            // of one socket in a turn
    TURN_BYTES = 512 * 1024,        // likewise: what was caused should leave soon
    RETRY_MIN_US = 1000,            // a full queue is tried again after this, twice as long each time:
    RETRY_MAX_US = 50000,           // libzmq does not wake a ROUTER for one of its queues
    LAST_WORDS_US = 10000,          // an ended process: what it sent before may still be on its way
    LAST_WORDS_MAX_US = 150000,     // but nobody waits longer for it
    POLL_CONTROL = 0,
    POLL_WATCH = 1,
    POLL_GATES = 2,
    POLLS_MAX = POLL_GATES + GATES_MAX * SOCKET_KINDS
};

typedef struct link_key {
    uint8_t route[MOB_ROUTE_SIZE];
    uint64_t gate;
} link_key_t;

typedef struct link { // one connection of a peer
    link_key_t key;
    peer_t *peer;
    int watched;        // handle of its process; WATCH_NONE
    int64_t ended_at;   // its process was seen to end; 0: it lives as far as we know
    int64_t gone_at;    // then the core is told
    int64_t retry_at;   // parked: when to try again
    int64_t retry_us;   // parked: the wait before that; 0: not parked
    bool lost;          // no memory for its place in the table
    struct link *prev, *next; // among the parked
    struct link *dying_prev, *dying_next;
    UT_hash_handle hh;
} link_t;

struct loop {
    core_t *core;
    gate_t *gates;
    size_t gate_count;
    log_t *log;
    fault_t *fault;
    size_t links_max;
    watch_t *watch;
    link_t *links;  // by key
    link_t *last;   // the one that spoke last; NULL
    link_t *parked; // their queues were full
    link_t *dying;  // their processes have ended
    struct pollfd polls[POLLS_MAX]; // control, watch, then SOCKET_KINDS of each gate
    nfds_t poll_count;
    bool look[GATES_MAX]; // its calls socket may have input that its file does not show
    bool has_control;
    loop_count_t counts;
};

// ---- Making ----------------------------------------------------------------------------------------------

static void poll_add(loop_t *self, int fd)
{
    self->polls[self->poll_count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

// PUB sockets are waited for, too: libzmq takes subscriptions in only when the socket is used.
static bool poll_add_gate(loop_t *self, gate_t *gate)
{
    for (int kind = 0; kind < SOCKET_KINDS; kind++) {
        int fd;
        size_t size = sizeof fd;
        if (zmq_getsockopt(gate->sockets[kind], ZMQ_FD, &fd, &size) != 0)
            return false;
        poll_add(self, fd);
    }
    return true;
}

loop_t *loop_new(const loop_config_t *config)
{
    loop_t *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->core = config->core;
    self->gates = config->gates;
    self->gate_count = config->gate_count;
    self->log = config->log;
    self->fault = config->fault;
    self->links_max = config->links_max;
    memset(self->look, true, sizeof self->look);
    self->watch = watch_new();
    bool made = self->watch != NULL;
    if (made) {
        self->has_control = config->control >= 0;
        poll_add(self, config->control); // first; poll() skips a negative one
        poll_add(self, watch_fd(self->watch));
    }
    for (size_t i = 0; made && i < self->gate_count; i++)
        made = poll_add_gate(self, &self->gates[i]);
    if (!made)
        loop_destroy(&self);
    return self;
}

static void link_free(loop_t *self, link_t *link)
{
    if (self->last == link)
        self->last = NULL;
    if (link->retry_us != 0)
        DL_DELETE(self->parked, link);
    if (link->ended_at != 0)
        DL_DELETE2(self->dying, link, dying_prev, dying_next);
    watch_drop(self->watch, &link->watched);
    HASH_DEL(self->links, link);
    free(link);
}

void loop_destroy(loop_t **self_p)
{
    loop_t *self = *self_p;
    if (self == NULL)
        return;
    link_t *link, *next;
    HASH_ITER (hh, self->links, link, next)
        link_free(self, link);
    watch_destroy(&self->watch);
    free(self);
    *self_p = NULL;
}

// ---- Connections -----------------------------------------------------------------------------------------

static link_t *link_new(loop_t *self, const link_key_t *key, int64_t now)
{
    if (HASH_COUNT(self->links) >= self->links_max)
        return NULL;
    link_t *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    link->key = *key;
    link->watched = WATCH_NONE;
    HASH_ADD(hh, self->links, key, sizeof link->key, link);
    if (!link->lost)
        link->peer = core_open(self->core, now, link);
    if (link->peer != NULL)
        return link;
    if (!link->lost)
        HASH_DEL(self->links, link);
    free(link);
    return NULL;
}

static link_t *link_of(loop_t *self, size_t gate, const uint8_t *route, int64_t now)
{
    link_key_t key = {.gate = gate};
    memcpy(key.route, route, sizeof key.route);
    if (self->last != NULL && memcmp(&self->last->key, &key, sizeof key) == 0)
        return self->last;
    link_t *link;
    HASH_FIND(hh, self->links, &key, sizeof key, link);
    if (link == NULL)
        link = link_new(self, &key, now);
    return self->last = link;
}

static void forget_closed(loop_t *self)
{
    void *link;
    while (core_next_closed(self->core, &link) != NULL)
        if (link != NULL)
            link_free(self, link);
}

// ---- Processes that end ----------------------------------------------------------------------------------

// The number that the kernel knows the sender by, in our own namespace of processes. 0: not on ipc.
static uint32_t sender_pid(zmq_msg_t *frame)
{
    const char *address = zmq_msg_gets(frame, "Peer-Address"); // localhost:UID:GID:PID
    const char *colon = address == NULL ? NULL : strrchr(address, ':');
    if (colon == NULL || strncmp(address, "localhost:", 10) != 0)
        return 0;
    return (uint32_t)strtoul(colon + 1, NULL, 10);
}

static void note_end(loop_t *self, link_t *link, int64_t now)
{
    watch_drop(self->watch, &link->watched);
    if (link->ended_at != 0)
        return;
    self->counts.ended++;
    link->ended_at = now;
    link->gone_at = now + LAST_WORDS_US;
    DL_APPEND2(self->dying, link, dying_prev, dying_next);
}

// After HELLO. A pid means something only on this machine and in this namespace of processes: what the
// peer says of itself must be what the kernel says of it.
static void watch_process(loop_t *self, link_t *link, zmq_msg_t *frame, int64_t now)
{
    uint32_t pid = peer_pid(link->peer);
    mob_bytes_t machine = watch_machine(self->watch);
    if (pid == 0 || machine.size == 0 || link->watched != WATCH_NONE || pid != sender_pid(frame) ||
        !peer_same_machine(link->peer, machine))
        return;
    link->watched = watch_add(self->watch, pid, link);
    if (link->watched == WATCH_ENDED)
        note_end(self, link, now);
}

static void see_ends(loop_t *self, int64_t now)
{
    link_t *link, *next;
    while ((link = watch_next(self->watch)) != NULL)
        note_end(self, link, now);
    DL_FOREACH_SAFE2 (self->dying, link, next, dying_next) {
        if (link->gone_at > now)
            continue;
        DL_DELETE2(self->dying, link, dying_prev, dying_next);
        link->ended_at = 0;
        core_gone(self->core, now, link->peer, CAUSE_CRASH);
    }
}

// ---- In ----------------------------------------------------------------------------------------------------

static void step_all(loop_t *self, link_t *link, parcel_t *parcel, int64_t now)
{
    batch_reader_t batch = batch_open(zmq_msg_data(&parcel->frame), zmq_msg_size(&parcel->frame),
                                      parcel->blobs, parcel->blob_count);
    message_t message;
    message_fault_t fault;
    message_state_t state;
    while ((state = message_next(&batch, &message, &fault)) == MESSAGE_OK || state == MESSAGE_BAD) {
        self->counts.envelopes++;
        if (state == MESSAGE_BAD) {
            core_fault_of(self->core, now, link->peer, &fault);
            continue;
        }
        core_message(self->core, now, link->peer, &message);
        if (message.verb == VERB_HELLO)
            watch_process(self, link, &parcel->frame, now);
    }
    if (state == MESSAGE_BROKEN)
        core_fault_of(self->core, now, link->peer, &fault);
}

static void step_parcel(loop_t *self, link_t *link, parcel_t *parcel, int64_t now)
{
    if (parcel->wrong != NULL)
        core_fault_of(self->core, now, link->peer,
                      &(message_fault_t){.field = "", .wrong = parcel->wrong});
    else
        step_all(self, link, parcel, now);
    if (link->ended_at != 0 && now + LAST_WORDS_US < link->ended_at + LAST_WORDS_MAX_US)
        link->gone_at = now + LAST_WORDS_US; // more may follow
}

// Who has no place in the table is told so once a message, and nothing of him is kept.
static void turn_away(loop_t *self, size_t gate, const parcel_t *parcel)
{
    self->counts.refused++;
    if (parcel->stranger) {
        log_warn(self->log, "MOB-STRANGER", "reason=%s", "a peer's routing id must have 16 bytes");
        return;
    }
    batch_t batch = BATCH_INIT;
    message_ERROR(&batch, &(msg_error_t){.code = MOB_EFULL, .why = {"LIMIT", 5}});
    if (!batch_empty(&batch))
        parcel_send(self->gates[gate].sockets[SOCKET_CALLS], parcel->route, &batch);
    batch_fini(&batch);
    log_warn(self->log, "MOB-FULL", "connections=%zu limit=%zu", (size_t)HASH_COUNT(self->links),
             self->links_max);
}

static void take_parcel(loop_t *self, size_t gate, parcel_t *parcel, int64_t now)
{
    link_t *link = parcel->stranger ? NULL : link_of(self, gate, parcel->route, now);
    if (link == NULL) {
        turn_away(self, gate, parcel);
        return;
    }
    if (fault_hits(self->fault, self->fault->drop)) {
        self->fault->dropped++;
        return;
    }
    step_parcel(self, link, parcel, now);
    if (fault_hits(self->fault, self->fault->doubled)) {
        self->fault->doubles++;
        step_parcel(self, link, parcel, now);
    }
}

static bool receive(loop_t *self, size_t gate, int64_t now) // true: more may be there
{
    parcel_t parcel;
    size_t bytes = 0;
    void *socket = self->gates[gate].sockets[SOCKET_CALLS];
    for (int i = 0; i < TURN_MESSAGES && bytes < TURN_BYTES; i++) {
        if (!parcel_receive(&parcel, socket))
            return false;
        bytes += parcel.bytes;
        self->counts.received++;
        take_parcel(self, gate, &parcel, now);
        parcel_close(&parcel);
    }
    return true;
}

static void receive_all(loop_t *self, int64_t now)
{
    for (size_t gate = 0; gate < self->gate_count; gate++) {
        const struct pollfd *calls = &self->polls[POLL_GATES + gate * SOCKET_KINDS + SOCKET_CALLS];
        if (self->look[gate] || calls->revents != 0)
            self->look[gate] = receive(self, gate, now);
    }
}

// ---- Out ---------------------------------------------------------------------------------------------------

static void park(loop_t *self, link_t *link, int64_t now)
{
    self->counts.parks++;
    if (link->retry_us == 0)
        DL_APPEND(self->parked, link);
    link->retry_us = link->retry_us == 0 ? RETRY_MIN_US : 2 * link->retry_us;
    if (link->retry_us > RETRY_MAX_US)
        link->retry_us = RETRY_MAX_US;
    link->retry_at = now + link->retry_us;
}

static void unpark(loop_t *self, link_t *link)
{
    if (link->retry_us != 0)
        DL_DELETE(self->parked, link);
    link->retry_us = 0;
}

static void send_calls(loop_t *self, link_t *link, int64_t now)
{
    outbox_t *box = peer_calls(link->peer);
    void *socket = self->gates[link->key.gate].sockets[SOCKET_CALLS];
    batch_t *batch;
    while ((batch = outbox_first(box)) != NULL) {
        parcel_sent_t sent = PARCEL_SENT;
        self->look[link->key.gate] = true; // sending may take the news of input away
        if (fault_hits(self->fault, self->fault->drop))
            self->fault->dropped++;
        else
            sent = parcel_send(socket, link->key.route, batch);
        if (sent == PARCEL_FULL) {
            park(self, link, now);
            return;
        }
        self->counts.sent += sent == PARCEL_SENT;
        self->counts.unroutable += sent == PARCEL_GONE;
        outbox_sent(box);
        if (link->retry_us != 0)
            unpark(self, link); // it moves again
    }
    unpark(self, link);
}

static void publish(loop_t *self, link_t *link, outbox_t *box, socket_kind_t kind)
{
    void *socket = self->gates[link->key.gate].sockets[kind];
    batch_t *batch;
    while ((batch = outbox_first(box)) != NULL) {
        if (fault_hits(self->fault, self->fault->drop_notice))
            self->fault->dropped_notices++;
        else
            parcel_send(socket, peer_topic(link->peer), batch); // libzmq drops what a slow one cannot take
        self->counts.noted += kind == SOCKET_NOTICES;
        outbox_sent(box);
    }
}

static void flush_link(loop_t *self, link_t *link, int64_t now)
{
    if (link->retry_us == 0 || link->retry_at <= now)
        send_calls(self, link, now);
    publish(self, link, peer_notes(link->peer), SOCKET_NOTICES);
    publish(self, link, peer_feed(link->peer), SOCKET_FEED);
}

static void flush(loop_t *self, int64_t now)
{
    link_t *link, *next;
    peer_t *peer;
    while ((peer = core_next_dirty(self->core)) != NULL)
        if ((link = peer_link(peer)) != NULL)
            flush_link(self, link, now);
    DL_FOREACH_SAFE (self->parked, link, next)
        if (link->retry_at <= now)
            send_calls(self, link, now);
}

// ---- Turning -------------------------------------------------------------------------------------------------

static bool has_input(void *socket) // also lets libzmq do what it has put off
{
    int events = 0;
    size_t size = sizeof events;
    return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN) != 0;
}

static bool look_for_input(loop_t *self)
{
    bool found = false;
    for (size_t gate = 0; gate < self->gate_count; gate++) {
        if (self->look[gate])
            self->look[gate] = has_input(self->gates[gate].sockets[SOCKET_CALLS]);
        found |= self->look[gate];
    }
    return found;
}

static void take_subscriptions(loop_t *self)
{
    for (size_t gate = 0; gate < self->gate_count; gate++)
        for (int kind = SOCKET_NOTICES; kind < SOCKET_KINDS; kind++)
            if (self->polls[POLL_GATES + gate * SOCKET_KINDS + (size_t)kind].revents != 0)
                has_input(self->gates[gate].sockets[kind]);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_deadline(loop_t *self, int64_t until)
{
    int64_t next = earlier(until, core_next_deadline(self->core));
    link_t *link;
    DL_FOREACH (self->parked, link)
        next = earlier(next, link->retry_at);
    DL_FOREACH2 (self->dying, link, dying_next)
        next = earlier(next, link->gone_at);
    return next;
}

// libzmq's files tell of news, not of state: what came in while we sent must be looked for.
static void wait_for_input(loop_t *self, int64_t until)
{
    int64_t wait = next_deadline(self, until);
    if (wait != INT64_MAX)
        wait -= clock_us();
    if (wait < 0 || look_for_input(self))
        wait = 0;
    struct timespec time = {.tv_sec = wait / 1000000, .tv_nsec = wait % 1000000 * 1000};
    if (ppoll(self->polls, self->poll_count, wait == INT64_MAX ? NULL : &time, NULL) <= 0)
        for (nfds_t i = 0; i < self->poll_count; i++)
            self->polls[i].revents = 0;
}

bool loop_turn(loop_t *self, int64_t until_us)
{
    wait_for_input(self, until_us);
    int64_t now = clock_us();
    take_subscriptions(self);
    receive_all(self, now);
    if (self->polls[POLL_WATCH].revents != 0 || self->dying != NULL)
        see_ends(self, now);
    if (core_next_deadline(self->core) <= now)
        core_tick(self->core, now);
    flush(self, now);
    forget_closed(self);
    return self->has_control && self->polls[POLL_CONTROL].revents != 0;
}

bool loop_idle(const loop_t *self)
{
    return self->parked == NULL;
}

loop_count_t loop_counts(const loop_t *self)
{
    loop_count_t counts = self->counts;
    counts.links = HASH_COUNT(self->links);
    return counts;
}
