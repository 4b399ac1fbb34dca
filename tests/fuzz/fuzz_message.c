// fuzz_message.c - any bytes as frame 0: reading ends, and what was accepted can be written and
// read again as the same bytes.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/sample.h"

static const uint8_t frame_bytes[5000];

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void look_at_lazy_fields(message_t *message)
{
    if (message->verb == VERB_SUBMIT) {
        opts_t opts = opts_read(message->submit.opts);
        check(opts.name.size <= MOB_TEXT_MAX);
        while (message->submit.deps.count > 0)
            refs_next(&message->submit.deps);
    }
    if (message->verb == VERB_RUN)
        while (message->run.deps.count > 0)
            check(loads_next(&message->run.deps).size <= MOB_LOAD_MAX);
}

// Written again twice: the second time from what we wrote ourselves, and then bytes must be equal.
static void check_again(const message_t *message, batch_t *first, batch_t *second)
{
    message_t again;
    message_fault_t fault;
    batch_clear(first);
    batch_clear(second);
    if (!message_append(first, message))
        return; // integers in wide forms took more than the frame, or blobs were used up
    batch_reader_t in =
        batch_open(first->pack.data, first->pack.size, first->blobs, first->blob_count);
    check(message_next(&in, &again, &fault) == MESSAGE_OK);
    check(again.verb == message->verb);
    check(message_append(second, &again));
    check(second->pack.size == first->pack.size);
    check(memcmp(second->pack.data, first->pack.data, first->pack.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    batch_t first = BATCH_INIT, second = BATCH_INIT;
    blob_t *blobs[2] = {blob_new(frame_bytes, sizeof frame_bytes), blob_new("x", 1)};
    batch_reader_t in = batch_open(data, size, blobs, 2);
    message_t message;
    message_fault_t fault;
    for (size_t left = size + 2;; left--) {
        check(left > 0);
        message_state_t state = message_next(&in, &message, &fault);
        if (state == MESSAGE_END)
            break;
        if (state == MESSAGE_OK) {
            check_again(&message, &first, &second);
            look_at_lazy_fields(&message);
        } else {
            check(fault.field && fault.wrong[0]);
        }
    }
    batch_fini(&first);
    batch_fini(&second);
    blob_drop(&blobs[0]);
    blob_drop(&blobs[1]);
    return 0;
}
