// setup.c - health, config, completion, help, version. Only health talks to a broker.

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "error.h"
#include "limit.h"
#include "machine.h"
#include "near.h"
#include "query.h"
#include "unit.h"
#include "verb.h"

int setup_version(tool_t *tool)
{
    if (tool_json(tool))
        printf("{\"version\":\"" MOB_VERSION "\",\"protocol\":\"%d.%d\"}\n", MOB_WIRE_MAJOR,
               MOB_WIRE_MINOR);
    else
        printf("mobula " MOB_VERSION "   protocol %d.%d\n", MOB_WIRE_MAJOR, MOB_WIRE_MINOR);
    return 0;
}

// ---- health -------------------------------------------------------------------------------------

// What the host of this container is called was given to it, or holds the container's name.
static bool is_here(const row_t *host)
{
    char machine[MACHINE_SIZE], container[MACHINE_HOST_SIZE], part[MACHINE_HOST_SIZE + 2];
    const char *name = row_text(host, "name"), *given = getenv("MOBULA_NAME");
    if (given && *given)
        return strcmp(name, given) == 0;
    machine_id(machine);
    machine_container(container);
    snprintf(part, sizeof part, "-%s-", container);
    return strstr(row_text(host, "labels"), machine) && (!*container || strstr(name, part));
}

static int check_host(tool_t *tool, const char *wanted)
{
    rows_t rows;
    const char *state = NULL;
    int wrong = query_rows(tool, "hosts", NULL, &rows);
    if (wrong)
        return wrong;
    for (size_t i = 0; i < rows.count; i++) {
        const row_t *host = &rows.items[i];
        bool meant = strcmp(wanted, "self") == 0 ? is_here(host)
                                                 : strcmp(row_text(host, "name"), wanted) == 0;
        if (meant && strcmp(row_text(host, "state"), "alive") == 0)
            return 0;
        state = meant ? row_text(host, "state") : state;
    }
    trouble_t out = state ? trouble(MOB_EUNAVAILABLE, "the host %s is %s", wanted, state)
                          : trouble(MOB_ENOTFOUND, "no host %s has joined", wanted);
    trouble_try(&out, "mobula list hosts");
    return say_trouble(tool, &out);
}

int setup_health(tool_t *tool)
{
    rows_t rows;
    const char *host = tool_flag(tool, "host");
    char time[UNIT_TEXT_MAX];
    int wrong = tool_connect(tool);
    int64_t since = clock_us();
    if (!wrong)
        wrong = query_rows(tool, "status", NULL, &rows);
    if (wrong)
        return wrong;
    int64_t took = clock_us() - since;
    const char *state = rows.count ? row_text(&rows.items[0], "state") : "";
    if (strcmp(state, "draining") == 0 && !tool_has(tool, "live")) {
        trouble_t out =
            trouble(MOB_EBROKER, "the broker at %s drains and takes no new work", tool->address);
        snprintf(out.reason, sizeof out.reason, "DRAIN");
        return say_trouble(tool, &out);
    }
    if (host && (wrong = check_host(tool, host)))
        return wrong;
    if (tool_json(tool))
        printf("{\"healthy\":true,\"state\":\"%s\",\"took_us\":%lld}\n", state, (long long)took);
    else
        printf("healthy   %s   %s   %s\n", tool->address, state,
               unit_print_duration(time, took, !tool->term.utf8));
    return 0;
}

// ---- config -------------------------------------------------------------------------------------

static int load(tool_t *tool, config_t *config, const char *file)
{
    char why[512] = "";
    mob_err_t err = config_load(config, file, why, sizeof why);
    if (err == MOB_OK) {
        if (*why)
            say_note(tool, "warning: %s", why);
        return 0;
    }
    trouble_t out = trouble_config("%s", why);
    trouble_try(&out, "mobula config default      every setting, with its default");
    return say_trouble(tool, &out);
}

static const column_t config_columns[] = {{"key", "KEY", 't', 0},
                                          {"value", "VALUE", 't', 0},
                                          {"origin", "ORIGIN", 't', 0},
                                          {"default", "DEFAULT", 't', 0},
                                          {"environment", "ENVIRONMENT", 't', 1},
                                          {0}};

static int show(tool_t *tool, const config_t *config)
{
    static const char *const origins[] = {"default", "file", "environment", "flag"};
    static config_text_t values[CONFIG_COUNT];
    static config_row_t settings[CONFIG_COUNT];
    cell_t cells[CONFIG_COUNT][5];
    row_t items[CONFIG_COUNT];
    for (unsigned i = 0; i < CONFIG_COUNT; i++) {
        settings[i] = config_row((config_id_t)i);
        config_show(config, (config_id_t)i, values[i], sizeof values[i]);
        cells[i][0] = (cell_t){.key = "key", .text = settings[i].key};
        cells[i][1] = (cell_t){.key = "value", .text = values[i]};
        cells[i][2] = (cell_t){.key = "origin", .text = origins[config->origins[i]]};
        cells[i][3] = (cell_t){.key = "default", .text = settings[i].fallback};
        cells[i][4] = (cell_t){.key = "environment", .text = settings[i].environment};
        items[i] = (row_t){cells[i], 5};
    }
    rows_t rows = {.items = items, .count = CONFIG_COUNT};
    say_rows(tool, &rows, config_columns, "key");
    fflush(stdout);
    say_note(tool, "file: %s", *config->file ? config->file : "none");
    return 0;
}

// As a file: sections, comments, and every setting at its default.
static int print_default(void)
{
    char section[64] = "";
    puts("# mobula.conf: every setting at its default. Flags are stronger, then the environment, "
         "then this.");
    for (unsigned i = 0; i < CONFIG_COUNT; i++) {
        config_row_t row = config_row((config_id_t)i);
        size_t size = strcspn(row.key, "/");
        if (strncmp(section, row.key, size) != 0 || section[size]) {
            snprintf(section, sizeof section, "%.*s", (int)size, row.key);
            printf("\n%s\n", section);
        }
        printf("    # %s%s%s%s (%s)\n", row.help, *row.words ? "; one of: " : "", row.words, "",
               row.environment);
        bool quoted = strpbrk(row.fallback, "#:") || !*row.fallback;
        printf("%s%s = %s%s%s\n", *row.fallback ? "    " : "    # ", row.key + size + 1,
               quoted ? "\"" : "", row.fallback, quoted ? "\"" : "");
    }
    return 0;
}

int setup_config(tool_t *tool)
{
    static config_t config;
    const char *what = tool->words[0],
               *file = tool->word_count > 1 ? tool->words[1] : tool_flag(tool, "config");
    if (strcmp(what, "default") == 0)
        return print_default();
    if (strcmp(what, "show") != 0 && strcmp(what, "check") != 0) {
        trouble_t out = trouble_usage("config has no %s", what);
        trouble_try(&out, "mobula config show");
        trouble_try(&out, "mobula config check FILE");
        trouble_try(&out, "mobula config default");
        return say_trouble(tool, &out);
    }
    int wrong = load(tool, &config, file);
    if (wrong || strcmp(what, "show") == 0)
        return wrong ? wrong : show(tool, &config);
    printf("ok   %s\n", *config.file ? config.file : "no file: defaults and environment");
    return 0;
}

// ---- completion ---------------------------------------------------------------------------------

static void print_verbs(const char *before, const char *after)
{
    for (const command_t *verb = verbs; verb->name; verb++)
        printf("%s%s%s", before, verb->name, after);
}

static void print_flag_names(const command_t *verb)
{
    for (const flag_t *flag = verb->flags; flag->name; flag++)
        printf(" --%s", flag->name);
    printf(" --broker --timeout --output --json --help");
}

static void complete_bash(void)
{
    printf("_mobula() {\n    local word=${COMP_WORDS[COMP_CWORD]} words=\n    case "
           "${COMP_WORDS[1]} in\n");
    for (const command_t *verb = verbs; verb->name; verb++) {
        bool among = strchr(verb->usage, '|') && verb->usage[0] >= 'a' && verb->usage[0] <= 'z';
        printf("    %s) words='", verb->name);
        for (const char *at = verb->usage; among && *at && *at != ' '; at++)
            putchar(*at == '|' ? ' ' : *at);
        print_flag_names(verb);
        printf("' ;;\n");
    }
    printf("    esac\n    [ \"$COMP_CWORD\" = 1 ] && words='");
    print_verbs("", " ");
    printf(
        "'\n    case ${COMP_WORDS[1]}:$COMP_CWORD in\n"
        "    call:2|tell:2|stop:2|kill:2) words=$(mobula list actors -o name -q -t 300ms "
        "2>/dev/null) ;;\n    esac\n"
        "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\ncomplete -F _mobula mobula\n");
}

static void complete_zsh(void)
{
    printf("autoload -U +X bashcompinit && bashcompinit\n");
    complete_bash();
}

static void complete_fish(void)
{
    for (const command_t *verb = verbs; verb->name; verb++) {
        printf("complete -c mobula -n __fish_use_subcommand -f -a %s -d '%s'\n", verb->name,
               verb->summary);
        for (const flag_t *flag = verb->flags; flag->name; flag++)
            printf("complete -c mobula -n '__fish_seen_subcommand_from %s' -l %s\n", verb->name,
                   flag->name);
    }
    printf("complete -c mobula -n '__fish_seen_subcommand_from call tell stop kill' -f -a '(mobula "
           "list actors -o name -q -t 300ms 2>/dev/null)'\n");
}

int setup_completion(tool_t *tool)
{
    static const struct {
        const char *shell;
        void (*print)(void);
    } shells[] = {{"bash", complete_bash}, {"zsh", complete_zsh}, {"fish", complete_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shells[i].shell, tool->words[0]) == 0) {
            shells[i].print();
            return 0;
        }
    trouble_t out = trouble_usage("completion knows bash, zsh and fish, not %s", tool->words[0]);
    return say_trouble(tool, &out);
}

// ---- help ---------------------------------------------------------------------------------------

// What to do about a code; beside its text and its exit code, which types.h has.
static const struct {
    const char *code, *advice;
} advices[] = {
    {"EARGS", "Nothing was sent. The message names the signature, the argument and what was "
              "given.\nmobula list methods"},
    {"ENOTFOUND", "No host offers it, or no living actor has that name. Names are looked up in a "
                  "namespace: -n.\nmobula list methods\nmobula list actors"},
    {"EEXISTS", "A living actor has the name.\nmobula new CLASS --name NAME --get-if-exists"},
    {"ETIMEDOUT", "This wait ended; the call itself goes on unless it was yours.\nmobula list "
                  "tasks\nmobula ... -t 5m"},
    {"EDEADLINE", "The call's own time is over, an outcome for everybody. It may have run: see "
                  "executed.\nmobula ... --deadline 30s"},
    {"ECANCELLED", "Somebody cancelled it, or it was interrupted."},
    {"EDEP", "It never ran: an argument was the result of a call that failed. The cause is the "
             "last of the chain."},
    {"ETASK", "The body ran and reported failure: its sentence and its code are in the message."},
    {"EDEAD", "The actor is gone for good: CRASH, OOM, KILL, STOP, OWNER, INIT ...\nmobula list "
              "actors -f state=dead"},
    {"EUNAVAILABLE", "The actor restarts or is out of reach for now. Again in a moment."},
    {"ELOST", "The worker process ended while it ran, and no retry is left: CRASH, OOM, SILENT, "
              "HOST.\nmobula run ... --retries 5"},
    {"EBROKER", "The broker lost it (LOST), or drains and takes no new work (DRAIN)."},
    {"EGONE", "The value was freed, expired, or its owner ended: FREED, EXPIRED, LOST, OWNER."},
    {"EFULL", "No room: MAILBOX, PENDING, QUEUE, STORE, DISK, MEMORY, RATE. Again later, or raise "
              "the limit.\nmobula config show"},
    {"EOFFLINE", "Nobody listens at the address, or the broker does not answer.\nmobula broker "
                 "&\nmobula health -b URL"},
    {"EDENIED", "The key, the role or the directory's permissions do not allow it."},
    {"EPROTO", "The two sides speak different versions of the protocol: update the older "
               "one.\nmobula version"},
    {"ELIMIT", "Above a fixed bound; waiting does not help."},
    {"ESETUP",
     "The host could not start the worker process: limits of processes or memory, or the program."},
    {"EPOISON", "It ended every worker that tried it; it is not tried again."},
};

static const struct {
    const char *name, *text;
} topics[] = {
    {"filter",
     "expr   a word (part of from, to, method, id, name), or KEY OP VALUE; joined by and, or, not, "
     "( )\n"
     "op     =  !=  ~ glob with * and ?  =~ regular expression  <  <=  >  >=      lists: "
     "ev=call,reply\n"
     "value  bare, \"quoted\", 10ms, 64KiB, 17\n"
     "keys   of the monitor: ev src dst side actor method status error note bytes took age attempt "
     "id\n"
     "       (side: src or dst; actor: who is asked, of calls and of replies)\n"
     "       of lists: name class state worker host kind role pid mailbox restarts age ...\n\n"
     "  mobula monitor 'dst~ledger* and (took>10ms or status!=ok)'\n"
     "  mobula list actors -f state=alive -f 'mailbox>0'\n"},
    {"exit",
     "0 done                          6 not allowed: EDENIED\n"
     "1 other failure                 7 the body failed, or a dependency: ETASK ERESULT EDEP\n"
     "2 usage, arguments, settings    8 cancelled\n"
     "3 broker not reachable          9 full: EFULL\n"
     "4 the wait or deadline ended   10 --fail-if or --expect not met\n"
     "5 not there, or already        11 actor, worker, host or broker lost\n"
     "130, 143: SIGINT or SIGTERM before the end\n"},
    {"units", "durations  250us 10ms 1.5s 2m 1h 3d forever\nsizes      100 64KiB 10MB\nrates      "
              "500/s 5k/s 600/m\n"},
    {"args", "One word each, in the order of the signature (mobula list methods).\n"
             "i64 f64    numbers                flag   true, false        str   the word as it is\n"
             "bytes      @FILE, - for stdin, or the word                  any   JSON, or the word\n"
             "a record   a JSON array of its fields                       ref:ID   the value of "
             "another result\n"},
};

static int help_error(const char *word)
{
    const char *code = strncmp(word, "MOB_", 4) == 0 ? word + 4 : word;
    for (int err = 0; err < 64; err++) {
        if (strcmp(error_name((mob_err_t)err), code) != 0)
            continue;
        printf("%s   %s   (MOB_%s, number %d, exit code %d)\n", code, mob_strerror((mob_err_t)err),
               code, err, mob_exit_status((mob_err_t)err));
        for (size_t i = 0; i < sizeof advices / sizeof *advices; i++)
            if (strcmp(advices[i].code, code) == 0)
                printf("%s\n", advices[i].advice);
        return 0;
    }
    return -1;
}

int setup_help(tool_t *tool)
{
    if (tool->word_count == 0) {
        verb_overview(tool);
        printf("\ntopics: ");
        for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
            printf("%s ", topics[i].name);
        puts("and every error code");
        return 0;
    }
    const char *word = tool->words[0];
    const command_t *verb = verb_find(word);
    if (verb) {
        verb_help(tool, verb);
        return 0;
    }
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (strcmp(topics[i].name, word) == 0) {
            fputs(topics[i].text, stdout);
            return 0;
        }
    int done = help_error(word);
    return done < 0 ? verb_unknown(tool, word) : done;
}
