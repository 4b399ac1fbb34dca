// run.c - broker: settings from flags, then the broker's own loop until a signal ends it.

#include <string.h>

#include "broker.h"
#include "say.h"
#include "verb.h"

static int refused(tool_t *tool, const char *why)
{
    trouble_t out = trouble_config("%s", why);
    trouble_try(&out, "mobula config default      every setting, with its default");
    return say_trouble(tool, &out);
}

// The flags that are settings; the others (--config, -q ...) have no row there.
static int set_flags(tool_t *tool, config_t *config)
{
    char why[512] = "";
    for (unsigned i = 0; i < tool->given_count; i++) {
        const given_t *given = &tool->given[i];
        bool bare = !given->flag->value || (given->flag->value[0] == '[' && !*given->value);
        mob_err_t err =
            config_flag(config, given->flag->name, bare ? NULL : given->value, why, sizeof why);
        if (err != MOB_OK && err != MOB_ENOTFOUND)
            return refused(tool, why);
    }
    return 0;
}

int run_broker(tool_t *tool)
{
    static config_t config;
    char why[512] = "";
    if (config_load(&config, tool_flag(tool, "config"), why, sizeof why) != MOB_OK)
        return refused(tool, why);
    if (*why)
        say_note(tool, "warning: %s", why);
    int wrong = set_flags(tool, &config);
    if (wrong || !tool_has(tool, "check-config"))
        return wrong ? wrong : broker_run(&config);
    printf("ok   %s\n", *config.file ? config.file : "no file: defaults and environment");
    return 0;
}
