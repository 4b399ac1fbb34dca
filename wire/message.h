// message.h - one struct a verb, its encoder and its decoder, all made from verbs.h. What comes from a
// peer is checked here, once: a message_t that message_next() gave is well typed and within the limits.

#ifndef MOBULA_WIRE_MESSAGE_H
#define MOBULA_WIRE_MESSAGE_H

#include "batch.h"
#include "verbs.h"

typedef struct refs { // of a message read: wire; of one to write: items, or wire to hand on what was read
    const mob_ref_t *items;
    const uint8_t *wire;
    uint32_t count;
    uint32_t size; // bytes of wire
} refs_t;

typedef struct loads { // likewise
    const load_t *items;
    const uint8_t *wire;
    blob_t *const *blobs;
    uint32_t count;
    uint32_t size;
} loads_t;

mob_ref_t refs_next(refs_t *self); // takes the first out; only while count > 0
load_t loads_next(loads_t *self);

typedef struct opts { // absent numbers are 0, absent texts empty
#define MOB__OPT_i64(name) int64_t name;
#define MOB__OPT_str(name) mob_bytes_t name;
#define O(number, type, name) MOB__OPT_##type(name)
    MOB_OPTIONS(O)
#undef O
} opts_t;

enum { // numbers of options, OPT_timeout_ms and so on
#define O(number, type, name) OPT_##name = number,
    MOB_OPTIONS(O)
#undef O
};

typedef struct opts_field { // decoded only when somebody looks: most calls carry none
    const opts_t *set;      // of one to write; NULL: none
    const uint8_t *wire;    // of one read: the map, already checked
    uint32_t size;          // bytes of wire; 0: no option
} opts_field_t;

opts_t opts_read(opts_field_t field);               // texts are views into the message
bool opts_say(opts_field_t field, uint32_t number); // of one read: whether it is there, 0 or not

// Types of fields in C.
typedef uint32_t field_u32;
typedef uint64_t field_u64;
typedef int64_t field_i64;
typedef bool field_flag;
typedef mob_bytes_t field_str, field_bin;
typedef mob_ref_t field_ref;
typedef refs_t field_refs;
typedef load_t field_load;
typedef loads_t field_loads;
typedef loads_t field_inner;
typedef opts_field_t field_opts;

// Items of an envelope's array that a field takes.
enum {
    ITEMS_u32 = 1,
    ITEMS_u64 = 1,
    ITEMS_i64 = 1,
    ITEMS_flag = 1,
    ITEMS_str = 1,
    ITEMS_bin = 1,
    ITEMS_ref = 2,
    ITEMS_refs = 1,
    ITEMS_load = 1,
    ITEMS_loads = 1,
    ITEMS_inner = 0, // one, but it may be left out
    ITEMS_opts = 1
};

#define F(type, name) field_##type name;
#define V(NAME, name, number)   \
    typedef struct msg_##name { \
        MOB_##NAME(F)           \
    } msg_##name##_t;
MOB_VERBS(V)
#undef V
#undef F

typedef enum verb {
    VERB_NONE,
#define V(NAME, name, number) VERB_##NAME = number,
    MOB_VERBS(V)
#undef V
        VERB_MAX
} verb_t;

typedef struct message {
    verb_t verb;
    union {
#define V(NAME, name, number) msg_##name##_t name;
        MOB_VERBS(V)
#undef V
    };
} message_t;

const char *verb_name(uint32_t verb); // "CALL"; "?" for a number that is none
bool verb_is_request(uint64_t verb);  // its first field is seq, from 1 up, and admitted in order

// The next envelope of an opened batch.
typedef enum message_state {
    MESSAGE_OK,  // out is filled
    MESSAGE_END, // no more
    MESSAGE_BAD, // whole MessagePack, but not a message: skipped, go on; out->verb as far as known
    MESSAGE_BROKEN // undecodable: the rest of the batch is lost
} message_state_t;

typedef struct message_fault { // what was wrong, for ERROR and for people
    uint32_t verb;             // 0: unknown
    const char *field;         // "" when it is the envelope itself
    const char *wrong; // FRAMES PROTO MSGPACK FIELD TYPE RANGE LIMIT: the words of the protocol
    uint64_t seq;      // of a request whose seq could be read; else 0
} message_fault_t;

message_state_t message_next(batch_reader_t *batch, message_t *out, message_fault_t *fault);

// Append an envelope: message_CALL(batch, &(msg_call_t){.seq = 1, ...}). False, and nothing was written:
// no memory, or a limit (a 17th blob, MOB_FRAME_MAX, a payload above MOB_BLOB_MAX): an empty batch may
// have the room that this one lacks. A str is cut at MOB_TEXT_MAX, and what is not UTF-8 in it, or NUL,
// becomes '?': what we write, the other side accepts.
#define V(NAME, name, number) bool message_##NAME(batch_t *batch, const msg_##name##_t *msg);
MOB_VERBS(V)
#undef V

#endif
