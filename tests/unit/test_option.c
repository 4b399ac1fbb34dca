// What a caller wishes, to the wire or to MOB_EARGS that names the field.

#include "option.h"

#include "amount.h"
#include "lane.h"

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
    call_is_refused("stream_ahead", .num_returns = MOB_STREAM, .stream_ahead = -3);
    call_is_refused("stream_ahead", .num_returns = MOB_STREAM, .stream_ahead = MOB_NONE);
    call_is_refused("forget", .num_returns = MOB_STREAM, .forget = true);
    call_is_refused("max_retries", .max_retries = -3);
    call_is_refused("priority", .priority = 8);
    call_is_refused("timeout_ms", .timeout_ms = -5);
    call_is_refused("place.resources", .place.resources = {{"gpu", -1}});
    call_is_refused("cpu", .place.resources = {{"cpu", 1}});
    call_is_refused("place.cpus", .place.cpus = -0.5);
    actor_is_refused("max_concurrency", .max_concurrency = 257);
    actor_is_refused("get_if_exists", .get_if_exists = true);
    actor_is_refused("lanes", .lanes = {{"io", 0}});
    actor_is_refused("lanes", .lanes = {{"io", 257}});
    actor_is_refused("lanes", .lanes = {{"i o", 1}});
    actor_is_refused("twice", .lanes = {{"io", 1}, {"io", 2}});
    call_is_refused("lane does not fit a task", .lane = "io");
}

Test(option, a_place_reaches_the_wire)
{
    const mob_opts_t *opts = MOB_OPTS(.place = {.cpus = 0.5,
                                                .resources = {{"disk", 1}, {"gpu", 0.25}},
                                                .labels = "zone=a tier!=slow",
                                                .host = "n2",
                                                .soft = true,
                                                .spread = true});
    cr_assert_eq(option_of_call(opts, false, &out, text, sizeof text), MOB_OK, "%s", text);
    cr_assert_eq(out.cpus_e4, 5000);
    cr_assert_eq(out.resources.size, strlen("disk=1 gpu=0.25"));
    cr_assert_eq(memcmp(out.resources.data, "disk=1 gpu=0.25", out.resources.size), 0);
    cr_assert_eq(out.labels.size, 17);
    cr_assert_eq(out.host.size, 2);
    cr_assert(out.soft == 1 && out.spread == 1);
    cr_assert_eq(option_of_actor(MOB_ACTOR_OPTS(.place.cpus = MOB_NONE), &out, text, sizeof text),
                 MOB_OK);
    cr_assert_eq(out.cpus_e4, MOB_NONE);
}

Test(option, lanes_reach_the_wire)
{
    static char names[MOB_LANES_MAX][MOB_NAME_MAX + 1];
    mob_actor_opts_t opts = {.place.resources = {{"disk", 1}}, .lanes = {{"io", 2}, {"disk", 1}}};
    cr_assert_eq(option_of_actor(&opts, &out, text, sizeof text), MOB_OK, "%s", text);
    cr_assert_eq(out.lanes.size, 11);
    cr_assert_eq(memcmp(out.lanes.data, "io=2 disk=1", 11), 0);
    cr_assert_eq(memcmp(out.resources.data, "disk=1", 6), 0);
    for (int i = 0; i < MOB_LANES_MAX; i++) {
        memset(names[i], 'a' + i, MOB_NAME_MAX);
        opts.lanes[i] = (mob_lane_t){names[i], LANE_WIDTH_MAX};
    }
    lanes_t lanes;
    cr_assert_eq(option_of_actor(&opts, &out, text, sizeof text), MOB_OK, "%s", text);
    cr_assert(lanes_read(out.lanes, &lanes));
    cr_assert_eq(lanes.count, MOB_LANES_MAX);
    cr_assert_eq(lanes_find(&lanes, (mob_bytes_t){names[7], MOB_NAME_MAX}), 8);
    cr_assert_eq(lanes.at[7].width, 256);
}

Test(option, what_are_no_lanes_is_refused)
{
    static const char *const wrong[] = {
        "io",    "io=",       "io=0",  "io=257",
        "io=-1", "io=1 io=2", "io!=1", "a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1"};
    lanes_t lanes;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_not(lanes_read((mob_bytes_t){wrong[i], strlen(wrong[i])}, &lanes), "%s", wrong[i]);
    cr_assert(lanes_read((mob_bytes_t){0}, &lanes));
    cr_assert_eq(lanes.count, 0);
}

Test(option, eight_long_names_of_resources_fit)
{
    static char names[MOB_RESOURCES_MAX][AMOUNT_NAME_MAX + 1];
    mob_opts_t opts = {0};
    for (int i = 0; i < MOB_RESOURCES_MAX; i++) {
        memset(names[i], 'a' + i, AMOUNT_NAME_MAX);
        opts.place.resources[i] = (mob_resource_t){names[i], 123456789.5};
    }
    cr_assert_eq(option_of_call(&opts, false, &out, text, sizeof text), MOB_OK, "%s", text);
    cr_assert_eq(out.resources.size, 8 * (AMOUNT_NAME_MAX + 1 + 11) + 7);
}

Test(option, a_place_that_makes_no_sense_names_its_field)
{
    call_is_refused("gpu is a whole number above 1", .place.resources = {{"gpu", 1.5}});
    call_is_refused("gpu is below 0.0001", .place.resources = {{"gpu", 0.00001}});
    call_is_refused("place.resources", .place.resources = {{"a b", 1}});
    call_is_refused("place.resources", .place.resources = {{"", 1}});
    call_is_refused("place.resources", .place.resources = {{"disk", 1e15}});
    call_is_refused("place.cpus", .place.cpus = 0.00001);
    call_is_refused("place.labels", .place.labels = "zone");
    actor_is_refused("place.labels", .place.labels = "zone=a,b c");
    cr_assert_eq(
        option_of_call(MOB_OPTS(.place.resources = {{"gpu", 0.5}}), false, &out, text, sizeof text),
        MOB_OK);
}

Test(option, what_a_host_has_is_one_text)
{
    const mob_config_t config = {.cpus = 2.5, .resources = {{"disk", 1}}, .labels = "zone=a"};
    cr_assert_eq(option_of_host(&config, text, sizeof text), MOB_OK);
    cr_assert_str_eq(text, "cpu=2.5 disk=1");
    cr_assert_eq(option_of_host(&(mob_config_t){0}, text, sizeof text), MOB_OK);
    cr_assert_str_eq(text, "");
    cr_assert_eq(option_of_host(&(mob_config_t){.labels = "zone!=a"}, text, sizeof text), MOB_EARGS);
    cr_assert(strstr(text, "labels"), "%s", text);
    cr_assert_eq(
        option_of_host(&(mob_config_t){.cpus = 2, .resources = {{"cpu", 1}}}, text, sizeof text),
        MOB_EARGS);
    cr_assert(strstr(text, "resources cpu"), "%s", text);
    cr_assert_eq(option_of_host(&(mob_config_t){.cpus = -1}, text, sizeof text), MOB_EARGS);
}

Test(option, what_contradicts_itself_is_refused)
{
    actor_is_refused("ordered", .ordered = true, .max_concurrency = 2);
    actor_is_refused("ordered", .ordered = true, .unordered = true);
    actor_is_refused("wider than 1", .ordered = true, .lanes = {{"io", 2}});
    call_is_refused("key fits one result", .key = "order-17", .num_returns = 2);
    call_is_refused("key fits one result", .key = "order-17", .num_returns = MOB_STREAM);
    call_is_refused("key is empty", .key = "");
    cr_assert_eq(option_of_call(MOB_OPTS(.place.host = "n2"), true, &out, text, sizeof text),
                 MOB_EARGS);
    cr_assert(strstr(text, "place"));
}

Test(option, what_this_release_cannot_do_is_said)
{
    call_is_refused("hears no answer", .forget = true, .block = true);
    call_is_refused("durable", .durable = true);
    call_is_refused("place.group", .place.bundle = 1);
    actor_is_refused("service", .service = "desk");
    actor_is_refused("when_full", .when_full = MOB_FULL_WAIT);
}
