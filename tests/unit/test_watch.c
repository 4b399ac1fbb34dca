// Processes that end are seen.

#include <criterion/criterion.h>

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch.h"

static pid_t child_that_waits(void)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(10);
        pause();
        _exit(0);
    }
    return child;
}

Test(watch, names_the_machine, .timeout = 10)
{
    watch_t *watch = watch_new();
    mob_bytes_t machine = watch_machine(watch);
    cr_expect_eq(machine.size, 36, "a boot id");
    watch_destroy(&watch);
}

Test(watch, gives_the_owner_of_what_ended, .timeout = 10)
{
    int first, second;
    watch_t *watch = watch_new();
    pid_t one = child_that_waits(), two = child_that_waits();
    int handle_one = watch_add(watch, (uint32_t)one, &first);
    int handle_two = watch_add(watch, (uint32_t)two, &second);
    cr_assert(handle_one >= 0 && handle_two >= 0);
    cr_expect_null(watch_next(watch));

    kill(two, SIGKILL);
    struct pollfd ready = {.fd = watch_fd(watch), .events = POLLIN};
    cr_assert_eq(poll(&ready, 1, 5000), 1);
    cr_expect_eq(watch_next(watch), &second);
    watch_drop(watch, &handle_two);
    cr_expect_eq(handle_two, WATCH_NONE);
    cr_expect_null(watch_next(watch));

    waitpid(two, NULL, 0);
    int late = watch_add(watch, (uint32_t)two, &second);
    cr_expect_eq(late, WATCH_ENDED);
    kill(one, SIGKILL);
    waitpid(one, NULL, 0);
    watch_drop(watch, &handle_one);
    watch_destroy(&watch);
}

Test(watch, nobody_has_pid_0, .timeout = 10)
{
    watch_t *watch = watch_new();
    cr_expect_eq(watch_add(watch, 0, watch), WATCH_NONE);
    cr_expect_eq(watch_add(watch, UINT32_MAX, watch), WATCH_NONE);
    watch_destroy(&watch);
}
