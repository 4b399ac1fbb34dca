// manage.c - stop, kill: the end of an actor, waited for.

#include <string.h>

#include "query.h"
#include "verb.h"

static int end_actor(tool_t *tool, mob_stop_t how)
{
    mob_actor_t actor;
    const char *cls;
    int wrong = tool_connect(tool);
    if (!wrong)
        wrong = query_actor(tool, tool->words[0], &actor, &cls);
    if (wrong)
        return wrong;
    if (!say_sure(tool, tool->words[0])) {
        trouble_t out = trouble(MOB_ECANCELLED, "%s was not ended", tool->words[0]);
        return say_trouble(tool, &out);
    }
    mob_ref_t ended = mob_watch(tool->client, actor);
    mob_stop(tool->client, actor, how);
    mob_reader_t reader;
    mob_err_t err = tool_await(tool, ended, &reader);
    if (err)
        return say_failure(tool, ended, err, tool->words[0]);
    say_note(tool, "%s ended: %s", tool->words[0], mob_read_str(&reader));
    return 0;
}

int manage_stop(tool_t *tool)
{
    return end_actor(tool, MOB_STOP_DRAIN);
}

int manage_kill(tool_t *tool)
{
    return end_actor(tool, MOB_STOP_NOW);
}
