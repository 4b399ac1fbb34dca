// janitor.c - see janitor.h.

#include "janitor.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void remove_directory(const char *directory)
{
    static const char *const files[] = {"epoch",      "lock",         "broker.lock",
                                        "calls.sock", "notices.sock", "feed.sock"};
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, files[i]);
        unlink(path);
    }
    rmdir(directory);
}

static _Noreturn void clean_up(const char *directory, int alive)
{
    char byte;
    setsid(); // whoever ends the group of the test does not end this
    while (read(alive, &byte, 1) < 0 && errno == EINTR)
        ;
    remove_directory(directory);
    _exit(0);
}

janitor_t janitor_start(char *directory)
{
    int alive[2];
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(pipe(alive), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(alive[1]);
        clean_up(directory, alive[0]);
    }
    close(alive[0]);
    return (janitor_t){pid, alive[1]};
}

void janitor_leave(const janitor_t *self)
{
    close(self->alive);
}

void janitor_end(janitor_t *self)
{
    close(self->alive);
    while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
