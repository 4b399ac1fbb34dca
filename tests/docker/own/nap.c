// nap.c - a worker program as anybody writes one for a container, with a body that takes its time.

#include <poll.h>
#include <stdio.h>

#include <mobula/contract.h>

MOB_TASK(nap, i64, (i64, ms));

mob_err_t nap(mob_ctx_t *ctx, int64_t ms, int64_t *out)
{
    (void)ctx;
    fprintf(stderr, "naps\n");
    poll(NULL, 0, (int)ms);
    *out = ms;
    return MOB_OK;
}

int main(int argc, char **argv)
{
    return mob_main(argc, argv, mob_task(nap));
}
