// test_machine.c - how a process is named by where it runs: on the machine itself, in a container.

#include <criterion/criterion.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"

enum { NOT_ALLOWED = 77 };

static void first_of_a_container(int out)
{
    char name[MACHINE_NAME_SIZE];
    machine_name("worker", name);
    _exit(write(out, name, sizeof name) != sizeof name);
}

static void container(int out)
{
    if (unshare(CLONE_NEWPID) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0)
        _exit(NOT_ALLOWED);
    if (fork() == 0)
        first_of_a_container(out);
    wait(NULL);
    _exit(0);
}

Test(machine, the_first_process_of_a_container_is_told_apart_by_the_hosts_name)
{
    int ends[2], status;
    char name[MACHINE_NAME_SIZE] = "", host[128] = "", wanted[MACHINE_NAME_SIZE];
    cr_assert_eq(pipe(ends), 0);
    if (fork() == 0)
        container(ends[1]);
    wait(&status);
    if (WEXITSTATUS(status) == NOT_ALLOWED)
        cr_skip_test("no namespaces of processes here");
    cr_assert_eq(read(ends[0], name, sizeof name), (ssize_t)sizeof name);
    gethostname(host, sizeof host - 1);
    snprintf(wanted, sizeof wanted, "worker-%.48s-1", host);
    cr_assert_str_eq(name, wanted);
}

Test(machine, one_that_says_too_much_is_cut)
{
    char name[MACHINE_NAME_SIZE], program[300];
    memset(program, 'x', sizeof program - 1);
    program[sizeof program - 1] = '\0';
    machine_name(program, name);
    cr_assert_lt(strlen(name), sizeof name);
    cr_assert_eq(name[48], '-');
}
