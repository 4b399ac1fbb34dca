// fetch.c - see fetch.h. What comes is in order, as one connection brings it; what is not the next byte was
// asked for twice, and is passed by. Who gets a payload that is whole decides heard.c or the role's hook.

#include "client.h"

#include <stdlib.h>
#include <string.h>

enum {
    FLYING_MAX = 2 * 1024 * 1024, // of all that is fetched
    AHEAD_MAX = 1024 * 1024,      // of one: a large one leaves room for others
    ASK_BYTES = 256 * 1024,       // in one request
    BUSY_MAX = 256,               // at once: small ones, too, come a few at a time
    AGAIN_US = 1000 * 1000,
    AGAIN_MAX_US = 5 * 1000 * 1000
};

// ---- Begin and end ------------------------------------------------------------------------------

blob_t *fetch_start(mob_t *self, mob_ref_t ref, uint32_t part, uint32_t size)
{
    fetches_t *fetches = &self->fetches;
    fetch_t *fetch = calloc(1, sizeof *fetch);
    blob_t *blob = fetch ? blob_room(size) : NULL;
    if (!blob) {
        free(fetch);
        return NULL;
    }
    *fetch = (fetch_t){.ref = ref, .part = part, .blob = blob};
    *(fetches->last ? &fetches->last->next : &fetches->first) = fetch;
    fetches->last = fetch;
    session_appended(self); // the next turn asks
    return blob;
}

// Takes it out of the list, where before stands in front of it.
static void end(fetches_t *fetches, fetch_t *before, fetch_t *fetch)
{
    *(before ? &before->next : &fetches->first) = fetch->next;
    if (fetches->last == fetch)
        fetches->last = before;
    fetches->flying -= fetch->asked - fetch->have;
    blob_drop(&fetch->blob);
    free(fetch);
}

void fetch_cancel(mob_t *self, mob_ref_t ref)
{
    fetch_t *before = NULL;
    for (fetch_t *fetch = self->fetches.first, *next; fetch; fetch = next) {
        next = fetch->next;
        if (mob_same(fetch->ref, ref))
            end(&self->fetches, before, fetch);
        else
            before = fetch;
    }
}

void fetches_fini(mob_t *self)
{
    while (self->fetches.first)
        end(&self->fetches, NULL, self->fetches.first);
}

// ---- Asking -------------------------------------------------------------------------------------

static bool ask_more(mob_t *self, fetch_t *fetch)
{
    fetches_t *fetches = &self->fetches;
    uint32_t left = fetch->blob->size - fetch->asked;
    const msg_fetch_t msg = {.ref = fetch->ref,
                             .part = fetch->part,
                             .offset = fetch->asked,
                             .count = left < ASK_BYTES ? left : ASK_BYTES};
    if (left == 0 || fetch->asked - fetch->have >= AHEAD_MAX || fetches->flying >= FLYING_MAX ||
        !message_FETCH(session_room(self), &msg))
        return false;
    fetch->asked += (uint32_t)msg.count;
    fetches->flying += msg.count;
    return true;
}

static void expect(mob_t *self, int64_t us)
{
    self->fetches.again_us = us < AGAIN_MAX_US ? us : AGAIN_MAX_US;
    self->fetches.again_at = self->now + self->fetches.again_us;
}

void fetches_again(mob_t *self)
{
    for (fetch_t *fetch = self->fetches.first; fetch; fetch = fetch->next)
        fetch->asked = fetch->have;
    self->fetches.flying = 0;
    expect(self, AGAIN_US);
}

int64_t fetches_turn(mob_t *self)
{
    fetches_t *fetches = &self->fetches;
    uint32_t busy = 0;
    if (self->link.state != LINK_LIVE)
        return INT64_MAX;
    if (fetches->flying > 0 && self->now >= fetches->again_at) {
        int64_t us = fetches->again_us;
        fetches_again(self);
        expect(self, 2 * us);
    }
    if (fetches->flying == 0)
        expect(self, fetches->again_us ? fetches->again_us : AGAIN_US);
    for (fetch_t *fetch = fetches->first; fetch && busy < BUSY_MAX; fetch = fetch->next, busy++)
        while (ask_more(self, fetch))
            ;
    return fetches->again_at;
}

// ---- What comes ---------------------------------------------------------------------------------

static void take(mob_t *self, fetch_t *fetch, const msg_data_t *data)
{
    uint32_t known = fetch->have - (uint32_t)data->offset; // of these bytes
    uint32_t more = data->bytes.size - known, room = fetch->blob->size - fetch->have;
    more = more < room ? more : room;
    memcpy(blob_bytes(fetch->blob) + fetch->have, data->bytes.data + known, more);
    fetch->have += more;
    if (fetch->asked < fetch->have) { // a piece is larger than what was asked for
        self->fetches.flying += fetch->have - fetch->asked;
        fetch->asked = fetch->have;
    }
    self->fetches.flying -= more;
    expect(self, AGAIN_US);
}

static bool goes_on(const fetch_t *fetch, const msg_data_t *data)
{
    return data->bytes.form == LOAD_HERE && data->offset <= fetch->have &&
           data->offset + data->bytes.size > fetch->have;
}

void fetch_data(mob_t *self, const msg_data_t *data)
{
    fetch_t *before = NULL, *fetch = self->fetches.first;
    while (fetch && !(fetch->part == data->part && mob_same(fetch->ref, data->ref))) {
        before = fetch;
        fetch = fetch->next;
    }
    if (!fetch)
        return;
    bool gone = data->bytes.size == 0;
    if (!gone && goes_on(fetch, data))
        take(self, fetch, data);
    if (!gone && fetch->have < fetch->blob->size)
        return;
    blob_t *blob = gone ? NULL : blob_hold(fetch->blob);
    end(&self->fetches, before, fetch);
    heard_payload(self, data->ref, data->part, blob, MOB_EGONE);
    blob_drop(&blob);
}
