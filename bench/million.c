// million.c - a million queued tasks: what each costs the broker, and whether all of them come
// back. They are queued while no host offers them; then one joins and drains them.
// Exit: 0 measured and none lost; 1 otherwise; 2 usage.
//   million [--tasks N] MOBULA WORKER

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "echo.contract.h"
#include "load.h"
#include "party.h"
#include "stage.h"

enum { PATIENCE_MS = 120000, BYTES_BAR = 350 };

static char address[STAGE_ADDRESS];

static long resident(pid_t pid) // bytes
{
    char path[64];
    long total = 0, pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%ld %ld", &total, &pages) != 2)
        pages = 0;
    if (file)
        fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static bool start_broker(party_t *broker, const char *mobula, long tasks)
{
    char path[STAGE_PATH], pending[32];
    stage_path(path, "calls.sock");
    snprintf(address, sizeof address, "ipc://%s", path);
    snprintf(pending, sizeof pending, "%ld", tasks + 1000);
    setenv("MOBULA_LIMITS_PENDING", pending, 1);
    setenv("MOBULA_LIMITS_MEMORY", "2GiB", 1);
    char *argv[] = {
        (char *)(uintptr_t)mobula, "broker", "--bind", address, "--data", ":memory:", NULL};
    return party_start(broker, stage_log(), argv) && party_listens(path, 0, 10);
}

static bool settled_by_broker(mob_t *m) // everything sent so far is in the broker's tables
{
    mob_ref_t asked = mob_query(m, "status", NULL);
    bool good = mob_await(m, asked, NULL, PATIENCE_MS) == MOB_OK;
    mob_drop(m, asked);
    return good;
}

static long drain(mob_t *m, const mob_ref_nil *refs, long tasks)
{
    long lost = 0;
    for (long i = 0; i < tasks; i++) {
        lost += mob_done(m, refs[i], PATIENCE_MS) != MOB_OK;
        mob_drop(m, refs[i].ref);
    }
    return lost;
}

static bool measure(const char *mobula, const char *worker, long tasks)
{
    party_t broker, host;
    if (!start_broker(&broker, mobula, tasks))
        return false;
    mob_t *m = mob_connect(&(mob_config_t){.endpoint = address});
    mob_ref_nil *refs = malloc((size_t)tasks * sizeof *refs);
    if (!m || !refs || !settled_by_broker(m))
        return false;
    long before = resident(broker.pid);
    double start = load_now();
    for (long i = 0; i < tasks; i++)
        refs[i] = mob_run(m, nothing);
    bool good = settled_by_broker(m);
    double queued = load_now() - start;
    double each = (double)(resident(broker.pid) - before) / (double)tasks;
    char *argv[] = {(char *)(uintptr_t)worker, "--broker", address, "--slots", "2", NULL};
    good = good && party_start(&host, stage_log(), argv);
    start = load_now();
    long lost = good ? drain(m, refs, tasks) : tasks;
    double drained = load_now() - start;
    mob_close(&m);
    free(refs);
    printf("queued %ld tasks at %.0f/s, %.0f bytes each in the broker; drained at %.0f/s, lost %ld "
           "  %s (bar %d bytes, lost 0)\n",
           tasks, (double)tasks / queued, each, (double)tasks / drained, lost,
           each <= BYTES_BAR && lost == 0 ? "PASS" : "BELOW", BYTES_BAR);
    return good && lost == 0;
}

int main(int argc, char **argv)
{
    long tasks = 1000000;
    static const struct option flags[] = {{"tasks", 1, 0, 't'}, {0}};
    for (int flag; (flag = getopt_long(argc, argv, "", flags, NULL)) != -1;)
        tasks = flag == 't' ? atol(optarg) : 0;
    if (argc - optind != 2 || tasks <= 0) {
        fprintf(stderr, "usage: %s [--tasks N] MOBULA WORKER\n", argv[0]);
        return 2;
    }
    if (!stage_open())
        return 1;
    return stage_close(measure(argv[optind], argv[optind + 1], tasks));
}
