// runner.h - a worker: runs bodies one after the other, remembers what it answered, and says what it holds
// when the broker is a new one or the connection is.

#ifndef MOBULA_SIM_RUNNER_H
#define MOBULA_SIM_RUNNER_H

#include <uthash.h>

#include "haul.h"
#include "ledger.h"
#include "link.h"
#include "starter.h"

typedef struct runner_key {
    mob_ref_t ref;
    uint64_t attempt;
    uint64_t item; // of a stream, from 1; 0: the end of the call
} runner_key_t;

typedef struct runner_answer { // RESULT, FAIL or an ITEM of a stream as it was said
    runner_key_t key;
    const deed_t *stream; // that it is of; NULL: of none
    bool good;
    uint32_t code, executed;
    int64_t app_code;
    uint32_t returns;     // values
    uint64_t number, run; // what they carry
    uint32_t index;       // of an ITEM: likewise
    uint32_t pieces;      // of each value; 0: they stand in their message
    uint64_t up, up_end;  // seqs of the first and last of all pieces
    UT_hash_handle hh;
} runner_answer_t;

typedef struct runner_item { // in hand
    struct runner_item *next;
    enum { ITEM_RUN, ITEM_MAKE, ITEM_STOP } what;
    mob_ref_t ref, actor; // of MAKE and STOP both are the actor
    uint32_t attempt, incarnation;
    uint64_t epoch; // of the broker that sent it
    deed_t *deed;
    int64_t ends_at; // INT64_MAX: no deadline
    bool cancelled;
    bool waits, lost;      // of a stream: for credit; with the broker that had its items
    uint64_t made, credit; // its items
    uint64_t last_up;      // what must be accepted before it goes on
    uint64_t run;          // of the ledger, once it began
    haul_t *hauls;         // arguments and dependencies that are not here: it cannot begin
    blob_t *args, *opts;   // for HOLD and HAVE
    char cls[32];
} runner_item_t;

typedef struct runner_actor {
    struct runner_actor *next;
    mob_ref_t id;
    uint32_t incarnation;
    bool alive; // constructed
    blob_t *args, *opts;
    char cls[32];
    deed_t *deed;
} runner_actor_t;

typedef struct runner {
    world_t *world;
    link_t link;
    starter_t *starter;
    uint64_t owner;
    uint8_t topic[MOB_TOPIC_SIZE];
    enum wire_start kind;
    bool live, welcomed, dead, blocked, over;
    uint64_t epoch;
    int64_t heard_at;
    char (*texts)[32]; // by symbol
    uint32_t text_count;
    runner_item_t *first, *last, *running;
    uint32_t disks; // that the running body takes
    uint64_t turn;  // marks the end of the running body
    runner_actor_t *actors;
    runner_answer_t *answers; // by key
    runner_answer_t **said;   // unacknowledged ones from taken on, in order
    uint64_t said_count, said_room, taken, base;
    runner_answer_t **ups; // those in pieces that are not accepted, in order
    uint64_t up_count, up_room, up_seq, up_accepted;
    struct runner *next; // of all
} runner_t;

runner_t *runner_new(world_t *world, starter_t *starter, uint64_t owner, enum wire_start kind);
void runner_free(runner_t **self_p);
runner_t *runner_find(world_t *world, uint64_t owner); // one that lives
void runner_die(runner_t *self);                       // at once; its host says so, if it lives

// Between hand.c and runner.c.
void runner_put_answer(runner_t *self, const runner_answer_t *answer);
void runner_say_answer(runner_t *self, runner_answer_t *answer);
bool runner_is_up(const runner_t *self, const runner_answer_t *answer);
void runner_begin_next(runner_t *self);
runner_answer_t *runner_find_answer(runner_t *self, mob_ref_t ref, uint32_t attempt);
void runner_answer_failure(runner_t *self, const runner_item_t *item, mob_err_t err,
                           int64_t app_code, uint32_t executed);
void runner_item_free(runner_item_t *item);
void runner_push(runner_t *self, const runner_item_t *like);
void runner_give_disks(runner_t *self);
void runner_give(runner_t *self, bool blocks);
void runner_crash(void *arg, uint64_t mark);
void runner_finish(void *arg, uint64_t mark);
void runner_resume(runner_t *self);
void runner_forget(runner_t *self, runner_item_t *item);   // it was in hand
void runner_say_item(runner_t *self, runner_item_t *item); // the next one
runner_actor_t *runner_find_actor(runner_t *self, mob_ref_t id);

// giver.c: bodies that give items.
void giver_go_on(runner_t *self);
void giver_look(runner_t *self);
void giver_lose_all(runner_t *self);   // to a new broker: before what is held is said
void giver_refuse_all(runner_t *self); // and behind what was answered

#endif
