// world.h - a broker's core, its callers, hosts and workers, and what befalls them. Owns time, chance, the
// order of things and the faults; everything else hangs on it.

#ifndef MOBULA_SIM_WORLD_H
#define MOBULA_SIM_WORLD_H

#include "agenda.h"
#include "caller.h"
#include "chance.h"
#include "ledger.h"
#include "link.h"
#include "runner.h"
#include "starter.h"
#include "trace.h"

enum { WORLD_CALLERS = 6, WORLD_STARTERS = 2 };

typedef enum control {
    CONTROL_NONE,
    CONTROL_NO_DEDUP,
    CONTROL_NO_ASK,
    CONTROL_NO_NUMBER
} control_t; // a protection switched off

typedef struct odds { // of faults, in ten thousand of what could be hit; of this seed
    uint32_t note, twice, die, away; // each notice, batch of requests, body, broken connection
    int64_t break_us, caller_us, starter_us, broker_us; // mean time between; 0: never
} odds_t;

typedef struct faults { // that happened; landed: that something was hit by
    uint64_t notes, twice, away;
    uint64_t breaks, breaks_landed;
    uint64_t callers, callers_landed;
    uint64_t runners, runners_landed;
    uint64_t starters, starters_landed;
    uint64_t brokers, brokers_landed;
} faults_t;

typedef struct totals { // over many seeds
    uint64_t seeds, events, asked, values, errors, failures, abandoned, runs, most_runs, items;
    int64_t simulated_us;
    faults_t faults;
} totals_t;

struct world {
    uint64_t seed;
    control_t control;
    chance_t chance;
    agenda_t agenda;
    trace_t trace;
    ledger_t ledger;
    core_t *core;
    uint64_t epoch;
    int64_t now, tick_at;
    uint64_t events, events_max, checked, check_every;
    odds_t odds;
    faults_t faults;
    bool faulty;     // faults still happen and callers still ask
    int64_t lost_at; // when a process or the broker was lost last
    uint64_t owner;  // the last one given
    uint32_t link_count;
    link_t *links;
    caller_t *callers[WORLD_CALLERS];
    starter_t *starters[WORLD_STARTERS];
    caller_t *past_callers; // ended ones: things on the agenda still point at them
    starter_t *past_starters;
    runner_t *runners;
    char failure[320];
};

typedef struct game {
    uint64_t events;      // with faults; then it goes on until all has settled
    uint64_t check_every; // so many events core_check()
    control_t control;
    FILE *live; // the whole trace; NULL: no
} game_t;

// Play one seed. True: all promises held. Adds to totals; on failure prints what, and how it came to it.
bool world_play(uint64_t seed, const game_t *game, totals_t *totals, uint64_t *hash);

uint64_t world_owner(world_t *self); // a fresh session id
void world_fail(world_t *self, const char *what);
void world_said(world_t *self, const link_t *link, const message_t *message, bool down); // one event
bool world_fault(world_t *self, uint32_t of_10000); // does one happen now?
void world_lost(world_t *self);                     // a process was lost
void world_upset(world_t *self,
                 int64_t us); // for so long nothing can be judged strictly, nor what lives now
bool world_quiet(const world_t *self,
                 int64_t since); // nothing was lost that could matter to what began then

#endif
