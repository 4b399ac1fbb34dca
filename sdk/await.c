// await.c - mob_await, wait, all, take, info: the one place that reports. Whoever waits drives the
// sockets.

#include "client.h"

#include "clock.h"

// ---- A wait -------------------------------------------------------------------------------------

waiter_t wait_begin(mob_t *self, int timeout_ms)
{
    waiter_t waiter = {.self = self, .until = INT64_MAX};
    if (timeout_ms == 0)
        waiter.until = 0;
    else if (timeout_ms > 0)
        waiter.until = clock_us() + timeout_ms * INT64_C(1000);
    if (self->voice->deadline < waiter.until) {
        waiter.until = self->voice->deadline;
        waiter.bounded = true;
    }
    return waiter;
}

static mob_err_t time_over(const waiter_t *waiter)
{
    if (waiter->bounded)
        return MOB_ECANCELLED;
    return link_reachable(waiter->self) ? MOB_ETIMEDOUT : MOB_EOFFLINE;
}

// Before the first WELCOME nobody knows whether there ever will be one.
static int64_t patience(const mob_t *self)
{
    int ms = self->config.connect_timeout_ms;
    return self->link.ever ? INT64_MAX
                           : self->link.offline_since + (ms > 0 ? ms : 3000) * INT64_C(1000);
}

static void tell(waiter_t *waiter, bool begin)
{
    mob_t *self = waiter->self;
    const session_hooks_t *hooks = self->role.hooks;
    waiter->told = begin;
    if (hooks && hooks->waits)
        hooks->waits(self, self->role.arg, begin);
}

mob_err_t wait_more(waiter_t *waiter)
{
    mob_t *self = waiter->self;
    const session_hooks_t *hooks = self->role.hooks;
    mob_err_t err = hooks && hooks->stops ? hooks->stops(self, self->role.arg) : MOB_OK;
    if (err)
        return err;
    int64_t hope = patience(self);
    if (waiter->looked && (self->now >= waiter->until || self->now >= hope))
        return self->now >= waiter->until ? time_over(waiter) : MOB_EOFFLINE;
    if (!waiter->told && waiter->until > 0)
        tell(waiter, true);
    waiter->looked = true;
    return session_go(self, waiter->until < hope ? waiter->until : hope, false);
}

void wait_end(waiter_t *waiter)
{
    if (waiter->told)
        tell(waiter, false);
}

mob_err_t session_wait(mob_t *self, bool (*over)(void *arg), void *arg)
{
    waiter_t waiter = wait_begin(self, MOB_FOREVER);
    mob_err_t err = MOB_OK;
    bool done;
    while (!(done = over(arg)) && (!err || err == MOB_EINTERRUPTED))
        err = wait_more(&waiter);
    wait_end(&waiter);
    return done ? MOB_OK : err;
}

// ---- Refs ---------------------------------------------------------------------------------------

// One that is not here is marked, so that the wait is told when it comes.
static bool is_here(mob_t *self, future_t *future)
{
    if (!future || heard_value(self, future))
        return true; // also a ref that is gone: a wait for it says MOB_EGONE
    future->mark = self->futures.mark;
    return false;
}

// Of a stream: there is something to pull.
static bool is_ready(mob_t *self, future_t *future)
{
    if (!future || !future->is_stream)
        return is_here(self, future);
    future_t *awaited = stream_awaits(self, future);
    if (!awaited)
        return true;
    if (!future->settled)
        future->mark = self->futures.mark; // one that stands there twice is known by it
    awaited->mark = self->futures.mark;
    return false;
}

static mob_err_t outcome(mob_t *self, mob_ref_t ref, mob_err_t err)
{
    if (err)
        self->voice->failed = ref;
    return err;
}

// ---- mob_await ----------------------------------------------------------------------------------

// value: it is to be read, so that it must be here, too.
static mob_err_t await_pending(mob_t *self, mob_ref_t ref, future_t **future_p, bool value,
                               int timeout_ms)
{
    future_t *future = *future_p = future_known(self, ref);
    mob_err_t err = MOB_OK;
    if (!future)
        return MOB_EGONE;
    waiter_t waiter = wait_begin(self, timeout_ms);
    hold_pin(future);
    while (!(value ? heard_value(self, future) : future->settled) && !err)
        err = wait_more(&waiter);
    wait_end(&waiter);
    if (future->settled && !(value && future_is_away(future)))
        err = (mob_err_t)future->err;
    hold_unpin(self, future);
    return err;
}

static mob_reader_t open_value(mob_t *self, future_t *future)
{
    if (future->inner)
        foreign_open(self, future);
    return reader_of(future_load(future), &future->arena);
}

mob_err_t mob_await(mob_t *self, mob_ref_t ref, mob_reader_t *reader, int timeout_ms)
{
    session_lock(self);
    future_t *future = self->voices ? future_known(self, ref) : futures_find(&self->futures, ref);
    bool ready = future && future->settled && !(reader && future_is_away(future));
    mob_err_t err = ready ? (mob_err_t)future->err
                          : await_pending(self, ref, &future, reader != NULL, timeout_ms);
    if (err)
        self->voice->failed = ref;
    else if (reader)
        *reader = open_value(self, future);
    session_unlock(self);
    return err;
}

// ---- Many ---------------------------------------------------------------------------------------

static void begin_marks(mob_t *self)
{
    futures_t *futures = &self->futures;
    futures->mark = futures->mark < UINT32_MAX ? futures->mark + 1 : 1;
    futures->marked = futures->marked_failures = 0;
}

typedef struct look { // at many
    size_t have;      // that are ready
    size_t repeated;  // that are not, and stand there before
} look_t;

static look_t look_at_all(mob_t *self, const mob_ref_t *refs, size_t count, bool *ready)
{
    look_t look = {0};
    begin_marks(self);
    for (size_t i = 0; i < count; i++) {
        future_t *future = future_known(self, refs[i]);
        bool before = future && future->mark == self->futures.mark;
        bool is = is_ready(self, future);
        look.have += is;
        look.repeated += !is && before;
        if (ready)
            ready[i] = is;
    }
    return look;
}

// Until so many of those that were marked have come. Threads that share a session unmark each other's: they look
// again after each turn.
static mob_err_t wait_for_marked(waiter_t *waiter, size_t count)
{
    mob_err_t err = MOB_OK;
    do
        err = wait_more(waiter);
    while (!err && !waiter->self->voices && waiter->self->futures.marked < count);
    return err;
}

// Each look is at all of them, so it must be worth it: as many as are missing must have come before the next,
// less those that count more than once.
size_t mob_wait(mob_t *self, const mob_ref_t *refs, size_t count, size_t want, int timeout_ms,
                bool *ready)
{
    session_lock(self);
    waiter_t waiter = wait_begin(self, timeout_ms);
    mob_err_t err = MOB_OK;
    look_t look = look_at_all(self, refs, count, ready);
    if (want > count)
        want = count;
    while (look.have < want && !err) {
        size_t missing = want - look.have;
        err = wait_for_marked(&waiter, missing > look.repeated ? missing - look.repeated : 1);
        look = look_at_all(self, refs, count, ready);
    }
    wait_end(&waiter);
    session_unlock(self);
    return look.have;
}

static mob_err_t failure_of(mob_t *self, mob_ref_t ref)
{
    future_t *future = future_known(self, ref);
    if (!future)
        return outcome(self, ref, MOB_EGONE);
    return is_here(self, future) ? outcome(self, ref, (mob_err_t)future->err) : MOB_OK;
}

static mob_err_t first_failure(mob_t *self, const mob_ref_t *refs, size_t count)
{
    mob_err_t err = MOB_OK;
    begin_marks(self);
    for (size_t i = 0; i < count && !err; i++)
        err = failure_of(self, refs[i]);
    return err;
}

// One pass over the array in all: at stands at the first that is pending. Only a failure of one of them makes
// us look ahead.
mob_err_t mob_all(mob_t *self, const mob_ref_t *refs, size_t count, int timeout_ms)
{
    session_lock(self);
    waiter_t waiter = wait_begin(self, timeout_ms);
    mob_err_t err = first_failure(self, refs, count);
    for (size_t at = 0; at < count && !err;) {
        if (is_here(self, future_known(self, refs[at]))) {
            err = failure_of(self, refs[at++]);
            continue;
        }
        err = wait_more(&waiter);
        if (!err && (self->voices || self->futures.marked_failures > 0))
            err = first_failure(self, refs + at, count - at);
    }
    wait_end(&waiter);
    session_unlock(self);
    return err;
}

// When it came, among the others; 0: before all of them.
static uint32_t came(const future_t *future)
{
    const future_t *heard = future && future->is_stream ? stream_heard(future) : future;
    return heard && heard->settled ? heard->came : 0;
}

// The one that came first. Mostly it is the next one of all behind the last that was taken from here, and stands
// there: then nothing else can have come before.
static size_t find_first(mob_t *self, const mob_ref_t *refs, size_t count)
{
    bool same = refs == self->take.refs && count == self->take.count;
    size_t from = self->take.at < count ? self->take.at : 0, found = count;
    uint32_t first = 0, next = self->take.came + 1;
    begin_marks(self);
    for (size_t i = 0; i < count && !(same && found < count && first == next); i++) {
        size_t at = from + i < count ? from + i : from + i - count;
        future_t *future = future_known(self, refs[at]);
        if (!is_ready(self, future) || (found < count && (int32_t)(came(future) - first) > 0))
            continue;
        found = at;
        first = came(future);
    }
    return found;
}

static mob_ref_t take_out(mob_t *self, mob_ref_t *refs, size_t *count, size_t at)
{
    mob_ref_t taken = refs[at];
    self->take.came = came(future_known(self, taken));
    refs[at] = refs[--*count];
    self->take.refs = refs;
    self->take.count = *count;
    self->take.at = at;
    return taken;
}

mob_ref_t mob_take(mob_t *self, mob_ref_t *refs, size_t *count, int timeout_ms)
{
    session_lock(self);
    mob_ref_t taken = {0, 0};
    waiter_t waiter = wait_begin(self, timeout_ms);
    size_t at = find_first(self, refs, *count);
    while (at == *count && *count > 0 && wait_for_marked(&waiter, 1) == MOB_OK)
        at = find_first(self, refs, *count);
    wait_end(&waiter);
    if (at < *count)
        taken = take_out(self, refs, count, at);
    session_unlock(self);
    return taken;
}

// ---- mob_info -----------------------------------------------------------------------------------

static mob_info_t info_of(future_t *future)
{
    mob_info_t info = {
        .state = MOB_PENDING, .why = "", .host = "", .reason = "", .trace = "", .log = ""};
    if (!future->settled)
        return info;
    info.state = future->err ? MOB_FAILED : MOB_READY;
    info.err = (mob_err_t)future->err;
    info.size = future->size;
    info.executed = MOB_EXECUTED;
    info.attempts = future->attempts ? future->attempts : 1;
    if (!future->err)
        return info;
    const failure_t *failure = future_failure(future);
    return (mob_info_t){
        .state = MOB_FAILED,
        .err = info.err,
        .why = failure->why,
        .code = (int)failure->code,
        .executed = (mob_executed_t)failure->executed,
        .attempts = failure->attempts,
        .cause = failure->cause,
        .root = failure->root,
        .origin = failure->origin,
        .actor = failure->actor,
        .retry_after_ms = (int)failure->retry_after_ms,
        .host = failure->host,
        .pid = (int)failure->pid,
        .status = (int)failure->status,
        .reason = failure->reason,
        .trace = failure->trace,
        .log = failure->log,
    };
}

mob_info_t mob_info(mob_t *self, mob_ref_t ref)
{
    session_lock(self);
    future_t *future = futures_find(&self->futures, ref);
    mob_info_t info = {.state = MOB_FAILED,
                       .err = MOB_EGONE,
                       .root = MOB_EGONE,
                       .why = "",
                       .host = "",
                       .reason = "not held by this connection",
                       .trace = "",
                       .log = ""};
    if (future)
        info = info_of(future);
    session_unlock(self);
    return info;
}
