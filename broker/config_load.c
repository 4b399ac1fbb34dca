// config_load.c - where settings come from: the file, the environment. The file is ZPL as CZMQ's
// zconfig writes it: indent by 4, key = value, # comments. It is read here, not by zconfig, because
// that tells of errors on stdout and forgets line numbers.

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_parts.h"

extern char **environ;

// ---- The file -----------------------------------------------------------------------------------

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
    config_nearest(wanted, config_key_name, close, sizeof close);
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
    config_id_t id = config_find(name);
    if (id == CONFIG_COUNT)
        return unknown_key(self, name);
    mob_err_t err =
        config_assign(self->config, id, CONFIG_FILE, value, (say_t){reason, sizeof reason});
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

// ---- The environment ----------------------------------------------------------------------------

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
    config_environment_name(id, name, sizeof name);
    snprintf(file_name, sizeof file_name, "%s_FILE", name);
    const char *given = getenv(name), *path = getenv(file_name);
    mob_err_t err = MOB_OK;
    if (given == NULL && path != NULL) {
        err = read_secret_file(file_name, path, value, sizeof value, say);
        given = value;
    }
    if (given == NULL || err != MOB_OK)
        return err;
    err = config_assign(self, id, CONFIG_ENVIRONMENT, given, (say_t){reason, sizeof reason});
    return err == MOB_OK ? err : REFUSE(say, err, "%s: %s", name, reason);
}

static bool is_setting(const char *name, size_t length) // with or without _FILE
{
    char known[72];
    for (config_id_t id = 0; id < CONFIG_COUNT; id++) {
        config_environment_name(id, known, sizeof known - 8);
        size_t size = strlen(known);
        strcat(known, "_FILE");
        if ((length == size || length == size + 5) && memcmp(known, name, length) == 0)
            return true;
    }
    return false;
}

static bool names_a_section(const char *name)
{
    for (config_id_t id = 0; id < CONFIG_COUNT; id++) {
        config_row_t row = config_row(id);
        size_t prefix = strlen("MOBULA_") + strcspn(row.key, "/") + 1;
        if (strncmp(name, row.environment, prefix) == 0)
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
        config_nearest(name, config_environment_name, close, sizeof close);
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

// ---- Together -----------------------------------------------------------------------------------

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
        err = config_assign(self, id, CONFIG_DEFAULT, config_row(id).fallback, say);
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
