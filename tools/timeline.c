// timeline.c - what the flight recorder has, as a Chrome trace: who waited for what, and who ran it when.
//
// The broker sees when it sends a call to a worker, not when the body begins. A worker runs one after the other, so
// a body began when the call was sent, or when the body before it ended, whichever came later.

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "clock.h"
#include "query.h"
#include "record.h"
#include "tail.h"
#include "verb.h"

enum { CALLERS = 1, ELSEWHERE = 2, FIRST_HOST = 3 }; // processes of the trace; hosts follow

typedef struct lane { // a caller, a worker, an actor
    char name[RECORD_NAME_MAX];
    int pid, tid;
    int64_t ended_us; // its last body
    UT_hash_handle hh;
} lane_t;

typedef struct sent { // a task that a worker has
    mob_ref_t ref;
    int64_t at_us;
    char lane[RECORD_NAME_MAX], method[RECORD_NAME_MAX], caller[RECORD_NAME_MAX];
    uint32_t attempt;
    UT_hash_handle hh;
} sent_t;

typedef struct trace {
    tool_t *tool;
    FILE *out;
    lane_t *callers, *runners;
    sent_t *sent;
    rows_t workers, actors, hosts;
    int tids;
    uint64_t slices, lost, flow;
} trace_t;

// ---- Lanes --------------------------------------------------------------------------------------

static void event(trace_t *self)
{
    fputs(self->slices++ ? ",\n" : "[\n", self->out);
}

static void name_it(trace_t *self, const char *what, int pid, int tid, const char *name)
{
    event(self);
    fprintf(self->out,
            "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":", what, pid,
            tid);
    say_json_text(self->out, name);
    fputs("}}", self->out);
}

static const row_t *row_called(const rows_t *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(row_text(&rows->items[i], "name"), name) == 0)
            return &rows->items[i];
    return NULL;
}

// An actor runs in its worker, a worker on its host; who has ended by now, elsewhere.
static int process_of(const trace_t *self, const char *runner)
{
    const row_t *actor = row_called(&self->actors, runner);
    const row_t *worker = row_called(&self->workers, actor ? row_text(actor, "worker") : runner);
    const row_t *host = worker ? row_called(&self->hosts, row_text(worker, "host")) : NULL;
    return host ? FIRST_HOST + (int)(host - self->hosts.items) : ELSEWHERE;
}

static lane_t *lane_of(trace_t *self, bool caller, const char *name)
{
    lane_t **lanes = caller ? &self->callers : &self->runners, *lane;
    HASH_FIND_STR(*lanes, name, lane);
    if (lane)
        return lane;
    lane = arena_alloc(&self->tool->memory, sizeof *lane);
    if (!lane)
        return NULL;
    *lane = (lane_t){.tid = ++self->tids, .pid = caller ? CALLERS : process_of(self, name)};
    snprintf(lane->name, sizeof lane->name, "%s", name);
    HASH_ADD_STR(*lanes, name, lane);
    name_it(self, "thread_name", lane->pid, lane->tid, name);
    return lane;
}

// ---- Slices -------------------------------------------------------------------------------------

typedef struct span { // of a call, from its receipt to its end
    mob_ref_t ref;
    const char *method, *caller, *runner, *status;
    uint32_t attempt;
    bool task;
    int64_t asked_us, sent_us, ended_us;
} span_t;

static void slice(trace_t *self, const span_t *span, const char *kind, const lane_t *lane,
                  int64_t from, int64_t until)
{
    char id[ID_TEXT_MAX];
    event(self);
    fprintf(self->out, "{\"ph\":\"X\",\"cat\":\"%s\",\"name\":", kind);
    say_json_text(self->out, span->method);
    fprintf(self->out,
            ",\"pid\":%d,\"tid\":%d,\"ts\":%" PRId64 ",\"dur\":%" PRId64
            ",\"args\":{\"ref\":\"%s\",\"%s\":",
            lane->pid, lane->tid, from, until > from ? until - from : 0, say_id(id, span->ref),
            span->task ? "task" : "actor");
    say_json_text(self->out, span->task ? span->method : span->runner);
    fprintf(self->out, ",\"attempt\":%u,\"job\":", span->attempt + 1); // of the run, from 1
    say_json_text(self->out, span->caller);
    fprintf(self->out, ",\"status\":\"%s\"}}", span->status);
}

static void arrow(trace_t *self, const lane_t *from, int64_t left_us, const lane_t *to,
                  int64_t came_us)
{
    const lane_t *lanes[] = {from, to};
    const int64_t times[] = {left_us, came_us};
    self->flow++;
    for (int i = 0; i < 2; i++) {
        event(self);
        fprintf(self->out,
                "{\"ph\":\"%s\",\"cat\":\"call\",\"name\":\"call\",\"id\":%" PRIu64
                ",\"pid\":%d,\"tid\":%d,\"ts\":%" PRId64 "}",
                i ? "f\",\"bp\":\"e" : "s", self->flow, lanes[i]->pid, lanes[i]->tid, times[i]);
    }
}

static void draw(trace_t *self, const span_t *span)
{
    lane_t *caller = lane_of(self, true, span->caller), *runner = lane_of(self, false, span->runner);
    if (!caller || !runner)
        return;
    int64_t began = span->sent_us > runner->ended_us ? span->sent_us : runner->ended_us;
    began = began > span->ended_us ? span->sent_us : began; // several at once
    slice(self, span, "wait", caller, span->asked_us, began);
    slice(self, span, "execute", runner, began, span->ended_us);
    arrow(self, caller, span->asked_us, runner, began);
    runner->ended_us = span->ended_us;
}

// ---- Records ------------------------------------------------------------------------------------

static sent_t *sent_of(const trace_t *self, mob_ref_t ref)
{
    sent_t *sent;
    HASH_FIND(hh, self->sent, &ref, sizeof ref, sent);
    return sent;
}

static void send_out(trace_t *self, const record_t *record)
{
    sent_t *sent = sent_of(self, record->ref);
    if (!sent) {
        sent = arena_alloc(&self->tool->memory, sizeof *sent);
        if (!sent)
            return;
        *sent = (sent_t){.ref = record->ref};
        HASH_ADD(hh, self->sent, ref, sizeof sent->ref, sent);
    }
    sent->at_us = record->wall_us;
    sent->attempt = record->attempt;
    memcpy(sent->lane, record->dst, sizeof sent->lane);
    memcpy(sent->caller, record->src, sizeof sent->caller);
    memcpy(sent->method, record->method, sizeof sent->method);
}

// A run of a task that has ended, or has not yet.
static void draw_task(trace_t *self, sent_t *sent, int64_t asked_us, int64_t ended_us,
                      const char *status)
{
    const span_t span = {.ref = sent->ref,
                         .method = sent->method,
                         .caller = sent->caller,
                         .runner = sent->lane,
                         .status = status,
                         .attempt = sent->attempt,
                         .task = true,
                         .asked_us = asked_us ? asked_us : sent->at_us,
                         .sent_us = sent->at_us,
                         .ended_us = ended_us};
    draw(self, &span);
    HASH_DEL(self->sent, sent);
}

// The record of a call's end does not say whether its body began; these ends come from a body.
static bool ran(const record_t *record)
{
    const char *status = record->status;
    return strcmp(status, "ok") == 0 || strcmp(status, "ETASK") == 0 ||
           strcmp(status, "ERESULT") == 0;
}

static void draw_method(trace_t *self, const record_t *record)
{
    int64_t asked_us = record->wall_us - record->took_us;
    const span_t span = {.ref = record->ref,
                         .method = record->method,
                         .caller = record->dst,
                         .runner = record->src,
                         .status = record->status,
                         .attempt = record->attempt,
                         .asked_us = asked_us,
                         .sent_us = asked_us,
                         .ended_us = record->wall_us};
    if (ran(record))
        draw(self, &span);
}

static void take(void *arg, const msg_event_t *event)
{
    trace_t *self = arg;
    record_t record = record_of(event);
    sent_t *sent = sent_of(self, record.ref);
    bool end = record.kind == EVENT_REPLY || record.kind == EVENT_FAIL;
    if (record.kind == EVENT_TASK)
        send_out(self, &record);
    else if (record.kind == EVENT_RETRY && sent)
        draw_task(self, sent, 0, record.wall_us, "lost");
    else if (end && sent)
        draw_task(self, sent, record.wall_us - record.took_us, record.wall_us, record.status);
    else if (end && record.took_us >= 0)
        draw_method(self, &record);
}

static void lose(void *arg, uint64_t count)
{
    trace_t *self = arg;
    self->lost += count;
}

static bool enough(void *arg)
{
    (void)arg;
    return tool_signal() != 0;
}

// ---- The file -----------------------------------------------------------------------------------

static int look_around(trace_t *self)
{
    int wrong = query_rows(self->tool, "hosts", "", &self->hosts);
    if (!wrong)
        wrong = query_rows(self->tool, "workers", "", &self->workers);
    if (!wrong)
        wrong = query_rows(self->tool, "actors", "", &self->actors);
    return wrong;
}

static void name_processes(trace_t *self)
{
    name_it(self, "process_name", CALLERS, 0, "callers");
    name_it(self, "process_name", ELSEWHERE, 0, "ended");
    for (size_t i = 0; i < self->hosts.count; i++)
        name_it(self, "process_name", FIRST_HOST + (int)i, 0,
                row_text(&self->hosts.items[i], "name"));
}

static int write_trace(trace_t *self)
{
    tail_t tail = {.tool = self->tool,
                   .filter = "ev=task,reply,fail,retry",
                   .reader = {take, lose, enough, self}};
    int64_t reach_us, age_us = tool_duration(self->tool, "since", 300000000);
    name_processes(self);
    int wrong = tail_past(&tail, age_us, &reach_us);
    int64_t now = clock_wall_us();
    for (sent_t *sent = self->sent, *next; sent && !wrong; sent = next) {
        next = sent->hh.next;
        draw_task(self, sent, 0, now, "running");
    }
    fputs("\n]\n", self->out);
    HASH_CLEAR(hh, self->callers);
    HASH_CLEAR(hh, self->runners);
    if (!wrong && reach_us < age_us)
        say_note(self->tool, "from %.1f s ago: older ones the flight recorder does not have",
                 (double)reach_us / 1e6);
    if (self->lost)
        say_note(self->tool, "%" PRIu64 " records were overwritten meanwhile", self->lost);
    return wrong;
}

int timeline(tool_t *tool)
{
    const char *path =
        tool->word_count > 0 && strcmp(tool->words[0], "-") != 0 ? tool->words[0] : NULL;
    trace_t self = {.tool = tool, .out = stdout};
    int wrong = tool_connect(tool);
    if (!wrong)
        wrong = look_around(&self);
    if (wrong)
        return wrong;
    if (path && !(self.out = fopen(path, "w"))) {
        trouble_t out = trouble_usage("cannot write %s: %m", path);
        return say_trouble(tool, &out);
    }
    wrong = write_trace(&self);
    if (path && fclose(self.out) != 0 && !wrong) {
        trouble_t out = trouble_usage("%s is not complete: %m", path);
        return say_trouble(tool, &out);
    }
    if (!wrong && path)
        say_note(tool, "%s: %" PRIu64 " calls; open it at chrome://tracing or ui.perfetto.dev",
                 path, self.flow);
    return wrong;
}
