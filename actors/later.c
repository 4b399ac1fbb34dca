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

void mob_metric(mob_t *self, mob_metric_t kind, const char *name, const char *tags, double value)
{
    (void)self, (void)kind;
    fprintf(stderr, "MOB-METRIC-LOST name=%s tags=\"%s\" value=%g: metrics are not in this version\n",
            name, tags ? tags : "", value);
}
