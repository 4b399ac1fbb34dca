// demo_bodies.c - the bodies of the census and of the load generator, and the host that runs them. Never prints.

#include "demo_bodies.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WORD_MAX = 64,           // longer ones are counted, not listed
    LISTED_BYTES = 80 * 1024 // of words in one census: what a value may carry; the rarest are left out
};

// ---- A table of words ----------------------------------------------------------------------------

typedef struct word {
    const char *text;
    size_t size;
    int64_t count;
} word_t;

typedef struct words {
    word_t *slots;
    size_t mask, count;
} words_t;

static size_t hash_of(const char *text, size_t size)
{
    size_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash ^ hash >> 29;
}

static word_t *slot_of(const words_t *self, const char *text, size_t size)
{
    size_t i = hash_of(text, size) & self->mask;
    while (self->slots[i].text && (self->slots[i].size != size || memcmp(self->slots[i].text, text, size) != 0))
        i = (i + 1) & self->mask;
    return &self->slots[i];
}

static bool grow(words_t *self)
{
    words_t bigger = {.mask = self->slots ? self->mask * 2 + 1 : 1023, .count = self->count};
    bigger.slots = calloc(bigger.mask + 1, sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (size_t i = 0; self->slots && i <= self->mask; i++)
        if (self->slots[i].text)
            *slot_of(&bigger, self->slots[i].text, self->slots[i].size) = self->slots[i];
    free(self->slots);
    *self = bigger;
    return true;
}

// The slot of a word, counted up; NULL: no memory. A new one borrows text.
static word_t *words_add(words_t *self, const char *text, size_t size, int64_t count)
{
    if ((!self->slots || self->count * 2 > self->mask) && !grow(self))
        return NULL;
    word_t *word = slot_of(self, text, size);
    if (!word->text) {
        *word = (word_t){text, size, 0};
        self->count++;
    }
    word->count += count;
    return word;
}

static int by_count(const void *a, const void *b)
{
    const word_t *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    size_t size = x->size < y->size ? x->size : y->size;
    int order = memcmp(x->text, y->text, size);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

// All words in front, the most frequent first.
static word_t *words_sorted(words_t *self)
{
    size_t count = 0;
    for (size_t i = 0; self->slots && i <= self->mask; i++)
        if (self->slots[i].text)
            self->slots[count++] = self->slots[i];
    if (count)
        qsort(self->slots, count, sizeof *self->slots, by_count);
    return self->slots;
}

// ---- Counting a file --------------------------------------------------------------------------------

typedef struct census {
    words_t words;
    int64_t total;
    size_t size;
    void *map;
} census_t;

static void census_end(census_t *self)
{
    if (self->map)
        munmap(self->map, self->size);
    free(self->words.slots);
}

// As `wc -w` in the C locale: what stands between white space and has a printable byte.
static bool census_of(census_t *self)
{
    const char *text = self->map;
    bool good = true;
    for (size_t i = 0; i < self->size && good;) {
        while (i < self->size && isspace((unsigned char)text[i]))
            i++;
        size_t start = i;
        bool printable = false;
        for (; i < self->size && !isspace((unsigned char)text[i]); i++)
            printable |= isprint((unsigned char)text[i]) != 0;
        self->total += printable;
        if (printable && i - start <= WORD_MAX)
            good = words_add(&self->words, text + start, i - start, 1) != NULL;
    }
    return good;
}

static mob_err_t census_read(mob_ctx_t *ctx, const char *path, census_t *self)
{
    *self = (census_t){0};
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) != 0) {
        int code = errno;
        if (fd >= 0)
            close(fd);
        return mob_fail(ctx, code, "%s: %s", path, strerror(code));
    }
    self->size = (size_t)stat.st_size;
    self->map = self->size ? mmap(NULL, self->size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    close(fd);
    if (self->map == MAP_FAILED) {
        self->map = NULL;
        return mob_fail(ctx, errno, "%s: %s", path, strerror(errno));
    }
    return census_of(self) ? MOB_OK : MOB_ENOMEM;
}

static void write_census(mob_ctx_t *ctx, mob_writer_t *to, census_t *census)
{
    const word_t *words = words_sorted(&census->words);
    size_t listed = 0, bytes = 0;
    while (listed < census->words.count && bytes < LISTED_BYTES)
        bytes += words[listed++].size + 8;
    mob_value_t *items = mob_alloc(ctx, (2 + 2 * listed) * sizeof *items);
    if (!items)
        return;
    items[0] = MOB_VALUE(census->total);
    items[1] = MOB_VALUE((int64_t)census->size);
    for (size_t i = 0; i < listed; i++) {
        items[2 + 2 * i] = MOB_VALUE(((mob_bytes_t){words[i].text, words[i].size}));
        items[3 + 2 * i] = MOB_VALUE(words[i].count);
    }
    mob_write(to, mob_list(items, 2 + 2 * listed));
}

mob_err_t census_file(mob_ctx_t *ctx, const char *path, mob_any_t *out)
{
    census_t census;
    mob_err_t err = census_read(ctx, path, &census);
    if (!err)
        write_census(ctx, out->out, &census);
    census_end(&census);
    return err;
}

mob_err_t count_words(mob_ctx_t *ctx, const char *path, int64_t *out)
{
    census_t census;
    mob_err_t err = census_read(ctx, path, &census);
    *out = census.total;
    census_end(&census);
    return err;
}

// ---- Gathering ----------------------------------------------------------------------------------------

struct tally {
    words_t words;
    int64_t total, bytes, files;
};

static bool keep_word(tally_t *self, mob_bytes_t text, int64_t count)
{
    word_t *word = words_add(&self->words, text.data, text.size, count);
    if (!word)
        return false;
    if (word->text != text.data)
        return true;
    char *copy = malloc(text.size + 1); // a new one: its bytes go with the call
    if (!copy)
        return false;
    memcpy(copy, text.data, text.size);
    word->text = copy;
    return true;
}

mob_err_t tally_add(mob_ctx_t *ctx, tally_t *self, mob_any_t census, int64_t *out)
{
    (void)ctx;
    size_t items = mob_read_list(&census.in);
    self->total += mob_read_i64(&census.in);
    self->bytes += mob_read_i64(&census.in);
    self->files++;
    for (size_t i = 2; i + 1 < items && !census.in.err; i += 2) {
        mob_bytes_t text = mob_read_bytes(&census.in);
        if (!keep_word(self, text, mob_read_i64(&census.in)))
            return MOB_ENOMEM;
    }
    *out = self->total;
    return census.in.err;
}

mob_err_t tally_top(mob_ctx_t *ctx, tally_t *self, int64_t most, mob_any_t *out)
{
    words_t copy = {.slots = calloc(self->words.mask + 1, sizeof *copy.slots), .mask = self->words.mask, .count = self->words.count};
    if (!copy.slots)
        return MOB_ENOMEM;
    if (self->words.slots)
        memcpy(copy.slots, self->words.slots, (copy.mask + 1) * sizeof *copy.slots);
    const word_t *words = words_sorted(&copy);
    size_t count = (size_t)most < copy.count ? (size_t)most : copy.count;
    mob_value_t *items = mob_alloc(ctx, (3 + 2 * count) * sizeof *items);
    if (items) {
        items[0] = MOB_VALUE(self->total);
        items[1] = MOB_VALUE(self->bytes);
        items[2] = MOB_VALUE(self->files);
        for (size_t i = 0; i < count; i++) {
            items[3 + 2 * i] = MOB_VALUE(((mob_bytes_t){words[i].text, words[i].size}));
            items[4 + 2 * i] = MOB_VALUE(words[i].count);
        }
        mob_write(out->out, mob_list(items, 3 + 2 * count));
    }
    free(copy.slots);
    return items ? MOB_OK : MOB_ENOMEM;
}

void tally_fini(tally_t *self)
{
    for (size_t i = 0; self->words.slots && i <= self->words.mask; i++)
        free((void *)(uintptr_t)self->words.slots[i].text);
    free(self->words.slots);
}

// ---- What bench calls ---------------------------------------------------------------------------------

struct bench_peer {
    int unused;
};

mob_err_t bench_echo(mob_ctx_t *ctx, mob_bytes_t data, mob_bytes_t *out)
{
    (void)ctx;
    *out = data;
    return MOB_OK;
}

mob_err_t bench_peer_echo(mob_ctx_t *ctx, bench_peer_t *self, mob_bytes_t data, mob_bytes_t *out)
{
    (void)self;
    return bench_echo(ctx, data, out);
}

int demo_host(int argc, char **argv)
{
    return mob_main(argc, argv, mob_task(census_file), mob_task(count_words), mob_actor(tally, TALLY), mob_task(bench_echo),
                    mob_actor(bench_peer, BENCH_PEER));
}
