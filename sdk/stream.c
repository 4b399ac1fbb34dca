// stream.c - what this release cannot do yet, said by name: streams and reservations.

#include "client.h"

mob_err_t mob_pull(mob_t *self, mob_ref_t stream, mob_ref_t *item, int timeout_ms)
{
    (void)timeout_ms;
    session_lock(self);
    future_t *future = futures_find(&self->futures, stream);
    bool failed = future && future->settled && future->err; // of a call that was to be a stream
    mob_err_t err = failed ? (mob_err_t)future->err : MOB_EARGS;
    *item = failed
                ? stream
                : call_refused(self, &(failure_t){.err = MOB_EARGS,
                                                  .root = MOB_EARGS,
                                                  .reason = "streams are not in this release yet"});
    self->failed = *item;
    session_unlock(self);
    return err;
}

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
