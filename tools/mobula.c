// mobula.c - finds the verb and runs it. `mobula-broker` and `mobula-monitor` are links to this
// program.

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "demo_bodies.h"
#include "verb.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int run_verb(tool_t *tool, int argc, char **argv)
{
    int done = verb_parse(tool, argc, argv);
    if (done < 0) {
        done = tool->verb->run(tool);
        bool late = done && tool->client && tool_left_ms(tool) == 0; // a silent broker
        if (late && fflush(stdout) == 0)
            _exit(done);
        tool_close(tool);
        arena_clear(&tool->memory);
    }
    return fflush(stdout) == 0 ? done : 1;
}

// Help without a command, or a command.
static int start(tool_t *tool, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (argc < 2 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        tool->term = term_look("auto");
        verb_overview(tool);
        return 0;
    }
    if (strcmp(word, "--version") == 0)
        word = "version";
    tool->verb = verb_find(word);
    if (tool->verb)
        return run_verb(tool, argc - 2, argv + 2);
    tool->term = term_look("auto");
    return verb_unknown(tool, word);
}

int main(int argc, char **argv)
{
    tool_t tool = {.program = argv[0]};
    const char *name = base_name(argv[0]);
    if (argc > 1 && strcmp(argv[1], DEMO_HOST) == 0)
        return demo_host(argc - 1, argv + 1);
    if (strncmp(name, "mobula-", 7) == 0 && verb_find(name + 7)) {
        tool.verb = verb_find(name + 7);
        return run_verb(&tool, argc - 1, argv + 1);
    }
    return start(&tool, argc, argv);
}
