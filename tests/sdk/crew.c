// crew.c - see crew.h. Everything is forked before the test has threads, but for what it starts
// again.

#include "crew.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker.h"
#include "quiet.h"
#include "work.h"

// Of the program that runs the bodies.
static int begun_fd = -1, ended_fd = -1, ledger_fd = -1;

// ---- Bodies -------------------------------------------------------------------------------------

static void tell(int fd)
{
    if (fd >= 0 && write(fd, ".", 1) != 1)
        abort();
}

void crew_enter(const mob_ctx_t *ctx)
{
    char line[128];
    int size = snprintf(line, sizeof line, "%" PRIu64 " %" PRIu64 " %u %d\n", ctx->task.owner,
                        ctx->task.seq, ctx->attempt, (int)getpid());
    if (ledger_fd >= 0 && write(ledger_fd, line, (size_t)size) != size)
        abort();
}

void crew_tell_ended(void)
{
    tell(ended_fd);
}

void crew_tell_begun(void)
{
    tell(begun_fd);
}

mob_err_t add(mob_ctx_t *ctx, int64_t a, int64_t b, int64_t *out)
{
    crew_enter(ctx);
    *out = a + b;
    return MOB_OK;
}

mob_err_t fetch(mob_ctx_t *ctx, const char *url, int64_t *out)
{
    *out = (int64_t)strlen(url);
    return strstr(url, "://") ? MOB_OK : mob_fail(ctx, 42, "not a url: %s", url);
}

mob_err_t echo(mob_ctx_t *ctx, mob_bytes_t data, mob_bytes_t *out)
{
    (void)ctx;
    *out = data;
    return MOB_OK;
}

mob_err_t blow_up(mob_ctx_t *ctx, int64_t number, int64_t *out)
{
    (void)ctx, (void)out;
    for (int i = 1; i <= 15; i++)
        printf("last words %d\n", i);
    signal((int)number, SIG_DFL);
    raise((int)number);
    return MOB_OK;
}

mob_err_t deep(mob_ctx_t *ctx, int64_t levels, int64_t *out)
{
    if (levels == 0)
        return MOB_OK;
    mob_ref_i64 below = mob_run(ctx->client, deep, levels - 1);
    mob_err_t err = mob_get(ctx->client, below, out, MOB_FOREVER);
    *out += 1;
    return err;
}

int64_t crew_until_told(mob_ctx_t *ctx, int64_t ms)
{
    crew_enter(ctx);
    tell(begun_fd);
    return work_ms(ctx, ms);
}

mob_err_t until_told(mob_ctx_t *ctx, int64_t ms, int64_t *out)
{
    *out = crew_until_told(ctx, ms);
    tell(begun_fd);
    return mob_remaining_ms(ctx) == 0 ? MOB_ECANCELLED : MOB_OK; // whichever the broker sees first
}

mob_err_t deaf(mob_ctx_t *ctx, int64_t ms, int64_t *out)
{
    crew_enter(ctx);
    tell(begun_fd);
    *out = work_ms(NULL, ms);
    return MOB_OK;
}

mob_err_t steps(mob_ctx_t *ctx, int64_t n, mob_sink_i64 *out)
{
    (void)ctx;
    for (int64_t i = 0; i < n; i++) {
        mob_err_t err = mob_emit(out, i);
        if (err)
            return err;
    }
    return MOB_OK;
}

mob_err_t leaver(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    *out = n;
    return mob_leave(ctx);
}

mob_err_t hand_on(mob_ctx_t *ctx, const char *url, int64_t levels, int64_t *out)
{
    mob_t *client = ctx->client;
    mob_ref_i64 below =
        levels > 1 ? mob_run(client, hand_on, url, levels - 1) : mob_run(client, fetch, url);
    return mob_get(client, below, out, MOB_FOREVER);
}

mob_err_t left(mob_ctx_t *ctx, int64_t n, int64_t *out)
{
    (void)n;
    *out = mob_remaining_ms(ctx);
    return MOB_OK;
}

mob_err_t die(mob_ctx_t *ctx, int64_t until, int64_t *out)
{
    crew_enter(ctx);
    if (ctx->attempt < until)
        kill(getpid(), SIGKILL);
    *out = ctx->attempt;
    return MOB_OK;
}

mob_err_t shaky(mob_ctx_t *ctx, int64_t until, int64_t code, int64_t *out)
{
    crew_enter(ctx);
    *out = ctx->attempt;
    return ctx->attempt < until ? mob_fail(ctx, (int)code, "attempt %u", ctx->attempt) : MOB_OK;
}

mob_err_t call_off(mob_ctx_t *ctx, mob_ref_t victim, int64_t flags, mob_nil_t *out)
{
    (void)out;
    return mob_cancel(ctx->client, victim, (unsigned)flags);
}

mob_err_t parent(mob_ctx_t *ctx, int64_t levels, int64_t ms, int64_t *out)
{
    mob_t *client = ctx->client;
    crew_enter(ctx);
    mob_ref_i64 child =
        levels > 1 ? mob_run(client, parent, levels - 1, ms) : mob_run(client, until_told, ms);
    return mob_get(client, child, out, MOB_FOREVER);
}

struct tally {
    int64_t value;
};

mob_err_t tally_init(mob_ctx_t *ctx, tally_t *self, int64_t start)
{
    self->value = start;
    return start < 0 ? mob_fail(ctx, 7, "start is %d", (int)start) : MOB_OK;
}

void tally_fini(tally_t *self)
{
    (void)self;
    crew_tell_ended();
}

mob_err_t tally_inc(mob_ctx_t *ctx, tally_t *self, int64_t by, int64_t *out)
{
    crew_enter(ctx);
    *out = self->value += by;
    return MOB_OK;
}

mob_err_t tally_pid(mob_ctx_t *ctx, tally_t *self, int64_t *out)
{
    (void)ctx, (void)self;
    *out = getpid();
    return MOB_OK;
}

mob_err_t tally_fail(mob_ctx_t *ctx, tally_t *self, int64_t code, const char *text, int64_t *out)
{
    (void)self, (void)out;
    return mob_fail(ctx, (int)code, "%s", text);
}

mob_err_t tally_die(mob_ctx_t *ctx, tally_t *self, int64_t *out)
{
    (void)ctx, (void)self, (void)out;
    signal(SIGKILL, SIG_DFL);
    kill(getpid(), SIGKILL);
    return MOB_OK;
}

mob_err_t tally_leave(mob_ctx_t *ctx, tally_t *self, int64_t *out)
{
    *out = self->value;
    return mob_leave(ctx);
}

mob_err_t tally_incarnation(mob_ctx_t *ctx, tally_t *self, int64_t *out)
{
    (void)self;
    *out = ctx->incarnation;
    return MOB_OK;
}

mob_err_t tally_until_told(mob_ctx_t *ctx, tally_t *self, int64_t ms, int64_t *out)
{
    (void)self;
    *out = crew_until_told(ctx, ms);
    tell(begun_fd);
    return MOB_OK;
}

mob_err_t tally_save(mob_ctx_t *ctx, tally_t *self, int64_t *out)
{
    *out = 0;
    return mob_save(ctx, (mob_bytes_t){&self->value, sizeof self->value});
}

struct mite {
    int64_t value;
};

mob_err_t mite_inc(mob_ctx_t *ctx, mite_t *self, int64_t by, int64_t *out)
{
    (void)ctx;
    *out = self->value += by;
    return MOB_OK;
}

mob_err_t mite_pid(mob_ctx_t *ctx, mite_t *self, int64_t *out)
{
    (void)ctx, (void)self;
    *out = getpid();
    return MOB_OK;
}

static const mob_method_t mite_methods[] = {{mite_inc_signature, mite_inc_usage, mite_inc_invoke},
                                            {mite_pid_signature, mite_pid_usage, mite_pid_invoke},
                                            {0}};

const mob_def_t crew_defs[] = {mob_task(add),
                               mob_task(fetch),
                               mob_task(echo),
                               mob_task(blow_up, .max_retries = MOB_NONE),
                               mob_task(deep),
                               mob_task(until_told, .max_retries = MOB_NONE),
                               mob_task(deaf, .max_retries = MOB_NONE),
                               mob_task(steps),
                               mob_task(leaver),
                               mob_task(hand_on),
                               mob_task(left),
                               mob_task(die),
                               mob_task(shaky),
                               mob_task(call_off),
                               mob_task(parent),
                               mob_actor(tally, TALLY),
                               {.name = mite_signature,
                                .usage = mite_usage,
                                .invoke = mite_construct,
                                .state_size = sizeof(mite_t),
                                .methods = mite_methods,
                                .shared = true},
                               {0}};

// ---- Processes ----------------------------------------------------------------------------------

crew_t crew_open(void)
{
    crew_t self = {.broker = -1, .host = -1, .defs = crew_defs};
    self.janitor = janitor_start(self.directory, self.address);
    cr_assert_eq(pipe(self.begun) || pipe(self.ended), 0);
    return self;
}

static pid_t fork_one(const crew_t *self)
{
    pid_t test = getpid();
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != test)
        _exit(1);
    janitor_leave(&self->janitor);
    if (!getenv("CREW_TALKS") && !freopen("/dev/null", "w", stderr))
        _exit(1);
    return 0;
}

void crew_start_broker(crew_t *self)
{
    self->broker = quiet_start(self->directory, self->address, &self->janitor, NULL, self->settings);
    cr_assert_gt(self->broker, 0);
}

static int end_process(pid_t *pid, int signal)
{
    int status = 0;
    if (*pid <= 0)
        return 0;
    kill(*pid, signal);
    while (waitpid(*pid, &status, 0) < 0 && errno == EINTR)
        ;
    *pid = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void crew_kill_broker(crew_t *self)
{
    end_process(&self->broker, SIGKILL);
}

int crew_drain_broker(crew_t *self)
{
    return end_process(&self->broker, SIGTERM);
}

static void ledger_path(const crew_t *self, char path[128])
{
    snprintf(path, 128, "%s/ledger", self->directory);
}

void crew_here(const crew_t *self)
{
    char path[128];
    ledger_path(self, path);
    ledger_fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    begun_fd = self->begun[1];
    ended_fd = self->ended[1];
}

void crew_start_host(crew_t *self, const char *flags[])
{
    static const char *two_slots[] = {"--slots", "2", NULL};
    char *argv[16] = {(char *)(uintptr_t) "crew"};
    int argc = 1;
    for (flags = flags ? flags : two_slots; *flags && argc < 15; flags++)
        argv[argc++] = (char *)(uintptr_t)*flags;
    self->host = fork_one(self);
    if (self->host)
        return;
    setenv("MOBULA_BROKER", self->address, 1);
    crew_here(self);
    _exit(mob_main_defs(argc, argv, NULL, self->defs));
}

int crew_end_host(crew_t *self, int signal)
{
    return end_process(&self->host, signal);
}

pid_t crew_visit(const crew_t *self, void (*visit)(const crew_t *self))
{
    pid_t pid = fork_one(self);
    if (pid)
        return pid;
    visit(self);
    _exit(0);
}

mob_t *crew_client(const crew_t *self)
{
    mob_t *client = mob_connect(&(mob_config_t){.endpoint = self->address, .name = "tester"});
    cr_assert_not_null(client);
    return client;
}

int crew_tool(const crew_t *self, const char *words, char *out, size_t size)
{
    char command[512];
    snprintf(command, sizeof command, "MOBULA_BROKER=%s %s %s", self->address, getenv("MOBULA_BIN"),
             words);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    size_t got = fread(out, 1, size - 1, pipe);
    out[got] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void crew_close(crew_t *self)
{
    crew_end_host(self, SIGTERM);
    end_process(&self->broker, SIGTERM);
    janitor_end(&self->janitor);
    for (int i = 0; i < 2; i++) {
        close(self->begun[i]);
        close(self->ended[i]);
    }
}

size_t crew_ledger(const crew_t *self, crew_line_t *lines, size_t max)
{
    char path[128];
    size_t count = 0;
    ledger_path(self, path);
    FILE *file = fopen(path, "r");
    for (crew_line_t *at = lines; file && count < max; at++, count++)
        if (fscanf(file, "%" SCNu64 " %" SCNu64 " %u %d", &at->ref.owner, &at->ref.seq,
                   &at->attempt, &at->pid) != 4)
            break;
    if (file)
        fclose(file);
    return count;
}

crew_run_t crew_ran(const crew_t *self, mob_ref_t ref)
{
    enum { LINES_MAX = 8192 };
    static crew_line_t lines[LINES_MAX];
    crew_run_t run = {0};
    size_t count = crew_ledger(self, lines, LINES_MAX);
    for (size_t i = 0; i < count; i++)
        if (mob_same(lines[i].ref, ref))
            run = (crew_run_t){run.count + 1, lines[i].pid, lines[i].attempt};
    return run;
}

void crew_wait_for_end(pid_t pid)
{
    cr_assert_gt(pid, 0);
    while (kill(pid, 0) == 0)
        sched_yield();
    cr_assert_eq(errno, ESRCH);
}

void crew_hear(int fd)
{
    struct pollfd news = {.fd = fd, .events = POLLIN};
    char byte;
    cr_assert_eq(poll(&news, 1, 10000), 1, "nothing was heard");
    cr_assert_eq(read(fd, &byte, 1), 1);
}
