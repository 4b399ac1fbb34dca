// quiet.c - see quiet.h.

#include "quiet.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

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

// "server/rejoin" is MOBULA_SERVER_REJOIN to a program.
static void tell(const char *const settings[], bool take_back)
{
    for (; settings && *settings; settings += 2) {
        char name[128];
        int size = snprintf(name, sizeof name, "MOBULA_%s", settings[0]);
        for (int i = 0; i < size && i < (int)sizeof name; i++)
            name[i] = name[i] == '/' ? '_' : (char)toupper((unsigned char)name[i]);
        if (take_back)
            unsetenv(name);
        else
            setenv(name, settings[1], 1);
    }
}

static _Noreturn void become(const char *argv[], pid_t test, const janitor_t *janitor)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != test)
        _exit(1);
    janitor_leave(janitor);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

pid_t quiet_start(const char *directory, const char *address, const janitor_t *janitor,
                  const char *const defaults[], const char *const settings[])
{
    const char *argv[] = {getenv("MOBULA_BIN"),
                          "broker",
                          "--config",
                          "/dev/null",
                          "--bind",
                          address,
                          "--data",
                          directory,
                          "--log-level",
                          "error",
                          NULL};
    if (!argv[0]) {
        fputs("MOBULA_BIN must name the program mobula\n", stderr);
        return -1;
    }
    tell(defaults, false);
    tell(settings, false);
    pid_t test = getpid(), pid = fork();
    if (pid == 0)
        become(argv, test, janitor);
    tell(settings, true);
    tell(defaults, true);
    return pid;
}
