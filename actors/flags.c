// flags.c - the flags of a worker program: parsing and help come from one table.

#include "flags.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amount.h"
#include "label.h"
#include "limit.h"

enum { PROCS_DEFAULT = 256 };

typedef bool(set_fn)(flags_t *self, const char *value);

typedef struct flag {
    char letter; // 0: none
    const char *name, *value, *environment;
    set_fn *set;
    const char *help;
} flag_t;

// ---- Values -------------------------------------------------------------------------------------

bool flags_duration(const char *text, int *ms)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"us", 0.001}, {"ms", 1},      {"s", 1000},
                 {"m", 60000},  {"h", 3600000}, {"d", 86400000}};
    char *end;
    if (strcmp(text, "forever") == 0) {
        *ms = MOB_FOREVER;
        return true;
    }
    double number = strtod(text, &end);
    for (size_t i = 0; end != text && number >= 0 && i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].name) != 0)
            continue;
        double total = number * units[i].ms;
        if (total > INT32_MAX)
            return false;
        *ms = (int)total;
        return true;
    }
    return false;
}

static bool is_name(const char *text)
{
    size_t size = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return size > 0 && size <= 128 && text[size] == '\0';
}

static bool set_broker(flags_t *self, const char *value)
{
    self->broker = value;
    return true;
}

static bool set_key(flags_t *self, const char *value)
{
    self->key = value;
    return access(value, R_OK) == 0;
}

static bool set_name(flags_t *self, const char *value)
{
    self->name = value;
    return is_name(value);
}

static bool set_slots(flags_t *self, const char *value)
{
    char *end;
    long slots = strtol(value, &end, 10);
    self->slots = (int)slots;
    return *value && *end == '\0' && slots >= 1 && slots <= 4096;
}

static bool set_shared(flags_t *self, const char *value)
{
    self->shared = !value || strcmp(value, "0") != 0;
    return true;
}

static bool set_procs(flags_t *self, const char *value)
{
    char *end;
    long procs = strtol(value, &end, 10);
    self->procs = (int)procs;
    return *value && *end == '\0' && procs >= 1 && procs <= 65536;
}

// A copy that lives as long as the flags; NULL: no room left.
static char *keep(flags_t *self, const char *text, size_t size)
{
    char *at = self->texts + self->text_size;
    if (size + 1 > sizeof self->texts - self->text_size)
        return NULL;
    self->text_size += size + 1;
    memcpy(at, text, size);
    at[size] = '\0';
    return at;
}

static bool set_resource(flags_t *self, const char *value)
{
    mob_bytes_t list = {value, strlen(value)}, name;
    int64_t steps;
    bool good = amount_next(&list, &name, &steps) == AMOUNT_GOT && list.size == 0 &&
                self->resource_count < MOB_RESOURCES_MAX &&
                !(name.size == 3 && memcmp(name.data, "cpu", 3) == 0); // these are the slots
    const char *kept = good ? keep(self, name.data, name.size) : NULL;
    if (kept)
        self->resources[self->resource_count++] = (mob_resource_t){kept, (double)steps / AMOUNT_ONE};
    return kept != NULL;
}

static bool set_label(flags_t *self, const char *value)
{
    mob_bytes_t list = {value, strlen(value)};
    label_t one;
    size_t used = strlen(self->labels), size = list.size;
    if (label_next(&list, &one) != LABEL_GOT || one.differs || list.size ||
        used + size + 2 > sizeof self->labels)
        return false;
    snprintf(self->labels + used, sizeof self->labels - used, "%s%s", used ? " " : "", value);
    return true;
}

static bool set_drain(flags_t *self, const char *value)
{
    return flags_duration(value, &self->drain_ms) && self->drain_ms >= 0;
}

static bool set_connect(flags_t *self, const char *value)
{
    return flags_duration(value, &self->connect_ms);
}

static bool set_level(flags_t *self, const char *value)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    (void)self;
    for (size_t i = 0; i < 4; i++) // mob_log() of the workers looks there
        if (strcmp(value, levels[i]) == 0)
            return setenv("MOBULA_LOG_LEVEL", value, 1) == 0;
    return false;
}

static bool set_format(flags_t *self, const char *value)
{
    (void)self;
    return strcmp(value, "auto") == 0 ||
           strcmp(value, "logfmt") == 0; // pretty and json are not there yet
}

static bool set_list(flags_t *self, const char *value)
{
    (void)value;
    return self->list = true;
}

static bool set_help(flags_t *self, const char *value)
{
    (void)value;
    return self->help = true;
}

static bool set_version(flags_t *self, const char *value)
{
    (void)value;
    return self->version = true;
}

// ---- The table ----------------------------------------------------------------------------------

static const flag_t table[] = {
    {'b', "broker", "URL", "MOBULA_BROKER", set_broker,
     "ipc://PATH, tcp://HOST:PORT or HOST[:PORT]; default: the local socket"},
    {'k', "key", "FILE", "MOBULA_KEY_FILE", set_key, "client key for tcp"},
    {0, "name", "NAME", "MOBULA_NAME", set_name, "the host's name in lists; default: program-pid"},
    {0, "slots", "N", "MOBULA_SLOTS", set_slots,
     "task bodies at once, each in a process of its own; default: one per CPU"},
    {0, "procs", "N", "MOBULA_PROCS", set_procs,
     "most worker processes, those that wait and those of actors, too; default: 256"},
    {0, "shared", NULL, "MOBULA_SHARED", set_shared, "all actors in one worker process"},
    {0, "resource", "K=N", "MOBULA_RESOURCES", set_resource,
     "offer N of resource K, as in gpu=1; repeatable"},
    {0, "label", "K=V", "MOBULA_LABELS", set_label,
     "what calls may ask of a host, as in zone=a; repeatable"},
    {0, "drain", "DUR", "MOBULA_DRAIN", set_drain,
     "time for running bodies to finish at the end: 500ms, 10s; default 10s"},
    {0, "connect-timeout", "DUR", "MOBULA_CONNECT_TIMEOUT", set_connect,
     "give up without a broker: 5s, 1m; default: forever"},
    {0, "log-level", "LEVEL", "MOBULA_LOG_LEVEL", set_level,
     "debug, info, warn or error; default: info"},
    {0, "log-format", "FORMAT", "MOBULA_LOG_FORMAT", set_format, "auto or logfmt; default: auto"},
    {0, "list", NULL, NULL, set_list, "print the signatures that this program offers"},
    {'h', "help", NULL, NULL, set_help, "this text"},
    {0, "version", NULL, NULL, set_version, "versions of program, library and protocol"},
};
enum {
    FLAG_COUNT = sizeof table / sizeof *table,
    LONG_BASE = 256,
    SHORTS_MAX = 2 * FLAG_COUNT + 3,
};

static int bad(const char *program, const char *flag, const char *value)
{
    fprintf(stderr, "error[EUSAGE]: --%s does not take \"%s\"\n  try:   %s --help\n", flag, value,
            program);
    return 2;
}

// Of one that may be repeated the environment has a list: "gpu=1,disk=2". Flags add to it.
static int read_list(flags_t *self, const flag_t *flag, const char *list, const char *program)
{
    char one[2 * MOB_NAME_MAX + 2];
    while (*list) {
        size_t size = strcspn(list, ", ");
        snprintf(one, sizeof one, "%.*s", (int)size, list);
        if (size >= sizeof one || (size && !flag->set(self, one)))
            return bad(program, flag->name, one);
        list += size + (list[size] != '\0');
    }
    return FLAGS_GO;
}

static int read_environment(flags_t *self, const char *program)
{
    int code = FLAGS_GO;
    for (size_t i = 0; i < FLAG_COUNT && code == FLAGS_GO; i++) {
        const flag_t *flag = &table[i];
        const char *value = flag->environment ? getenv(flag->environment) : NULL;
        if (!value || !*value)
            continue;
        if (flag->set == set_resource || flag->set == set_label)
            code = read_list(self, flag, value, program);
        else if (!flag->set(self, value))
            code = bad(program, flag->name, value);
    }
    return code;
}

static const flag_t *flag_of(int option)
{
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if (option == LONG_BASE + (int)i || (table[i].letter && option == table[i].letter))
            return &table[i];
    return NULL;
}

// For getopt_long(). '+': stop at the first word that is no flag; ':' tells a missing value apart.
static void list_options(struct option *longs, char *shorts)
{
    *shorts++ = '+';
    *shorts++ = ':';
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        const flag_t *flag = &table[i];
        longs[i] = (struct option){flag->name, flag->value ? required_argument : no_argument, NULL,
                                   LONG_BASE + (int)i};
        if (flag->letter)
            *shorts++ = flag->letter;
        if (flag->letter && flag->value)
            *shorts++ = ':';
    }
    *shorts = '\0';
}

static int read_words(flags_t *self, int argc, char **argv)
{
    struct option longs[FLAG_COUNT + 1] = {0};
    char shorts[SHORTS_MAX];
    list_options(longs, shorts);
    optind = 1;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        const flag_t *flag = flag_of(option);
        if (!flag) {
            fprintf(stderr, "error[EUSAGE]: %s \"%s\"\n  try:   %s --help\n",
                    option == ':' ? "a value is missing behind" : "no such flag:", argv[optind - 1],
                    argv[0]);
            return 2;
        }
        if (!flag->set(self, optarg))
            return bad(argv[0], flag->name, optarg);
    }
    self->rest = optind;
    if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
        fprintf(stderr, "error[EUSAGE]: unexpected word \"%s\"\n  try:   %s --help\n", argv[optind],
                argv[0]);
        return 2;
    }
    return FLAGS_GO;
}

int flags_read(flags_t *self, int argc, char **argv, const mob_program_t *program)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    *self = (flags_t){.slots = program->slots ? program->slots
                               : cores > 0    ? (int)cores
                                              : 1,
                      .procs = PROCS_DEFAULT,
                      .drain_ms = program->drain_ms ? program->drain_ms : 10000,
                      .connect_ms = MOB_FOREVER};
    int code = read_environment(self, argv[0]);
    return code == FLAGS_GO ? read_words(self, argc, argv) : code;
}

void flags_help(const char *name, const mob_program_t *program)
{
    if (program->about)
        printf("%s\n", program->about);
    printf("examples:\n  %s --slots 4\n  %s -b tcp://10.0.0.7:7770 --name box2 --drain 30s\n\n",
           name, name);
    printf("usage: %s [flags] [-- words of the program]\n\n", name);
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        char flag[64];
        snprintf(flag, sizeof flag, "%c%c%s --%s %s", table[i].letter ? '-' : ' ',
                 table[i].letter ? table[i].letter : ' ', table[i].letter ? "," : " ",
                 table[i].name, table[i].value ? table[i].value : "");
        printf("  %-26s %s%s%s%s\n", flag, table[i].help, table[i].environment ? " (" : "",
               table[i].environment ? table[i].environment : "", table[i].environment ? ")" : "");
    }
    printf(
        "\nexit: 0 drained, 2 usage, 3 no broker in time, 4 a body outlasted the drain, 6 refused, "
        "130 and 143 ended by a second signal\n");
}
