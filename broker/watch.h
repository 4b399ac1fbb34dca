// watch.h - sees processes of this machine end, at once, by their pidfds. Never sends a signal,
// never reaps.

#ifndef MOBULA_WATCH_H
#define MOBULA_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "mobula/types.h"

typedef struct watch watch_t;

watch_t *watch_new(void); // NULL: no memory or no file
void watch_destroy(watch_t **self_p);

mob_bytes_t watch_machine(const watch_t *self); // see machine.h; empty: unknown, so nobody is watched
int watch_fd(const watch_t *self);              // readable when watch_next() has something

enum { WATCH_NONE = -1, WATCH_ENDED = -2 };

// Watch a process; gives the handle for watch_drop(), WATCH_NONE when it cannot be watched,
// WATCH_ENDED when it has ended already.
int watch_add(watch_t *self, uint32_t pid, void *owner);
void watch_drop(watch_t *self, int *handle); // WATCH_NONE is fine, and is what it becomes

void *watch_next(watch_t *self); // the owner of a process that has ended; drop its handle. NULL: none

#endif
