// Durations, sizes and rates: read as people write them, printed as tables show them.

#include <criterion/criterion.h>
#include <string.h>

#include "unit.h"

Test(unit, reads_durations)
{
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {{"250us", 250},
                {"10ms", 10000},
                {"1.5s", 1500000},
                {"2m", 120000000},
                {"1h", 3600000000},
                {"3d", 259200000000},
                {"0", 0},
                {"1h30m", 5400000000},
                {"forever", INT64_MAX},
                {"\u00b5s", -1},
                {"10", -1},
                {"", -1},
                {"ms", -1},
                {"1.5", -1},
                {"-1s", -1},
                {"5 s", -1}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t us = -1;
        bool read = unit_read_duration(good[i].text, strlen(good[i].text), &us);
        cr_expect_eq(read, good[i].us != -1, "%s", good[i].text);
        cr_expect(!read || us == good[i].us, "%s", good[i].text);
    }
}

Test(unit, reads_sizes_and_rates)
{
    int64_t bytes = 0;
    double rate = 0;
    cr_expect(unit_read_size("64KiB", 5, &bytes) && bytes == 65536);
    cr_expect(unit_read_size("10MB", 4, &bytes) && bytes == 10000000);
    cr_expect(unit_read_size("128", 3, &bytes) && bytes == 128);
    cr_expect_not(unit_read_size("many", 4, &bytes));
    cr_expect(unit_read_rate("5k/s", 4, &rate) && rate > 4999 && rate < 5001);
    cr_expect(unit_read_rate("600/m", 5, &rate) && rate > 9.9 && rate < 10.1);
    cr_expect_not(unit_read_rate("5k/x", 4, &rate));
}

Test(unit, prints_what_fits_a_column)
{
    char out[UNIT_TEXT_MAX];
    cr_expect_str_eq(unit_print_duration(out, 207, true), "207us");
    cr_expect_str_eq(unit_print_duration(out, 207, false), "207\u00b5s");
    cr_expect_str_eq(unit_print_duration(out, 1300, true), "1.3ms");
    cr_expect_str_eq(unit_print_duration(out, 7000, true), "7ms");
    cr_expect_str_eq(unit_print_duration(out, 48200, true), "48ms");
    cr_expect_str_eq(unit_print_duration(out, 1000000, true), "1.0s");
    cr_expect_str_eq(unit_print_duration(out, 11520000000, true), "3h12m");
    cr_expect_str_eq(unit_print_age(out, 2460000000), "41m");
    cr_expect_str_eq(unit_print_size(out, 19188940), "18.3 MiB");
    cr_expect_str_eq(unit_print_count(out, 2481730), "2,481,730");
    cr_expect_str_eq(unit_print_rate(out, 2600), "2.6k");
}
