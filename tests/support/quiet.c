// quiet.c - see quiet.h.

#include "quiet.h"

#include <stdio.h>

mob_err_t quiet_set(config_t *config, const char *const settings[])
{
    mob_err_t err = MOB_OK;
    char why[512] = "";
    for (; settings && *settings && !err; settings += 2)
        err = config_set(config, settings[0], settings[1], why, sizeof why);
    if (err)
        fprintf(stderr, "%s\n", why);
    return err;
}

mob_err_t quiet_config(config_t *config, const char *directory, const char *address)
{
    char why[512] = "";
    mob_err_t err = config_load(config, "/dev/null", why, sizeof why);
    if (err)
        fprintf(stderr, "%s\n", why);
    const char *const settings[] = {"server/bind", address, "server/data", directory,
                                    "log/level",   "error", NULL};
    return err ? err : quiet_set(config, settings);
}
