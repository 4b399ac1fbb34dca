// filter.h - the one filter language, of monitor, list and the broker: key op value, and, or, not, globs.
//
//   dst~ledger* and (took>10ms or status!=ok)      ev=call,reply      side=api-3121      transfer
//
// A text is compiled once into a small program of at most FILTER_TERMS_MAX terms and then run on many
// records in linear time. No allocation: a filter_t is a plain value; copy it, forget it.

#ifndef MOBULA_WIRE_FILTER_H
#define MOBULA_WIRE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FILTER_TERMS_MAX = 64,
    FILTER_VALUES_MAX = 96, // of all lists together
    FILTER_TEXT_MAX = 1024,
    FILTER_CODE_MAX = 256,
    FILTER_DEPTH_MAX = 32 // of parentheses
};

// What a record can be asked for, and what is compared: T text, N number, D duration in microseconds,
// B bytes, S a signature: its first word is enough ("add" for "add i64 -> i64").
// clang-format off
#define FILTER_KEYS(K)                                                                             \
    K(ev, T) K(src, T) K(dst, T) K(class, S) K(actor, T) K(method, S) K(task, S) K(host, T)        \
    K(worker, T) K(status, T) K(error, T) K(reason, T) K(id, T) K(trace, T) K(state, T) K(name, S) \
    K(kind, T) K(role, T) K(space, T) K(note, T) K(session, T) K(cause, T)                         \
    K(owner, T) K(holder, T) K(where, T) K(what, S)                                                \
    K(bytes, B) K(memory, B)                                                                       \
    K(took, D) K(wait, D) K(run, D) K(age, D)                                                      \
    K(attempt, N) K(mailbox, N) K(pid, N) K(incarnation, N) K(restarts, N) K(slots, N)             \
    K(workers, N) K(actors, N) K(pending, N) K(running, N) K(waiting, N) K(holds, N) K(items, N) \
    K(sample, N)

typedef enum filter_key {
#define K(name, type) FILTER_KEY_##name,
    FILTER_KEYS(K)
#undef K
    FILTER_KEY_side, // src or dst; never asked of a getter
    FILTER_KEY_word, // a part of src, dst, method, id, name, class; never asked of a getter
    FILTER_KEY_MAX
} filter_key_t;
// clang-format on

const char *filter_key_name(filter_key_t key);
bool filter_key_of(const char *text, size_t size, filter_key_t *key); // from and to are src and dst

typedef struct filter_value { // what a getter gives; text NULL and number false: the record has none
    const char *text;         // not ended by NUL
    size_t size;
    bool is_number;
    int64_t number;
} filter_value_t;

#define FILTER_NOTHING ((filter_value_t){0})
#define FILTER_TEXT(t, n) ((filter_value_t){.text = (t), .size = (n)})
#define FILTER_NUMBER(value) ((filter_value_t){.is_number = true, .number = (value)})

typedef filter_value_t(filter_get_fn)(void *arg, filter_key_t key);

// Three-valued: a regular expression is UNKNOWN to a filter without an engine, so that not stays right.
// The broker lets everything pass that is not NO; the client, which has one, decides.
typedef enum filter_verdict { FILTER_NO, FILTER_UNKNOWN, FILTER_YES } filter_verdict_t;

typedef bool(filter_regex_fn)(void *arg, unsigned number, const char *pattern, const char *text,
                              size_t size);

typedef struct filter_term {
    uint8_t key, op;
    uint16_t first, count; // of values; one but for lists
} filter_term_t;

typedef struct filter_literal {
    uint16_t at, size; // in text
    bool is_number;
    int64_t number;
} filter_literal_t;

typedef struct filter {
    uint16_t term_count, value_count, text_size, code_size;
    uint16_t code[FILTER_CODE_MAX]; // postfix; empty: everything matches
    filter_term_t terms[FILTER_TERMS_MAX];
    filter_literal_t values[FILTER_VALUES_MAX];
    char text[FILTER_TEXT_MAX]; // of the values, each with a NUL behind it
    filter_regex_fn *regex;     // NULL: UNKNOWN
    void *regex_arg;
    const char *wrong; // after a failed parse: one sentence, static
} filter_t;

// Compile. NULL and "" match everything. False: error_column (from 1) and out->wrong say what is wrong.
bool filter_parse(const char *text, filter_t *out, unsigned *error_column);

filter_verdict_t filter_match(const filter_t *self, filter_get_fn *get, void *arg);

static inline bool filter_is_empty(const filter_t *self)
{
    return self->code_size == 0;
}

// What key `sample` gives: a lot below FILTER_SAMPLES, the same for all records of one call, so that a sample has
// its replies, too.
enum { FILTER_SAMPLES = 1000000 };
static inline int64_t filter_sample(uint64_t owner, uint64_t seq)
{
    uint64_t x = (owner ^ seq) * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    return (int64_t)((x ^ (x >> 32)) % FILTER_SAMPLES);
}

// True if text fits the pattern: * any run, ? one byte; letters without case. Linear time.
bool filter_glob(const char *pattern, size_t pattern_size, const char *text, size_t size);

#endif
