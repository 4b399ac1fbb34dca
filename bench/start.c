// start.c - how fast things begin and how little an idle broker costs: ready after exec, `mobula
// version`, CPU at rest.
//   start [--runs N] [--seconds N] MOBULA

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "party.h"
#include "stage.h"

enum { RUNS_MAX = 99 };

static char address[STAGE_ADDRESS], path[STAGE_PATH];

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

static double broker_ready_ms(const char *mobula, party_t *broker)
{
    char *argv[] = {
        (char *)(uintptr_t)mobula, "broker", "--bind", address, "--data", ":memory:", NULL};
    unlink(path);
    double start = load_now();
    if (!party_start(broker, stage_log(), argv))
        return -1;
    while (load_now() - start < 10 && access(path, F_OK) != 0)
        usleep(200);
    return party_listens(path, 0, 10) ? (load_now() - start) * 1e3 : -1;
}

static double version_ms(const char *mobula)
{
    char line[256];
    party_t party;
    char *argv[] = {(char *)(uintptr_t)mobula, "version", NULL};
    double start = load_now();
    bool good = party_start(&party, stage_log(), argv) && party_read(&party, line, sizeof line, 10);
    double ms = (load_now() - start) * 1e3;
    party_end(&party);
    return good ? ms : -1;
}

static double cpu_seconds(pid_t pid)
{
    char file_path[64], text[1024] = "";
    unsigned long user = 0, kernel = 0;
    snprintf(file_path, sizeof file_path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(file_path, "r");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[size] = '\0';
    const char *after = strrchr(text, ')');
    if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                         &kernel) != 2)
        return -1;
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static bool judge(const char *what, double value, double bar, const char *unit)
{
    bool good = value >= 0 && value <= bar;
    printf("%-28s %8.2f %-3s  %s (bar %.1f)\n", what, value, unit, good ? "PASS" : "BELOW", bar);
    return good;
}

static bool measure(const char *mobula, int runs, int seconds)
{
    double ready[RUNS_MAX], version[RUNS_MAX];
    party_t broker;
    for (int i = 0; i < runs; i++) {
        version[i] = version_ms(mobula);
        ready[i] = broker_ready_ms(mobula, &broker);
        if (i + 1 < runs)
            party_end(&broker);
    }
    double before = cpu_seconds(broker.pid);
    sleep((unsigned)seconds);
    double idle = (cpu_seconds(broker.pid) - before) / seconds * 100;
    party_end(&broker);
    bool good = judge("broker ready after exec", median(ready, runs), 50, "ms");
    good &= judge("mobula version", median(version, runs), 5, "ms");
    return judge("idle broker", idle, 0.5, "%") && good;
}

int main(int argc, char **argv)
{
    int runs = 9, seconds = 5;
    static const struct option flags[] = {{"runs", 1, 0, 'r'}, {"seconds", 1, 0, 's'}, {0}};
    for (int flag; (flag = getopt_long(argc, argv, "", flags, NULL)) != -1;) {
        if (flag == 'r')
            runs = atoi(optarg);
        else if (flag == 's')
            seconds = atoi(optarg);
    }
    if (argc - optind != 1 || runs < 1 || runs > RUNS_MAX || seconds < 1) {
        fprintf(stderr, "usage: %s [--runs N] [--seconds N] MOBULA\n", argv[0]);
        return 2;
    }
    if (!stage_open())
        return 1;
    stage_path(path, "calls.sock");
    snprintf(address, sizeof address, "ipc://%s", path);
    return stage_close(measure(argv[optind], runs, seconds));
}
