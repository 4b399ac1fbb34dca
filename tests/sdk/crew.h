// crew.h - a broker and a worker program, each a process, in a directory of its own; and what that
// program offers. All of it ends with the test, also with one that fails.

#ifndef MOBULA_TESTS_CREW_H
#define MOBULA_TESTS_CREW_H

#include <sys/types.h>

#include "janitor.h"
#include "mobula/contract.h"

MOB_TASK(add, i64, (i64, a), (i64, b));
MOB_TASK(fetch, i64, (str, url)); // fails with 42 when it is no url
MOB_TASK(echo, bytes, (bytes, data));
MOB_TASK(blow_up, i64, (i64, signal)); // prints 15 lines, then ends its process
MOB_TASK(deep, i64, (i64, levels));    // calls itself
MOB_TASK(until_told, i64, (i64, ms));  // runs so long, or until it is cancelled
MOB_TASK(deaf, i64, (i64, ms));        // runs so long
MOB_TASK(steps, stream(i64), (i64, n));
MOB_TASK(leaver, i64, (i64, n));
MOB_TASK(hand_on, i64, (str, url), (i64, levels)); // gives the error of fetch
MOB_TASK(left, i64, (i64, n));                     // how many ms it has, -1: any
MOB_TASK(die, i64, (i64, until));                  // ends its process while attempt < until
MOB_TASK(shaky, i64, (i64, until), (i64, code));   // fails with code while attempt < until
MOB_TASK(call_off, nil, (ref, victim), (i64, flags));
MOB_TASK(parent, i64, (i64, levels), (i64, ms)); // waits for a child; the last one is until_told

#define TALLY(METHOD)                                  \
    METHOD(tally, inc, i64, (i64, by))                 \
    METHOD(tally, pid, i64)                            \
    METHOD(tally, fail, i64, (i64, code), (str, text)) \
    METHOD(tally, die, i64)                            \
    METHOD(tally, leave, i64)                          \
    METHOD(tally, incarnation, i64)                    \
    METHOD(tally, until_told, i64, (i64, ms))          \
    METHOD(tally, save, i64)
MOB_ACTOR(tally, TALLY, (i64, start)); // start below 0: fails

#define MITE(METHOD) METHOD(mite, inc, i64, (i64, by)) METHOD(mite, pid, i64)
MOB_ACTOR(mite, MITE); // shared

extern const mob_def_t crew_defs[]; // ends with a NULL name

typedef struct crew {
    char directory[64], address[128];
    pid_t broker, host;
    const mob_def_t *defs;       // what the program offers; crew_open(): crew_defs
    const char *const *settings; // of the broker: "key", "value", ..., NULL
    janitor_t janitor;
    int begun[2]; // bodies write a byte here when they begin to wait
    int ended[2]; // fini of a tally writes a byte here
} crew_t;

// The ledger: a line for each body that began, in a file of the directory.
typedef struct crew_run {
    int count;        // how often it began
    pid_t pid;        // where, the last time
    unsigned attempt; // which that was
} crew_run_t;
crew_run_t crew_ran(const crew_t *self, mob_ref_t ref);

typedef struct crew_line {
    mob_ref_t ref;
    unsigned attempt;
    int pid;
} crew_line_t;
size_t crew_ledger(const crew_t *self, crew_line_t *lines, size_t max); // in the order they began
void crew_enter(const mob_ctx_t *ctx);                                  // in the ledger
void crew_tell_begun(void);
void crew_tell_ended(void);
int64_t crew_until_told(mob_ctx_t *ctx, int64_t ms); // for bodies: begun, then so long at most

crew_t crew_open(void); // no process yet
void crew_start_broker(crew_t *self);
void crew_kill_broker(crew_t *self);                     // -9
int crew_drain_broker(crew_t *self);                     // SIGTERM; gives its exit code
void crew_start_host(crew_t *self, const char *flags[]); // ends with NULL; NULL: --slots 2
int crew_end_host(crew_t *self, int signal); // gives its exit code, 128 + n for a signal
void crew_here(const crew_t *self);          // bodies in this process are heard, too
mob_t *crew_client(const crew_t *self);
// A process that visits the broker and exits; to be forked before this one has a connection.
pid_t crew_visit(const crew_t *self, void (*visit)(const crew_t *self));
int crew_tool(const crew_t *self, const char *words, char *out, size_t size); // mobula WORDS
void crew_wait_for_end(pid_t pid); // of a process that is not ours
void crew_close(crew_t *self);

void crew_hear(int fd); // one byte: waits for it

#endif
