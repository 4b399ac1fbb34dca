// watch.c - see watch.h.

#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine.h"

struct watch {
    int epoll;
    char machine[MACHINE_SIZE];
};

watch_t *watch_new(void)
{
    watch_t *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll == -1) {
        free(self);
        return NULL;
    }
    machine_id(self->machine);
    return self;
}

void watch_destroy(watch_t **self_p)
{
    if (*self_p == NULL)
        return;
    close((*self_p)->epoll);
    free(*self_p);
    *self_p = NULL;
}

mob_bytes_t watch_machine(const watch_t *self)
{
    return (mob_bytes_t){self->machine, strlen(self->machine)};
}

int watch_fd(const watch_t *self)
{
    return self->epoll;
}

int watch_add(watch_t *self, uint32_t pid, void *owner)
{
    if (pid == 0 || pid > INT32_MAX)
        return WATCH_NONE;
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0); // close-on-exec by itself
    if (fd == -1)
        return errno == ESRCH ? WATCH_ENDED : WATCH_NONE;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = owner};
    if (epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event) == -1) {
        close(fd);
        return WATCH_NONE;
    }
    return fd;
}

void watch_drop(watch_t *self, int *handle)
{
    if (*handle >= 0) {
        epoll_ctl(self->epoll, EPOLL_CTL_DEL, *handle,
                  NULL); // a forked child may hold the file too
        close(*handle);
    }
    *handle = WATCH_NONE;
}

void *watch_next(watch_t *self)
{
    struct epoll_event event;
    return epoll_wait(self->epoll, &event, 1, 0) == 1 ? event.data.ptr : NULL;
}
