// test_lanes.c - lanes of an actor in its process: bodies of one beside those of another.

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "crew.h"
#include "story.h"
#include "work.h"

#define SHOP(METHOD)                              \
    METHOD(shop, fetch, i64, (i64, ms))           \
    METHOD(shop, block, nil) /* until released */ \
    METHOD(shop, note, nil, (i64, n))             \
    METHOD(shop, plain, i64)                      \
    METHOD(shop, release, nil)                    \
    METHOD(shop, most, i64) /* fetching at once, until now */
MOB_ACTOR(shop, SHOP);

#define MANY(METHOD) METHOD(many, add, i64, (i64, n))
MOB_ACTOR(many, MANY);

struct shop {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool released;
    int64_t here, most, last;
};

struct many {
    int64_t value;
};

mob_err_t shop_init(mob_ctx_t *ctx, shop_t *self)
{
    (void)ctx;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    return MOB_OK;
}

mob_err_t shop_fetch(mob_ctx_t *ctx, shop_t *self, int64_t ms, int64_t *out)
{
    pthread_mutex_lock(&self->lock);
    self->here++;
    self->most = self->here > self->most ? self->here : self->most;
    pthread_mutex_unlock(&self->lock);
    *out = work_ms(ctx, ms);
    pthread_mutex_lock(&self->lock);
    self->here--;
    pthread_mutex_unlock(&self->lock);
    return MOB_OK;
}

mob_err_t shop_block(mob_ctx_t *ctx, shop_t *self, mob_nil_t *out)
{
    (void)out;
    crew_enter(ctx);
    crew_tell_begun();
    pthread_mutex_lock(&self->lock);
    while (!self->released)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
    return MOB_OK;
}

mob_err_t shop_note(mob_ctx_t *ctx, shop_t *self, int64_t n, mob_nil_t *out)
{
    (void)out;
    bool next = n == self->last + 1; // its lane is as wide as one body: nobody else is here
    self->last = n;
    return next ? MOB_OK : mob_fail(ctx, 1, "%d is out of order", (int)n);
}

mob_err_t shop_plain(mob_ctx_t *ctx, shop_t *self, int64_t *out)
{
    (void)ctx, (void)self;
    *out = 7;
    return MOB_OK;
}

mob_err_t shop_release(mob_ctx_t *ctx, shop_t *self, mob_nil_t *out)
{
    (void)ctx, (void)out;
    pthread_mutex_lock(&self->lock);
    self->released = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return MOB_OK;
}

mob_err_t shop_most(mob_ctx_t *ctx, shop_t *self, int64_t *out)
{
    (void)ctx;
    pthread_mutex_lock(&self->lock);
    *out = self->most;
    pthread_mutex_unlock(&self->lock);
    return MOB_OK;
}

void shop_fini(shop_t *self)
{
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
}

mob_err_t many_add(mob_ctx_t *ctx, many_t *self, int64_t n, int64_t *out)
{
    (void)ctx;
    *out = self->value += n;
    return MOB_OK;
}

static const mob_def_t defs[] = {
    mob_actor(shop, SHOP, .actor = {.lanes = {{"io", 2}, {"compute", 1}}}, .fetch = {.lane = "io"},
              .block = {.lane = "compute"}, .note = {.lane = "compute"}),
    mob_actor(many, MANY),
    {0}};

static void begin(void)
{
    open_crew(defs, NULL);
}

TestSuite(lanes, .init = begin, .fini = close_crew, .timeout = 40);

static void done(mob_ref_t ref)
{
    cr_assert_eq(mob_await(m, ref, NULL, SOON), MOB_OK, "%s", mob_reason(m, ref));
}

Test(lanes, C38_they_do_not_wait_for_each_other)
{
    enum { BEHIND = 100 };
    mob_ref_nil behind[BEHIND];
    shop_h shop = mob_new(m, shop);
    mob_ref_nil blocks = mob_call(m, shop, shop_block);
    crew_hear(crew.begun[0]);
    for (int i = 0; i < BEHIND; i++) // more than a worker gets ahead
        behind[i] = mob_call(m, shop, shop_note, i + 1);
    for (int i = 0; i < 40; i++)
        cr_assert_eq(value_of(mob_call(m, shop, shop_fetch, 0)), 0);
    cr_assert_eq(value_of(mob_call(m, shop, shop_plain)), 7);
    cr_assert_eq(mob_info(m, blocks.ref).state, MOB_PENDING);
    cr_assert_eq(mob_info(m, behind[0].ref).state, MOB_PENDING);
    done(mob_call(m, shop, shop_release).ref);
    for (int i = 0; i < BEHIND; i++)
        done(behind[i].ref);
}

Test(lanes, C39_a_call_may_choose_its_lane)
{
    shop_h shop = mob_new(m, shop);
    mob_ref_nil blocks = mob_call(m, shop, shop_block);
    crew_hear(crew.begun[0]);
    mob_ref_i64 there = mob_call_with(m, shop, MOB_OPTS(.lane = "compute"), shop_plain);
    mob_ref_i64 here = mob_call_with(m, shop, MOB_OPTS(.lane = "io"), shop_plain);
    cr_assert_eq(value_of(here), 7);
    cr_assert_eq(value_of(mob_call(m, shop, shop_plain)), 7);
    cr_assert_eq(mob_info(m, there.ref).state, MOB_PENDING, "it stands behind the one that blocks");
    done(mob_call(m, shop, shop_release).ref);
    done(blocks.ref);
    cr_assert_eq(value_of(there), 7);
    mob_info_t info =
        failure_of(mob_call_with(m, shop, MOB_OPTS(.lane = "none"), shop_plain).ref, MOB_EARGS);
    cr_assert_not_null(strstr(info.reason, "none"), "%s", info.reason);
    cr_assert_eq(info.executed, MOB_NOT_EXECUTED);
}

Test(lanes, each_has_its_width)
{
    enum { CALLS = 8 };
    mob_ref_i64 calls[CALLS];
    shop_h shop = mob_new_with(m, MOB_ACTOR_OPTS(.max_concurrency = 4), shop);
    for (int i = 0; i < CALLS; i++)
        calls[i] = mob_call(m, shop, shop_fetch, 100);
    for (int i = 0; i < CALLS; i++)
        value_of(calls[i]);
    cr_assert_eq(value_of(mob_call(m, shop, shop_most)), 2);
}

Test(lanes, who_creates_may_ask_for_others)
{
    shop_h shop = mob_new_with(m, MOB_ACTOR_OPTS(.lanes = {{"io", 1}}), shop);
    mob_ref_i64 calls[] = {mob_call(m, shop, shop_fetch, 50), mob_call(m, shop, shop_fetch, 50)};
    value_of(calls[0]), value_of(calls[1]);
    cr_assert_eq(value_of(mob_call(m, shop, shop_most)), 1);
    failure_of(mob_call(m, shop, shop_note, 1).ref, MOB_EARGS); // its method is bound to "compute"
}

Test(lanes, they_outlive_the_broker)
{
    shop_h shop = mob_new(m, shop);
    mob_ref_nil blocks = mob_call(m, shop, shop_block);
    crew_hear(crew.begun[0]);
    mob_ref_nil behind = mob_call(m, shop, shop_note, 1);
    crew_kill_broker(&crew);
    crew_start_broker(&crew);
    cr_assert_eq(value_of(mob_call(m, shop, shop_fetch, 0)), 0);
    cr_assert_eq(mob_info(m, behind.ref).state, MOB_PENDING);
    done(mob_call(m, shop, shop_release).ref);
    done(blocks.ref);
    done(behind.ref);
    cr_assert_eq(crew_ran(&crew, blocks.ref).count, 1);
}

Test(lanes, they_do_not_fit_a_shared_class)
{
    mob_def_t shared[] = {mob_actor(many, MANY, .actor = {.lanes = {{"io", 1}}}), {0}};
    shared[0].shared = true;
    cr_assert_eq(mob_offer_defs(m, shared), MOB_EARGS);
}
