// config.c - see config.h. Values: what each type takes, how it is kept and shown. Where they come
// from is the business of config_load.c.

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_parts.h"

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

// ---- Values -------------------------------------------------------------------------------------

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
    if (units == time_units && strcmp(text, "forever") == 0)
        return *out = INT64_MAX, true;
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
    if (value == INT64_MAX)
        snprintf(out, size, "forever");
    else
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
        return REFUSE(say, MOB_EARGS, "%s: %s is not within %s and %s", self->name, text, low, high);
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

static mob_err_t set_choice(const setting_t *self, void *at, const char *text, bool fresh, say_t say)
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
mob_err_t config_assign(config_t *self, config_id_t id, config_origin_t origin, const char *text,
                        say_t say)
{
    const setting_t *setting = &settings[id];
    bool fresh = self->origins[id] != origin;
    mob_err_t err = setters[setting->type](setting, (char *)self + setting->offset, text, fresh, say);
    if (err == MOB_OK)
        self->origins[id] = origin;
    return err;
}

// ---- Names --------------------------------------------------------------------------------------

config_id_t config_find(const char *name)
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

void config_environment_name(config_id_t id, char *out, size_t size)
{
    snprintf(out, size, "MOBULA_%s_%s", settings[id].section, settings[id].key);
    for (char *c = out; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
}

void config_key_name(config_id_t id, char *out, size_t size)
{
    snprintf(out, size, "%s", settings[id].name);
}

void config_nearest(const char *text, void (*name)(config_id_t, char *, size_t), char *out,
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
    config_environment_name(id, row.environment, sizeof row.environment);
    return row;
}

// ---- From outside -------------------------------------------------------------------------------

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
    return config_assign(self, id, CONFIG_FLAG, value, say);
}

mob_err_t config_set(config_t *self, const char *key, const char *value, char *why, size_t size)
{
    config_id_t id = config_find(key);
    if (id == CONFIG_COUNT)
        return REFUSE(((say_t){why, size}), MOB_ENOTFOUND, "no setting is called %s", key);
    return config_assign(self, id, CONFIG_FLAG, value, (say_t){why, size});
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
