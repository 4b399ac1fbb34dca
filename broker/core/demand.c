// demand.c - options of placement, read once and interned. Never looks at a host: place.c does.

#include "demand.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amount.h"
#include "label.h"
#include "name.h"

enum { KEY_MAX = 4 * MOB_TEXT_MAX };

bool demand_wished(const opts_t *opts)
{
    return opts->cpus_e4 || opts->resources.size || opts->labels.size || opts->host.size ||
           opts->soft || opts->spread;
}

// ---- What is wished -----------------------------------------------------------------------------

static mob_bytes_t either(mob_bytes_t own, mob_bytes_t defaults)
{
    return own.size ? own : defaults;
}

static wish_t wish_of(const opts_t *opts, const demand_t *defaults)
{
    static const wish_t none;
    const wish_t *other = defaults ? &defaults->wish : &none;
    return (wish_t){.cpus = opts->cpus_e4 ? opts->cpus_e4 : other->cpus,
                    .resources = either(opts->resources, other->resources),
                    .labels = either(opts->labels, other->labels),
                    .host = either(opts->host, other->host),
                    .soft = opts->soft || other->soft,
                    .spread = opts->spread || other->spread};
}

// Equal texts are equal demands. The texts stand first, one after the other: wish_t points to them.
static size_t print_key(const wish_t *wish, bool actor, char key[KEY_MAX])
{
    size_t used = 0;
    const mob_bytes_t texts[] = {wish->resources, wish->labels, wish->host};
    for (int i = 0; i < 3; i++) {
        memcpy(key + used, texts[i].size ? texts[i].data : "", texts[i].size);
        used += texts[i].size;
    }
    int rest = snprintf(key + used, KEY_MAX - used, "|%zu|%zu|%lld|%d%d%d", wish->resources.size,
                        wish->labels.size, (long long)wish->cpus, wish->soft, wish->spread, actor);
    return used + (size_t)rest;
}

// ---- Reading ------------------------------------------------------------------------------------

static bool refuse(char wrong[DEMAND_TEXT], const char *format, ...) MOB_PRINTF(2, 3);
static bool refuse(char wrong[DEMAND_TEXT], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(wrong, DEMAND_TEXT, format, args);
    va_end(args);
    return false;
}

static bool read_cpus(demand_t *self, bool actor, char wrong[DEMAND_TEXT])
{
    int64_t cpus = self->wish.cpus;
    if (cpus > AMOUNT_MAX || (cpus < 0 && cpus != MOB_NONE))
        return refuse(wrong, "place.cpus is out of range");
    self->cpus = cpus == MOB_NONE ? 0 : cpus ? cpus : AMOUNT_ONE;
    self->cpus_held = actor && cpus == 0 ? 0 : self->cpus;
    return true;
}

static bool is_named(const demand_t *self, uint32_t name)
{
    for (uint32_t i = 0; i < self->amount_count; i++)
        if (self->amounts[i].name == name)
            return true;
    return false;
}

static bool read_resources(core_t *core, demand_t *self, char wrong[DEMAND_TEXT])
{
    mob_bytes_t rest = self->wish.resources, name;
    int64_t steps;
    for (amount_got_t got; (got = amount_next(&rest, &name, &steps)) != AMOUNT_END;) {
        if (got == AMOUNT_WRONG)
            return refuse(wrong, "place.resources are no list of NAME=NUMBER");
        if (name.size == 3 && memcmp(name.data, "cpu", 3) == 0)
            return refuse(wrong, "place.resources: cpu has a field of its own");
        if (self->amount_count == AMOUNTS_MAX)
            return refuse(wrong, "place.resources are more than %d", AMOUNTS_MAX);
        if (is_named(self, name_of(core, name)))
            return refuse(wrong, "place.resources name %.*s twice", (int)name.size,
                          (const char *)name.data);
        self->amounts[self->amount_count++] = (amount_t){name_of(core, name), steps};
    }
    return true;
}

static bool read_labels(core_t *core, demand_t *self, char wrong[DEMAND_TEXT])
{
    mob_bytes_t rest = self->wish.labels;
    label_t one;
    for (label_got_t got; (got = label_next(&rest, &one)) != LABEL_END;) {
        if (got == LABEL_WRONG)
            return refuse(wrong, "place.labels are no list of KEY=VALUE or KEY!=VALUE");
        if (self->condition_count == CONDITIONS_MAX)
            return refuse(wrong, "place.labels are more than %d", CONDITIONS_MAX);
        self->conditions[self->condition_count++] =
            (condition_t){name_of(core, one.key), name_of(core, one.value), one.differs};
    }
    return true;
}

// ---- Records ------------------------------------------------------------------------------------

static demand_t *demand_new(core_t *core, const wish_t *wish, bool actor, const char *key,
                            size_t size, char wrong[DEMAND_TEXT])
{
    demand_t *self = calloc(1, sizeof *self + size);
    if (!self)
        return NULL;
    memcpy(self->key, key, size);
    self->wish = *wish;
    self->wish.resources.data = self->key;
    self->wish.labels.data = self->key + wish->resources.size;
    self->wish.host.data = self->key + wish->resources.size + wish->labels.size;
    self->soft = wish->soft;
    self->spread = wish->spread;
    self->actor = actor;
    self->host = name_of(core, self->wish.host);
    if (!read_cpus(self, actor, wrong) || !read_resources(core, self, wrong) ||
        !read_labels(core, self, wrong)) {
        free(self);
        return NULL;
    }
    HASH_ADD(hh, core->demands, key, size, self);
    core->bound_demands += self->host && !self->soft;
    return self;
}

demand_t *demand_of(core_t *core, const opts_t *opts, const demand_t *defaults, bool actor,
                    char wrong[DEMAND_TEXT])
{
    wrong[0] = '\0';
    char key[KEY_MAX];
    wish_t wish = wish_of(opts, defaults);
    size_t size = print_key(&wish, actor, key);
    demand_t *self;
    HASH_FIND(hh, core->demands, key, size, self);
    if (!self)
        self = demand_new(core, &wish, actor, key, size, wrong);
    return self ? demand_hold(self) : NULL;
}

demand_t *demand_hold(demand_t *self)
{
    self->holders++;
    return self;
}

void demand_drop(core_t *core, demand_t **self_p)
{
    demand_t *self = *self_p;
    *self_p = NULL;
    if (!self || --self->holders > 0)
        return;
    core->bound_demands -= self->host && !self->soft;
    HASH_DEL(core->demands, self);
    free(self);
}

// ---- For people ---------------------------------------------------------------------------------

const char *demand_print(const core_t *core, const demand_t *self, char out[DEMAND_TEXT])
{
    char number[AMOUNT_TEXT_MAX];
    size_t used = (size_t)snprintf(out, DEMAND_TEXT, "cpu=%s", amount_print(number, self->cpus));
    for (uint32_t i = 0; i < self->amount_count && used < DEMAND_TEXT; i++)
        used += (size_t)snprintf(out + used, DEMAND_TEXT - used, " %s=%s",
                                 name_text(core, self->amounts[i].name),
                                 amount_print(number, self->amounts[i].steps));
    for (uint32_t i = 0; i < self->condition_count && used < DEMAND_TEXT; i++)
        used += (size_t)snprintf(
            out + used, DEMAND_TEXT - used, " %s%s=%s", name_text(core, self->conditions[i].key),
            self->conditions[i].differs ? "!" : "", name_text(core, self->conditions[i].value));
    if (self->host && used < DEMAND_TEXT)
        snprintf(out + used, DEMAND_TEXT - used, " host=%s", name_text(core, self->host));
    return out;
}
