// option.c - mob_opts_t and mob_actor_opts_t to the wire. Every number goes through one table a
// struct.

#include "option.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#include "amount.h"
#include "label.h"
#include "lane.h"

typedef struct check { // where the first wrong field is reported
    char *text;
    size_t size;
    mob_err_t err;
} check_t;

static void refuse(check_t *self, const char *field, const char *wrong)
{
    if (!self->err)
        snprintf(self->text, self->size, "%s %s", field, wrong);
    self->err = MOB_EARGS;
}

static void not_yet(check_t *self, bool asked, const char *field)
{
    if (asked)
        refuse(self, field, "is not in this release yet");
}

// ---- Numbers ------------------------------------------------------------------------------------

typedef struct number {
    const char *field;
    size_t from, to; // offsets: int in the public struct, int64_t on the wire
    int64_t least, most;
} number_t;

#define N(type, name, least, most)                                       \
    {                                                                    \
#name, offsetof(type, name), offsetof(opts_t, name), least, most \
    }

// MOB_NONE is -2 and MOB_FOREVER -1: what else is negative is a mistake.
static const number_t CALL_NUMBERS[] = {
    N(mob_opts_t, timeout_ms, MOB_NONE, INT32_MAX),
    N(mob_opts_t, delay_ms, MOB_NONE, INT32_MAX),
    N(mob_opts_t, every_ms, MOB_NONE, INT32_MAX),
    N(mob_opts_t, max_retries, MOB_NONE, INT32_MAX),
    N(mob_opts_t, priority, -8, 7),
    N(mob_opts_t, num_returns, MOB_STREAM, MOB_RETURNS_MAX),
    N(mob_opts_t, stream_ahead, MOB_FOREVER, INT32_MAX),
};

static const number_t ACTOR_NUMBERS[] = {
    N(mob_actor_opts_t, timeout_ms, MOB_NONE, INT32_MAX),
    N(mob_actor_opts_t, stop_ms, MOB_NONE, INT32_MAX),
    N(mob_actor_opts_t, max_restarts, MOB_NONE, INT32_MAX),
    N(mob_actor_opts_t, backoff_ms, MOB_NONE, INT32_MAX),
    N(mob_actor_opts_t, backoff_max_ms, MOB_NONE, INT32_MAX),
    N(mob_actor_opts_t, max_task_retries, MOB_NONE, INT32_MAX),
    N(mob_actor_opts_t, max_concurrency, 0, 256),
    N(mob_actor_opts_t, max_open, MOB_NONE, INT32_MAX),
    N(mob_actor_opts_t, max_pending, MOB_NONE, INT32_MAX),
    N(mob_actor_opts_t, mailbox_max, MOB_NONE, INT32_MAX),
};

static void numbers(check_t *check, const void *from, opts_t *out, const number_t *list, size_t count)
{
    char range[64];
    for (size_t i = 0; i < count; i++) {
        const number_t *number = &list[i];
        int value = *(const int *)((const char *)from + number->from);
        *(int64_t *)((char *)out + number->to) = value;
        if (value >= number->least && value <= number->most)
            continue;
        snprintf(range, sizeof range, "is %d: it lies between %lld and %lld", value,
                 (long long)number->least, (long long)number->most);
        refuse(check, number->field, range);
    }
}

// ---- Texts --------------------------------------------------------------------------------------

static mob_bytes_t text_of(check_t *check, const char *field, const char *text, size_t most)
{
    mob_bytes_t out = {text ? text : "", text ? strlen(text) : 0};
    if (out.size > most)
        refuse(check, field, "is too long");
    return out;
}

// Names that travel, are typed and are shown: letters, digits, dot, underline, dash.
static void check_name(check_t *check, const char *field, mob_bytes_t name)
{
    if (!text_is_name(name.data, name.size))
        refuse(check, field, "has 1 to 128 letters, digits, dots, underlines and dashes");
}

// "name" or "space:name".
static void actor_name(check_t *check, const char *text, opts_t *out)
{
    const char *colon = text ? strchr(text, ':') : NULL;
    if (!text)
        return;
    out->name = (mob_bytes_t){colon ? colon + 1 : text, strlen(colon ? colon + 1 : text)};
    check_name(check, "name", out->name);
    if (colon) {
        out->space = (mob_bytes_t){text, (size_t)(colon - text)};
        check_name(check, "name", out->space);
    }
}

// ---- Place --------------------------------------------------------------------------------------

static bool place_is_set(const mob_place_t *place)
{
    return place->cpus != 0 || place->resources[0].name || place->labels || place->host ||
           place->soft || place->spread || place->bundle || !mob_is_none(place->group.ready);
}

static void refuse_resource(check_t *check, const char *field, const char *name, const char *wrong)
{
    char text[AMOUNT_NAME_MAX + 64];
    snprintf(text, sizeof text, "%.*s %s", AMOUNT_NAME_MAX, name, wrong);
    refuse(check, field, text);
}

static bool check_resource(check_t *check, const char *field, const mob_resource_t *one,
                           int64_t *steps)
{
    const char *wrong = NULL;
    if (strcmp(one->name, "cpu") == 0)
        wrong = "has a field of its own, cpus";
    else if (!*one->name || strlen(one->name) > AMOUNT_NAME_MAX)
        wrong = "is no name: it has 1 to 64 characters";
    else if (one->amount < 0)
        wrong = "is negative";
    else if (!amount_of(one->amount, steps))
        wrong = "is too large, or no number";
    else if (*steps == 0 && one->amount > 0)
        wrong = "is below 0.0001";
    else if (strcmp(one->name, "gpu") == 0 && *steps > AMOUNT_ONE && *steps % AMOUNT_ONE)
        wrong = "is a whole number above 1";
    if (wrong)
        refuse_resource(check, field, one->name, wrong);
    return !wrong;
}

// "disk=1 gpu=0.5" into text, which has the room that is left there.
static mob_bytes_t resources_of(check_t *check, const char *field,
                                const mob_resource_t list[MOB_RESOURCES_MAX], char *text, size_t size)
{
    char number[AMOUNT_TEXT_MAX];
    int64_t steps;
    size_t used = 0;
    for (size_t i = 0; i < MOB_RESOURCES_MAX && list[i].name; i++) {
        if (!check_resource(check, field, &list[i], &steps))
            return (mob_bytes_t){0};
        int wrote = snprintf(text + used, size - used, "%s%s=%s", used ? " " : "", list[i].name,
                             amount_print(number, steps));
        used += (size_t)wrote;
        if (used >= size) {
            refuse(check, field, "has names that are too long");
            return (mob_bytes_t){0};
        }
    }
    mob_bytes_t out = {text, used}, rest = out, name;
    amount_got_t got = AMOUNT_GOT;
    while (got == AMOUNT_GOT)
        got = amount_next(&rest, &name, &steps);
    if (got == AMOUNT_WRONG)
        refuse(check, field, "are named by letters, digits, dot, underline and dash");
    return out;
}

static mob_bytes_t labels_of(check_t *check, const char *field, const char *text, bool conditions)
{
    mob_bytes_t out = text_of(check, field, text, MOB_TEXT_MAX), rest = out;
    label_got_t got = LABEL_GOT;
    for (label_t one; got == LABEL_GOT;) {
        got = label_next(&rest, &one);
        if (got == LABEL_WRONG || (got == LABEL_GOT && one.differs && !conditions))
            refuse(check, field,
                   conditions ? "are conditions as in \"zone=a tier!=slow\""
                              : "are pairs as in \"zone=a disk=ssd\"");
    }
    return out;
}

static int64_t cpus_of(check_t *check, double cpus)
{
    int64_t steps = 0;
    if (cpus == MOB_NONE)
        return MOB_NONE;
    if (cpus < 0)
        refuse(check, "place.cpus", "is negative");
    else if (!amount_of(cpus, &steps))
        refuse(check, "place.cpus", "is too large, or no number");
    else if (steps == 0 && cpus > 0)
        refuse(check, "place.cpus", "is below 0.0001");
    return steps;
}

static void place_of(check_t *check, const mob_place_t *place, opts_t *out)
{
    out->cpus_e4 = cpus_of(check, place->cpus);
    out->labels = labels_of(check, "place.labels", place->labels, true);
    out->host = text_of(check, "place.host", place->host, MOB_NAME_MAX);
    out->soft = place->soft;
    out->spread = place->spread;
    not_yet(check, place->bundle || !mob_is_none(place->group.ready), "place.group");
    if (!check->err) // until then the text is that of what was wrong
        out->resources =
            resources_of(check, "place.resources", place->resources, check->text, check->size);
}

mob_err_t option_of_host(const mob_config_t *config, char *text, size_t size)
{
    char number[AMOUNT_TEXT_MAX] = "";
    check_t check = {text, size, MOB_OK};
    int64_t steps;
    labels_of(&check, "labels", config->labels, false);
    if (!amount_of(config->cpus, &steps) || (steps == 0 && config->cpus > 0))
        refuse(&check, "cpus", "is negative, too large or below 0.0001");
    if (check.err)
        return check.err;
    int used = steps ? snprintf(text, size, "cpu=%s ", amount_print(number, steps)) : 0;
    text[used] = '\0';
    check.text += used;
    check.size -= (size_t)used;
    resources_of(&check, "resources", config->resources, check.text, check.size);
    if (check.err)
        memmove(text, check.text, strlen(check.text) + 1);
    return check.err;
}

// ---- Calls --------------------------------------------------------------------------------------

static void retry_codes(check_t *check, const int codes[MOB_RETRY_MAX], opts_t *out)
{
    int64_t *const to[MOB_RETRY_MAX] = {&out->retry_1, &out->retry_2, &out->retry_3, &out->retry_4};
    for (size_t i = 0; i < MOB_RETRY_MAX; i++) {
        *to[i] = codes[i];
        if (codes[i] < -MOB_EINTERNAL && codes[i] != MOB_ANY_CODE)
            refuse(check, "retry_on", "holds a code that no body can report");
    }
}

static void run_key(check_t *check, const mob_opts_t *opts, opts_t *out)
{
    out->key = text_of(check, "key", opts->key, MOB_NAME_MAX);
    if (out->key.size == 0)
        refuse(check, "key", "is empty");
    if (opts->num_returns > 1 || opts->num_returns == MOB_STREAM)
        refuse(check, "key", "fits one result: not a stream, and not several");
}

mob_err_t option_of_call(const mob_opts_t *opts, bool method, opts_t *out, char *text, size_t size)
{
    check_t check = {text, size, MOB_OK};
    *out = (opts_t){0};
    numbers(&check, opts, out, CALL_NUMBERS, sizeof CALL_NUMBERS / sizeof *CALL_NUMBERS);
    retry_codes(&check, opts->retry_on, out);
    out->name = text_of(&check, "name", opts->name, MOB_NAME_MAX);
    out->lane = text_of(&check, "lane", opts->lane, MOB_NAME_MAX);
    if (opts->lane)
        check_name(&check, "lane", out->lane);
    if (opts->lane && !method)
        refuse(&check, "lane", "does not fit a task: actors have lanes");
    out->forget = opts->forget;
    out->block = opts->block;
    out->unordered = opts->unordered;
    if (opts->forget && opts->block)
        refuse(&check, "block", "does not fit .forget, which hears no answer to wait for");
    if (opts->key)
        run_key(&check, opts, out);
    if (opts->forget && opts->num_returns == MOB_STREAM)
        refuse(&check, "forget", "does not fit a stream, whose items nobody would take");
    if (opts->num_returns == MOB_UNLIMITED)
        refuse(&check, "num_returns", "is -1: a stream has any number, MOB_STREAM");
    not_yet(&check, opts->every_ms, "every_ms");
    not_yet(&check, opts->durable, "durable");
    if (method && place_is_set(&opts->place))
        refuse(&check, "place", "does not fit a call: it runs on what its actor was given");
    place_of(&check, &opts->place, out);
    return check.err;
}

// ---- Actors -------------------------------------------------------------------------------------

static void check_lanes(check_t *check, const mob_actor_opts_t *opts)
{
    const mob_lane_t *lanes = opts->lanes;
    for (size_t i = 0; i < MOB_LANES_MAX && lanes[i].name; i++) {
        check_name(check, "lanes: a name", (mob_bytes_t){lanes[i].name, strlen(lanes[i].name)});
        if (lanes[i].width < 1 || lanes[i].width > LANE_WIDTH_MAX)
            refuse(check, "lanes", "holds a width that is not 1 to 256");
        if (lanes[i].width > 1 && opts->ordered)
            refuse(check, "ordered", "cannot be kept in a lane wider than 1");
        for (size_t k = 0; k < i; k++)
            if (strcmp(lanes[i].name, lanes[k].name) == 0)
                refuse(check, "lanes", "holds a name twice");
    }
}

// Behind the resources; there is room for as many as there may be.
static mob_bytes_t lanes_of(const check_t *check, const mob_lane_t lanes[MOB_LANES_MAX], size_t used)
{
    char *text = check->text + used;
    size_t size = 0, room = check->size - used;
    for (size_t i = 0; i < MOB_LANES_MAX && lanes[i].name && size < room; i++)
        size += (size_t)snprintf(text + size, room - size, "%s%s=%d", i ? " " : "", lanes[i].name,
                                 lanes[i].width);
    return (mob_bytes_t){text, size < room ? size : 0};
}

mob_err_t option_of_actor(const mob_actor_opts_t *opts, opts_t *out, char *text, size_t size)
{
    check_t check = {text, size, MOB_OK};
    *out = (opts_t){0};
    numbers(&check, opts, out, ACTOR_NUMBERS, sizeof ACTOR_NUMBERS / sizeof *ACTOR_NUMBERS);
    actor_name(&check, opts->name, out);
    out->get_if_exists = opts->get_if_exists;
    out->detached = opts->detached;
    out->unordered = opts->unordered;
    out->ordered = opts->ordered;
    if (opts->ordered && (opts->unordered || opts->max_concurrency > 1))
        refuse(&check, "ordered", "cannot be kept with unordered or with max_concurrency above 1");
    if (opts->get_if_exists && !opts->name)
        refuse(&check, "get_if_exists", "needs a name");
    check_lanes(&check, opts);
    not_yet(&check, opts->service, "service");
    not_yet(&check, opts->when_full != MOB_FULL_REJECT, "when_full other than MOB_FULL_REJECT");
    place_of(&check, &opts->place, out);
    if (!check.err)
        out->lanes = lanes_of(&check, opts->lanes, out->resources.size + 1);
    return check.err;
}
