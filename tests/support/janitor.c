// janitor.c - see janitor.h. Of no use to Criterion: the plain programs have one, too.

#include "janitor.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static _Noreturn void clean_up(const char *directory, int alive)
{
    enum { FDS = 1024, DEPTH = 8 };
    char byte;
    setsid(); // whoever ends the group of the test does not end this
    for (int fd = 0; fd < FDS; fd++)
        if (fd != alive)
            close(fd);
    while (read(alive, &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(nftw(directory, remove_one, DEPTH, FTW_DEPTH | FTW_PHYS) != 0);
}

janitor_t janitor_start(char directory[64], char address[128])
{
    int alive[2];
    strcpy(directory, "/tmp/mobula-test-XXXXXX");
    if (!mkdtemp(directory) || pipe(alive) != 0)
        abort();
    snprintf(address, 128, "ipc://%s/calls.sock", directory);
    pid_t pid = fork();
    if (pid == 0)
        clean_up(directory, alive[0]);
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
