// verb.c - the table of commands. What is made from it: parse.c reads lines, help.c prints.

#include "verb.h"

#include <string.h>

#include "near.h"
#include "say.h"

// clang-format off
const flag_t verb_common_flags[] = {
    {"broker",    'b', "URL",  "ipc://PATH, tcp://HOST:PORT or HOST[:PORT]; several by comma (MOBULA_BROKER)"},
    {"key",       'k', "FILE", "client key for tcp (MOBULA_KEY_FILE)"},
    {"timeout",   't', "DUR",  "bound of the whole command: 500ms, 10s, 2m, forever (MOBULA_TIMEOUT)"},
    {"output",    'o', "table|plain|wide|json|jsonl|csv|name", "table on a terminal, plain in a pipe (MOBULA_OUTPUT)"},
    {"json",      0,   NULL,   "the same as -o json"},
    {"namespace", 'n', "NAME", "where plain names live: default (MOBULA_NAMESPACE)"},
    {"quiet",     'q', NULL,   "no commentary on stderr"},
    {"color",     0,   "auto|always|never", "auto (NO_COLOR, CLICOLOR_FORCE)"},
    {"yes",       'y', NULL,   "never ask"},
    {"no-input",  0,   NULL,   "never ask, and do nothing that would need an answer"},
    {"help",      'h', NULL,   "this"},
    {"version",   0,   NULL,   "print the version"},
    {0},
};

const flag_t verb_list_flags[] = {
    {"filter",    'f', "EXPR", "keep what matches: -f state=alive -f 'age>5m and mailbox>0'; all must match"},
    {"sort",      0,   "COL",  "by this column, greatest last; -COL: greatest first"},
    {"reverse",   'R', NULL,   "turn the order round"},
    {"limit",     0,   "N",    "rows shown: 100"},
    {"columns",   0,   "A,B",  "these fields only"},
    {"no-headers",0,   NULL,   "rows alone"},
    {0},
};

static const flag_t broker_flags[] = {
    {"config",     0, "FILE", "settings; else ./mobula.conf, then the user's, then /etc/mobula"},
    {"bind",       0, "URL",  "calls socket, repeatable: ipc, ipc:///path/calls.sock, tcp://127.0.0.1:7770"},
    {"data",       0, "DIR",  "what must outlive the broker, or :memory:"},
    {"name",       0, "NAME", "shown everywhere: local"},
    {"insecure",   0, "[=private-network]", "tcp without keys, on loopback addresses or private networks"},
    {"log-level",  0, "debug|info|warn|error", "the least that is logged: info"},
    {"log-format", 0, "auto|pretty|logfmt|json", "auto"},
    {"check-config", 0, NULL, "read the settings, say what is wrong, start nothing"},
    {0},
};
static const flag_t demo_flags[] = {
    {"for",   0, "DUR", "end after the census and at most so long: 10s, 1m"},
    {"hosts", 0, "N",   "worker programs to start: 2"},
    {"inflight", 0, "N", "tasks on the way at once: 64"},
    {0},
};
static const flag_t run_flags[] = {
    {"detach",   0, NULL,   "print the ref and end; mobula get REF within 10 minutes"},
    {"retries",  0, "N",    "runs after a lost worker: 3"},
    {"cpus",     0, "X",    "slots it takes: 1"},
    {"host",     0, "NAME", "this host or EPLACE"},
    {"priority", 0, "N",    "-8 to 7, higher starts first: 0"},
    {"deadline", 0, "DUR",  "the task's own end: 500ms, 10s"},
    {"timing",   0, NULL,   "say on stderr how long it took"},
    {"raw",      0, NULL,   "bytes as they are"},
    {0},
};
static const flag_t new_flags[] = {
    {"name",         0, "S",    "what it is called; else CLASS/N"},
    {"get-if-exists",0, NULL,   "take a living one of that name instead"},
    {"max-restarts", 0, "N",    "after a crash: 0"},
    {"mailbox",      0, "N",    "waiting calls of all callers: 1000"},
    {"host",         0, "NAME", "this host or EPLACE"},
    {0},
};
static const flag_t call_flags[] = {
    {"lane",     0, "NAME", "in this lane of the actor; else that of the method"},
    {"retries",  0, "N",   "runs after a crash of the actor: 0"},
    {"deadline", 0, "DUR", "the call's own end: 500ms, 10s"},
    {"timing",   0, NULL,  "say on stderr how long it took"},
    {"raw",      0, NULL,  "bytes as they are"},
    {0},
};
static const flag_t tell_flags[] = {
    {"lane",  0, "NAME", "in this lane of the actor; else that of the method"},
    {"count", 0, "N",    "tell it so often: 1"},
    {"rate",  0, "RATE", "no faster than 500/s, 5k/s"},
    {0},
};
static const flag_t get_flags[] = {{"raw", 0, NULL, "bytes as they are"}, {0}};
static const flag_t wait_flags[] = {{"any", 0, "N", "so many of them are enough"}, {0}};
static const flag_t cancel_flags[] = {
    {"cascade", 0, NULL, "and what it started"},
    {"force",   0, NULL, "end the process it runs in; tasks only"},
    {0},
};
static const flag_t monitor_flags[] = {
    {"filter",    'f', "EXPR", "show what matches: -f ev=dead -f 'took>10ms'; all must match"},
    {"since",     0, "DUR",    "first what the flight recorder has of the last 30s, 5m, 1h"},
    {"count",     0, "N",      "end after so many records"},
    {"for",       0, "DUR",    "end after 500ms, 10s, 1m; 0 behind what --since gave"},
    {"sample",    0, "1/N",    "a part of the calls, with all that belongs to them: 1/100, 5%"},
    {"pairs",     0, NULL,     "a call and its reply in one line"},
    {"group-by",  0, "KEYS",   "a table instead of lines, of actor,method or other keys: count, rate, p50, p99, errors"},
    {"format",    0, "STR",    "%T time %e kind %s from %d to %m method %b bytes %l took %i id %n note %j record"},
    {"expect",    0, "EXPR",   "exit 10 if no record matched; without --for and --count end at the first that does"},
    {"fail-if",   0, "EXPR",   "exit 10 at the first record that matches"},
    {"no-footer", 0, NULL,     "records alone, also on a terminal"},
    {0},
};
static const flag_t top_flags[] = {
    {"view",     0,   "actors|methods|tasks|hosts|objects|workers|sessions|attempts", "what to begin with: actors"},
    {"filter",   'f', "EXPR", "rows that match: -f state=alive, -f 'mailbox>0'"},
    {"every",    0,   "DUR",  "a frame each 500ms, 2s: 1s"},
    {"once",     0,   NULL,   "print one frame and end; with -o json the figures, too"},
    {"readonly", 0,   NULL,   "without the key that ends actors"},
    {0},
};
static const flag_t summary_flags[] = {{"filter", 'f', "EXPR", "count what matches: -f state=failed, -f 'age>5m'"}, {0}};
static const flag_t bench_flags[] = {
    {"clients",  0, "N",    "connections, a thread each: 1"},
    {"inflight", 0, "N",    "calls on the way of one client: 64; with --rate as many as it takes"},
    {"size",     0, "SIZE", "bytes of the argument: 100, 4KiB"},
    {"rate",     0, "RATE", "open loop at 500/s, 5k/s; without it a closed loop"},
    {"duration", 0, "DUR",  "of the measurement: 5s, 1m; ray: of each of its four runs, 2s"},
    {"warmup",   0, "DUR",  "before it, not counted: 500ms; ray: 1s"},
    {0},
};
static const flag_t health_flags[] = {
    {"live",  0, NULL, "the broker answers"},
    {"ready", 0, NULL, "and takes new work; the default"},
    {"host",  0, "NAME", "and this host serves; self: the one of this container, or of this machine"},
    {0},
};
static const flag_t config_flags[] = {{"config", 0, "FILE", "instead of the file that would be read"}, {0}};
static const flag_t timeline_flags[] = {{"since", 0, "DUR", "from so long ago: 5m"}, {0}};
static const flag_t dlq_flags[] = {
    {"all",     0, NULL, "retry, drop: every one that matches -f"},
    {"dry-run", 0, NULL, "retry, drop: say which, do nothing"},
    {0},
};
static const flag_t no_flags[] = {{0}};

#define MANY TOOL_WORDS_MAX
const command_t verbs[] = {
    {"broker", FAMILY_RUN, "", "start a broker",
     "mobula broker\nmobula broker --bind ipc --bind tcp://127.0.0.1:7770 --insecure", broker_flags, 0, 0, false, false, run_broker},
    {"demo", FAMILY_RUN, "[PATH]", "broker + hosts + a word census, with the monitor",
     "mobula demo\nmobula demo --for 10s /usr/share/doc", demo_flags, 0, 1, false, true, demo},
    {"init", FAMILY_RUN, "NAME", "make a new actor project (CMake)",
     "mobula init hello\nmobula init shop && cd shop && cmake -B build && cmake --build build", no_flags, 1, 1, false, false, init},
    {"run", FAMILY_TALK, "TASK [ARGS]...", "run a task, print its value",
     "mobula run add 1 2\nmobula run fetch http://a --retries 5 -t 10s", run_flags, 1, MANY, false, true, talk_run},
    {"new", FAMILY_TALK, "CLASS [ARGS]...", "create an actor, print its name",
     "mobula new counter 10 --name hits\nmobula new ledger --max-restarts 5 -t 10s", new_flags, 1, MANY, false, true, talk_new},
    {"call", FAMILY_TALK, "TARGET METHOD [ARGS]...", "call a method, print its value",
     "mobula call hits add 5\nmobula call counter/7 value -t 500ms", call_flags, 2, MANY, false, true, talk_call},
    {"tell", FAMILY_TALK, "TARGET METHOD [ARGS]...", "call it, wait for nothing",
     "mobula tell hits add 5\nmobula tell hits add 1 --count 10000 --rate 5k/s", tell_flags, 2, MANY, false, false, talk_tell},
    {"get", FAMILY_TALK, "REF...", "print the value of refs",
     "mobula get 9f3ac41b22d0e871.17\nmobula get 9f3a.17 9f3a.18 -t 10s", get_flags, 1, MANY, false, true, talk_get},
    {"wait", FAMILY_TALK, "REF...", "wait until refs are settled",
     "mobula wait 9f3a.17 9f3a.18 --any 1\nmobula wait 9f3a.17 -t 2m", wait_flags, 1, MANY, false, true, talk_wait},
    {"put", FAMILY_TALK, "-|@FILE|VALUE", "store a value, print its ref",
     "mobula put '[1, 2, 3]'\nmobula get $(mobula put @notes.txt) --raw", no_flags, 1, 1, false, false, talk_put},
    {"drop", FAMILY_TALK, "REF...", "forget stored values",
     "mobula drop 9f3ac41b22d0e871.17\nmobula drop 9f3a.17 9f3a.18", no_flags, 1, MANY, false, false, talk_drop},
    {"cancel", FAMILY_TALK, "REF...", "cancel a task or a call",
     "mobula cancel 9f3a.17\nmobula cancel 9f3a.17 --cascade", cancel_flags, 1, MANY, false, false, talk_cancel},
    {"monitor", FAMILY_WATCH, "[EXPR]", "tail message traffic",
     "mobula monitor\nmobula monitor 'dst~ledger* and (took>10ms or status!=ok)'\nmobula monitor ev=dead --json --for 10s\nmobula monitor --since 5m --for 0 status!=ok\nmobula monitor --pairs actor=ledger\nmobula monitor --group-by actor,method --for 10s",
     monitor_flags, 0, MANY, false, false, monitor},
    {"events", FAMILY_WATCH, "[EXPR]", "lifecycle events only",
     "mobula events\nmobula events ev=exit,restart --count 1 --for 1m", monitor_flags, 0, MANY, false, false, events},
    {"top", FAMILY_WATCH, "", "live table: actors, tasks, hosts and more",
     "mobula top\nmobula top --view tasks -f 'age>5s' --every 2s\nmobula top --once -o json", top_flags, 0, 0, false, false, top},
    {"list", FAMILY_WATCH, "actors|tasks|attempts|objects|refs|stores|hosts|workers|sessions|methods|letters", "what there is",
     "mobula list actors -f state=alive --sort -mailbox\nmobula list tasks -f 'age>5m' -o json\nmobula list refs -f kind=argument", no_flags, 1, 1, true, false, state_list},
    {"show", FAMILY_WATCH, "actor|task|object|host|worker|session|method|letter ID", "all that is known of one thing",
     "mobula show actor ledger\nmobula show task 9f3a.17", no_flags, 2, 2, false, false, state_show},
    {"why", FAMILY_WATCH, "ID|ACTOR", "why a task, a call or an actor waits",
     "mobula why 9f3a.12\nmobula why ledger -o json", no_flags, 1, 1, false, false, why},
    {"timeline", FAMILY_WATCH, "[FILE]", "who ran what when, as a Chrome trace",
     "mobula timeline trace.json\nmobula timeline --since 30s > trace.json", timeline_flags, 0, 1, false, false, timeline},
    {"status", FAMILY_WATCH, "", "one-screen summary",
     "mobula status\nmobula status -o json", no_flags, 0, 0, false, false, state_status},
    {"summary", FAMILY_WATCH, "tasks|actors|objects", "counts by name and state",
     "mobula summary tasks\nmobula summary actors -f class=ledger", summary_flags, 1, 1, false, false, state_summary},
    {"stop", FAMILY_MANAGE, "TARGET", "end an actor after the calls already sent",
     "mobula stop hits\nmobula stop counter/7 -t 10s", no_flags, 1, 1, false, false, manage_stop},
    {"kill", FAMILY_MANAGE, "TARGET", "end an actor at once",
     "mobula kill hits\nmobula kill counter/7 -y", no_flags, 1, 1, false, false, manage_kill},
    {"dlq", FAMILY_MANAGE, "ls|show|retry|drop [ID]...", "dead letters: calls that failed with nobody to tell",
     "mobula dlq ls -f 'dst=ledger and age<1h'\nmobula dlq show dl-3\nmobula dlq retry dl-3 dl-4\nmobula dlq retry --all -f error=EDEAD -y\nmobula dlq drop --all --dry-run", dlq_flags, 1, MANY, true, false, dlq},
    {"bench", FAMILY_MEASURE, "[call|task|ray [ROW]...]", "load generator; ray: its microbenchmark, by its rules",
     "mobula bench call --clients 4 --duration 5s\nmobula bench task --rate 5k/s --size 4KiB\nmobula bench ray\nmobula bench ray 1_1 tasks_sync", bench_flags, 0, MANY, false, true, bench},
    {"health", FAMILY_SETUP, "", "exit 0 when healthy (for probes)",
     "mobula health\nmobula health --live -t 2s\nmobula health --host self", health_flags, 0, 0, false, false, setup_health},
    {"config", FAMILY_SETUP, "show|check|default [FILE]", "settings: value, origin, default",
     "mobula config show\nmobula config check mobula.conf", config_flags, 1, 2, false, false, setup_config},
    {"completion", FAMILY_SETUP, "bash|zsh|fish", "for your shell",
     "mobula completion bash > /etc/bash_completion.d/mobula\nsource <(mobula completion zsh)", no_flags, 1, 1, false, false, setup_completion},
    {"help", FAMILY_SETUP, "[COMMAND|ERROR|TOPIC]", "a command, an error code, a topic",
     "mobula help call\nmobula help ENOTFOUND", no_flags, 0, 1, false, false, setup_help},
    {"version", FAMILY_SETUP, "", "print the version",
     "mobula version\nmobula version -o json", no_flags, 0, 0, false, false, setup_version},
    {0},
};

static const struct {
    const char *word, *say;
} hints[] = {
    {"submit", "say `mobula run`"},     {"spawn", "say `mobula new`"},    {"exec", "say `mobula run`"},
    {"invoke", "say `mobula call`"},    {"pub", "say `mobula tell`"},     {"sub", "say `mobula monitor`"},
    {"ps", "say `mobula list actors` or `mobula list tasks`"},            {"ls", "say `mobula list`"},
    {"serve", "start the worker program itself: it is a host"},
    {"restart", "say `mobula kill`: an actor with restarts left comes back"},
    {"start", "say `mobula broker`, or start the worker program itself: it is a host"},
    {"server", "say `mobula broker`"},
};
// clang-format on

const command_t *verb_find(const char *name)
{
    for (const command_t *verb = verbs; verb->name; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

int verb_unknown(tool_t *tool, const char *word)
{
    near_t near = near_of(word);
    trouble_t out = trouble_usage("no command %s", word);
    if (*word == '-') {
        trouble_cause(&out, "flags stand behind the command");
        trouble_try(&out, "mobula status %s ...", word);
        return say_trouble(tool, &out);
    }
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strcmp(hints[i].word, word) == 0)
            trouble_cause(&out, "%s", hints[i].say);
    for (const command_t *verb = verbs; verb->name; verb++)
        near_add(&near, verb->name);
    for (unsigned i = 0; i < near.count; i++)
        trouble_try(&out, "mobula %-10s %s", near.best[i], verb_find(near.best[i])->summary);
    return say_trouble(tool, &out);
}
