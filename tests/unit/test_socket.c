// Sockets of the broker: every option of the table is there, and what cannot be read back behaves.

#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "socket.h"

typedef struct fixture {
    void *zmq;
    void *sockets[SOCKET_KINDS];
} fixture_t;

static fixture_t open_sockets(void)
{
    char why[256] = "";
    fixture_t self = {.zmq = zmq_ctx_new()};
    for (int kind = 0; kind < SOCKET_KINDS; kind++) {
        self.sockets[kind] = socket_new(self.zmq, (socket_kind_t)kind, why, sizeof why);
        cr_assert_not_null(self.sockets[kind], "%s", why);
    }
    return self;
}

static void close_sockets(fixture_t *self)
{
    for (int kind = 0; kind < SOCKET_KINDS; kind++)
        socket_close(&self->sockets[kind], true);
    zmq_ctx_term(self->zmq);
}

static int64_t option_of(void *socket, int number, size_t size)
{
    int narrow = 0;
    int64_t wide = 0;
    size_t got = size;
    void *value = size == sizeof narrow ? (void *)&narrow : (void *)&wide;
    cr_assert_eq(zmq_getsockopt(socket, number, value, &got), 0);
    return size == sizeof narrow ? narrow : wide;
}

Test(socket, every_option_of_the_table_is_set, .timeout = 10)
{
    fixture_t here = open_sockets();
    int checked = 0;
    for (int kind = 0; kind < SOCKET_KINDS; kind++) {
        int type = (int)option_of(here.sockets[kind], ZMQ_TYPE, sizeof(int));
#define O(of, number, ctype, value, readable)                                               \
    if (readable && (of) == type) {                                                         \
        cr_expect_eq(option_of(here.sockets[kind], number, sizeof(ctype)), value, #number); \
        checked++;                                                                          \
    }
        SOCKET_OPTIONS(O)
#undef O
    }
    cr_assert_eq(checked, 11 + 2 * 9);
    close_sockets(&here);
}

Test(socket, heartbeats_of_libzmq_stay_off, .timeout = 10)
{
    fixture_t here = open_sockets();
    for (int kind = 0; kind < SOCKET_KINDS; kind++)
        cr_expect_eq(option_of(here.sockets[kind], ZMQ_HEARTBEAT_IVL, sizeof(int)), 0);
    close_sockets(&here);
}

Test(socket, nothing_vanishes_on_the_way_to_nobody, .timeout = 10)
{
    fixture_t here = open_sockets();
    cr_assert_eq(zmq_send(here.sockets[SOCKET_CALLS], "nobody", 6, ZMQ_SNDMORE | ZMQ_DONTWAIT), -1);
    cr_assert_eq(zmq_errno(), EHOSTUNREACH);
    close_sockets(&here);
}

static void *dial_as(fixture_t *here, const char *route, const char *address)
{
    void *dealer = zmq_socket(here->zmq, ZMQ_DEALER);
    zmq_setsockopt(dealer, ZMQ_ROUTING_ID, route, strlen(route));
    cr_assert_eq(zmq_connect(dealer, address), 0);
    cr_assert_eq(zmq_send(dealer, "hello", 5, 0), 5);
    char got[32];
    cr_assert_gt(zmq_recv(here->sockets[SOCKET_CALLS], got, sizeof got, 0), 0); // it is connected
    cr_assert_eq(zmq_recv(here->sockets[SOCKET_CALLS], got, sizeof got, 0), 5);
    return dealer;
}

Test(socket, a_peer_that_returns_takes_its_place, .timeout = 10)
{
    fixture_t here = open_sockets();
    void *calls = here.sockets[SOCKET_CALLS];
    cr_assert_eq(zmq_bind(calls, "inproc://handover"), 0);
    void *old = dial_as(&here, "the same", "inproc://handover");
    void *new = dial_as(&here, "the same", "inproc://handover");
    cr_assert_eq(zmq_send(calls, "the same", 8, ZMQ_SNDMORE | ZMQ_DONTWAIT), 8);
    cr_assert_eq(zmq_send(calls, "welcome", 7, ZMQ_DONTWAIT), 7);
    char got[32];
    cr_assert_eq(zmq_recv(new, got, sizeof got, 0), 7);
    socket_close(&old, true);
    socket_close(&new, true);
    close_sockets(&here);
}

Test(socket, a_queue_that_is_full_says_so, .timeout = 10)
{
    fixture_t here = open_sockets();
    void *calls = here.sockets[SOCKET_CALLS];
    cr_assert_eq(zmq_bind(calls, "inproc://full"), 0);
    void *deaf = dial_as(&here, "deaf", "inproc://full");
    int sent = 0;
    while (zmq_send(calls, "deaf", 4, ZMQ_SNDMORE | ZMQ_DONTWAIT) == 4) {
        cr_assert_eq(zmq_send(calls, "x", 1, ZMQ_DONTWAIT), 1);
        cr_assert_lt(++sent, 100000);
    }
    cr_assert_eq(zmq_errno(), EAGAIN);
    socket_close(&deaf, true);
    close_sockets(&here);
}

Test(socket, routing_ids_that_libzmq_gives_are_not_guessed, .timeout = 10)
{
    srand(1);
    int first = rand();
    cr_assert(socket_seed());
    int one = rand();
    srand(1);
    cr_assert(socket_seed());
    cr_assert(first != one || one != rand()); // three alike: once in 2^62
}
