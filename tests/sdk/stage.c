// stage.c - see stage.h.

#include "stage.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker.h"
#include "quiet.h"
#include "work.h"

// ---- Bodies -------------------------------------------------------------------------------------

mob_err_t mirror(mob_ctx_t *ctx, mob_bytes_t data, mob_bytes_t *out)
{
    (void)ctx;
    *out = data;
    return MOB_OK;
}

mob_err_t inc(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = n + 1;
    return MOB_OK;
}

mob_err_t nap(mob_ctx_t *ctx, int64_t ms, int64_t *out)
{
    work_ms(ctx, ms);
    *out = ms;
    return MOB_OK;
}

mob_err_t stir(mob_ctx_t *ctx, int64_t us, int64_t *out)
{
    (void)ctx;
    work_us(us);
    *out = us;
    return MOB_OK;
}

mob_err_t fail(mob_ctx_t *ctx, int64_t code, const char *text, int64_t *out)
{
    (void)out;
    return mob_fail(ctx, (int)code, "%s", text);
}

mob_err_t nest(mob_ctx_t *ctx, int64_t depth, int64_t *out)
{
    if (depth == 0) {
        *out = 0;
        return MOB_OK;
    }
    mob_err_t err = mob_get(ctx->client, mob_run(ctx->client, nest, depth - 1), out, 5000);
    *out += 1;
    return err;
}

struct counter {
    int64_t value;
};

mob_err_t counter_init(mob_ctx_t *ctx, counter_t *self, int64_t start)
{
    if (start < 0)
        return mob_fail(ctx, 1, "oops");
    self->value = start;
    return MOB_OK;
}

mob_err_t counter_add(mob_ctx_t *ctx, counter_t *self, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = self->value += n;
    return MOB_OK;
}

mob_err_t counter_nap(mob_ctx_t *ctx, counter_t *self, int64_t ms, int64_t *out)
{
    (void)self;
    return nap(ctx, ms, out);
}

mob_err_t counter_fail(mob_ctx_t *ctx, counter_t *self, const char *text, int64_t *out)
{
    (void)self, (void)out;
    return mob_fail(ctx, 42, "%s", text);
}

const mob_def_t stage_defs[] = {mob_task(mirror),
                                mob_task(inc),
                                mob_task(nap),
                                mob_task(stir),
                                mob_task(fail),
                                mob_task(nest),
                                mob_actor(counter, COUNTER),
                                {0}};

// ---- The broker ---------------------------------------------------------------------------------

void stage_start(stage_t *self)
{
    const char *const rejoin[] = {"server/rejoin", "500ms", NULL};
    self->broker =
        quiet_start(self->directory, self->address, &self->janitor, rejoin, self->settings);
    cr_assert_gt(self->broker, 0);
}

void stage_kill(stage_t *self)
{
    kill(self->broker, SIGKILL);
    waitpid(self->broker, NULL, 0);
    self->broker = 0;
}

stage_t *stage_open(const char *const settings[])
{
    stage_t *self = calloc(1, sizeof *self);
    self->janitor = janitor_start(self->directory, self->address);
    self->settings = settings;
    stage_start(self);
    return self;
}

mob_t *stage_connect(const stage_t *self)
{
    mob_t *client = mob_connect(&(mob_config_t){.endpoint = self->address, .name = "story"});
    cr_assert_not_null(client);
    return client;
}

mob_t *stage_live(const stage_t *self)
{
    mob_t *client = stage_connect(self);
    mob_ref_t status = mob_query(client, "status", NULL);
    for (int tries = 0; tries < 100 && mob_await(client, status, NULL, 100) != MOB_OK; tries++)
        ; // not dropped: who counts objects counts this one before and after
    return client;
}

mob_t *stage_host(stage_t *self, const mob_def_t *defs)
{
    self->host = mob_connect(&(mob_config_t){.endpoint = self->address, .name = "host", .cpus = 2});
    is_err(mob_offer_defs(self->host, defs), MOB_OK);
    return self->host;
}

void stage_close(stage_t **self_p)
{
    stage_t *self = *self_p;
    *self_p = NULL;
    mob_close(&self->host);
    if (self->broker > 0) {
        kill(self->broker, SIGTERM);
        waitpid(self->broker, NULL, 0);
    }
    janitor_end(&self->janitor);
    free(self);
}
