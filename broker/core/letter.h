// letter.h - dead letters: calls that failed with nobody to tell, and calls that are poison. Kept with what they asked for,
// so that people can read them, send them again, or throw them away.

#ifndef MOBULA_LETTER_H
#define MOBULA_LETTER_H

#include "entry.h"
#include "state.h"

enum { LETTER_NAME = 24 };
const char *letter_name(char out[LETTER_NAME], uint64_t number); // "dl-9"
uint64_t letter_next(const core_t *core);                        // the number of the next one

// Of a call that is about to fail so: keep it, if this failure makes a letter of it. The oldest ones go for it.
bool letter_is_due(const call_t *call, mob_err_t err);
void letter_write(core_t *core, const call_t *call, const failure_t *failure);

letter_t *letter_find(const core_t *core, uint64_t number);
void letter_take(core_t *core, letter_t *self); // out of the table: the caller frees it
void letter_free(core_t *core, letter_t **self_p);
void letters_fini(core_t *core);

// What a letter asked for, to a new call, but for its dependencies and its actor. False: no memory, and nothing happened.
bool letter_refill(core_t *core, const letter_t *self, call_t *call);
refs_t letter_deps(const letter_t *self);
actor_t *letter_actor(core_t *core,
                      const letter_t *self); // the same one, or who has its name now; NULL: nobody

bool letter_yield(core_t *core); // the oldest one that keeps something large goes; false: there is none
void letter_rows(answer_t *answer);
uint32_t letter_discard(core_t *core, const filter_t *filter); // those that match; how many

#endif
