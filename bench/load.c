// load.c - see load.h.

#include "load.h"

#include <stdio.h>
#include <stdlib.h>
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

typedef struct times {
    double *each;
    uint64_t count;
} times_t;

static double percentile(times_t *times, double part)
{
    return times->count ? times->each[(size_t)((double)(times->count - 1) * part)] * 1e6 : 0;
}

static uint64_t one_at_a_time(const load_t *load, const load_system_t *system, void *self, times_t *times)
{
    uint64_t bad = 0;
    for (uint64_t i = 0; i < load->count; i++) {
        double start = load_now();
        system->send(self, i);
        bad += !system->take(self, i);
        times->each[times->count++] = load_now() - start;
    }
    return bad;
}

static uint64_t in_a_window(const load_t *load, const load_system_t *system, void *self)
{
    uint64_t bad = 0;
    for (uint64_t i = 0; i < load->count + load->window; i++) {
        if (i >= load->window)
            bad += !system->take(self, i - load->window);
        if (i < load->count)
            system->send(self, i);
    }
    return bad;
}

static void work(const load_t *load, const load_system_t *system, void *self, bool told)
{
    times_t times = {.each = load->window == 1 ? calloc(load->count, sizeof *times.each) : NULL};
    double start = load_now();
    uint64_t bad = load->window == 1 ? one_at_a_time(load, system, self, &times) : in_a_window(load, system, self);
    double seconds = load_now() - start;
    if (times.count)
        qsort(times.each, times.count, sizeof *times.each, compare);
    if (told)
        printf("%.6f %.2f %.2f %llu\n", seconds, percentile(&times, 0.5), percentile(&times, 0.99), (unsigned long long)bad);
    fflush(stdout);
    free(times.each);
}

int load_main(int argc, char **argv, const load_system_t *system)
{
    if (argc != 6) {
        fprintf(stderr, "usage: %s COUNT WINDOW ADDRESS NUMBER WHAT\n", argv[0]);
        return 2;
    }
    load_t load = {.count = strtoull(argv[1], NULL, 10), .window = strtoull(argv[2], NULL, 10), .address = argv[3],
                   .number = strtoull(argv[4], NULL, 10), .what = argv[5]};
    if (load.count == 0 || load.window == 0 || load.window > LOAD_WINDOW_MAX || load.window > load.count)
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
