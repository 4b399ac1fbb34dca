// config.c - see config.h. The file is ZPL as CZMQ's zconfig writes it: indent by 4, key = value, #
// comments. It is read here, not by zconfig, because that tells of errors on stdout and forgets
// line numbers.

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

typedef enum setting_type {
    TYPE_text,
    TYPE_list,
    TYPE_time,
    TYPE_size,
    TYPE_count,
    TYPE_choice,
    TYPES
} setting_type_t;

typedef struct setting {
    setting_type_t type;
    size_t offset;
    const char *name, *section, *key, *flag, *fallback; // name: section/key
    int64_t low, high;
    const char *words, *help;
} setting_t;

static const setting_t settings[] = {
#define S(type, section, key, flag, fallback, low, high, words, help) \
    {TYPE_##type,                                                     \
     offsetof(config_t, section##_##key),                             \
     #section "/" #key,                                               \
     #section,                                                        \
     #key,                                                            \
     flag,                                                            \
     fallback,                                                        \
     low,                                                             \
     high,                                                            \
     words,                                                           \
     help},
    CONFIG_SETTINGS(S)
#undef S
};

typedef struct say { // where a refusal is written
    char *why;
    size_t size;
} say_t;

#define REFUSE(say, err, ...) (snprintf((say).why, (say).size, __VA_ARGS__), (err))

// ---- Values
// --------------------------------------------------------------------------------------------

typedef struct unit {
    const char *name;
    int64_t factor;
} unit_t;

static const unit_t time_units[] = {{"us", 1},       {"ms", 1000},      {"s", 1000000},
                                    {"m", 60000000}, {"h", 3600000000}, {"d", 86400000000},
                                    {NULL, 0}};
static const unit_t size_units[] = {
    {"", 1},       {"KB", 1000},     {"MB", 1000000},     {"GB", 1000000000},
    {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {NULL, 0}};
static const unit_t count_units[] = {{"", 1}, {"k", 1000}, {"M", 1000000}, {NULL, 0}};

static const unit_t plain_units[] = {{"", 1}, {NULL, 0}};

static bool parse_number(const char *text, const unit_t *units, int64_t *out)
{
    char *end;
    errno = 0;
    double number = strtod(text, &end);
    if (end == text || errno != 0 || !(number >= 0 && number < 9e15) ||
        !isdigit((unsigned char)text[0]))
        return false;
    for (; units->name != NULL; units++) {
        double scaled = number * (double)units->factor;
        if (strcmp(end, units->name) == 0 && scaled < 9e18)
            return *out = (int64_t)scaled, true;
    }
    return false;
}

// The largest unit that leaves a whole number.
static void show_number(int64_t value, const unit_t *units, char *out, size_t size)
{
    const unit_t *best = units;
    for (const unit_t *unit = units; unit->name != NULL; unit++)
        if (value != 0 && value % unit->factor == 0 && unit->factor > best->factor)
            best = unit;
    snprintf(out, size, "%lld%s", (long long)(value / best->factor), best->name);
}

static mob_err_t set_number(const setting_t *self, void *at, const char *text, const unit_t *units,
                            const char *example, say_t say)
{
    int64_t value;
    char low[32], high[32];
    if (!parse_number(text, units, &value))
        return REFUSE(say, MOB_EARGS, "%s: %s is not like %s", self->name, text, example);
    if (value < self->low || value > self->high) {
        show_number(self->low, units, low, sizeof low);
        show_number(self->high, units, high, sizeof high);
        return REFUSE(say, MOB_EARGS, "%s: %s is not within %s and %s", self->name, text, low,
                      high);
    }
    memcpy(at, &value, sizeof value);
    return MOB_OK;
}

static mob_err_t set_text(const setting_t *self, void *at, const char *text, bool fresh, say_t say)
{
    (void)fresh;
    if (strlen(text) >= CONFIG_TEXT_MAX)
        return REFUSE(say, MOB_EARGS, "%s has at most %d bytes", self->name, CONFIG_TEXT_MAX - 1);
    strcpy(at, text);
    return MOB_OK;
}

static mob_err_t list_add(const setting_t *self, config_list_t *list, const char *item,
                          size_t length, say_t say)
{
    if (list->count == CONFIG_LIST_MAX || length >= CONFIG_TEXT_MAX || length == 0)
        return REFUSE(say, MOB_EARGS, "%s takes at most %d items of 1 to %d bytes", self->name,
                      CONFIG_LIST_MAX, CONFIG_TEXT_MAX - 1);
    memcpy(list->items[list->count], item, length);
    list->items[list->count++][length] = '\0';
    return MOB_OK;
}

static mob_err_t set_list(const setting_t *self, void *at, const char *text, bool fresh, say_t say)
{
    config_list_t *list = at;
    mob_err_t err = MOB_OK;
    if (fresh)
        list->count = 0;
    while (err == MOB_OK && text != NULL) {
        size_t length = strcspn(text, ",");
        err = list_add(self, list, text, length, say);
        text = text[length] == ',' ? text + length + 1 : NULL;
    }
    return err;
}

static mob_err_t set_time(const setting_t *self, void *at, const char *text, bool fresh, say_t say)
{
    (void)fresh;
    return set_number(self, at, text, time_units, "250ms, 1.5s or 2m", say);
}

static mob_err_t set_size(const setting_t *self, void *at, const char *text, bool fresh, say_t say)
{
    (void)fresh;
    return set_number(self, at, text, size_units, "64KiB or 10MB", say);
}

static mob_err_t set_count(const setting_t *self, void *at, const char *text, bool fresh, say_t say)
{
    (void)fresh;
    return set_number(self, at, text, count_units, "5000 or 5k", say);
}

static mob_err_t set_choice(const setting_t *self, void *at, const char *text, bool fresh,
                            say_t say)
{
    (void)fresh;
    config_choice_t index = 0;
    for (const char *word = self->words; *word != '\0'; index++) {
        size_t length = strcspn(word, " ");
        if (strlen(text) == length && memcmp(word, text, length) == 0) {
            memcpy(at, &index, sizeof index);
            return MOB_OK;
        }
        word += length + (word[length] == ' ');
    }
    return REFUSE(say, MOB_EARGS, "%s: %s is none of: %s", self->name, text, self->words);
}

static mob_err_t (*const setters[TYPES])(const setting_t *, void *, const char *, bool fresh,
                                         say_t) = {
    [TYPE_text] = set_text, [TYPE_list] = set_list,   [TYPE_time] = set_time,
    [TYPE_size] = set_size, [TYPE_count] = set_count, [TYPE_choice] = set_choice,
};

// A list that comes again from the same origin grows; from a stronger one it starts anew.
static mob_err_t assign(config_t *self, config_id_t id, config_origin_t origin, const char *text,
                        say_t say)
{
    const setting_t *setting = &settings[id];
    bool fresh = self->origins[id] != origin;
    mob_err_t err =
        setters[setting->type](setting, (char *)self + setting->offset, text, fresh, say);
    if (err == MOB_OK)
        self->origins[id] = origin;
    return err;
}

// ---- Names
// -----------------------------------------------------------------------------------------------

static config_id_t find_key(const char *name)
{
    for (config_id_t id = 0; id < CONFIG_COUNT; id++)
        if (strcmp(settings[id].name, name) == 0)
            return id;
    return CONFIG_COUNT;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t distance(const char *a, const char *b) // letters to change, add or leave out
{
    size_t row[CONFIG_TEXT_MAX], length = strlen(b);
    if (length >= CONFIG_TEXT_MAX)
        return length;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t change = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            row[j] = smaller(change, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[length];
}

static void environment_name(config_id_t id, char *out, size_t size)
{
    snprintf(out, size, "MOBULA_%s_%s", settings[id].section, settings[id].key);
    for (char *c = out; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
}

static void key_name(config_id_t id, char *out, size_t size)
{
    snprintf(out, size, "%s", settings[id].name);
}

static void nearest(const char *text, void (*name)(config_id_t, char *, size_t), char *out,
                    size_t size)
{
    size_t best = SIZE_MAX;
    char candidate[64];
    for (config_id_t id = 0; id < CONFIG_COUNT; id++) {
        name(id, candidate, sizeof candidate);
        size_t far = distance(candidate, text);
        if (far < best) {
            best = far;
            snprintf(out, size, "%s", candidate);
        }
    }
}

config_row_t config_row(config_id_t id)
{
    const setting_t *self = &settings[id];
    config_row_t row = {self->name, self->flag, self->fallback, self->words, self->help, ""};
    environment_name(id, row.environment, sizeof row.environment);
    return row;
}

// ---- The file
// --------------------------------------------------------------------------------------------

typedef struct reader {
    config_t *config;
    const char *path;
    int line;
    char section[64];
    say_t say;
} reader_t;

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        text[--size] = '\0';
    return text;
}

// What follows "=": quoted, or up to a comment. NULL: an open quote, or text behind the closing
// one.
static char *value_of(char *text)
{
    text = trim(text);
    char quote = text[0];
    if (quote != '"' && quote != '\'') {
        text[strcspn(text, "#")] = '\0';
        return trim(text);
    }
    char *end = strchr(text + 1, quote);
    if (end == NULL)
        return NULL;
    *end = '\0';
    const char *rest = trim(end + 1);
    return *rest == '\0' || *rest == '#' ? text + 1 : NULL;
}

static mob_err_t unknown_key(const reader_t *self, const char *wanted)
{
    char close[64] = "";
    nearest(wanted, key_name, close, sizeof close);
    return REFUSE(self->say, MOB_EARGS, "%s:%d: no setting is called %s; did you mean %s?",
                  self->path, self->line, wanted, close);
}

static mob_err_t read_pair(reader_t *self, char *key, char *text)
{
    char name[CONFIG_TEXT_MAX], reason[256];
    char *value = value_of(text);
    if (value == NULL)
        return REFUSE(self->say, MOB_EARGS, "%s:%d: the quotes do not fit", self->path, self->line);
    snprintf(name, sizeof name, "%s/%.100s", self->section, key);
    config_id_t id = find_key(name);
    if (id == CONFIG_COUNT)
        return unknown_key(self, name);
    mob_err_t err = assign(self->config, id, CONFIG_FILE, value, (say_t){reason, sizeof reason});
    if (err != MOB_OK)
        return REFUSE(self->say, err, "%s:%d: %s", self->path, self->line, reason);
    return MOB_OK;
}

static mob_err_t read_line(reader_t *self, char *line)
{
    size_t indent = strspn(line, " ");
    char *name = trim(line);
    if (name[0] == '\0' || name[0] == '#')
        return MOB_OK;
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz_");
    char *rest = name + length + strspn(name + length, " \t");
    bool pair = *rest == '=';
    if (length == 0 || (indent != 0 && indent != 4) || pair != (indent == 4) ||
        (!pair && *rest != '\0' && *rest != '#'))
        return REFUSE(self->say, MOB_EARGS,
                      "%s:%d: sections stand at the left, then \"    key = value\"", self->path,
                      self->line);
    name[length] = '\0'; // rest stands behind it
    if (pair)
        return read_pair(self, name, rest + 1);
    snprintf(self->section, sizeof self->section, "%s", name);
    return MOB_OK;
}

static mob_err_t read_file(config_t *self, const char *path, say_t say)
{
    reader_t reader = {.config = self, .path = path, .say = say};
    char line[1024];
    mob_err_t err = MOB_OK;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return REFUSE(say, MOB_EARGS, "%s: %s", path, strerror(errno));
    while (err == MOB_OK && fgets(line, sizeof line, file) != NULL) {
        reader.line++;
        if (strchr(line, '\n') == NULL && !feof(file))
            err = REFUSE(say, MOB_EARGS, "%s:%d: the line is too long", path, reader.line);
        else
            err = read_line(&reader, line);
    }
    fclose(file);
    snprintf(self->file, sizeof self->file, "%s", path);
    return err;
}

static bool find_file(char *out, size_t size)
{
    const char *home = getenv("HOME"), *base = getenv("XDG_CONFIG_HOME");
    char own[CONFIG_TEXT_MAX] = "";
    if (base != NULL && base[0] == '/')
        snprintf(own, sizeof own, "%s/mobula/mobula.conf", base);
    else if (home != NULL)
        snprintf(own, sizeof own, "%s/.config/mobula/mobula.conf", home);
    const char *const places[] = {"mobula.conf", own, "/etc/mobula/mobula.conf"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(out, size, "%s", places[i]);
        if (out[0] != '\0' && access(out, F_OK) == 0)
            return true;
    }
    return false;
}

// ---- The environment
// -------------------------------------------------------------------------------------

static mob_err_t read_secret_file(const char *name, const char *path, char *out, size_t size,
                                  say_t say)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return REFUSE(say, MOB_EARGS, "%s: %s: %s", name, path, strerror(errno));
    size_t got = fread(out, 1, size - 1, file);
    fclose(file);
    out[got] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return MOB_OK;
}

static mob_err_t read_variable(config_t *self, config_id_t id, say_t say)
{
    char name[64], file_name[72], value[CONFIG_TEXT_MAX * 2], reason[256];
    environment_name(id, name, sizeof name);
    snprintf(file_name, sizeof file_name, "%s_FILE", name);
    const char *given = getenv(name), *path = getenv(file_name);
    mob_err_t err = MOB_OK;
    if (given == NULL && path != NULL) {
        err = read_secret_file(file_name, path, value, sizeof value, say);
        given = value;
    }
    if (given == NULL || err != MOB_OK)
        return err;
    err = assign(self, id, CONFIG_ENVIRONMENT, given, (say_t){reason, sizeof reason});
    return err == MOB_OK ? err : REFUSE(say, err, "%s: %s", name, reason);
}

static bool is_setting(const char *name, size_t length) // with or without _FILE
{
    char known[72];
    for (config_id_t id = 0; id < CONFIG_COUNT; id++) {
        environment_name(id, known, sizeof known - 8);
        size_t size = strlen(known);
        strcat(known, "_FILE");
        if ((length == size || length == size + 5) && memcmp(known, name, length) == 0)
            return true;
    }
    return false;
}

static bool names_a_section(const char *name)
{
    char prefix[72];
    for (config_id_t id = 0; id < CONFIG_COUNT; id++) {
        snprintf(prefix, sizeof prefix, "MOBULA_%s_", settings[id].section);
        if (strncasecmp(name, prefix, strlen(prefix)) == 0)
            return true;
    }
    return false;
}

// Others than settings are the client's: only what begins with a section can be meant for us.
static void tell_unknown(say_t say)
{
    for (char **entry = environ; *entry != NULL; entry++) {
        size_t length = strcspn(*entry, "=");
        if (!names_a_section(*entry) || is_setting(*entry, length))
            continue;
        char name[128], close[64] = "";
        snprintf(name, sizeof name, "%.*s", (int)length, *entry);
        nearest(name, environment_name, close, sizeof close);
        snprintf(say.why, say.size, "%s in the environment sets nothing; did you mean %s?", name,
                 close);
        return;
    }
}

static mob_err_t read_environment(config_t *self, say_t say)
{
    mob_err_t err = MOB_OK;
    for (config_id_t id = 0; err == MOB_OK && id < CONFIG_COUNT; id++)
        err = read_variable(self, id, say);
    return err;
}

// ---- Together
// --------------------------------------------------------------------------------------------

static void set_data_directory(config_t *self) // the one default that depends on who we are
{
    const char *home = getenv("HOME"), *base = getenv("XDG_STATE_HOME");
    size_t size = sizeof self->server_data;
    if (geteuid() == 0)
        snprintf(self->server_data, size, "/var/lib/mobula");
    else if (base != NULL && base[0] == '/')
        snprintf(self->server_data, size, "%s/mobula", base);
    else if (home != NULL)
        snprintf(self->server_data, size, "%s/.local/state/mobula", home);
    else
        snprintf(self->server_data, size, ":memory:");
}

mob_err_t config_load(config_t *self, const char *file, char *why, size_t size)
{
    say_t say = {why, size};
    config_text_t found;
    mob_err_t err = MOB_OK;
    *self = (config_t){.file = ""};
    if (size > 0)
        why[0] = '\0';
    for (config_id_t id = 0; err == MOB_OK && id < CONFIG_COUNT; id++)
        err = assign(self, id, CONFIG_DEFAULT, settings[id].fallback, say);
    set_data_directory(self);
    if (err == MOB_OK && file == NULL && find_file(found, sizeof found))
        file = found;
    if (err == MOB_OK && file != NULL)
        err = read_file(self, file, say);
    if (err == MOB_OK)
        err = read_environment(self, say);
    if (err == MOB_OK)
        tell_unknown(say);
    return err;
}

static const char *bare_value(const setting_t *self) // of a flag without one: the second word
{
    const char *space = strchr(self->words, ' ');
    return space == NULL ? NULL : space + 1;
}

mob_err_t config_flag(config_t *self, const char *flag, const char *value, char *why, size_t size)
{
    say_t say = {why, size};
    config_id_t id = 0;
    while (id < CONFIG_COUNT && (settings[id].flag == NULL || strcmp(settings[id].flag, flag) != 0))
        id++;
    if (id == CONFIG_COUNT)
        return REFUSE(say, MOB_ENOTFOUND, "no setting has the flag --%s", flag);

    char word[32];
    const char *bare = bare_value(&settings[id]);
    if (value == NULL && bare == NULL)
        return REFUSE(say, MOB_EARGS, "--%s wants a value", flag);
    if (value == NULL) {
        snprintf(word, sizeof word, "%.*s", (int)strcspn(bare, " "), bare);
        value = word;
    }
    return assign(self, id, CONFIG_FLAG, value, say);
}

mob_err_t config_set(config_t *self, const char *key, const char *value, char *why, size_t size)
{
    config_id_t id = find_key(key);
    if (id == CONFIG_COUNT)
        return REFUSE(((say_t){why, size}), MOB_ENOTFOUND, "no setting is called %s", key);
    return assign(self, id, CONFIG_FLAG, value, (say_t){why, size});
}

static void show_list(const config_list_t *list, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", i == 0 ? "" : ",", list->items[i]);
    }
}

static void show_choice(const setting_t *self, config_choice_t index, char *out, size_t size)
{
    const char *word = self->words;
    while (index-- > 0)
        word = strchr(word, ' ') + 1;
    snprintf(out, size, "%.*s", (int)strcspn(word, " "), word);
}

void config_show(const config_t *self, config_id_t id, char *out, size_t size)
{
    const setting_t *setting = &settings[id];
    const void *at = (const char *)self + setting->offset;
    const unit_t *const units[TYPES] = {
        [TYPE_time] = time_units, [TYPE_size] = size_units, [TYPE_count] = plain_units};
    if (setting->type == TYPE_text)
        snprintf(out, size, "%s", (const char *)at);
    else if (setting->type == TYPE_list)
        show_list(at, out, size);
    else if (setting->type == TYPE_choice)
        show_choice(setting, *(const config_choice_t *)at, out, size);
    else
        show_number(*(const int64_t *)at, units[setting->type], out, size);
}
