// log.h - lines for people and grep on stderr: time, level, EVENT, key=value. Never waits: what a
// stuck reader does not take is counted and dropped. Belongs to the broker's thread.

#ifndef MOBULA_LOG_H
#define MOBULA_LOG_H

#include <stdint.h>

#include "mobula/types.h"

typedef enum log_level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR } log_level_t;
typedef enum log_format {
    FORMAT_AUTO,
    FORMAT_PRETTY,
    FORMAT_LOGFMT,
    FORMAT_JSON,
    FORMAT_JOURNAL
} log_format_t;

enum {
    LOG_EVENTS_MAX = 64,
    LOG_RATE = 10
}; // of one event in a second; more are counted: repeated=N

typedef struct log_event {
    const char *event;
    int64_t since; // start of the second being counted
    uint32_t count;
    log_level_t level; // of the last
} log_event_t;

typedef struct log {
    int fd;
    log_level_t level;
    log_format_t format;
    log_event_t events[LOG_EVENTS_MAX];
    uint64_t dropped; // lines that a stuck reader did not take
    bool held;        // some were held back and not counted in a line yet
} log_t;

void log_init(log_t *self, int fd, log_level_t level, log_format_t format);

// event: one word, one place in the code. format: "key=%s other=%d", a blank between fields; what
// the arguments print is quoted and escaped as the format needs. Never a key, a payload or a
// routing id.
void log_write(log_t *self, log_level_t level, const char *event, const char *format, ...)
    MOB_PRINTF(4, 5);

// Tell of what was held back, once its second is over: from time to time, and before the end (all).
void log_repeats(log_t *self, bool all);

#define log_debug(self, event, ...) log_write(self, LEVEL_DEBUG, event, __VA_ARGS__)
#define log_info(self, event, ...) log_write(self, LEVEL_INFO, event, __VA_ARGS__)
#define log_warn(self, event, ...) log_write(self, LEVEL_WARN, event, __VA_ARGS__)
#define log_error(self, event, ...) log_write(self, LEVEL_ERROR, event, __VA_ARGS__)

#endif
