// later.c - what worker.h declares and this version does not do. Each says so by name: the call of
// the body that asked ends as MOB_EARGS with a sentence, whatever the body returns.

#include <stdio.h>

#include "context.h"

static mob_err_t refuse(mob_ctx_t *ctx, const char *sentence)
{
    context_t *self = (context_t *)(uintptr_t)ctx;
    self->refused = sentence;
    return MOB_EARGS;
}

mob_err_t mob_forward(mob_ctx_t *ctx, mob_ref_t ref)
{
    (void)ref;
    return refuse(ctx, "mob_forward() is not in this version");
}

mob_err_t mob_save(mob_ctx_t *ctx, mob_bytes_t state)
{
    (void)state;
    return refuse(ctx, "mob_save() is not in this version");
}

mob_promise_t mob_defer_call(mob_ctx_t *ctx)
{
    refuse(ctx, "mob_defer_call(): deferred answers are not in this version");
    return (mob_promise_t){0};
}

// No promise was ever given: there is no call that these could answer.
bool mob_settle(mob_t *client, mob_promise_t promise, mob_value_t value)
{
    (void)client, (void)promise, (void)value;
    return false;
}

bool mob_refuse(mob_t *client, mob_promise_t promise, int code, const char *format, ...)
{
    (void)client, (void)promise, (void)code, (void)format;
    return false;
}

void mob_metric(mob_t *self, mob_metric_t kind, const char *name, const char *tags, double value)
{
    (void)self, (void)kind;
    fprintf(stderr, "MOB-METRIC-LOST name=%s tags=\"%s\" value=%g: metrics are not in this version\n",
            name, tags ? tags : "", value);
}
