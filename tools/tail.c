// tail.c - see tail.h.

#include "tail.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "clock.h"
#include "filter.h"
#include "say.h"

enum { SECOND_US = 1000000, FEED_HWM = 1000, AT_ONCE = 200, PAST_MS = 5000 };

static bool enough(const tail_t *self)
{
    return self->reader.enough(self->reader.arg);
}

// ---- What the broker answers --------------------------------------------------------------------

typedef struct answer { // to "tail" and to "past"
    mob_bytes_t topic, events;
    const char *endpoint;
    uint64_t n, first, next, left;
    int64_t since_us;
} answer_t;

static bool is(const char *key, const char *name)
{
    return strcmp(key, name) == 0;
}

static bool read_answer(mob_reader_t *reader, answer_t *out)
{
    size_t pairs = mob_read_map(reader);
    *out = (answer_t){.endpoint = ""};
    for (size_t i = 0; i < pairs && !reader->err; i++) {
        const char *key = mob_read_str(reader);
        if (is(key, "topic"))
            out->topic = mob_read_bytes(reader);
        else if (is(key, "events"))
            out->events = mob_read_bytes(reader);
        else if (is(key, "endpoint"))
            out->endpoint = mob_read_str(reader);
        else if (is(key, "since_us"))
            out->since_us = mob_read_i64(reader);
        else
            *(is(key, "n")       ? &out->n
              : is(key, "first") ? &out->first
              : is(key, "next")  ? &out->next
                                 : &out->left) = (uint64_t)mob_read_i64(reader);
    }
    return !reader->err;
}

static int not_understood(tail_t *self)
{
    trouble_t out = trouble(MOB_EPROTO, "the broker's answer is not that of a tail");
    return say_trouble(self->tool, &out);
}

// ---- Records ------------------------------------------------------------------------------------

typedef void(take_fn)(tail_t *, const msg_event_t *);

static void read_records(tail_t *self, const void *data, size_t size, take_fn *take)
{
    batch_reader_t batch = batch_open(data, size, NULL, 0);
    message_t message;
    message_fault_t fault;
    message_state_t state;
    while (!enough(self) && (state = message_next(&batch, &message, &fault)) != MESSAGE_END &&
           state != MESSAGE_BROKEN) {
        if (state == MESSAGE_OK && message.verb == VERB_EVENT)
            take(self, &message.event);
    }
}

static void give(tail_t *self, const msg_event_t *event)
{
    if (self->skip > 0)
        self->skip--;
    else
        self->reader.record(self->reader.arg, event);
}

static void lose(tail_t *self, uint64_t count)
{
    if (count > 0 && !enough(self))
        self->reader.lost(self->reader.arg, count);
}

// ---- The past -----------------------------------------------------------------------------------

static mob_err_t ask_past(tail_t *self, const char *filter, answer_t *answer)
{
    char page[FILTER_TEXT_MAX + 128];
    mob_reader_t reader;
    snprintf(page, sizeof page, "%" PRIu64 " %s", self->cursor, filter);
    mob_ref_t ref = mob_query(self->tool->client, "past", page);
    mob_err_t err = mob_await(self->tool->client, ref, &reader, PAST_MS);
    if (!err && !read_answer(&reader, answer))
        err = MOB_EPROTO;
    if (!err) {
        lose(self,
             answer->first > self->cursor && self->cursor > 0 ? answer->first - self->cursor : 0);
        self->cursor = answer->next;
        self->last = answer->n;
        read_records(self, answer->events.data, answer->events.size, give);
    }
    mob_drop(self->tool->client, ref);
    return err;
}

// From the cursor to the recorder's end; the feed goes on behind it.
static mob_err_t catch_up(tail_t *self, const char *filter, int64_t *since_us)
{
    answer_t answer = {.left = 1};
    mob_err_t err = MOB_OK;
    while (!err && answer.left > 0 && !enough(self))
        err = ask_past(self, filter, &answer);
    *since_us = answer.since_us;
    self->skip = 0;
    return err;
}

int tail_past(tail_t *self, int64_t age_us, int64_t *reach_us)
{
    char filter[FILTER_TEXT_MAX + 64];
    int64_t since;
    bool all = *self->filter == '\0';
    snprintf(filter, sizeof filter, "age<=%" PRId64 "us%s%s%s", age_us, all ? "" : " and (",
             self->filter, all ? "" : ")");
    self->cursor = 0;
    mob_err_t err = catch_up(self, filter, &since);
    *reach_us = clock_wall_us() - since;
    if (!err)
        return 0;
    trouble_t out = trouble(err, "cannot read the flight recorder");
    return say_trouble(self->tool, &out);
}

// ---- Gaps ---------------------------------------------------------------------------------------

static void fill(tail_t *self, uint64_t missing)
{
    int64_t since;
    if (self->live)
        lose(self, missing);
    else if (catch_up(self, self->filter, &since) != MOB_OK)
        lose(self, missing);
}

static void take(tail_t *self, const msg_event_t *event)
{
    if (event->n > self->last + 1)
        fill(self, event->n - self->last - 1);
    if (event->n <= self->last) // the recorder had it
        return;
    self->live = true;
    self->last = event->n;
    if (!enough(self))
        give(self, event);
}

// The broker has begun anew to count: it started again, or had not heard of us for long.
static void begin_again(tail_t *self, const answer_t *answer)
{
    bool restarted = answer->next < self->seen;
    int64_t since;
    self->cursor = restarted ? answer->first : self->seen;
    self->skip = restarted || self->last < self->shown ? 0 : self->last - self->shown;
    self->first = answer->first;
    self->live = false;
    self->last = 0;
    if (catch_up(self, self->filter, &since) != MOB_OK)
        lose(self, answer->n);
}

// What was said a second ago and has not come by now will not come.
static void hear(tail_t *self, const answer_t *answer)
{
    if (answer->first != self->first || answer->next < self->seen)
        begin_again(self, answer);
    else if (answer->n > self->last)
        fill(self, answer->n - self->last);
    self->last = answer->n > self->last ? answer->n : self->last;
    self->seen = answer->next;
    self->shown = answer->n;
}

// ---- Keeping it alive ---------------------------------------------------------------------------

static void ask(tail_t *self, int64_t now)
{
    self->asked = mob_query(self->tool->client, "tail", self->filter);
    self->ask_at = now + SECOND_US;
}

static void ask_again(tail_t *self, int64_t now, bool drained)
{
    mob_reader_t reader;
    answer_t answer;
    if (drained && mob_await(self->tool->client, self->asked, &reader, 0) == MOB_OK &&
        read_answer(&reader, &answer))
        hear(self, &answer);
    mob_drop(self->tool->client, self->asked);
    ask(self, now);
}

// ---- The feed -----------------------------------------------------------------------------------

static int subscribe(tail_t *self, const answer_t *answer)
{
    char sibling[ENDPOINT_MAX];
    const char *endpoint = answer->endpoint;
    int hwm = FEED_HWM, none = 0;
    if (!*endpoint && endpoint_sibling(self->tool->address, "feed", 2, sibling, sizeof sibling))
        endpoint = sibling;
    self->context = zmq_ctx_new();
    self->feed = self->context ? zmq_socket(self->context, ZMQ_SUB) : NULL;
    bool fine =
        self->feed && zmq_setsockopt(self->feed, ZMQ_RCVHWM, &hwm, sizeof hwm) == 0 &&
        zmq_setsockopt(self->feed, ZMQ_LINGER, &none, sizeof none) == 0 &&
        zmq_setsockopt(self->feed, ZMQ_SUBSCRIBE, answer->topic.data, answer->topic.size) == 0 &&
        zmq_connect(self->feed, endpoint) == 0;
    if (fine)
        return 0;
    trouble_t out = trouble(MOB_EOFFLINE, "cannot follow the feed at %s: %s", endpoint,
                            zmq_strerror(zmq_errno()));
    return say_trouble(self->tool, &out);
}

int tail_open(tail_t *self, tool_t *tool, const char *filter, tail_reader_t reader)
{
    *self = (tail_t){.tool = tool, .filter = filter, .reader = reader};
    mob_reader_t in;
    answer_t answer;
    ask(self, clock_us());
    mob_err_t err = tool_await(tool, self->asked, &in);
    if (err)
        return say_failure(tool, self->asked, err, "monitor");
    if (!read_answer(&in, &answer) || answer.topic.size == 0)
        return not_understood(self);
    self->last = self->shown = answer.n;
    self->seen = answer.next;
    self->cursor = self->first = answer.first;
    return subscribe(self, &answer);
}

void tail_close(tail_t *self)
{
    if (self->feed)
        zmq_close(self->feed);
    if (self->context)
        zmq_ctx_term(self->context);
}

// One message: its topic, then a frame of envelopes. False: none is there.
static bool read_message(tail_t *self)
{
    zmq_msg_t part;
    bool more = true, any = false;
    for (unsigned frame = 0; more; frame++) {
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, self->feed, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&part);
            return any;
        }
        any = true;
        if (frame == 1)
            read_records(self, zmq_msg_data(&part), zmq_msg_size(&part), take);
        more = zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
    return true;
}

void tail_turn(tail_t *self, int64_t until_us)
{
    int64_t now = clock_us(), then = self->ask_at < until_us ? self->ask_at : until_us;
    zmq_pollitem_t item = {.socket = self->feed, .events = ZMQ_POLLIN};
    zmq_poll(&item, 1, then > now ? (long)((then - now + 999) / 1000) : 0);
    int read = 0;
    while (read < AT_ONCE && !enough(self) && read_message(self))
        read++;
    now = clock_us();
    if (now >= self->ask_at)
        ask_again(self, now, read < AT_ONCE);
}
