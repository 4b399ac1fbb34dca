// The broker's number: larger at each start, whatever became of the file.

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "epoch.h"

static char base[64], data[128], why[256];

static void set_up(void)
{
    strcpy(base, "/tmp/mobula-test-XXXXXX");
    cr_assert_not_null(mkdtemp(base));
    snprintf(data, sizeof data, "%s/state/mobula", base);
}

static void tear_down(void)
{
    const char *const files[] = {"/state/mobula/epoch",
                                 "/state/mobula/epoch.new",
                                 "/state/mobula/lock",
                                 "/state/mobula",
                                 "/state",
                                 ""};
    char path[160];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s%s", base, files[i]);
        remove(path);
    }
}

TestSuite(epoch, .init = set_up, .fini = tear_down, .timeout = 10);

static void write_counter(const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/epoch", data);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

static uint64_t begin(void)
{
    epoch_t epoch;
    cr_assert_eq(epoch_begin(&epoch, data, why, sizeof why), MOB_OK, "%s", why);
    epoch_end(&epoch);
    return epoch.value;
}

Test(epoch, grows_at_each_start_and_makes_its_directory)
{
    uint64_t first = begin(), second = begin(), third = begin();
    cr_expect_lt(first, second);
    cr_expect_lt(second, third);
}

Test(epoch, is_never_below_the_clock_so_a_lost_file_does_no_harm)
{
    uint64_t before = (uint64_t)clock_wall_us() / 1000;
    cr_expect_geq(begin(), before);
}

Test(epoch, goes_on_from_the_file_when_the_clock_went_back)
{
    begin();
    write_counter("9000000000000000\n");
    cr_expect_eq(begin(), 9000000000000001u);
    cr_expect_eq(begin(), 9000000000000002u);
}

Test(epoch, of_memory_is_the_clock_and_needs_no_file)
{
    epoch_t epoch;
    cr_assert_eq(epoch_begin(&epoch, ":memory:", why, sizeof why), MOB_OK);
    cr_expect_gt(epoch.value, 1000000000000u);
    epoch_end(&epoch);
}

Test(epoch, a_damaged_file_is_refused_and_left)
{
    const char *const damaged[] = {"", "12", "x\n", "-5\n", "12 13\n", "99999999999999999999999\n"};
    begin();
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        epoch_t epoch;
        write_counter(damaged[i]);
        cr_expect_eq(epoch_begin(&epoch, data, why, sizeof why), MOB_EARGS, "%s", damaged[i]);
        cr_expect_not_null(strstr(why, data));
    }
}

Test(epoch, a_directory_has_one_broker)
{
    epoch_t first, second;
    cr_assert_eq(epoch_begin(&first, data, why, sizeof why), MOB_OK);
    cr_expect_eq(epoch_begin(&second, data, why, sizeof why), MOB_EDENIED);
    epoch_end(&first);
    cr_expect_eq(epoch_begin(&second, data, why, sizeof why), MOB_OK);
    epoch_end(&second);
}

Test(epoch, a_directory_that_cannot_be_is_told)
{
    epoch_t epoch;
    cr_expect_eq(epoch_begin(&epoch, "/dev/null/data", why, sizeof why), MOB_EDENIED);
    cr_expect_not_null(strstr(why, "/dev/null/data"));
}
