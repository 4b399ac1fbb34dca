// bodies.c - what the tasks and actors of @NAME@ do: ordinary functions, called by tests as well.

#include "@NAME@.contract.h"

mob_err_t hello(mob_ctx_t *ctx, const char *name, const char **out)
{
    *out = mob_format(ctx, "hello, %s", name);
    return MOB_OK;
}

mob_err_t counter_init(mob_ctx_t *ctx, counter_t *self, int64_t start)
{
    (void)ctx;
    self->value = start;
    return MOB_OK;
}

mob_err_t counter_add(mob_ctx_t *ctx, counter_t *self, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = self->value += n;
    return MOB_OK;
}

mob_err_t counter_value(mob_ctx_t *ctx, counter_t *self, int64_t *out)
{
    (void)ctx;
    *out = self->value;
    return MOB_OK;
}
