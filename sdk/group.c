// group.c - what this release cannot do yet, said by name: reservations.

#include "client.h"

mob_group_t mob_reserve(mob_t *self, const mob_group_opts_t *opts, const mob_bundle_t *bundles,
                        size_t count)
{
    (void)opts, (void)bundles, (void)count;
    session_lock(self);
    mob_group_t group = {
        call_refused(self, &(failure_t){.err = MOB_EARGS,
                                        .root = MOB_EARGS,
                                        .reason = "reservations are not in this release yet"})};
    session_unlock(self);
    return group;
}

// No group was ever reserved, so there is none to give back: that is not a failure.
void mob_unreserve(mob_t *self, mob_group_t group)
{
    mob_drop(self, group.ready);
}
