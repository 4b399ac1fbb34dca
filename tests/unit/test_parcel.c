// Frames become blobs and back: nothing copied that is big, nothing kept that is too much.

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "parcel.h"
#include "socket.h"

static void *zmq, *calls, *peer;
static const char route[MOB_ROUTE_SIZE + 1] = "sixteen bytes id";
static char why[256];

static void set_up(void)
{
    zmq = zmq_ctx_new();
    calls = socket_new(zmq, SOCKET_CALLS, why, sizeof why);
    peer = zmq_socket(zmq, ZMQ_DEALER);
    zmq_setsockopt(peer, ZMQ_ROUTING_ID, route, MOB_ROUTE_SIZE);
    cr_assert_eq(zmq_bind(calls, "inproc://parcel"), 0);
    cr_assert_eq(zmq_connect(peer, "inproc://parcel"), 0);
}

static void tear_down(void)
{
    socket_close(&calls, true);
    socket_close(&peer, true);
    zmq_ctx_term(zmq);
}

TestSuite(parcel, .init = set_up, .fini = tear_down, .timeout = 10);

static void send_frames(size_t count, size_t size) // frame i is full of i
{
    char *bytes = malloc(size + 1);
    for (size_t i = 0; i < count; i++) {
        memset(bytes, (int)i, size + 1);
        zmq_send(peer, bytes, size, i + 1 < count ? ZMQ_SNDMORE : 0);
    }
    free(bytes);
}

static parcel_t receive(void)
{
    parcel_t parcel;
    while (!parcel_receive(&parcel, calls))
        ;
    cr_expect(!parcel.stranger);
    cr_expect_eq(memcmp(parcel.route, route, MOB_ROUTE_SIZE), 0);
    return parcel;
}

Test(parcel, nothing_there_is_nothing)
{
    parcel_t parcel;
    cr_expect(!parcel_receive(&parcel, calls));
}

Test(parcel, sixteen_blobs_and_not_one_more)
{
    send_frames(1 + MOB_BLOBS_MAX, 5000);
    parcel_t parcel = receive();
    cr_expect_null(parcel.wrong);
    cr_expect_eq(parcel.blob_count, MOB_BLOBS_MAX);
    cr_expect_eq(parcel.blobs[15]->size, 5000);
    cr_expect_eq(parcel.blobs[15]->data[4999], 16);
    cr_expect_eq(parcel.bytes, 17u * 5000);
    parcel_close(&parcel);

    send_frames(2 + MOB_BLOBS_MAX, 5000);
    parcel = receive();
    cr_expect_str_eq(parcel.wrong, "FRAMES");
    cr_expect_eq(parcel.blob_count, 0);
    parcel_close(&parcel);
}

Test(parcel, an_empty_frame_is_wrong_wherever_it_stands)
{
    send_frames(1, 0);
    parcel_t parcel = receive();
    cr_expect_str_eq(parcel.wrong, "FRAMES");
    parcel_close(&parcel);

    zmq_send(peer, "x", 1, ZMQ_SNDMORE);
    zmq_send(peer, "", 0, ZMQ_SNDMORE);
    zmq_send(peer, "y", 1, 0);
    parcel = receive();
    cr_expect_str_eq(parcel.wrong, "FRAMES");
    parcel_close(&parcel);
    cr_expect(!parcel_receive(&parcel, calls), "the rest was read");
}

Test(parcel, a_blob_outlives_its_parcel_and_travels_on)
{
    send_frames(2, 50000);
    parcel_t parcel = receive();
    blob_t *blob = blob_hold(parcel.blobs[0]);
    parcel_close(&parcel);

    batch_t batch = BATCH_INIT;
    message_DONE(&batch, &(msg_done_t){.seq = 1, .value = load_of(blob)});
    cr_assert_eq(parcel_send(calls, (const uint8_t *)route, &batch), PARCEL_SENT);
    batch_fini(&batch);
    blob_drop(&blob);

    char got[50001];
    cr_expect_gt(zmq_recv(peer, got, sizeof got, 0), 0);
    cr_expect_eq(zmq_recv(peer, got, sizeof got, 0), 50000);
    cr_expect_eq(got[0], 1);
    cr_expect_eq(got[49999], 1);
}

Test(parcel, a_small_batch_keeps_its_memory_and_a_big_one_gives_it_away)
{
    char big[MOB_INLINE_MAX] = "", got[8192];
    batch_t batch = BATCH_INIT;
    message_PING(&batch, &(msg_ping_t){.epoch = 1});
    cr_assert_eq(parcel_send(calls, (const uint8_t *)route, &batch), PARCEL_SENT);
    cr_expect_not_null(batch.pack.data);
    batch_clear(&batch);
    cr_expect_eq(zmq_recv(peer, got, sizeof got, 0), 4);

    message_DONE(&batch, &(msg_done_t){.seq = 1, .value = load_bytes(big, sizeof big)});
    cr_assert_eq(parcel_send(calls, (const uint8_t *)route, &batch), PARCEL_SENT);
    cr_expect_null(batch.pack.data);
    batch_clear(&batch);
    cr_expect_gt(zmq_recv(peer, got, sizeof got, 0), (int)sizeof big);
    batch_fini(&batch);
}

Test(parcel, for_nobody_the_batch_stays_whole)
{
    batch_t batch = BATCH_INIT;
    message_PING(&batch, &(msg_ping_t){.epoch = 1});
    cr_expect_eq(parcel_send(calls, (const uint8_t *)"nobody has it!!!", &batch), PARCEL_GONE);
    cr_expect_eq(batch.count, 1);
    batch_fini(&batch);
}

Test(parcel, for_a_full_queue_the_batch_stays_whole)
{
    batch_t batch = BATCH_INIT;
    parcel_sent_t sent;
    send_frames(1, 1); // connected
    parcel_t parcel = receive();
    parcel_close(&parcel);
    do {
        message_PING(&batch, &(msg_ping_t){.epoch = 1});
        sent = parcel_send(calls, (const uint8_t *)route, &batch);
        if (sent == PARCEL_SENT)
            batch_clear(&batch);
    } while (sent == PARCEL_SENT);
    cr_expect_eq(sent, PARCEL_FULL);
    cr_expect_eq(batch.count, 1);
    batch_fini(&batch);
}

Test(parcel, a_stranger_is_known_by_the_size_of_its_id)
{
    parcel_t parcel;
    void *stranger = zmq_socket(zmq, ZMQ_DEALER);
    zmq_connect(stranger, "inproc://parcel");
    zmq_send(stranger, "x", 1, 0);
    while (!parcel_receive(&parcel, calls))
        ;
    cr_expect(parcel.stranger);
    parcel_close(&parcel);
    socket_close(&stranger, true);
}
