// client.c - mob_connect, mob_close, mob_interrupt: a connection as its user sees it.

#include "client.h"

#include <sys/eventfd.h>

enum { LINGER_MS = 2000 };

mob_t *mob_connect(const mob_config_t *config)
{
    return session_new(config, &(session_role_t){.role = ROLE_CLIENT});
}

void mob_close(mob_t **self_p)
{
    session_close(self_p, LINGER_MS);
}

// An atomic store and a write: good in a signal handler, too.
void mob_interrupt(mob_t *self)
{
    atomic_store(&self->interrupted, true);
    eventfd_write(self->wake, 1);
}
