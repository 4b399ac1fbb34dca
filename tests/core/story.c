// story.c - see story.h.

#include "story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

story_t *story;

story_t *story_new(const core_config_t *config)
{
    story_t *self = calloc(1, sizeof *self);
    core_config_t plain = config ? *config : (core_config_t){0};
    if (plain.rejoin_us == 0)
        plain.rejoin_us = -1;
    self->core = core_new(&plain);
    self->now = 1000000;
    return self;
}

static void forget(heard_t **heard_p)
{
    if (*heard_p) {
        batch_fini(&(*heard_p)->batch);
        free(*heard_p);
    }
    *heard_p = NULL;
}

void story_destroy(story_t **self_p)
{
    story_t *self = *self_p;
    const char *broken = core_check(self->core);
    cr_assert_null(broken, "invariant: %s", broken);
    for (int who = 0; who < STORY_PEERS; who++)
        for (size_t i = 0; i < STORY_QUEUE; i++)
            forget(&self->who[who].queue[i]);
    core_destroy(&self->core);
    arena_clear(&self->told);
    free(self);
    *self_p = NULL;
}

void story_end(void)
{
    story_destroy(&story);
}

static bool housekeeping(verb_t verb)
{
    return verb == VERB_ACCEPT || verb == VERB_TAKEN || verb == VERB_NAME || verb == VERB_NOTE ||
           verb == VERB_HUGZ || verb == VERB_PING;
}

// Keep each message with bytes of its own.
static void keep(story_t *self, int who, const batch_t *batch)
{
    batch_reader_t walk =
        batch_open(batch->pack.data, batch->pack.size, batch->blobs, batch->blob_count);
    message_fault_t fault;
    message_t message;
    uint32_t skip = 0;
    for (message_state_t state; (state = message_next(&walk, &message, &fault)) != MESSAGE_END;
         skip++) {
        cr_assert_eq(state, MESSAGE_OK, "the core sent a bad %s: %s %s", verb_name(fault.verb),
                     fault.wrong, fault.field);
        if (message.verb == VERB_ACCEPT)
            self->who[who].accepted = message.accept.seq;
        if (housekeeping(message.verb))
            continue;
        heard_t *heard = calloc(1, sizeof *heard);
        pack_raw(&heard->batch.pack, batch->pack.data, batch->pack.size);
        for (uint32_t i = 0; i < batch->blob_count; i++)
            heard->batch.blobs[heard->batch.blob_count++] = blob_hold(batch->blobs[i]);
        batch_reader_t again = batch_open(heard->batch.pack.data, heard->batch.pack.size,
                                          heard->batch.blobs, heard->batch.blob_count);
        for (uint32_t i = 0; i <= skip; i++)
            message_next(&again, &heard->message, &fault);
        size_t place = self->who[who].first + self->who[who].count++;
        cr_assert_lt(place, (size_t)STORY_QUEUE);
        self->who[who].queue[place] = heard;
    }
}

static void empty(story_t *self, int who, outbox_t *box)
{
    for (batch_t *batch; (batch = outbox_first(box)) != NULL; outbox_sent(box))
        keep(self, who, batch);
}

static void collect(story_t *self)
{
    for (peer_t *peer; (peer = core_next_dirty(self->core)) != NULL;) {
        int who = (int)(intptr_t)peer_link(peer);
        empty(self, who, peer_calls(peer));
        empty(self, who, peer_notes(peer));
        empty(self, who, peer_feed(peer));
    }
}

void story_say(story_t *self, int who, const batch_t *batch)
{
    if (!self->who[who].peer)
        self->who[who].peer = core_open(self->core, self->now, (void *)(intptr_t)who);
    batch_reader_t walk =
        batch_open(batch->pack.data, batch->pack.size, batch->blobs, batch->blob_count);
    message_fault_t fault;
    message_t message;
    for (message_state_t state; (state = message_next(&walk, &message, &fault)) != MESSAGE_END;) {
        if (state == MESSAGE_OK)
            core_message(self->core, self->now, self->who[who].peer, &message);
        else
            core_fault_of(self->core, self->now, self->who[who].peer, &fault);
        if (state == MESSAGE_BROKEN)
            break;
    }
    collect(self);
}

void story_pass(story_t *self, int64_t ms)
{
    int64_t until = self->now + ms * 1000;
    for (int64_t next; (next = core_next_deadline(self->core)) <= until;) {
        self->now = next > self->now ? next : self->now;
        core_tick(self->core, self->now);
        collect(self);
    }
    self->now = until;
}

void story_join(story_t *self, int who, enum wire_role role, uint64_t owner, uint64_t host)
{
    char topic[MOB_TOPIC_SIZE] = "topic";
    topic[15] = (char)('A' + who);
    say(self, who, HELLO, hello, .major = 1, .owner = owner, .topic = {topic, sizeof topic},
        .role = role, .host = host, .epoch = role == ROLE_WORKER, .pid = (uint32_t)(100 + who));
    hear(self, who, WELCOME, welcome);
    say(self, who, PING, ping, .epoch = 1, .heard = 1);
}

void story_name(story_t *self, int who, uint32_t symbol, const char *text)
{
    say(self, who, NAME, name, .symbol = symbol, .text = {text, strlen(text)});
}

void story_leave(story_t *self, int who, enum wire_cause cause)
{
    core_gone(self->core, self->now, self->who[who].peer, cause);
    collect(self);
}

void story_value(story_t *self, int who, uint64_t seq, const char *value)
{
    const msg_done_t *done = hear(self, who, DONE, done);
    cr_assert_eq(done->seq, seq);
    cr_assert_eq(done->value.size, strlen(value));
    cr_assert_eq(memcmp(done->value.data, value, strlen(value)), 0);
}

failure_t story_failure(story_t *self, int who, uint64_t seq, mob_err_t err)
{
    const msg_answer_t *answer = hear(self, who, ANSWER, answer);
    failure_t failure = {0};
    cr_assert_eq(answer->ref.seq, seq);
    cr_assert_eq(answer->code, (uint32_t)err);
    cr_assert(failure_unpack(answer->value, &self->told, &failure));
    cr_assert_eq(failure.err, err, "%s", failure.reason);
    failure.reason = failure.reason ? failure.reason : "";
    return failure;
}

void story_drain(story_t *self)
{
    core_drain(self->core, self->now);
    collect(self);
}

enum { ROWS_TEXT = 8192 };

static void add_field(char text[ROWS_TEXT], unpack_t *in)
{
    size_t used = strlen(text);
    mob_bytes_t key = unpack_str(in, 64);
    pack_token_t value = unpack_token(in);
    int size = (int)key.size;
    const char *name = key.data;
    if (value.type == PACK_STR)
        snprintf(text + used, ROWS_TEXT - used, "%.*s=%.*s, ", size, name, (int)value.bytes.size,
                 (const char *)value.bytes.data);
    else
        snprintf(text + used, ROWS_TEXT - used, "%.*s=%lld, ", size, name, (long long)value.i64);
}

const char *story_rows(story_t *self, int who, uint64_t seq, const char *what, const char *filter)
{
    static char text[ROWS_TEXT];
    text[0] = '\0';
    say(self, who, QUERY, query, .seq = seq, .what = {what, strlen(what)},
        .filter = {filter, strlen(filter)});
    load_t value = hear(self, who, DONE, done)->value;
    unpack_t in = unpack_of(value.data, value.size);
    for (uint32_t rows = unpack_array(&in); rows > 0; rows--) {
        for (uint32_t fields = unpack_map(&in); fields > 0; fields--)
            add_field(text, &in);
        strcat(text, "\n");
    }
    return text;
}

const message_t *story_peek(story_t *self, int who)
{
    return self->who[who].count ? &self->who[who].queue[self->who[who].first]->message : NULL;
}

const message_t *story_hear(story_t *self, int who, verb_t verb, const char *file, int line)
{
    const message_t *message = story_peek(self, who);
    cr_assert(message, "%s:%d: %d hears nothing, expected %s", file, line, who, verb_name(verb));
    cr_assert_eq(message->verb, verb, "%s:%d: %d hears %s, expected %s", file, line, who,
                 verb_name(message->verb), verb_name(verb));
    self->who[who].first++;
    self->who[who].count--;
    return message;
}

void story_hear_nothing(story_t *self, int who, const char *file, int line)
{
    const message_t *message = story_peek(self, who);
    cr_assert_null(message, "%s:%d: %d hears %s, expected nothing", file, line, who,
                   message ? verb_name(message->verb) : "");
}

void story_forget(story_t *self)
{
    for (int who = 0; who < STORY_PEERS; who++) {
        heard_t **queue = self->who[who].queue;
        size_t first = self->who[who].first, count = self->who[who].count;
        for (size_t i = 0; i < first; i++)
            forget(&queue[i]);
        memmove(queue, queue + first, count * sizeof *queue);
        memset(queue + count, 0, first * sizeof *queue);
        self->who[who].first = 0;
    }
}

void story_host(story_t *self, int host, const char *task, const char *cls, const char *method,
                uint32_t slots)
{
    story_join(self, host, ROLE_HOST, (uint64_t)(1000 + host), 0);
    if (task)
        say(self, host, OFFER, offer, .name = {task, strlen(task)}, .usage = {task, strlen(task)},
            .kind = DEF_TASK);
    if (cls) {
        say(self, host, OFFER, offer, .name = {cls, strlen(cls)}, .usage = {cls, strlen(cls)},
            .kind = DEF_CLASS);
        say(self, host, METHOD, method, .name = {method, strlen(method)},
            .usage = {method, strlen(method)});
    }
    say(self, host, OPEN, open, .slots = slots);
}

uint64_t story_started(story_t *self, int host, uint32_t kind)
{
    const msg_start_t *start = hear(self, host, START, start);
    cr_assert_eq(start->kind, kind);
    return start->worker;
}

uint64_t story_worker(story_t *self, int host, uint32_t kind, int who)
{
    uint64_t owner = story_started(self, host, kind);
    story_join(self, who, ROLE_WORKER, owner, (uint64_t)(1000 + host));
    return owner;
}

void story_client_of(story_t *self, int who, const char *const *texts)
{
    story_join(self, who, ROLE_CLIENT, (uint64_t)(1000 + who), 0);
    for (uint32_t i = 0; texts[i]; i++)
        story_name(self, who, i + 1, texts[i]);
}
