// mobula_worker.c - the host of the benchmarks: an echo as a task and as an actor.

#include "echo.contract.h"

mob_err_t echo_task(mob_ctx_t *ctx, mob_bytes_t data, mob_bytes_t *out)
{
    (void)ctx;
    *out = data;
    return MOB_OK;
}

mob_err_t nothing(mob_ctx_t *ctx, mob_nil_t *out)
{
    (void)ctx;
    (void)out;
    return MOB_OK;
}

struct echo_actor {
    int unused;
};

mob_err_t echo_actor_echo(mob_ctx_t *ctx, echo_actor_t *self, mob_bytes_t data, mob_bytes_t *out)
{
    (void)ctx;
    (void)self;
    *out = data;
    return MOB_OK;
}

int main(int argc, char **argv)
{
    return mob_main(argc, argv, mob_task(echo_task), mob_task(nothing),
                    mob_actor(echo_actor, ECHO_ACTOR));
}
