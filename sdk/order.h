// order.h - a request in the making, between the public call and the batch. Its steps come in this
// order: init, options, body (or plain, or load), the envelope, leave; each may refuse, and then
// the order gives a failed ref. Wants the session's lock.

#ifndef MOBULA_ORDER_H
#define MOBULA_ORDER_H

#include "client.h"
#include "inner.h"
#include "upload.h"

enum { ORDER_REASON = 640 };

typedef struct order {
    mob_t *self;
    const char *name; // the signature, or what people know it by
    future_kind_t kind;
    bool forget, block, method;
    bool stream;
    int ahead;          // its items
    uint32_t returns;   // refs it gives
    const opts_t *opts; // NULL: none
    int64_t timeout_ms;
    uint32_t symbol;
    load_t args;
    blob_t *blob;   // of arguments that stand in a frame of their own
    block_t *large; // of those that go in pieces
    refs_t deps;
    loads_t inner; // refs inside the arguments
    load_t inner_loads[INNER_LOADS_MAX];
    future_t *future;  // of the next seq; NULL: nobody wants the result
    failure_t failure; // why it is refused
    char reason[ORDER_REASON];
} order_t;

void order_init(order_t *order, mob_t *self, const char *name, future_kind_t kind);
bool order_refuse(order_t *order, mob_err_t err, const char *why, const char *format, ...)
    MOB_PRINTF(4, 5);                    // gives false
mob_ref_t order_refused(order_t *order); // the failed ref, after a step gave false

// out and text live until the envelope is written; text has room for OPTION_TEXT.
bool order_is_open(order_t *order); // the connection is not over
bool order_options(order_t *order, const mob_opts_t *opts, opts_t *out, char *text);
bool order_body(order_t *order, const mob_value_t *args, size_t count); // symbol, arguments, future
bool order_load(order_t *order, mob_value_t value);                     // one argument, no symbol
bool order_plain(order_t *order);                                       // neither
bool order_fits(const order_t *order); // no step would have to wait for room

// The envelope was written, or there was no memory for it. Gives the ref.
mob_ref_t order_leave(order_t *order, bool written);

#endif
