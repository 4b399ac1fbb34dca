// demand.h - what a body needs of the host that it runs on. Equal demands are one record.

#ifndef MOBULA_DEMAND_H
#define MOBULA_DEMAND_H

#include "state.h"

enum { DEMAND_TEXT = 512 }; // room for a sentence that says what was wrong with one

bool demand_wished(const opts_t *opts); // any of its options is set

// What opts wish, and where they do not, what the definition says (NULL: nothing), and else the default of a task or
// of an actor. NULL: wrong says which option; "": no memory. Held by the caller.
demand_t *demand_of(core_t *core, const opts_t *opts, const demand_t *defaults, bool actor,
                    char wrong[DEMAND_TEXT]);
demand_t *demand_hold(demand_t *self);
void demand_drop(core_t *core, demand_t **self_p); // fine when it is NULL

// "cpu=1 gpu=2 zone=a host=a", for people; gives out.
const char *demand_print(const core_t *core, const demand_t *self, char out[DEMAND_TEXT]);

#endif
