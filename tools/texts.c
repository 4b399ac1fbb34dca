// texts.c - finds text files, and has them counted by programs that are not ours.

#include "texts.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_text(const char *path)
{
    char data[64 * 1024];
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME);
    fd = fd < 0 ? open(path, O_RDONLY | O_CLOEXEC) : fd;
    bool text = fd >= 0;
    while (text && (got = read(fd, data, sizeof data)) > 0)
        text = !memchr(data, 0, (size_t)got);
    if (fd >= 0)
        close(fd);
    return text && got == 0;
}

static bool add(texts_t *self, const char *path, int64_t size)
{
    if (self->count == self->room) {
        size_t room = self->room ? 2 * self->room : 256;
        text_file_t *items = realloc(self->items, room * sizeof *items);
        if (!items)
            return false;
        self->items = items;
        self->room = room;
    }
    text_file_t *file = &self->items[self->count];
    *file = (text_file_t){strdup(path), size};
    self->count += file->path != NULL;
    self->bytes += size;
    return file->path != NULL;
}

bool texts_find(texts_t *self, const char *path)
{
    char *whole = realpath(path, NULL);
    char *roots[] = {whole, NULL};
    FTS *walk = whole ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL) : NULL;
    bool fine = walk != NULL;
    for (FTSENT *entry; fine && (entry = fts_read(walk));)
        if (entry->fts_info == FTS_F && entry->fts_statp->st_size > 0 && is_text(entry->fts_path))
            fine = add(self, entry->fts_path, entry->fts_statp->st_size);
    if (walk)
        fts_close(walk);
    free(whole);
    return fine;
}

void texts_clear(texts_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->items[i].path);
    free(self->items);
    *self = (texts_t){0};
}

static int64_t run_number(const char *command)
{
    char line[64] = "";
    FILE *pipe = popen(command, "re");
    bool read = pipe && fgets(line, sizeof line, pipe);
    int status = pipe ? pclose(pipe) : -1;
    return read && status == 0 ? strtoll(line, NULL, 10) : -1;
}

bool texts_wc_wants_printable(void)
{
    return run_number("printf '\\303\\251' | LC_ALL=C wc -w") == 0;
}

// The list goes to xargs; a file that holds one newline stands between two, or the last word of one
// and the first of the next would be one word.
int64_t texts_count(const texts_t *self)
{
    char list[] = "/tmp/mobula-list-XXXXXX", line[] = "/tmp/mobula-line-XXXXXX", command[160];
    int list_fd = mkostemp(list, O_CLOEXEC), line_fd = mkostemp(line, O_CLOEXEC);
    FILE *file = list_fd >= 0 && line_fd >= 0 ? fdopen(list_fd, "w") : NULL;
    int64_t words = -1;
    bool fine = file && write(line_fd, "\n", 1) == 1;
    for (size_t i = 0; fine && i < self->count; i++)
        fine = fprintf(file, "%s%c%s%c", self->items[i].path, 0, line, 0) > 0;
    if (file)
        fine = fclose(file) == 0 && fine;
    snprintf(command, sizeof command, "xargs -0 -a %s cat -- | LC_ALL=C wc -w", list);
    if (fine)
        words = run_number(command);
    if (list_fd >= 0)
        unlink(list);
    if (line_fd >= 0) {
        close(line_fd);
        unlink(line);
    }
    return words;
}
