// demo_bodies.c - the bodies of demo and bench, as a user would write them, and the host that runs
// them.

#include "demo_bodies.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ray_bodies.h"
#include "words.h"

enum { SHOWN_MAX = 64 }; // bytes of a word that are kept to tell it from others

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_printable(char c)
{
    return c > ' ' && c < 0x7f;
}

// ---- A text, word by word -----------------------------------------------------------------------

typedef struct text {
    char *data;
    size_t size;
} text_t;

// All bytes from offset on, up to size and as far as its last word goes.
static mob_err_t read_text(mob_ctx_t *ctx, const char *path, int64_t offset, int64_t size, text_t *out)
{
    enum { TAIL = 4096 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat is;
    if (fd < 0 || fstat(fd, &is) != 0 || offset < 0 || offset > is.st_size) {
        int code = fd < 0 ? errno : EINVAL;
        if (fd >= 0)
            close(fd);
        return mob_fail(ctx, code, "%s: %s", path, strerror(code));
    }
    int64_t room =
        is.st_size - offset; // what a huge last word needs is mapped in by the page, not copied here
    room = size < room - TAIL ? size + TAIL : room;
    out->data = mob_alloc(ctx, (size_t)room + 1);
    out->size = 0;
    ssize_t got = 1;
    while (out->data && out->size < (size_t)room && got > 0) {
        got = pread(fd, out->data + out->size, (size_t)room - out->size, offset + (int64_t)out->size);
        out->size += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    return !out->data ? MOB_ENOMEM
           : got < 0  ? mob_fail(ctx, EIO, "%s cannot be read", path)
                      : MOB_OK;
}

// The next word that begins before end; false: none. at moves behind it.
static bool next_word(const text_t *text, size_t *at, size_t end, bool printable, size_t *start)
{
    while (*at < end) {
        bool counts = !printable;
        while (*at < end && is_space(text->data[*at]))
            ++*at;
        *start = *at;
        for (; *at < text->size && !is_space(text->data[*at]); ++*at)
            counts = counts || is_printable(text->data[*at]);
        if (*at > *start && *start < end && counts)
            return true;
    }
    return false;
}

// ---- Tasks --------------------------------------------------------------------------------------

static void write_census(mob_writer_t *out, int64_t words, const words_t *table)
{
    mob_value_t *items = calloc(2 * table->count + 1, sizeof *items);
    size_t put = 0;
    if (!items)
        return;
    items[put++] = MOB_VALUE(words);
    for (size_t i = 0; i < table->room; i++) {
        const word_t *word = &table->items[i];
        if (!word->text)
            continue;
        items[put++] =
            MOB_VALUE(((mob_bytes_t){word->text, word->size})); // any bytes: text may be Latin-1
        items[put++] = MOB_VALUE((int64_t)word->count);
    }
    mob_write(out, mob_list(items, put));
    free(items);
}

mob_err_t census_file(mob_ctx_t *ctx, const char *path, int64_t offset, int64_t size,
                      bool printable, mob_any_t *out)
{
    text_t text;
    words_t table = {0};
    int64_t words = 0;
    int64_t from = offset > 0 ? offset - 1 : 0; // one byte more: did a word begin before this piece?
    mob_err_t err = read_text(ctx, path, from, size + (offset - from), &text);
    if (err)
        return err;
    size_t at = 0, start = 0, end = (size_t)(size + (offset - from));
    end = end < text.size ? end : text.size;
    if (offset > 0)
        while (at < text.size && !is_space(text.data[at]))
            at++; // it is counted where it began
    bool fine = true;
    while (fine && next_word(&text, &at, end, printable, &start)) {
        words++;
        fine =
            words_add(&table, text.data + start, at - start < SHOWN_MAX ? at - start : SHOWN_MAX, 1);
    }
    if (fine)
        write_census(out->out, words, &table);
    words_clear(&table);
    return fine ? MOB_OK : MOB_ENOMEM;
}

mob_err_t count_words(mob_ctx_t *ctx, const char *path, int64_t *out)
{
    text_t text;
    size_t at = 0, start;
    mob_err_t err = read_text(ctx, path, 0, INT64_MAX / 2, &text);
    while (err == MOB_OK && next_word(&text, &at, text.size, false, &start))
        ++*out;
    return err;
}

mob_err_t bench_echo(mob_ctx_t *ctx, mob_bytes_t data, mob_bytes_t *out)
{
    (void)ctx;
    *out = data;
    return MOB_OK;
}

// ---- The tally ----------------------------------------------------------------------------------

struct tally {
    words_t table;
    int64_t words;
};

mob_err_t tally_add(mob_ctx_t *ctx, tally_t *self, mob_any_t census, int64_t *out)
{
    size_t left = mob_read_list(&census.in);
    if (left == 0)
        return mob_fail(ctx, EINVAL, "a census begins with its count");
    self->words += mob_read_i64(&census.in);
    for (left--; left >= 2 && !census.in.err; left -= 2) {
        mob_bytes_t word = mob_read_bytes(&census.in);
        int64_t count = mob_read_i64(&census.in);
        if (!census.in.err && !words_add(&self->table, word.data, word.size, (uint64_t)count))
            return MOB_ENOMEM;
    }
    *out = self->words;
    return census.in.err;
}

static int by_count(const void *a, const void *b)
{
    const word_t *left = *(word_t *const *)a, *right = *(word_t *const *)b;
    return left->count != right->count ? (left->count < right->count) - (left->count > right->count)
                                       : strcmp(left->text, right->text);
}

mob_err_t tally_top(mob_ctx_t *ctx, tally_t *self, int64_t most, mob_any_t *out)
{
    const word_t **order = mob_alloc(ctx, (self->table.count + 1) * sizeof *order);
    size_t count = 0, put = 0;
    for (size_t i = 0; order && i < self->table.room; i++)
        if (self->table.items[i].text)
            order[count++] = &self->table.items[i];
    most = most < 0 ? 0 : most > 1000 ? 1000 : most;
    mob_value_t *items = mob_alloc(ctx, (2 * (size_t)most + 2) * sizeof *items);
    if (!order || !items)
        return MOB_ENOMEM;
    qsort(order, count, sizeof *order, by_count);
    items[put++] = MOB_VALUE(self->words);
    items[put++] = MOB_VALUE((int64_t)count);
    for (size_t i = 0; i < count && i < (size_t)most; i++) {
        items[put++] = MOB_VALUE(((mob_bytes_t){order[i]->text, order[i]->size}));
        items[put++] = MOB_VALUE((int64_t)order[i]->count);
    }
    mob_write(out->out, mob_list(items, put));
    return MOB_OK;
}

void tally_fini(tally_t *self)
{
    words_clear(&self->table);
}

struct bench_peer {
    char unused;
};

mob_err_t bench_peer_echo(mob_ctx_t *ctx, bench_peer_t *self, mob_bytes_t data, mob_bytes_t *out)
{
    (void)self;
    return bench_echo(ctx, data, out);
}

// ---- The host -----------------------------------------------------------------------------------

int demo_host(int argc, char **argv)
{
    pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        return 0;
    return mob_main_with(argc, argv,
                         MOB_PROGRAM(.version = MOB_VERSION,
                                     .about = "the bodies of mobula demo and bench", .drain_ms = 500),
                         mob_task(census_file), mob_task(count_words), mob_task(bench_echo),
                         mob_actor(tally, TALLY), mob_actor(bench_peer, BENCH_PEER), RAY_DEFS);
}
