// unit.c - reads and prints durations, sizes and rates. Never looks at a clock or a locale.

#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct scale {
    const char *name;
    double factor;
} scale_t;

static const scale_t durations[] = {
    {"us", 1},   {"\u00b5s", 1}, {"\u03bcs", 1}, {"ms", 1e3},    {"s", 1e6}, {"sec", 1e6},
    {"m", 60e6}, {"min", 60e6},  {"h", 3600e6},  {"d", 86400e6}, {NULL, 0},
};

static const scale_t sizes[] = {
    {"", 1},       {"B", 1},         {"k", 1e3},          {"K", 1e3}, {"kB", 1e3},
    {"KB", 1e3},   {"M", 1e6},       {"MB", 1e6},         {"G", 1e9}, {"GB", 1e9},
    {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {NULL, 0},
};

static const scale_t rates[] = {
    {"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {NULL, 0},
};

static const scale_t periods[] = {
    {"", 1}, {"/s", 1}, {"/sec", 1}, {"/m", 60}, {"/min", 60}, {"/h", 3600}, {NULL, 0},
};

// ---- Reading ------------------------------------------------------------------------------------

// A decimal number without sign or exponent: what strtod would do with the locale taken out.
static size_t read_decimal(const char *text, size_t size, double *out)
{
    size_t at = 0, digits = 0;
    double value = 0, place = 1;
    for (; at < size && text[at] >= '0' && text[at] <= '9' && digits < 18; at++, digits++)
        value = value * 10 + (text[at] - '0');
    if (at < size && text[at] == '.')
        for (at++; at < size && text[at] >= '0' && text[at] <= '9' && digits < 30; at++, digits++)
            value += (text[at] - '0') * (place /= 10);
    *out = value;
    return digits ? at : 0;
}

static const scale_t *find_scale(const scale_t *scales, const char *text, size_t size)
{
    for (; scales->name; scales++)
        if (strlen(scales->name) == size && memcmp(scales->name, text, size) == 0)
            return scales;
    return NULL;
}

// The length of a unit: everything up to the next digit or the end.
static size_t unit_length(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size && !(text[at] >= '0' && text[at] <= '9'))
        at++;
    return at;
}

static bool whole(double value, int64_t *out)
{
    if (!(value >= 0 && value < 9e18))
        return false;
    *out = (int64_t)(value + 0.5);
    return true;
}

bool unit_read_duration(const char *text, size_t size, int64_t *us)
{
    if (size == 7 && memcmp(text, "forever", 7) == 0) {
        *us = UNIT_FOREVER;
        return true;
    }
    if (size == 1 && text[0] == '0') {
        *us = 0;
        return true;
    }
    double sum = 0;
    if (size == 0)
        return false;
    while (size > 0) {
        double value;
        size_t took = read_decimal(text, size, &value);
        size_t unit = took ? unit_length(text + took, size - took) : 0;
        const scale_t *scale = find_scale(durations, text + took, unit);
        if (!took || !scale)
            return false;
        sum += value * scale->factor;
        text += took + unit, size -= took + unit;
    }
    return whole(sum, us);
}

bool unit_read_size(const char *text, size_t size, int64_t *bytes)
{
    double value;
    size_t took = read_decimal(text, size, &value);
    const scale_t *scale = find_scale(sizes, text + took, size - took);
    return took && scale && whole(value * scale->factor, bytes);
}

bool unit_read_rate(const char *text, size_t size, double *per_second)
{
    double value;
    size_t took = read_decimal(text, size, &value);
    const char *slash = memchr(text + took, '/', size - took);
    size_t unit = slash ? (size_t)(slash - text) - took : size - took;
    const scale_t *scale = find_scale(rates, text + took, unit);
    const scale_t *period = find_scale(periods, text + took + unit, size - took - unit);
    if (!took || !scale || !period)
        return false;
    *per_second = value * scale->factor / period->factor;
    return true;
}

// ---- Printing -----------------------------------------------------------------------------------

static const char *two(char out[UNIT_TEXT_MAX], int64_t big, char unit, int64_t small, char rest)
{
    snprintf(out, UNIT_TEXT_MAX, "%" PRId64 "%c%02" PRId64 "%c", big, unit, small, rest);
    return out;
}

// One decimal below ten, none above; a decimal of 0 is not written.
static const char *tenths(char out[UNIT_TEXT_MAX], int64_t value_e3, const char *unit)
{
    int64_t tenth = (value_e3 + 50) / 100;
    if (tenth < 100 && tenth % 10)
        snprintf(out, UNIT_TEXT_MAX, "%" PRId64 ".%" PRId64 "%s", tenth / 10, tenth % 10, unit);
    else
        snprintf(out, UNIT_TEXT_MAX, "%" PRId64 "%s", (value_e3 + 500) / 1000, unit);
    return out;
}

const char *unit_print_duration(char out[UNIT_TEXT_MAX], int64_t us, bool ascii)
{
    if (us < 1000) {
        snprintf(out, UNIT_TEXT_MAX, "%" PRId64 "%s", us, ascii ? "us" : "\u00b5s");
        return out;
    }
    if (us < 999500)
        return tenths(out, us, "ms");
    if (us < 60 * INT64_C(1000000)) {
        snprintf(out, UNIT_TEXT_MAX, "%.1fs", (double)us / 1e6);
        return out;
    }
    int64_t s = us / 1000000;
    if (s < 3600)
        return two(out, s / 60, 'm', s % 60, 's');
    if (s < 86400)
        return two(out, s / 3600, 'h', s / 60 % 60, 'm');
    return two(out, s / 86400, 'd', s / 3600 % 24, 'h');
}

const char *unit_print_age(char out[UNIT_TEXT_MAX], int64_t us)
{
    int64_t s = us < 0 ? 0 : us / 1000000;
    if (s >= 3600 && s < 86400)
        return two(out, s / 3600, 'h', s / 60 % 60, 'm');
    int64_t value = s < 60 ? s : s < 3600 ? s / 60 : s / 86400;
    snprintf(out, UNIT_TEXT_MAX, "%" PRId64 "%c", value, s < 60 ? 's' : s < 3600 ? 'm' : 'd');
    return out;
}

const char *unit_print_size(char out[UNIT_TEXT_MAX], uint64_t bytes)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t i = 0;
    for (; value >= 1023.95 && i < 4; i++)
        value /= 1024;
    snprintf(out, UNIT_TEXT_MAX, i ? "%.1f %s" : "%.0f %s", value, names[i]);
    return out;
}

const char *unit_print_count(char out[UNIT_TEXT_MAX], uint64_t n)
{
    char digits[UNIT_TEXT_MAX];
    int size = snprintf(digits, sizeof digits, "%" PRIu64, n);
    size_t put = 0;
    for (int i = 0; i < size; i++) {
        out[put++] = digits[i];
        if (i + 1 < size && (size - 1 - i) % 3 == 0)
            out[put++] = ',';
    }
    out[put] = '\0';
    return out;
}

const char *unit_print_rate(char out[UNIT_TEXT_MAX], double per_second)
{
    if (per_second < 999.5)
        snprintf(out, UNIT_TEXT_MAX, "%.0f", per_second);
    else if (per_second < 999950)
        snprintf(out, UNIT_TEXT_MAX, "%.1fk", per_second / 1e3);
    else
        snprintf(out, UNIT_TEXT_MAX, "%.2fM", per_second / 1e6);
    return out;
}
