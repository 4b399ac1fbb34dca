// link.h - the connection to the broker as a table of states: OFFLINE, GREETING (HELLO is out),
// LIVE, OVER. Knows the endpoints, the epoch, the heartbeat, and when what is pending is asked for.
// Wants the lock.

#ifndef MOBULA_LINK_H
#define MOBULA_LINK_H

#include "endpoint.h"
#include "failure.h"
#include "message.h"
#include "mobula/mobula.h"

typedef enum link_state {
    LINK_OFFLINE,
    LINK_GREETING,
    LINK_LIVE,
    LINK_OVER,
    LINK_STATES
} link_state_t;

typedef enum link_event {
    LINK_CONNECTED, // the transport is there
    LINK_LOST,      // it is not
    LINK_WELCOMED,
    LINK_UNHEARD,  // HELLO was not answered in time
    LINK_STRANGER, // the broker does not know us, or another one took its place
    LINK_SILENT,   // heartbeats are missing
    LINK_ENDED,    // GOODBYE
    LINK_EVENTS
} link_event_t;

typedef struct link {
    link_state_t state;
    char calls_at[ENDPOINT_MAX];
    char why[ENDPOINT_MAX + 32]; // what was wrong with the endpoint
    size_t endpoint;             // which one of the list
    uint64_t epoch, note;        // highest seen; number of the last notice
    uint64_t notes_lost;         // gaps seen
    bool ever;                   // was welcomed at least once
    bool told_heard;             // the broker knows that notices arrive
    int64_t offline_since, heard_at, note_at;
    int64_t doubt_at; // since when silence is suspicious; 0: it is not
    int64_t heartbeat_us;
    uint32_t greeting; // how many HELLOs there were: only the answer to the last one counts, and once
    int64_t greet_at, greet_us, redial_at, ping_at, hush_us, ask_at;
    bool ask_all;          // a notice was missed: ask for young ones, too
    unsigned rounds;       // of asking
    uint32_t random;       // for jitter
    msg_welcome_t welcome; // while it is acted upon
    mob_err_t over;        // why OVER
    char over_text[256];
} link_t;

void link_init(mob_t *self);
void link_event(mob_t *self, link_event_t event);
void link_welcome(mob_t *self, const msg_welcome_t *welcome);
void link_goodbye(mob_t *self, mob_err_t code, mob_bytes_t text);
bool link_epoch(mob_t *self, uint64_t epoch); // false: of a deposed broker, drop it
bool link_note(mob_t *self, uint64_t epoch, uint64_t n, bool news); // likewise
int64_t link_timers(mob_t *self); // do what is due; gives when to come again
bool link_reachable(const mob_t *self);

#endif
