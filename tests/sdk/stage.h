// stage.h - what the stories of sdk/ play on: a broker in a process of its own, which a test may
// kill and start again, and hosts in this process. A directory for each; it goes however the test
// ends.

#ifndef MOBULA_TESTS_SDK_STAGE_H
#define MOBULA_TESTS_SDK_STAGE_H

#include <sys/types.h>

#include "janitor.h"
#include "mobula/contract.h"
#include "notices.h"

typedef struct stage {
    char directory[64];
    char address[128];
    const char *const *settings; // "key", "value", ..., NULL
    pid_t broker;
    janitor_t janitor;
    mob_t *host;
} stage_t;

stage_t *stage_open(const char *const settings[]); // NULL: none; the broker runs
void stage_start(stage_t *self);                   // the broker, again
void stage_kill(stage_t *self);                    // the broker: SIGKILL
mob_t *stage_connect(const stage_t *self);
mob_t *stage_live(const stage_t *self);                  // connected, and the broker has answered
mob_t *stage_host(stage_t *self, const mob_def_t *defs); // a connection that offers them
void stage_close(stage_t **self_p);

// What bodies the stories need.
MOB_TASK(mirror, bytes, (bytes, data));
MOB_TASK(inc, i64, (i64, n));
MOB_TASK(nap, i64, (i64, ms));
MOB_TASK(stir, i64, (i64, us)); // a nap for the impatient
MOB_TASK(fail, i64, (i64, code), (str, text));
MOB_TASK(nest, i64, (i64, depth));
#define COUNTER(METHOD)                  \
    METHOD(counter, add, i64, (i64, n))  \
    METHOD(counter, nap, i64, (i64, ms)) \
    METHOD(counter, fail, i64, (str, text))
MOB_ACTOR(counter, COUNTER, (i64, start));
extern const mob_def_t stage_defs[];

// Expect that a wait says this.
#define is_err(expression, wanted)                                               \
    do {                                                                         \
        mob_err_t stage__err = (expression);                                     \
        cr_assert_eq(stage__err, wanted, "%s, not %s", mob_strerror(stage__err), \
                     mob_strerror(wanted));                                      \
    } while (0)

#endif
