// why.h - the one thing that a call or an actor waits for, and who stands before it.

#ifndef MOBULA_WHY_H
#define MOBULA_WHY_H

#include "demand.h"
#include "place.h"
#include "state.h"

#define WHY_REASONS(R)        /* as PROTOCOL.md lists them; the word of the state API */     \
    R(SETTLED, "settled")     /* it has its outcome */                                       \
    R(IDLE, "idle")           /* an actor without calls */                                   \
    R(RUNNING, "running")     /* its body runs */                                            \
    R(DEPENDENCY, "argument") /* one of its arguments has not settled */                     \
    R(KEY, "key")             /* another call with its key runs */                           \
    R(DELAY, "delay")         /* it was asked for later */                                   \
    R(RETRY, "retry")         /* its next run, or incarnation, waits for its time */         \
    R(UNOFFERED, "unoffered") /* no host offers the definition */                            \
    R(UNFIT, "unfit")         /* no host has what it needs */                                \
    R(TAKEN, "taken")         /* others have it now */                                       \
    R(PROCESS, "process")     /* there is room, but no process */                            \
    R(MAILBOX, "mailbox")     /* others are before it, at its actor or at the same worker */ \
    R(ACTOR, "actor")         /* its actor does not take calls now */                        \
    R(BEGINS, "constructor")  /* the constructor of the actor runs */                        \
    R(STOPPING, "stopping")   /* the actor ends behind what it has */                        \
    R(DEAD, "dead")           /* it has ended, for good */                                   \
    R(CHILD, "child")         /* its body waits for what it asked for */                     \
    R(CREDIT, "reader")       /* its body waits until its items are read */                  \
    R(ITEM, "item")           /* what its reader waits for has not been made */              \
    R(CANCELLED, "cancelled") /* it was called off, and its worker has not answered */       \
    R(SILENT, "silent")       /* its worker says nothing */                                  \
    R(REJOIN, "rejoin")       /* who was there before may still come back */                 \
    R(CYCLE, "cycle")         /* it waits for itself, by way of the others */

typedef enum why_reason {
#define R(name, word) WHY_##name,
    WHY_REASONS(R)
#undef R
} why_reason_t;

enum { WHY_TEXT = 256 };

typedef struct why {
    why_reason_t reason;
    mob_ref_t next; // what that in turn waits for; 0, 0: nobody
    char text[WHY_TEXT];
    char asks[WHY_TEXT]; // UNFIT, TAKEN: of a host
    char held[WHY_TEXT]; // TAKEN: by whom
} why_t;

why_t why_shape(core_t *core, shape_t *shape); // it has work that waits
why_t why_call(core_t *core, call_t *call);
why_t why_actor(core_t *core, actor_t *actor);
const char *why_word(why_reason_t reason);
bool why_waits(const why_t *why); // false: it runs, is idle or has ended

// Of whom the question is: a value that its call has not given is that call's, a handle that FIND made its actor's.
call_t *why_subject(core_t *core, mob_ref_t ref); // NULL: not known

typedef struct nearest { // the host that is nearest to running it
    const host_t *host;  // NULL: there is none
    fit_t fit;
} nearest_t;
nearest_t why_nearest(core_t *core, shape_t *shape);

#endif
