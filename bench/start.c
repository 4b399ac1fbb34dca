// start.c - how fast things begin and how little an idle broker costs: ready after exec, `mobula
// version`, CPU at rest.
// Exit: 0 measured, whether or not the bars are met; 1 not measured; 2 usage.
//   start [--runs N] [--seconds N] MOBULA

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "party.h"
#include "stage.h"
#include "usage.h"

enum { RUNS_MAX = 99 };

static char address[STAGE_ADDRESS], path[STAGE_PATH];

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

static void judge(const char *what, double value, double bar, const char *unit)
{
    printf("%-28s %8.2f %-3s  %s (bar %.1f)\n", what, value, unit, value <= bar ? "PASS" : "BELOW",
           bar);
}

static double idle_percent(const party_t *broker, int seconds)
{
    double before = usage_seconds(&broker->pid, 1), begin = load_now();
    while (load_now() - begin < seconds)
        sleep(1);
    return (usage_seconds(&broker->pid, 1) - before) / (load_now() - begin) * 100;
}

static bool measure(const char *mobula, int runs, int seconds)
{
    double ready[RUNS_MAX], version[RUNS_MAX];
    party_t broker = {0};
    for (int i = 0; i < runs; i++) {
        party_end(&broker);
        version[i] = version_ms(mobula);
        ready[i] = broker_ready_ms(mobula, &broker);
        if (version[i] < 0 || ready[i] < 0)
            return false;
    }
    judge("broker ready after exec", load_percentile(ready, (size_t)runs, 0.5), 50, "ms");
    judge("mobula version", load_percentile(version, (size_t)runs, 0.5), 5, "ms");
    judge("idle broker", idle_percent(&broker, seconds), 0.5, "%");
    return true;
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
