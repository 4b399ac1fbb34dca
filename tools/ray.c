// ray.c - `mobula bench ray`: Ray's microbenchmark by Ray's own harness (a second to count by, then
// four runs of two), its published figures beside ours.

#include "ray.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "brood.h"
#include "clock.h"
#include "say.h"
#include "unit.h"
#include "verb.h"

enum { RUNS = 4 };

#define RAY_MACHINE "AWS m5.16xlarge, 64 vCPU"

typedef struct figure {
    double mean, deviation; // per second, in the row's unit
} figure_t;

// ---- The harness --------------------------------------------------------------------------------

// What a step takes hold of it gives up again.
static mob_err_t step(ray_t *self, const ray_row_t *row)
{
    uint64_t mark = mob_mark(self->m);
    mob_err_t err = row->step(self);
    mob_release(self->m, mark);
    return err;
}

// Pipelined puts have been heard of only when something behind them has an answer.
static mob_err_t settle(ray_t *self)
{
    uint64_t mark = mob_mark(self->m);
    mob_err_t err = mob_done(self->m, mob_run(self->m, ray_small), 60000);
    mob_release(self->m, mark);
    return err;
}

// Steps by so many at once, for so long at least; how many a second.
static mob_err_t run(ray_t *self, const ray_row_t *row, unsigned at_once, int64_t us, double *rate)
{
    int64_t from = clock_us(), now = from;
    uint64_t count = 0;
    mob_err_t err = MOB_OK;
    for (; now - from < us && !err && !tool_signal(); now = clock_us(), count += at_once)
        for (unsigned i = 0; i < at_once && !err; i++)
            err = step(self, row);
    if (!err && now - from >= us)
        err = settle(self);
    *rate = (double)count * 1e6 / (double)(clock_us() - from);
    return err ? err : tool_signal() ? MOB_EINTERRUPTED : MOB_OK;
}

static figure_t figure_of(const double *values, double multiplier)
{
    figure_t out = {0};
    for (unsigned i = 0; i < RUNS; i++)
        out.mean += values[i] * multiplier / RUNS;
    for (unsigned i = 0; i < RUNS; i++)
        out.deviation += pow(values[i] * multiplier - out.mean, 2) / RUNS;
    out.deviation = sqrt(out.deviation);
    return out;
}

static mob_err_t measure(tool_t *tool, ray_t *self, const ray_row_t *row, figure_t *out)
{
    int64_t warm_up = tool_duration(tool, "warmup", 1000000),
            each = tool_duration(tool, "duration", 2000000);
    double values[RUNS] = {0}, rate = 0;
    mob_err_t err = run(self, row, 1, warm_up, &rate);
    unsigned at_once = (unsigned)(rate * (double)warm_up / 1e6 / 10) + 1;
    for (unsigned i = 0; i < RUNS && !err; i++)
        err = run(self, row, at_once, each, &values[i]);
    *out = figure_of(values, row->multiplier * (row->width ? row->width(self) : 1));
    return err;
}

// ---- The report ---------------------------------------------------------------------------------

static void head(tool_t *tool, const ray_t *self)
{
    struct utsname system;
    if (tool_json(tool)) {
        fputs("[", stdout);
        return;
    }
    uname(&system);
    printf("theirs   " RAY_MACHINE ", python/ray/_private/ray_perf.py\n"
           "ours     %ld cores, %s %s, mobula %s, ipc; n = %u; all processes on the same cores\n\n",
           sysconf(_SC_NPROCESSORS_ONLN), system.sysname, system.release, MOB_VERSION, self->n);
    printf("%-44s %12s %6s %11s %8s %8s %7s  %s\n", "row (per second)", "mobula", "+-", "Ray",
           "ratio", "best Ray", "ratio", "");
}

static const char *number(char out[UNIT_TEXT_MAX], double value)
{
    if (value >= 1000)
        return unit_print_count(out, (uint64_t)value);
    snprintf(out, UNIT_TEXT_MAX, "%.2f", value);
    return out;
}

static void print_people(const ray_row_t *row, const figure_t *figure)
{
    char a[UNIT_TEXT_MAX], b[UNIT_TEXT_MAX], c[UNIT_TEXT_MAX];
    if (row->missing) {
        printf("%-44s not measured: %s\n", row->name, row->missing);
        return;
    }
    printf("%-44s %12s %5.1f%% %11s %7.1fx ", row->name, number(a, figure->mean),
           100 * figure->deviation / figure->mean, number(b, row->ray), figure->mean / row->ray);
    if (row->best > 0)
        printf("%8s %6.1fx", number(c, row->best), figure->mean / row->best);
    else
        printf("%8s %7s", "-", "");
    puts(row->fair ? "" : "  many cores there");
}

static void print_json(const ray_row_t *row, const figure_t *figure, bool first)
{
    printf("%s\n{\"name\":\"%s\",\"does\":\"%s\",\"mobula\":", first ? "" : ",", row->name,
           row->does);
    if (row->missing)
        printf("null,\"sd\":null,\"ratio\":null,\"missing\":\"%s\"", row->missing);
    else
        printf("%.2f,\"sd\":%.2f,\"ratio\":%.2f", figure->mean, figure->deviation,
               figure->mean / row->ray);
    printf(",\"ray\":%.2f,\"ray_newest\":%.2f,\"ray_best\":%.2f,\"ray_machine\":\"" RAY_MACHINE
           "\",\"fair\":%s}",
           row->ray, row->newest, row->best, row->fair ? "true" : "false");
}

// ---- The verb -----------------------------------------------------------------------------------

static bool is_wanted(const tool_t *tool, const ray_row_t *row)
{
    bool wanted = tool->word_count < 2;
    for (unsigned i = 1; i < tool->word_count; i++)
        wanted = wanted || strstr(row->name, tool->words[i]) != NULL;
    return wanted;
}

static int check_words(tool_t *tool)
{
    for (unsigned i = 1; i < tool->word_count; i++) {
        bool known = false;
        for (const ray_row_t *row = ray_rows; row->name; row++)
            known = known || strstr(row->name, tool->words[i]) != NULL;
        if (known)
            continue;
        trouble_t out = trouble_usage("no row of bench ray has %s in its name", tool->words[i]);
        trouble_try(&out, "mobula bench ray 1_1 tasks_sync");
        return say_trouble(tool, &out);
    }
    return 0;
}

static int failed(tool_t *tool, const char *what, mob_err_t err)
{
    if (err == MOB_EINTERRUPTED && tool_signal())
        return 128 + tool_signal();
    trouble_t out = trouble(err, "%s did not end well", what);
    trouble_cause(&out, "%s", mob_strerror(err));
    return say_trouble(tool, &out);
}

static int rows(tool_t *tool, ray_t *self)
{
    bool first = true;
    head(tool, self);
    for (const ray_row_t *row = ray_rows; row->name; row++) {
        figure_t figure = {0};
        if (!is_wanted(tool, row))
            continue;
        mob_err_t err = row->missing ? MOB_OK : measure(tool, self, row, &figure);
        if (err)
            return failed(tool, row->name, err);
        if (tool_json(tool))
            print_json(row, &figure, first);
        else
            print_people(row, &figure);
        fflush(stdout);
        first = false;
    }
    if (tool_json(tool))
        puts("\n]");
    return 0;
}

static int begin(tool_t *tool, ray_t *self, const char *address, unsigned cores)
{
    self->m = tool->client;
    self->other = mob_connect(&(mob_config_t){.endpoint = address, .name = "bench-other"});
    mob_err_t err = self->other ? ray_begin(self, cores) : MOB_ENOMEM;
    return err ? failed(tool, "making the actors", err) : 0;
}

int bench_ray(tool_t *tool)
{
    ray_t *self = calloc(1, sizeof *self);
    brood_t brood = {0};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned slots = cores < 1 ? 1 : (unsigned)cores;
    int done = self ? check_words(tool) : 1;
    if (!done)
        done = brood_bench(tool, &brood, slots);
    if (!done)
        done = begin(tool, self, brood.address, slots);
    if (!done)
        done = rows(tool, self);
    if (self)
        mob_close(&self->other);
    tool_close(tool);
    brood_end(&brood);
    free(self);
    return done;
}
