// epoch.c - see epoch.h. Owns the files `epoch` and `lock` in the data directory.

#include "epoch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

static bool make_directories(const char *directory) // each with 0700; those that exist stay as they are
{
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s", directory) >= sizeof path)
        return errno = ENAMETOOLONG, false;
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) == -1 && errno != EEXIST)
            return false;
        *slash = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static mob_err_t lock_data(epoch_t *self, int directory, const char *path, char *why, size_t size)
{
    self->lock = openat(directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (self->lock == -1) {
        snprintf(why, size, "cannot write in %s: %s", path, strerror(errno));
        return MOB_EDENIED;
    }
    if (flock(self->lock, LOCK_EX | LOCK_NB) == -1) {
        snprintf(why, size, "another broker uses the data directory %s", path);
        return MOB_EDENIED;
    }
    return MOB_OK;
}

// MOB_ENOTFOUND: no counter yet.
static mob_err_t counter_read(int directory, uint64_t *value)
{
    char text[32] = "", *end;
    int fd = openat(directory, "epoch", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1)
        return errno == ENOENT ? MOB_ENOTFOUND : MOB_EDENIED;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    errno = 0;
    *value = strtoull(text, &end, 10);
    bool whole = got > 0 && text[0] >= '0' && text[0] <= '9' && strcmp(end, "\n") == 0 && errno == 0;
    return whole ? MOB_OK : MOB_EARGS;
}

// A new file takes the old one's place whole or not at all; on the disk before anybody hears of it.
static bool counter_write(int directory, uint64_t value)
{
    char text[32];
    int fd =
        openat(directory, "epoch.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd == -1)
        return false;
    int size = snprintf(text, sizeof text, "%" PRIu64 "\n", value);
    bool done = write(fd, text, (size_t)size) == size && fsync(fd) == 0;
    done = close(fd) == 0 && done;
    return done && renameat(directory, "epoch.new", directory, "epoch") == 0 && fsync(directory) == 0;
}

static mob_err_t count_up(epoch_t *self, int directory, const char *path, char *why, size_t size)
{
    uint64_t last = 0;
    mob_err_t err = counter_read(directory, &last);
    self->fresh = err == MOB_ENOTFOUND;
    if (err == MOB_EARGS || err == MOB_EDENIED) {
        snprintf(why, size,
                 "%s/epoch is damaged or closed to us: put a number larger than any before "
                 "into it, or remove it",
                 path);
        return MOB_EARGS;
    }
    if (last >= self->value)
        self->value = last + 1;
    if (!counter_write(directory, self->value)) {
        snprintf(why, size, "cannot write %s/epoch: %s", path, strerror(errno));
        return MOB_EDENIED;
    }
    return MOB_OK;
}

mob_err_t epoch_begin(epoch_t *self, const char *directory, char *why, size_t size)
{
    *self = (epoch_t){.value = (uint64_t)clock_wall_us() / 1000, .lock = -1, .fresh = true};
    if (strcmp(directory, ":memory:") == 0)
        return MOB_OK;
    int fd = -1;
    if (make_directories(directory))
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1) {
        snprintf(why, size, "no data directory %s: %s", directory, strerror(errno));
        return MOB_EDENIED;
    }
    mob_err_t err = lock_data(self, fd, directory, why, size);
    if (err == MOB_OK)
        err = count_up(self, fd, directory, why, size);
    if (err != MOB_OK)
        epoch_end(self);
    close(fd);
    return err;
}

void epoch_end(epoch_t *self)
{
    if (self->lock != -1) {
        flock(self->lock, LOCK_UN); // a forked child may hold the file too
        close(self->lock);
    }
    self->lock = -1;
}
