// unit.h - durations, sizes and rates as people write them. One reader for flags, filters and
// settings, one printer for every table. Pure: no locale, no clock.

#ifndef MOBULA_WIRE_UNIT_H
#define MOBULA_WIRE_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNIT_FOREVER INT64_MAX

enum { UNIT_TEXT_MAX = 32 }; // room for any text that a unit_print_ function makes

// "250us" "10ms" "1.5s" "1h30m" "3d" "forever" -> microseconds. A number needs its unit; 0 does
// not.
bool unit_read_duration(const char *text, size_t size, int64_t *us);

// "64KiB" "10MB" "5k" "17" -> bytes or a plain count.
bool unit_read_size(const char *text, size_t size, int64_t *bytes);

// "5k/s" "600/m" "50" -> a second.
bool unit_read_rate(const char *text, size_t size, double *per_second);

// 207µs 1.3ms 48ms 1.0s 2m05s 3h12m 4d02h; ascii writes us. Gives out.
const char *unit_print_duration(char out[UNIT_TEXT_MAX], int64_t us, bool ascii);
const char *unit_print_age(char out[UNIT_TEXT_MAX], int64_t us);         // whole: 5s 41m 3h12m 4d
const char *unit_print_size(char out[UNIT_TEXT_MAX], uint64_t bytes);    // 512 B, 18.3 MiB
const char *unit_print_count(char out[UNIT_TEXT_MAX], uint64_t n);       // 1,204
const char *unit_print_rate(char out[UNIT_TEXT_MAX], double per_second); // 812, 2.6k, 1.20M

#endif
