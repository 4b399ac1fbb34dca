// Settings: one table, four origins, sentences for what is wrong.

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

static char path[64], why[512];
static config_t config;

static void set_up(void)
{
    strcpy(path, "/tmp/mobula-test-XXXXXX");
    close(mkstemp(path));
    unsetenv("MOBULA_LOG_LEVEL");
}

static void tear_down(void)
{
    unlink(path);
}

TestSuite(config, .init = set_up, .fini = tear_down, .timeout = 10);

static mob_err_t load(const char *text)
{
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    return config_load(&config, path, why, sizeof why);
}

static void expect_refused(const char *text, const char *word)
{
    cr_expect_eq(load(text), MOB_EARGS, "%s", text);
    cr_expect_not_null(strstr(why, word), "\"%s\" does not say %s", why, word);
}

Test(config, every_default_of_the_table_is_within_its_range_and_shown_as_written)
{
    char shown[1024];
    cr_assert_eq(load(""), MOB_OK, "%s", why);
    for (config_id_t id = 0; id < CONFIG_COUNT; id++) {
        config_row_t row = config_row(id);
        config_show(&config, id, shown, sizeof shown);
        if (strcmp(row.key, "server/data") != 0) // that one depends on who we are
            cr_expect_str_eq(shown, row.fallback, "%s", row.key);
        cr_expect_eq(config.origins[id], CONFIG_DEFAULT);
        cr_expect_gt(strlen(row.help), 0, "%s has no help", row.key);
        cr_expect_eq(strncmp(row.environment, "MOBULA_", 7), 0);
    }
}

Test(config, reads_what_czmq_writes)
{
    const char *text = "# a comment\n"
                       "server\n"
                       "    name = \"a # b\"   # quoted\n"
                       "    bind = ipc\n"
                       "    bind = tcp://127.0.0.1:7770  # grows\n"
                       "    heartbeat = 250ms\n"
                       "\n"
                       "limits\n"
                       "    memory = 64MiB\n"
                       "    mailbox = 5k\n"
                       "log\n"
                       "    format = json\n";
    cr_assert_eq(load(text), MOB_OK, "%s", why);
    cr_expect_str_eq(config.server_name, "a # b");
    cr_expect_eq(config.server_bind.count, 2);
    cr_expect_str_eq(config.server_bind.items[1], "tcp://127.0.0.1:7770");
    cr_expect_eq(config.server_heartbeat, 250000);
    cr_expect_eq(config.limits_memory, 64u << 20);
    cr_expect_eq(config.limits_mailbox, 5000);
    cr_expect_eq(config.log_format, 3);
    cr_expect_eq(config.origins[CONFIG_server_name], CONFIG_FILE);
    cr_expect_str_eq(config.file, path);
}

Test(config, an_unknown_key_is_told_with_line_and_nearest)
{
    expect_refused("server\n    nam = x\n",
                   ":2: no setting is called server/nam; did you mean server/name?");
    expect_refused("limits\n\n\n    mailboxes = 1\n", ":4: ");
    expect_refused("limits\n    mailboxes = 1\n", "limits/mailbox?");
    expect_refused("    name = x\n", "server/name"); // no section
}

Test(config, what_is_no_setting_is_refused)
{
    expect_refused("server\n  name = x\n", "at the left");
    expect_refused("server\n\tname = x\n", "at the left");
    expect_refused("server = x\n", "at the left");
    expect_refused("server\n    name\n", "at the left");
    expect_refused("server\n    name = \"x\n", "quotes");
    expect_refused("server\n    heartbeat = 1\n", "250ms");
    expect_refused("server\n    heartbeat = 1 s\n", "250ms");
    expect_refused("server\n    heartbeat = -1s\n", "250ms");
    expect_refused("server\n    heartbeat = nan\n", "250ms");
    expect_refused("server\n    heartbeat = 1ms\n", "100ms and 1m");
    expect_refused("limits\n    memory = 1e300\n", "64KiB");
    expect_refused("log\n    level = loud\n", "debug info warn error");
}

Test(config, a_time_is_forever_where_it_has_no_upper_bound)
{
    char shown[1024];
    cr_assert_eq(load("tasks\n    warn_unplaced = forever\n"), MOB_OK, "%s", why);
    config_show(&config, CONFIG_tasks_warn_unplaced, shown, sizeof shown);
    cr_expect_str_eq(shown, "forever");
    cr_assert_eq(load("tasks\n    warn_unplaced = 0s\n"), MOB_OK, "%s", why);
    cr_expect_eq(config.tasks_warn_unplaced, 0);
    expect_refused("server\n    heartbeat = forever\n", "100ms and 1m");
    expect_refused("limits\n    pending = forever\n", "5000");
}

Test(config, the_environment_is_stronger_and_a_flag_the_strongest)
{
    setenv("MOBULA_LOG_LEVEL", "warn", 1);
    setenv("MOBULA_SERVER_BIND", "ipc:///a/calls.sock,ipc:///b/calls.sock", 1);
    cr_assert_eq(load("log\n    level = error\n    format = json\nserver\n    bind = ipc\n"),
                 MOB_OK, "%s", why);
    cr_expect_eq(config.log_level, 2);
    cr_expect_eq(config.log_format, 3);
    cr_expect_eq(config.server_bind.count, 2);
    cr_expect_str_eq(config.server_bind.items[1], "ipc:///b/calls.sock");

    cr_expect_eq(config_flag(&config, "log-level", "debug", why, sizeof why), MOB_OK);
    cr_expect_eq(config.log_level, 0);
    cr_expect_eq(config_flag(&config, "bind", "ipc:///c/calls.sock", why, sizeof why), MOB_OK);
    cr_expect_eq(config_flag(&config, "bind", "ipc:///d/calls.sock", why, sizeof why), MOB_OK);
    cr_expect_eq(config.server_bind.count, 2);
    cr_expect_str_eq(config.server_bind.items[0], "ipc:///c/calls.sock");
}

Test(config, a_value_may_come_from_a_file_that_the_environment_names)
{
    FILE *file = fopen(path, "w");
    fputs("from a file\n", file);
    fclose(file);
    setenv("MOBULA_SERVER_NAME_FILE", path, 1);
    cr_expect_eq(config_load(&config, "/dev/null", why, sizeof why), MOB_OK, "%s", why);
    cr_expect_str_eq(config.server_name, "from a file");
    setenv("MOBULA_SERVER_NAME_FILE", "/nowhere", 1);
    cr_expect_eq(config_load(&config, "/dev/null", why, sizeof why), MOB_EARGS);
    cr_expect_not_null(strstr(why, "/nowhere"));
}

Test(config, an_unknown_name_in_the_environment_is_a_warning)
{
    setenv("MOBULA_SERVER_NAMES", "x", 1);
    setenv("MOBULA_BROKER", "ipc:///tmp/x", 1); // the client's
    cr_expect_eq(load(""), MOB_OK);
    cr_expect_not_null(strstr(why, "did you mean MOBULA_SERVER_NAME?"), "%s", why);
}

Test(config, a_wrong_value_in_the_environment_names_it)
{
    setenv("MOBULA_LIMITS_MAILBOX", "many", 1);
    cr_expect_eq(load(""), MOB_EARGS);
    cr_expect_not_null(strstr(why, "MOBULA_LIMITS_MAILBOX"), "%s", why);
}

Test(config, a_bare_flag_takes_the_second_word)
{
    cr_assert_eq(load(""), MOB_OK);
    cr_expect_eq(config_flag(&config, "insecure", NULL, why, sizeof why), MOB_OK, "%s", why);
    cr_expect_eq(config.security_insecure, INSECURE_LOOPBACK);
    cr_expect_eq(config_flag(&config, "insecure", "private-network", why, sizeof why), MOB_OK);
    cr_expect_eq(config.security_insecure, INSECURE_PRIVATE);
    cr_expect_eq(config_flag(&config, "data", NULL, why, sizeof why), MOB_EARGS);
    cr_expect_eq(config_flag(&config, "colour", "red", why, sizeof why), MOB_ENOTFOUND);
}
