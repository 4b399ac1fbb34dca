// 06_place.c - where bodies run and what they take up there: a host says what it has, a definition
// and a call what they need. What nobody can run waits; a host that must be and is not is an error.

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <mobula/contract.h>

MOB_TASK(copy, i64, (i64, number)); // how many of its kind run at the same time

static int64_t running; // only ever one writes it: there is one disk

mob_err_t copy(mob_ctx_t *ctx, int64_t number, int64_t *out)
{
    (void)ctx, (void)number;
    running++;
    nanosleep(&(struct timespec){0, 2000000}, NULL);
    *out = running--;
    return MOB_OK;
}

static mob_err_t copy_all(mob_t *m)
{
    mob_ref_i64 refs[8];
    int64_t most = 0, here = 0;
    mob_err_t err = MOB_OK;
    for (int i = 0; i < 8; i++)
        refs[i] = mob_run_with(m, MOB_OPTS(.place.cpus = 0.5), copy, i);
    for (int i = 0; i < 8 && !err; i++) {
        err = mob_get(m, refs[i], &here, 10000);
        most = here > most ? here : most;
    }
    printf("8 copies, at the same time at most: %" PRId64 "\n", most);
    return err;
}

static void try(mob_t *m, const char *what, const mob_opts_t *opts)
{
    mob_ref_i64 ref = mob_run_with(m, opts, copy, 0);
    printf("%s: %s\n", what, mob_strerror(mob_done(m, ref, 10000)));
}

int main(void)
{
    const mob_config_t config = {
        .cpus = 4, .resources = {{"disk", 1}, {"gpu", 2}}, .labels = "zone=a"};
    mob_t *m = mob_connect(&config);
    mob_err_t err = mob_offer(m, mob_task(copy, .place.resources = {{"disk", 1}}));
    if (!err)
        err = copy_all(m);
    if (!err) {
        try(m, "in zone a", MOB_OPTS(.place.labels = "zone=a"));
        try(m, "rather in b", MOB_OPTS(.place = {.labels = "zone=b", .soft = true}));
        try(m, "in zone b", MOB_OPTS(.place.labels = "zone=b", .timeout_ms = 200));
        try(m, "on atlantis", MOB_OPTS(.place.host = "atlantis"));
        try(m, "half a disk", MOB_OPTS(.place.resources = {{"disk", 0.5}}));
        try(m, "no cpu at all", MOB_OPTS(.place.cpus = MOB_NONE));
        try(m, "minus one", MOB_OPTS(.place.resources = {{"disk", -1}}));
    } else {
        puts(mob_strerror(err));
    }
    mob_close(&m);
    return mob_exit_status(err);
}
