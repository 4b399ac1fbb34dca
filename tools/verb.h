// verb.h - the table of commands. Parsing, --help, the overview, completion and the man page are
// made from it; a command that is not in the table does not exist.
//
// To add one: a line in verb.c, its flags, a function in the file of its family, a test in
// tests/cli.

#ifndef MOBULA_TOOLS_VERB_H
#define MOBULA_TOOLS_VERB_H

#include "tool.h"

// The placeholder of a value says how it is checked: N, DUR, RATE, SIZE, X (a decimal) and lists of
// words like "a|b|c"; anything else is text. [=X]: the value is optional and needs the sign.
typedef struct flag {
    const char *name;
    char letter;       // 0: none
    const char *value; // NULL: a switch
    const char *help;  // with an example of each duration, size and rate
} flag_t;

typedef enum family {
    FAMILY_RUN,
    FAMILY_TALK,
    FAMILY_WATCH,
    FAMILY_MANAGE,
    FAMILY_MEASURE,
    FAMILY_SETUP,
    FAMILY_COUNT
} family_t;

typedef struct command {
    const char *name;
    family_t family;
    const char *usage;    // words behind the name
    const char *summary;  // one line, no capital, no full stop
    const char *examples; // at least two lines
    const flag_t *flags;  // own ones; ends with a NULL name
    unsigned least, most; // words
    bool listing;         // takes the flags of listings, too
    bool bodies;          // runs a body: 60s by default, else 5s
    int (*run)(tool_t *);
} command_t;

extern const command_t verbs[];                             // ends with a NULL name
extern const flag_t verb_common_flags[], verb_list_flags[]; // of every command, of every listing
const command_t *verb_find(const char *name);

// Fill tool from the words behind the program's name. -1: go on with tool->verb; else the exit
// code: help was printed, or the error said.
int verb_parse(tool_t *tool, int argc, char **argv);

void verb_overview(const tool_t *tool);                    // `mobula`
void verb_help(const tool_t *tool, const command_t *verb); // `mobula VERB --help`
int verb_unknown(tool_t *tool, const char *word);          // says so, with the nearest three

// The verbs' functions, by file.
int run_broker(tool_t *), demo(tool_t *), init(tool_t *);
int talk_run(tool_t *), talk_new(tool_t *), talk_call(tool_t *), talk_tell(tool_t *),
    talk_get(tool_t *), talk_wait(tool_t *), talk_cancel(tool_t *), talk_put(tool_t *),
    talk_drop(tool_t *);
int monitor(tool_t *), events(tool_t *);
int top(tool_t *);
int state_list(tool_t *), state_show(tool_t *), state_status(tool_t *), state_summary(tool_t *);
int why(tool_t *);
int timeline(tool_t *);
int manage_stop(tool_t *), manage_kill(tool_t *);
int dlq(tool_t *);
int bench(tool_t *);
int bench_ray(tool_t *); // bench ray
int setup_health(tool_t *), setup_config(tool_t *), setup_help(tool_t *), setup_version(tool_t *),
    setup_completion(tool_t *);

#endif
