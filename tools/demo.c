// demo.c - a broker, hosts and a word census that is checked against wc; then, on a terminal, the
// monitor. Owns the processes it starts and ends all of them, also when it is interrupted.

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "brood.h"
#include "clock.h"
#include "demo_bodies.h"
#include "histogram.h"
#include "monitor.h"
#include "query.h"
#include "texts.h"
#include "unit.h"
#include "verb.h"

enum { PIECE = 48 * 1024, INFLIGHT_MAX = 512, TOP = 10, LITTLE = 1024 * 1024 };

typedef struct piece { // on its way: the task's result goes into a call of the tally
    mob_ref_i64 added;
    mob_ref_any counted;
    int64_t since;
} piece_t;

typedef struct census {
    tool_t *tool;
    texts_t texts;
    size_t file; // next
    int64_t offset;
    tally_h tally;
    piece_t pieces[INFLIGHT_MAX];
    unsigned inflight, inflight_max;
    bool printable;
    uint64_t calls, replies, failed;
    int64_t until, took_us;
    histogram_t latency;
    int64_t words, distinct, checked;
    unsigned hosts, workers;
    char top[TOP][80];
    int64_t top_counts[TOP];
    unsigned top_count;
} census_t;

// ---- Files --------------------------------------------------------------------------------------

static int find_texts(tool_t *tool, census_t *self)
{
    const char *path = tool->word_count ? tool->words[0] : "/usr/share/doc";
    bool found = texts_find(&self->texts, path);
    if (!tool->word_count && self->texts.bytes < LITTLE) { // a slim system keeps no documentation
        texts_clear(&self->texts);
        found = texts_find(&self->texts, "/usr/share");
    }
    if (found && self->texts.count > 0)
        return 0;
    trouble_t out =
        trouble(MOB_ENOTFOUND, found ? "no text file below %s" : "%s cannot be read", path);
    if (!found)
        trouble_cause(&out, "%s", strerror(errno));
    trouble_try(&out, "mobula demo /usr/share");
    return say_trouble(tool, &out);
}

// ---- The map ------------------------------------------------------------------------------------

// With --for the census ends at the first whole file behind that time; what was not begun is not
// counted.
static void end_early(census_t *self)
{
    if (self->offset > 0 || clock_us() < self->until)
        return;
    for (size_t i = self->file; i < self->texts.count; i++) {
        self->texts.bytes -= self->texts.items[i].size;
        free(self->texts.items[i].path);
    }
    self->texts.count = self->file;
}

static bool submit_piece(census_t *self)
{
    end_early(self);
    if (self->file == self->texts.count)
        return false;
    mob_t *m = self->tool->client;
    const text_file_t *file = &self->texts.items[self->file];
    int64_t left = file->size - self->offset, size = left < PIECE ? left : PIECE;
    piece_t *piece = &self->pieces[self->inflight++];
    piece->since = clock_us();
    piece->counted = mob_run(m, census_file, file->path, self->offset, size, self->printable);
    piece->added = mob_call(m, self->tally, tally_add, piece->counted);
    self->calls += 2;
    self->offset += size;
    if (self->offset >= file->size) {
        self->file++;
        self->offset = 0;
    }
    return true;
}

static void settle_piece(census_t *self, unsigned index)
{
    mob_t *m = self->tool->client;
    piece_t *piece = &self->pieces[index];
    mob_err_t counted = mob_await(m, piece->counted.ref, NULL, 0),
              added = mob_await(m, piece->added.ref, NULL, 0);
    if (counted || added) {
        self->failed++;
        say_failure(self->tool, counted ? piece->counted.ref : piece->added.ref,
                    counted ? counted : added, counted ? "census_file" : "tally add");
    }
    self->replies += (uint64_t)(counted != MOB_ETIMEDOUT) + (uint64_t)(added != MOB_ETIMEDOUT);
    histogram_add(&self->latency, clock_us() - piece->since);
    mob_drop(m, piece->counted.ref);
    mob_drop(m, piece->added.ref);
    *piece = self->pieces[--self->inflight];
}

// Wait for one at least, settle all that are ready.
static bool gather(census_t *self)
{
    mob_ref_t refs[INFLIGHT_MAX];
    bool ready[INFLIGHT_MAX] = {false};
    for (unsigned i = 0; i < self->inflight; i++)
        refs[i] = self->pieces[i].added.ref;
    if (mob_wait(self->tool->client, refs, self->inflight, 1, 30000, ready) == 0)
        return false;
    for (unsigned i = self->inflight; i-- > 0;)
        if (ready[i])
            settle_piece(self, i);
    return true;
}

static void show_progress(census_t *self, int64_t *shown_at)
{
    char label[128], files[UNIT_TEXT_MAX], size[UNIT_TEXT_MAX];
    int64_t now = clock_us();
    if (now - *shown_at < 50000)
        return;
    *shown_at = now;
    snprintf(label, sizeof label, "census   %s files  %s", unit_print_count(files, self->texts.count),
             unit_print_size(size, (uint64_t)self->texts.bytes));
    term_bar(&self->tool->term, label, self->file, self->texts.count);
}

static int run_census(census_t *self)
{
    int64_t since = clock_us(), shown_at = 0, most = tool_duration(self->tool, "for", UNIT_FOREVER);
    bool going = true;
    self->until = most == UNIT_FOREVER ? INT64_MAX : since + most;
    while (going && self->failed < 3 && !tool_signal()) {
        while (self->inflight < self->inflight_max && submit_piece(self))
            ;
        if (self->inflight == 0)
            break;
        going = gather(self);
        show_progress(self, &shown_at);
    }
    self->took_us = clock_us() - since;
    term_wipe(&self->tool->term);
    if (tool_signal()) {
        say_note(self->tool, "interrupted: %zu of %zu files", self->file, self->texts.count);
        return 128 + tool_signal();
    }
    if (going && !self->failed)
        return 0;
    trouble_t out =
        trouble(self->failed ? MOB_ETASK : MOB_ETIMEDOUT, "the census did not end well");
    trouble_cause(&out, "%" PRIu64 " failed, %u without an answer", self->failed, self->inflight);
    return say_trouble(self->tool, &out);
}

// ---- The result ---------------------------------------------------------------------------------

static void read_top(census_t *self, mob_any_t *any)
{
    size_t left = mob_read_list(&any->in);
    self->words = mob_read_i64(&any->in);
    self->distinct = mob_read_i64(&any->in);
    for (left -= left > 1 ? 2 : left; left >= 2 && self->top_count < TOP; left -= 2) {
        mob_bytes_t word = mob_read_bytes(&any->in);
        snprintf(self->top[self->top_count], sizeof self->top[0], "%.*s", (int)word.size,
                 word.data ? (const char *)word.data : "");
        self->top_counts[self->top_count++] = mob_read_i64(&any->in);
    }
}

static int finish_census(census_t *self)
{
    rows_t rows;
    mob_any_t top;
    mob_ref_any ref = mob_call(self->tool->client, self->tally, tally_top, (int64_t)TOP);
    self->calls++;
    mob_err_t err = mob_get(self->tool->client, ref, &top, 10000);
    if (err)
        return say_failure(self->tool, ref.ref, err, "tally top");
    self->replies++;
    read_top(self, &top);
    if (query_rows(self->tool, "workers", NULL, &rows) == 0)
        self->workers = (unsigned)rows.count;
    self->checked = texts_count(&self->texts);
    return 0;
}

static bool is_equal(const census_t *self)
{
    return self->words == self->checked && self->calls == self->replies;
}

static void print_json(const census_t *self)
{
    printf("{\"files\":%zu,\"bytes\":%" PRId64 ",\"hosts\":%u,\"workers\":%u,\"took_us\":%" PRId64
           ",\"calls\":%" PRIu64 ",\"replies\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"p50_us\":%" PRId64
           ",\"p90_us\":%" PRId64 ",\"p99_us\":%" PRId64 ",\"words\":%" PRId64
           ",\"independent\":%" PRId64 ",\"distinct\":%" PRId64 ",\"ok\":%s,\"top\":[",
           self->texts.count, self->texts.bytes, self->hosts, self->workers, self->took_us,
           self->calls, self->replies, self->calls - self->replies, histogram_at(&self->latency, 0.5),
           histogram_at(&self->latency, 0.9), histogram_at(&self->latency, 0.99), self->words,
           self->checked, self->distinct, is_equal(self) ? "true" : "false");
    for (unsigned i = 0; i < self->top_count; i++) {
        fputs(i ? ",[" : "[", stdout);
        say_json_text(stdout, self->top[i]);
        printf(",%" PRId64 "]", self->top_counts[i]);
    }
    puts("]}");
}

static void print_people(const census_t *self)
{
    char a[UNIT_TEXT_MAX], b[UNIT_TEXT_MAX], c[UNIT_TEXT_MAX];
    bool ascii = !self->tool->term.utf8, colour = self->tool->term.colour_out;
    double seconds = (double)self->took_us / 1e6;
    printf(
        "census   %s files  %s   hosts %u  workers %u   [##############################] 100%%\n",
        unit_print_count(a, self->texts.count), unit_print_size(b, (uint64_t)self->texts.bytes),
        self->hosts, self->workers);
    printf("top      ");
    for (unsigned i = 0; i < self->top_count && i < 5; i++)
        printf("%s%s %s", i ? "   " : "", self->top[i],
               unit_print_count(a, (uint64_t)self->top_counts[i]));
    printf("\nspeed    %s files/s   %s calls/s",
           unit_print_rate(a, (double)self->texts.count / seconds),
           unit_print_rate(b, (double)self->calls / seconds));
    printf("   p50 %s p90 %s p99 %s\n",
           unit_print_duration(a, histogram_at(&self->latency, 0.5), ascii),
           unit_print_duration(b, histogram_at(&self->latency, 0.9), ascii),
           unit_print_duration(c, histogram_at(&self->latency, 0.99), ascii));
    printf("check    calls %s  replies %s  lost %" PRIu64, unit_print_count(a, self->calls),
           unit_print_count(b, self->replies), self->calls - self->replies);
    printf("     words %s %s %s (find, cat, wc -w)     %s%s%s\n",
           unit_print_count(a, (uint64_t)self->words), is_equal(self) ? "=" : "!=",
           self->checked < 0 ? "?" : unit_print_count(b, (uint64_t)self->checked),
           term_on(colour, is_equal(self) ? TERM_GREEN : TERM_RED),
           is_equal(self) ? "ok" : "NOT EQUAL", term_off(colour));
}

// ---- Afterwards: gentle traffic for the monitor -------------------------------------------------

typedef struct stroll {
    pthread_t thread;
    const census_t *census;
    const char *address;
    volatile bool ends;
} stroll_t;

static void *stroll(void *arg)
{
    stroll_t *self = arg;
    mob_t *m = mob_connect(&(mob_config_t){.endpoint = self->address, .name = "reader"});
    for (size_t i = 0; m && !self->ends; i++) {
        int64_t words;
        const text_file_t *file = &self->census->texts.items[i % self->census->texts.count];
        mob_ref_i64 counted = mob_run(m, count_words, file->path);
        if (mob_get(m, counted, &words, 1000) == MOB_OK)
            mob_drop(m, counted.ref);
        nanosleep(&(struct timespec){0, 250000000}, NULL);
    }
    mob_close(&m);
    return NULL;
}

static void watch(tool_t *tool, census_t *self, const char *address)
{
    stroll_t walk = {.census = self, .address = address};
    say_note(tool, "\nlive: mobula monitor, until Ctrl-C; in another terminal: mobula status%s%s",
             strncmp(address, "ipc:///tmp/mobula-demo", 22) == 0 ? " -b " : "",
             strncmp(address, "ipc:///tmp/mobula-demo", 22) == 0 ? address : "");
    bool walking = pthread_create(&walk.thread, NULL, stroll, &walk) == 0;
    monitor_tail(tool, "");
    walk.ends = true;
    if (walking)
        pthread_join(walk.thread, NULL);
}

// ---- The verb -----------------------------------------------------------------------------------

static int start(tool_t *tool, census_t *self, brood_t *brood)
{
    char name[32];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    self->hosts = (unsigned)tool_count(tool, "hosts", 2);
    self->hosts = self->hosts < 1                 ? 1
                  : self->hosts > BROOD_HOSTS_MAX ? BROOD_HOSTS_MAX
                                                  : self->hosts;
    unsigned slots = cores > 2 * (long)self->hosts ? (unsigned)cores / self->hosts : 2;
    int wrong = brood_broker(tool, brood);
    for (unsigned i = 0; i < self->hosts && !wrong; i++) {
        snprintf(name, sizeof name, "demo-%u", i + 1);
        wrong = brood_host(tool, brood, name, slots);
    }
    if (!wrong)
        wrong = brood_connect(tool, brood);
    tool_catch_signals(tool);
    if (!wrong)
        wrong = brood_wait(tool, brood, 5000000);
    return wrong;
}

static int count(tool_t *tool, census_t *self)
{
    self->tally = mob_new(tool->client, tally);
    mob_err_t err = mob_await(tool->client, mob_ready(self->tally.actor), NULL, 10000);
    if (err)
        return say_failure(tool, mob_ready(self->tally.actor), err, "tally");
    int wrong = run_census(self);
    if (!wrong)
        wrong = finish_census(self);
    if (wrong)
        return wrong;
    if (tool_json(tool))
        print_json(self);
    else
        print_people(self);
    fflush(stdout);
    return is_equal(self) ? 0 : 1;
}

int demo(tool_t *tool)
{
    census_t *self = calloc(1, sizeof *self);
    brood_t brood = {0};
    if (!self)
        return 1;
    self->tool = tool;
    int64_t inflight = tool_count(tool, "inflight", 64);
    self->inflight_max = inflight < 1              ? 1
                         : inflight > INFLIGHT_MAX ? INFLIGHT_MAX
                                                   : (unsigned)inflight;
    int done = find_texts(tool, self);
    self->printable = !done && texts_wc_wants_printable();
    if (!done)
        done = start(tool, self, &brood);
    if (!done)
        done = count(tool, self);
    if (!done && tool->term.out && !tool_has(tool, "for") && !tool_json(tool))
        watch(tool, self, brood.address);
    tool_close(tool);
    brood_end(&brood);
    texts_clear(&self->texts);
    free(self);
    return done;
}
