// context.c - what a body may ask of its call: memory, time, whether to stop, how to fail, how to
// log.

#include "context.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "worker.h"

static context_t *context_of(const mob_ctx_t *ctx)
{
    return (context_t *)(uintptr_t)ctx; // the first member of it; bodies see it as read only
}

// ---- Life ---------------------------------------------------------------------------------------

void context_init(context_t *self, struct worker *worker, const char *host_name)
{
    const mob_config_t *config = session_config(worker->session);
    self->worker = worker;
    writer_init(&self->writer);
    snprintf(self->host, sizeof self->host, "%s", host_name);
    snprintf(self->worker_name, sizeof self->worker_name, "%s", session_name(worker->session));
    snprintf(self->space, sizeof self->space, "%s", config->space ? config->space : "default");
    self->ctx = (mob_ctx_t){.client = worker->session,
                            .name = "",
                            .caller = self->caller,
                            .job = self->caller,
                            .host = self->host,
                            .worker = self->worker_name,
                            .space = self->space,
                            .trace = ""};
}

void context_fini(context_t *self)
{
    writer_fini(&self->writer);
    sink_fini(&self->sink);
    arena_clear(&self->arena);
    free(self->memory);
}

static void name_caller(context_t *self, uint64_t owner)
{
    self->caller_owner = owner;
    snprintf(self->caller, sizeof self->caller, "%016" PRIx64, owner);
}

void context_begin(context_t *self, hand_t *hand, const offer_body_t *body)
{
    mob_ctx_t *ctx = &self->ctx;
    self->hand = hand;
    self->body = body;
    ctx->name = body ? body->name : "";
    ctx->task = hand->ref;
    ctx->self = (mob_actor_t){hand->actor.owner, hand->actor.seq, hand->incarnation};
    ctx->incarnation = hand->incarnation;
    ctx->attempt = hand->what == HAND_CALL ? hand->attempt : 0;
    ctx->saved = (mob_bytes_t){0};
    if (hand->saved)
        ctx->saved = (mob_bytes_t){hand->saved->data, hand->saved->size};
    if (hand->ref.owner != self->caller_owner)
        name_caller(self, hand->ref.owner);
    self->no_memory = self->leaves = false;
    self->code = 0;
    self->refused = NULL;
    self->trace[0] = '\0';
}

void context_end(context_t *self)
{
    writer_clear(&self->writer);
    sink_clear(&self->sink);
    self->used = 0;
    if (self->arena.first)
        arena_clear(&self->arena);
    self->hand = NULL;
}

// ---- Time and memory ----------------------------------------------------------------------------

bool mob_cancelled(const mob_ctx_t *ctx)
{
    const context_t *self = context_of(ctx);
    const hand_t *hand = self->hand;
    if (atomic_load_explicit(&self->worker->hurry, memory_order_relaxed))
        return true;
    if (!hand)
        return false;
    if (atomic_load_explicit(&hand->cancelled, memory_order_relaxed))
        return true;
    return hand->deadline_at != INT64_MAX && clock_us() >= hand->deadline_at;
}

int mob_remaining_ms(const mob_ctx_t *ctx)
{
    const hand_t *hand = context_of(ctx)->hand;
    if (!hand || hand->deadline_at == INT64_MAX)
        return MOB_FOREVER;
    int64_t left = (hand->deadline_at - clock_us()) / 1000;
    return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static void *alloc_small(context_t *self, size_t size)
{
    size_t rounded = (size + 15) & ~(size_t)15;
    if (!self->memory)
        self->memory = malloc(CONTEXT_MEMORY);
    if (!self->memory || rounded > CONTEXT_MEMORY - self->used)
        return NULL;
    void *memory = self->memory + self->used;
    self->used += rounded;
    return memset(memory, 0, size);
}

void *mob_alloc(mob_ctx_t *ctx, size_t size)
{
    context_t *self = context_of(ctx);
    void *memory = size < CONTEXT_MEMORY ? alloc_small(self, size) : NULL;
    if (!memory)
        memory = arena_alloc(&self->arena, size);
    if (!memory)
        self->no_memory = true;
    return memory;
}

char *mob_format(mob_ctx_t *ctx, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = size < 0 ? NULL : mob_alloc(ctx, (size_t)size + 1);
    if (text)
        vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return text ? text : (char *)(uintptr_t) "";
}

// ---- How it ends --------------------------------------------------------------------------------

mob_err_t mob_fail_at(mob_ctx_t *ctx, const char *file, int line, int code, const char *format, ...)
{
    context_t *self = context_of(ctx);
    const char *slash = strrchr(file, '/');
    va_list args;
    va_start(args, format);
    vsnprintf(self->text, sizeof self->text, format, args);
    va_end(args);
    self->code = code > 0 ? code : 1;
    snprintf(self->trace, sizeof self->trace, "%s at %s:%d", ctx->name, slash ? slash + 1 : file,
             line);
    return MOB_ETASK;
}

mob_err_t mob_leave(mob_ctx_t *ctx)
{
    context_t *self = context_of(ctx);
    if (ctx->self.owner == 0 && ctx->self.seq == 0) {
        self->refused = "mob_leave() in a task: only an actor can leave";
        return MOB_EARGS;
    }
    self->leaves = true;
    return MOB_EDEAD;
}

// ---- Log ----------------------------------------------------------------------------------------

static const char *const level_names[] = {"DEBUG", "INFO", "WARN", "ERROR"};

static int log_level(void) // read each time: no state of our own, and a log line costs a write anyway
{
    const char *text = getenv("MOBULA_LOG_LEVEL");
    for (int i = MOB_DEBUG; text && i <= MOB_ERROR; i++)
        if (strcasecmp(text, level_names[i]) == 0)
            return i;
    return MOB_INFO;
}

static int log_head(const context_t *self, mob_level_t level, char *line, size_t room)
{
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &parts);
    int size =
        snprintf(line, room, "%02d:%02d:%02d.%03ld %-5s MOB-BODY name=%s id=%016" PRIx64 ".%" PRIu64,
                 parts.tm_hour, parts.tm_min, parts.tm_sec, now.tv_nsec / 1000000,
                 level_names[level], self->ctx.name, self->ctx.task.owner, self->ctx.task.seq);
    if (self->ctx.self.seq)
        size += snprintf(line + size, room - (size_t)size, " actor=%016" PRIx64 ".%" PRIu64,
                         self->ctx.self.owner, self->ctx.self.seq);
    return size + snprintf(line + size, room - (size_t)size, " text=\"");
}

void mob_log(mob_ctx_t *ctx, mob_level_t level, const char *format, ...)
{
    if (level < MOB_DEBUG || level > MOB_ERROR || (int)level < log_level())
        return;
    char line[2048];
    size_t room = sizeof line - 2; // for the quote and the line's end
    size_t size = (size_t)log_head(context_of(ctx), level, line, room);
    va_list args;
    va_start(args, format);
    int more = vsnprintf(line + size, room - size, format, args);
    va_end(args);
    size_t text = size;
    size += more < 0 ? 0 : (size_t)more < room - size ? (size_t)more : room - size - 1;
    for (size_t i = text; i < size; i++)
        if ((unsigned char)line[i] < ' ')
            line[i] = ' '; // one line, whatever the body says
    line[size++] = '"';
    line[size++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, size);
    (void)written; // nobody to tell
}
