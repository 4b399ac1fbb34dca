// thread.h - the in-process form: workers as threads of this process. What a host needs of them is
// the same table of functions as for processes; what a thread cannot do (die when told) is said
// where it matters.

#ifndef MOBULA_ACTORS_THREAD_H
#define MOBULA_ACTORS_THREAD_H

#include "host.h"

typedef struct threads threads_t;

// client is copied with its texts' addresses: they must live as long. NULL: no memory.
threads_t *threads_new(const mob_config_t *client, const char *host_name, offer_t *offer);
host_means_t threads_means(threads_t *self);
void threads_serve(threads_t *self, host_t *host); // whom to tell; before the host begins

void threads_leave(threads_t *self); // the host is told of nothing more, and may be destroyed

// The host is gone, or never was. Frees all when every thread has ended; a thread whose body never
// comes home keeps what it needs for ever, and that is said on stderr.
void threads_drop(threads_t **self_p);

#endif
