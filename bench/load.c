// load.c - see load.h. Owns the window and the clock; never knows which system it measures.

#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double load_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double load_percentile(double *values, size_t count, double part)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, compare);
    return values[(size_t)((double)(count - 1) * part)];
}

void load_make(char payload[LOAD_PAYLOAD], const load_t *load)
{
    memset(payload, (int)('a' + load->number), LOAD_PAYLOAD);
}

void load_mark(char payload[LOAD_PAYLOAD], uint64_t i)
{
    memcpy(payload, &i, sizeof i);
}

bool load_check(const char payload[LOAD_PAYLOAD], const void *data, size_t size, uint64_t *i)
{
    if (size != LOAD_PAYLOAD)
        return false;
    memcpy(i, data, sizeof *i);
    return memcmp((const char *)data + sizeof *i, payload + sizeof *i, size - sizeof *i) == 0;
}

typedef struct times {
    double *each;
    uint64_t count;
} times_t;

// Both give how many replies were lost or wrong, and end at the first: without it nothing is
// measured.
static uint64_t one_at_a_time(const load_t *load, const load_system_t *system, void *self,
                              times_t *times)
{
    for (uint64_t i = 0; i < load->count; i++) {
        double start = load_now();
        system->send(self, i);
        if (!system->take(self, i))
            return 1;
        times->each[times->count++] = (load_now() - start) * 1e6;
    }
    return 0;
}

static uint64_t in_a_window(const load_t *load, const load_system_t *system, void *self)
{
    for (uint64_t i = 0; i < load->count + load->window; i++) {
        if (i >= load->window && !system->take(self, i - load->window))
            return 1;
        if (i < load->count)
            system->send(self, i);
    }
    return 0;
}

static void work(const load_t *load, const load_system_t *system, void *self, bool told)
{
    times_t times = {.each = calloc(load->count, sizeof *times.each)};
    if (!times.each)
        return; // the driver hears nothing, and says so
    double start = load_now();
    uint64_t bad = load->window == 1 ? one_at_a_time(load, system, self, &times)
                                     : in_a_window(load, system, self);
    double seconds = load_now() - start;
    if (told)
        printf("%.6f %.2f %.2f %llu\n", seconds, load_percentile(times.each, times.count, 0.5),
               load_percentile(times.each, times.count, 0.99), (unsigned long long)bad);
    fflush(stdout);
    free(times.each);
}

int load_main(int argc, char **argv, const load_system_t *system)
{
    if (argc != 6) {
        fprintf(stderr, "usage: %s COUNT WINDOW ADDRESS NUMBER WHAT\n", argv[0]);
        return 2;
    }
    load_t load = {.count = strtoull(argv[1], NULL, 10),
                   .window = strtoull(argv[2], NULL, 10),
                   .address = argv[3],
                   .number = strtoull(argv[4], NULL, 10),
                   .what = argv[5]};
    if (load.window == 0 || load.window > LOAD_WINDOW_MAX || load.window > load.count)
        return 2;
    void *self = system->open(&load);
    if (!self)
        return 1;
    load_t warm = load;
    warm.count = load.count / 10 > load.window ? load.count / 10 : load.window;
    work(&warm, system, self, false);
    puts("ready");
    fflush(stdout);
    char line[8];
    if (fgets(line, sizeof line, stdin))
        work(&load, system, self, true);
    system->close(self);
    return 0;
}
