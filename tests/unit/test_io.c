// test_io.c - how long a peer may be in finding a broker that has come back.

#include <criterion/criterion.h>

#include "config.h"
#include "io.h"

Test(io, who_lives_on_is_back_before_losses_are_declared)
{
    config_t config;
    char why[256];
    cr_assert_eq(config_load(&config, "/dev/null", why, sizeof why), MOB_OK, "%s", why);
    cr_assert_lt(IO_RECONNECT_MAX_US + IO_RECONNECT_US + IO_CONNECT_US, config.server_rejoin);
}
