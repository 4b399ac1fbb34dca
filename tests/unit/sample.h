// sample.h - one message of each verb with every field filled in, by the rule that
// tests/wire/make_vectors.py follows, too.

#ifndef MOBULA_TESTS_SAMPLE_H
#define MOBULA_TESTS_SAMPLE_H

#include <stdio.h>
#include <string.h>

#include "inner.h"

typedef struct sample { // where the views of its fields point
    message_t message;
    char texts[32][16];
    mob_ref_t refs[32][2];
    load_t loads[32][INNER_LOADS_MAX];
    uint8_t inner[32][2][INNER_SIZE];
    opts_t opts;
} sample_t;

static inline mob_bytes_t sample_text(sample_t *self, int place, const char *what)
{
    int size = snprintf(self->texts[place], sizeof self->texts[place], "%s %d", what, place);
    return (mob_bytes_t){self->texts[place], (size_t)size};
}

static inline field_u32 sample_u32(sample_t *self, int place)
{
    (void)self;
    return 1000 + (uint32_t)place;
}

static inline field_u64 sample_u64(sample_t *self, int place)
{
    (void)self;
    return ((uint64_t)1 << 40) + (uint64_t)place;
}

static inline field_i64 sample_i64(sample_t *self, int place)
{
    (void)self;
    return -(1 << 20) - place;
}

static inline field_str sample_str(sample_t *self, int place)
{
    return sample_text(self, place, "text");
}

static inline field_bin sample_bin(sample_t *self, int place)
{
    return sample_text(self, place, "bytes");
}

static inline field_ref sample_ref(sample_t *self, int place)
{
    (void)self;
    return (mob_ref_t){((uint64_t)1 << 63) + (uint64_t)place, 70000 + (uint64_t)place};
}

static inline field_refs sample_refs(sample_t *self, int place)
{
    self->refs[place][0] = (mob_ref_t){((uint64_t)1 << 63) + (uint64_t)place, 1};
    self->refs[place][1] = (mob_ref_t){2, 300 + (uint64_t)place};
    return (refs_t){.items = self->refs[place], .count = 2};
}

static inline field_load sample_load(sample_t *self, int place)
{
    mob_bytes_t text = sample_text(self, place, "load");
    return load_bytes(text.data, text.size);
}

static inline field_loads sample_loads(sample_t *self, int place)
{
    self->loads[place][0] = load_bytes("one", 3);
    self->loads[place][1] = (load_t){0};
    self->loads[place][2] = sample_load(self, place);
    return (loads_t){.items = self->loads[place], .count = 3};
}

static inline field_flag sample_flag(sample_t *self, int place)
{
    (void)self;
    return place % 2 == 0;
}

static inline field_inner sample_inner(sample_t *self, int place)
{
    uint8_t(*bytes)[INNER_SIZE] = self->inner[place];
    inner_put_at(bytes[0], (mob_ref_t){((uint64_t)1 << 63) + (uint64_t)place, 1});
    inner_put_at(bytes[1], (mob_ref_t){2, 300 + (uint64_t)place});
    return inner_of(self->loads[place], load_bytes(bytes[1], INNER_SIZE),
                    load_bytes(bytes[0], INNER_SIZE));
}

static inline field_opts sample_opts(sample_t *self, int place)
{
    (void)place;
    self->opts = (opts_t){.timeout_ms = 5000, .max_retries = -2, .name = {"name", 4}};
    return (opts_field_t){.set = &self->opts};
}

static inline void sample_fill(sample_t *self, verb_t verb)
{
    int place = 0;
    memset(self, 0, sizeof *self);
    self->message.verb = verb;
#define F(type, field) msg->field = sample_##type(self, place++);
#define V(NAME, name, number)                      \
    if (verb == VERB_##NAME) {                     \
        msg_##name##_t *msg = &self->message.name; \
        MOB_##NAME(F)                              \
    }
    MOB_VERBS(V)
#undef V
#undef F
}

// Append whatever message it is.
static inline bool message_append(batch_t *batch, const message_t *message)
{
#define V(NAME, name, number)         \
    if (message->verb == VERB_##NAME) \
        return message_##NAME(batch, &message->name);
    MOB_VERBS(V)
#undef V
    return false;
}

static const verb_t sample_verbs[] = {
#define V(NAME, name, number) VERB_##NAME,
    MOB_VERBS(V)
#undef V
};

enum { SAMPLE_VERBS = sizeof sample_verbs / sizeof *sample_verbs };

static inline void sample_append(batch_t *batch, verb_t verb)
{
    sample_t sample;
    sample_fill(&sample, verb);
    message_append(batch, &sample.message);
}

#endif
