// loop.c - see loop.h. The only code that moves messages between ZeroMQ and the core.
//
// Costs are per message, not per envelope: a message brings up to 56 KiB of envelopes, all of them
// are stepped, and what they cause leaves as one message a destination at the end of the turn.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE // ppoll
#endif
#include "loop.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "clock.h"
#include "limit.h"
#include "route.h"
#include "message.h"
#include "parcel.h"
#include "wait.h"

enum {
    TURN_MESSAGES = 256, // of one socket in a turn
    TURN_BYTES =
        MOB_BATCH_TARGET, // likewise: one full batch, then what it causes leaves (decision 0010)
    POLL_CONTROL = 0,
    POLL_WATCH = 1,
    POLL_GATES = 2, // SOCKET_KINDS of each gate
    POLLS_MAX = POLL_GATES + GATES_MAX * SOCKET_KINDS
};

struct loop {
    core_t *core;
    gate_t *gates;
    size_t gate_count;
    log_t *log;
    fault_t *fault;
    int64_t stuck_us;
    routes_t routes;
    struct pollfd polls[POLLS_MAX];
    nfds_t poll_count;
    wait_mood_t mood;
    bool look[GATES_MAX]; // its calls socket may have input that its file does not show
    loop_count_t counts;
};

// ---- Making -------------------------------------------------------------------------------------

static void poll_add(loop_t *self, int fd) // a negative one is passed over by poll()
{
    self->polls[self->poll_count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static bool poll_add_gate(loop_t *self, const gate_t *gate)
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
    self->stuck_us = config->stuck_us;
    memset(self->look, true, sizeof self->look);
    bool made = routes_init(&self->routes, config->routes_max);
    if (made) {
        poll_add(self, config->control);
        poll_add(self, watch_fd(self->routes.watch));
    }
    for (size_t i = 0; made && i < self->gate_count; i++)
        made = poll_add_gate(self, &self->gates[i]);
    if (!made)
        loop_destroy(&self);
    return self;
}

void loop_destroy(loop_t **self_p)
{
    if (*self_p == NULL)
        return;
    routes_fini(&(*self_p)->routes);
    free(*self_p);
    *self_p = NULL;
}

// ---- Connections --------------------------------------------------------------------------------

static route_t *route_of(loop_t *self, size_t gate, const uint8_t *id, int64_t now)
{
    route_t *route = routes_find(&self->routes, gate, id);
    if (route != NULL)
        return route;
    route = routes_add(&self->routes, gate, id);
    if (route == NULL)
        return NULL;
    route->peer = core_open(self->core, now, route);
    if (route->peer == NULL)
        routes_remove(&self->routes, &route);
    return route;
}

static void forget_closed(loop_t *self)
{
    void *closed = NULL;
    while (core_next_closed(self->core, &closed) != NULL) {
        route_t *route = closed;
        routes_remove(&self->routes, &route);
    }
}

// The number that the kernel knows the sender by, in our own namespace of processes. 0: not on ipc.
static uint32_t sender_pid(zmq_msg_t *frame)
{
    const char *address = zmq_msg_gets(frame, "Peer-Address"); // localhost:UID:GID:PID
    const char *colon = address == NULL ? NULL : strrchr(address, ':');
    if (colon == NULL || strncmp(address, "localhost:", 10) != 0)
        return 0;
    return (uint32_t)strtoul(colon + 1, NULL, 10);
}

// After HELLO. A pid means something only on this machine and in this namespace of processes: what
// the peer says of itself must be what the kernel says of it.
static void watch_process(loop_t *self, route_t *route, zmq_msg_t *frame, int64_t now)
{
    uint32_t pid = peer_pid(route->peer);
    mob_bytes_t machine = watch_machine(self->routes.watch);
    if (pid != 0 && pid == sender_pid(frame) && machine.size > 0 &&
        peer_same_machine(route->peer, machine))
        routes_watch(&self->routes, route, pid, now);
}

static void tell_ended(loop_t *self, int64_t now)
{
    if (self->polls[POLL_WATCH].revents == 0 && self->routes.ended == NULL)
        return;
    route_t *route;
    while ((route = routes_ended(&self->routes, now)) != NULL) {
        self->counts.ended++;
        core_gone(self->core, now, route->peer, CAUSE_CRASH);
    }
}

// ---- In -----------------------------------------------------------------------------------------

static void step_envelopes(loop_t *self, route_t *route, parcel_t *parcel, int64_t now)
{
    batch_reader_t batch = batch_open(zmq_msg_data(&parcel->frame), zmq_msg_size(&parcel->frame),
                                      parcel->blobs, parcel->blob_count);
    message_t message;
    message_fault_t fault;
    message_state_t state;
    while ((state = message_next(&batch, &message, &fault)) != MESSAGE_END) {
        self->counts.envelopes++;
        if (state == MESSAGE_OK)
            core_message(self->core, now, route->peer, &message);
        else
            core_fault_of(self->core, now, route->peer, &fault);
        if (state == MESSAGE_BROKEN)
            break;
        if (state == MESSAGE_OK && message.verb == VERB_HELLO)
            watch_process(self, route, &parcel->frame, now);
    }
}

static void step(loop_t *self, route_t *route, parcel_t *parcel, int64_t now)
{
    if (parcel->wrong == NULL)
        step_envelopes(self, route, parcel, now);
    else
        core_fault_of(self->core, now, route->peer,
                      &(message_fault_t){.field = "", .wrong = parcel->wrong});
    routes_spoke(route, now);
}

static void refuse(loop_t *self, size_t gate, const uint8_t *id, mob_err_t err, const char *why)
{
    batch_t batch = BATCH_INIT;
    message_ERROR(&batch, &(msg_error_t){.code = err, .why = {why, strlen(why)}});
    if (!batch_empty(&batch))
        parcel_send(self->gates[gate].sockets[SOCKET_CALLS], id, &batch);
    batch_fini(&batch);
}

// Who has no place in the table is told so, and nothing is kept of him.
static void turn_away(loop_t *self, size_t gate, const parcel_t *parcel)
{
    self->counts.refused++;
    if (parcel->stranger) {
        log_warn(self->log, "MOB-STRANGER", "cause=%s", "a routing id that has not 16 bytes");
        return;
    }
    refuse(self, gate, parcel->route, MOB_EFULL, "LIMIT");
    log_warn(self->log, "MOB-FULL", "connections=%zu", routes_count(&self->routes));
}

static bool says_hello(const parcel_t *parcel)
{
    batch_reader_t batch =
        batch_open(zmq_msg_data((zmq_msg_t *)&parcel->frame), zmq_msg_size(&parcel->frame), NULL, 0);
    message_t message;
    message_fault_t fault;
    return message_next(&batch, &message, &fault) == MESSAGE_OK && message.verb == VERB_HELLO;
}

// A fault. Its peer hears of it by what a new connection would be answered that does not begin with HELLO.
static bool breaks(loop_t *self, route_t *route, const parcel_t *received)
{
    fault_t *fault = self->fault;
    if (!fault_may(fault->breaks))
        return false;
    if (received != NULL && route->broken && says_hello(received))
        route->broken = false;
    bool hit = !route->broken && fault_hits(fault, fault->breaks);
    if (!hit && !route->broken)
        return false;
    fault->broken += hit;
    fault->dropped++;
    if (hit || received != NULL)
        refuse(self, route->key.gate, route->key.id, MOB_EPROTO, "HELLO");
    route->broken = true;
    return true;
}

static void take(loop_t *self, size_t gate, parcel_t *parcel, int64_t now)
{
    route_t *route = parcel->stranger ? NULL : route_of(self, gate, parcel->route, now);
    if (route == NULL) {
        turn_away(self, gate, parcel);
        return;
    }
    if (breaks(self, route, parcel))
        return;
    if (fault_hits(self->fault, self->fault->drop)) {
        self->fault->dropped++;
        return;
    }
    step(self, route, parcel, now);
    if (fault_hits(self->fault, self->fault->doubled)) {
        self->fault->doubles++;
        step(self, route, parcel, now);
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
        take(self, gate, &parcel, now);
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

// ---- Out ----------------------------------------------------------------------------------------

static parcel_sent_t send_call(loop_t *self, route_t *route, batch_t *batch)
{
    if (breaks(self, route, NULL))
        return PARCEL_SENT;
    if (fault_hits(self->fault, self->fault->drop)) {
        self->fault->dropped++;
        return PARCEL_SENT;
    }
    self->look[route->key.gate] = true; // sending may take the news of input away
    return parcel_send(self->gates[route->key.gate].sockets[SOCKET_CALLS], route->key.id, batch);
}

static void send_calls(loop_t *self, route_t *route, int64_t now)
{
    outbox_t *box = peer_calls(route->peer);
    batch_t *batch;
    while ((batch = outbox_first(box)) != NULL) {
        parcel_sent_t sent = send_call(self, route, batch);
        if (sent == PARCEL_FULL) {
            self->counts.parks++;
            routes_park(&self->routes, route, now);
            return;
        }
        self->counts.sent += sent == PARCEL_SENT;
        self->counts.unroutable += sent == PARCEL_GONE;
        outbox_sent(box);
        routes_unpark(&self->routes, route); // it moves
    }
    routes_unpark(&self->routes, route);
}

static void publish(loop_t *self, route_t *route, outbox_t *box, socket_kind_t kind)
{
    void *socket = self->gates[route->key.gate].sockets[kind];
    batch_t *batch;
    while ((batch = outbox_first(box)) != NULL) {
        if (kind == SOCKET_NOTICES && fault_hits(self->fault, self->fault->drop_notice))
            self->fault->dropped_notices++;
        else
            parcel_send(socket, peer_topic(route->peer),
                        batch); // what a slow one cannot take is lost
        self->counts.noted += kind == SOCKET_NOTICES;
        outbox_sent(box);
    }
}

static void warn(loop_t *self)
{
    core_warning_t warning;
    while (core_next_warning(self->core, &warning))
        log_warn(self->log, warning.event, "what=%s why=%s", warning.what, warning.why);
}

static void try_again(loop_t *self, int64_t now)
{
    route_t *route, *next;
    DL_FOREACH_SAFE(self->routes.parked, route, next)
    {
        if (route->retry_at <= now)
            send_calls(self, route, now);
        if (route->retry_us != 0 && now - route->parked_at >= self->stuck_us)
            core_stuck(self->core, now, route->peer);
    }
}

static void flush(loop_t *self, int64_t now)
{
    peer_t *peer;
    while ((peer = core_next_dirty(self->core)) != NULL) {
        route_t *route = peer_link(peer);
        if (route->retry_us == 0)
            send_calls(self, route, now);
        publish(self, route, peer_notes(peer), SOCKET_NOTICES);
        publish(self, route, peer_feed(peer), SOCKET_FEED);
    }
    try_again(self, now);
}

// ---- Turning ------------------------------------------------------------------------------------

static bool has_input(void *socket) // also lets libzmq do what it has put off
{
    int events = 0;
    size_t size = sizeof events;
    return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN) != 0;
}

// libzmq's files tell of news, not of state: what came in while we sent must be looked for.
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

// A PUB socket takes subscriptions in only when it is used, so it is used as soon as one has come.
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

static int64_t time_to_wait(loop_t *self, int64_t until) // INT64_MAX: for ever
{
    until = earlier(until, earlier(core_next_deadline(self->core), routes_deadline(&self->routes)));
    if (look_for_input(self))
        return 0;
    if (until == INT64_MAX)
        return until;
    int64_t wait = until - clock_us();
    return wait > 0 ? wait : 0;
}

static void wait_for_input(loop_t *self, int64_t until)
{
    int64_t wait = time_to_wait(self, until);
    if (wait_poll(&self->mood, self->polls, self->poll_count, wait == INT64_MAX ? -1 : wait) <= 0)
        for (nfds_t i = 0; i < self->poll_count; i++)
            self->polls[i].revents = 0;
}

bool loop_turn(loop_t *self, int64_t until_us)
{
    wait_for_input(self, until_us);
    int64_t now = clock_us();
    take_subscriptions(self);
    receive_all(self, now);
    tell_ended(self, now);
    if (core_next_deadline(self->core) <= now)
        core_tick(self->core, now);
    flush(self, now);
    warn(self);
    forget_closed(self);
    return self->polls[POLL_CONTROL].revents != 0;
}

bool loop_idle(const loop_t *self)
{
    return self->routes.parked == NULL;
}

loop_count_t loop_counts(const loop_t *self)
{
    loop_count_t counts = self->counts;
    counts.routes = routes_count(&self->routes);
    return counts;
}
