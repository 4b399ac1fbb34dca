// ledger.h - what was asked for, which bodies really began, and what callers were told. Stands outside the
// system under test and judges it: the first promise that was broken stays in broken.

#ifndef MOBULA_SIM_LEDGER_H
#define MOBULA_SIM_LEDGER_H

#include "failure.h"

typedef enum deed_kind {
    DEED_TASK,
    DEED_METHOD,
    DEED_ACTOR,
    DEED_OBJECT,
    DEED_END,
    DEED_PART,   // a ref of a TASK or METHOD with several results, but the first
    DEED_NEXT,   // an item of a stream
    DEED_PIECE,  // no ref: a part of the payload of the one behind it
    DEED_DROP,   // no ref: it takes a number, and that is all
    DEED_DISCARD // of dead letters; nobody looks at how many
} deed_kind_t;

enum { DEED_DEPS = 2, DEED_PAYLOAD = 16, DEED_CODE = 1000 };

typedef struct deed deed_t;

typedef struct deed_place { // how far the calls of one caller have begun in one incarnation of an actor
    uint64_t caller, worker;
    uint32_t incarnation;
    uint64_t seq;
} deed_place_t;

struct deed { // one ref
    mob_ref_t ref;
    uint64_t number; // of the ledger: travels in the arguments
    deed_kind_t kind;
    // The plan.
    uint64_t asked_epoch; // in which it was first sent; 0: not yet
    int64_t asked_at;
    bool forget, shared, cancelled;
    int32_t retries; // more runs that are allowed
    uint32_t need;   // what it asks of its host: need.h
    int32_t priority;
    bool any_code; // also after a failure that the body reports
    uint32_t timeout_ms;
    int32_t max_restarts, max_task_retries; // of an actor
    deed_t *actor;                          // of a METHOD or END
    mob_ref_t target;                       // of a DROP
    uint64_t target_count;
    deed_t *deps[DEED_DEPS];
    uint32_t dep_count;
    uint32_t returns; // refs; those behind the first are PARTs with the numbers behind its own
    deed_t *whole;    // of a PART or PIECE
    uint32_t pieces;  // that stand in front of it
    uint32_t result_pieces;  // of the value that the body gives; 0: it stands in its message
    bool streams;            // a TASK or METHOD that gives items, so many, and then ends or fails
    uint32_t items, readers; // readers: NEXTs that are out at a time
    int32_t ahead;
    deed_t **nexts; // all that were asked for
    uint32_t next_count;
    deed_t *source;   // of a NEXT: its stream
    uint32_t place;   // and that it is the how many'th, from 0
    uint64_t pulled;  // and how many were taken when it was asked for
    int64_t takes_us; // the body
    enum { BODY_OK, BODY_FAILS, BODY_LEAVES } body;
    // What was seen.
    bool disturbed; // an end that is not the body's own is in order
    uint32_t starts, starts_now;
    uint64_t epoch_now;    // of starts_now and attempts_now
    uint64_t attempts_now; // bit an attempt
    deed_place_t *places;  // of an actor
    uint32_t place_count;
    bool settled, dropped;
    uint32_t code;
    uint64_t value; // a hash
    uint8_t result[DEED_PAYLOAD];
    uint64_t settled_epoch;
    bool said_not_executed;
};

typedef struct ledger_run {
    deed_t *deed;
    uint32_t attempt;
    uint32_t made; // items
    enum { RUN_OPEN, RUN_RESULT, RUN_FAIL } end;
} ledger_run_t;

typedef struct ledger {
    deed_t **deeds;
    uint64_t deed_count, deed_room;
    ledger_run_t *runs;
    uint64_t run_count, run_room;
    uint64_t asked, values, errors, failures, abandoned; // of callers that live: must close
    uint64_t most_runs, items;                           // items that callers got
    char broken[256];
} ledger_t;

deed_t *ledger_plan(ledger_t *self, mob_ref_t ref, deed_kind_t kind);
deed_t *ledger_deed(const ledger_t *self, load_t payload);             // NULL: not one of ours
deed_t *ledger_find(const ledger_t *self, mob_ref_t ref);              // likewise
const ledger_run_t *ledger_run(const ledger_t *self, uint64_t number); // likewise
bool ledger_is_value(const ledger_t *self, const deed_t *deed, load_t payload);

// A body begins. Gives the number of the run.
uint64_t ledger_start(ledger_t *self, deed_t *deed, uint32_t attempt, uint32_t incarnation,
                      uint64_t worker, uint64_t epoch);
void ledger_end(ledger_t *self, uint64_t run, bool good);

// A caller hears an outcome. quiet: nothing was lost that could explain another end than the body's own.
void ledger_outcome(ledger_t *self, deed_t *deed, uint32_t code, load_t value, uint64_t epoch,
                    bool quiet);

void ledger_break(ledger_t *self, const deed_t *deed, const char *what);
void ledger_fini(ledger_t *self);

// Payloads: arguments carry the deed, results the deed and its run.
load_t ledger_payload(uint8_t room[DEED_PAYLOAD], uint64_t number, uint64_t run);

#endif
