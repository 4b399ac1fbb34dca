// kind.c - see kind.h.

#include "kind.h"

#include <stdlib.h>
#include <string.h>

// clang-format off
static const column_t actor_columns[] = {
    {"name", "ACTOR", 't', 0}, {"class", "CLASS", 's', 0}, {"state", "STATE", 't', 0}, {"worker", "WORKER", 't', 0},
    {"pid", "PID", 'n', 0}, {"mailbox", "MAILBOX", 'n', 0}, {"restarts", "RESTARTS", 'n', 0},
    {"cause", "CAUSE", 't', 0}, {"incarnation", "INC", 'n', 1}, {"in_hand", "IN-HAND", 'n', 1}, {"space", "SPACE", 't', 1},
    {"id", "ID", 't', 1}, {"reason", "REASON", 't', 1}, {0}};
static const column_t task_columns[] = {
    {"id", "ID", 't', 0}, {"name", "NAME", 's', 0}, {"kind", "KIND", 't', 0}, {"state", "STATE", 't', 0}, {"owner", "OWNER", 't', 0},
    {"worker", "WORKER", 't', 0}, {"attempt", "ATTEMPT", 'n', 0}, {"age_ms", "AGE", 'a', 0}, {"why", "WHY", 't', 0}, {"missing", "MISSING", 'n', 1},
    {"error", "ERROR", 't', 1}, {0}};
static const column_t attempt_columns[] = {
    {"id", "ID", 't', 0}, {"name", "NAME", 's', 0}, {"attempt", "ATTEMPT", 'n', 0}, {"state", "STATE", 't', 0}, {"worker", "WORKER", 't', 0},
    {"age_ms", "AGE", 'a', 0}, {"took_us", "TOOK", 'd', 0}, {"error", "ERROR", 't', 0}, {0}};
static const column_t object_columns[] = {
    {"id", "ID", 't', 0}, {"name", "NAME", 's', 0}, {"state", "STATE", 't', 0}, {"bytes", "BYTES", 'b', 0}, {"where", "WHERE", 't', 0},
    {"holds", "HOLDS", 'n', 0}, {"owner", "OWNER", 't', 0}, {"age_ms", "AGE", 'a', 0}, {"space", "SPACE", 't', 1}, {0}};
static const column_t ref_columns[] = {
    {"id", "ID", 't', 0}, {"what", "WHAT", 's', 0}, {"kind", "KIND", 't', 0}, {"name", "HOLDER", 's', 0}, {"holder", "HOLDER-ID", 't', 0},
    {"bytes", "BYTES", 'b', 0}, {"owner", "OWNER", 't', 0}, {"age_ms", "AGE", 'a', 0}, {"space", "SPACE", 't', 1}, {0}};
static const column_t store_columns[] = {
    {"space", "SPACE", 't', 0}, {"objects", "OBJECTS", 'n', 0}, {"bytes", "BYTES", 'b', 0}, {"held_bytes", "HELD", 'b', 0},
    {"puts", "PUTS", 'n', 0}, {"gets", "GETS", 'n', 0}, {"hits", "HITS", 'n', 0}, {"upto_4k", "<=4K", 'n', 0},
    {"upto_100k", "<=100K", 'n', 0}, {"upto_1m", "<=1M", 'n', 0}, {"larger", ">1M", 'n', 0}, {"store_bytes", "STORE", 'b', 0},
    {"store_max", "OF", 'b', 0}, {"refused", "REFUSED", 'n', 1}, {0}};
static const column_t host_columns[] = {
    {"name", "HOST", 't', 0}, {"state", "STATE", 't', 0}, {"pid", "PID", 'n', 0}, {"slots", "SLOTS", 'n', 0},
    {"workers", "WORKERS", 'n', 0}, {"definitions", "OFFERS", 'n', 0}, {"resources", "TAKEN", 't', 0}, {"procs", "PROCS", 'n', 1},
    {"labels", "LABELS", 't', 1}, {"space", "SPACE", 't', 1}, {"id", "ID", 't', 1}, {0}};
static const column_t worker_columns[] = {
    {"name", "WORKER", 't', 0}, {"host", "HOST", 't', 0}, {"kind", "KIND", 't', 0}, {"state", "STATE", 't', 0}, {"pid", "PID", 'n', 0},
    {"in_hand", "IN-HAND", 'n', 0}, {"window", "WINDOW", 'n', 1}, {0}};
static const column_t session_columns[] = {
    {"name", "SESSION", 't', 0}, {"role", "ROLE", 't', 0}, {"state", "STATE", 't', 0}, {"pid", "PID", 'n', 0},
    {"pending", "PENDING", 'n', 0}, {"silent_ms", "SILENT", 'a', 0}, {"space", "SPACE", 't', 1}, {0}};
static const column_t method_columns[] = {
    {"kind", "KIND", 't', 0}, {"class", "CLASS", 's', 0}, {"usage", "USAGE", 't', 0}, {"hosts", "HOSTS", 'n', 0},
    {"name", "NAME", 't', 1}, {"space", "SPACE", 't', 1}, {0}};

static const column_t letter_columns[] = {
    {"id", "ID", 't', 0}, {"age_ms", "AGE", 'a', 0}, {"src", "FROM", 't', 0}, {"dst", "TO", 't', 0}, {"method", "METHOD", 's', 0},
    {"error", "ERROR", 't', 0}, {"executed", "EXECUTED", 't', 0}, {"attempts", "TRIES", 'n', 0}, {"bytes", "BYTES", 'b', 0},
    {"reason", "REASON", 't', 0}, {"kind", "KIND", 't', 1}, {"returns", "RETURNS", 'n', 1}, {"call", "CALL", 't', 1},
    {"space", "SPACE", 't', 1}, {0}};

const kind_t kinds[] = {
    {"actors", "actor", actor_columns, "name", "class"},       {"tasks", "task", task_columns, "id", "name"},
    {"objects", "object", object_columns, "id", "owner"}, {"hosts", "host", host_columns, "name", NULL},
    {"workers", "worker", worker_columns, "name", NULL},    {"sessions", "session", session_columns, "name", NULL},
    {"methods", "method", method_columns, "name", NULL},    {"attempts", "attempt", attempt_columns, "id", NULL},
    {"refs", "ref", ref_columns, "id", NULL},           {"stores", "store", store_columns, "space", NULL},
    {"letters", "letter", letter_columns, "id", NULL},
    {0},
};
// clang-format on

const kind_t *kind_find(const char *name)
{
    for (const kind_t *kind = kinds; kind->name; kind++)
        if (strcmp(kind->name, name) == 0 || strcmp(kind->one, name) == 0)
            return kind;
    return NULL;
}

const column_t *kind_column(const column_t *columns, const char *name, size_t size)
{
    for (; columns->key; columns++) {
        if (strlen(columns->title) == size && strncasecmp(columns->title, name, size) == 0)
            return columns;
        if (strlen(columns->key) == size && strncasecmp(columns->key, name, size) == 0)
            return columns;
    }
    return NULL;
}

typedef struct order {
    const char *key;
    int sign;
} order_t;

static int compare(const void *a, const void *b, void *arg)
{
    const order_t *order = arg;
    const cell_t *left = row_cell(a, order->key), *right = row_cell(b, order->key);
    if (!left || !right)
        return order->sign * ((left != NULL) - (right != NULL));
    if (left->text && right->text)
        return order->sign * strcmp(left->text, right->text);
    return order->sign * ((left->number > right->number) - (left->number < right->number));
}

void kind_sort(rows_t *rows, const char *key, int sign)
{
    order_t order = {key, sign};
    qsort_r(rows->items, rows->count, sizeof *rows->items, compare, &order);
}
