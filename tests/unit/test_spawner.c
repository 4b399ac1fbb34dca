// test_spawner.c - real processes: how workers come, what is said of their end, and that none is
// left.

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawner.h"

TestSuite(spawner, .timeout = 30);

enum { PATIENCE_MS = 10000 };

static int line[2]; // workers say something here; its end is the end of all who hold it

// What a worker does is its number.
enum { EXITS = 1, CRASHES, TALKS, WAITS_FOR_TERM, HAS_A_CHILD, HAS_A_STRANGER };

static int say(const char *text)
{
    return write(line[1], text, 1) == 1 ? 0 : 1;
}

static int sleep_for_ever(void)
{
    int code = say("s");
    while (code == 0)
        pause();
    return code;
}

static int wait_for_term(void)
{
    sigset_t term;
    int signal;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    say("s");
    sigwait(&term, &signal);
    return 5;
}

static int have_a_child(bool stranger)
{
    if (fork() == 0) {
        if (stranger)
            setsid();
        sleep_for_ever();
    }
    return sleep_for_ever();
}

static int talk(void)
{
    for (int i = 1; i <= 30; i++)
        printf("line %d\n", i);
    fprintf(stderr, "the last one, not ended");
    return 1;
}

static int work(void *arg, uint64_t worker, enum wire_start kind)
{
    (void)arg, (void)kind;
    switch (worker) {
    case EXITS:
        return 3;
    case CRASHES:
        abort();
    case TALKS:
        return talk();
    case WAITS_FOR_TERM:
        return wait_for_term();
    case HAS_A_CHILD:
        return have_a_child(false);
    case HAS_A_STRANGER:
        return have_a_child(true);
    default:
        return sleep_for_ever();
    }
}

// ---- The other end ------------------------------------------------------------------------------

static spawner_t begin(void)
{
    spawner_t spawner;
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    cr_assert_eq(pipe(line), 0);
    cr_assert_eq(spawner_fork(&spawner, work, NULL, &mask), MOB_OK);
    return spawner;
}

static spawner_news_t read_news(spawner_t *spawner, spawner_report_t *report)
{
    struct pollfd news = {.fd = spawner->fd, .events = POLLIN};
    cr_assert_eq(poll(&news, 1, PATIENCE_MS), 1, "no news");
    return spawner_read(spawner, report);
}

static spawner_report_t hear_end(spawner_t *spawner)
{
    spawner_report_t report;
    cr_assert_eq(read_news(spawner, &report), SPAWNER_REPORT);
    return report;
}

static void start(spawner_t *spawner, uint64_t worker)
{
    cr_assert(spawner_start(spawner, worker, START_TASKS));
}

static void hear_line(int times)
{
    struct pollfd news = {.fd = line[0], .events = POLLIN};
    char text;
    for (int i = 0; i < times; i++) {
        cr_assert_eq(poll(&news, 1, PATIENCE_MS), 1, "nobody speaks");
        cr_assert_eq(read(line[0], &text, 1), 1);
    }
}

static void nobody_is_left(void)
{
    struct pollfd end = {.fd = line[0], .events = POLLIN};
    char text;
    close(line[1]);
    cr_assert_eq(poll(&end, 1, PATIENCE_MS), 1, "somebody still holds the line");
    cr_assert_eq(read(line[0], &text, 1), 0);
    close(line[0]);
}

// ---- Ends ---------------------------------------------------------------------------------------

Test(spawner, tells_the_exit_code)
{
    spawner_t spawner = begin();
    start(&spawner, EXITS);
    spawner_report_t report = hear_end(&spawner);
    cr_assert_eq(report.worker, EXITS);
    cr_assert_eq(report.cause, CAUSE_CRASH, "an exit code that is not 0 is a crash");
    cr_assert(WIFEXITED(report.status));
    cr_assert_eq(WEXITSTATUS(report.status), 3);
    cr_assert_gt(report.pid, 0);
    spawner_end(&spawner);
    nobody_is_left();
}

Test(spawner, tells_the_signal)
{
    spawner_t spawner = begin();
    start(&spawner, CRASHES);
    spawner_report_t report = hear_end(&spawner);
    cr_assert_eq(report.cause, CAUSE_CRASH);
    cr_assert_eq(WTERMSIG(report.status), SIGABRT);
    spawner_end(&spawner);
    nobody_is_left();
}

Test(spawner, keeps_the_last_ten_lines)
{
    cr_assert_not_null(freopen("/dev/null", "w", stderr)); // they are handed on to it
    spawner_t spawner = begin();
    start(&spawner, TALKS);
    spawner_report_t report = hear_end(&spawner);
    char log[SPAWNER_LOG + 1];
    memcpy(log, report.log, report.log_size);
    log[report.log_size] = '\0';
    cr_assert_null(strstr(log, "line 21\n"));
    cr_assert_eq(strncmp(log, "line 22\n", 8), 0, "%s", log);
    cr_assert_not_null(strstr(log, "line 30\nthe last one, not ended"));
    spawner_end(&spawner);
    nobody_is_left();
}

Test(spawner, kills_one_and_leaves_the_others)
{
    spawner_t spawner = begin();
    start(&spawner, 100);
    start(&spawner, 101);
    hear_line(2);
    cr_assert(spawner_kill(&spawner, 101));
    spawner_report_t report = hear_end(&spawner);
    cr_assert_eq(report.worker, 101);
    cr_assert_eq(report.cause, CAUSE_KILL);
    cr_assert_eq(spawner_read(&spawner, &report), SPAWNER_NOTHING, "the other one lives");
    spawner_end(&spawner);
    nobody_is_left();
}

Test(spawner, hands_on_signals)
{
    spawner_t spawner = begin();
    start(&spawner, WAITS_FOR_TERM);
    hear_line(1);
    cr_assert(spawner_signal(&spawner, SIGTERM));
    cr_assert_eq(WEXITSTATUS(hear_end(&spawner).status), 5);
    spawner_end(&spawner);
    nobody_is_left();
}

Test(spawner, starts_many)
{
    enum { MANY = 50 };
    spawner_t spawner = begin();
    for (uint64_t i = 0; i < MANY; i++)
        start(&spawner, 1000 + i);
    hear_line(MANY);
    cr_assert(spawner_kill(&spawner, 0));
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(hear_end(&spawner).cause, CAUSE_KILL);
    spawner_end(&spawner);
    nobody_is_left();
}

// ---- Nobody survives ----------------------------------------------------------------------------

Test(spawner, children_of_a_worker_end_with_it)
{
    spawner_t spawner = begin();
    start(&spawner, HAS_A_CHILD);
    hear_line(2);
    cr_assert(spawner_kill(&spawner, HAS_A_CHILD));
    pid_t group = hear_end(&spawner).pid;
    while (kill(-group, 0) == 0) // until the spawner has reaped it, too; it lives on itself
        sched_yield();
    cr_assert_eq(errno, ESRCH);
    spawner_end(&spawner);
    nobody_is_left();
}

Test(spawner, what_left_the_group_of_its_worker_ends_with_the_spawner)
{
    spawner_t spawner = begin();
    start(&spawner, HAS_A_STRANGER);
    hear_line(2);
    cr_assert(spawner_kill(&spawner, HAS_A_STRANGER));
    hear_end(&spawner);
    spawner_end(&spawner);
    nobody_is_left();
}

Test(spawner, leaves_no_zombie)
{
    spawner_t spawner = begin();
    start(&spawner, EXITS);
    start(&spawner, 100);
    hear_line(1);
    hear_end(&spawner);
    spawner_end(&spawner);
    cr_assert_eq(waitpid(-1, NULL, 0), -1);
    cr_assert_eq(errno, ECHILD);
    nobody_is_left();
}

Test(spawner, all_end_when_the_spawner_dies)
{
    spawner_t spawner = begin();
    spawner_report_t report;
    start(&spawner, 100);
    hear_line(1);
    kill(spawner.pid, SIGKILL);
    cr_assert_eq(read_news(&spawner, &report), SPAWNER_GONE);
    nobody_is_left();
    spawner_end(&spawner);
}

static void be_a_host(void)
{
    spawner_t spawner;
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    if (spawner_fork(&spawner, work, NULL, &mask) == MOB_OK &&
        spawner_start(&spawner, HAS_A_CHILD, START_ACTOR))
        sleep_for_ever();
    _exit(1);
}

Test(spawner, all_end_when_the_host_dies)
{
    cr_assert_eq(pipe(line), 0);
    pid_t host = fork();
    if (host == 0)
        be_a_host();
    hear_line(3); // the host, its worker, and the worker's child
    kill(host, SIGKILL);
    waitpid(host, NULL, 0);
    nobody_is_left();
}
