// demo.c - mobula demo: a broker, hosts, and a word census of every text file below a path: map by tasks, gathered by
// an actor. Checks itself: what it counted must be what the standard tools count.

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "demo_bodies.h"
#include "say.h"
#include "unit.h"
#include "verb.h"

enum { PEEK = 8192, FEW_FILES = 200, FILES_MAX = 1000000, TOP = 5, WAIT_MS = 60000, HOSTS_MAX = 8, INFLIGHT_MAX = 1024, BAR_US = 50000 };

typedef struct files {
    char **paths;
    size_t count, room;
} files_t;

typedef struct flight { // one file on its way: counted by a task, added by the actor
    mob_ref_any census;
    mob_ref_i64 added;
    int64_t sent_at;
} flight_t;

typedef struct demo {
    tool_t *tool;
    crew_t crew;
    files_t files;
    mob_t *m;
    tally_h tally;
    flight_t flights[INFLIGHT_MAX];
    size_t inflight, sent, back, lost;
    int64_t *times; // of each file, microseconds
    int64_t began, ended, last_bar;
    int64_t words, bytes, gathered, independent;
    struct {
        char text[80];
        int64_t count;
    } top[TOP];
    size_t top_count;
} demo_t;

// ---- Files --------------------------------------------------------------------------------------------

static files_t *walked; // nftw() takes no argument

static bool is_text(const char *path)
{
    char peek[PEEK];
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t size = fread(peek, 1, sizeof peek, file);
    bool good = !ferror(file);
    fclose(file);
    return good && size > 0 && memchr(peek, 0, size) == NULL;
}

static int visit(const char *path, const struct stat *stat, int kind, struct FTW *walk)
{
    (void)walk;
    if (kind != FTW_F || !S_ISREG(stat->st_mode) || walked->count == FILES_MAX || !is_text(path))
        return 0;
    if (walked->count == walked->room) {
        size_t room = walked->room ? walked->room * 2 : 1024;
        char **paths = realloc(walked->paths, room * sizeof *paths);
        if (!paths)
            return 1;
        walked->paths = paths;
        walked->room = room;
    }
    char *whole = realpath(path, NULL); // the workers have a working directory of their own
    if (whole)
        walked->paths[walked->count++] = whole;
    return 0;
}

static void walk(files_t *files, const char *path)
{
    walked = files;
    nftw(path, visit, 32, FTW_PHYS);
}

static int find_files(demo_t *self)
{
    const char *given = self->tool->word_count ? self->tool->words[0] : NULL;
    if (given && access(given, R_OK) != 0) {
        trouble_t out = trouble(MOB_ENOTFOUND, "no such file or directory: %s", given);
        trouble_try(&out, "mobula demo /usr/share/doc");
        return say_trouble(self->tool, &out);
    }
    walk(&self->files, given ? given : "/usr/share/doc");
    if (!given && self->files.count < FEW_FILES) {
        say_note(self->tool, "/usr/share/doc holds little text here: counting all of /usr/share");
        self->files.count = 0;
        walk(&self->files, "/usr/share");
    }
    if (self->files.count > 0)
        return 0;
    trouble_t out = trouble(MOB_ENOTFOUND, "no text file below %s", given ? given : "/usr/share");
    trouble_try(&out, "mobula demo PATH      a directory with text files");
    return say_trouble(self->tool, &out);
}

// ---- Broker, hosts, connection ----------------------------------------------------------------------------

static int start(demo_t *self)
{
    tool_t *tool = self->tool;
    int64_t hosts = tool_count(tool, "hosts", 2);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    hosts = hosts < 1 ? 1 : hosts > HOSTS_MAX ? HOSTS_MAX : hosts;
    unsigned slots = cores > hosts ? (unsigned)(cores / hosts) : 1;
    bool good = crew_broker(&self->crew);
    for (int64_t i = 0; i < hosts && good; i++) {
        char name[32];
        snprintf(name, sizeof name, "demo-%d", (int)i + 1);
        good = crew_host(&self->crew, name, slots);
    }
    self->m = good ? mob_connect(&(mob_config_t){.endpoint = self->crew.address, .name = "census"}) : NULL;
    if (!self->m) {
        trouble_t out = trouble(MOB_ESETUP, "the broker of the demo did not start at %s", self->crew.address);
        trouble_try(&out, "mobula broker      says why");
        return say_trouble(tool, &out);
    }
    if (*self->crew.directory)
        say_note(tool, "another broker has the usual socket; this one: -b %s", self->crew.address);
    tool->client = self->m;
    snprintf(tool->address, sizeof tool->address, "%s", self->crew.address);
    tool_catch_signals(tool);
    self->tally = mob_new(self->m, tally);
    return 0;
}

// ---- The census -----------------------------------------------------------------------------------------

static bool over(const demo_t *self)
{
    int64_t most = tool_duration(self->tool, "for", UNIT_FOREVER);
    return tool_signal() != 0 || (most != UNIT_FOREVER && clock_us() - self->began >= most);
}

static void send_one(demo_t *self)
{
    flight_t *flight = &self->flights[self->sent % self->inflight];
    flight->sent_at = clock_us();
    flight->census = mob_run(self->m, census_file, self->files.paths[self->sent]);
    flight->added = mob_call(self->m, self->tally, tally_add, flight->census);
    self->sent++;
}

static void take_one(demo_t *self)
{
    flight_t *flight = &self->flights[self->back % self->inflight];
    mob_err_t err = mob_done(self->m, flight->added, WAIT_MS);
    self->times[self->back] = clock_us() - flight->sent_at;
    if (err) {
        if (self->lost++ == 0)
            say_note(self->tool, "%s: %s", self->files.paths[self->back], mob_reason(self->m, flight->added.ref));
    }
    mob_drop(self->m, flight->added.ref);
    mob_drop(self->m, flight->census.ref);
    self->back++;
}

static void show_progress(demo_t *self)
{
    int64_t now = clock_us();
    if (now - self->last_bar < BAR_US)
        return;
    self->last_bar = now;
    term_bar(&self->tool->term, "census", self->back, self->files.count);
}

static void count(demo_t *self)
{
    int64_t wish = tool_count(self->tool, "inflight", 64);
    self->inflight = wish < 1 ? 1 : wish > INFLIGHT_MAX ? INFLIGHT_MAX : (size_t)wish;
    self->times = calloc(self->files.count, sizeof *self->times);
    self->began = clock_us();
    while (self->back < self->sent || (self->sent < self->files.count && !over(self))) {
        while (self->sent < self->files.count && self->sent - self->back < self->inflight && !over(self))
            send_one(self);
        if (self->back < self->sent)
            take_one(self);
        show_progress(self);
    }
    self->ended = clock_us();
    term_wipe(&self->tool->term);
}

static void read_top(demo_t *self, mob_reader_t *in)
{
    size_t items = mob_read_list(in);
    self->words = mob_read_i64(in);
    self->bytes = mob_read_i64(in);
    self->gathered = mob_read_i64(in);
    for (size_t i = 3; i + 1 < items && self->top_count < TOP; i += 2) {
        mob_bytes_t text = mob_read_bytes(in);
        snprintf(self->top[self->top_count].text, sizeof self->top[0].text, "%.*s", (int)text.size, (const char *)text.data);
        self->top[self->top_count++].count = mob_read_i64(in);
    }
}

static int gather(demo_t *self)
{
    mob_any_t top;
    mob_ref_any ref = mob_call(self->m, self->tally, tally_top, TOP);
    mob_err_t err = mob_get(self->m, ref, &top, WAIT_MS);
    if (err)
        return say_failure(self->tool, ref.ref, err, "the tally");
    read_top(self, &top.in);
    return 0;
}

// ---- The same by standard tools -----------------------------------------------------------------------------

// wc -w over the same files; -1: could not be run.
static int64_t count_independently(const demo_t *self)
{
    char list[] = "/tmp/mobula-census-XXXXXX", command[128];
    int fd = mkstemp(list);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file)
        return -1;
    for (size_t i = 0; i < self->sent; i++)
        fwrite(self->files.paths[i], 1, strlen(self->files.paths[i]) + 1, file);
    fclose(file);
    snprintf(command, sizeof command, "LC_ALL=C wc -w --files0-from=%s | tail -n 1", list);
    FILE *pipe = popen(command, "r");
    long long words = -1;
    if (pipe && fscanf(pipe, "%lld", &words) != 1)
        words = -1;
    if (pipe)
        pclose(pipe);
    unlink(list);
    return words;
}

// ---- What is said -------------------------------------------------------------------------------------------

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t percentile(const demo_t *self, unsigned permille)
{
    return self->back ? self->times[(self->back - 1) * permille / 1000] : 0;
}

static bool is_right(const demo_t *self)
{
    return self->lost == 0 && self->back > 0 && self->words == self->independent && self->gathered == (int64_t)self->back;
}

static void say_json(const demo_t *self)
{
    double seconds = (double)(self->ended - self->began) / 1e6;
    printf("{\"files\":%zu,\"bytes\":%lld,\"words\":%lld,\"independent\":%lld,\"ok\":%s,\"calls\":%zu,\"lost\":%zu,\"seconds\":%.3f,"
           "\"files_per_second\":%.1f,\"calls_per_second\":%.1f,\"p50_us\":%lld,\"p90_us\":%lld,\"p99_us\":%lld,\"top\":[",
           self->back, (long long)self->bytes, (long long)self->words, (long long)self->independent, is_right(self) ? "true" : "false",
           2 * self->back, self->lost, seconds, (double)self->back / seconds, (double)(2 * self->back) / seconds,
           (long long)percentile(self, 500), (long long)percentile(self, 900), (long long)percentile(self, 990));
    for (size_t i = 0; i < self->top_count; i++) {
        printf("%s[", i ? "," : "");
        say_json_text(stdout, self->top[i].text);
        printf(",%lld]", (long long)self->top[i].count);
    }
    puts("]}");
}

static void say_text(const demo_t *self)
{
    char a[UNIT_TEXT_MAX], b[UNIT_TEXT_MAX], c[UNIT_TEXT_MAX];
    bool ascii = !self->tool->term.utf8;
    double seconds = (double)(self->ended - self->began) / 1e6;
    printf("census   %s files  %s   hosts %u  in %s\n", unit_print_count(a, self->back), unit_print_size(b, (uint64_t)self->bytes),
           self->crew.count - 1, unit_print_duration(c, self->ended - self->began, ascii));
    printf("top     ");
    for (size_t i = 0; i < self->top_count; i++)
        printf(" %s %s  ", self->top[i].text, unit_print_count(a, (uint64_t)self->top[i].count));
    printf("\nspeed    %s files/s   %s calls/s", unit_print_rate(a, (double)self->back / seconds),
           unit_print_rate(b, (double)(2 * self->back) / seconds));
    printf("   p50 %s", unit_print_duration(a, percentile(self, 500), ascii));
    printf(" p90 %s", unit_print_duration(a, percentile(self, 900), ascii));
    printf(" p99 %s\n", unit_print_duration(a, percentile(self, 990), ascii));
    printf("check    calls %s", unit_print_count(a, 2 * self->back));
    printf("  lost %zu", self->lost);
    printf("   words %s %s", unit_print_count(a, (uint64_t)self->words), self->words == self->independent ? "=" : "!=");
    printf(" %s (wc -w)   %s\n", unit_print_count(b, (uint64_t)self->independent), is_right(self) ? "ok" : "WRONG");
    fflush(stdout);
}

static int census(demo_t *self)
{
    int done = find_files(self);
    if (done == 0)
        done = start(self);
    if (done)
        return done;
    count(self);
    done = gather(self);
    if (done)
        return done;
    self->independent = count_independently(self);
    qsort(self->times, self->back, sizeof *self->times, by_time);
    if (tool_json(self->tool))
        say_json(self);
    else
        say_text(self);
    return is_right(self) ? 0 : 1;
}

static bool stays(const demo_t *self)
{
    const tool_t *tool = self->tool;
    return tool->term.out && !tool_has(tool, "for") && !tool_json(tool) && tool_signal() == 0;
}

int demo(tool_t *tool)
{
    demo_t *self = calloc(1, sizeof *self);
    if (!self)
        return 1;
    self->tool = tool;
    int done = census(self);
    if (done == 0 && stays(self)) {
        say_note(tool, "the broker and its hosts stay up; try in another terminal: mobula list workers. Ctrl-C ends all.");
        tool->word_count = 0;
        monitor_watch(tool);
    }
    tool_close(tool);
    crew_end(&self->crew);
    free(self->times);
    free(self);
    return done;
}
