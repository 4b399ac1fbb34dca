// run.c - mobula broker: flags to settings, then the broker in the foreground. The only file of the tools that knows it.

#include <stdio.h>
#include <string.h>

#include "broker.h"
#include "say.h"
#include "verb.h"

static int refuse(tool_t *tool, const char *why)
{
    trouble_t out = trouble_config("%s", why);
    trouble_try(&out, "mobula broker --help");
    trouble_try(&out, "mobula config show");
    return say_trouble(tool, &out);
}

// Every flag of the broker but these two is a setting of the same name.
static bool is_setting(const char *name)
{
    return strcmp(name, "config") != 0 && strcmp(name, "check-config") != 0;
}

static int take_flags(tool_t *tool, config_t *config)
{
    char why[512] = "";
    for (unsigned i = 0; i < tool->given_count; i++) {
        const given_t *given = &tool->given[i];
        if (!is_setting(given->flag->name))
            continue;
        const char *value = *given->value ? given->value : NULL;
        mob_err_t err = config_flag(config, given->flag->name, value, why, sizeof why);
        if (err && err != MOB_ENOTFOUND) // flags of every command are not settings
            return refuse(tool, why);
    }
    return 0;
}

int run_broker(tool_t *tool)
{
    static config_t config;
    char why[512] = "";
    if (config_load(&config, tool_flag(tool, "config"), why, sizeof why) != MOB_OK)
        return refuse(tool, why);
    if (*why)
        say_note(tool, "%s", why);
    int refused = take_flags(tool, &config);
    if (refused)
        return refused;
    if (tool_has(tool, "check-config")) {
        say_note(tool, "settings are fine%s%s", *config.file ? ": " : "", config.file);
        return 0;
    }
    return broker_run(&config);
}
