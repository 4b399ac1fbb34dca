// What a caller wishes, to the wire or to MOB_EARGS that names the field.

#include "option.h"

#include <criterion/criterion.h>

#include <string.h>

static char text[OPTION_TEXT];
static opts_t out;

#define call_is_refused(word, ...)                                                                  \
    cr_assert(option_of_call(MOB_OPTS(__VA_ARGS__), false, &out, text, sizeof text) == MOB_EARGS && \
                  strstr(text, word),                                                               \
              "%s", text)
#define actor_is_refused(word, ...)                                                                 \
    cr_assert(option_of_actor(MOB_ACTOR_OPTS(__VA_ARGS__), &out, text, sizeof text) == MOB_EARGS && \
                  strstr(text, word),                                                               \
              "%s", text)

Test(option, wishes_reach_the_wire)
{
    const mob_opts_t *opts =
        MOB_OPTS(.timeout_ms = 500, .max_retries = MOB_NONE, .retry_on = {7, MOB_ANY_CODE},
                 .priority = -8, .forget = true, .name = "last word");
    cr_assert_eq(option_of_call(opts, true, &out, text, sizeof text), MOB_OK);
    cr_assert_eq(out.timeout_ms, 500);
    cr_assert_eq(out.max_retries, MOB_NONE);
    cr_assert_eq(out.retry_1, 7);
    cr_assert_eq(out.retry_2, MOB_ANY_CODE);
    cr_assert_eq(out.priority, -8);
    cr_assert_eq(out.forget, 1);
    cr_assert_eq(out.name.size, 9);
}

Test(option, a_name_may_carry_its_space)
{
    cr_assert_eq(
        option_of_actor(MOB_ACTOR_OPTS(.name = "market:corner", .max_restarts = MOB_UNLIMITED),
                        &out, text, sizeof text),
        MOB_OK);
    cr_assert_eq(memcmp(out.name.data, "corner", 6), 0);
    cr_assert_eq(out.name.size, 6);
    cr_assert_eq(out.space.size, 6);
    cr_assert_eq(out.max_restarts, -1);
    actor_is_refused("name", .name = "a b");
    actor_is_refused("name", .name = "");
    actor_is_refused("name", .name = ":x");
}

Test(option, what_is_out_of_range_is_named)
{
    call_is_refused("num_returns", .num_returns = -4);
    call_is_refused("num_returns", .num_returns = MOB_UNLIMITED);
    call_is_refused("num_returns", .num_returns = MOB_RETURNS_MAX + 1);
    call_is_refused("max_retries", .max_retries = -3);
    call_is_refused("priority", .priority = 8);
    call_is_refused("timeout_ms", .timeout_ms = -5);
    call_is_refused("place.resources", .place.resources = {{"gpu", -1}});
    call_is_refused("cpu", .place.resources = {{"cpu", 1}});
    call_is_refused("place.cpus", .place.cpus = -0.5);
    actor_is_refused("max_concurrency", .max_concurrency = 257);
    actor_is_refused("get_if_exists", .get_if_exists = true);
    actor_is_refused("lanes", .lanes = {{"io", 0}});
}

Test(option, what_contradicts_itself_is_refused)
{
    actor_is_refused("ordered", .ordered = true, .max_concurrency = 2);
    actor_is_refused("ordered", .ordered = true, .unordered = true);
    cr_assert_eq(option_of_call(MOB_OPTS(.place.host = "n2"), true, &out, text, sizeof text),
                 MOB_EARGS);
    cr_assert(strstr(text, "place"));
}

Test(option, what_this_release_cannot_do_is_said)
{
    call_is_refused("hears no answer", .forget = true, .block = true);
    call_is_refused("streams are not in this release yet", .num_returns = MOB_STREAM);
    call_is_refused("key is not in this release yet", .key = "order-17");
    call_is_refused("durable", .durable = true);
    call_is_refused("place.labels", .place.labels = "zone=a");
    actor_is_refused("service", .service = "desk");
    actor_is_refused("when_full", .when_full = MOB_FULL_WAIT);
}
