// ray_rows.c - what each row of `mobula bench ray` does in one step, and the table of them. Rows
// are Ray's, so are payloads, batches and multipliers.

#include "ray.h"

enum { BATCH = 1000, CLIENTS = 4, LONG_MS = 60000 };

// ---- Objects ------------------------------------------------------------------------------------

static mob_err_t get_again(ray_t *self)
{
    int64_t zero;
    return mob_get(self->m, self->own, &zero, LONG_MS);
}

static mob_err_t get_anew(ray_t *self) // a session that forgot it asks the broker each time
{
    int64_t zero;
    mob_err_t err = mob_get(self->m, self->foreign, &zero, LONG_MS);
    mob_drop(self->m, self->foreign.ref);
    return err;
}

static mob_err_t put(ray_t *self)
{
    mob_put(self->m, 0);
    return MOB_OK;
}

static mob_err_t put_by_tasks(ray_t *self)
{
    for (unsigned i = 0; i < 10; i++)
        self->refs[i] = mob_run(self->m, ray_put, 100).ref;
    return mob_all(self->m, self->refs, 10, LONG_MS);
}

static mob_err_t put_large(ray_t *self)
{
    return ray_store(self->m, INT64_C(800) * 1024 * 1024);
}

static mob_err_t put_large_by_tasks(ray_t *self)
{
    for (unsigned i = 0; i < 10; i++)
        self->refs[i] = mob_run(self->m, ray_put_large, 10, 80 * 1024 * 1024).ref;
    return mob_all(self->m, self->refs, 10, LONG_MS);
}

static mob_err_t get_refs(ray_t *self) // each time from the broker, as get_anew
{
    mob_reader_t reader = {0};
    mob_err_t err = mob_await(self->m, self->full, &reader, LONG_MS);
    size_t count = err ? 0 : mob_read_list(&reader);
    for (size_t i = 0; i < count; i++)
        mob_read_ref(&reader);
    mob_drop(self->m, self->full);
    return err ? err : count == RAY_REFS_MAX ? reader.err : MOB_ERESULT;
}

// ---- Tasks --------------------------------------------------------------------------------------

static void submit_batch(ray_t *self)
{
    for (unsigned i = 0; i < BATCH; i++)
        self->refs[i] = mob_run(self->m, ray_small).ref;
}

static mob_err_t tasks_batch(ray_t *self)
{
    submit_batch(self);
    return mob_all(self->m, self->refs, BATCH, LONG_MS);
}

static mob_err_t task_sync(ray_t *self)
{
    return mob_done(self->m, mob_run(self->m, ray_small), LONG_MS);
}

// 1000 times: wait for one, take it out, wait again on what is left.
static mob_err_t wait_on_shrinking(ray_t *self)
{
    size_t left = BATCH;
    submit_batch(self);
    while (left > 0)
        if (mob_is_none(mob_take(self->m, self->refs, &left, LONG_MS)))
            return MOB_ETIMEDOUT;
    return MOB_OK;
}

static mob_err_t tasks_of_clients(ray_t *self)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        self->refs[i] = mob_call(self->m, self->clients[i], ray_client_tasks, 10000).ref;
    return mob_all(self->m, self->refs, CLIENTS, LONG_MS);
}

// ---- Actors -------------------------------------------------------------------------------------

static mob_err_t call_sync(ray_t *self)
{
    return mob_done(self->m, mob_call(self->m, self->actors[0], ray_actor_small), LONG_MS);
}

static mob_err_t calls_batch(ray_t *self)
{
    for (unsigned i = 0; i < BATCH; i++)
        self->refs[i] = mob_call(self->m, self->actors[0], ray_actor_small).ref;
    return mob_all(self->m, self->refs, BATCH, LONG_MS);
}

static mob_value_t actors_of(const ray_t *self)
{
    return mob_list(self->handles, self->n);
}

static mob_err_t one_to_many(ray_t *self)
{
    return mob_done(self->m,
                    mob_call(self->m, self->clients[0], ray_client_calls, actors_of(self), 5000),
                    LONG_MS);
}

static mob_err_t many_to_many(ray_t *self)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        self->refs[i] = mob_run(self->m, ray_spread, actors_of(self), 5000).ref;
    return mob_all(self->m, self->refs, CLIENTS, LONG_MS);
}

static mob_err_t many_with_argument(ray_t *self)
{
    for (unsigned i = 0; i < self->n; i++)
        self->refs[i] =
            mob_call(self->m, self->clients[i], ray_client_calls_with, self->actors[i].actor, BATCH).ref;
    return mob_all(self->m, self->refs, self->n, LONG_MS);
}

static double width(const ray_t *self)
{
    return self->n;
}

// ---- Beginning ----------------------------------------------------------------------------------

mob_err_t ray_begin(ray_t *self, unsigned cores)
{
    self->n = cores < 2 ? 1 : cores / 2 > RAY_ACTORS_MAX ? RAY_ACTORS_MAX : cores / 2;
    unsigned count = self->n < CLIENTS ? CLIENTS : self->n;
    mob_ref_t ready[2 * RAY_ACTORS_MAX];
    for (unsigned i = 0; i < count; i++) {
        self->actors[i] = mob_new_with(self->m, MOB_ACTOR_OPTS(.mailbox_max = 200000), ray_actor);
        self->clients[i] = mob_new(self->m, ray_client);
        self->handles[i] = MOB_VALUE(self->actors[i].actor);
        ready[2 * i] = mob_ready(self->actors[i].actor);
        ready[2 * i + 1] = mob_ready(self->clients[i].actor);
    }
    self->own = mob_put(self->m, 0);
    self->foreign = mob_put(self->other, 0);
    self->full = mob_run(self->other, ray_refs, RAY_REFS_MAX).ref;
    mob_err_t err = mob_await(self->other, self->full, NULL, LONG_MS);
    return err ? err : mob_all(self->m, ready, 2 * (size_t)count, LONG_MS);
}

// ---- The table ----------------------------------------------------------------------------------

#define THREADS "actors with several threads are not there yet"
#define DEFERS "deferred answers are not there yet"
#define GROUPS "placement groups are not there yet"
#define CURVE "tcp with keys is not there yet"

// clang-format off
const ray_row_t ray_rows[] = {
    {"single_client_get_calls", "get a stored 0, the local view", 1, 10620, 4031, 47682, true, .step = get_again},
    {"single_client_get_calls (asked anew)", "the same, each time from the broker", 1, 10620, 4031, 47682, true, .step = get_anew},
    {"single_client_put_calls", "put 0", 1, 5173, 3836, 34652, true, .step = put},
    {"multi_client_put_calls", "10 tasks that put 0 100 times", 1000, 16526, 9659, 145246, false, .step = put_by_tasks},
    {"single_client_put_gigabytes", "put of 800 MB, 8 MiB a value: GB", 0.8, 19.86, 15.19, 20.90, false, .step = put_large},
    {"multi_client_put_gigabytes", "10 tasks that put 80 MB 10 times, likewise: GB", 8, 38.14, 25.38, 41.03, false, .step = put_large_by_tasks},
    {"single_client_get_object_containing_10k_refs", "get one value with 10,000 refs in it", 1, 13.37, 8.92, 0, true, .step = get_refs},
    {"single_client_tasks_and_get_batch", "1000 tasks, one get of all: batches", 1, 5.80, 6.65, 7.99, true, .step = tasks_batch},
    {"single_client_wait_1k_refs", "1000 tasks, 1000 waits for one of them: batches", 1, 5.08, 4.86, 5.18, true, .step = wait_on_shrinking},
    {"single_client_tasks_sync", "one task at a time", 1, 981, 805, 1714, true, .step = task_sync},
    {"single_client_tasks_async", "1000 tasks, then get all", BATCH, 8041, 7175, 16621, true, .step = tasks_batch},
    {"multi_client_tasks_async", "4 actors that each run 10,000 tasks", 40000, 21230, 18575, 45572, false, .step = tasks_of_clients},
    {"1_1_actor_calls_sync", "one call at a time", 1, 2012, 1763, 2763, true, .step = call_sync},
    {"1_1_actor_calls_async", "1000 calls, then get all", BATCH, 8664, 7528, 8933, true, .step = calls_batch},
    {"1_1_actor_calls_concurrent", "the same, 16 threads", BATCH, 5775, 5198, 7234, true, .missing = THREADS},
    {"1_n_actor_calls_async", "an actor that calls each of n 5000 times", 5000, 8038, 6838, 16056, false, .step = one_to_many, .width = width},
    {"n_n_actor_calls_async", "4 tasks that call n actors 5000 times", 20000, 27376, 23168, 49235, false, .step = many_to_many},
    {"n_n_actor_calls_with_arg_async", "n actors, 1000 calls each, the argument a ref", BATCH, 2759, 2724, 14163, false, .step = many_with_argument, .width = width},
    {"1_1_async_actor_calls_sync", "one call at a time, answered later", 1, 1460, 1333, 1941, true, .missing = DEFERS},
    {"1_1_async_actor_calls_async", "1000 calls, answered later", BATCH, 4260, 4316, 4826, true, .missing = DEFERS},
    {"1_1_async_actor_calls_with_args_async", "the same with an integer", BATCH, 2836, 2787, 3095, true, .missing = DEFERS},
    {"1_n_async_actor_calls_async", "as 1_n, answered later", 5000, 7383, 6491, 15354, false, .missing = DEFERS},
    {"n_n_async_actor_calls_async", "as n_n, answered later", 20000, 23675, 0, 38910, false, .missing = DEFERS},
    {"placement_group_create/removal", "100 groups of one bundle", 100, 765, 619, 791, true, .missing = GROUPS},
    {"client__get_calls", "through a proxy there, over tcp with keys here", 1, 1159, 1186, 2283, true, .missing = CURVE},
    {"client__put_calls", "likewise", 1, 817, 848, 0, true, .missing = CURVE},
    {"client__tasks_and_put_batch", "likewise: 10 tasks that put 0 100 times", 1000, 14560, 9220, 0, true, .missing = CURVE},
    {"client__1_1_actor_calls_sync", "likewise: one call at a time", 1, 538, 471, 0, true, .missing = CURVE},
    {"client__1_1_actor_calls_async", "likewise: 1000 calls", BATCH, 1099, 1012, 0, true, .missing = CURVE},
    {"client__1_1_actor_calls_concurrent", "likewise, 16 threads", BATCH, 1085, 1001, 0, true, .missing = CURVE},
    {"client__tasks_and_get_batch", "likewise: 1000 tasks, batches", 1, 1.01, 0.96, 0, true, .missing = CURVE},
    {0},
};
// clang-format on
